import { type Static, Type } from 'typebox'
import { patchOf } from '../../core/patch-schemas.ts'
import { codes, line, Metadata, nullable, recordHead, ref, strictObject } from '../../core/schemas.ts'
import { scopes } from '../../platform/scopes.ts'

export const tokenTypes = ['at+jwt', 'jwt'] as const
export const signsIn = ['staff', 'partners'] as const
export const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const
const usual = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const

const scopeList = () =>
  Type.Array(codes(scopes), {
    minItems: 1,
    maxItems: scopes.length,
    uniqueItems: true,
    description: 'The most that a token gives',
    examples: [['partnerships:read', 'evaluations:read', 'evaluations:answer']],
  })

const words = {
  issuer: 'The `iss` of its tokens, exactly',
  audience: 'The `aud` that its tokens for this service have; one issuer and audience belong to one tenant',
  jwksUrl: 'Where its keys are; null: where its own metadata (`/.well-known/openid-configuration`) say',
  tokenType:
    '`at+jwt` (RFC 9068) alone, or `jwt` for an issuer that does not mark access tokens: then take care that no identity ' +
    'token has this audience',
  signsIn: '`staff`: your own people and integrations. `partners`: people of the organisations that a claim names',
  scopesClaim: 'The claim that names scopes; null: every token has all of `scopes`',
  organisationsClaim: 'For `partners`: the claim that names their organisations, a list or words',
  organisationsSystem: 'Null: the claim holds our ids; otherwise ids in this system, as in `external_refs`',
  listed: 'Named in public as an issuer for this service, at /.well-known/oauth-protected-resource',
}

export const OidcIssuer = Type.Object(
  {
    ...recordHead,
    name: Type.String(),
    issuer: Type.String({ description: words.issuer }),
    audience: Type.String({ description: words.audience }),
    jwks_url: nullable(Type.String({ description: words.jwksUrl })),
    token_type: codes(tokenTypes, { description: words.tokenType }),
    algorithms: Type.Array(codes(algorithms)),
    signs_in: codes(signsIn, { description: words.signsIn }),
    scopes: Type.Array(codes(scopes)),
    scopes_claim: nullable(Type.String({ description: words.scopesClaim })),
    organisations_claim: nullable(Type.String({ description: words.organisationsClaim })),
    organisations_system: nullable(Type.String({ description: words.organisationsSystem })),
    is_enabled: Type.Boolean(),
    is_listed: Type.Boolean({ description: words.listed }),
    metadata: ref(Metadata),
  },
  { $id: 'OidcIssuer', description: 'An issuer whose access tokens are believed, and what its claims mean here' },
)
export type OidcIssuer = Static<typeof OidcIssuer>

/** The writable members, complete. */
export type OidcIssuerState = Omit<OidcIssuer, 'id' | 'version' | 'created_at' | 'updated_at'>

const url = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: 500,
    pattern: '^https?://\\S+$',
    description,
    examples: ['https://id.example.org'],
  })

export const OidcIssuerWrite = strictObject(
  {
    name: line(200, { examples: ['Our sign-in'] }),
    issuer: url(words.issuer),
    audience: line(300, { description: words.audience, examples: ['https://api.example.org'] }),
    jwks_url: Type.Optional(
      nullable(
        Type.String({
          maxLength: 500,
          pattern: '^https?://\\S+$',
          description: words.jwksUrl,
          examples: ['https://id.example.org/jwks'],
        }),
      ),
    ),
    token_type: Type.Optional(codes(tokenTypes, { default: 'at+jwt', description: words.tokenType })),
    algorithms: Type.Optional(
      Type.Array(codes(algorithms), {
        minItems: 1,
        uniqueItems: true,
        examples: [[...usual]],
        description: `Without it: ${usual.join(', ')}`,
      }),
    ),
    signs_in: codes(signsIn, { description: words.signsIn, examples: ['staff'] }),
    scopes: scopeList(),
    scopes_claim: Type.Optional(nullable(line(200, { description: words.scopesClaim, examples: ['scope'] }))),
    organisations_claim: Type.Optional(
      nullable(line(200, { description: words.organisationsClaim, examples: [null] })),
    ),
    organisations_system: Type.Optional(
      nullable(line(80, { description: words.organisationsSystem, examples: [null] })),
    ),
    is_enabled: Type.Optional(Type.Boolean({ default: true })),
    is_listed: Type.Optional(Type.Boolean({ default: false, description: words.listed })),
    metadata: Type.Optional(ref(Metadata)),
  },
  { $id: 'OidcIssuerWrite' },
)
export type OidcIssuerWrite = Static<typeof OidcIssuerWrite>

export const OidcIssuerPatch = patchOf(OidcIssuerWrite, 'OidcIssuerPatch')

export const usualAlgorithms: readonly (typeof algorithms)[number][] = usual
export const oidcIssuerSchemas = [OidcIssuer, OidcIssuerWrite, OidcIssuerPatch]
