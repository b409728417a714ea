import { type Static, Type } from 'typebox'
import {
  codes,
  date,
  nullable,
  prose,
  Ref,
  recordHead,
  recordTail,
  recordTailWrite,
  ref,
  strictObject,
  TextByLanguage,
  uuid,
} from '../../core/schemas.ts'
import { CommitmentTermsPatch } from '../commitments/schemas.ts'
import { amendmentCauses, amendmentStatuses } from './lifecycle.ts'

const text = () => Type.Optional(nullable(ref(TextByLanguage)))

const PartnershipTermsPatch = strictObject(
  {
    purpose: Type.Optional(
      strictObject(
        { why: text(), what: text(), how: text() },
        { description: 'Each aspect that is given is replaced' },
      ),
    ),
    starts_on: Type.Optional(date()),
    base_currency: Type.Optional(Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217', examples: ['EUR'] })),
  },
  { $id: 'PartnershipTermsPatch', minProperties: 1 },
)
export type PartnershipTermsPatch = Static<typeof PartnershipTermsPatch>

const CommitmentAmendment = Type.Object(
  { commitment_id: uuid(), terms: ref(CommitmentTermsPatch) },
  { $id: 'CommitmentAmendment', description: 'The new terms of one commitment' },
)

const changesDescription = 'The terms that are to be: what is left out stays as it is'

export const AmendmentChanges = Type.Object(
  {
    partnership: Type.Optional(ref(PartnershipTermsPatch)),
    commitments: Type.Optional(Type.Array(ref(CommitmentAmendment))),
  },
  { $id: 'AmendmentChanges', description: changesDescription },
)
export type AmendmentChanges = Static<typeof AmendmentChanges>

const CommitmentAmendmentWrite = strictObject(
  {
    commitment_id: Type.Optional(nullable(uuid({ description: 'Of the partnership, and agreed or paused' }))),
    commitment_ref: Type.Optional(nullable(ref(Ref))),
    terms: ref(CommitmentTermsPatch),
  },
  { $id: 'CommitmentAmendmentWrite', description: 'The new terms of one commitment' },
)

export const AmendmentChangesWrite = strictObject(
  {
    partnership: Type.Optional(ref(PartnershipTermsPatch)),
    commitments: Type.Optional(Type.Array(ref(CommitmentAmendmentWrite), { minItems: 1, maxItems: 50 })),
  },
  { $id: 'AmendmentChangesWrite', minProperties: 1, description: changesDescription },
)
export type AmendmentChangesWrite = Static<typeof AmendmentChangesWrite>

const AmendmentDifference = Type.Object(
  {
    resource_type: codes(['partnership', 'commitment'] as const),
    resource_id: uuid(),
    member: Type.String({ examples: ['measure'] }),
    before: Type.Unknown({ description: 'As it stood when the amendment was proposed' }),
    after: Type.Unknown(),
  },
  { $id: 'AmendmentDifference', description: 'One term that changes' },
)
export type AmendmentDifference = Static<typeof AmendmentDifference>

const AmendmentAssent = Type.Object(
  { party_id: uuid(), on: date(), recorded_by_party_id: nullable(uuid()), note: nullable(Type.String()) },
  { $id: 'AmendmentAssent' },
)
export type AmendmentAssent = Static<typeof AmendmentAssent>

const RequiredAssent = Type.Object(
  { any_of: Type.Array(uuid(), { description: 'One of these parties' }) },
  { $id: 'RequiredAssent' },
)

export const Amendment = Type.Object(
  {
    ...recordHead,
    partnership_id: uuid(),
    effective_on: date({ description: 'The day from which the new terms count' }),
    cause: codes(amendmentCauses, {
      description: 'A correction mends a mistake in writing: the assent of one side is enough',
    }),
    evaluation_id: nullable(uuid()),
    decision_id: nullable(uuid({ description: 'The decision of that evaluation which it carries out' })),
    disruption_id: nullable(uuid()),
    note: nullable(Type.String()),
    changes: ref(AmendmentChanges),
    diff: Type.Array(ref(AmendmentDifference), { description: 'Each term that changes, before and after' }),
    required_assents: Type.Array(ref(RequiredAssent)),
    assents: Type.Array(ref(AmendmentAssent), { description: 'Proposing is the assent of whoever proposes' }),
    status: codes(amendmentStatuses),
    proposed_by_party_id: uuid(),
    proposed_on: date(),
    decided_on: nullable(date()),
    decided_by_party_id: nullable(uuid()),
    decision_note: nullable(Type.String()),
    ...recordTail,
  },
  { $id: 'Amendment', description: 'A change of terms that were agreed' },
)
export type Amendment = Static<typeof Amendment>

export const AmendmentCreate = strictObject(
  {
    effective_on: Type.Optional(nullable(date({ description: 'Today when left out' }))),
    cause: codes(amendmentCauses),
    evaluation_id: Type.Optional(nullable(uuid({ description: 'An evaluation of the partnership' }))),
    evaluation_ref: Type.Optional(nullable(ref(Ref))),
    decision_id: Type.Optional(
      nullable(
        uuid({
          description:
            'An open decision of an evaluation of the partnership, which opens this amendment and is done when it is ' +
            'accepted. The cause is evaluation then, and the evaluation may be left out',
        }),
      ),
    ),
    disruption_id: Type.Optional(nullable(uuid())),
    disruption_ref: Type.Optional(nullable(ref(Ref))),
    note: Type.Optional(nullable(prose())),
    changes: ref(AmendmentChangesWrite),
    proposed_by_party_id: uuid(),
    ...recordTailWrite,
  },
  {
    $id: 'AmendmentCreate',
    examples: [
      {
        cause: 'evaluation',
        note: 'The turnover was halved; the sponsor stays',
        changes: {
          commitments: [
            {
              commitment_ref: { system: 'crm', id: 'a0C5g00000GiFt1' },
              terms: { measure: { type: 'money', amount: '3000.00', currency: 'EUR' } },
            },
          ],
        },
        proposed_by_party_id: '019a3b5c-7d1e-7f00-8a2b-3c4d5e6f7a8b',
      },
    ],
  },
)
export type AmendmentCreate = Static<typeof AmendmentCreate>

export const AmendmentDecision = strictObject(
  {
    party_id: uuid({ description: 'Who decides. It may be recorded by another party.' }),
    recorded_by_party_id: Type.Optional(nullable(uuid())),
    note: Type.Optional(nullable(prose(2000))),
  },
  { $id: 'AmendmentDecision' },
)
export type AmendmentDecision = Static<typeof AmendmentDecision>

export const TermsAsOf = Type.Object(
  {
    resource_type: codes(['partnership', 'commitment'] as const),
    resource_id: uuid(),
    as_of: date(),
    valid_from: nullable(date({ description: 'Null where nothing was agreed by then' })),
    superseded_on: nullable(date({ description: 'The day from which other terms count; null while none do' })),
    amendment_id: nullable(uuid({ description: 'The amendment that made them so; null for the first terms' })),
    terms: nullable(
      Type.Record(Type.String(), Type.Unknown(), { description: 'The agreed terms, by the members of the record' }),
    ),
  },
  { $id: 'TermsAsOf', description: 'The agreed terms as they stood on a day' },
)
export type TermsAsOf = Static<typeof TermsAsOf>

export const amendmentSchemas = [
  PartnershipTermsPatch,
  CommitmentAmendment,
  AmendmentChanges,
  CommitmentAmendmentWrite,
  AmendmentChangesWrite,
  AmendmentDifference,
  AmendmentAssent,
  RequiredAssent,
  Amendment,
  AmendmentCreate,
  AmendmentDecision,
  TermsAsOf,
]
