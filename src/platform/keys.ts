import { timingSafeEqual } from 'node:crypto'
import { sql } from 'kysely'
import type { Clock } from '../core/clock.ts'
import { Problem } from '../core/problem.ts'
import { type Actor, type Database, wholeTenant } from '../db/database.ts'
import { param, prepare, tenantParam } from '../db/prepared.ts'
import { parseKey } from '../db/tenants.ts'
import { within } from './networks.ts'
import type { Principal } from './principal.ts'
import type { Tokens } from './tokens/authenticator.ts'

export interface StoredKey extends Record<string, unknown> {
  tenant_id: string
  id: string
  secret_hash: Buffer
  scopes: string[]
  is_live: boolean
  expires_at: string | null
  last_used_at: string | null
  is_partner: boolean
  organisations: string[]
  allowed_addresses: string[]
  previous_secret_hash: Buffer | null
  previous_valid_until: string | null
  /** Made of `allowed_addresses` when first asked. */
  allows?: (address: string) => boolean
}

/** How long a looked-up key is believed. A revoked key stops working within this time on every process. */
const believedForMs = 800
const cachedKeysMax = 10_000
/** The use of a key is noted at most this often. */
const useNotedEveryMs = 60_000

const noteUse = prepare(sql`
  update api_keys set last_used_at = ${param('now')}::timestamptz where tenant_id = ${tenantParam} and id = ${param('id')}::uuid
`)

/** Takes the credential, and the address that it came from as the proxies that are trusted tell it. */
export type Authenticate = (authorization: string | undefined, address: string) => Promise<Principal>

/** Finds keys by their public prefix, each at most once in `believedForMs`, and compares secrets in constant time. */
export function keyAuthenticator(database: Database, clock: Clock, tokens: Tokens): Authenticate {
  const cache = new Map<string, { at: number; key: Promise<StoredKey | undefined> }>()

  const lookUp = async (prefix: string): Promise<StoredKey | undefined> => {
    const rows = await database.outside<StoredKey>({
      name: 'find_api_key',
      text: 'select * from find_api_key($1)',
      values: [prefix],
    })
    return rows[0]
  }

  const find = (prefix: string): Promise<StoredKey | undefined> => {
    const now = performance.now()
    const cached = cache.get(prefix)
    if (cached && now - cached.at < believedForMs) return cached.key
    const key = lookUp(prefix)
    cache.delete(prefix)
    cache.set(prefix, { at: now, key })
    // A failed look-up is not remembered; nor is more than a bounded number of keys, the oldest go first.
    key.catch(() => cache.delete(prefix))
    if (cache.size > cachedKeysMax) cache.delete(cache.keys().next().value as string)
    return key
  }

  // Only of a key whose secret is right: a prefix is no secret, and its use by a stranger is none.
  const note = async (stored: StoredKey): Promise<void> => {
    const isRecent = stored.last_used_at !== null && clock.millis() - Date.parse(stored.last_used_at) < useNotedEveryMs
    if (isRecent) return
    const caller = { ...wholeTenant(stored.tenant_id), actor: { type: 'system', id: null }, scopes: [] } as const
    const now = clock.now()
    stored.last_used_at = now
    await database.write({ ...caller, requestId: 'note_key_use', now }, (tx) => noteUse.run(tx, { now, id: stored.id }))
  }

  return async (authorization, address) => {
    const presented = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
    if (presented === undefined) throw missing()
    if (presented.includes('.')) return byToken(tokens, presented)
    const parsed = parseKey(presented)
    const stored = parsed ? await find(parsed.prefix) : undefined
    // Whatever is wrong with a credential, the answer is one and the same.
    if (!parsed || !stored) throw notValid()
    const reason = faultOf(parsed, stored, clock)
    if (reason !== undefined) throw notValid({ tenantId: stored.tenant_id, type: 'api_key', id: stored.id, reason })
    const actor = { type: 'api_key', id: stored.id } as const
    if (stored.allowed_addresses.length > 0) {
      stored.allows ??= within(stored.allowed_addresses)
      if (!stored.allows(address)) throw new WrongAddress(stored.tenant_id, actor, address)
    }
    await note(stored)
    // A partner's key stays one, whatever became of its organisations.
    const organisations = stored.is_partner ? stored.organisations : null
    const { tenant_id: tenantId, id: keyId, scopes } = stored
    return { tenantId, keyId, actor, scopes, organisations, expiresAt: endOf(parsed, stored) }
  }
}

/** Believes an access token of an issuer of the tenant's. */
async function byToken(tokens: Tokens, presented: string): Promise<Principal> {
  const { principal, issuer } = await tokens(presented)
  if (principal) return principal
  throw notValid(issuer && { ...issuer, type: 'oidc_issuer', reason: 'invalid_token' })
}

/** Why a key that was found is refused; undefined where it is not. For the audit: the caller is not told. */
function faultOf(parsed: { secretHash: Buffer }, stored: StoredKey, clock: Clock): Refused['reason'] | undefined {
  if (!opens(parsed, stored, clock)) return 'wrong_secret'
  if (!stored.is_live) return 'revoked'
  if (stored.expires_at !== null && Date.parse(stored.expires_at) <= clock.millis()) return 'expired'
  return undefined
}

/** True for the secret of a key, and for the one before while it still is good. Both are compared, in constant time. */
function opens({ secretHash }: { secretHash: Buffer }, stored: StoredKey, clock: Clock): boolean {
  const isCurrent = timingSafeEqual(secretHash, stored.secret_hash)
  const { previous_secret_hash: previous, previous_valid_until: until } = stored
  if (previous === null || until === null) return isCurrent
  const isPrevious = timingSafeEqual(secretHash, previous)
  return isCurrent || (isPrevious && clock.millis() < Date.parse(until))
}

/** When a good secret stops working by itself: that of a key which was rotated, at the latest when its time is over. */
function endOf({ secretHash }: { secretHash: Buffer }, { secret_hash, expires_at, previous_valid_until }: StoredKey) {
  if (timingSafeEqual(secretHash, secret_hash)) return expires_at
  const ends = [expires_at, previous_valid_until].filter((end) => end !== null)
  return ends.sort((a, b) => Date.parse(a) - Date.parse(b))[0] ?? null
}

/** What was presented and is refused: a key, or a token of an issuer. */
export interface Refused {
  tenantId: string
  type: 'api_key' | 'oidc_issuer'
  id: string
  reason: 'wrong_secret' | 'revoked' | 'expired' | 'invalid_token'
}

/** A credential that is refused; the tenant is told of it where it is known whose credential it was. */
export class Unauthenticated extends Problem {
  readonly about: Refused | undefined
  readonly isMissing: boolean
  constructor(detail: string, options: { about?: Refused | undefined; isMissing?: boolean } = {}) {
    super('unauthenticated', detail)
    this.about = options.about
    this.isMissing = options.isMissing ?? false
  }
}

/** A good key that came from where it may not be used: whoever holds its secret may know why. */
export class WrongAddress extends Problem {
  readonly about: { tenantId: string; actor: Actor }
  constructor(tenantId: string, actor: Actor, address: string) {
    super('forbidden', `This key may not be used from ${address}: it is bound to other addresses.`)
    this.about = { tenantId, actor }
  }
}

const notValid = (about?: Refused) =>
  new Unauthenticated('The credential is not valid: unknown, expired or revoked.', { about })

const missing = () =>
  new Unauthenticated('Send your API key or access token as "Authorization: Bearer …".', { isMissing: true })
