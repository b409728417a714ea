import { type Static, Type } from 'typebox'
import { codes, date, nullable, Ref, ref, strictObject, uuid } from '../../core/schemas.ts'

export const sides = ['company', 'non_profit', 'public', 'other'] as const
export const partyRoles = ['lead', 'partner', 'supporter'] as const

export const Assent = Type.Object(
  {
    on: date(),
    recorded_by_party_id: nullable(uuid({ description: 'The party that recorded it on behalf of this one' })),
    note: nullable(Type.String()),
  },
  { $id: 'Assent', description: 'A party’s assent to the proposal' },
)

const leaving = {
  description:
    'The first day on which it has no say any more. What was shared until the end of that day stays readable to it.',
}

export const Party = Type.Object(
  {
    id: uuid(),
    organisation_id: uuid(),
    side: codes(sides),
    role: codes(partyRoles),
    joined_on: nullable(date()),
    left_on: nullable(date(leaving)),
    assent: nullable(ref(Assent)),
  },
  { $id: 'Party', description: 'An organisation’s seat in a partnership; commitments point at it' },
)
export type Party = Static<typeof Party>

export const PartyWrite = strictObject(
  {
    id: Type.Optional(uuid({ description: 'May be sent back as it was read; new parties get one from the service' })),
    organisation_id: Type.Optional(nullable(uuid())),
    organisation_ref: Type.Optional(nullable(ref(Ref))),
    side: codes(sides, { examples: ['non_profit'] }),
    role: Type.Optional(codes(partyRoles, { default: 'partner' })),
    joined_on: Type.Optional(nullable(date())),
    left_on: Type.Optional(nullable(date(leaving))),
  },
  { $id: 'PartyWrite', description: 'Parties are matched by their organisation, so that their ids stay.' },
)

export const Manager = Type.Object(
  { party_id: uuid(), contact_id: uuid() },
  { $id: 'Manager', description: 'A person who looks after the partnership for a party' },
)

export const ManagerWrite = strictObject(
  {
    party_id: Type.Optional(nullable(uuid())),
    organisation_id: Type.Optional(nullable(uuid())),
    organisation_ref: Type.Optional(nullable(ref(Ref))),
    contact_id: Type.Optional(nullable(uuid({ description: 'A contact of the organisation of that party' }))),
    contact_ref: Type.Optional(nullable(ref(Ref))),
  },
  {
    $id: 'ManagerWrite',
    description: 'The party is named by its id or by its organisation, the contact by its id or by yours.',
  },
)
