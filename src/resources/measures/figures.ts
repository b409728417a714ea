import { type RawBuilder, sql } from 'kysely'
import { tenantParam } from '../../db/prepared.ts'
import { asked, closed, promised } from './store.ts'

/** When an instalment `i` was due or skipped, as it stood before the reversals after the day that is asked about. */
const heldAs = (day: 'due_on' | 'skipped_on') => sql`(
  select h.${sql.ref(day)} from jsonb_to_recordset(i.held) as h (until date, due_on date, skipped_on date)
  where h.until > c.t order by h.until limit 1
)`

/** The plan of the day of each commitment: what was due by it, and of what was skipped and replaced by then. */
const plans = sql`plans as materialized (
  select i.id, sum(i.measure) as planned,
    sum(i.net) filter (where i.skipped_on <= i.t) as skipped,
    sum(i.measure - i.net) as replaced,
    sum(i.net) filter (where i.due_on <= i.t) as due,
    sum(i.net) filter (where i.due_on < i.t) as due_before,
    sum(i.net) filter (where i.due_on <= i.late_on) as due_long_before,
    sum(i.net) filter (where i.due_on <= i.t and i.planned_on < i.closed_on) as due_at_close,
    sum(i.measure) filter (where i.due_on <= i.t) as promised_by,
    sum(i.net) filter (where i.planned_on is null) as undated,
    sum(i.measure) filter (where i.planned_on is null) as undated_promised,
    -- Numbers count on: where one is missing, another plan stood before.
    max(i.seq) > count(*) as is_replanned
  from (
    select c.id, c.t, c.late_on, c.closed_on, i.seq, i.measure, i.due_on as planned_on,
      i.measure - case when i.replaced = 0 then 0 else (
        select coalesce(sum(d.measure), 0) from instalment_reductions d
        where d.tenant_id = ${tenantParam} and d.commitment_id = i.commitment_id and d.seq = i.seq and d.reduced_on <= c.t
      ) end as net,
      case when c.t < i.held_until then ${heldAs('skipped_on')} else i.skipped_on end as skipped_on,
      -- Null where it is not due at all: see the instalments' own reckoning for what is held.
      case when c.t < i.held_until then ${heldAs('due_on')}
        when i.state <> 'skipped' and not i.is_suspended then i.due_on end as due_on
    from promised c
    join instalments i on i.tenant_id = ${tenantParam} and i.commitment_id = c.id and i.made_on <= c.t
      and (i.superseded_on is null or i.superseded_on > c.t)
    -- Reckoned once, not copied into each place that uses it.
    offset 0
  ) i
  group by i.id
)`

/** What had been promised on the day of a valuation `v`, or at first where it is older than the promise. */
const plannedWhenValued = sql`(
  select sum(o.measure) from instalments o
  cross join (
    select greatest(v.valued_on, min(f.made_on)) as day from instalments f
    where f.tenant_id = ${tenantParam} and f.commitment_id = v.commitment_id
  ) d
  where o.tenant_id = ${tenantParam} and o.commitment_id = v.commitment_id and o.made_on <= d.day
    and (o.superseded_on is null or o.superseded_on > d.day)
)`

/**
 * What one unit of a measure is worth, where it is not money in the currency asked for: by the latest valuation. A value
 * is of what was promised when it was given: with half of the evenings gone, each is worth what it was.
 */
const worths = sql`worths as materialized (
  select v.commitment_id as id,
    v.amount / nullif(case when i.is_replanned then ${plannedWhenValued} else i.planned end, 0) as unit
  from (
    select distinct on (v.commitment_id) v.commitment_id, v.amount, v.valued_on
    from promised c
    join commitment_valuations v on v.tenant_id = ${tenantParam} and v.commitment_id = c.id and v.basis = c.basis
      and v.currency = c.asked_currency and v.valued_on <= c.t
    where c.currency is distinct from c.asked_currency
    order by v.commitment_id, v.valued_on desc, array_position(array['independent', 'receiver', 'giver'], v.declared_by),
      v.position
  ) v
  join plans i on i.id = v.commitment_id
)`

/** Its own value of a delivery `f`, on the basis and in the currency asked for. */
const ownValue = sql`case when f.valuations <> '[]' then (
  select (o.value -> 'money' ->> 'amount')::numeric
  from jsonb_array_elements(f.valuations) with ordinality as o (value, ordinality)
  where o.value ->> 'basis' = c.basis and o.value -> 'money' ->> 'currency' = c.asked_currency
    and (o.value ->> 'valued_on')::date <= c.t
  order by o.value ->> 'valued_on' desc,
    array_position(array['independent', 'receiver', 'giver'], o.value ->> 'declared_by'), o.ordinality
  limit 1
) end`

