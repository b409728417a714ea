import { type RawBuilder, sql } from 'kysely'
import type { ReadTx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import { deliveredValued, figures, isDue, valued } from '../measures/read.ts'
import { dueAfter } from '../partnerships/read.ts'
import { judged } from './judged.ts'
import { organisation, present, standing, statusOf } from './standing.ts'

/**
 * What a partnership's place in the portfolio of an organisation rests on, as of a day: of a page and of a whole portfolio
 * alike, in one statement. All of it is dated, so that an answer about a day is the answer that was given on that day.
 */

/** The sums of one side: its name, counts, and amounts as decimals. */
export type SideRow = [
  side: string,
  commitments: number,
  valued: number,
  delivered_valued: number,
  promised: string,
  delivered: string,
]

export interface Sums {
  due: string
  met: string
  promised_by: string
  kept: string
  late: string
  outstanding: string
  due_commitments: number
  due_valued: number
  open: number
  open_valued: number
}

export interface Fit {
  /** The greatest importance times contribution, of all links. */
  best: number
  /** The greatest importance of all objectives that count. */
  heaviest: number
  breadth: number
  assessed_on: string
}

export interface OpenImpact {
  id: string
  severity: 'low' | 'medium' | 'high' | 'critical'
  response_due_on: string | null
}

export interface Facts {
  id: string
  name: string
  reference: string | null
  as_of: string
  status: string
  side: string
  starts_on: string | null
  ends_on: string | null
  basis: string
  currency: string
  sides: string[]
  /** Null where nothing was agreed. */
  value: { side_sums: SideRow[]; sums: Sums } | null
  round: {
    evaluation_id: string
    closed_on: string
    cells: [code: string, side: string, score: string | null][]
  } | null
  /** The links that count, and those that counted on the day before the last of them was assessed. */
  fit: (Fit & { before: Fit | null }) | null
  evaluation_due_on: string | null
  /** The first day by which an impact asks for an evaluation that was neither concluded nor waived. */
  impact_evaluation_due_on: string | null
  impacts: OpenImpact[]
  pause: { id: string; commitment_id: string | null; expected_on: string } | null
  unmanaged: string[]
  has_successor: boolean
}

/**
 * The condition on `r`: a partnership in which the organisation takes part on the day, in one of the states asked for.
 * A case has no statistics: half of the rows are expected to be in them, not one in two hundred.
 */
export const inPortfolio = sql<boolean>`exists (
    select from partnership_parties p where p.tenant_id = ${tenantParam} and p.partnership_id = r.id and ${present}
      and p.organisation_id = ${organisation})
  and r.id in (select a.partnership_id from partnership_parties a
    where a.tenant_id = ${tenantParam} and a.organisation_id = ${organisation})
  and case when ${statusOf('r')} = any(coalesce(${param('status')}::text[], '{active,paused,ending}')) then true else false end`

const count = (condition: RawBuilder<unknown>) => sql`count(*) filter (where ${condition})`
const total = (value: RawBuilder<unknown>) => sql`coalesce(sum(${value}), 0)`

/** What is summed up of all sides together, of the commitments `m`. */
const sums = {
  due: total(sql`m.due * m.unit`),
  met: total(sql`least(m.delivered, m.due) * m.unit`),
  promised_by: total(sql`m.promised_by * m.unit`),
  kept: total(sql`least(m.delivered, m.promised_by) * m.unit`),
  late: total(sql`m.late * m.unit`),
  outstanding: total(sql`m.outstanding * m.unit`),
}
const counts = {
  due_commitments: count(isDue),
  due_valued: count(sql`${isDue} and ${valued}`),
  open: count(sql`m.is_open`),
  open_valued: count(sql`m.is_open and ${valued}`),
}
const named = (columns: Record<string, RawBuilder<unknown>>) =>
  sql.join(Object.entries(columns).map(([name, column]) => sql`${column} as ${sql.ref(name)}`))
const told = sql.join([
  ...Object.keys(sums).map((name) => sql`${sql.lit(name)}, trim_scale(sum(${sql.ref(`g.${name}`)}))::text`),
  ...Object.keys(counts).map((name) => sql`${sql.lit(name)}, sum(${sql.ref(`g.${name}`)})`),
])

const values = sql`sides as materialized (
  select m.partnership_id, p.side, json_build_array(p.side, count(*), ${count(valued)}, ${count(deliveredValued)},
    trim_scale(${total(sql`m.stands * m.unit`)})::text, trim_scale(${total(sql`m.delivered_value`)})::text) as sums,
    ${named(sums)}, ${named(counts)}
  from figures m
  join partnership_parties p on p.tenant_id = ${tenantParam} and p.id = m.from_party_id
  group by m.partnership_id, p.side
), value as materialized (
  select g.partnership_id, json_build_object('side_sums', json_agg(g.sums), 'sums', json_build_object(${told})) as value
  from sides g
  group by g.partnership_id
)`

/** What facts are read in. Parts that nothing in a statement asks for cost it nothing: Postgres does not reckon them. */
export const parts = ['value', 'round', 'fit', 'evaluation', 'impacts', 'pause', 'seats', 'succession'] as const
export type Part = (typeof parts)[number]

/** The columns of each part, and what is there where it is not asked for. */
const columnsOf: Record<
  Part,
  { columns: RawBuilder<unknown>; without: RawBuilder<unknown>; joins: RawBuilder<unknown> }
> = {
  value: {
    columns: sql`'value', v.value`,
    without: sql`'value', null`,
    joins: sql`left join value v on v.partnership_id = k.id`,
  },
  round: {
    columns: sql`'round', j.round`,
    without: sql`'round', null`,
    joins: sql`left join judged j on j.partnership_id = k.id`,
  },
  fit: {
    columns: sql`'fit', s.fit`,
    without: sql`'fit', null`,
    joins: sql`left join strategy s on s.partnership_id = k.id`,
  },
  evaluation: {
    columns: sql`'evaluation_due_on', case when h.status in ('active', 'paused', 'ending') then
        ${dueAfter(sql`h.activated_on`, sql`c.period_to`, sql`coalesce(d.evaluation_interval, r.evaluation_interval)`)} end`,
    without: sql`'evaluation_due_on', null`,
    joins: sql`left join concluded c on c.partnership_id = k.id`,
  },
  impacts: {
    columns: sql`'impact_evaluation_due_on', i.evaluation_due_on, 'impacts', coalesce(i.impacts, '[]')`,
    without: sql`'impact_evaluation_due_on', null, 'impacts', '[]'::json`,
    joins: sql`left join impacts i on i.partnership_id = k.id`,
  },
  pause: {
    columns: sql`'pause', o.pause`,
    without: sql`'pause', null`,
    joins: sql`left join open_pauses o on o.partnership_id = k.id`,
  },
  seats: {
    columns: sql`'side', p.side, 'sides', coalesce(p.sides, '{}'), 'unmanaged', coalesce(p.unmanaged, '{}')`,
    without: sql`'side', null, 'sides', '[]'::json, 'unmanaged', '[]'::json`,
    joins: sql`left join seats p on p.partnership_id = k.id`,
  },
  succession: {
    columns: sql`'has_successor', n.partnership_id is not null`,
    without: sql`'has_successor', false`,
    joins: sql`left join succeeded n on n.partnership_id = k.id`,
  },
}

const statementOf = (asked: readonly Part[]) => sql<{ id: string; body: string }>`
  with ${figures}, ${values}, ${standing}, ${judged}
  select k.id, json_build_object('id', k.id, 'name', r.name, 'reference', r.reference, 'as_of', k.t, 'status', h.status,
    'starts_on', r.starts_on, 'ends_on', case when d.partnership_id is null then r.ends_on else d.ends_on end,
    'basis', k.basis, 'currency', k.currency,
    ${sql.join(parts.map((part) => columnsOf[part][asked.includes(part) ? 'columns' : 'without']))})::text as body
  from asked k
  join partnerships r on r.tenant_id = ${tenantParam} and r.id = k.id
  left join history h on h.partnership_id = k.id
  left join days d on d.partnership_id = k.id
  ${sql.join(
    asked.map((part) => columnsOf[part].joins),
    sql` `,
  )}`

// A page has one plan, by way of indexes. Of thousands whole tables are read: it takes longer to find that plan than to
// reckon a page, and as little of what such a portfolio takes.
const ofPage = prepare<{ id: string; body: string }>(statementOf(parts))
const pageMax = 200

/** True where the facts of so many partnerships are read with every part, whatever is asked for. */
export const isReadWhole = (count: number, asked: readonly Part[]): boolean =>
  count <= pageMax || asked.length === parts.length

/** By the parts that are asked for: as many as are asked for together. */
const ofMany = new Map<string, ReturnType<typeof prepare<{ id: string; body: string }>>>()
function statementForMany(asked: readonly Part[]) {
  const key = asked.join()
  const known = ofMany.get(key)
  if (known) return known
  const made = prepare<{ id: string; body: string }>(statementOf(asked), { isPlannedEachTime: true })
  ofMany.set(key, made)
  return made
}

/**
 * The facts of partnerships, in the order of their ids here; `values` say of whose portfolio, and as of when.
 * @param asked the parts that are needed of many; the others are then as if there were nothing
 */
export async function factsOf(
  tx: ReadTx,
  ids: readonly string[],
  values: Readonly<Record<string, unknown>>,
  asked: readonly Part[] = parts,
): Promise<Facts[]> {
  if (ids.length === 0) return []
  const rows = await (ids.length > pageMax ? statementForMany(asked) : ofPage).run(tx, { ...values, ids })
  const found = new Map(rows.map(({ id, body }) => [id, body]))
  // What was there a moment ago may be gone: a draft that was deleted.
  return ids.flatMap((id) => {
    const body = found.get(id)
    return body === undefined ? [] : [JSON.parse(body) as Facts]
  })
}
