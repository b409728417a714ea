import { sql } from 'kysely'
import type { Database, Reader } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'

const inSight = prepare<{ id: string }>(
  sql`select id from commitments where tenant_id = ${tenantParam} and id = any(${param('ids')}::uuid[])`,
)

/** What names commitments that it is given in return for, wherever in an answer; what is proposed stays as it was put. */
function answering(value: unknown): { in_return_for: string[] }[] {
  if (Array.isArray(value)) return value.flatMap(answering)
  if (typeof value !== 'object' || value === null) return []
  const within = Object.entries(value).flatMap(([name, inner]) => (name === 'changes' ? [] : answering(inner)))
  return Array.isArray((value as { in_return_for?: unknown }).in_return_for)
    ? [value as { in_return_for: string[] }, ...within]
    : within
}

/**
 * Takes out of an answer the drafts that commitments in it are given in return for. Reads under the partner's role have
 * none; events, the answers to writes and earlier versions were made with all in sight.
 */
export async function leaveDraftsOut(database: Database, reader: Reader, answer: unknown): Promise<void> {
  const found = answering(answer)
  const ids = found.flatMap(({ in_return_for }) => in_return_for)
  if (ids.length === 0) return
  const rows = await database.read(reader, (tx) => inSight.run(tx, { ids }))
  const seen = new Set(rows.map(({ id }) => id))
  for (const record of found) record.in_return_for = record.in_return_for.filter((id) => seen.has(id))
}
