import type { FastifyPluginAsync } from 'fastify'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { normaliseIdentifier } from '../../core/identifiers.ts'
import { country, uuid } from '../../core/schemas.ts'
import { param, tenantParam } from '../../db/prepared.ts'
import { collection, type SliceOptions } from '../../platform/collection.ts'
import {
  byInstant,
  byText,
  defineList,
  externalRef,
  type Filter,
  oneOf,
  searched,
  updatedSince,
} from '../../platform/lists.ts'
import { createOrganisation, deleteOrganisation, reviseOrganisation, upsertOrganisation } from './commands.ts'
import { merging } from './merge-routes.ts'
import { mergeSchemas } from './merge-schemas.ts'
import {
  Organisation,
  OrganisationPatch,
  OrganisationWrite,
  organisationSchemas,
  organisationStatuses,
  sectors,
} from './schemas.ts'
import { organisationResource } from './view.ts'

const byIdentifier: Filter = {
  schema: Type.String({
    pattern: '^[^:]+:.+$',
    maxLength: 200,
    description: 'A registration, as scheme:value; spelling does not matter',
    examples: ['NL-KVK:12345678'],
  }),
  where: sql`exists (
    select from organisation_identifiers i where i.tenant_id = ${tenantParam} and i.organisation_id = r.id
      and i.scheme = split_part(${param('identifier')}, ':', 1)
      and i.normalised_value = substr(${param('identifier')}, strpos(${param('identifier')}, ':') + 1))`,
  value: (given: string) => {
    const [scheme = '', ...rest] = given.split(':')
    return `${scheme}:${normaliseIdentifier(scheme, rest.join(':'))}`
  },
}

const list = defineList({
  name: 'organisations',
  item: Organisation,
  of: organisationResource,
  sorts: { created_at: byInstant('created_at'), updated_at: byInstant('updated_at'), name: byText('sort_name') },
  defaultSort: 'created_at',
  filters: {
    q: searched('A part of a name, whatever its case or accents'),
    sector: oneOf('sector', sectors),
    status: oneOf('status', organisationStatuses),
    country: { schema: country(), where: sql`r.country = ${param('country')}` },
    include_merged: {
      schema: Type.Boolean({ default: false, description: 'Show those, too, that were merged into another' }),
      where: sql`(r.merged_into_id is null or ${param('include_merged')}::boolean)`,
      // Who left before the merge is shown what there was then.
      whereByPartner: sql`(r.merged_into_id is null or ${param('include_merged')}::boolean or (
        r.id = any ((select partner_left())::uuid[]) and r.updated_at >= partner_horizon(r.id)))`,
      isFixed: true,
    },
    parent_id: { schema: uuid(), names: 'organisations', where: sql`r.parent_id = ${param('parent_id')}::uuid` },
    identifier: byIdentifier,
    external_ref: externalRef('organisation'),
    updated_since: updatedSince,
  },
})

/** Companies, charities and public bodies. */
export const organisations: FastifyPluginAsync<SliceOptions> = async (app, slice) => {
  for (const schema of [...organisationSchemas, ...mergeSchemas]) app.addSchema(schema)
  app.addSchema(list.page)
  collection(app, slice, {
    makesBeside: true,
    resource: organisationResource,
    tag: 'Organisations',
    one: 'organisation',
    many: 'organisations',
    scopes: { read: 'organisations:read', write: 'organisations:write' },
    wire: Organisation,
    write: OrganisationWrite,
    patch: OrganisationPatch,
    list,
    refusals: ['duplicate', 'state_forbids', 'rule_violated'],
    commands: {
      create: createOrganisation,
      revise: reviseOrganisation,
      upsert: upsertOrganisation,
      remove: deleteOrganisation,
    },
  })
  merging(app, slice)
}
