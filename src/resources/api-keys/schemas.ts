import { type Static, Type } from 'typebox'
import { codes, instant, line, nullable, recordHead, strictObject, uuid } from '../../core/schemas.ts'
import { scopes } from '../../platform/scopes.ts'

const fields = {
  ...recordHead,
  version: Type.Integer({ minimum: 1, description: 'Grows by one with each change, but not with each use' }),
  name: Type.String(),
  prefix: Type.String({
    description: 'The public part of the key, by which it is found',
    examples: ['beide_4fQ0aZ81kLmN'],
  }),
  scopes: Type.Array(codes(scopes)),
  organisation_ids: Type.Array(uuid(), {
    description:
      'A key of these organisations: a partner’s, who sees and does what they have a part in; empty for your own',
  }),
  allowed_addresses: Type.Array(Type.String({ examples: ['192.0.2.0/24'] }), {
    description: 'The networks that it may be used from; empty: from everywhere',
  }),
  expires_at: nullable(instant()),
  previous_valid_until: nullable(
    instant({ description: 'Until when the secret before the last rotation opens too; null where there is none' }),
  ),
  revoked_at: nullable(instant()),
  last_used_at: nullable(instant({ description: 'Noted at most once a minute' })),
}

export const ApiKey = Type.Object(fields, {
  $id: 'ApiKey',
  description: 'A credential of an integration. Its secret is not kept, and so never shown again.',
})
export type ApiKey = Static<typeof ApiKey>

export const NewApiKey = Type.Object(
  { ...fields, key: Type.String({ description: 'The whole key: shown this once' }) },
  { $id: 'NewApiKey', description: 'A new credential, with its secret' },
)

export const ApiKeyWrite = strictObject(
  {
    name: line(200, { examples: ['Salesforce'] }),
    scopes: Type.Array(codes(scopes), {
      minItems: 1,
      maxItems: scopes.length,
      uniqueItems: true,
      examples: [['organisations:read', 'organisations:write']],
    }),
    organisation_ids: Type.Optional(
      Type.Array(uuid(), {
        maxItems: 100,
        uniqueItems: true,
        description:
          'Makes it a partner’s key, bound to these organisations. It sees only partnerships that they are a party to, and ' +
          'what belongs to those; it acts for their side alone. Left out or empty: a key of your own.',
        examples: [[]],
      }),
    ),
    allowed_addresses: Type.Optional(
      Type.Array(Type.String({ minLength: 2, maxLength: 49 }), {
        maxItems: 50,
        uniqueItems: true,
        description:
          'Networks in CIDR form, or single addresses, IPv4 and IPv6: from elsewhere the key is refused (403) and the ' +
          'audit notes it. Left out or empty: from everywhere.',
        examples: [['192.0.2.0/24', '2001:db8::/32']],
      }),
    ),
    expires_at: Type.Optional(
      nullable(
        instant({ description: 'When the key stops working; null: not by itself', examples: ['2030-01-01T00:00:00Z'] }),
      ),
    ),
  },
  { $id: 'ApiKeyWrite' },
)
export type ApiKeyWrite = Static<typeof ApiKeyWrite>

export const RotateKey = strictObject(
  {
    previous_valid_until: Type.Optional(
      nullable(
        instant({
          description: 'Until when the old secret opens too, 90 days from now at most; left out or null: no longer',
          examples: [null],
        }),
      ),
    ),
  },
  { $id: 'RotateKey', description: 'A new secret for a key, and how long the old one still opens' },
)
export type RotateKey = Static<typeof RotateKey>

export const apiKeySchemas = [ApiKey, NewApiKey, ApiKeyWrite, RotateKey]
