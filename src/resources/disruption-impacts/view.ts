import { compiler } from '../../db/prepared.ts'
import { externalRefsOf } from '../../platform/references.ts'
import { defineResource, type View } from '../../platform/resource.ts'
import type { Impact } from './schemas.ts'

/** Row to wire: explicit, so that a new column never leaks. */
const view: View<Impact> = compiler
  .selectFrom('disruption_impacts as r')
  .select((eb) => [
    'r.id',
    'r.version',
    'r.created_at',
    'r.updated_at',
    'r.disruption_id',
    'r.partnership_id',
    'r.hit_party_id',
    eb.ref('r.severity').$castTo<Impact['severity']>().as('severity'),
    eb.ref('r.effects').$castTo<Impact['effects']>().as('effects'),
    'r.assessed_on',
    'r.note',
    eb.ref('r.response').$castTo<Impact['response']>().as('response'),
    'r.response_due_on',
    'r.responded_on',
    'r.response_pause_id',
    'r.response_commitment_id',
    'r.response_substitution_id',
    'r.response_amendment_id',
    'r.response_evaluation_id',
    eb.ref('r.evaluation_obligation').$castTo<Impact['evaluation_obligation']>().as('evaluation_obligation'),
    'r.evaluation_due_on',
    'r.evaluation_waiver',
    externalRefsOf(eb, 'impact').as('external_refs'),
    eb.ref('r.metadata').$castTo<Record<string, unknown>>().as('metadata'),
  ])

export const impactResource = defineResource<Impact>({
  type: 'impact',
  path: 'impacts',
  table: 'disruption_impacts',
  view,
})
