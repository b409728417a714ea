import { sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import { compiler, param, prepare, tenantParam } from '../../db/prepared.ts'
import { defineResource, type Represented, type View } from '../../platform/resource.ts'
import type { WebhookDelivery, WebhookEndpoint } from './schemas.ts'

/** Row to wire: explicit, and so without the secrets. */
const view: View<WebhookEndpoint> = compiler
  .selectFrom('webhook_endpoints as r')
  .select((eb) => [
    'r.id',
    'r.version',
    'r.created_at',
    'r.updated_at',
    'r.name',
    'r.url',
    'r.types',
    eb.ref('r.data_scopes').$castTo<WebhookEndpoint['data_scopes']>().as('data_scopes'),
    eb.ref('r.status').$castTo<WebhookEndpoint['status']>().as('status'),
    eb.ref('r.disabled_reason').$castTo<WebhookEndpoint['disabled_reason']>().as('disabled_reason'),
    'r.disabled_at',
    'r.previous_secret_until as previous_valid_until',
  ])

export const webhookEndpointResource = defineResource<WebhookEndpoint>({
  type: 'webhook_endpoint',
  path: 'webhook-endpoints',
  table: 'webhook_endpoints',
  view,
})

const lastAttempts = 20

export const deliveryView: View<WebhookDelivery> = compiler.selectFrom('webhook_deliveries as r').select((eb) => [
  'r.id',
  'r.endpoint_id',
  'r.event_id',
  eb.ref('r.sequence').$castTo<number | null>().as('sequence'),
  'r.type',
  eb.ref('r.status').$castTo<WebhookDelivery['status']>().as('status'),
  'r.next_attempt_at',
  jsonArrayFrom(
    eb
      .selectFrom('webhook_attempts as a')
      .select(['a.number', 'a.attempted_at', 'a.duration_ms', 'a.status_code', 'a.error'])
      .whereRef('a.tenant_id', '=', 'r.tenant_id')
      .whereRef('a.delivery_id', '=', 'r.id')
      .where('a.number', '>', sql<number>`r.attempts - ${sql.lit(lastAttempts)}`)
      .orderBy('a.number'),
  ).as('attempts'),
  'r.created_at',
  'r.finished_at',
])

const oneDelivery = deliveryView
  .where(sql.ref('r.tenant_id'), '=', tenantParam)
  .where(sql.ref('r.endpoint_id'), '=', param<string>('endpoint_id'))
  .where(sql.ref('r.id'), '=', param<string>('id'))

export const deliveryById = prepare<Pick<Represented, 'body'>>(
  sql`select row_to_json(v)::text as body from (${oneDelivery}) v`,
)
