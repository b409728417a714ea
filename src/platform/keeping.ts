import { type RawBuilder, sql } from 'kysely'
import type { ReadTx } from '../db/database.ts'
import { type Prepared, param, prepare, tenantParam } from '../db/prepared.ts'
import type { DB } from '../db/rows.ts'

// Representations that were read lately: see docs/decisions.

/** The stamp of a record by an alias: another one with each change of what represents it, also after a restored back-up. */
export const stampOf = (alias: string) =>
  sql<string>`${sql.ref(`${alias}.version`)} || ' ' || ${sql.ref(`${alias}.updated_at`)}`

/** How the representations of a kind are kept. */
export interface Keeping {
  /** What a record goes by, among those that are kept. */
  nameOf(tenantId: string, id: string): string
  /** The stamp of a record of a list. */
  stamp: RawBuilder<string>
  /** Reads the version and the stamp of one by `id`. */
  stampOfOne: Prepared<{ version: number; stamp: string }>
}

/** How the representations of a kind are kept, whose records are in a table. */
export const keepingOf = (type: string, table: keyof DB): Keeping => ({
  nameOf: (tenantId, id) => `${type} ${tenantId} ${id.toLowerCase()}`,
  stamp: stampOf('r'),
  stampOfOne: prepare(sql`
    select r.version, ${stampOf('r')} as stamp from ${sql.table(table)} r where r.tenant_id = ${tenantParam} and r.id = ${param('id')}`),
})

/** What is kept of a record, if that is how it stands at this moment. */
export async function keptOne(
  tx: ReadTx,
  keeping: Keeping,
  id: string,
): Promise<{ version: number; body: string } | undefined> {
  const name = keeping.nameOf(tx.tenantId, id)
  if (!tx.kept?.has(name)) return undefined
  const [now] = await keeping.stampOfOne.run(tx, { id })
  const body = now && tx.kept.get(name, now.stamp)
  return now && body !== undefined ? { version: now.version, body } : undefined
}
