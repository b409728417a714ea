import { type Static, type TSchema, Type } from 'typebox'
import { date, nullable, prose, strictObject, uuid } from '../../core/schemas.ts'

const optional = <T extends TSchema>(schema: T) => Type.Optional(nullable(schema))
const reason = () => prose(2000, { description: 'Kept with the record' })
const party = (who: string) => uuid({ description: `Who decides: ${who}. It may be recorded by the other side.` })

/** Proposing and withdrawing are the promiser's own: naming it is not needed. */
export const PromiserStep = strictObject(
  { by_party_id: Type.Optional(party('the promiser')) },
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
    reason: prose(2000, { description: 'What made it impossible: circumstances, not will' }),
  },
  { $id: 'CommitmentLapse' },
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
}

export const stepSchemas = [PromiserStep, Agreeing, Declining, Lapsing, Reinstating, Releasing, Cancelling]
