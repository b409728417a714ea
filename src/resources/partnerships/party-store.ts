import { sql } from 'kysely'
import type { Tx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import { together } from '../../db/together.ts'
import type { PartnershipState } from './schemas.ts'

// The parties of partnerships, their assents, and the people who look after a partnership for them.

const partiesWritten = prepare(sql`
  insert into partnership_parties (tenant_id, partnership_id, id, created_at, organisation_id, side, role, joined_on,
    left_on, position)
  select ${tenantParam}, p.partnership_id, p.id, ${param('now')}::timestamptz, p.organisation_id, p.side, p.role,
    p.joined_on, p.left_on, p.position
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
    await partiesWritten.run(tx, { now: tx.now, parties: JSON.stringify(rows) })
  },
  async (tx, lists) => {
    await partiesWritten.run(tx, { now: tx.now, parties: JSON.stringify(lists.flat()) })
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
      update partnership_parties set organisation_id = ${to}, held_before = held_before
        || jsonb_build_object('organisation_id', organisation_id, 'until', ${tx.now}::timestamptz)
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
