import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/**
 * Lets connections end with the request that they are at, once the service is about to stop: clients that keep
 * connections open would hold a stop up for as long as they like, or send a request just as theirs is closed.
 */
export const drain = fp(
  async (app: FastifyInstance, { draining }: { draining: AbortSignal }) => {
    app.addHook('onSend', async (_request, reply) => {
      if (draining.aborted) reply.header('connection', 'close')
    })
    // An answer that was on its way when the draining began has promised to keep its connection.
    app.addHook('onResponse', async () => {
      if (draining.aborted) setImmediate(() => app.server.closeIdleConnections())
    })
  },
  { name: 'drain' },
)
