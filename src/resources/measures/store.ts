import { type RawBuilder, sql } from 'kysely'
import type { Static } from 'typebox'
import { param } from '../../db/prepared.ts'
import type { PerceivedReciprocity } from './schemas.ts'

/**
 * The sums behind the measures, of the partnership `r`, as of a day, on one basis and in one currency: a statement for
 * one partnership and for a page of them alike. `offset 0` keeps Postgres from copying what was reckoned once into each
 * place that uses it: without it a page of 50 took twice as long. All rests on dated facts: the last state that a commitment had by that
 * day, the plan of that day, what was confirmed and not reversed by it.
 */

/** The day that is asked about: today, where the partnership is, when none is given. */
const asOf = sql<string>`coalesce(${param('as_of')}::date,
  (${param('now')}::timestamptz at time zone r.time_zone)::date)`

const basis = sql<string>`coalesce(${param('basis')}::text, 'fair_value')`

/** The base currency of the partnership on the day `d.t`. */
const baseCurrency = sql`coalesce((
  select v.terms ->> 'base_currency' from term_versions v
  where v.tenant_id = r.tenant_id and v.resource_type = 'partnership' and v.resource_id = r.id and v.valid_from <= d.t
  order by v.number desc limit 1), r.base_currency)`

/** Whether it is given in return, by the terms of the day. */
export const reciprocityThen = sql`case when c.is_amended then coalesce((
  select v.terms ->> 'reciprocity' from term_versions v
  where v.tenant_id = c.tenant_id and v.resource_type = 'commitment' and v.resource_id = c.id and v.valid_from <= k.t
  order by v.number desc limit 1), c.reciprocity) else c.reciprocity end`

const closed = sql.lit('{lapsed,released,cancelled,substituted}')
export const agreed = sql.lit('{agreed,paused,fulfilled,lapsed,released,cancelled,substituted}')

const steps = (alias: string) => {
  const of = (column: string) => sql.ref(`${alias}.${column}`)
  return sql`${of('tenant_id')} = c.tenant_id and ${of('resource_type')} = 'commitment' and ${of('resource_id')} = c.id
    and ${of('changed_on')} <= k.t`
}

/**
 * The state on the day, and since when it was closed: since the first closing step that no other followed. Only what is
 * closed needs the look at more than the last step.
 */
export const state = sql`lateral (
  select coalesce(z.to_status, case when c.agreed_on <= k.t then 'agreed' end) as status,
    case when z.to_status = any(${closed}::text[]) then (
      select min(h.changed_on) from status_changes h where ${steps('h')} and h.version > coalesce((
        select max(o.version) from status_changes o where ${steps('o')} and o.to_status <> all(${closed}::text[])), 0)
    ) end as closed_on
  from (
    select (select h.to_status from status_changes h where ${steps('h')} order by h.version desc limit 1) as to_status
    offset 0
  ) z
  offset 0
)`

/** True where an instalment was due by a day: see the instalments' own reckoning for what is held. */
const dueBy = (day: RawBuilder<unknown>) => sql`case when k.t < i.held_until then i.held_due_on <= ${day}
  else i.state <> 'skipped' and not i.is_suspended and i.due_on <= ${day} end`

