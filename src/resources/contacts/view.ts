import { compiler } from '../../db/prepared.ts'
import { externalRefsOf } from '../../platform/references.ts'
import { defineResource, type View } from '../../platform/resource.ts'
import type { Contact } from './schemas.ts'

/** Row to wire: explicit, so that a new column never leaks. */
const view: View<Contact> = compiler
  .selectFrom('contacts as r')
  .select((eb) => [
    'r.id',
    'r.version',
    'r.created_at',
    'r.updated_at',
    'r.organisation_id',
    'r.name',
    'r.email',
    'r.phone',
    'r.job_title',
    eb.ref('r.function').$castTo<Contact['function']>().as('function'),
    'r.language',
    'r.active',
    'r.erased_at',
    externalRefsOf(eb, 'contact').as('external_refs'),
    eb.ref('r.metadata').$castTo<Record<string, unknown>>().as('metadata'),
  ])

/** Nothing of the person, and nothing that a client wrote freely: events are kept when the person is erased. */
const kept = compiler
  .selectFrom('contacts as r')
  .select([
    'r.id',
    'r.version',
    'r.created_at',
    'r.updated_at',
    'r.organisation_id',
    'r.function',
    'r.active',
    'r.erased_at',
  ])

export const contactResource = defineResource<Contact>({
  type: 'contact',
  path: 'contacts',
  table: 'contacts',
  view,
  kept,
})
