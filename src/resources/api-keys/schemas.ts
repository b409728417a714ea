import { type Static, Type } from 'typebox'
import { codes, instant, line, nullable, recordHead, strictObject, uuid } from '../../core/schemas.ts'
import { scopes } from '../../platform/scopes.ts'

const fields = {
  ...recordHead,
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
  expires_at: nullable(instant()),
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
    expires_at: Type.Optional(
      nullable(
        instant({ description: 'When the key stops working; null: not by itself', examples: ['2030-01-01T00:00:00Z'] }),
      ),
    ),
  },
  { $id: 'ApiKeyWrite' },
)
export type ApiKeyWrite = Static<typeof ApiKeyWrite>

export const apiKeySchemas = [ApiKey, NewApiKey, ApiKeyWrite]