export const plan = sql`lateral (
  select coalesce(sum(i.measure), 0) as planned,
    coalesce(sum(x.net) filter (where i.state = 'skipped' and i.due_on <= k.t
      and (i.held_until is null or k.t >= i.held_until)), 0) as skipped,
    coalesce(sum(i.measure - x.net), 0) as replaced,
    coalesce(sum(x.net) filter (where ${dueBy(sql`k.t`)}), 0) as due,
    coalesce(sum(x.net) filter (where ${dueBy(sql`k.t - 1`)}), 0) as due_before,
    coalesce(sum(x.net) filter (where ${dueBy(sql`k.late_on`)}), 0) as due_long_before,
    coalesce(sum(x.net) filter (where ${dueBy(sql`k.t`)} and i.due_on < s.closed_on), 0) as due_at_close,
    coalesce(sum(i.measure) filter (where ${dueBy(sql`k.t`)}), 0) as promised_by,
    coalesce(sum(x.net) filter (where i.due_on is null), 0) as undated,
    coalesce(sum(i.measure) filter (where i.due_on is null), 0) as undated_promised,
    -- Numbers count on: where one is missing, another plan stood before.
    max(i.seq) > count(*) as is_replanned
  from instalments i
  cross join lateral (
    select i.measure - case when i.replaced = 0 then 0 else (
      select coalesce(sum(d.measure), 0) from instalment_reductions d
      where d.tenant_id = i.tenant_id and d.commitment_id = i.commitment_id and d.seq = i.seq and d.reduced_on <= k.t
    ) end as net
  ) x
  where i.tenant_id = c.tenant_id and i.commitment_id = c.id and i.made_on <= k.t
    and (i.superseded_on is null or i.superseded_on > k.t)
)`

/** What had been promised on the day of a valuation `v`, or at first where it is older than the promise. */
const plannedWhenValued = sql`(
  select sum(o.measure) from instalments o
  cross join (
    select greatest(v.valued_on, min(f.made_on)) as day from instalments f
    where f.tenant_id = c.tenant_id and f.commitment_id = c.id
  ) d
  where o.tenant_id = c.tenant_id and o.commitment_id = c.id and o.made_on <= d.day
    and (o.superseded_on is null or o.superseded_on > d.day)
)`

/**
 * What one unit of the measure is worth; 1 for money in the currency asked for, unknown where nobody valued it. A value
 * is of what was promised when it was given: with half of the evenings gone, each is worth what it was.
 */
export const worth = sql`lateral (
  select case when c.currency = k.currency then 1 else (
    select v.amount / nullif(case when i.is_replanned then ${plannedWhenValued} else i.planned end, 0)
    from commitment_valuations v
    where v.tenant_id = c.tenant_id and v.commitment_id = c.id and v.basis = k.basis and v.currency = k.currency
      and v.valued_on <= k.t
    order by v.valued_on desc, array_position(array['independent', 'receiver', 'giver'], v.declared_by), v.position
    limit 1
  ) end as unit
  offset 0
)`

/** What was confirmed by the day and not taken back by it; each at its own valuation, or else at the commitment's. */
const ledger = sql`lateral (
  select coalesce(sum(e.magnitude), 0) as delivered, sum(coalesce(e.own, e.magnitude * w.unit)) as value,
    count(*) as entries, count(*) filter (where e.own is null and w.unit is null) as unvalued
  from (
    select coalesce(f.amount, f.quantity) as magnitude,
      case when f.valuations <> '[]' then (
        select (o.value -> 'money' ->> 'amount')::numeric from jsonb_array_elements(f.valuations) with ordinality as o (value, ordinality)
        where o.value ->> 'basis' = k.basis and o.value -> 'money' ->> 'currency' = k.currency
          and (o.value ->> 'valued_on')::date <= k.t
        order by o.value ->> 'valued_on' desc,
          array_position(array['independent', 'receiver', 'giver'], o.value ->> 'declared_by'), o.ordinality
        limit 1
      ) end as own
    from fulfilments f
    where f.tenant_id = c.tenant_id and f.commitment_id = c.id and f.reversal_of is null
      and f.confirmation = 'confirmed' and greatest(f.delivered_on, f.decided_on) <= k.t
      and not exists (
        select from fulfilments b where b.tenant_id = f.tenant_id and b.reversal_of = f.id
          and (b.created_at at time zone r.time_zone)::date <= k.t)
  ) e
)`

/**
 * One row for each commitment of `r` that was agreed by the day `k.t`, in its own unit.
 * `stands`: what is promised still; of what is closed, what was delivered. `due` takes out what a closing voided, and
 * `promised_by` does not. What has no due date falls due when it comes to an end. What another system had fulfilled
 * before it was taken over counts as delivered.
 */