/** What was confirmed by the day and not taken back by it, with what carries a value of its own apart. */
const deliveries = sql`deliveries as materialized (
  select e.id, sum(e.magnitude) as delivered, count(*) as entries, sum(e.own) as own,
    sum(e.magnitude) filter (where e.own is null) as rest
  from (
    select c.id, coalesce(f.amount, f.quantity) as magnitude, ${ownValue} as own
    from promised c
    join fulfilments f on f.tenant_id = ${tenantParam} and f.commitment_id = c.id and f.reversal_of is null
      and f.confirmation = 'confirmed' and greatest(f.delivered_on, f.decided_on) <= c.t
    left join fulfilments b on b.tenant_id = ${tenantParam} and b.reversal_of = f.id
      and (b.created_at at time zone c.time_zone)::date <= c.t
    where b.id is null
    offset 0
  ) e
  group by e.id
)`

/** What was planned less what is not owed any more. */
const net = sql`(i.planned - i.replaced - coalesce(i.skipped, 0))`
const zero = (value: RawBuilder<unknown>) => sql`coalesce(${value}, 0)`

/**
 * `figures`: a row for each commitment that was agreed by the day, in its own unit, with all that it is made of; to stand
 * in a `with`, after `asked`. `unit` is what one of that is worth: 1 for money in the currency asked for, null where nobody valued it.
 * `stands`: what is promised still; of what is closed, what was delivered. `due` takes out what a closing voided, and
 * `promised_by` does not. What has no due date falls due when it comes to an end. What another system had fulfilled
 * before it was taken over counts as delivered.
 */
export const figuresOfAsked = sql`${promised}, ${plans}, ${worths}, ${deliveries},
figures as materialized (
  select c.id, c.partnership_id, c.from_party_id, c.to_party_id, c.agreed_on, c.reciprocity, c.status, m.unit,
    ${zero(sql`l.entries`)} as entries, l.rest is not null as is_part_unvalued,
    case when y.is_closed then least(y.delivered, y.net) else y.net end as stands,
    y.delivered,
    case when y.is_taken then y.delivered * m.unit when m.unit is null then l.own
      when l.entries > 0 then ${zero(sql`l.own`)} + ${zero(sql`l.rest`)} * m.unit end as delivered_value,
    case when y.is_closed then greatest(${zero(sql`i.due_at_close`)}, least(y.delivered, y.due + y.undated))
      when c.status = 'fulfilled' then y.due + y.undated else y.due end as due,
    case when y.is_closed or c.status = 'fulfilled' then ${zero(sql`i.promised_by`)} + ${zero(sql`i.undated_promised`)}
      else ${zero(sql`i.promised_by`)} end as promised_by,
    case when y.is_live then greatest(${zero(sql`i.due_before`)} - y.delivered, 0) else 0 end as overdue,
    case when y.is_live then greatest(${zero(sql`i.due_long_before`)} - y.delivered, 0) else 0 end as late,
    y.is_open, case when y.is_open then greatest(y.net - y.delivered, 0) else 0 end as outstanding,
    y.is_live and y.undated > 0 as is_undated, y.is_taken, y.net, ${zero(sql`i.planned`)} as planned,
    ${zero(sql`i.skipped`)} as skipped, ${zero(sql`i.replaced`)} as replaced, y.is_closed
  from promised c
  left join plans i on i.id = c.id
  left join worths w on w.id = c.id
  left join deliveries l on l.id = c.id
  cross join lateral (
    select case when c.currency = c.asked_currency then 1 else w.unit end as unit,
      c.status = 'fulfilled' and c.began_fulfilled and l.entries is null as is_taken
    offset 0
  ) m
  cross join lateral (
    select c.status = any(${closed}::text[]) as is_closed, c.status in ('agreed', 'paused') as is_live,
      c.status in ('agreed', 'paused', 'lapsed') as is_open, coalesce(m.is_taken, false) as is_taken,
      ${zero(net)} as net, case when m.is_taken then ${zero(net)} else ${zero(sql`l.delivered`)} end as delivered,
      ${zero(sql`i.due`)} as due, ${zero(sql`i.undated`)} as undated
    offset 0
  ) y
)`

/** The same of the partnerships that are asked for by their ids. */
export const figures = sql`${asked}, ${figuresOfAsked}`

export const valued = sql`m.unit is not null`
export const deliveredValued = sql`(m.unit is not null or (m.entries > 0 and not m.is_part_unvalued))`
// What was due or promised by the day: closed and undated promises are, even those of which nothing is due.
export const isDue = sql`m.promised_by > 0`
