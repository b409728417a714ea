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

const members = sql`r.id, r.status, r.starts_on, r.base_currency, r.time_zone, coalesce((
  select json_agg(json_build_object('id', p.id, 'organisation_id', p.organisation_id, 'side', p.side,
    'role', p.role, 'joined_on', p.joined_on, 'left_on', p.left_on) order by p.position)
  from partnership_parties p where p.tenant_id = r.tenant_id and p.partnership_id = r.id), '[]') as parties`

/** The statements that hold a partnership and read it. */
interface Holding<Row> {
  lock: Prepared<object>
  read: Prepared<Row>
}

/** Both are sent at once, in this order: the read runs after the lock is had, and sees what the writer before us left. */
async function held<Row>(tx: ReadTx, { lock, read }: Holding<Row>, values: Record<string, unknown>): Promise<Row[]> {
  const locked = lock.run(tx, values)
  const [rows] = await Promise.all([read.run(tx, values), locked])
  return rows
}

function holdingOne(id: ReturnType<typeof sql>): Holding<PartnershipContext> {
  const it = sql`from partnerships r where r.tenant_id = ${tenantParam} and r.id = ${id}`
  return { lock: prepare(sql`select ${it} for share`), read: prepare(sql`select ${members} ${it}`) }
}

// A select of its own, so that the id is known before the index is asked: else every partnership would be read.
const byName = holdingOne(sql`(select coalesce(${param('id')}::uuid, (
  select x.resource_id from external_refs x where x.tenant_id = ${tenantParam} and x.resource_type = 'partnership'
    and x.system = ${param('system')} and x.ref_id = ${param('ref_id')})))`)

const byCommitment = holdingOne(sql`(
  select c.partnership_id from commitments c where c.tenant_id = ${tenantParam} and c.id = ${param('id')}::uuid)`)

/** Each is looked up by itself, as names are, and locked in the order of the ids. */
function holdingMany(named: ReturnType<typeof sql>): Holding<PartnershipContext & { position: number }> {
  const one = sql`from partnerships r where r.tenant_id = ${tenantParam} and r.id = n.id limit 1`
  return {
    lock: prepare(sql`
      select from (select id from ${named} n order by id offset 0) n cross join lateral (select r.id ${one} for share) r`),
    read: prepare(sql`
      select r.* from ${named} n cross join lateral (select n.position, ${members} ${one}) r`),
  }
}

const byNames = holdingMany(namedIds('partnership'))

const byCommitments = holdingMany(sql`(
  select n.position, (
    select c.partnership_id from commitments c where c.tenant_id = ${tenantParam} and c.id = n.id) as id
  from json_to_recordset(${param('namings')}::json) as n (position integer, id uuid) offset 0)`)

/** A partnership and its parties; undefined where there is none. */
export async function partnershipContext(tx: ReadTx, id: string): Promise<PartnershipContext | undefined> {
  return (await byName.read.run(tx, { id }))[0]
}

/**
 * A partnership that a write names, held against every change of it until the transaction ends, though not against
 * others who hold it so. Hold it before its commitments: its own steps lock it first and them after.
 */
export const holdPartnership = together(
  async (tx: Tx, { id, ref }: Naming): Promise<PartnershipContext | undefined> =>
    (await held(tx, byName, { id, system: ref?.system, ref_id: ref?.id }))[0],
  async (tx, namings) => {
    const rows = namings.map(({ id, ref }, position) => ({ position, id, system: ref?.system, ref_id: ref?.id }))
    return inOrder(namings, await held(tx, byNames, { namings: JSON.stringify(rows) }))
  },
)

function inOrder(
  asked: readonly unknown[],
  found: readonly (PartnershipContext & { position: number })[],
): (PartnershipContext | undefined)[] {
  const byPosition = new Map(found.map(({ position, ...row }) => [position, row]))
  return asked.map((_, position) => byPosition.get(position))
}

/** The partnership of a commitment, held likewise. */
export const holdPartnershipOf = together(
  async (tx: Tx, commitmentId: string): Promise<PartnershipContext | undefined> =>
    (await held(tx, byCommitment, { id: commitmentId }))[0],
  async (tx, ids) => {
    const namings = JSON.stringify(ids.map((id, position) => ({ position, id })))
    return inOrder(ids, await held(tx, byCommitments, { namings }))
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
