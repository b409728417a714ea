import { type RawBuilder, sql } from 'kysely'
import { tenantParam } from '../../db/prepared.ts'
import { deliveredValued, isDue, valued } from './figures.ts'

// What the sides of a partnership come to: summed up in the statement, told by name here.

const inReturn = sql`m.reciprocity = 'in_return'`
const count = (condition: RawBuilder<unknown>) => sql`count(*) filter (where ${condition})`
const sum = (value: RawBuilder<unknown>, condition = sql`true`) =>
  sql`coalesce(trim_scale(sum(${value}) filter (where ${condition})), 0)::text`

/** How many commitments of a side there are of each kind. */
const counts = {
  commitments: sql`count(*)`,
  valued: count(valued),
  delivered_valued: count(deliveredValued),
  in_return: count(inReturn),
  in_return_valued: count(sql`${inReturn} and ${valued}`),
  in_return_delivered_valued: count(sql`${inReturn} and ${deliveredValued}`),
  due_commitments: count(isDue),
  due_valued: count(sql`${isDue} and ${valued}`),
  undated: count(sql`m.is_undated`),
  taken_over_as_fulfilled: count(sql`m.is_taken`),
} as const

/** What they come to: decimals as text. */
const amounts = {
  promised: sum(sql`m.stands * m.unit`),
  delivered: sum(sql`m.delivered_value`),
  in_return_promised: sum(sql`m.stands * m.unit`, inReturn),
  in_return_delivered: sum(sql`m.delivered_value`, inReturn),
  due: sum(sql`m.due * m.unit`),
  met: sum(sql`least(m.delivered, m.due) * m.unit`),
  promised_by: sum(sql`m.promised_by * m.unit`),
  kept: sum(sql`least(m.delivered, m.promised_by) * m.unit`),
  overdue: sum(sql`m.overdue * m.unit`),
} as const

type Count = keyof typeof counts
type Amount = keyof typeof amounts

/** The sums of one side as they travel: counts, then amounts, in their order. Names would cost more than the figures. */
export type SideSums = readonly [side: string, ...sums: (number | string)[]]

const names = [...Object.keys(counts), ...Object.keys(amounts)]
const places = Object.fromEntries(names.map((name, at) => [name, at + 1])) as Record<Count | Amount, number>
const nothing = names.map((name) => (name in counts ? 0 : '0'))

export const countOf = (sums: SideSums, name: Count) => sums[places[name]] as number
export const amountOf = (sums: SideSums, name: Amount) => sums[places[name]] as string

/** The sums of sides in their order; one without a commitment has none that travel, and zeros. */
export const sumsOfSides = (sides: readonly string[], rows: readonly SideSums[]): SideSums[] =>
  sides.map((side) => rows.find(([name]) => name === side) ?? [side, ...nothing])

const all = sql.join([...Object.values(counts), ...Object.values(amounts)])

/** `side_sums`, in a `with` after the figures: of each partnership the sums of each side that has a commitment, as JSON. */
export const sideSums = sql`side_sums as materialized (
  select s.partnership_id, json_agg(s.sums) as sums
  from (
    select m.partnership_id, json_build_array(p.side, ${all}) as sums
    from figures m
    join partnership_parties p on p.tenant_id = ${tenantParam} and p.id = m.from_party_id
    group by m.partnership_id, p.side
  ) s
  group by s.partnership_id
)`

/** `sides`, in a `with`: the sides of each partnership, in the order of the domain. */
export const sides = sql`sides as materialized (
  select p.partnership_id,
    array_agg(p.side order by array_position(array['company', 'non_profit', 'public', 'other'], p.side)) as sides
  from (
    select distinct q.partnership_id, q.side
    from asked k join partnership_parties q on q.tenant_id = ${tenantParam} and q.partnership_id = k.id
  ) p
  group by p.partnership_id
)`
