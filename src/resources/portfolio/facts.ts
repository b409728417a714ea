import { type RawBuilder, sql } from 'kysely'
import type { ReadTx } from '../../db/database.ts'
import { compiler, param, prepare, tenantParam } from '../../db/prepared.ts'
import { commitmentRows, deliveredValued, isDue, questions, valued } from '../measures/read.ts'

/**
 * What a partnership's place in the portfolio of an organisation rests on, as of a day: of one partnership and of a page
 * alike, in one statement. All of it is dated: states by their history, undated columns by the days on which they
 * changed, so that an answer about a day is the answer that was given on that day.
 */

const organisation = sql<string>`${param('organisation_id')}::uuid`

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
  value: { side_sums: SideRow[]; sums: Sums }
  round: {
    evaluation_id: string
    closed_on: string
    cells: [code: string, side: string, score: string | null][]
  } | null
  /** The links that count, and those that counted on the day before the last of them was assessed. */
  fit: (Fit & { before: Fit | null }) | null
  evaluation_due_on: string | null
  impacts: OpenImpact[]
  pause: { id: string; commitment_id: string | null; expected_on: string } | null
  unmanaged: string[]
  has_successor: boolean
}

/** The state of a partnership, by its alias, on the day. */
export const statusOf = (alias: string) => sql`(
  select h.to_status from status_changes h
  where h.tenant_id = ${sql.ref(`${alias}.tenant_id`)} and h.resource_type = 'partnership'
    and h.resource_id = ${sql.ref(`${alias}.id`)} and h.changed_on <= k.t
  order by h.version desc limit 1)`

/** A row of days: the last by the day, or else the first there is. */
const onDay = (table: string, owner: string, id: RawBuilder<unknown>) => sql`(
  select b.* from ${sql.table(table)} b where b.tenant_id = r.tenant_id and ${sql.ref(`b.${owner}`)} = ${id}
  order by b.day <= k.t desc, case when b.day <= k.t then b.day end desc, b.day limit 1)`

/** What the partnership was on the day, as far as its own columns do not say since when they are so. */
const dayOfPartnership = sql`lateral (
  select case when d.day is null then r.ends_on else d.ends_on end as ends_on,
    coalesce(d.evaluation_interval, r.evaluation_interval)::interval as evaluation_interval,
    coalesce(d.managed, array(
      select m.party_id from partnership_managers m where m.tenant_id = r.tenant_id and m.partnership_id = r.id)) as managed
  from (select 1) one left join ${onDay('partnership_days', 'partnership_id', sql`r.id`)} d on true)`

/** Parties that take part on the day, by the alias `p`. */
const present = sql`(p.joined_on is null or p.joined_on <= k.t) and (p.left_on is null or p.left_on > k.t)`
const parties = sql`partnership_parties p where p.tenant_id = r.tenant_id and p.partnership_id = r.id and ${present}`

const count = (condition: RawBuilder<unknown>) => sql`count(*) filter (where ${condition})`
const sum = (value: RawBuilder<unknown>) => sql`coalesce(trim_scale(sum(${value})), 0)::text`

const sums = sql`lateral (
  with m as materialized (${commitmentRows})
  select array(
      select json_build_array(m.side, count(*), ${count(valued)}, ${count(deliveredValued)},
        ${sum(sql`m.stands * m.unit`)}, ${sum(sql`m.delivered_value`)})
      from m group by m.side) as side_sums,
    (select json_build_object('due', ${sum(sql`m.due * m.unit`)},
      'met', ${sum(sql`least(m.delivered, m.due) * m.unit`)}, 'promised_by', ${sum(sql`m.promised_by * m.unit`)},
      'kept', ${sum(sql`least(m.delivered, m.promised_by) * m.unit`)}, 'late', ${sum(sql`m.late * m.unit`)},
      'outstanding', ${sum(sql`m.outstanding * m.unit`)}, 'due_commitments', ${count(isDue)},
      'due_valued', ${count(sql`${isDue} and ${valued}`)}, 'open', ${count(sql`m.is_open`)},
      'open_valued', ${count(sql`m.is_open and ${valued}`)}) from m) as sums)`