export const commitmentRows = sql`
  select c.id, q.side, ${reciprocityThen} as reciprocity, w.unit, s.status, l.entries, l.unvalued,
    case when y.is_closed then least(y.delivered, i.planned - i.replaced - i.skipped)
      else i.planned - i.replaced - i.skipped end as stands,
    y.delivered, case when y.is_taken then y.delivered * w.unit else l.value end as delivered_value,
    case when y.is_closed then greatest(i.due_at_close, least(y.delivered, i.due + i.undated))
      when s.status = 'fulfilled' then i.due + i.undated else i.due end as due,
    case when y.is_closed or s.status = 'fulfilled' then i.promised_by + i.undated_promised else i.promised_by end
      as promised_by,
    case when s.status in ('agreed', 'paused') then greatest(i.due_before - y.delivered, 0) else 0 end as overdue,
    case when s.status in ('agreed', 'paused') then greatest(i.due_long_before - y.delivered, 0) else 0 end as late,
    s.status in ('agreed', 'paused', 'lapsed') as is_open,
    case when s.status in ('agreed', 'paused', 'lapsed')
      then greatest(i.planned - i.replaced - i.skipped - y.delivered, 0) else 0 end as outstanding,
    s.status in ('agreed', 'paused') and i.undated > 0 as is_undated, y.is_taken,
    i.planned, i.skipped, i.replaced, y.is_closed
  from commitments c
  join partnership_parties q on q.tenant_id = c.tenant_id and q.id = c.from_party_id
  cross join ${state} s
  cross join ${plan} i
  cross join ${worth} w
  cross join ${ledger} l
  cross join lateral (
    select s.status = any(${closed}::text[]) as is_closed, z.is_taken,
      case when z.is_taken then i.planned - i.replaced - i.skipped else l.delivered end as delivered
    from (
      select s.status = 'fulfilled' and c.taken_over ->> 'status' = 'fulfilled' and l.entries = 0 as is_taken
    ) z
  ) y
  where c.tenant_id = r.tenant_id and c.partnership_id = r.id and s.status = any(${agreed}::text[])`

export const valued = sql`m.unit is not null`
export const deliveredValued = sql`(m.unit is not null or (m.entries > 0 and m.unvalued = 0))`
// What was due or promised by the day: closed and undated promises are, even those of which nothing is due.
export const isDue = sql`m.promised_by > 0`

/** What sums need to know, by the alias `k`: the day, basis and currency; what was due by `late_on` is late by then. */
export const questions = sql<{ t: string; basis: string; currency: string }>`lateral (
  select d.t, d.t - coalesce(${param('late_days')}::integer, 30) - 1 as late_on, ${basis} as basis,
    coalesce(${param('currency')}::text, ${baseCurrency}) as currency
  from (select ${asOf} as t) d
  offset 0
)`

/** What both sides say of the reciprocity: the last round closed by the day that asked for it. */
export const perceived = sql<Static<typeof PerceivedReciprocity> | null>`(
  select json_build_object('evaluation_id', e.id, 'closed_on', (e.closed_at at time zone r.time_zone)::date, 'sides', (
    select json_agg(json_build_object('side', o.side, 'score', trim_scale(o.score)::text)
      order by array_position(array['company', 'non_profit', 'public', 'other'], o.side))
    from evaluation_scores o
    where o.tenant_id = e.tenant_id and o.evaluation_id = e.id and o.level = 'dimension' and o.code = 'reciprocity'))
  from evaluations e
  where e.tenant_id = r.tenant_id and e.partnership_id = r.id and e.status in ('closed', 'concluded')
    and (e.closed_at at time zone r.time_zone)::date <= k.t
    and exists (
      select from evaluation_scores o where o.tenant_id = e.tenant_id and o.evaluation_id = e.id
        and o.level = 'dimension' and o.code = 'reciprocity')
  order by e.closed_at desc, e.id desc limit 1
)`
