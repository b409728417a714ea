import { timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { sql } from 'kysely'
import type { Clock } from '../core/clock.ts'
import { Problem } from '../core/problem.ts'
import type { Caller, Database, Guard } from '../db/database.ts'
import { param, prepare, tenantParam } from '../db/prepared.ts'
import { parseKey } from '../db/tenants.ts'
import type { NoteDenial } from './audit.ts'
import { partnerOperations } from './partners/operations.ts'
import type { Principal } from './principal.ts'
import { grants, type Scope } from './scopes.ts'
import type { Tokens } from './tokens/authenticator.ts'

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | null
    /** Stands around the transaction of the request, where it carries an Idempotency-Key. */
    guard: Guard | null
  }
}

interface StoredKey extends Record<string, unknown> {
  tenant_id: string
  id: string
  secret_hash: Buffer
  scopes: string[]
  is_live: boolean
  expires_at: string | null
  last_used_at: string | null
  is_partner: boolean
  organisations: string[]
}

/** How long a looked-up key is believed. A revoked key stops working within this time on every process. */
const believedForMs = 800
const cachedKeysMax = 10_000
/** The use of a key is noted at most this often. */
const useNotedEveryMs = 60_000

const noteUse = prepare(sql`
  update api_keys set last_used_at = ${param('now')}::timestamptz where tenant_id = ${tenantParam} and id = ${param('id')}::uuid
`)

type Authenticate = (authorization: string | undefined) => Promise<Principal>

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
    const caller = { tenantId: stored.tenant_id, actor: { type: 'system', id: null }, scopes: [] } as const
    const now = clock.now()
    stored.last_used_at = now
    await database.write({ ...caller, requestId: 'note_key_use', now }, (tx) => noteUse.run(tx, { now, id: stored.id }))
  }

  return async (authorization) => {
    const presented = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
    if (presented === undefined) throw missing()
    if (presented.includes('.')) return byToken(tokens, presented)
    const parsed = parseKey(presented)
    const stored = parsed ? await find(parsed.prefix) : undefined
    // Whatever is wrong with a credential, the answer is one and the same.
    if (!parsed || !stored) throw notValid()
    const reason = faultOf(parsed, stored, clock)
    if (reason !== undefined) throw notValid({ tenantId: stored.tenant_id, type: 'api_key', id: stored.id, reason })
    await note(stored)
    const actor = { type: 'api_key', id: stored.id } as const
    // A partner's key stays one, whatever became of its organisations.
    const organisations = stored.is_partner ? stored.organisations : null
    return { tenantId: stored.tenant_id, keyId: stored.id, actor, scopes: stored.scopes, organisations }
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
  if (!timingSafeEqual(parsed.secretHash, stored.secret_hash)) return 'wrong_secret'
  if (!stored.is_live) return 'revoked'
  if (stored.expires_at !== null && Date.parse(stored.expires_at) <= clock.millis()) return 'expired'
  return undefined
}

/** What was presented and is refused: a key, or a token of an issuer. */
interface Refused {
  tenantId: string
  type: 'api_key' | 'oidc_issuer'
  id: string
  reason: 'wrong_secret' | 'revoked' | 'expired' | 'invalid_token'
}

/** A credential that is refused; the tenant is told of it where it is known whose credential it was. */
class Unauthenticated extends Problem {
  readonly about: Refused | undefined
  readonly isMissing: boolean
  constructor(detail: string, options: { about?: Refused | undefined; isMissing?: boolean } = {}) {
    super('unauthenticated', detail)
    this.about = options.about
    this.isMissing = options.isMissing ?? false
  }
}

const notValid = (about?: Refused) =>
  new Unauthenticated('The credential is not valid: unknown, expired or revoked.', { about })

const missing = () =>
  new Unauthenticated('Send your API key or access token as "Authorization: Bearer …".', { isMissing: true })

