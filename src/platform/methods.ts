import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import Router from 'find-my-way'
import { Problem } from '../core/problem.ts'
import { unknownRoute } from './errors.ts'
import type { Operation } from './operation.ts'

/** How long a part of an address may be. */
export const maxParamLength = 300

/**
 * Notes which methods each address answers to. The app does not start with an operation that has no name of its own, no
 * scope, or a scope outside of the part of the tree that asks for credentials.
 */
export function collectMethods(app: FastifyInstance): Map<string, Set<string>> {
  const methodsByUrl = new Map<string, Set<string>>()
  const ids = new Set<string>()
  app.addHook('onRoute', (route: RouteOptions) => {
    const operation = route.config?.operation
    for (const method of [route.method].flat()) {
      if (operation && method !== 'HEAD') checkOperation(operation, `${method} ${route.url}`, ids)
      if (operation || ['/metrics', '/openapi.json', '/answer/:token'].includes(route.url)) {
        methodsByUrl.set(route.url, (methodsByUrl.get(route.url) ?? new Set()).add(method))
      }
    }
  })
  return methodsByUrl
}

function checkOperation({ id, scope }: Operation, route: string, ids: Set<string>): void {
  if (!id) throw new Error(`${route} has no operation id`)
  if (ids.has(id)) throw new Error(`Two operations are called ${id}`)
  ids.add(id)
  if (scope === undefined) throw new Error(`${id} declares no scope`)
  if (scope !== null && !route.includes(' /v1/')) throw new Error(`${id} has a scope, but nothing asks for it there`)
}

/** The header fields that a page of another origin may send. */
const allowedHeaders = 'Authorization, Content-Type, Draft-Key, Idempotency-Key, If-Match, If-None-Match, X-Request-Id'

/**
 * Gives every path an answer to the methods that it does not have, 405 with those that it has, and to OPTIONS: what it
 * has, and to the preflight request of a browser what a page of another origin may do. Other paths are 404.
 */
export function answerOtherMethods(app: FastifyInstance, methodsByUrl: ReadonlyMap<string, ReadonlySet<string>>): void {
  const allowOf = (url: string) => [...(methodsByUrl.get(url) ?? []), 'OPTIONS'].sort().join(', ')
  // Routes of their own for all of them would be most of the time that a start takes.
  let addresses: Router.Instance<Router.HTTPVersion.V1> | undefined
  app.addHook('onRequest', async (request, reply) => {
    // @fastify/cors takes OPTIONS everywhere.
    if (!request.is404 && request.method !== 'OPTIONS') return
    addresses ??= routerOf([...methodsByUrl.keys()])
    const found = addresses.find('GET', request.url)
    // Before the body is read: it does not matter what it holds.
    if (!found) throw unknownRoute(request)
    return answerOther(request, reply, allowOf(found.store))
  })
  for (const [url, methods] of shadowed(methodsByUrl)) {
    const allow = allowOf(url)
    app.route({
      method: methods,
      url,
      schema: { hide: true } as never,
      // Before the body is read: it does not matter what it holds.
      onRequest: (request, reply) => answerOther(request, reply, allow),
      handler: async () => {},
    })
  }
}

async function answerOther(request: FastifyRequest, reply: FastifyReply, allow: string): Promise<FastifyReply> {
  if (request.method !== 'OPTIONS') {
    const detail = `${request.method} is not known here. Known are ${allow}.`
    throw new Problem('method_not_allowed', detail, { headers: { allow } })
  }
  if (request.headers['access-control-request-method'] !== undefined) {
    reply.header('access-control-allow-methods', allow)
    reply.header('access-control-allow-headers', allowedHeaders)
    reply.header('access-control-max-age', '86400')
  }
  return reply.header('allow', allow).code(204).send()
}

function routerOf(urls: readonly string[]): Router.Instance<Router.HTTPVersion.V1> {
  const router = Router({ maxParamLength })
  for (const url of urls) router.on('GET', url, () => {}, url)
  return router
}

/** By address, the methods that another address would answer in its place: `/v1/commitments/:id` at `/v1/commitments/lookup`. */
function shadowed(methodsByUrl: ReadonlyMap<string, ReadonlySet<string>>): Map<string, string[]> {
  const found = new Map<string, string[]>()
  const isParameter = (part: string | undefined) => part?.startsWith(':') === true
  const parts = [...methodsByUrl.keys()].map((url) => ({ url, parts: url.split('/') }))
  for (const one of parts) {
    const methods = methodsByUrl.get(one.url) ?? new Set()
    for (const other of parts) {
      if (other === one || other.parts.length !== one.parts.length) continue
      const isCovered = one.parts.every((part, at) => other.parts[at] === part || isParameter(other.parts[at]))
      if (!isCovered) continue
      const others = [...(methodsByUrl.get(other.url) ?? [])].filter(
        (method) => method !== 'HEAD' && !methods.has(method),
      )
      if (others.length > 0) found.set(one.url, [...new Set([...(found.get(one.url) ?? []), ...others])])
    }
  }
  return found
}
