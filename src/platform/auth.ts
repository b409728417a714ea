import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Clock } from '../core/clock.ts'
import { Problem } from '../core/problem.ts'
import { type Caller, type Guard, isPartner, type Tx } from '../db/database.ts'
import type { NoteDenial } from './audit.ts'
import { type Authenticate, type Refused, Unauthenticated, WrongAddress } from './keys.ts'
import { partnerOperations } from './partners/operations.ts'
import type { Principal } from './principal.ts'
import { grants, type Scope } from './scopes.ts'

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | null
    /** Stands around the transaction of the request, where it carries an Idempotency-Key. */
    guard: Guard | null
    /** Judges within the transaction of a partner's request what was judged before it. */
    judge: ((tx: Tx) => Promise<void>) | null
  }
}

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
    app.decorateRequest('judge', null)

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
        request.principal = await authenticate(request.headers.authorization, request.ip)
      } catch (error) {
        if (error instanceof WrongAddress) {
          await app.limitGuesses(request)
          await noteDenial({ ...error.about, action: 'access.denied', details: { reason: 'address' } }, request)
        }
        if (!(error instanceof Unauthenticated)) throw error
        const refusal = { error: 'invalid_token', error_description: error.message }
        reply.header('www-authenticate', challenge(resourceMetadata, error.isMissing ? {} : refusal))
        await app.limitGuesses(request)
        if (error.about) await noteFailure(noteDenial, request, error.about)
        throw error
      }
      const { tenantId, actor, scopes } = request.principal
      if (isPartner(request.principal) && !(String(id) in partnerOperations)) {
        await noteDenial({ tenantId, actor, action: 'access.denied', details: { reason: 'partner' } }, request)
        throw new Problem('forbidden', 'This operation is not open to partners.')
      }
      if (scope !== 'any' && !grants(scopes, scope)) {
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
  const { tenantId, actor, scopes, organisations } = principalOf(request)
  const { id: requestId, guard, judge } = request
  return { tenantId, organisations, actor, scopes, requestId, now: clock.now(), guard, judge }
}
