import { type Static, Type } from 'typebox'
import { patchOf } from '../../core/patch-schemas.ts'
import {
  codes,
  country,
  language,
  line,
  nullable,
  Ref,
  recordHead,
  recordTail,
  recordTailWrite,
  ref,
  strictObject,
  uuid,
  webAddress,
} from '../../core/schemas.ts'

export const sectors = ['company', 'non_profit', 'public', 'education_research', 'other'] as const
export const organisationStatuses = ['active', 'dormant', 'dissolved'] as const
export const industrySchemes = ['nace', 'isic', 'sbi', 'icnpo'] as const
export const identifierRoles = ['primary', 'secondary'] as const

const scheme = () =>
  Type.String({
    pattern: '^([A-Z]{2}-[A-Z0-9_]{2,20}|x-[a-z0-9-]{1,40})$',
    description: 'A list code of org-id.guide, or x-… for a register that it lacks',
    examples: ['NL-KVK', 'GB-CHC', 'XI-LEI', 'x-nl-rsin'],
  })

export const Industry = strictObject(
  { scheme: codes(industrySchemes), code: line(20, { examples: ['94.99'] }) },
  { $id: 'Industry', description: 'The branch of an organisation by a standard classification' },
)

export const Identifier = strictObject(
  { scheme: scheme(), value: line(100, { examples: ['12345678'] }), role: codes(identifierRoles) },
  {
    $id: 'Identifier',
    description: 'A registration. The value is kept as given; scheme and normalised value are unique.',
  },
)

const IdentifierWrite = strictObject(
  {
    scheme: scheme(),
    value: line(100),
    role: Type.Optional(codes(identifierRoles, { default: 'primary' })),
  },
  { $id: 'IdentifierWrite', description: 'A registration. Values of known schemes are checked for their form.' },
)

export const Organisation = Type.Object(
  {
    ...recordHead,
    name: Type.String(),
    legal_name: nullable(Type.String()),
    alternate_names: Type.Array(Type.String()),
    sector: codes(sectors),
    industry: nullable(ref(Industry)),
    country: nullable(country()),
    identifiers: Type.Array(ref(Identifier)),
    parent_id: nullable(uuid()),
    preferred_language: nullable(Type.String()),
    website: nullable(Type.String()),
    status: codes(organisationStatuses),
    merged_into_id: nullable(uuid({ description: 'The survivor, where this record was merged into another' })),
    ...recordTail,
  },
  { $id: 'Organisation' },
)
export type Organisation = Static<typeof Organisation>

/** The writable members of an organisation, complete and in their one spelling. */
export type OrganisationState = Pick<
  Organisation,
  | 'name'
  | 'legal_name'
  | 'alternate_names'
  | 'sector'
  | 'industry'
  | 'country'
  | 'identifiers'
  | 'parent_id'
  | 'preferred_language'
  | 'website'
  | 'status'
  | 'external_refs'
  | 'metadata'
>

/** What a client may write; what is left out takes its default, or becomes null. */
export const OrganisationWrite = strictObject(
  {
    name: line(300, { examples: ['Stichting Voorbeeld'] }),
    legal_name: Type.Optional(nullable(line(300))),
    alternate_names: Type.Optional(Type.Array(line(300), { maxItems: 50, uniqueItems: true })),
    sector: codes(sectors, { examples: ['non_profit'] }),
    industry: Type.Optional(nullable(ref(Industry))),
    country: Type.Optional(nullable(country())),
    identifiers: Type.Optional(Type.Array(ref(IdentifierWrite), { maxItems: 20 })),
    parent_id: Type.Optional(nullable(uuid())),
    parent_ref: Type.Optional(nullable(ref(Ref))),
    preferred_language: Type.Optional(nullable(language())),
    website: Type.Optional(nullable(webAddress())),
    status: Type.Optional(codes(organisationStatuses, { default: 'active' })),
    ...recordTailWrite,
  },
  { $id: 'OrganisationWrite' },
)
export type OrganisationWrite = Static<typeof OrganisationWrite>

export const OrganisationPatch = patchOf(OrganisationWrite, 'OrganisationPatch')

export const organisationSchemas = [
  Industry,
  Identifier,
  IdentifierWrite,
  Organisation,
  OrganisationWrite,
  OrganisationPatch,
]
