import { type Static, Type } from 'typebox'
import { codes, instant, nullable, ref, uuid } from '../../core/schemas.ts'
import { scopes } from '../../platform/scopes.ts'

const named = (id: string, description: string) =>
  Type.Object({ id: uuid(), name: Type.String() }, { $id: id, description })

export const MyTenant = named('MyTenant', 'Whose records they are')
export const MyOrganisation = named('MyOrganisation', 'An organisation that a partner’s credential stands for')

export const MyKey = Type.Object(
  {
    id: uuid(),
    name: Type.String(),
    prefix: Type.String({
      description: 'The public part of the key, by which it is found',
      examples: ['beide_4fQ0aZ81kLmN'],
    }),
  },
  { $id: 'MyKey', description: 'An API key, without its secret' },
)

export const MyToken = Type.Object(
  {
    issuer: Type.String({ description: 'Its `iss`', examples: ['https://login.example.org'] }),
    subject: Type.String({ description: 'Its `sub`: who signed in', examples: ['248289761001'] }),
  },
  { $id: 'MyToken', description: 'An access token, as far as it says who signed in' },
)

export const Me = Type.Object(
  {
    type: codes(['api_key', 'token'] as const, {
      description: 'token: an access token of a person, or of a program, that signed in',
    }),
    audience: codes(['staff', 'partner'] as const, {
      description: 'staff: the tenant’s own. partner: sees and does what its organisations have a part in',
    }),
    tenant: ref(MyTenant),
    scopes: Type.Array(codes(scopes), { description: 'What it may do; `admin` holds all others' }),
    organisations: Type.Array(ref(MyOrganisation), {
      description:
        'Of a partner: those that it stands for, by name. One that was merged into another is told as that other, as in ' +
        'all records. None of staff.',
    }),
    expires_at: nullable(
      instant({
        description:
          'When it stops working by itself, as it was presented: of a key that was rotated, the secret before stops earlier. ' +
          'Null: not by itself',
      }),
    ),
    api_key: nullable(ref(MyKey)),
    token: nullable(ref(MyToken)),
    requests_per_minute: Type.Integer({
      minimum: 1,
      description: 'How many requests the credential has a minute; `RateLimit` says how many are left',
      examples: [600],
    }),
  },
  { $id: 'Me', description: 'The credential that asks, and for whom it stands' },
)
export type Me = Static<typeof Me>

export const meSchemas = [MyTenant, MyOrganisation, MyKey, MyToken, Me]
