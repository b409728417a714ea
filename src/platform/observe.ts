import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'

/** One log line and one measurement for each request: what was done, by which tenant, with what answer, how long. */
export const observe = fp(
  async (app: FastifyInstance) => {
    const registry = new Registry()
    collectDefaultMetrics({ register: registry })
    const durations = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the first byte of a request to the last of its answer',
      labelNames: ['operation', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers: [registry],
    })

    // Nothing stands in its lines that could be a secret or a person's: looking for it cost more than writing them.
    const lines = app.log.child({}, { redact: [] })

    app.addHook('onRequest', async (request, reply) => {
      reply.header('x-request-id', request.id)
    })

    app.addHook('onResponse', async (request, reply) => {
      const operation = request.routeOptions.config.operation?.id ?? 'none'
      durations.labels(operation, String(reply.statusCode)).observe(reply.elapsedTime / 1000)
      if (request.routeOptions.logLevel === 'warn') return
      lines.info(
        {
          request_id: request.id,
          operation,
          method: request.method,
          route: request.routeOptions.url,
          tenant: request.principal?.tenantId,
          credential: request.principal?.keyId,
          status: reply.statusCode,
          duration_ms: Math.round(reply.elapsedTime * 10) / 10,
        },
        'request',
      )
    })

    app.get('/metrics', { schema: { hide: true } as never, logLevel: 'warn' }, async (_request, reply) =>
      reply.type(registry.contentType).send(await registry.metrics()),
    )
  },
  { name: 'observe' },
)
