import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ref } from '../../core/schemas.ts'
import { principalOf } from '../../platform/auth.ts'
import type { SliceOptions } from '../../platform/items.ts'
import { operation } from '../../platform/operation.ts'
import { readMe } from './read.ts'
import { Me, meSchemas } from './schemas.ts'

/** What a credential is: the first question of a portal, and of an integration that was given one. */
export const me: FastifyPluginAsyncTypebox<SliceOptions & { requestsPerMinute: number }> = async (
  app,
  { database, requestsPerMinute },
) => {
  for (const schema of meSchemas) app.addSchema(schema)

  app.get(
    '/me',
    operation({
      id: 'get_me',
      scope: 'any',
      tag: 'Me',
      summary: 'Read what your credential is',
      description:
        'Which tenant it belongs to, what it may do, and of a partner for which organisations it stands: ask it first.',
      answers: { 200: { description: 'The credential of this request', schema: ref(Me) } },
    }),
    async (request) => ({
      ...(await readMe(database, principalOf(request))),
      requests_per_minute: requestsPerMinute,
    }),
  )
}
