import { sql, type Updateable } from 'kysely'
import { searchable } from '../../core/text.ts'
import type { Tx } from '../../db/database.ts'
import { compiler, param, prepare, tenantParam } from '../../db/prepared.ts'
import type { DB } from '../../db/rows.ts'
import { insertMany, together } from '../../db/together.ts'
import { holdName } from '../../platform/references.ts'
import type { Partnership, PartnershipState } from './schemas.ts'

/** The columns that a client writes, as holes of statements that are compiled once. */
const written = {
  name: param<string>('name'),
  reference: param<string | null>('reference'),
  relationship_type: param<string | null>('relationship_type'),
  stage: param<string | null>('stage'),
  purpose: param<string>('purpose'),
  starts_on: param<string | null>('starts_on'),
  ends_on: param<string | null>('ends_on'),
  signed_on: param<string | null>('signed_on'),
  notice_period: param<string | null>('notice_period'),
  evaluation_interval: param<string>('evaluation_interval'),
  evaluation_interval_reason: param<string | null>('evaluation_interval_reason'),
  base_currency: param<string>('base_currency'),
  time_zone: param<string>('time_zone'),
  crisis_protocol: param<string | null>('crisis_protocol'),
  predecessor_id: param<string | null>('predecessor_id'),
  sdg_targets: param<string[]>('sdg_targets'),
  cross_sector_exception: param<string | null>('cross_sector_exception'),
  metadata: param<string>('metadata'),
  sort_name: param<string>('sort_name'),
  search_text: param<string>('search_text'),
}

type Values = Record<keyof typeof written, unknown>

function valuesOf(state: PartnershipState): Values {
  const { parties: _p, managers: _m, external_refs: _r, ...columns } = state
  return {
    ...columns,
    purpose: JSON.stringify(state.purpose),
    metadata: JSON.stringify(state.metadata),
    sort_name: searchable(state.name),
    search_text: searchable(state.name, state.reference),
  }
}

const insertion = prepare(
  compiler.insertInto('partnerships').values({
    tenant_id: tenantParam,
    id: param<string>('id'),
    created_at: param<string>('now'),
    updated_at: param<string>('now'),
    status: param<string>('status'),
    end_reason: param<string | null>('end_reason'),
    decline_reason: param<string | null>('decline_reason'),
    taken_over: param<string | null>('taken_over'),
    ...written,
  }),
)

const revision = prepare(
  compiler
    .updateTable('partnerships')
    .set({ ...written, updated_at: param<string>('now'), version: sql<number>`version + 1` })
    .where('tenant_id', '=', tenantParam)
    .where('id', '=', param<string>('id')),
)

/** What a partnership begins with, beside what a client writes. */
export type Beginning = Pick<Partnership, 'status' | 'end_reason' | 'decline_reason' | 'taken_over'>

const insertedTogether = insertMany('partnerships', [
  ...['id', 'version', 'created_at', 'updated_at', 'status', 'end_reason', 'decline_reason', 'taken_over'],
  ...Object.keys(written),
])

export const partnershipInsert = together(
  async (tx: Tx, { id, state, begins }: { id: string; state: PartnershipState; begins: Beginning }): Promise<void> => {
    const { status, end_reason, decline_reason, taken_over } = begins
    await insertion.run(tx, {
      id,
      now: tx.now,
      status,
      end_reason,
      decline_reason,
      taken_over: taken_over && JSON.stringify(taken_over),
      ...valuesOf(state),
    })
  },
  async (tx, all) => {
    const rows = all.map(({ id, state, begins }) => {
      const { purpose, metadata } = state
      const common = { id, version: 1, created_at: tx.now, updated_at: tx.now }
      return { ...common, ...begins, ...valuesOf(state), purpose, metadata }
    })
    await insertedTogether(tx, rows)
    return all.map(() => undefined)
  },
)

export async function partnershipUpdate(tx: Tx, id: string, state: PartnershipState): Promise<void> {
  await revision.run(tx, { id, now: tx.now, ...valuesOf(state) })
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
