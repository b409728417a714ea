import { sql } from 'kysely'
import type { ReadTx, Tx } from '../../db/database.ts'
import { type Prepared, param, prepare, tenantParam } from '../../db/prepared.ts'
import { together } from '../../db/together.ts'
import { type Naming, namedIds } from '../../platform/references.ts'

export { activatedOn, dueAfter } from './evaluation-due.ts'
export { partnershipFilters, partnershipSorts } from './filters.ts'

/** What other slices may know of a partnership. */
export interface PartnershipContext {
  id: string
  status: string
  starts_on: string | null
  base_currency: string
  /** Decides what "today" is, and nothing else. */
  time_zone: string
  parties: PartyContext[]
}

export interface PartyContext {
  id: string
  organisation_id: string
  side: string
  role: string
  joined_on: string | null
  left_on: string | null
}

/** A partnership and its parties; undefined where there is none. */
export async function partnershipContext(tx: ReadTx, id: string): Promise<PartnershipContext | undefined> {
  const [partnership, parties] = await Promise.all([
    tx.db
      .selectFrom('partnerships')
      .select(['id', 'status', 'starts_on', 'base_currency', 'time_zone'])
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '=', id)
      .executeTakeFirst(),
    tx.db
      .selectFrom('partnership_parties')
      .select(['id', 'organisation_id', 'side', 'role', 'joined_on', 'left_on'])
      .where('tenant_id', '=', tx.tenantId)
      .where('partnership_id', '=', id)
      .orderBy('position')
      .execute(),
  ])
  return partnership && { ...partnership, parties }
}

const held = (id: ReturnType<typeof sql>): Prepared<PartnershipContext> =>
  prepare<PartnershipContext>(sql`
    select r.id, r.status, r.starts_on, r.base_currency, r.time_zone, (
      select json_agg(json_build_object('id', p.id, 'organisation_id', p.organisation_id, 'side', p.side,
        'role', p.role, 'joined_on', p.joined_on, 'left_on', p.left_on) order by p.position)
      from partnership_parties p where p.tenant_id = r.tenant_id and p.partnership_id = r.id) as parties
    from partnerships r where r.tenant_id = ${tenantParam} and r.id = ${id} for share of r`)

// A select of its own, so that the id is known before the index is asked: else every partnership would be read.
const heldByName = held(sql`(select coalesce(${param('id')}::uuid, (
  select x.resource_id from external_refs x where x.tenant_id = ${tenantParam} and x.resource_type = 'partnership'
    and x.system = ${param('system')} and x.ref_id = ${param('ref_id')})))`)

const heldByCommitment = held(sql`(
  select c.partnership_id from commitments c where c.tenant_id = ${tenantParam} and c.id = ${param('id')}::uuid)`)

const heldMany = (named: ReturnType<typeof sql>) =>
  prepare<PartnershipContext & { position: number }>(sql`
  select n.position, r.id, r.status, r.starts_on, r.base_currency, r.time_zone, (
    select json_agg(json_build_object('id', p.id, 'organisation_id', p.organisation_id, 'side', p.side,
      'role', p.role, 'joined_on', p.joined_on, 'left_on', p.left_on) order by p.position)
    from partnership_parties p where p.tenant_id = r.tenant_id and p.partnership_id = r.id) as parties
  from ${named} n
  join partnerships r on r.tenant_id = ${tenantParam} and r.id = n.id
  order by r.id for share of r`)

const heldByNames = heldMany(namedIds('partnership'))

// Each looked up by itself, as names are.
const heldByCommitments = heldMany(sql`(
  select n.position, (
    select c.partnership_id from commitments c where c.tenant_id = ${tenantParam} and c.id = n.id) as id
  from json_to_recordset(${param('namings')}::json) as n (position integer, id uuid) offset 0)`)

const withParties = ([row]: PartnershipContext[]) => row && { ...row, parties: row.parties ?? [] }

/**
 * A partnership that a write names, held against every change of it until the transaction ends, though not against
 * others who hold it so. Hold it before its commitments: its own steps lock it first and them after.
 */
export const holdPartnership = together(
  async (tx: Tx, { id, ref }: Naming): Promise<PartnershipContext | undefined> =>
    withParties(await heldByName.run(tx, { id, system: ref?.system, ref_id: ref?.id })),
  async (tx, namings) => {
    const rows = namings.map(({ id, ref }, position) => ({ position, id, system: ref?.system, ref_id: ref?.id }))
    return inOrder(namings, await heldByNames.run(tx, { namings: JSON.stringify(rows) }))
  },
)

function inOrder(
  asked: readonly unknown[],
  held: readonly (PartnershipContext & { position: number })[],
): (PartnershipContext | undefined)[] {
  const byPosition = new Map(held.map(({ position, ...row }) => [position, row]))
  return asked.map((_, position) => {
    const row = byPosition.get(position)
    return withParties(row ? [row] : [])
  })
}

/** The partnership of a commitment, held likewise. */
export const holdPartnershipOf = together(
  async (tx: Tx, commitmentId: string): Promise<PartnershipContext | undefined> =>
    withParties(await heldByCommitment.run(tx, { id: commitmentId })),
  async (tx, ids) => {
    const namings = JSON.stringify(ids.map((id, position) => ({ position, id })))
    return inOrder(ids, await heldByCommitments.run(tx, { namings }))
  },
)

/** The agreed terms of a record as they stand. */
export interface TermsNow {
  /** The day from which they count; null where nothing is agreed yet. */
  since: string | null
  terms: Record<string, unknown>
  /** Of the partnership. */
  timeZone: string
}

const termsNow = prepare<TermsNow>(sql`
  select case when r.status not in ('draft', 'proposed', 'declined') then r.starts_on end as since,
    r.time_zone as "timeZone", json_build_object(
    'purpose', json_build_object('why', r.purpose -> 'why', 'what', r.purpose -> 'what', 'how', r.purpose -> 'how'),
    'starts_on', r.starts_on, 'base_currency', r.base_currency) as terms
  from partnerships r where r.tenant_id = ${tenantParam} and r.id = ${param('id')}::uuid`)

/** The agreed terms of a partnership; undefined where there is no such partnership. */
export async function partnershipTermsNow(tx: ReadTx, id: string): Promise<TermsNow | undefined> {
  return (await termsNow.run(tx, { id }))[0]
}
