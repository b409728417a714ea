import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { IfMatch } from '../../core/etag.ts'
import { newId } from '../../core/ids.ts'
import { Faults, notFound, Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { record, recordRemoval, unchanged } from '../../platform/events.ts'
import { holdName } from '../../platform/references.ts'
import type { Outcome } from '../../platform/resource.ts'
import { grants } from '../../platform/scopes.ts'
import type { SecretBox } from '../../platform/secrets.ts'
import { readScopesOf } from '../../platform/visibility.ts'
import { changedMembers, loadForUpdate, type Revision } from '../../platform/writes.ts'
import type { RotateSecret, WebhookEndpoint, WebhookEndpointWrite } from './schemas.ts'
import {
  deliveriesDelete,
  deliveryRestart,
  type EndpointState,
  endpointCount,
  endpointDelete,
  endpointInsert,
  endpointSecretRotate,
  endpointUpdate,
  testDeliveryInsert,
} from './store.ts'
import { webhookEndpointResource as resource } from './view.ts'

const endpointsMax = 20

/** A change of an endpoint, and the secret that is shown this once. */
export interface Secretive {
  outcome: Outcome
  secret: string
}

/** As Standard Webhooks writes it: 32 bytes, base64. */
const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`

export async function createEndpoint(tx: Tx, box: SecretBox, write: WebhookEndpointWrite): Promise<Secretive> {
  const state = stateFrom(tx, write, undefined)
  await holdName(tx, 'webhook_endpoints')
  if ((await endpointCount(tx)) >= endpointsMax) {
    throw new Problem(
      'rule_violated',
      `A tenant has at most ${endpointsMax} endpoints. Delete one that is no longer used.`,
    )
  }
  const id = newId()
  const secret = newSecret()
  await endpointInsert(tx, id, state, box.seal(secret))
  return { outcome: record(tx, { resource, id, verb: 'created', changed: Object.keys(state) }), secret }
}

export async function reviseEndpoint(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  revise: Revision<WebhookEndpointWrite>,
): Promise<Outcome> {
  const endpoint = await loadForUpdate(tx, resource, id, ifMatch)
  const { name, url, types, data_scopes, status } = endpoint
  const next = stateFrom(tx, revise({ name, url, types, data_scopes, status }), endpoint)
  const { disabled_reason, disabled_at } = endpoint
  const current: EndpointState = { name, url, types, data_scopes, status, disabled_reason, disabled_at }
  const changed = changedMembers(current, next)
  if (changed.length === 0) return unchanged(tx, resource, id)
  const { status: nextStatus, ...rest } = next
  await endpointUpdate(tx, id, nextStatus === status ? rest : next)
  return record(tx, { resource, id, verb: 'updated', changed })
}

export async function removeEndpoint(tx: Tx, id: string, ifMatch: IfMatch): Promise<void> {
  const { version } = await loadForUpdate(tx, resource, id, ifMatch)
  await deliveriesDelete(tx, id)
  recordRemoval(tx, resource, id, version)
  // Every event has its deliveries added, which keep their endpoint from going, while the tenant's counter is held: who
  // has the endpoint go first, and then asks for the counter, stands in the way of all.
  tx.atCommit(() => endpointDelete(tx, id))
}

/** How long two secrets sign where the client does not say, and at most. */
const [overlapUsualMs, overlapMaxMs] = [86_400_000, 7 * 86_400_000]

/** Until when the old secret signs along; null: no longer. @throws Problem that says what is wrong with the end */
function overlapOf(tx: Tx, { previous_valid_until: asked }: RotateSecret): string | null {
  const now = Date.parse(tx.now)
  if (asked === undefined) return new Date(now + overlapUsualMs).toISOString()
  if (asked === null) return null
  const faults = new Faults()
  const pointer = '/previous_valid_until'
  if (Date.parse(asked) <= now) {
    faults.add(pointer, 'in_past', 'Give an instant to come, or null: the old secret then ends now.')
  } else if (Date.parse(asked) - now > overlapMaxMs) {
    faults.add(pointer, 'too_late', 'Two secrets sign together for 7 days at most.')
  }
  faults.refuse()
  return asked
}

/** Gives an endpoint a new secret; the old one signs along for a while. */
export async function rotateSecret(
  tx: Tx,
  box: SecretBox,
  id: string,
  ifMatch: IfMatch,
  write: RotateSecret,
): Promise<Secretive> {
  await loadForUpdate(tx, resource, id, ifMatch)
  const until = overlapOf(tx, write)
  const secret = newSecret()
  await endpointSecretRotate(tx, id, box.seal(secret), until)
  return { outcome: record(tx, { resource, id, verb: 'secret_rotated', changed: ['previous_valid_until'] }), secret }
}

/** Takes an endpoint out of use by itself, and says so in the feed. */
export async function disableEndpoint(tx: Tx, id: string, reason: 'gone' | 'failing'): Promise<void> {
  const endpoint = await loadForUpdate(tx, resource, id)
  if (endpoint.status === 'disabled') return
  await endpointUpdate(tx, id, { status: 'disabled', disabled_reason: reason, disabled_at: tx.now })
  record(tx, { resource, id, verb: 'disabled', changed: ['status', 'disabled_reason', 'disabled_at'] })
}

/** Sends a message that is in no feed, to try an endpoint. @returns the id of its delivery */
export async function testEndpoint(tx: Tx, id: string): Promise<string> {
  const endpoint = await loadForUpdate(tx, resource, id)
  requireEnabled(endpoint)
  const [deliveryId, eventId] = [newId(), newId()]
  const payload = {
    sequence: null,
    id: eventId,
    type: 'webhook_endpoint.test',
    resource_type: 'webhook_endpoint',
    resource_id: id,
    version: endpoint.version,
    changed: [],
    actor: tx.actor,
    request_id: tx.requestId,
    occurred_at: tx.now,
    data: null,
    needs_scope: null,
    timestamp: tx.now,
  }
  await testDeliveryInsert(tx, id, deliveryId, eventId, JSON.stringify(payload))
  return deliveryId
}

/** Sends one message again. */
export async function replayDelivery(tx: Tx, endpointId: string, id: string): Promise<void> {
  requireEnabled(await loadForUpdate(tx, resource, endpointId))
  if (!(await deliveryRestart(tx, endpointId, id))) throw notFound()
}

/** @throws Problem `state_forbids` */
export function requireEnabled({ status }: WebhookEndpoint): void {
  if (status === 'enabled') return
  throw new Problem(
    'state_forbids',
    'The endpoint is disabled: nothing is sent to it. Set its status to enabled first.',
  )
}

/** The complete state that a write asks for. @throws Problem where it would show what the caller may not read */
function stateFrom(tx: Tx, write: WebhookEndpointWrite, before: WebhookEndpoint | undefined): EndpointState {
  const dataScopes = write.data_scopes ?? before?.data_scopes ?? readScopesOf(tx.scopes)
  const status = write.status ?? 'enabled'
  // Whoever says where messages go sees what is in them.
  if (!before || before.url !== write.url || !isDeepStrictEqual(before.data_scopes, dataScopes)) {
    const faults = new Faults()
    dataScopes.forEach((scope, at) => {
      if (grants(tx.scopes, scope)) return
      faults.add(
        `/data_scopes/${at}`,
        'beyond_own',
        `Your own credential does not have ${scope}, so it cannot give it.`,
      )
    })
    faults.refuse()
  }
  const isAsBefore = before?.status === status
  const reason = status === 'disabled' ? 'requested' : null
  return {
    name: write.name ?? null,
    url: write.url,
    types: write.types ?? [],
    data_scopes: dataScopes,
    status,
    disabled_reason: isAsBefore ? before.disabled_reason : reason,
    disabled_at: isAsBefore ? before.disabled_at : reason && tx.now,
  }
}
