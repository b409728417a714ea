import { sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import { compiler } from '../../db/prepared.ts'
import { measureJson } from '../../platform/measures.ts'
import { externalRefsOf } from '../../platform/references.ts'
import { defineResource, type View } from '../../platform/resource.ts'
import type { Commitment, Measure, Valuation } from './schemas.ts'

/** What stands in the ledger: a reversal takes back what it reverses, in the state that this had. */
const ledger = sql<{ delivered: string; reported: string; counts: unknown }>`lateral (
  select
    sum(e.sign * e.magnitude) filter (where e.confirmation = 'confirmed') as delivered,
    sum(e.sign * e.magnitude) filter (where e.confirmation = 'reported') as reported,
    json_build_object(
      'reported', coalesce(sum(e.sign) filter (where e.confirmation = 'reported'), 0),
      'confirmed', coalesce(sum(e.sign) filter (where e.confirmation = 'confirmed'), 0),
      'disputed', coalesce(sum(e.sign) filter (where e.confirmation = 'disputed'), 0),
      'reversed', count(*) filter (where e.sign < 0)) as counts
  from (
    select f.confirmation, coalesce(f.amount, f.quantity) as magnitude,
      case when f.reversal_of is null then 1 else -1 end as sign
    from fulfilments f where f.tenant_id = r.tenant_id and f.commitment_id = r.id
  ) e
)`

const promised = sql<string>`coalesce(r.amount, r.quantity)`
// Of the scale of the measure, so that money keeps its digits.
const zero = sql<string>`(${promised} - ${promised})`
const delivered = sql<string>`coalesce(l.delivered, ${zero})`
const outstanding = sql<string>`case when r.status in ('agreed', 'paused', 'lapsed')
  then greatest(${promised} - ${delivered}, ${zero}) else ${zero} end`
// Whole ten-thousandths, so that no rounding says all where something is still owed.
const rate = sql<string | null>`case
  when r.status in ('draft', 'proposed', 'declined') or ${promised} = 0 then null
  when r.status = 'fulfilled' and ${delivered} < ${promised} then null
  else (div(least(${delivered}, ${promised}) * 10000, ${promised}) / 10000)::numeric(5, 4)::text end`

/** Row to wire: explicit, so that a new column never leaks. What is derived from the ledger is derived here, and only here. */
const view: View<Commitment> = compiler
  .selectFrom('commitments as r')
  .leftJoin(ledger.as('l'), (join) => join.onTrue())
  .select((eb) => [
    'r.id',
    'r.version',
    'r.created_at',
    'r.updated_at',
    'r.partnership_id',
    'r.from_party_id',
    'r.to_party_id',
    eb.ref('r.kind').$castTo<Commitment['kind']>().as('kind'),
    'r.title',
    'r.description',
    eb.ref('r.binding').$castTo<Commitment['binding']>().as('binding'),
    eb.ref('r.reciprocity').$castTo<Commitment['reciprocity']>().as('reciprocity'),
    sql<string[]>`array(
      select n.in_return_for_id from commitment_returns n
      where n.tenant_id = r.tenant_id and n.commitment_id = r.id order by n.position)`.as('in_return_for'),
    eb.ref('r.motive').$castTo<Commitment['motive']>().as('motive'),
    eb.ref('r.mode').$castTo<Commitment['mode']>().as('mode'),
    measureJson<MeasureUnit>(promised).as('measure'),
    jsonArrayFrom(
      eb
        .selectFrom('commitment_valuations as u')
        .select((inner) => [
          sql<Valuation['money']>`json_build_object('amount', u.amount::text, 'currency', u.currency)`.as('money'),
          inner.ref('u.basis').$castTo<Valuation['basis']>().as('basis'),
          inner.ref('u.declared_by').$castTo<Valuation['declared_by']>().as('declared_by'),
          'u.valued_on',
        ])
        .whereRef('u.tenant_id', '=', 'r.tenant_id')
        .whereRef('u.commitment_id', '=', 'r.id')
        .orderBy('u.position'),
    ).as('valuations'),
    eb.ref('r.schedule').$castTo<Commitment['schedule']>().as('schedule'),
    'r.pause_exempt',
    eb.ref('r.status').$castTo<Commitment['status']>().as('status'),
    'r.agreed_on',
    sql<Commitment['agreement']>`case when r.agreed_by_party_id is not null then json_build_object(
      'party_id', r.agreed_by_party_id, 'recorded_by_party_id', r.agreement_recorded_by_party_id,
      'note', r.agreement_note) end`.as('agreement'),
    'r.closed_on',
    'r.close_reason',
    measureJson<MeasureUnit>(delivered).as('delivered'),
    measureJson<MeasureUnit>(sql`coalesce(l.reported, ${zero})`).as('reported'),
    measureJson<MeasureUnit>(outstanding).as('outstanding'),
    rate.as('fulfilment_rate'),
    eb.ref('l.counts').$castTo<Commitment['fulfilment_counts']>().as('fulfilment_counts'),
    eb.ref('r.taken_over').$castTo<Commitment['taken_over']>().as('taken_over'),
    externalRefsOf(eb, 'commitment').as('external_refs'),
    eb.ref('r.metadata').$castTo<Record<string, unknown>>().as('metadata'),
  ])

type MeasureUnit = Extract<Measure, { type: 'quantity' }>['unit']

export const commitmentResource = defineResource<Commitment>({
  type: 'commitment',
  path: 'commitments',
  table: 'commitments',
  view,
})
