import { type RawBuilder, sql } from 'kysely'
import type { Database, Reader, ReadTx, Tx } from '../../db/database.ts'
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

const isAtHand = sql`tenant_id = ${tenantParam} and id = any(${param('at_hand')}::uuid[])`

// The parties of the reader that have a say today in what is at hand: in an invitation the one that it invites, of an
// objective that of its organisation.
const ownParties = prepare<{ id: string; organisation_id: string; partnership_id: string }>(sql`
  with at_hand (partnership_id, party_id) as (
    select id, null::uuid from partnerships where ${isAtHand}
    union all
    select partnership_id, null from commitments where ${isAtHand} or id in (
      select commitment_id from fulfilments where ${isAtHand})
    union all
    select partnership_id, null from amendments where ${isAtHand}
    union all
    select partnership_id, null from substitutions where ${isAtHand}
    union all
    select partnership_id, null from evaluations where ${isAtHand}
    union all
    select partnership_id, party_id from evaluation_invitations where ${isAtHand}
  )
  select p.id, p.organisation_id, p.partnership_id from partnership_parties p
  join partnerships s on s.tenant_id = p.tenant_id and s.id = p.partnership_id
  where p.tenant_id = ${tenantParam} and p.id = any ((select partner_parties())::uuid[])
    and (p.left_on is null or p.left_on > (${param('now')}::timestamptz at time zone s.time_zone)::date)
    and exists (select from at_hand a where a.partnership_id = p.partnership_id and coalesce(a.party_id, p.id) = p.id)
    and not exists (select from objectives where ${isAtHand} and organisation_id <> p.organisation_id)`)

interface Left {
  left_id: string
  horizon: string
}

const horizons = prepare<Left>(sql`
  select left_id, partner_horizon(left_id)::text as horizon from unnest(partner_left()) as left_id`)

// A round in which an organisation of the reader judges itself: there it acts for that, whatever it is a party of.
const ownRound = prepare<{ organisation_id: string }>(sql`
  select organisation_id from evaluations where ${isAtHand} and organisation_id is not null
  union all
  select organisation_id from evaluation_invitations where ${isAtHand} and organisation_id is not null`)

/** What a partner's request may name, and in whose name it may act. */
export interface Reachable {
  /** Of the ids asked for, those of records that the partner sees. */
  ids: ReadonlySet<string>
  /** Its parties that have a say in what is at hand. */
  parties: readonly { id: string; organisation_id: string; partnership_id: string }[]
  /** The organisation of the reader that the record at hand is about alone. */
  itself: string | undefined
}

/** Asks, as the partner, for the records of these ids, and for whom it may act at `now` in what is at hand. */
export async function reachableBy(
  tx: ReadTx,
  ids: readonly string[],
  atHand: readonly string[],
  now: string,
): Promise<Reachable> {
  const [rows, parties, [own]] = await Promise.all([
    within.run(tx, { ids }),
    ownParties.run(tx, { at_hand: atHand, now }),
    ownRound.run(tx, { at_hand: atHand }),
  ])
  return { ids: new Set(rows.map(({ id }) => id)), parties, itself: own?.organisation_id }
}

const held = (table: 'partnerships' | 'commitments', ids: RawBuilder<unknown>, lock: RawBuilder<unknown>) =>
  prepare<object>(sql`
    select from ${sql.table(table)} where tenant_id = ${tenantParam} and id = any(array(${ids})) order by id ${lock}`)

// As the commands hold them: those that are changed, with their amendments, against all others who hold them.
const changing = held(
  'partnerships',
  sql`
    select id from partnerships where ${isAtHand}
    union all
    select partnership_id from amendments where ${isAtHand}`,
  sql`for no key update`,
)
const staying = held(
  'partnerships',
  sql`
    select partnership_id from commitments where ${isAtHand} or id in (
      select commitment_id from fulfilments where ${isAtHand})
    union all
    select partnership_id from substitutions where ${isAtHand}
    union all
    select partnership_id from evaluations where ${isAtHand}
    union all
    select partnership_id from evaluation_invitations where ${isAtHand}`,
  sql`for share`,
)
const promised = held(
  'commitments',
  sql`
    select id from commitments where ${isAtHand}
    union all
    select commitment_id from fulfilments where ${isAtHand}`,
  sql`for no key update`,
)

/**
 * Holds the partnerships of what is at hand, and then its commitments: who has a part in those, and what of these is a
 * draft, stays so until the end.
 */
export async function holdAtHand(tx: Tx, atHand: readonly string[]): Promise<void> {
  const values = { at_hand: atHand }
  await Promise.all([changing, staying, promised].map((statement) => statement.run(tx, values)))
}

const present = prepare<object>(sql`
  select from partnerships where tenant_id = ${tenantParam}
    and id in (${param('id')}::uuid, (
      select c.partnership_id from commitments c where c.tenant_id = ${tenantParam} and c.id = ${param('id')}::uuid))
    and coalesce(partner_horizon(id) > ${param('now')}::timestamptz, true)`)

/** Whether the partner has a part at `now` in the partnership that this is, or that this commitment belongs to. */
export async function takesPart(database: Database, reader: Reader, id: string, now: string): Promise<boolean> {
  return (await database.read(reader, (tx) => present.run(tx, { id, now }))).length > 0
}

/** What a partner has left or is to leave, partnerships and organisations, and until when it sees each. */
export async function leftBy(database: Database, reader: Reader): Promise<Left[]> {
  return database.read(reader, (tx) => horizons.run(tx))
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
    select * from json_to_recordset(${param('horizons')}::json) as h (left_id uuid, horizon timestamptz)
  ),
  shown as (
    select s.type, s.id, s.updated_at, coalesce(s.partnership_id, (
      select c.partnership_id from commitments c where c.tenant_id = ${tenantParam} and c.id = s.commitment_id), s.id) as left_id
    from json_to_recordset(${param('shown')}::json)
      as s (type text, id uuid, partnership_id uuid, commitment_id uuid, updated_at timestamptz)
  )
  select s.id, (
    select e.after from audit_entries e
    where e.tenant_id = ${tenantParam} and e.resource_type = s.type and e.resource_id = s.id and e.category = 'change'
      and e.occurred_at < h.horizon
    order by e.sequence desc limit 1) as after
  from shown s join horizon h on h.left_id = s.left_id and s.updated_at >= h.horizon`)

/**
 * What stands in the place of records that were changed after the reader had left: their last version from before; null
 * where none is kept. Records that are not in the answer stand as they are.
 */
export async function versionsBefore(
  database: Database,
  reader: Reader,
  left: readonly Left[],
  shown: readonly Shown[],
): Promise<Map<string, Record<string, unknown> | null>> {
  const rows = await database.read({ tenantId: reader.tenantId, organisations: null }, (tx) =>
    versions.run(tx, { horizons: JSON.stringify(left), shown: JSON.stringify(shown) }),
  )
  // What was a draft then was its author's alone.
  return new Map(rows.map(({ id, after }) => [id, after?.['status'] === 'draft' ? null : after]))
}

const inSight = prepare<{ id: string }>(
  sql`select id from commitments where tenant_id = ${tenantParam} and id = any(${param('ids')}::uuid[])`,
)

/** Of these ids, those of commitments that are there for the partner. */
export async function commitmentsSeen(
  database: Database,
  reader: Reader,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set()
  const rows = await database.read(reader, (tx) => inSight.run(tx, { ids }))
  return new Set(rows.map(({ id }) => id))
}
