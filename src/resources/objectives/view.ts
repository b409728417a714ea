import { compiler } from '../../db/prepared.ts'
import { externalRefsOf } from '../../platform/references.ts'
import { defineResource, type View } from '../../platform/resource.ts'
import type { Objective } from './schemas.ts'

/** Row to wire: explicit, so that a new column never leaks. */
const view: View<Objective> = compiler
  .selectFrom('objectives as r')
  .select((eb) => [
    'r.id',
    'r.version',
    'r.created_at',
    'r.updated_at',
    'r.organisation_id',
    eb.ref('r.level').$castTo<Objective['level']>().as('level'),
    'r.title',
    'r.description',
    'r.parent_id',
    'r.sdg_goals',
    'r.sdg_targets',
    'r.importance',
    'r.active_from',
    'r.active_until',
    'r.indicator_refs',
    externalRefsOf(eb, 'objective').as('external_refs'),
    eb.ref('r.metadata').$castTo<Record<string, unknown>>().as('metadata'),
  ])

export const objectiveResource = defineResource<Objective>({
  type: 'objective',
  path: 'objectives',
  table: 'objectives',
  view,
})
