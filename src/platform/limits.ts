import rateLimit from '@fastify/rate-limit'
import underPressure from '@fastify/under-pressure'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Problem } from '../core/problem.ts'
import { principalOf } from './auth.ts'
import type { Operation } from './operation.ts'
import { Windows } from './windows.ts'

const windowSeconds = 60
/** Nobody fills a form in faster. */
const tokenRequestsPerMinute = 120

declare module 'fastify' {
  interface FastifyInstance {
    /** Counts a request without a valid credential. @throws Problem `rate_limited` for an address with too many */
    limitGuesses(request: FastifyRequest): Promise<void>
    /** Counts a request whose address holds a good token. @throws Problem `rate_limited` for a token with too many */
    limitToken(request: FastifyRequest): Promise<void>
  }
}

/** A limit on guesses for each address: a good credential is never shut out by somebody who shares its address. */
export const guessLimit = fp(
  async (app: FastifyInstance, { requestsPerMinute }: { requestsPerMinute: number }) => {
    await app.register(rateLimit, { global: false, store: Windows })
    const take = app.createRateLimit({
      max: requestsPerMinute,
      timeWindow: windowSeconds * 1000,
      keyGenerator: (request) => request.ip,
    })
    app.decorate('limitGuesses', async (request: FastifyRequest) => {
      const left = await take(request)
      if (left.isAllowed || !left.isExceeded) return
      throw exceeded(requestsPerMinute, 'requests without a valid credential', left.ttlInSeconds)
    })
    const most = Math.min(requestsPerMinute, tokenRequestsPerMinute)
    const takeOfToken = app.createRateLimit({
      max: most,
      timeWindow: windowSeconds * 1000,
      keyGenerator: (request) => `token ${(request.params as { token: string }).token}`,
    })
    app.decorate('limitToken', async (request: FastifyRequest) => {
      const left = await takeOfToken(request)
      if (left.isAllowed || !left.isExceeded) return
      throw exceeded(most, 'requests with one token', left.ttlInSeconds)
    })
  },
  { name: 'guess-limit' },
)

/**
 * A limit on requests for each credential and process, told with the header fields of
 * draft-ietf-httpapi-ratelimit-headers (`RateLimit`, `RateLimit-Policy`).
 */
export const rateLimits = fp(
  async (
    app: FastifyInstance,
    { requestsPerMinute, tenantRequestsPerMinute }: { requestsPerMinute: number; tenantRequestsPerMinute: number },
  ) => {
    const take = app.createRateLimit({
      max: requestsPerMinute,
      timeWindow: windowSeconds * 1000,
      keyGenerator: (request) => principalOf(request).keyId,
    })
    // So that a tenant with many credentials, or many people signed in, leaves room for the others.
    const takeOfTenant = app.createRateLimit({
      max: tenantRequestsPerMinute,
      timeWindow: windowSeconds * 1000,
      keyGenerator: (request) => `tenant ${principalOf(request).tenantId}`,
    })
    const policy = `"default";q=${requestsPerMinute};w=${windowSeconds}`

    app.addHook('onRequest', async (request, reply) => {
      if (request.routeOptions.config.operation?.scope === null) return
      principalOf(request)
      const left = await take(request)
      if (left.isAllowed) return
      reply.header('ratelimit-policy', policy)
      reply.header('ratelimit', `"default";r=${left.remaining};t=${left.ttlInSeconds}`)
      if (left.isExceeded) throw exceeded(requestsPerMinute, 'requests', left.ttlInSeconds)
      const leftOfTenant = await takeOfTenant(request)
      if (leftOfTenant.isAllowed || !leftOfTenant.isExceeded) return
      throw exceeded(tenantRequestsPerMinute, 'requests of your tenant together', leftOfTenant.ttlInSeconds)
    })
  },
  { name: 'rate-limits', dependencies: ['authentication', 'guess-limit'] },
)

const exceeded = (limit: number, what: string, seconds: number): Problem =>
  new Problem('rate_limited', `More than ${limit} ${what} in ${windowSeconds} seconds. Go on in ${seconds} seconds.`, {
    headers: { 'retry-after': String(seconds) },
  })

/** True for what streams whole tables: it holds a connection and a snapshot as long as its client reads. */
const streamsTables = (operation: Operation | undefined): boolean =>
  operation?.scope === 'exports:run' &&
  Object.values(operation.answers).some(
    ({ mediaType = 'application/json' }) => !['application/json', 'application/octet-stream'].includes(mediaType),
  )

const againInSeconds = 5

/** Bounds the exports that are streamed at once to one credential, and to a tenant, by this process. */
export const exportLimits = fp(
  async (app: FastifyInstance, { perCredential, perTenant }: { perCredential: number; perTenant: number }) => {
    const running = new Map<string, number>()
    const add = (name: string, by: number) => {
      const count = (running.get(name) ?? 0) + by
      if (count === 0) running.delete(name)
      else running.set(name, count)
    }
    const take = async (request: FastifyRequest, reply: FastifyReply) => {
      const { keyId, tenantId } = principalOf(request)
      const bounds = [
        { name: keyId, most: perCredential, whose: 'of one credential' },
        { name: `tenant ${tenantId}`, most: perTenant, whose: 'of your tenant together' },
      ]
      for (const { name, most, whose } of bounds) {
        if ((running.get(name) ?? 0) < most) continue
        const detail = `${most} exports ${whose} run at once. Read them to their end, or order files: POST /v1/exports.`
        throw new Problem('rate_limited', detail, { headers: { 'retry-after': String(againInSeconds) } })
      }
      for (const { name } of bounds) add(name, 1)
      // After the last byte, and where the client goes away.
      reply.raw.once('close', () => {
        for (const { name } of bounds) add(name, -1)
      })
    }
    app.addHook('onRoute', (route) => {
      if (streamsTables(route.config?.operation)) route.preHandler = [...[route.preHandler ?? []].flat(), take]
    })
  },
  { name: 'export-limits', dependencies: ['authentication'] },
)

const watched = new Set(['/health/live', '/metrics'])

/** Refuses work while the event loop is far behind, so that what was accepted is finished. */
export const overload = fp(
  async (app: FastifyInstance, { eventLoopDelayMaxMs }: { eventLoopDelayMaxMs: number }) => {
    await app.register(underPressure, {
      maxEventLoopDelay: eventLoopDelayMaxMs,
      pressureHandler: (request, _reply, _type, delayMs) => {
        // Infinity says that the last second has no sample, as when the app was just built; a real delay follows in the next.
        if (delayMs === Number.POSITIVE_INFINITY) return
        // Whoever watches must see an overloaded process, not kill it.
        if (watched.has(request.url)) return
        throw new Problem('unavailable', 'The service has too much to do. Try again in a moment.')
      },
    })
  },
  { name: 'overload' },
)
