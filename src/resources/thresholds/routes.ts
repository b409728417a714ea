import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { etagOf, noneMatchHits, requiredIfMatch } from '../../core/etag.ts'
import { ref } from '../../core/schemas.ts'
import { callerOf, principalOf } from '../../platform/auth.ts'
import type { SliceOptions } from '../../platform/collection.ts'
import { gives, noContent, operation, patchTypes } from '../../platform/operation.ts'
import { sendOutcome } from '../../platform/resource.ts'
import { reviseThresholds } from './commands.ts'
import { thresholdsNow } from './read.ts'
import { Thresholds, ThresholdsPatch, thresholdSchemas } from './schemas.ts'

const tag = 'Portfolio'

/** From where on partnerships are at risk: one set a tenant. */
export const thresholds: FastifyPluginAsyncTypebox<SliceOptions> = async (app, { database, clock }) => {
  for (const schema of thresholdSchemas) app.addSchema(schema)

  app.get(
    '/thresholds',
    operation({
      id: 'get_thresholds',
      scope: 'portfolio:read',
      tag,
      summary: 'Read the thresholds of risk',
      answers: { 200: gives(ref(Thresholds), 'The thresholds'), 304: noContent('The caller has this version already') },
    }),
    async (request, reply) => {
      const found = await database.read(principalOf(request), thresholdsNow)
      const etag = etagOf(found.version)
      reply.header('etag', etag)
      return noneMatchHits(request.headers['if-none-match'], etag) ? reply.code(304).send() : reply.send(found)
    },
  )

  app.patch(
    '/thresholds',
    operation({
      id: 'update_thresholds',
      scope: 'portfolio:write',
      tag,
      summary: 'Set thresholds of risk',
      description: 'For all portfolios of the tenant, from now on and for answers about earlier days alike.',
      body: ref(ThresholdsPatch),
      bodyTypes: patchTypes,
      answers: { 200: gives(ref(Thresholds), 'The thresholds as they are now') },
      ifMatch: 'required',
    }),
    async (request, reply) => {
      const ifMatch = requiredIfMatch(request.headers['if-match'])
      const outcome = await database.write(callerOf(request, clock), (tx) =>
        reviseThresholds(tx, ifMatch, request.body),
      )
      return sendOutcome(reply, outcome)
    },
  )
}
