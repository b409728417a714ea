import { type RawBuilder, sql } from 'kysely'
import { commitmentRows, deliveredValued, isDue, valued } from './store.ts'

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

/** The sums of one side. */
export type SideSums = { side: string } & Record<keyof typeof counts, number> & Record<keyof typeof amounts, string>

/** The sums of one side as they travel: counts, then amounts, in their order. Names would cost more than the figures. */
export type SideRow = [side: string, ...sums: (number | string)[]]

const names = [...Object.keys(counts), ...Object.keys(amounts)]
const nothing = names.map((name) => (name in counts ? 0 : '0'))

/** The sums of sides by their names; one without a commitment has none that travel, and zeros. */
export const sumsOfSides = (sides: readonly string[], rows: readonly SideRow[]): SideSums[] =>
  sides.map((side) => {
    const [, ...sums] = rows.find(([name]) => name === side) ?? [side, ...nothing]
    return { side, ...Object.fromEntries(names.map((name, at) => [name, sums[at]])) } as SideSums
  })

/** The sides of the partnership `r`, in the order of the domain. */
export const sidesOf = sql<string[]>`array(
  select p.side from partnership_parties p where p.tenant_id = r.tenant_id and p.partnership_id = r.id group by p.side
  order by array_position(array['company', 'non_profit', 'public', 'other'], p.side))`

/** The sums of each side of the partnership `r` that has a commitment, as JSON. */
export const sideSums = sql<SideRow[]>`array(
  select json_build_array(m.side, ${sql.join([...Object.values(counts), ...Object.values(amounts)])})
  from (${commitmentRows}) m group by m.side)`
