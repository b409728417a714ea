import type { FastifyInstance, RouteOptions } from 'fastify'
import { Problem } from '../core/problem.ts'
import type { Operation } from './operation.ts'

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
 * has, and to the preflight request of a browser what a page of another origin may do.
 */
export function answerOtherMethods(app: FastifyInstance, methodsByUrl: ReadonlyMap<string, ReadonlySet<string>>): void {
  const all = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE'] as const
  const schema = { hide: true } as never
  for (const [url, methods] of methodsByUrl) {
    const allow = [...methods, 'OPTIONS'].sort().join(', ')
    app.route({
      method: 'OPTIONS',
      url,
      schema,
      handler: async (request, reply) => {
        if (request.headers['access-control-request-method'] !== undefined) {
          reply.header('access-control-allow-methods', allow)
          reply.header('access-control-allow-headers', allowedHeaders)
          reply.header('access-control-max-age', '86400')
        }
        return reply.header('allow', allow).code(204).send()
      },
    })
    app.route({
      method: all.filter((method) => !methods.has(method)),
      url,
      schema,
      // Before the body is read: it does not matter what it holds.
      onRequest: async (request) => {
        const detail = `${request.method} is not known here. Known are ${allow}.`
        throw new Problem('method_not_allowed', detail, { headers: { allow } })
      },
      handler: async () => {},
    })
  }
}