/** The last round that was closed by the day, with its frozen scores. */
const round = sql<Facts['round']>`(
  select json_build_object('evaluation_id', e.id, 'closed_on', (e.closed_at at time zone r.time_zone)::date, 'cells',
    array(select json_build_array(o.code, o.side, trim_scale(o.score)::text) from evaluation_scores o
      where o.tenant_id = e.tenant_id and o.evaluation_id = e.id and o.level in ('overall', 'dimension')
      order by o.level desc, o.position, o.side))
  from evaluations e
  where e.tenant_id = r.tenant_id and e.partnership_id = r.id and e.status in ('closed', 'concluded')
    and (e.closed_at at time zone r.time_zone)::date <= k.t
  order by e.closed_at desc, e.id desc limit 1)`

/** The importance that an objective, by its alias, had on a day. */
export const importanceOn = (day: RawBuilder<unknown>, alias = 'o') => sql<number>`coalesce((
  select b.importance from objective_days b
  where b.tenant_id = ${sql.ref(`${alias}.tenant_id`)} and b.objective_id = ${sql.ref(`${alias}.id`)}
  order by b.day <= ${day} desc, case when b.day <= ${day} then b.day end desc, b.day limit 1),
  ${sql.ref(`${alias}.importance`)})`

/** True for an objective of the organisation that counts on a day. */
export const isActiveOn = (day: RawBuilder<unknown>, alias = 'o') =>
  sql<boolean>`(${sql.ref(`${alias}.organisation_id`)} = ${organisation} and ${sql.ref(`${alias}.active_from`)} <= ${day}
    and (${sql.ref(`${alias}.active_until`)} is null or ${sql.ref(`${alias}.active_until`)} >= ${day}))`

/** What the partnership contributes to the organisation's objectives by the links that count on a day; no row without one. */
const fitOn = (day: RawBuilder<unknown>) => sql`
  select max(w.importance * l.contribution) as best, count(*) filter (where l.contribution >= 2) as breadth,
    max(l.assessed_on) as assessed_on, (
      select max(${importanceOn(day)}) from objectives o where o.tenant_id = r.tenant_id and ${isActiveOn(day)}) as heaviest
  from objective_links l
  join objectives o on o.tenant_id = l.tenant_id and o.id = l.objective_id and ${isActiveOn(day)}
  cross join lateral (select ${importanceOn(day)} as importance) w
  where l.tenant_id = r.tenant_id and l.partnership_id = r.id and l.assessed_on <= ${day}
    and (l.superseded_on is null or l.superseded_on > ${day})
  having count(*) > 0`

const fit = sql<Facts['fit']>`(
  select json_build_object('best', f.best, 'heaviest', f.heaviest, 'breadth', f.breadth, 'assessed_on', f.assessed_on,
    'before', (select row_to_json(b) from (${fitOn(sql`f.assessed_on - 1`)}) b))
  from (${fitOn(sql`k.t`)}) f)`

/** The state on the day, and the day of the activation: the first there is where it was taken over in a later state. */
const history = sql`lateral (
  select (array_agg(h.to_status order by h.version desc))[1] as status,
    coalesce(min(h.changed_on) filter (where h.to_status = 'active'), min(h.changed_on)) as activated_on
  from status_changes h
  where h.tenant_id = r.tenant_id and h.resource_type = 'partnership' and h.resource_id = r.id and h.changed_on <= k.t)`

/** When a round is due: counted from the activation, or from the end of the period that the last concluded round judged. */
const evaluationDueOn = sql<string | null>`(greatest(s.activated_on, (
  select max(e.period_to) from evaluations e
  where e.tenant_id = r.tenant_id and e.partnership_id = r.id and e.status = 'concluded'
    and (e.concluded_at at time zone r.time_zone)::date <= k.t)) + d.evaluation_interval)::date`

/** The sides that take part on the day, those without a manager, and the side of the organisation. */
const seats = sql`lateral (
  select array_agg(g.side) as sides, coalesce(array_agg(g.side) filter (where not g.is_managed), '{}') as unmanaged,
    min(g.side) filter (where g.is_own) as side
  from (
    select p.side, bool_or(p.id = any(d.managed)) as is_managed, bool_or(p.organisation_id = ${organisation}) as is_own
    from ${parties} group by p.side
  ) g)`

