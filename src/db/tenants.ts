import { hash, randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Clock } from '../core/clock.ts'
import { newId } from '../core/ids.ts'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Random text of letters and digits, each character drawn without bias. */
function randomText(length: number): string {
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length * 2)) {
      if (byte < 248 && text.length < length) text += alphabet[byte % 62]
    }
  }
  return text
}

export interface NewKey {
  /** The whole key: shown once, never stored. */
  key: string
  prefix: string
  secretHash: Buffer
}

const keyForm = /^(beide_[0-9A-Za-z]{12})_([0-9A-Za-z]{32,64})$/

/** The public prefix and the hash of the secret of a presented key; undefined for what has not the form of a key. */
export function parseKey(presented: string): { prefix: string; secretHash: Buffer } | undefined {
  const match = keyForm.exec(presented)
  if (!match?.[1] || !match[2]) return undefined
  return { prefix: match[1], secretHash: hash('sha256', match[2], 'buffer') }
}

/** A new API key: 12 characters to find it by, 43 characters (256 bits) of secret. */
export function makeKey(): NewKey {
  const key = `beide_${randomText(12)}_${randomText(43)}`
  return fromKey(key)
}

/** The stored form of a given key. @throws Error where it has not the form of a key. */
export function fromKey(key: string): NewKey {
  const parsed = parseKey(key)
  if (!parsed) throw new Error('A key has the form beide_<12 letters or digits>_<32 to 64 letters or digits>')
  return { key, ...parsed }
}

export interface SetUp {
  tenantId: string
  keyId: string
  key: string
}

/** Runs work as the owner of the schema, on one connection outside the service's pools. */
export async function asOwner<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    application_name: 'beide set-up',
  })
  await client.connect()
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    return result
  } finally {
    await client.end()
  }
}

/** Makes a tenant of this name with an API key of these scopes. */
export async function createTenant(
  client: pg.Client,
  clock: Clock,
  tenant: { name: string; keyName: string; scopes: readonly string[]; key?: string },
): Promise<SetUp> {
  const tenantId = newId()
  const now = clock.now()
  await client.query('insert into tenants (id, name, created_at) values ($1, $2, $3)', [tenantId, tenant.name, now])
  await client.query('insert into tenant_counters (tenant_id) values ($1)', [tenantId])
  const { key, keyId } = await createKey(client, clock, tenantId, tenant)
  return { tenantId, keyId, key }
}

/** Adds an API key to a tenant. */
export async function createKey(
  client: pg.Client,
  clock: Clock,
  tenantId: string,
  options: { keyName: string; scopes: readonly string[]; key?: string },
): Promise<{ keyId: string; key: string }> {
  const made = options.key === undefined ? makeKey() : fromKey(options.key)
  const keyId = newId()
  await client.query(
    `insert into api_keys (tenant_id, id, created_at, updated_at, name, prefix, secret_hash, scopes)
     values ($1, $2, $3, $3, $4, $5, $6, $7)`,
    [tenantId, keyId, clock.now(), options.keyName, made.prefix, made.secretHash, options.scopes],
  )
  // Outside the service there is no event; the audit knows of every key all the same.
  await client.query(
    `select audit_append($1, $2, 'change', 'api_key.created', 'api_key', $3, 1, '{}', $4, null, null, $5, null)`,
    [tenantId, clock.now(), keyId, { type: 'system', id: null }, { name: options.keyName, scopes: options.scopes }],
  )
  return { keyId, key: made.key }
}

/** On an empty database: the first tenant and its admin key. Null where there is a tenant already. */
export async function bootstrap(
  url: string,
  clock: Clock,
  options: { tenant: string; key: string | undefined },
): Promise<SetUp | null> {
  return asOwner(url, async (client) => {
    // Several processes may start at once: one of them sets up, the others see what it made.
    await client.query('select pg_advisory_xact_lock(hashtext($1))', ['beide bootstrap'])
    const existing = await client.query('select 1 from tenants limit 1')
    if (existing.rowCount) return null
    const key = options.key === undefined ? {} : { key: options.key }
    return createTenant(client, clock, { name: options.tenant, keyName: 'bootstrap', scopes: ['admin'], ...key })
  })
}

/** The id of a tenant by its name. */
export async function findTenant(client: pg.Client, name: string): Promise<string | undefined> {
  const found = await client.query<{ id: string }>('select id from tenants where name = $1', [name])
  return found.rows[0]?.id
}
