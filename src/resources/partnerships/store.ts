import { sql, type Updateable } from 'kysely'
import { searchable } from '../../core/text.ts'
import type { Tx } from '../../db/database.ts'
import { insertRecord, updateRecord } from '../../db/records.ts'
import type { DB } from '../../db/rows.ts'
import { holdName } from '../../platform/references.ts'
import type { Partnership, PartnershipState } from './schemas.ts'

/** The columns that a client writes. */
const written = [
  ...['name', 'reference', 'relationship_type', 'stage', 'purpose', 'starts_on', 'ends_on', 'signed_on'],
  ...['notice_period', 'evaluation_interval', 'evaluation_interval_reason', 'base_currency', 'time_zone'],
  ...['crisis_protocol', 'predecessor_id', 'sdg_targets', 'cross_sector_exception', 'metadata', 'sort_name'],
  ...['search_text'],
] as const

function valuesOf(state: PartnershipState) {
  const { parties: _p, managers: _m, external_refs: _r, ...columns } = state
  return { ...columns, sort_name: searchable(state.name), search_text: searchable(state.name, state.reference) }
}

/** What a partnership begins with, beside what a client writes. */
export type Beginning = Pick<Partnership, 'status' | 'end_reason' | 'decline_reason' | 'taken_over'>

const insert = insertRecord('partnerships', [...written, 'status', 'end_reason', 'decline_reason', 'taken_over'])
const update = updateRecord('partnerships', written)

export async function partnershipInsert(
  tx: Tx,
  { id, state, begins }: { id: string; state: PartnershipState; begins: Beginning },
): Promise<void> {
  await insert(tx, { id, values: { ...valuesOf(state), ...begins } })
}

export async function partnershipUpdate(tx: Tx, id: string, state: PartnershipState): Promise<void> {
  await update(tx, { id, values: valuesOf(state) })
}

/** Sets single columns, as the steps of its life do. */
export async function partnershipSet(tx: Tx, id: string, columns: Updateable<DB['partnerships']>): Promise<void> {
  await tx.db
    .updateTable('partnerships')
    .set({ ...columns, updated_at: tx.now, version: sql<number>`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}

export async function partnershipDelete(tx: Tx, id: string): Promise<void> {
  for (const table of ['external_refs', 'status_changes'] as const) {
    await tx.db
      .deleteFrom(table)
      .where('tenant_id', '=', tx.tenantId)
      .where('resource_type', '=', 'partnership')
      .where('resource_id', '=', id)
      .execute()
  }
  await tx.db.deleteFrom('partnerships').where('tenant_id', '=', tx.tenantId).where('id', '=', id).execute()
}

export async function partnershipExists(tx: Tx, id: string): Promise<boolean> {
  const row = await tx.db
    .selectFrom('partnerships')
    .select('id')
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
  return row !== undefined
}

/**
 * True where `predecessorId` is the partnership itself or renews it, directly or through others. Chains of a tenant
 * are changed one at a time, so that two changes at once cannot close a circle between them.
 */
export async function partnershipIsAfter(tx: Tx, id: string, predecessorId: string): Promise<boolean> {
  await holdName(tx, 'renewals')
  const found = await sql<{ found: boolean }>`
    with recursive chain as (
      select id, predecessor_id from partnerships where tenant_id = ${tx.tenantId} and id = ${predecessorId}
      union
      select p.id, p.predecessor_id from partnerships p join chain on p.id = chain.predecessor_id
      where p.tenant_id = ${tx.tenantId}
    )
    select exists (select from chain where id = ${id}) as found`.execute(tx.db)
  return found.rows[0]?.found ?? false
}

/** What still depends on a partnership, by kind. */
export async function partnershipDependants(tx: Tx, id: string): Promise<string[]> {
  const found = await sql<{ kind: string }>`
    select 'commitments' as kind where exists (
      select from commitments where tenant_id = ${tx.tenantId} and partnership_id = ${id})
    union all select 'evaluations' where exists (
      select from evaluations where tenant_id = ${tx.tenantId} and partnership_id = ${id})
    union all select 'successors' where exists (
      select from partnerships where tenant_id = ${tx.tenantId} and predecessor_id = ${id})`.execute(tx.db)
  return found.rows.map((row) => row.kind)
}