const impacts = sql<OpenImpact[]>`array(
  select json_build_object('id', i.id, 'severity', coalesce(b.severity, i.severity),
    'response_due_on', case when b.day is null then i.response_due_on else b.response_due_on end)
  from disruption_impacts i
  left join lateral ${onDay('impact_days', 'impact_id', sql`i.id`)} b on true
  where i.tenant_id = r.tenant_id and i.partnership_id = r.id and i.assessed_on <= k.t
    and coalesce(b.response, i.response) <> 'none_needed' and (i.responded_on is null or i.responded_on > k.t)
  order by i.assessed_on, i.id)`

/** The open pause, of the partnership or of a commitment, that is to end first. */
const pause = sql<Facts['pause']>`(
  select json_build_object('id', b.id, 'commitment_id', b.commitment_id, 'expected_on', b.expected_on)
  from (select id, commitment_id, coalesce(planned_resume_on, review_on) as expected_on from pauses
    where tenant_id = r.tenant_id and partnership_id = r.id and starts_on <= k.t
      and (resumed_on is null or resumed_on > k.t)) b
  order by b.expected_on, b.id limit 1)`

const successor = sql<boolean>`exists (
  select from partnerships n where n.tenant_id = r.tenant_id and n.predecessor_id = r.id
    and ${statusOf('n')} in ('proposed', 'active', 'paused', 'ending'))`

/** The condition on `r`: a partnership in which the organisation takes part on the day, in one of the states asked for. */
export const inPortfolio = sql<boolean>`exists (
    select from ${parties} and p.organisation_id = ${organisation})
  and r.id in (select a.partnership_id from partnership_parties a
    where a.tenant_id = ${tenantParam} and a.organisation_id = ${organisation})
  and ${statusOf('r')} = any(coalesce(${param('status')}::text[], '{active,paused,ending}'))`

const view = compiler
  .selectFrom('partnerships as r')
  .innerJoin(questions.as('k'), (join) => join.onTrue())
  .innerJoin(dayOfPartnership.as('d'), (join) => join.onTrue())
  .innerJoin(history.as('s'), (join) => join.onTrue())
  .innerJoin(seats.as('p'), (join) => join.onTrue())
  .innerJoin(sums.as('value'), (join) => join.onTrue())
  .select([
    'r.id',
    'r.name',
    'r.reference',
    sql<string>`k.t`.as('as_of'),
    sql<string>`s.status`.as('status'),
    sql<string>`p.side`.as('side'),
    'r.starts_on',
    sql<string | null>`d.ends_on`.as('ends_on'),
    sql<string>`k.basis`.as('basis'),
    sql<string>`k.currency`.as('currency'),
    sql<string[]>`p.sides`.as('sides'),
    sql<Facts['value']>`row_to_json(value)`.as('value'),
    round.as('round'),
    fit.as('fit'),
    evaluationDueOn.as('evaluation_due_on'),
    impacts.as('impacts'),
    pause.as('pause'),
    sql<string[]>`p.unmanaged`.as('unmanaged'),
    successor.as('has_successor'),
  ])

const facts = prepare<{ id: string; body: string }>(sql`
  select v.id, row_to_json(v)::text as body
  from (${view
    .where(sql.ref('r.tenant_id'), '=', tenantParam)
    .where(sql<boolean>`r.id = any(${param<readonly string[]>('ids')}::uuid[])`)}) v`)

/** The facts of partnerships, in the order of their ids here; `values` say of whose portfolio, and as of when. */
export async function factsOf(
  tx: ReadTx,
  ids: readonly string[],
  values: Readonly<Record<string, unknown>>,
): Promise<Facts[]> {
  if (ids.length === 0) return []
  const rows = await facts.run(tx, { ...values, ids })
  const found = new Map(rows.map(({ id, body }) => [id, body]))
  // What was there a moment ago may be gone: a draft that was deleted.
  return ids.flatMap((id) => {
    const body = found.get(id)
    return body === undefined ? [] : [JSON.parse(body) as Facts]
  })
}
