import { sql } from 'kysely'
import { notFound } from '../../core/problem.ts'
import type { ReadTx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'

const existing = prepare<object>(
  sql`select from commitments where tenant_id = ${tenantParam} and id = ${param('id')}::uuid`,
)

/** @throws Problem `not_found` where there is no such commitment */
export async function requireCommitment(tx: ReadTx, id: string): Promise<void> {
  if ((await existing.run(tx, { id })).length === 0) throw notFound()
}

/** The sides of a partnership from which an agreed (or fulfilled) commitment comes. */
export async function sidesThatPromised(tx: ReadTx, partnershipId: string): Promise<Set<string>> {
  const rows = await tx.db
    .selectFrom('commitments as c')
    .innerJoin('partnership_parties as p', (join) =>
      join.onRef('p.tenant_id', '=', 'c.tenant_id').onRef('p.id', '=', 'c.from_party_id'),
    )
    .select('p.side')
    .distinct()
    .where('c.tenant_id', '=', tx.tenantId)
    .where('c.partnership_id', '=', partnershipId)
    .where('c.status', 'in', ['agreed', 'paused', 'fulfilled'])
    .execute()
  return new Set(rows.map((row) => row.side))
}

/** The first so many commitments of a partnership that have not come to an end yet. */
export async function openCommitments(
  tx: ReadTx,
  partnershipId: string,
  limit: number,
): Promise<{ id: string; title: string; status: string }[]> {
  return tx.db
    .selectFrom('commitments')
    .select(['id', 'title', 'status'])
    .where('tenant_id', '=', tx.tenantId)
    .where('partnership_id', '=', partnershipId)
    .where('status', 'in', ['draft', 'proposed', 'agreed', 'paused'])
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit)
    .execute()
}
