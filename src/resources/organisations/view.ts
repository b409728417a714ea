import { sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import { compiler } from '../../db/prepared.ts'
import { externalRefsOf } from '../../platform/references.ts'
import { defineResource, type View } from '../../platform/resource.ts'
import type { Organisation } from './schemas.ts'

/** Row to wire: explicit, so that a new column never leaks. */
const view: View<Organisation> = compiler.selectFrom('organisations as r').select((eb) => [
  'r.id',
  'r.version',
  'r.created_at',
  'r.updated_at',
  'r.name',
  'r.legal_name',
  'r.alternate_names',
  eb.ref('r.sector').$castTo<Organisation['sector']>().as('sector'),
  sql<Organisation['industry']>`case when r.industry_scheme is not null
    then json_build_object('scheme', r.industry_scheme, 'code', r.industry_code) end`.as('industry'),
  'r.country',
  jsonArrayFrom(
    eb
      .selectFrom('organisation_identifiers as i')
      .select((inner) => ['i.scheme', 'i.value', inner.ref('i.role').$castTo<'primary' | 'secondary'>().as('role')])
      .whereRef('i.tenant_id', '=', 'r.tenant_id')
      .whereRef('i.organisation_id', '=', 'r.id')
      .orderBy('i.position'),
  ).as('identifiers'),
  'r.parent_id',
  'r.preferred_language',
  'r.website',
  eb.ref('r.status').$castTo<Organisation['status']>().as('status'),
  'r.merged_into_id',
  externalRefsOf(eb, 'organisation').as('external_refs'),
  eb.ref('r.metadata').$castTo<Record<string, unknown>>().as('metadata'),
])

export const organisationResource = defineResource<Organisation>({
  type: 'organisation',
  path: 'organisations',
  table: 'organisations',
  view,
  merges: true,
})
