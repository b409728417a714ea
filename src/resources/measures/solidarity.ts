import { sql } from 'kysely'
import type { Static } from 'typebox'
import { ratioOf, rounded, sumOf } from '../../core/measures.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import { figures } from './figures.ts'
import type { Solidarity } from './schemas.ts'

const firstDay = sql`coalesce(${param('from')}::date, r.starts_on, (r.created_at at time zone r.time_zone)::date)`
const lastDay = sql`least(coalesce(${param('to')}::date, k.t), k.t)`
const isInside = (day: ReturnType<typeof sql.ref>) => sql`${day} >= k.first_day and ${day} <= k.last_day`

/** True for a delivery `f` that was confirmed by a day, and not taken back by it. */
const countsOn = (day: ReturnType<typeof sql.ref>) => sql`f.reversal_of is null and f.confirmation = 'confirmed'
  and greatest(f.delivered_on, f.decided_on) <= ${day}
  and not exists (
    select from fulfilments b where b.tenant_id = ${tenantParam} and b.reversal_of = f.id
      and (b.created_at at time zone k.time_zone)::date <= ${day})`

/** Released within the time: to the credit of the party that decided it. */
const releases = sql`
  select coalesce(d.side, t.side) as side, 'released' as kind, greatest(c.net - l.delivered, 0) * c.unit as value
  from time k
  join figures c on c.partnership_id = k.id and c.status = 'released'
  join status_changes h on h.tenant_id = ${tenantParam} and h.resource_type = 'commitment' and h.resource_id = c.id
    and h.to_status = 'released' and ${isInside(sql.ref('h.changed_on'))}
  left join partnership_parties d on d.tenant_id = ${tenantParam} and d.id = h.decided_by_party_id
  left join partnership_parties t on t.tenant_id = ${tenantParam} and t.id = c.to_party_id
  cross join lateral (
    select coalesce(sum(coalesce(f.amount, f.quantity)), 0) as delivered from fulfilments f
    where f.tenant_id = ${tenantParam} and f.commitment_id = c.id and ${countsOn(sql.ref('h.changed_on'))}
  ) l
  where coalesce(d.side, t.side) is not null`

/** Promised additionally within the time, as far as it stands. */
const additions = sql`
  select q.side, 'additional' as kind, c.net * c.unit as value
  from time k
  join figures c on c.partnership_id = k.id and c.reciprocity = 'additional'
    and c.status in ('agreed', 'paused', 'fulfilled') and ${isInside(sql.ref('c.agreed_on'))}
  join partnership_parties q on q.tenant_id = ${tenantParam} and q.id = c.from_party_id`

/** True where one commitment was given in return for another, by the terms of the day of the delivery `f`. */
const isReturn = (of: string, other: string) => sql`coalesce((
    select v.terms -> 'in_return_for' @> to_jsonb(${sql.ref(`${other}.id`)}::text) from term_versions v
    where v.tenant_id = ${tenantParam} and v.resource_type = 'commitment' and v.resource_id = ${sql.ref(`${of}.id`)}
      and v.valid_from <= f.delivered_on
    order by v.number desc limit 1),
  exists (
    select from commitment_returns n where n.tenant_id = ${tenantParam}
      and n.commitment_id = ${sql.ref(`${of}.id`)} and n.in_return_for_id = ${sql.ref(`${other}.id`)}))`

/** Delivered within the time while a commitment of the other side that it is tied to was lapsed. */
const keptUp = sql`
  select q.side, 'kept_up' as kind, coalesce(f.amount, f.quantity) * c.unit as value
  from time k
  join figures c on c.partnership_id = k.id
  join partnership_parties q on q.tenant_id = ${tenantParam} and q.id = c.from_party_id
  join fulfilments f on f.tenant_id = ${tenantParam} and f.commitment_id = c.id and ${isInside(sql.ref('f.delivered_on'))}
  where ${countsOn(sql.ref('k.t'))}
    and exists (
      select from commitments o
      where o.tenant_id = ${tenantParam} and o.partnership_id = k.id and o.id <> c.id
        and 'lapsed' = (
          select h.to_status from status_changes h
          where h.tenant_id = ${tenantParam} and h.resource_type = 'commitment' and h.resource_id = o.id
            and h.changed_on <= f.delivered_on
          order by h.version desc limit 1)
        and (${isReturn('c', 'o')} or ${isReturn('o', 'c')}))`

interface SideRow {
  side: Static<typeof Solidarity>['sides'][number]['side']
  released: string
  additional: string
  kept_up: string
  gestures: number
  valued: number
}

const sum = (kind: string) => sql`coalesce(sum(g.value) filter (where g.kind = ${sql.lit(kind)}), 0)::text`

/** The sums of one partnership, as JSON; its values are those of what is asked, with `ids`, `from` and `to`. */
export const solidaritySums = prepare<{ body: string }>(sql`
  with ${figures}, time as (
    select k.*, ${firstDay} as first_day, ${lastDay} as last_day
    from asked k join partnerships r on r.tenant_id = ${tenantParam} and r.id = k.id
  )
  select json_build_object('id', k.id, 'as_of', k.t, 'basis', k.basis, 'currency', k.currency, 'from', k.first_day,
    'to', k.last_day,
    'sides', (
      select coalesce(json_agg(y.sums order by y.place), '[]')
      from (
        select array_position(array['company', 'non_profit', 'public', 'other'], d.side) as place,
          json_build_object('side', d.side, 'released', ${sum('released')}, 'additional', ${sum('additional')},
            'kept_up', ${sum('kept_up')}, 'gestures', count(g.kind), 'valued', count(g.value)) as sums
        from (
          select distinct p.side from partnership_parties p where p.tenant_id = ${tenantParam} and p.partnership_id = k.id
        ) d
        left join (${releases} union all ${additions} union all ${keptUp}) g on g.side = d.side
        group by d.side
      ) y))::text as body
  from time k`)

interface Sums {
  id: string
  as_of: string
  basis: Static<typeof Solidarity>['basis']
  currency: string
  from: string
  to: string
  sides: SideRow[]
}

/** What each side did for the other, from the sums as the statement gathers them. */
export function solidarityAnswer(body: string): Static<typeof Solidarity> {
  const { id, sides, currency, ...head } = JSON.parse(body) as Sums
  const money = (amount: string) => ({ amount: rounded(amount, currency), currency })
  return {
    partnership_id: id,
    ...head,
    currency,
    sides: sides.map(({ side, released, additional, kept_up, gestures, valued }) => ({
      side,
      released: money(released),
      additional: money(additional),
      kept_up: money(kept_up),
      total: money(sumOf([released, additional, kept_up])),
      gestures,
      valued,
      coverage: ratioOf(String(valued), String(gestures)),
    })),
  }
}
