import { Type } from 'typebox'
import { compiler } from '../../db/prepared.ts'
import { oneOf, updatedSince } from '../../platform/lists.ts'
import {
  identifierRoles,
  industrySchemes,
  organisationStatuses,
  sectors,
} from '../../resources/organisations/schemas.ts'
import {
  codeColumn,
  jsonOf,
  listColumn,
  optional,
  organisationKey,
  recordColumns,
  refsOf,
  tailColumns,
} from '../columns.ts'
import { defineTable } from '../table.ts'
import { organisationUnit, within } from '../touched.ts'

const source = compiler
  .selectFrom('organisations as r')
  .leftJoin(refsOf('organisation'), (join) => join.onRef('refs.resource_id', '=', 'r.id'))

/** Who the parties are. */
export const organisationsTable = defineTable(source, {
  name: 'organisations',
  rowName: 'ExportedOrganisation',
  grain: 'organisation',
  notes: 'Those that were merged into another stay, with merged_into_id: leave them out where you count organisations.',
  key: ['id'],
  unit: organisationUnit,
  columns: {
    ...recordColumns('organisation'),
    name: { type: 'text', meaning: 'What it is called' },
    legal_name: { type: 'text', meaning: 'Its name in the register', ...optional },
    alternate_names: listColumn(Type.String(), 'Other names of it', jsonOf('r.alternate_names')),
    sector: codeColumn(sectors, 'The sector to which it belongs'),
    industry_scheme: codeColumn(industrySchemes, 'The classification of industry_code', optional),
    industry_code: { type: 'text', meaning: 'Its branch in that classification', isIdentifier: true, ...optional },
    country: { type: 'text', meaning: 'ISO 3166-1 alpha-2', ...optional },
    parent_id: organisationKey('The organisation of which it is a part', optional),
    preferred_language: { type: 'text', meaning: 'The language in which it is written to (BCP 47)', ...optional },
    website: { type: 'text', meaning: 'Its address on the web', ...optional },
    status: codeColumn(organisationStatuses, 'Whether it still works'),
    merged_into_id: organisationKey('The survivor, where this record was merged into another', optional),
    ...tailColumns,
  },
  filters: {
    sector: oneOf('sector', sectors),
    status: oneOf('status', organisationStatuses),
    updated_since: updatedSince,
  },
})

/** By which numbers registers know them. */
export const organisationIdentifiersTable = defineTable(compiler.selectFrom('organisation_identifiers as r'), {
  name: 'organisation_identifiers',
  rowName: 'ExportedOrganisationIdentifier',
  grain: 'registration of an organisation',
  notes: 'Join registers on scheme and normalised_value. Values are texts: leading zeros are a part of them.',
  key: ['scheme', 'normalised_value'],
  unit: within('organisation_id', organisationUnit),
  columns: {
    organisation_id: organisationKey('The organisation that is registered'),
    scheme: { type: 'text', meaning: 'The register, by its code in org-id.guide; x-… for what that lacks' },
    value: { type: 'text', meaning: 'The number, as it was given', isIdentifier: true },
    normalised_value: {
      type: 'text',
      meaning: 'The number without spaces, dots, dashes and slashes, in capitals: unique in its scheme',
      isIdentifier: true,
    },
    role: codeColumn(identifierRoles, 'Whether it is the main one'),
    position: { type: 'integer', meaning: 'The order among those of the organisation, from 0' },
  },
  filters: {},
})
