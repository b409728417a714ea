import type pg from 'pg'
import { buildApp, type Deps } from '../../src/app.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { Database } from '../../src/db/database.ts'
import { makeKey } from '../../src/db/tenants.ts'
import type { StoredKey } from '../../src/platform/keys.ts'

export interface Statement {
  text: string
  values: unknown[]
}

/** What `capture` has each statement find: a single record of this id. */
export const foundId = '00000000-0000-7000-8000-000000000000'

/**
 * The statements that the service runs to answer a GET, with their values: taken from the service itself, so that the
 * bare server runs the same, whatever they become.
 */
export async function capture(tenantId: string, path: string, count: number): Promise<Statement[]> {
  const { key, secretHash } = makeKey()
  const seen: Statement[] = []
  const client = {
    query: async (query: Statement) => {
      seen.push(query)
      return { rows: [{ id: foundId, version: 1, key: '', body: '{}' }] }
    },
  } as unknown as pg.PoolClient
  const stored: StoredKey = {
    tenant_id: tenantId,
    id: tenantId,
    secret_hash: secretHash,
    scopes: ['admin'],
    is_live: true,
    expires_at: null,
    last_used_at: systemClock.now(),
    is_partner: false,
    organisations: [],
    allowed_addresses: [],
    previous_secret_hash: null,
    previous_valid_until: null,
  }
  const reading = (_tenant: string, work: (tx: unknown) => unknown) => work({ tenantId, client })
  const database = {
    outside: async () => [stored],
    read: reading,
    moment: reading,
  } as unknown as Database
  const app = await buildApp({
    database,
    clock: systemClock,
    logger: undefined,
    publicUrl: 'http://127.0.0.1',
    bodyLimitBytes: 1_048_576,
    requestsPerMinute: 1_000_000,
    corsOrigins: true,
    trustProxy: false,
    // No read of records touches these.
    signals: {} as Deps['signals'],
    webhooks: {} as Deps['webhooks'],
    eventLoopDelayMaxMs: 60_000,
  })
  const answer = await app.inject({ url: path, headers: { authorization: `Bearer ${key}` } })
  await app.close()
  if (answer.statusCode !== 200 || seen.length !== count) {
    throw new Error(`GET ${path} runs ${seen.length} statements, not ${count}: ${answer.statusCode} ${answer.payload}`)
  }
  return seen
}
