import { type Static, Type } from 'typebox'
import {
  codes,
  country,
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
  webAddress,
} from '../../core/schemas.ts'
import { Measure, modes, Valuation } from '../commitments/schemas.ts'
import { confirmations } from './lifecycle.ts'

export const Reach = strictObject(
  {
    audience: Type.Integer({ minimum: 0, maximum: 10_000_000_000, description: 'How many people it reached' }),
    countries: Type.Array(country(), { maxItems: 250, uniqueItems: true }),
  },
  { $id: 'Reach', description: 'How far a delivery reached' },
)

export const Fulfilment = Type.Object(
  {
    ...recordHead,
    commitment_id: uuid(),
    delivered_on: date(),
    instalment_seq: nullable(Type.Integer({ description: 'The instalment that it was reported for' })),
    measure: ref(Measure),
    mode: codes(modes),
    reach: nullable(ref(Reach)),
    valuations: Type.Array(ref(Valuation)),
    note: nullable(Type.String()),
    evidence_url: nullable(Type.String()),
    reported_by_party_id: uuid({ description: 'The party that reported it; of a reversal, the one that took it back' }),
    confirmation: codes(confirmations, {
      description: 'What the other side says. A reversal has the confirmation of what it takes back.',
    }),
    decided_by_party_id: nullable(uuid({ description: 'The party that confirmed or disputed it' })),
    decided_on: nullable(date()),
    decision_note: nullable(Type.String()),
    dispute_reason: nullable(Type.String({ description: 'Kept when the dispute was settled' })),
    reversal_of: nullable(
      uuid({ description: 'The entry that this one takes back: its measure counts against that entry' }),
    ),
    reversal_reason: nullable(Type.String()),
    reversed_by_id: nullable(uuid({ description: 'The entry that took this one back' })),
    ...recordTail,
  },
  {
    $id: 'Fulfilment',
    description: 'An entry of the ledger of what was delivered; corrected by reversal, never edited',
  },
)
export type Fulfilment = Static<typeof Fulfilment>

export const FulfilmentWrite = strictObject(
  {
    delivered_on: date({ description: 'Today at the latest, in the time zone of the partnership' }),
    instalment_seq: Type.Optional(
      nullable(
        Type.Integer({
          minimum: 1,
          maximum: 2_147_483_647,
          description:
            'The number of the instalment that it settles; what that one does not need, and all without a number, settles ' +
            'in order what is open',
        }),
      ),
    ),
    measure: ref(Measure),
    mode: Type.Optional(codes(modes, { description: 'That of the commitment when left out' })),
    reach: Type.Optional(nullable(ref(Reach))),
    valuations: Type.Optional(Type.Array(ref(Valuation), { maxItems: 20 })),
    note: Type.Optional(nullable(prose(2000))),
    evidence_url: Type.Optional(nullable(webAddress())),
    reported_by_party_id: Type.Optional(
      nullable(uuid({ description: 'The promiser when left out; the receiver may report what it got' })),
    ),
    reported_by_organisation_id: Type.Optional(nullable(uuid({ description: 'The same, by its organisation' }))),
    reported_by_organisation_ref: Type.Optional(nullable(ref(Ref))),
    ...recordTailWrite,
  },
  { $id: 'FulfilmentWrite', description: 'What was delivered, in the currency or unit of the commitment' },
)
export type FulfilmentWrite = Static<typeof FulfilmentWrite>

const otherSide = () => uuid({ description: 'Who decides: the other side than the one that reported it' })

export const Confirming = strictObject(
  {
    party_id: otherSide(),
    on: Type.Optional(nullable(date({ description: 'Today when left out' }))),
    note: Type.Optional(nullable(prose(2000))),
  },
  { $id: 'FulfilmentConfirm' },
)
export type Confirming = Static<typeof Confirming>

export const Disputing = strictObject({ party_id: otherSide(), reason: prose(2000) }, { $id: 'FulfilmentDispute' })
export type Disputing = Static<typeof Disputing>

export const Reversing = strictObject(
  { party_id: uuid({ description: 'Who takes it back: either side' }), reason: prose(2000) },
  { $id: 'FulfilmentReverse' },
)
export type Reversing = Static<typeof Reversing>

export const fulfilmentSchemas = [Reach, Fulfilment, FulfilmentWrite, Confirming, Disputing, Reversing]
