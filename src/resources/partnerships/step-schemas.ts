import { type Static, Type } from 'typebox'
import { codes, date, nullable, prose, strictObject, uuid } from '../../core/schemas.ts'
import { endReasons } from './schemas.ts'

/** The bodies of the steps in a partnership's life. */

const day = (description: string) => Type.Optional(date({ description }))
const decider = Type.Optional(nullable(uuid({ description: 'The party whose decision it was, for the history' })))

export const Propose = strictObject({}, { $id: 'PartnershipPropose' })

export const Withdraw = strictObject(
  { reason: Type.Optional(nullable(prose(2000))), party_id: decider },
  { $id: 'PartnershipWithdraw' },
)
export type Withdraw = Static<typeof Withdraw>

export const Decline = strictObject({ reason: prose(2000), party_id: decider }, { $id: 'PartnershipDecline' })
export type Decline = Static<typeof Decline>

export const AssentWrite = strictObject(
  {
    party_id: uuid({ description: 'The party that assents' }),
    recorded_by_party_id: Type.Optional(
      nullable(
        uuid({ description: 'The party that records it on behalf of that one, where it does not do so itself' }),
      ),
    ),
    on: Type.Optional(nullable(date({ description: 'Today where left out' }))),
    note: Type.Optional(nullable(prose(2000, { examples: ['By e-mail of 1 March'] }))),
  },
  { $id: 'PartnershipAssent' },
)
export type AssentWrite = Static<typeof AssentWrite>

export const Activate = strictObject(
  {
    starts_on: day('Where the proposal leaves it open'),
    reciprocity_waiver: Type.Optional(
      nullable(prose(2000, { description: 'Why it begins without an agreed commitment from each side' })),
    ),
  },
  { $id: 'PartnershipActivate' },
)
export type Activate = Static<typeof Activate>

export const WindDown = strictObject(
  {
    ends_on: day('The last day; where left out, the one that the partnership has already'),
    end_reason: codes(endReasons),
    party_id: decider,
  },
  { $id: 'PartnershipWindDown' },
)
export type WindDown = Static<typeof WindDown>

export const End = strictObject(
  {
    exit_evaluation_waiver: Type.Optional(
      nullable(prose(2000, { description: 'Why it ends without a concluded exit evaluation' })),
    ),
  },
  { $id: 'PartnershipEnd' },
)
export type End = Static<typeof End>

export const KeepOn = strictObject(
  { ends_on: Type.Optional(nullable(date({ description: 'The new last day; none where left out' }))) },
  { $id: 'PartnershipKeepOn' },
)
export type KeepOn = Static<typeof KeepOn>

export const partnershipStepSchemas = [Propose, Withdraw, Decline, AssentWrite, Activate, WindDown, End, KeepOn]
