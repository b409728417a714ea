import { sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import { compiler } from '../../db/prepared.ts'
import { measureJson } from '../../platform/measures.ts'
import { externalRefsOf } from '../../platform/references.ts'
import { defineResource, type View } from '../../platform/resource.ts'
import { openPauseOf } from '../pauses/read.ts'
import {
  delivered,
  fulfilmentRate,
  ledgerEntries,
  ledgerSums,
  outstanding,
  promised,
  replaced,
  reported,
  skipped,
} from './derived.ts'
import type { Commitment, Measure, Valuation } from './schemas.ts'

const ledger = sql<{ delivered: string; reported: string; counts: unknown }>`lateral (
  select ${ledgerSums},
    json_build_object(
      'reported', coalesce(sum(e.sign) filter (where e.confirmation = 'reported'), 0),
      'confirmed', coalesce(sum(e.sign) filter (where e.confirmation = 'confirmed'), 0),
      'disputed', coalesce(sum(e.sign) filter (where e.confirmation = 'disputed'), 0),
      'reversed', count(*) filter (where e.sign < 0)) as counts
  from ${ledgerEntries(sql`f.tenant_id = r.tenant_id and f.commitment_id = r.id`)}
)`

/** Row to wire: explicit, so that a new column never leaks. */
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
    openPauseOf(eb, 'commitment').as('pause'),
    'r.agreed_on',
    sql<Commitment['agreement']>`case when r.agreed_by_party_id is not null then json_build_object(
      'party_id', r.agreed_by_party_id, 'recorded_by_party_id', r.agreement_recorded_by_party_id,
      'note', r.agreement_note) end`.as('agreement'),
    'r.closed_on',
    'r.close_reason',
    'r.disruption_id',
    measureJson<MeasureUnit>(delivered).as('delivered'),
    measureJson<MeasureUnit>(reported).as('reported'),
    measureJson<MeasureUnit>(skipped).as('skipped'),
    measureJson<MeasureUnit>(replaced).as('replaced'),
    measureJson<MeasureUnit>(outstanding).as('outstanding'),
    fulfilmentRate.as('fulfilment_rate'),
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
