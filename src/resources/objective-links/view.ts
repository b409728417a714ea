import { compiler } from '../../db/prepared.ts'
import { defineResource, type View } from '../../platform/resource.ts'
import type { ObjectiveLink } from './schemas.ts'

/** Row to wire: explicit, so that a new column never leaks. */
const view: View<ObjectiveLink> = compiler
  .selectFrom('objective_links as r')
  .select((eb) => [
    'r.id',
    'r.version',
    'r.created_at',
    'r.updated_at',
    'r.partnership_id',
    'r.objective_id',
    'r.contribution',
    'r.rationale',
    'r.assessed_on',
    'r.evaluation_id',
    'r.superseded_on',
    'r.superseded_by_id',
    eb.ref('r.metadata').$castTo<Record<string, unknown>>().as('metadata'),
  ])

export const objectiveLinkResource = defineResource<ObjectiveLink>({
  type: 'objective_link',
  path: 'objective-links',
  table: 'objective_links',
  view,
})
