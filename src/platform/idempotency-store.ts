import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import type { Tx } from '../db/database.ts'
import { param, prepare, tenantParam } from '../db/prepared.ts'

/** What a key is a key of: the same text from another credential, or for another operation, is another key. */
export interface KeyName {
  tenantId: string
  credentialId: string
  route: string
  key: string
}

export interface StoredAnswer {
  fingerprint: Buffer
  status: number
  headers: Record<string, string>
  body: Buffer
  isSealed: boolean
  /** What the request needed beyond the scope of its operation. */
  scopes: string[]
}

const lock = prepare<{ is_ours: boolean }>(
  sql`select pg_try_advisory_xact_lock(hashtextextended(${param('name')}, 0)) as is_ours`,
)
const find = prepare<StoredAnswer>(sql`
  select fingerprint, status, headers, body, is_sealed as "isSealed", scopes from idempotency_keys
  where tenant_id = ${tenantParam} and credential_id = ${param('credential_id')}::uuid and route = ${param('route')}
    and key = ${param('key')} and expires_at > ${param('now')}::timestamptz`)
// An expired key that still lies there gives way.
const keep = prepare(sql`
  insert into idempotency_keys (tenant_id, credential_id, route, key, fingerprint, status, headers, body, is_sealed,
    scopes, created_at, expires_at)
  values (${tenantParam}, ${param('credential_id')}, ${param('route')}, ${param('key')}, ${param('fingerprint')},
    ${param('status')}, ${param('headers')}, ${param('body')}, ${param('is_sealed')}, ${param('scopes')}, ${param('now')},
    ${param('expires_at')})
  on conflict (tenant_id, credential_id, route, key) do update set fingerprint = excluded.fingerprint,
    status = excluded.status, headers = excluded.headers, body = excluded.body, is_sealed = excluded.is_sealed,
    scopes = excluded.scopes, created_at = excluded.created_at, expires_at = excluded.expires_at`)

const valuesOf = ({ credentialId, route, key }: KeyName) => ({ credential_id: credentialId, route, key })

/**
 * Claims a key for the rest of the transaction, and finds the answer that was given under it. Without waiting: while
 * another transaction has the key, it is not ours.
 */
export async function claimKey(tx: Tx, name: KeyName): Promise<{ isOurs: boolean; answer: StoredAnswer | undefined }> {
  const lockName = JSON.stringify(['idempotency', ...Object.values(name)])
  // Sent together; the second statement sees all that was committed before the first one had the lock.
  const [locks, answers] = await Promise.all([
    lock.run(tx, { name: lockName }),
    find.run(tx, { ...valuesOf(name), now: tx.now }),
  ])
  return { isOurs: locks[0]?.is_ours === true, answer: answers[0] }
}

/** Keeps an answer under its key. `expiresAt` is an instant. */
export async function keepAnswer(tx: Tx, name: KeyName, expiresAt: string, answer: StoredAnswer): Promise<void> {
  const { fingerprint, status, headers, body, isSealed } = answer
  await keep.run(tx, {
    ...valuesOf(name),
    fingerprint,
    status,
    headers: JSON.stringify(headers),
    body,
    is_sealed: isSealed,
    scopes: answer.scopes,
    now: tx.now,
    expires_at: expiresAt,
  })
}

const sealingKey = (credential: string, key: string): Buffer =>
  Buffer.from(hkdfSync('sha256', credential, key, 'beide answer with a secret', 32))

/** Encrypts an answer (AES-256-GCM) under what its caller alone can present again. */
export function sealAnswer(credential: string, key: string, text: string): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', sealingKey(credential, key), nonce)
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

/** @throws Error where the answer was sealed by another credential, or another secret of it */
export function openAnswer(credential: string, key: string, sealed: Buffer): string {
  const decipher = createDecipheriv('aes-256-gcm', sealingKey(credential, key), sealed.subarray(0, 12))
  decipher.setAuthTag(sealed.subarray(-16))
  return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString('utf8')
}
