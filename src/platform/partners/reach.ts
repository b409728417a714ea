import { sql } from 'kysely'
import type { Database, Reader } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'

/** The kinds of records that a partner's request may name, by table: what is not among them is not there for a partner. */
const named = [
  'organisations',
  'partnerships',
  'partnership_parties',
  'commitments',
  'fulfilments',
  'amendments',
  'substitutions',
  'evaluations',
  'evaluation_invitations',
  'evaluation_decisions',
  'objectives',
  'objective_links',
] as const

const within = prepare<{ id: string }>(
  sql`${sql.join(
    named.map(
      (table) =>
        sql`select id from ${sql.table(table)} where tenant_id = ${tenantParam} and id = any(${param('ids')}::uuid[])`,
    ),
    sql` union all `,
  )}`,
)

// The parties that the reader has now; of an organisation that has left, none.
const ownParties = prepare<{ id: string; organisation_id: string; partnership_id: string }>(sql`
  select p.id, p.organisation_id, p.partnership_id from partnership_parties p
  where p.tenant_id = ${tenantParam} and p.id = any ((select partner_parties())::uuid[])
    and coalesce(partner_horizon(p.partnership_id) > ${param('now')}::timestamptz, true)`)

const horizons = prepare<{ partnership_id: string; horizon: string }>(sql`
  select partnership_id, partner_horizon(partnership_id)::text as horizon from unnest(partner_left()) as partnership_id`)

// A round in which an organisation of the reader judges itself: there it acts for that, whatever it is a party of.
const ownRound = prepare<{ organisation_id: string }>(sql`
  select organisation_id from evaluations
  where tenant_id = ${tenantParam} and id = ${param('id')}::uuid
    and organisation_id = any ((select partner_own())::uuid[])`)

/** What a partner's request may name, and in whose name it may act. */
export interface Reachable {
  /** Of the ids asked for, those of records that the partner sees. */
  ids: ReadonlySet<string>
  parties: readonly { id: string; organisation_id: string; partnership_id: string }[]
  /** The organisation of the reader that the record at hand is about alone. */
  itself: string | undefined
}

/**
 * Asks the database, as the partner, for the records of these ids and for the partner's own parties at `now`; `record` is
 * the id of the one at hand, where there is one.
 */
export async function reachableBy(
  database: Database,
  reader: Reader,
  ids: readonly string[],
  now: string,
  record?: string,
): Promise<Reachable> {
  return database.read(reader, async (tx) => {
    const [rows, parties, [own]] = await Promise.all([
      within.run(tx, { ids }),
      ownParties.run(tx, { now }),
      ownRound.run(tx, { id: record ?? null }),
    ])
    return { ids: new Set(rows.map(({ id }) => id)), parties, itself: own?.organisation_id }
  })
}

const partnershipIn = prepare<{ id: string }>(sql`
  select id from partnerships where tenant_id = ${tenantParam} and id = ${param('id')}::uuid
  union all
  select partnership_id from commitments where tenant_id = ${tenantParam} and id = ${param('id')}::uuid`)

/** The partnership that this is, or that this commitment belongs to; undefined for what the partner does not see. */
export async function partnershipOf(database: Database, reader: Reader, id: string): Promise<string | undefined> {
  const [row] = await database.read(reader, (tx) => partnershipIn.run(tx, { id }))
  return row?.id
}

/** The partnerships that a partner has left or is to leave, each with the end of its last day there. */
export async function leftBy(database: Database, reader: Reader): Promise<Map<string, string>> {
  const rows = await database.read(reader, (tx) => horizons.run(tx))
  return new Map(rows.map(({ partnership_id, horizon }) => [partnership_id, horizon]))
}

/** A record of an answer, by its kind, and what tells whose it is. */
export interface Shown {
  type: string
  id: string
  partnership_id: string | undefined
  commitment_id: string | undefined
  updated_at: string
}

// Of each record that was changed after the reader had left: its last version from before, as the audit has it.
const versions = prepare<{ id: string; after: Record<string, unknown> | null }>(sql`
  with horizon as (
    select * from json_to_recordset(${param('horizons')}::json) as h (partnership_id uuid, horizon timestamptz)
  ),
  shown as (
    select s.type, s.id, s.updated_at, coalesce(s.partnership_id, (
      select c.partnership_id from commitments c where c.tenant_id = ${tenantParam} and c.id = s.commitment_id)) as partnership_id
    from json_to_recordset(${param('shown')}::json)
      as s (type text, id uuid, partnership_id uuid, commitment_id uuid, updated_at timestamptz)
  )
  select s.id, (
    select e.after from audit_entries e
    where e.tenant_id = ${tenantParam} and e.resource_type = s.type and e.resource_id = s.id and e.category = 'change'
      and e.occurred_at < h.horizon
    order by e.sequence desc limit 1) as after
  from shown s join horizon h on h.partnership_id = s.partnership_id and s.updated_at >= h.horizon`)

/**
 * What stands in the place of records that were changed after the reader had left: their last version from before; null
 * where none is kept. Records that are not in the answer stand as they are.
 */
export async function versionsBefore(
  database: Database,
  reader: Reader,
  left: ReadonlyMap<string, string>,
  shown: readonly Shown[],
): Promise<Map<string, Record<string, unknown> | null>> {
  const horizon = [...left].map(([partnership_id, at]) => ({ partnership_id, horizon: at }))
  const rows = await database.read({ tenantId: reader.tenantId, organisations: null }, (tx) =>
    versions.run(tx, { horizons: JSON.stringify(horizon), shown: JSON.stringify(shown) }),
  )
  return new Map(rows.map(({ id, after }) => [id, after]))
}
