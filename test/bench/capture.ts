import type pg from 'pg'
import { buildApp, type Deps } from '../../src/app.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { Database } from '../../src/db/database.ts'
import { makeKey } from '../../src/db/tenants.ts'
import type { StoredKey } from '../../src/platform/keys.ts'

/**
 * The statement that the service runs to answer a GET, with its values: taken from the service itself, so that the bare
 * server runs the same one, whatever it becomes.
 */
export async function capture(tenantId: string, path: string): Promise<{ text: string; values: unknown[] }> {
  const { key, secretHash } = makeKey()
  const seen: { text: string; values: unknown[] }[] = []
  const client = {
    query: async (query: { text: string; values: unknown[] }) => {
      seen.push(query)
      return { rows: [{ id: tenantId, version: 1, key: '', body: '{}' }] }
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
  const database = {
    outside: async () => [stored],
    read: (_tenant: string, work: (tx: unknown) => unknown) => work({ tenantId, client }),
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
  const [statement] = seen
  if (answer.statusCode !== 200 || seen.length !== 1 || !statement) {
    throw new Error(`GET ${path} does not run one statement: ${answer.statusCode} ${answer.payload}`)
  }
  return statement
}
