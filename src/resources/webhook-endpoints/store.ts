import { sql } from 'kysely'
import type { ReadTx, Tx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import type { Sight } from '../../platform/visibility.ts'
import { eventColumns, sightValues } from '../events/read.ts'
import type { WebhookEndpoint } from './schemas.ts'

/** The members of an endpoint that are written. */
export type EndpointState = Pick<
  WebhookEndpoint,
  'name' | 'url' | 'types' | 'data_scopes' | 'status' | 'disabled_reason' | 'disabled_at'
>

export async function endpointInsert(tx: Tx, id: string, state: EndpointState, secret: string): Promise<void> {
  await tx.db
    .insertInto('webhook_endpoints')
    .values({ tenant_id: tx.tenantId, id, created_at: tx.now, updated_at: tx.now, ...state, secret })
    .execute()
}

export async function endpointUpdate(tx: Tx, id: string, state: Partial<EndpointState>): Promise<void> {
  await tx.db
    .updateTable('webhook_endpoints')
    .set({ ...state, updated_at: tx.now, version: sql`version + 1`, ...(state.status ? { failing_since: null } : {}) })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}

/** Puts a new secret in front of the one before, which signs along until an instant; null: it does no more. */
export async function endpointSecretRotate(tx: Tx, id: string, secret: string, until: string | null): Promise<void> {
  await tx.db
    .updateTable('webhook_endpoints')
    .set({
      secret,
      previous_secret: until === null ? null : sql.ref('secret'),
      previous_secret_until: until,
      updated_at: tx.now,
      version: sql`version + 1`,
    })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}

const removal = prepare(sql`
  delete from webhook_endpoints where tenant_id = ${tenantParam} and id = ${param('id')}::uuid`)

/** Sent when it is called, so that it may go with the commit. */
export async function endpointDelete(tx: Tx, id: string): Promise<void> {
  await removal.run(tx, { id })
}

const deliveriesRemoval = prepare<object>(sql`
  delete from webhook_deliveries d using (
    select id from webhook_deliveries where tenant_id = ${tenantParam} and endpoint_id = ${param('id')}::uuid limit 5000
  ) part
  where d.tenant_id = ${tenantParam} and d.id = part.id
  returning 1`)

/** Deletes the log of an endpoint, a part in each statement: it may be long. */
export async function deliveriesDelete(tx: Tx, id: string): Promise<void> {
  while ((await deliveriesRemoval.run(tx, { id })).length > 0);
}

export async function endpointCount(tx: Tx): Promise<number> {
  const counted = await tx.db
    .selectFrom('webhook_endpoints')
    .select((eb) => eb.fn.countAll<string>().as('n'))
    .where('tenant_id', '=', tx.tenantId)
    .executeTakeFirstOrThrow()
  return Number(counted.n)
}

/** Notes that attempts fail, since when, or that one succeeded. Not a change of the endpoint: no version, no event. */
export async function endpointHealthSet(tx: Tx, id: string, isFailing: boolean): Promise<string | null> {
  const rows = await tx.db
    .updateTable('webhook_endpoints')
    .set({ failing_since: isFailing ? sql`coalesce(failing_since, ${tx.now}::timestamptz)` : null })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .where((eb) => (isFailing ? eb.lit(true) : eb('failing_since', 'is not', null)))
    .returning('failing_since')
    .execute()
  return rows[0]?.failing_since ?? null
}

export interface DueDelivery {
  id: string
  endpoint_id: string
  event_id: string
  sequence: string | null
  status: string
  round_attempts: number
  /** A replay sets it: while it stays, so does what is under way. */
  next_attempt_at: string | null
  payload: string | null
  url: string
  is_enabled: boolean
  data_scopes: string[]
  secret: string
  previous_secret: string | null
  previous_secret_until: string | null
}

const due = prepare<DueDelivery>(sql`
  select d.id, d.endpoint_id, d.event_id, d.sequence, d.status, d.round_attempts, d.next_attempt_at, d.payload::text as payload,
    w.url, w.status = 'enabled' as is_enabled, w.data_scopes, w.secret, w.previous_secret, w.previous_secret_until
  from webhook_deliveries d join webhook_endpoints w on w.tenant_id = d.tenant_id and w.id = d.endpoint_id
  where d.tenant_id = ${tenantParam} and d.id = ${param('id')}`)

export const deliveryDue = async (tx: ReadTx, id: string): Promise<DueDelivery | undefined> =>
  (await due.run(tx, { id }))[0]

const message = prepare<{ body: string }>(sql`
  select row_to_json(v)::text as body from (
    select ${eventColumns}, e.occurred_at as timestamp from events e
    where e.tenant_id = ${tenantParam} and e.sequence = ${param('sequence')}::bigint
  ) v`)

/** The event as an endpoint with this sight is told it; undefined where it is no longer kept. */
export async function messageOf(tx: ReadTx, sequence: string, sight: Sight): Promise<string | undefined> {
  return (await message.run(tx, { ...sightValues(sight), sequence }))[0]?.body
}

export interface Attempt {
  statusCode: number | null
  error: string | null
  durationMs: number
  attemptedAt: string
}

/**
 * Logs an attempt and says what comes of the delivery.
 * @returns false where it was begun anew, ended or removed meanwhile: then that stands
 */
export async function attemptInsert(
  tx: Tx,
  delivery: DueDelivery,
  attempt: Attempt,
  next: { status: string; nextAttemptAt: string | null },
): Promise<boolean> {
  const counted = tx.db
    .updateTable('webhook_deliveries')
    .set({ attempts: sql`attempts + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', delivery.id)
    .returning('attempts')
  const settled = await counted
    .set({
      status: next.status,
      round_attempts: delivery.round_attempts + 1,
      next_attempt_at: next.nextAttemptAt,
      finished_at: next.nextAttemptAt === null ? tx.now : null,
    })
    .where('next_attempt_at', 'is not distinct from', delivery.next_attempt_at)
    .executeTakeFirst()
  const row = settled ?? (await counted.executeTakeFirst())
  if (!row) return false
  await tx.db
    .insertInto('webhook_attempts')
    .values({
      tenant_id: tx.tenantId,
      delivery_id: delivery.id,
      number: row.attempts,
      attempted_at: attempt.attemptedAt,
      duration_ms: attempt.durationMs,
      status_code: attempt.statusCode,
      error: attempt.error,
    })
    .execute()
  return settled !== undefined
}

export async function deliveryDiscard(tx: Tx, id: string): Promise<void> {
  await tx.db
    .updateTable('webhook_deliveries')
    .set({ status: 'discarded', next_attempt_at: null, finished_at: tx.now })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .where('status', '=', 'pending')
    .execute()
}

export async function deliveryEnqueue(tx: Tx, endpointId: string, id: string, runAt: string | null): Promise<void> {
  await sql`select enqueue_delivery(${endpointId}, ${id}, ${runAt}::timestamptz)`.execute(tx.db)
}

/** Makes the delivery of a test, which is in no feed. */
export async function testDeliveryInsert(tx: Tx, endpointId: string, id: string, eventId: string, payload: string) {
  await tx.db
    .insertInto('webhook_deliveries')
    .values({
      tenant_id: tx.tenantId,
      id,
      endpoint_id: endpointId,
      event_id: eventId,
      payload,
      type: 'webhook_endpoint.test',
      status: 'pending',
      next_attempt_at: tx.now,
      created_at: tx.now,
    })
    .execute()
  await deliveryEnqueue(tx, endpointId, id, null)
}

/** Begins a delivery anew, whatever became of it. @returns false where there is none */
export async function deliveryRestart(tx: Tx, endpointId: string, id: string): Promise<boolean> {
  const restarted = await tx.db
    .updateTable('webhook_deliveries')
    .set({ status: 'pending', round_attempts: 0, next_attempt_at: tx.now, finished_at: null })
    .where('tenant_id', '=', tx.tenantId)
    .where('endpoint_id', '=', endpointId)
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst()
  if (restarted) await deliveryEnqueue(tx, endpointId, id, null)
  return restarted !== undefined
}

/** Sends a stretch of the feed again, as far as the endpoint takes the types. Sequences: after `after`, up to `until`. */
export async function stretchReplay(tx: Tx, endpointId: string, after: number, until: number): Promise<void> {
  await sql`
    with made as (
      insert into webhook_deliveries as d (tenant_id, id, endpoint_id, event_id, sequence, type, status, next_attempt_at,
        created_at)
      select e.tenant_id, gen_random_uuid(), w.id, e.id, e.sequence, e.type, 'pending', ${tx.now}::timestamptz,
        ${tx.now}::timestamptz
      from webhook_endpoints w join events e on e.tenant_id = w.tenant_id
      where w.tenant_id = ${tx.tenantId} and w.id = ${endpointId} and w.status = 'enabled'
        and e.sequence > ${after} and e.sequence <= ${until}
        and (w.types = '{}' or e.type = any(w.types) or e.resource_type || '.*' = any(w.types))
      on conflict (tenant_id, endpoint_id, event_id) do update set status = 'pending', round_attempts = 0,
        next_attempt_at = excluded.next_attempt_at, finished_at = null
      returning d.endpoint_id, d.id, d.sequence
    )
    select enqueue_delivery(endpoint_id, id, null) from (select * from made order by sequence) ordered`.execute(tx.db)
}

/** The bounds of the feed. */
export async function feedBounds(tx: ReadTx): Promise<{ oldest: number; latest: number }> {
  const found = await sql<{ oldest: string; latest: string }>`
    select c.event_sequence as latest, coalesce(
      (select min(sequence) from events where tenant_id = ${tx.tenantId}), c.event_sequence + 1) as oldest
    from tenant_counters c where c.tenant_id = ${tx.tenantId}`.execute(tx.db)
  return { oldest: Number(found.rows[0]?.oldest), latest: Number(found.rows[0]?.latest) }
}
