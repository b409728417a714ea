import { sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import type { Principal } from '../../platform/principal.ts'
import type { Me } from './schemas.ts'

/** What only the tenant's own readers see: the name of the tenant, and the row of the credential. */
type Known = Pick<Me, 'tenant' | 'api_key' | 'expires_at'> & { issuer: string | null }

const known = prepare<{ body: string }>(sql`
  select json_build_object(
    'tenant', (select row_to_json(t) from (select id, name from tenants where id = ${tenantParam}) t),
    'api_key', (
      select row_to_json(k) from (
        select id, name, prefix from api_keys
        where tenant_id = ${tenantParam} and id = ${param('key_id')}::uuid) k),
    'expires_at', ${param('expires_at')}::timestamptz,
    'issuer', (select issuer from oidc_issuers where tenant_id = ${tenantParam} and id = ${param('issuer_id')}::uuid)
  )::text as body`)

// Asked as the partner itself: what it stands for is what the wall in the database takes it for.
const organisations = prepare<Me['organisations'][number]>(sql`
  select id, name from organisations
  where tenant_id = ${tenantParam} and id = any ((select partner_own())::uuid[]) and merged_into_id is null
  order by sort_name, id`)

/** What a credential is, but for its limits. */
export async function readMe(database: Database, principal: Principal): Promise<Omit<Me, 'requests_per_minute'>> {
  const { tenantId, actor, scopes, expiresAt } = principal
  const isKey = actor.type === 'api_key'
  const [issuerId = null, ...subject] = isKey ? [] : (actor.id ?? '').split('/')
  const isPartner = principal.organisations !== null
  const [[row], own] = await Promise.all([
    database.read({ tenantId, organisations: null }, (tx) =>
      known.run(tx, { key_id: isKey ? actor.id : null, issuer_id: issuerId, expires_at: expiresAt }),
    ),
    isPartner ? database.read(principal, (tx) => organisations.run(tx)) : [],
  ])
  const { tenant, expires_at, api_key, issuer } = JSON.parse(row?.body ?? '') as Known
  return {
    type: isKey ? 'api_key' : 'token',
    audience: isPartner ? 'partner' : 'staff',
    tenant,
    scopes: [...scopes] as Me['scopes'],
    organisations: own,
    expires_at,
    api_key,
    token: issuer === null ? null : { issuer, subject: subject.join('/') },
  }
}
