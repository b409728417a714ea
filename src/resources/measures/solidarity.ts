import { sql } from 'kysely'
import type { Static } from 'typebox'
import { ratioOf, rounded, sumOf } from '../../core/measures.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import type { Solidarity } from './schemas.ts'
import { plan, questions, reciprocityThen, state, worth } from './store.ts'

const firstDay = sql`coalesce(${param('from')}::date, r.starts_on, (r.created_at at time zone r.time_zone)::date)`
const lastDay = sql`least(coalesce(${param('to')}::date, k.t), k.t)`
const isInside = (day: ReturnType<typeof sql.ref>) => sql`${day} >= ${firstDay} and ${day} <= ${lastDay}`

/** Released within the time: to the credit of the party that decided it. */
const releases = sql`
  select coalesce(d.side, t.side) as side, 'released' as kind,
    greatest(i.planned - i.replaced - i.skipped - l.delivered, 0) * w.unit as value
  from commitments c
  join status_changes h on h.tenant_id = c.tenant_id and h.resource_type = 'commitment' and h.resource_id = c.id
    and h.to_status = 'released' and ${isInside(sql.ref('h.changed_on'))}
  left join partnership_parties d on d.tenant_id = h.tenant_id and d.id = h.decided_by_party_id
  left join partnership_parties t on t.tenant_id = c.tenant_id and t.id = c.to_party_id
  cross join ${state} s cross join ${plan} i cross join ${worth} w
  cross join lateral (
    select coalesce(sum(coalesce(f.amount, f.quantity)), 0) as delivered from fulfilments f
    where f.tenant_id = c.tenant_id and f.commitment_id = c.id and f.reversal_of is null
      and f.confirmation = 'confirmed' and greatest(f.delivered_on, f.decided_on) <= h.changed_on
      and not exists (
        select from fulfilments b where b.tenant_id = f.tenant_id and b.reversal_of = f.id
          and (b.created_at at time zone r.time_zone)::date <= h.changed_on)
  ) l
  where c.tenant_id = r.tenant_id and c.partnership_id = r.id and s.status = 'released'
    and coalesce(d.side, t.side) is not null`

/** Promised additionally within the time, as far as it stands. */
const additions = sql`
  select q.side, 'additional' as kind, (i.planned - i.replaced - i.skipped) * w.unit as value
  from commitments c
  join partnership_parties q on q.tenant_id = c.tenant_id and q.id = c.from_party_id
  cross join ${state} s cross join ${plan} i cross join ${worth} w
  where c.tenant_id = r.tenant_id and c.partnership_id = r.id and ${reciprocityThen} = 'additional'
    and s.status in ('agreed', 'paused', 'fulfilled') and ${isInside(sql.ref('c.agreed_on'))}`

/** Delivered within the time while a commitment of the other side that it is tied to was lapsed. */
const keptUp = sql`
  select q.side, 'kept_up' as kind, coalesce(f.amount, f.quantity) * w.unit as value
  from commitments c
  join partnership_parties q on q.tenant_id = c.tenant_id and q.id = c.from_party_id
  cross join ${state} s cross join ${plan} i cross join ${worth} w
  join fulfilments f on f.tenant_id = c.tenant_id and f.commitment_id = c.id and f.reversal_of is null
    and f.confirmation = 'confirmed' and greatest(f.delivered_on, f.decided_on) <= k.t
    and ${isInside(sql.ref('f.delivered_on'))}
  where c.tenant_id = r.tenant_id and c.partnership_id = r.id and s.status is not null
    and not exists (
      select from fulfilments b where b.tenant_id = f.tenant_id and b.reversal_of = f.id
        and (b.created_at at time zone r.time_zone)::date <= k.t)
    and exists (
      select from commitment_returns n
      where n.tenant_id = c.tenant_id and c.id in (n.commitment_id, n.in_return_for_id)
        and 'lapsed' = (
          select h.to_status from status_changes h
          where h.tenant_id = n.tenant_id and h.resource_type = 'commitment' and h.changed_on <= f.delivered_on
            and h.resource_id = case when n.commitment_id = c.id then n.in_return_for_id else n.commitment_id end
          order by h.version desc limit 1))`

interface SideRow {
  side: Static<typeof Solidarity>['sides'][number]['side']
  released: string
  additional: string
  kept_up: string
  gestures: number
  valued: number
}

const sum = (kind: string) => sql`coalesce(sum(g.value) filter (where g.kind = ${sql.lit(kind)}), 0)::text`

/** The sums of one partnership, as JSON. */
export const solidaritySums = prepare<{ body: string }>(sql`
  select json_build_object('id', r.id, 'as_of', k.t, 'basis', k.basis, 'currency', k.currency, 'from', ${firstDay},
    'to', ${lastDay},
    'sides', (
      select coalesce(json_agg(y.sums order by y.place), '[]')
      from (
        select array_position(array['company', 'non_profit', 'public', 'other'], d.side) as place,
          json_build_object('side', d.side, 'released', ${sum('released')}, 'additional', ${sum('additional')},
            'kept_up', ${sum('kept_up')}, 'gestures', count(g.kind), 'valued', count(g.value)) as sums
        from (
          select distinct p.side from partnership_parties p where p.tenant_id = r.tenant_id and p.partnership_id = r.id
        ) d
        left join (${releases} union all ${additions} union all ${keptUp}) g on g.side = d.side
        group by d.side
      ) y))::text as body
  from partnerships r join ${questions} k on true
  where r.tenant_id = ${tenantParam} and r.id = ${param('id')}::uuid`)

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
