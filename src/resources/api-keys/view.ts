import { compiler } from '../../db/prepared.ts'
import { defineResource, type View } from '../../platform/resource.ts'
import type { ApiKey } from './schemas.ts'

/** Row to wire: explicit, and so without the hash of the secret. */
const view: View<ApiKey> = compiler
  .selectFrom('api_keys as r')
  .select((eb) => [
    'r.id',
    'r.version',
    'r.created_at',
    'r.updated_at',
    'r.name',
    'r.prefix',
    eb.ref('r.scopes').$castTo<ApiKey['scopes']>().as('scopes'),
    'r.organisation_ids',
    'r.allowed_addresses',
    'r.expires_at',
    'r.previous_valid_until',
    'r.revoked_at',
    'r.last_used_at',
  ])

export const apiKeyResource = defineResource<ApiKey>({ type: 'api_key', path: 'api-keys', table: 'api_keys', view })
