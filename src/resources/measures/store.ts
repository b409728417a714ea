import { sql } from 'kysely'
import { param, tenantParam } from '../../db/prepared.ts'

/**
 * What the measures are reckoned of, as parts of a `with`: `asked`, the partnerships with the day, basis and currency of
 * the question, and `promised`, what of their commitments was agreed by that day. All rests on dated facts: the last
 * state that a commitment had by the day, the plan of the day, what was confirmed and not reversed by it.
 *
 * Sets are reckoned, not rows: one statement serves one partnership, a page of 50 by way of indexes, and a portfolio of
 * 10,000 by way of hashes. With a sub-select for each row the first two took half as long again, and the last ten
 * seconds.
 */

/** The day that is asked about: today, where the partnership is, when none is given. */
const asOf = sql<string>`coalesce(${param('as_of')}::date,
  (${param('now')}::timestamptz at time zone r.time_zone)::date)`

/** The base currency of the partnership on the day `d.t`. */
const baseCurrency = sql`coalesce((
  select v.terms ->> 'base_currency' from term_versions v
  where v.tenant_id = ${tenantParam} and v.resource_type = 'partnership' and v.resource_id = r.id and v.valid_from <= d.t
  order by v.number desc limit 1), r.base_currency)`

/**
 * The partnerships by the parameter `ids`. What was due by `late_on` is late by the day `t`.
 * Its values: `as_of` or else `now`, and where they are not the usual ones `basis`, `currency` and `late_days`.
 */
export const asked = sql`asked as materialized (
  select r.id, r.time_zone, d.t, d.t - coalesce(${param('late_days')}::integer, 30) - 1 as late_on,
    coalesce(${param('basis')}::text, 'fair_value') as basis,
    coalesce(${param('currency')}::text, ${baseCurrency}) as currency
  from partnerships r
  cross join lateral (select ${asOf} as t) d
  where r.tenant_id = ${tenantParam} and r.id = any(${param('ids')}::uuid[])
)`

export const closed = sql.lit('{lapsed,released,cancelled,substituted}')
const agreed = sql.lit('{agreed,paused,fulfilled,lapsed,released,cancelled,substituted}')

const steps = (alias: string) => {
  const of = (column: string) => sql.ref(`${alias}.${column}`)
  return sql`${of('tenant_id')} = ${tenantParam} and ${of('resource_type')} = 'commitment' and ${of('resource_id')} = c.id
    and ${of('changed_on')} <= k.t`
}

/** The state of the commitment `c` on the day `k.t`. */
export const stateThen = sql<string | null>`coalesce(
  (select h.to_status from status_changes h where ${steps('h')} order by h.version desc limit 1),
  case when c.agreed_on <= k.t then 'agreed' end)`

/** Since when it was closed: since the first closing step that no other followed. */
const closedThen = sql`case when z.status = any(${closed}::text[]) then (
  select min(h.changed_on) from status_changes h where ${steps('h')} and h.version > coalesce((
    select max(o.version) from status_changes o where ${steps('o')} and o.to_status <> all(${closed}::text[])), 0)) end`

/** Whether it is given in return, by the terms of the day. */
const reciprocityThen = sql`case when c.is_amended then coalesce((
  select v.terms ->> 'reciprocity' from term_versions v
  where v.tenant_id = ${tenantParam} and v.resource_type = 'commitment' and v.resource_id = c.id and v.valid_from <= k.t
  order by v.number desc limit 1), c.reciprocity) else c.reciprocity end`

/**
 * What was agreed by the day. What has not changed since the day before is as its row says: no step is dated later than
 * the day on which it was written, somewhere on earth. But for pauses, which may begin on a day to come: here what is
 * paused and what is agreed counts alike.
 * A case has no statistics, so half of the rows are expected to pass: about as many as do.
 */
export const promised = sql`promised as materialized (
  select c.id, c.partnership_id, c.from_party_id, c.to_party_id, c.currency, c.agreed_on,
    c.taken_over ->> 'status' = 'fulfilled' as began_fulfilled, z.status, ${closedThen} as closed_on,
    ${reciprocityThen} as reciprocity, k.t, k.late_on, k.basis, k.currency as asked_currency, k.time_zone
  from asked k
  join commitments c on c.tenant_id = ${tenantParam} and c.partnership_id = k.id
    and c.status not in ('draft', 'proposed', 'declined')
  cross join lateral (
    select case when c.updated_at < k.t - 1 and c.taken_over is null then c.status else ${stateThen} end as status
    offset 0
  ) z
  where case when z.status = any(${agreed}::text[]) then true else false end
)`
