import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { answerClientError } from './errors.ts'

/**
 * How long a body may take to arrive: one that is sent drop by drop does not keep a socket for ever. A file that is
 * streamed takes as long as it needs; whoever reads it sees to it that it does not stand still.
 */
export const arrival = fp(
  async (app: FastifyInstance, { withinMs }: { withinMs: number }) => {
    app.addHook('preParsing', async (request, reply, payload) => {
      const { headers, socket } = request.raw
      const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
      if (!hasBody || request.routeOptions.config.operation?.streamedBody !== undefined) return payload
      const timer = setTimeout(() => {
        const late = Object.assign(new Error('The body is late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
        answerClientError(late, socket)
      }, withinMs)
      const done = () => clearTimeout(timer)
      payload.once('end', done)
      // What is refused before its body was read does not end it.
      for (const event of ['finish', 'close']) reply.raw.once(event, done)
      return payload
    })
    // The rest of a body that was answered before it was there, as where its credential was refused.
    app.addHook('onResponse', async ({ raw }) => {
      if (!raw.complete) setTimeout(() => raw.complete || raw.destroy(), withinMs).unref()
    })
  },
  { name: 'arrival' },
)
