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
  uuid,
} from '../../core/schemas.ts'
import { bases, Measure, modes } from '../commitments/schemas.ts'
import { substitutionStatuses } from './lifecycle.ts'

const ValueDifference = strictObject(
  {
    amount: Type.String({
      pattern: '^-?(0|[1-9]\\d{0,14})(\\.\\d{1,6})?$',
      description: 'What the new promise is worth more than the part that it replaces; less, with a minus',
      examples: ['-250.00'],
    }),
    currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217', examples: ['EUR'] }),
    basis: codes(bases),
  },
  { $id: 'ValueDifference', description: 'As the parties see it; the values of commitments are in their valuations' },
)

const SubstitutionAssent = Type.Object(
  { party_id: uuid(), on: date(), recorded_by_party_id: nullable(uuid()) },
  { $id: 'SubstitutionAssent' },
)

export const Substitution = Type.Object(
  {
    ...recordHead,
    partnership_id: uuid(),
    replaces_commitment_id: uuid(),
    by_commitment_id: uuid(),
    replaced_measure: ref(Measure),
    instalment_seq: nullable(Type.Integer({ description: 'The instalment that it takes; null: in order' })),
    reason: Type.String(),
    disruption_id: nullable(uuid()),
    value_difference: nullable(ref(ValueDifference)),
    status: codes(substitutionStatuses),
    proposed_by_party_id: uuid(),
    proposed_on: date(),
    decided_by_party_id: nullable(uuid()),
    decided_on: nullable(date()),
    decision_note: nullable(Type.String()),
    assents: Type.Array(ref(SubstitutionAssent), { description: 'Proposing is the assent of the proposing side' }),
    ...recordTail,
  },
  { $id: 'Substitution', description: 'One promise in the place of (a part of) another of the same promiser' },
)
export type Substitution = Static<typeof Substitution>

export const SubstitutionCreate = strictObject(
  {
    replaces_commitment_id: Type.Optional(nullable(uuid({ description: 'Agreed, paused or lapsed' }))),
    replaces_commitment_ref: Type.Optional(nullable(ref(Ref))),
    by_commitment_id: Type.Optional(
      nullable(uuid({ description: 'Of the same promiser: a draft, proposed or agreed' })),
    ),
    by_commitment_ref: Type.Optional(nullable(ref(Ref))),
    replaced_measure: Type.Optional(
      Type.Unsafe<Static<typeof Measure> | null>({
        anyOf: [ref(Measure), { type: 'null' }],
        description: 'At most what is outstanding, and all of that where left out',
      }),
    ),
    instalment_seq: Type.Optional(nullable(Type.Integer({ minimum: 1, description: 'Take it from this instalment' }))),
    reason: prose(2000),
    disruption_id: Type.Optional(nullable(uuid())),
    disruption_ref: Type.Optional(nullable(ref(Ref))),
    value_difference: Type.Optional(nullable(ref(ValueDifference))),
    proposed_by_party_id: uuid({ description: 'The promiser, or the other side' }),
    ...recordTailWrite,
  },
  {
    $id: 'SubstitutionCreate',
    examples: [
      {
        replaces_commitment_id: '019a3b5c-7d1e-7f00-8a2b-3c4d5e6f7a01',
        by_commitment_id: '019a3b5c-7d1e-7f00-8a2b-3c4d5e6f7a02',
        replaced_measure: { type: 'quantity', quantity: '1', unit: 'event' },
        reason: 'The hall is closed: the concert is online',
        proposed_by_party_id: '019a3b5c-7d1e-7f00-8a2b-3c4d5e6f7a8b',
      },
    ],
  },
)
export type SubstitutionCreate = Static<typeof SubstitutionCreate>

export const SubstitutionDecision = strictObject(
  {
    party_id: uuid({ description: 'Who decides. It may be recorded by the other side.' }),
    recorded_by_party_id: Type.Optional(nullable(uuid({ description: 'The party that records it, where another' }))),
    note: Type.Optional(nullable(prose(2000))),
  },
  { $id: 'SubstitutionDecision' },
)
export type SubstitutionDecision = Static<typeof SubstitutionDecision>

const ReachOf = Type.Object(
  {
    commitment_id: uuid(),
    mode: codes(modes),
    deliveries: Type.Integer({ description: 'Confirmed, and not taken back' }),
    deliveries_with_reach: Type.Integer(),
    audience: nullable(Type.Integer({ description: 'The sum over deliveries that tell it; null where none does' })),
    countries: Type.Array(Type.String()),
  },
  { $id: 'SubstitutionReachOf' },
)

export const SubstitutionReach = Type.Object(
  { before: ref(ReachOf), after: ref(ReachOf) },
  { $id: 'SubstitutionReach', description: 'How far the old promise reached, and how far the new one did' },
)
export type SubstitutionReach = Static<typeof SubstitutionReach>

export const substitutionSchemas = [
  ValueDifference,
  SubstitutionAssent,
  Substitution,
  SubstitutionCreate,
  SubstitutionDecision,
  ReachOf,
  SubstitutionReach,
]
