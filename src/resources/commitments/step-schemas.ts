import { type Static, type TSchema, Type } from 'typebox'
import { date, nullable, prose, Ref, ref, strictObject, uuid } from '../../core/schemas.ts'

const optional = <T extends TSchema>(schema: T) => Type.Optional(nullable(schema))
const reason = () => prose(2000, { description: 'Kept with the record' })
const party = (who: string) => uuid({ description: `Who decides: ${who}. It may be recorded by the other side.` })

/** Proposing and withdrawing are the promiser's own: naming it is not needed. */
export const PromiserStep = strictObject(
  { party_id: Type.Optional(party('the promiser')) },
  { $id: 'CommitmentPromiserStep' },
)
export type PromiserStep = Static<typeof PromiserStep>

export const Agreeing = strictObject(
  {
    party_id: party('the receiver, or for the joint purpose a party of the other side'),
    recorded_by_party_id: optional(uuid({ description: 'The party that records it, where that is another' })),
    on: optional(date({ description: 'The day of the agreement; today when left out' })),
    note: optional(prose(2000)),
  },
  { $id: 'CommitmentAgree' },
)
export type Agreeing = Static<typeof Agreeing>

export const Declining = strictObject(
  { party_id: party('the receiver, or for the joint purpose a party of the other side'), reason: reason() },
  { $id: 'CommitmentDecline' },
)

export const Lapsing = strictObject(
  {
    party_id: party('either side'),
    reason: optional(
      prose(2000, {
        description: 'What made it impossible: circumstances, not will. This, or a disruption, is needed',
      }),
    ),
    disruption_id: optional(uuid({ description: 'The disruption that made it impossible' })),
    disruption_ref: optional(ref(Ref)),
  },
  {
    $id: 'CommitmentLapse',
    examples: [{ party_id: '019a3b5c-7d1e-7f00-8a2b-3c4d5e6f7a8b', reason: 'The hall is closed' }],
  },
)

export const Reinstating = strictObject(
  { party_id: party('either side'), reason: optional(reason()) },
  { $id: 'CommitmentReinstate' },
)

export const Releasing = strictObject(
  {
    party_id: party('the receiver, or for the joint purpose a party of the other side'),
    reason: optional(reason()),
  },
  { $id: 'CommitmentRelease' },
)

export const Cancelling = strictObject(
  { party_id: party('the promiser'), reason: reason() },
  { $id: 'CommitmentCancel' },
)

/** What most steps say: who decides, and why. */
export interface Decision {
  party_id: string
  reason?: string | null
  disruption_id?: string | null
  disruption_ref?: { system: string; id: string } | null
}

export const stepSchemas = [PromiserStep, Agreeing, Declining, Lapsing, Reinstating, Releasing, Cancelling]
