import { Webhook } from 'standardwebhooks'
import { Type } from 'typebox'
import type { Clock } from '../../core/clock.ts'
import { uuid } from '../../core/schemas.ts'
import { type Tx, wholeTenant } from '../../db/database.ts'
import { defineJob, handleJob, type JobContext, type JobHandler } from '../../platform/jobs.ts'
import { type Outbound, OutboundError } from '../../platform/outbound.ts'
import type { SecretBox } from '../../platform/secrets.ts'
import { sightOf } from '../../platform/visibility.ts'
import { disableEndpoint } from './commands.ts'
import {
  type Attempt,
  attemptInsert,
  type DueDelivery,
  deliveryDiscard,
  deliveryDue,
  deliveryEnqueue,
  endpointHealthSet,
  messageOf,
  stretchReplay,
} from './store.ts'

export interface Webhooks {
  outbound: Outbound
  box: SecretBox
}

/** Enqueued by the trigger on events, and by replays. */
const deliverWebhook = defineJob('deliver_webhook', Type.Object({ delivery_id: uuid() }))
export const replayStretch = defineJob(
  'replay_webhooks',
  Type.Object({ endpoint_id: uuid(), after: Type.Integer(), until: Type.Integer() }),
)

/** Seconds after each failed attempt; together a little over three days, as Standard Webhooks advises. */
const pausesS = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
const pauseMaxS = 86_400
/** An endpoint that nothing has reached for this long is disabled when a message to it is given up. */
const failingMaxMs = 3 * 86_400_000
const stretch = 500

export const webhookJobs = (webhooks: Webhooks): JobHandler[] => [
  handleJob(deliverWebhook, (context, { delivery_id: id }) => deliver(webhooks, context, id)),
  handleJob(replayStretch, async ({ database, caller, signal }, { endpoint_id: endpointId, after, until }) => {
    for (let from = after; from < until && !signal.aborted; from += stretch) {
      await database.write(caller(), (tx) => stretchReplay(tx, endpointId, from, Math.min(from + stretch, until)))
    }
    signal.throwIfAborted()
  }),
]

async function deliver({ outbound, box }: Webhooks, context: JobContext, id: string): Promise<void> {
  const { database, tenantId, caller, clock, signal, log } = context
  const found = await database.read(wholeTenant(tenantId), async (tx) => {
    const delivery = await deliveryDue(tx, id)
    if (delivery?.status !== 'pending') return undefined
    const { payload, sequence, data_scopes } = delivery
    const message = payload ?? (sequence === null ? undefined : await messageOf(tx, sequence, sightOf(data_scopes)))
    return { delivery, message }
  })
  if (!found) return
  const { delivery, message } = found
  if (!delivery.is_enabled || message === undefined) {
    return database.write(caller(), (tx) => deliveryDiscard(tx, id))
  }

  const begun = performance.now()
  const attemptedAt = clock.now()
  const sent = await outbound
    .post(delivery.url, { ...headersFor(delivery, message, box, clock), ...fixedHeaders }, message, signal)
    .catch((error: unknown) => {
      if (error instanceof OutboundError) return error
      throw error
    })
  // The attempt that a stop cut short is made again by the next process.
  if (sent instanceof OutboundError) signal.throwIfAborted()
  const durationMs = Math.round(performance.now() - begun)
  const result = resultOf(sent)
  log.debug({ delivery: id, status: result.statusCode, error: result.error }, 'webhook attempt')
  await database.write(caller(), (tx) => settle(tx, delivery, { ...result, durationMs, attemptedAt }, result))
}

const fixedHeaders = { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'Beide-Webhooks/1' }

/** The id stays the same over all attempts, the timestamp is of this one; each secret that is live signs. */
function headersFor(delivery: DueDelivery, message: string, box: SecretBox, clock: Clock): Record<string, string> {
  const { event_id: id, secret, previous_secret: previous, previous_secret_until: until } = delivery
  const now = new Date(clock.millis())
  const secrets = [secret, ...(previous && until && Date.parse(until) > clock.millis() ? [previous] : [])]
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': secrets.map((sealed) => new Webhook(box.open(sealed)).sign(id, now, message)).join(' '),
  }
}

interface Result {
  statusCode: number | null
  error: string | null
  retryAfter: string | undefined
}

function resultOf(sent: { status: number; retryAfter: string | undefined } | OutboundError): Result {
  if (sent instanceof OutboundError) return { statusCode: null, error: sent.message, retryAfter: undefined }
  const { status, retryAfter } = sent
  if (status >= 200 && status < 300) return { statusCode: status, error: null, retryAfter: undefined }
  const error =
    status >= 300 && status < 400
      ? `It answered ${status}: redirects are not followed. Change the address of the endpoint.`
      : `It answered ${status}.`
  return { statusCode: status, error, retryAfter }
}

/**
 * Logs the attempt and decides what comes next, all in one transaction. The endpoint is held before its delivery, as who
 * sends again holds them.
 */
async function settle(tx: Tx, delivery: DueDelivery, attempt: Attempt, { retryAfter }: Result): Promise<void> {
  const { id, endpoint_id: endpointId } = delivery
  const failingSince = await endpointHealthSet(tx, endpointId, attempt.error !== null)
  if (attempt.error === null) {
    await attemptInsert(tx, delivery, attempt, { status: 'succeeded', nextAttemptAt: null })
    return
  }
  const isGone = attempt.statusCode === 410
  const pauseS = pausesS[delivery.round_attempts]
  if (pauseS !== undefined && !isGone) {
    const nextAttemptAt = instantAfter(tx.now, Math.max(jittered(pauseS), secondsOf(retryAfter, tx.now)))
    const isOurs = await attemptInsert(tx, delivery, attempt, { status: 'pending', nextAttemptAt })
    if (isOurs) await deliveryEnqueue(tx, endpointId, id, nextAttemptAt)
    return
  }
  const isOurs = await attemptInsert(tx, delivery, attempt, { status: 'failed', nextAttemptAt: null })
  if (isGone) await disableEndpoint(tx, endpointId, 'gone')
  else if (isOurs && failingSince !== null && Date.parse(tx.now) - Date.parse(failingSince) >= failingMaxMs) {
    await disableEndpoint(tx, endpointId, 'failing')
  }
}

const instantAfter = (now: string, seconds: number) => new Date(Date.parse(now) + seconds * 1000).toISOString()

/** A tenth more or less, so that what failed together does not come back together. */
const jittered = (seconds: number) => seconds * (0.9 + Math.random() * 0.2)

/** What a Retry-After asks for, in seconds (RFC 9110, 10.2.3): at most a day; 0 where it asks for nothing. */
export function secondsOf(retryAfter: string | undefined, now: string): number {
  if (retryAfter === undefined) return 0
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.parse(now)) / 1000
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), pauseMaxS) : 0
}
