import { type Static, Type } from 'typebox'
import { patchOf } from '../../core/patch-schemas.ts'
import {
  codes,
  date,
  line,
  nullable,
  prose,
  Ref,
  recordHead,
  recordTail,
  recordTailWrite,
  ref,
  strictObject,
  uuid,
} from '../../core/schemas.ts'
import { TakenOver, TakenOverWrite } from '../../platform/taken-over.ts'
import { Pause } from '../pauses/schemas.ts'
import { commitmentStatuses } from './lifecycle.ts'
import {
  bindings,
  commitmentRef,
  kinds,
  Measure,
  MeasureSum,
  modes,
  motives,
  reciprocities,
  Schedule,
  ScheduleWrite,
  Valuation,
} from './term-schemas.ts'

export {
  bases,
  bindings,
  CommitmentTermsPatch,
  kinds,
  Measure,
  MeasureSum,
  modes,
  motives,
  reciprocities,
  termSchemas,
  Valuation,
} from './term-schemas.ts'

export const Agreement = Type.Object(
  {
    party_id: uuid({ description: 'The party across the table that agreed' }),
    recorded_by_party_id: nullable(uuid({ description: 'The party that recorded it, where that was another' })),
    note: nullable(Type.String()),
  },
  { $id: 'Agreement', description: 'The consent of the other side; the promiser gave its own by proposing' },
)

export const FulfilmentCounts = Type.Object(
  {
    reported: Type.Integer({ minimum: 0, description: 'Waiting for the other side' }),
    confirmed: Type.Integer({ minimum: 0 }),
    disputed: Type.Integer({ minimum: 0 }),
    reversed: Type.Integer({ minimum: 0, description: 'Taken back; in none of the other counts' }),
  },
  { $id: 'FulfilmentCounts', description: 'The entries of the ledger that stand, by their confirmation' },
)

export const Commitment = Type.Object(
  {
    ...recordHead,
    partnership_id: uuid(),
    from_party_id: uuid({ description: 'The promiser: its seat in the partnership' }),
    to_party_id: nullable(uuid({ description: 'The receiver; null for the joint purpose' })),
    kind: codes(kinds),
    title: Type.String(),
    description: nullable(Type.String()),
    binding: codes(bindings),
    reciprocity: codes(reciprocities),
    in_return_for: Type.Array(uuid(), { description: 'Commitments of the other side that this one answers' }),
    motive: nullable(codes(motives)),
    mode: codes(modes),
    measure: ref(Measure),
    valuations: Type.Array(ref(Valuation)),
    schedule: nullable(ref(Schedule)),
    pause_exempt: Type.Boolean({ description: 'It goes on while its partnership is paused' }),
    status: codes(commitmentStatuses),
    pause: nullable(ref(Pause)),
    agreed_on: nullable(date()),
    agreement: nullable(ref(Agreement)),
    closed_on: nullable(date({ description: 'The day on which it lapsed, was kept, or came to an end otherwise' })),
    close_reason: nullable(Type.String()),
    disruption_id: nullable(uuid({ description: 'The disruption by which it lapsed; null once it is reinstated' })),
    delivered: Type.Unsafe<Static<typeof Measure>>({
      ...ref(MeasureSum),
      description: 'Confirmed fulfilments less those that were reversed',
    }),
    reported: Type.Unsafe<Static<typeof Measure>>({
      ...ref(MeasureSum),
      description: 'Fulfilments that the other side has neither confirmed nor disputed yet; not part of delivered',
    }),
    skipped: Type.Unsafe<Static<typeof Measure>>({
      ...ref(Measure),
      description: 'What pauses skipped of it, or will by their expected end: that is not owed any more',
    }),
    replaced: Type.Unsafe<Static<typeof Measure>>({
      ...ref(Measure),
      description: 'What accepted substitutions replaced of it',
    }),
    outstanding: Type.Unsafe<Static<typeof Measure>>({
      ...ref(Measure),
      description:
        'What is still owed: the measure less what was skipped, replaced and delivered, never below zero, while the commitment is agreed, ' +
        'paused or lapsed (a lapsed one is owed until it is released); zero before it is agreed and after it has ended',
    }),
    fulfilment_rate: nullable(
      Type.String({
        pattern: '^(0\\.\\d{4}|1\\.0000)$',
        description:
          'Delivered divided by the measure less what was skipped and replaced, at most 1, to four digits and cut off, so that 1.0000 means all of it. ' +
          'Null where it is undefined: nothing was agreed, nothing is left of the measure, or the commitment was taken over as ' +
          'fulfilled without its ledger.',
        examples: ['0.7500'],
      }),
    ),
    fulfilment_counts: ref(FulfilmentCounts),
    taken_over: nullable(ref(TakenOver)),
    ...recordTail,
  },
  { $id: 'Commitment', description: 'What one party promises another, or the joint purpose' },
)
export type Commitment = Static<typeof Commitment>

