import { sql, type Updateable } from 'kysely'
import { searchable } from '../../core/text.ts'
import type { Tx } from '../../db/database.ts'
import { compiler, param, prepare, tenantParam } from '../../db/prepared.ts'
import type { DB } from '../../db/rows.ts'
import { insertMany, together } from '../../db/together.ts'
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

const partiesWritten = prepare(sql`
  insert into partnership_parties (tenant_id, partnership_id, id, organisation_id, side, role, joined_on, left_on, position)
  select ${tenantParam}, p.partnership_id, p.id, p.organisation_id, p.side, p.role, p.joined_on, p.left_on, p.position
  from json_to_recordset(${param('parties')}::json) as p
    (partnership_id uuid, id uuid, organisation_id uuid, side text, role text, joined_on date, left_on date, position integer)
  on conflict (tenant_id, id) do update set side = excluded.side, role = excluded.role, joined_on = excluded.joined_on,
    left_on = excluded.left_on, position = excluded.position`)

/** Writes parties: new ones, and those that stand, but for their assents. */
export async function partiesWrite(tx: Tx, id: string, parties: PartnershipState['parties']): Promise<void> {
  if (parties.length === 0) return
  await partyRowsWrite(
    tx,
    parties.map((party, position) => ({ ...party, partnership_id: id, position })),
  )
}

const partyRowsWrite = together(
  async (tx: Tx, rows: object[]): Promise<void> => {
    await partiesWritten.run(tx, { parties: JSON.stringify(rows) })
  },
  async (tx, lists) => {
    await partiesWritten.run(tx, { parties: JSON.stringify(lists.flat()) })
    return lists.map(() => undefined)
  },
)

/** Gives the seats of an organisation to another; partnerships are locked in the order of their ids. @returns their ids */
export async function partiesMove(tx: Tx, from: string, to: string): Promise<string[]> {
  const held = await sql<{ id: string }>`
    select p.id from partnerships p where p.tenant_id = ${tx.tenantId} and p.id in (
      select s.partnership_id from partnership_parties s where s.tenant_id = ${tx.tenantId} and s.organisation_id = ${from})
    order by p.id for no key update`.execute(tx.db)
  const ids = held.rows.map(({ id }) => id)
  await sql`
    with seats as (
      update partnership_parties set organisation_id = ${to}
      where tenant_id = ${tx.tenantId} and organisation_id = ${from} and partnership_id = any(${ids}::uuid[])
    )
    update partnerships set version = version + 1, updated_at = ${tx.now}::timestamptz
    where tenant_id = ${tx.tenantId} and id = any(${ids}::uuid[])`.execute(tx.db)
  return ids
}

export async function partiesDelete(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.db.deleteFrom('partnership_parties').where('tenant_id', '=', tx.tenantId).where('id', 'in', ids).execute()
}

/** Which of these parties other records point at, and what those are. */
export async function partyDependants(tx: Tx, ids: readonly string[]): Promise<{ party_id: string; kind: string }[]> {
  const found = await sql<{ party_id: string; kind: string }>`
    with parties as (select unnest(${ids}::uuid[]) as party_id)
    select party_id, 'commitments' as kind from parties where exists (
      select from commitments c where c.tenant_id = ${tx.tenantId} and party_id in (
        c.from_party_id, c.to_party_id, c.agreed_by_party_id, c.agreement_recorded_by_party_id))
    union all select party_id, 'pauses' from parties where exists (
      select from pauses p where p.tenant_id = ${tx.tenantId}
        and party_id in (p.initiated_by_party_id, p.on_behalf_of_party_id))
    union all select party_id, 'fulfilments' from parties where exists (
      select from fulfilments f where f.tenant_id = ${tx.tenantId}
        and party_id in (f.reported_by_party_id, f.decided_by_party_id))
    union all select party_id, 'evaluations' from parties where exists (
      select from evaluation_invitations i where i.tenant_id = ${tx.tenantId} and i.party_id = parties.party_id
      union all select from evaluation_responses r where r.tenant_id = ${tx.tenantId} and r.party_id = parties.party_id
      union all select from evaluation_decisions d where d.tenant_id = ${tx.tenantId} and d.owner_party_id = parties.party_id)
    order by 1, 2`.execute(tx.db)
  return found.rows
}

export interface AssentRow {
  on: string
  recordedByPartyId: string | null
  note: string | null
}

/** Keeps or, for all parties, clears an assent. */
export async function assentSet(tx: Tx, partyId: string, assent: AssentRow): Promise<void> {
  await tx.db
    .updateTable('partnership_parties')
    .set({ assented_on: assent.on, assent_recorded_by_party_id: assent.recordedByPartyId, assent_note: assent.note })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', partyId)
    .execute()
}

export async function assentsClear(tx: Tx, partnershipId: string): Promise<void> {
  await tx.db
    .updateTable('partnership_parties')
    .set({ assented_on: null, assent_recorded_by_party_id: null, assent_note: null })
    .where('tenant_id', '=', tx.tenantId)
    .where('partnership_id', '=', partnershipId)
    .execute()
}

const managersWritten = prepare(sql`
  insert into partnership_managers (tenant_id, partnership_id, party_id, contact_id, position)
  select ${tenantParam}, ${param('id')}::uuid, m.party_id, m.contact_id, m.position
  from json_to_recordset(${param('managers')}::json) as m (party_id uuid, contact_id uuid, position integer)`)

/** Adds managers to a partnership that has none. */
export async function managersInsert(tx: Tx, id: string, managers: PartnershipState['managers']): Promise<void> {
  if (managers.length === 0) return
  const rows = managers.map((manager, position) => ({ ...manager, position }))
  await managerRowsWrite(tx, { id, managers: JSON.stringify(rows) })
}

const managerRowsWrite = together((tx: Tx, values: Record<string, unknown>) => managersWritten.run(tx, values))

export async function managersDelete(tx: Tx, id: string): Promise<void> {
  await tx.db
    .deleteFrom('partnership_managers')
    .where('tenant_id', '=', tx.tenantId)
    .where('partnership_id', '=', id)
    .execute()
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
  const name = JSON.stringify([tx.tenantId, 'renewals'])
  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(tx.db)
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
