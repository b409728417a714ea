import { compiler } from '../../db/prepared.ts'
import { externalRefsOf } from '../../platform/references.ts'
import { defineResource, type View } from '../../platform/resource.ts'
import type { Disruption } from './schemas.ts'

/** Row to wire: explicit, so that a new column never leaks. */
const view: View<Disruption> = compiler
  .selectFrom('disruptions as r')
  .select((eb) => [
    'r.id',
    'r.version',
    'r.created_at',
    'r.updated_at',
    'r.title',
    'r.description',
    eb.ref('r.type').$castTo<Disruption['type']>().as('type'),
    'r.glide_number',
    'r.countries',
    eb.ref('r.sectors').$castTo<Disruption['sectors']>().as('sectors'),
    'r.started_on',
    'r.ended_on',
    eb.ref('r.status').$castTo<Disruption['status']>().as('status'),
    externalRefsOf(eb, 'disruption').as('external_refs'),
    eb.ref('r.metadata').$castTo<Record<string, unknown>>().as('metadata'),
  ])

export const disruptionResource = defineResource<Disruption>({
  type: 'disruption',
  path: 'disruptions',
  table: 'disruptions',
  view,
})