/** What was promised and what is said about it: the writable members, complete and in their one spelling. */
export type CommitmentTerms = Pick<
  Commitment,
  | 'partnership_id'
  | 'from_party_id'
  | 'to_party_id'
  | 'kind'
  | 'title'
  | 'description'
  | 'binding'
  | 'reciprocity'
  | 'in_return_for'
  | 'motive'
  | 'mode'
  | 'measure'
  | 'valuations'
  | 'schedule'
  | 'pause_exempt'
  | 'external_refs'
  | 'metadata'
>

const party = (who: string) => Type.Optional(nullable(uuid({ description: `${who}: its seat in the partnership` })))
const organisation = (who: string) =>
  Type.Optional(nullable(uuid({ description: `${who}: the organisation that has a seat in the partnership` })))

const termsWrite = {
  partnership_id: Type.Optional(nullable(uuid())),
  partnership_ref: Type.Optional(nullable(ref(Ref))),
  from_party_id: party('The promiser'),
  from_organisation_id: organisation('The promiser'),
  from_organisation_ref: Type.Optional(nullable(ref(Ref))),
  to_party_id: party('The receiver'),
  to_organisation_id: organisation('The receiver'),
  to_organisation_ref: Type.Optional(nullable(ref(Ref))),
  kind: codes(kinds),
  title: line(300, { examples: ['Forty hours of legal advice'] }),
  description: Type.Optional(nullable(prose())),
  binding: Type.Optional(codes(bindings, { default: 'firm' })),
  reciprocity: Type.Optional(codes(reciprocities, { default: 'in_return' })),
  in_return_for: Type.Optional(Type.Array(commitmentRef, { maxItems: 50, uniqueItems: true })),
  motive: Type.Optional(nullable(codes(motives))),
  mode: Type.Optional(codes(modes, { default: 'not_applicable' })),
  measure: ref(Measure),
  valuations: Type.Optional(Type.Array(ref(Valuation), { maxItems: 20 })),
  schedule: Type.Optional(nullable(ref(ScheduleWrite))),
  pause_exempt: Type.Optional(Type.Boolean({ default: false })),
  ...recordTailWrite,
}

const writeDescription =
  'The promiser is named by exactly one of from_party_id, from_organisation_id and from_organisation_ref; the receiver ' +
  'likewise, or by none for the joint purpose.'

export const CommitmentWrite = strictObject(
  {
    ...termsWrite,
    status: Type.Optional(codes(commitmentStatuses, { description: 'Only with taken_over; a new one is a draft' })),
    agreed_on: Type.Optional(nullable(date({ description: 'Only with taken_over' }))),
    closed_on: Type.Optional(nullable(date({ description: 'Only with taken_over' }))),
    close_reason: Type.Optional(nullable(prose(2000, { description: 'Only with taken_over' }))),
    taken_over: Type.Optional(nullable(ref(TakenOverWrite))),
  },
  {
    $id: 'CommitmentWrite',
    description: writeDescription,
    examples: [
      {
        partnership_ref: { system: 'crm', id: 'a0B5g0000012345' },
        from_organisation_ref: { system: 'crm', id: '0015g00000A1b2C' },
        to_organisation_ref: { system: 'crm', id: '0015g00000D3e4F' },
        kind: 'pro_bono_services',
        title: 'Forty hours of legal advice',
        binding: 'firm',
        reciprocity: 'in_return',
        measure: { type: 'quantity', quantity: '40', unit: 'hour' },
      },
    ],
  },
)
export type CommitmentWrite = Static<typeof CommitmentWrite>

/** The members that are agreed between two sides: only a draft's may be changed. */
export const agreedTerms = [
  'partnership_id',
  'from_party_id',
  'to_party_id',
  'kind',
  'title',
  'binding',
  'reciprocity',
  'in_return_for',
  'mode',
  'measure',
  'schedule',
] as const satisfies readonly (keyof CommitmentTerms)[]

export type AgreedTerms = Pick<CommitmentTerms, (typeof agreedTerms)[number]>

/** The terms of a commitment that were agreed. */
export const termsAgreed = (commitment: Pick<Commitment, (typeof agreedTerms)[number]>): AgreedTerms =>
  Object.fromEntries(agreedTerms.map((name) => [name, commitment[name]])) as unknown as AgreedTerms

/** The merge patch of a commitment. Its state, and how it was taken over, are no part of it. */
export const CommitmentPatch = Object.assign(patchOf(strictObject(termsWrite), 'CommitmentPatch'), {
  description:
    'A JSON Merge Patch (RFC 7396): absent leaves alone, null clears. A draft changes in every member. Once proposed, ' +
    `its terms stay as they are (409 agreed_terms): ${agreedTerms.join(', ')}. Description, motive, pause_exempt, ` +
    'metadata and external_refs change at any time; valuations may be added.',
})

export const commitmentSchemas = [Agreement, FulfilmentCounts, Commitment, CommitmentWrite, CommitmentPatch]
