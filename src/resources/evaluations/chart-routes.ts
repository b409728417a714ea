import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { etagOfText, noneMatchHits } from '../../core/etag.ts'
import { codes } from '../../core/schemas.ts'
import { principalOf } from '../../platform/auth.ts'
import { idParams, type SliceOptions } from '../../platform/items.ts'
import { noContent, operation } from '../../platform/operation.ts'
import { roundChart } from './chart.ts'
import { chartLanguages } from './chart-words.ts'
import { readCharted } from './results.ts'

const ChartQuery = Type.Object(
  {
    language: Type.Optional(codes(chartLanguages, { description: 'Of the words in the picture; en when left out' })),
  },
  { additionalProperties: false },
)

/** The scores of a round as a picture. */
export const evaluationCharts: FastifyPluginAsyncTypebox<SliceOptions> = async (app, { database }) => {
  app.get(
    '/evaluations/:id/chart.svg',
    operation({
      id: 'get_evaluation_chart',
      scope: 'evaluations:read',
      tag: 'Evaluations',
      summary: 'Draw what each side of a round finds',
      description:
        'The whole and each dimension, a line each, from 0 to 100, with a mark for every side; sides that are 20 points ' +
        'apart or more are joined by a thick line, and what is withheld is said to be. Legible in black and white, in the ' +
        'light and in the dark, at the width of a telephone; a text tells the same. Blind for everyone until the round ' +
        'is closed (409 `state_forbids`), and for ever where it was cancelled.',
      params: idParams,
      query: ChartQuery,
      answers: {
        200: {
          description: 'An SVG',
          schema: Type.String(),
          mediaType: 'image/svg+xml',
          headers: { ETag: 'A digest of the picture, for If-None-Match' },
        },
        304: noContent('The caller has this picture already'),
      },
      refusals: ['state_forbids'],
    }),
    async (request, reply) => {
      const charted = await database.read(principalOf(request), (tx) => readCharted(tx, request.params.id))
      const drawn = roundChart(charted, request.query.language ?? 'en')
      const etag = etagOfText(drawn)
      reply.header('etag', etag)
      if (noneMatchHits(request.headers['if-none-match'], etag)) return reply.code(304).send()
      return reply.type('image/svg+xml; charset=utf-8').send(drawn)
    },
  )
}
