import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { sql } from 'kysely'
import { optionalIfMatch } from '../../core/etag.ts'
import { ref, uuid } from '../../core/schemas.ts'
import { param } from '../../db/prepared.ts'
import { callerOf, principalOf } from '../../platform/auth.ts'
import { idParams, type SliceOptions } from '../../platform/items.ts'
import { byInstant, defineList } from '../../platform/lists.ts'
import { gives, operation } from '../../platform/operation.ts'
import { sendOutcome } from '../../platform/resource.ts'
import { addStatement } from './conclusion.ts'
import { EvaluationResponse, ResponseReceipt, ResponseWrite, StatementWrite } from './response-schemas.ts'
import { createResponse, readShown, requireParties } from './responses.ts'
import { readScores, readTexts } from './results.ts'
import { Evaluation } from './schemas.ts'
import { EvaluationScores, EvaluationTexts } from './score-schemas.ts'
import { responseView } from './view.ts'

const responseList = defineList({
  name: 'evaluation_responses',
  item: EvaluationResponse,
  view: responseView,
  sorts: { submitted_at: byInstant('submitted_at') },
  defaultSort: 'submitted_at',
  filters: { party_id: { schema: uuid(), where: sql`r.party_id = ${param('party_id')}::uuid` } },
  within: sql`r.evaluation_id = ${param('evaluation_id')}::uuid`,
})

const tag = 'Evaluations'
const blind = 'Blind for everyone until the round is closed (409 `state_forbids`), and for ever where it was cancelled.'

/** What the parties answer, what comes of it, and what they say of that. */
export const evaluationResponses: FastifyPluginAsyncTypebox<SliceOptions> = async (app, slice) => {
  const { database, clock } = slice
  app.addSchema(responseList.page)

  app.post(
    '/evaluations/:id/responses',
    operation({
      id: 'create_evaluation_response',
      scope: 'evaluations:answer',
      tag,
      summary: 'Answer a round in the name of a party',
      description:
        'While the round is open and its deadline has not come; once a party, and for good. Every item that the ' +
        'template requires must be answered or marked as not applicable. The round closes by itself with the last ' +
        'answer awaited. The answers are not given back: they are seen once the round is closed.',
      params: idParams,
      body: ref(ResponseWrite),
      answers: {
        201: {
          description: 'The response was taken',
          schema: ref(ResponseReceipt),
          headers: { Location: 'Where the responses are seen once the round is closed' },
        },
      },
      refusals: ['duplicate', 'state_forbids', 'rule_violated'],
    }),
    async (request, reply) => {
      const { id } = request.params
      const receipt = await database.write(callerOf(request, clock), (tx) => createResponse(tx, id, request.body))
      return reply.code(201).header('location', `/v1/evaluations/${id}/responses`).send(receipt)
    },
  )

  app.get(
    '/evaluations/:id/responses',
    operation({
      id: 'list_evaluation_responses',
      scope: 'evaluations:read',
      tag,
      summary: 'List what the parties answered',
      description: `${blind} Never of a round that persons answer.`,
      params: idParams,
      query: responseList.query,
      answers: {
        200: {
          description: 'A page',
          schema: ref(responseList.page),
          headers: { Link: 'The next page, as rel="next"' },
        },
      },
      refusals: ['state_forbids'],
    }),
    async (request, reply) => {
      const { id } = request.params
      await database.read(principalOf(request), async (tx) => requireParties(await readShown(tx, id)))
      return responseList.send(database, request, reply, { evaluation_id: id })
    },
  )

  app.get(
    '/evaluations/:id/scores',
    operation({
      id: 'get_evaluation_scores',
      scope: 'evaluations:read',
      tag,
      summary: 'Read the scores of a round and the gaps between its sides',
      description: blind,
      params: idParams,
      answers: { 200: { description: 'The scores, frozen when the round was closed', schema: ref(EvaluationScores) } },
      refusals: ['state_forbids'],
    }),
    (request) => database.read(principalOf(request), (tx) => readScores(tx, request.params.id)),
  )

  app.get(
    '/evaluations/:id/texts',
    operation({
      id: 'get_evaluation_texts',
      scope: 'evaluations:read',
      tag,
      summary: 'Read what was answered to a round in words',
      description:
        `${blind} By item and side, in random order. Where persons answered, of fewer texts than minimum_per_side none ` +
        'is shown.',
      params: idParams,
      answers: { 200: { description: 'The texts, frozen when the round was closed', schema: ref(EvaluationTexts) } },
      refusals: ['state_forbids'],
    }),
    (request) => database.read(principalOf(request), (tx) => readTexts(tx, request.params.id)),
  )

  app.post(
    '/evaluations/:id/statements',
    operation({
      id: 'add_evaluation_statement',
      scope: 'evaluations:answer',
      tag,
      summary: 'Add the statement of a party on the outcome',
      description: 'Once the round is closed, and after it is concluded too; one a party.',
      params: idParams,
      body: ref(StatementWrite),
      answers: { 200: gives(ref(Evaluation), 'The round with the statement') },
      refusals: ['duplicate', 'state_forbids', 'rule_violated'],
      ifMatch: 'optional',
    }),
    async (request, reply) => {
      const ifMatch = optionalIfMatch(request.headers['if-match'])
      const outcome = await database.write(callerOf(request, clock), (tx) =>
        addStatement(tx, request.params.id, ifMatch, request.body),
      )
      return sendOutcome(reply, outcome)
    },
  )
}
