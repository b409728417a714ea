import { compiler } from '../../db/prepared.ts'
import { externalRefsOf } from '../../platform/references.ts'
import { defineResource, type View } from '../../platform/resource.ts'
import type { Amendment } from './schemas.ts'

/** Row to wire: explicit, so that a new column never leaks. */
const view: View<Amendment> = compiler
  .selectFrom('amendments as r')
  .select((eb) => [
    'r.id',
    'r.version',
    'r.created_at',
    'r.updated_at',
    'r.partnership_id',
    'r.effective_on',
    eb.ref('r.cause').$castTo<Amendment['cause']>().as('cause'),
    'r.evaluation_id',
    'r.decision_id',
    'r.disruption_id',
    'r.note',
    eb.ref('r.changes').$castTo<Amendment['changes']>().as('changes'),
    eb.ref('r.diff').$castTo<Amendment['diff']>().as('diff'),
    eb.ref('r.required').$castTo<Amendment['required_assents']>().as('required_assents'),
    eb.ref('r.assents').$castTo<Amendment['assents']>().as('assents'),
    eb.ref('r.status').$castTo<Amendment['status']>().as('status'),
    'r.proposed_by_party_id',
    'r.proposed_on',
    'r.decided_on',
    'r.decided_by_party_id',
    'r.decision_note',
    externalRefsOf(eb, 'amendment').as('external_refs'),
    eb.ref('r.metadata').$castTo<Record<string, unknown>>().as('metadata'),
  ])

export const amendmentResource = defineResource<Amendment>({
  type: 'amendment',
  path: 'amendments',
  table: 'amendments',
  view,
})
