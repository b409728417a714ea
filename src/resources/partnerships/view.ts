import { sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import { compiler } from '../../db/prepared.ts'
import { externalRefsOf } from '../../platform/references.ts'
import { defineResource, type View } from '../../platform/resource.ts'
import { openPauseOf } from '../pauses/read.ts'
import type { Partnership, Party } from './schemas.ts'

/** Row to wire: explicit, so that a new column never leaks. */
const view: View<Partnership> = compiler.selectFrom('partnerships as r').select((eb) => [
  'r.id',
  'r.version',
  'r.created_at',
  'r.updated_at',
  'r.name',
  'r.reference',
  eb.ref('r.status').$castTo<Partnership['status']>().as('status'),
  jsonArrayFrom(
    eb
      .selectFrom('partnership_parties as p')
      .select((inner) => [
        'p.id',
        'p.organisation_id',
        inner.ref('p.side').$castTo<Party['side']>().as('side'),
        inner.ref('p.role').$castTo<Party['role']>().as('role'),
        'p.joined_on',
        'p.left_on',
        sql<Party['assent']>`case when p.assented_on is not null then json_build_object('on', p.assented_on,
          'recorded_by_party_id', p.assent_recorded_by_party_id, 'note', p.assent_note) end`.as('assent'),
      ])
      .whereRef('p.tenant_id', '=', 'r.tenant_id')
      .whereRef('p.partnership_id', '=', 'r.id')
      .orderBy('p.position'),
  ).as('parties'),
  eb.ref('r.relationship_type').$castTo<Partnership['relationship_type']>().as('relationship_type'),
  eb.ref('r.stage').$castTo<Partnership['stage']>().as('stage'),
  sql<Partnership['purpose']>`json_build_object('why', r.purpose -> 'why', 'what', r.purpose -> 'what',
    'how', r.purpose -> 'how')`.as('purpose'),
  'r.starts_on',
  'r.ends_on',
  'r.signed_on',
  'r.notice_period',
  'r.evaluation_interval',
  'r.evaluation_interval_reason',
  'r.base_currency',
  'r.time_zone',
  'r.crisis_protocol',
  'r.predecessor_id',
  'r.sdg_targets',
  jsonArrayFrom(
    eb
      .selectFrom('partnership_managers as m')
      .select(['m.party_id', 'm.contact_id'])
      .whereRef('m.tenant_id', '=', 'r.tenant_id')
      .whereRef('m.partnership_id', '=', 'r.id')
      .orderBy('m.position'),
  ).as('managers'),
  'r.cross_sector_exception',
  'r.reciprocity_waiver',
  'r.exit_evaluation_waiver',
  // Only these have an open pause: the others are spared the look.
  sql<
    Partnership['pause']
  >`case when r.status in ('paused', 'ending', 'ended') then ${openPauseOf(eb, 'partnership')} end`.as('pause'),
  eb.ref('r.end_reason').$castTo<Partnership['end_reason']>().as('end_reason'),
  'r.decline_reason',
  sql<Partnership['taken_over']>`case when r.taken_over is not null then json_build_object(
    'on', r.taken_over -> 'on', 'from_system', r.taken_over -> 'from_system', 'note', r.taken_over -> 'note',
    'status', r.taken_over -> 'status', 'waived_conditions', r.taken_over -> 'waived_conditions') end`.as('taken_over'),
  externalRefsOf(eb, 'partnership').as('external_refs'),
  eb.ref('r.metadata').$castTo<Record<string, unknown>>().as('metadata'),
])

export const partnershipResource = defineResource<Partnership>({
  type: 'partnership',
  path: 'partnerships',
  table: 'partnerships',
  view,
})
