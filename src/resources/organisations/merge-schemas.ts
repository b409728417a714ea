import { type Static, Type } from 'typebox'
import { codes, ExternalRef, nullable, Ref, ref, strictObject, uuid } from '../../core/schemas.ts'
import { Identifier } from './schemas.ts'

export const conflictCodes = ['both_parties', 'circle', 'too_many_names'] as const

const duplicate = {
  duplicate_id: Type.Optional(nullable(uuid({ description: 'The organisation that goes, by our id' }))),
  duplicate_ref: Type.Optional(nullable(ref(Ref))),
  duplicate_version: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Where it is given: refuse (412) if that one has changed since' }),
  ),
}

export const OrganisationMerge = strictObject(duplicate, {
  $id: 'OrganisationMerge',
  description: 'Names the organisation that goes by exactly one of duplicate_id and duplicate_ref.',
  examples: [{ duplicate_ref: { system: 'crm', id: '0015g00000A1b2D' } }],
})
export type OrganisationMerge = Static<typeof OrganisationMerge>

export const MergeConflict = Type.Object(
  {
    code: codes(conflictCodes),
    detail: Type.String({ description: 'What stands in the way, and how to mend it' }),
    partnership_ids: Type.Array(uuid(), { description: 'In which both are parties: the first hundred' }),
  },
  { $id: 'MergeConflict' },
)
export type MergeConflict = Static<typeof MergeConflict>

const Side = Type.Object(
  { id: uuid(), version: Type.Integer({ minimum: 1 }), name: Type.String() },
  { $id: 'MergeSide', description: 'One of the two organisations of a merge' },
)

const count = (description: string) => Type.Integer({ minimum: 0, description })

export const OrganisationMergePreview = Type.Object(
  {
    survivor: ref(Side),
    duplicate: ref(Side),
    moves: Type.Object({
      external_refs: Type.Array(ref(ExternalRef)),
      identifiers: Type.Array(ref(Identifier)),
      contacts_count: count('Contacts'),
      partnerships_count: count('Partnerships in which it is a party'),
      objectives_count: count('Objectives'),
      evaluations_count: count('Rounds in which it judges itself'),
      subsidiaries_count: count('Organisations whose parent it is'),
    }),
    conflicts: Type.Array(ref(MergeConflict), {
      description: 'Why it would be refused as things are; none: it would not',
    }),
  },
  { $id: 'OrganisationMergePreview', description: 'What a merge would move, and what stands in its way' },
)
export type OrganisationMergePreview = Static<typeof OrganisationMergePreview>

export const mergeSchemas = [OrganisationMerge, MergeConflict, Side, OrganisationMergePreview]
