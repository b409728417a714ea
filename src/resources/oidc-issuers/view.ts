import { compiler } from '../../db/prepared.ts'
import { defineResource, type View } from '../../platform/resource.ts'
import type { OidcIssuer } from './schemas.ts'

const view: View<OidcIssuer> = compiler
  .selectFrom('oidc_issuers as r')
  .select((eb) => [
    'r.id',
    'r.version',
    'r.created_at',
    'r.updated_at',
    'r.name',
    'r.issuer',
    'r.audience',
    'r.jwks_url',
    eb.ref('r.token_type').$castTo<OidcIssuer['token_type']>().as('token_type'),
    eb.ref('r.algorithms').$castTo<OidcIssuer['algorithms']>().as('algorithms'),
    eb.ref('r.signs_in').$castTo<OidcIssuer['signs_in']>().as('signs_in'),
    eb.ref('r.scopes').$castTo<OidcIssuer['scopes']>().as('scopes'),
    'r.scopes_claim',
    'r.organisations_claim',
    'r.organisations_system',
    'r.is_enabled',
    'r.is_listed',
    eb.ref('r.metadata').$castTo<Record<string, unknown>>().as('metadata'),
  ])

export const oidcIssuerResource = defineResource<OidcIssuer>({
  type: 'oidc_issuer',
  path: 'oidc-issuers',
  table: 'oidc_issuers',
  view,
})