/** What a refused caller is told to do, as RFC 6750 and RFC 9728 have it; no more than that where it sent nothing. */
function challenge(resourceMetadata: string, refusal: Readonly<Record<string, string>> = {}): string {
  const said = { realm: 'beide', resource_metadata: resourceMetadata, ...refusal }
  return `Bearer ${Object.entries(said)
    .map(([name, value]) => `${name}="${value}"`)
    .join(', ')}`
}

/** Denies by default: within this scope of the plugin tree every request has a credential that its operation allows. */
export const authentication = fp(
  async (
    app: FastifyInstance,
    {
      authenticate,
      noteDenial,
      resourceMetadata,
    }: { authenticate: Authenticate; noteDenial: NoteDenial; resourceMetadata: string },
  ) => {
    app.decorateRequest('principal', null)
    app.decorateRequest('guard', null)

    app.addHook('onRoute', (route) => {
      if (!route.config?.operation) throw new Error(`${route.method} ${route.url} declares no operation`)
    })

    app.addHook('onRequest', async (request, reply) => {
      // Whatever follows is for this caller, and is asked for again each time: conditionally, where it has an ETag.
      reply.header('cache-control', 'private, no-cache')
      const { scope, id } = request.routeOptions.config.operation ?? {}
      if (scope === undefined) throw new Error(`${request.url} declares no operation`)
      if (scope === null) return
      try {
        request.principal = await authenticate(request.headers.authorization)
      } catch (error) {
        if (!(error instanceof Unauthenticated)) throw error
        const refusal = { error: 'invalid_token', error_description: error.message }
        reply.header('www-authenticate', challenge(resourceMetadata, error.isMissing ? {} : refusal))
        await app.limitGuesses(request)
        if (error.about) await noteFailure(noteDenial, request, error.about)
        throw error
      }
      const { tenantId, actor, organisations, scopes } = request.principal
      if (organisations !== null && !(String(id) in partnerOperations)) {
        await noteDenial({ tenantId, actor, action: 'access.denied', details: { reason: 'partner' } }, request)
        throw new Problem('forbidden', 'This operation is not open to partners.')
      }
      if (!grants(scopes, scope)) {
        await noteDenial({ tenantId, actor, action: 'access.denied', details: { scope } }, request)
        reply.header('www-authenticate', challenge(resourceMetadata, { error: 'insufficient_scope', scope }))
        throw new Problem('forbidden', `This needs the scope ${scope}, which the credential does not have.`, {
          members: { scope },
        })
      }
    })
  },
  { name: 'authentication', dependencies: ['guess-limit'] },
)

/** Notes what was refused. Who presented it is not known: the key, or the issuer, is what it is about. */
async function noteFailure(noteDenial: NoteDenial, request: FastifyRequest, about: Refused): Promise<void> {
  const { tenantId, type, id, reason } = about
  const actor = { type: 'unknown', id: null } as const
  const resource = { type, id }
  await noteDenial({ tenantId, actor, resource, action: 'sign_in.failed', details: { reason } }, request)
}

/** The principal of a request behind authentication. */
export function principalOf(request: FastifyRequest): Principal {
  if (!request.principal) throw new Error('The route is not behind authentication')
  return request.principal
}

/** True where the credential of the request holds a scope beyond the operation's own. */
export const mayAlso = (request: FastifyRequest, scope: Scope): boolean => grants(principalOf(request).scopes, scope)

/** Refuses what the credential of a transaction may not do beyond its operation. @throws Problem `forbidden` */
export function requireScope(caller: Caller, scope: Scope, what: string): void {
  if (grants(caller.scopes, scope)) {
    caller.guard?.needed(scope)
    return
  }
  throw new Problem('forbidden', `${what} needs the scope ${scope}, which the credential does not have.`, {
    members: { scope },
  })
}

/** On whose behalf a request writes. */
export function callerOf(request: FastifyRequest, clock: Clock): Caller {
  const { tenantId, actor, scopes } = principalOf(request)
  return { tenantId, actor, scopes, requestId: request.id, now: clock.now(), guard: request.guard }
}
