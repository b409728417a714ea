import { type RawBuilder, sql } from 'kysely'
import { tenantParam } from '../../db/prepared.ts'
import { byDay, organisation } from './standing.ts'

/** What partnerships contribute to objectives, and what was said of them in rounds, as parts of a `with` after `asked`. */

/** The importance that an objective, by its alias, had on a day. */
export const importanceOn = (day: RawBuilder<unknown>, alias = 'o') => sql<number>`coalesce((
  select b.importance from objective_days b
  where b.tenant_id = ${sql.ref(`${alias}.tenant_id`)} and b.objective_id = ${sql.ref(`${alias}.id`)}
  order by ${byDay(day)} limit 1),
  ${sql.ref(`${alias}.importance`)})`

/** True for an objective of the organisation that counts on a day. */
export const isActiveOn = (day: RawBuilder<unknown>, alias = 'o') =>
  sql<boolean>`(${sql.ref(`${alias}.organisation_id`)} = ${organisation} and ${sql.ref(`${alias}.active_from`)} <= ${day}
    and (${sql.ref(`${alias}.active_until`)} is null or ${sql.ref(`${alias}.active_until`)} >= ${day}))`

/** The objectives of the organisation with their importance from day to day; the first that is known counts before it too. */
const weights = sql`weights as materialized (
  select o.id, o.active_from, coalesce(o.active_until, 'infinity') as active_until, b.importance, b.first_day, b.next_day
  from objectives o
  cross join lateral (
    select d.importance, case when row_number() over days = 1 then '-infinity' else d.day end as first_day,
      coalesce(lead(d.day) over days, 'infinity') as next_day
    from objective_days d where d.tenant_id = ${tenantParam} and d.objective_id = o.id window days as (order by d.day)
    union all
    select o.importance, '-infinity', 'infinity' where not exists (
      select from objective_days d where d.tenant_id = ${tenantParam} and d.objective_id = o.id)
  ) b
  where o.tenant_id = ${tenantParam} and o.organisation_id = ${organisation}
)`

const links = sql`links as materialized (
  select l.partnership_id, l.objective_id, l.contribution, l.assessed_on,
    coalesce(l.superseded_on, 'infinity') as superseded_on, k.t
  from asked k
  join objective_links l on l.tenant_id = ${tenantParam} and l.partnership_id = k.id and l.assessed_on <= k.t
)`

/** True for an objective that counts on a day, with the importance that it had then. */
const weighs = (day: RawBuilder<unknown>) => sql`w.active_from <= ${day} and w.active_until >= ${day}
  and w.first_day <= ${day} and w.next_day > ${day}`

/** What the links that count on a day come to. */
const sums = sql`max(w.importance * l.contribution) as best, count(*) filter (where l.contribution >= 2) as breadth,
  max(l.assessed_on) as assessed_on`

/** By the links that count on the day. */
const fits = sql`fits as materialized (
  select l.partnership_id, l.t, ${sums}
  from links l join weights w on w.id = l.objective_id and ${weighs(sql`l.t`)}
  where l.superseded_on > l.t
  group by l.partnership_id, l.t
)`

/** By those that counted on the day before the last of them was assessed. */
const formerFits = sql`former_fits as materialized (
  select f.partnership_id, f.day, ${sums}
  from (select partnership_id, assessed_on - 1 as day from fits) f
  join links l on l.partnership_id = f.partnership_id and l.assessed_on <= f.day and l.superseded_on > f.day
  join weights w on w.id = l.objective_id and ${weighs(sql`f.day`)}
  group by f.partnership_id, f.day
)`

/** The greatest importance of all objectives that count on a day. */
const heaviest = sql`heaviest as materialized (
  select d.day, max(w.importance) as importance
  from (select t as day from fits union select assessed_on - 1 from fits) d
  join weights w on ${weighs(sql`d.day`)}
  group by d.day
)`

const strategy = sql`strategy as materialized (
  select f.partnership_id, json_build_object('best', f.best, 'heaviest', h.importance, 'breadth', f.breadth,
    'assessed_on', f.assessed_on, 'before', case when b.partnership_id is not null then json_build_object(
      'best', b.best, 'heaviest', g.importance, 'breadth', b.breadth, 'assessed_on', b.assessed_on) end) as fit
  from fits f
  join heaviest h on h.day = f.t
  left join former_fits b on b.partnership_id = f.partnership_id
  left join heaviest g on g.day = b.day
)`

/** The last round that was closed by the day, with its frozen scores. */
const rounds = sql`last_rounds as materialized (
  select distinct on (e.partnership_id) e.partnership_id, e.id, (e.closed_at at time zone k.time_zone)::date as closed_on
  from asked k
  join evaluations e on e.tenant_id = ${tenantParam} and e.partnership_id = k.id and e.status in ('closed', 'concluded')
    and (e.closed_at at time zone k.time_zone)::date <= k.t
  order by e.partnership_id, e.closed_at desc, e.id desc
), cells as materialized (
  select o.evaluation_id, json_agg(json_build_array(o.code, o.side, trim_scale(o.score)::text)
    order by o.level desc, o.position, o.side) as cells
  from last_rounds e
  join evaluation_scores o on o.tenant_id = ${tenantParam} and o.evaluation_id = e.id
    and o.level in ('overall', 'dimension')
  group by o.evaluation_id
), judged as materialized (
  select e.partnership_id, json_build_object('evaluation_id', e.id, 'closed_on', e.closed_on, 'cells',
    coalesce(c.cells, '[]')) as round
  from last_rounds e left join cells c on c.evaluation_id = e.id
)`

/** The end of the last period that a concluded round judged. */
const concluded = sql`concluded as materialized (
  select e.partnership_id, max(e.period_to) as period_to
  from asked k
  join evaluations e on e.tenant_id = ${tenantParam} and e.partnership_id = k.id and e.status = 'concluded'
    and (e.concluded_at at time zone k.time_zone)::date <= k.t
  group by e.partnership_id
)`

export const judged = sql`${weights}, ${links}, ${fits}, ${formerFits}, ${heaviest}, ${strategy}, ${rounds}, ${concluded}`
