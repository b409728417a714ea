import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Problem } from '../../core/problem.ts'
import { language, ref, strictObject } from '../../core/schemas.ts'
import { type Tx, wholeTenant } from '../../db/database.ts'
import type { SliceOptions } from '../../platform/collection.ts'
import { operation } from '../../platform/operation.ts'
import {
  callerFor,
  declineAnswers,
  type Respondent,
  readForm,
  respondentOf,
  saveDraft,
  submitAnswers,
} from './respondent.ts'
import {
  AnswerForm,
  AnswerReceipt,
  AnswersWrite,
  DraftReceipt,
  DraftWrite,
  respondentSchemas,
} from './respondent-schemas.ts'

const tag = 'Answers'
const params = strictObject({
  token: Type.String({ minLength: 1, maxLength: 100, description: 'The token of the invitation: the only credential' }),
})
const refusals = ['duplicate', 'state_forbids', 'rate_limited'] as const
const takes = [...refusals, 'rule_violated'] as const

/** What respondents may do, without an account: the token of their invitation is all they need. */
export const answers: FastifyPluginAsyncTypebox<SliceOptions> = async (app, { database, clock }) => {
  for (const schema of respondentSchemas) app.addSchema(schema)

  /** Whose token it is. Tokens that are none are guesses, and counted. */
  const respondent = async (request: FastifyRequest): Promise<Respondent> => {
    const { token } = request.params as { token: string }
    try {
      const found = await respondentOf(database, token)
      await app.limitToken(request)
      return found
    } catch (error) {
      if (error instanceof Problem && error.code === 'not_found') await app.limitGuesses(request)
      throw error
    }
  }
  const write = async <T>(
    request: FastifyRequest,
    work: (tx: Tx, respondent: Respondent) => Promise<T>,
  ): Promise<T> => {
    const who = await respondent(request)
    return database.write(callerFor(who, request.id, clock.now()), (tx) => work(tx, who))
  }
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
  })

  app.get(
    '/answers/:token',
    operation({
      id: 'get_answer_form',
      scope: null,
      tag,
      summary: 'Read what a respondent is asked',
      description:
        'In the language asked for, else as the invitation, the contact or the organisation says. A draft is given to ' +
        'whoever sends the key that saving it gave, in the header `Draft-Key`. Answers that were submitted never show.',
      params,
      headers: { 'Draft-Key': 'The `draft_key` that saving the draft gave' },
      query: strictObject({ language: Type.Optional(language()) }),
      answers: { 200: { description: 'The questions, while they can be answered', schema: ref(AnswerForm) } },
      refusals: ['rate_limited'],
    }),
    async (request) => {
      const who = await respondent(request)
      const draftKey = [request.headers['draft-key']].flat()[0]
      const { language } = request.query
      return database.read(wholeTenant(who.tenantId), (tx) => readForm(tx, who, clock.now(), { language, draftKey }))
    },
  )

  app.put(
    '/answers/:token/draft',
    operation({
      id: 'save_answer_draft',
      scope: null,
      tag,
      summary: 'Save answers that are not submitted yet',
      description:
        'Encrypted under the token and a key that only this answer shows: neither the service nor whoever sent the ' +
        'invitation can read it. It is gone when the answers are submitted, or the round is closed.',
      params,
      body: ref(DraftWrite),
      answers: { 200: { description: 'It was saved', schema: ref(DraftReceipt) } },
      refusals: takes,
    }),
    (request) => write(request, (tx, who) => saveDraft(tx, who, request.body)),
  )

  app.post(
    '/answers/:token/submit',
    operation({
      id: 'submit_answers',
      scope: null,
      tag,
      summary: 'Answer, once and for good',
      description:
        'Every item that is required must be answered or marked as not applicable. The same token again is refused as a ' +
        '`duplicate`: nothing is counted twice.',
      params,
      body: ref(AnswersWrite),
      answers: { 200: { description: 'The answers were taken', schema: ref(AnswerReceipt) } },
      refusals: takes,
    }),
    (request) => write(request, (tx, who) => submitAnswers(tx, who, request.body)),
  )

  app.post(
    '/answers/:token/decline',
    operation({
      id: 'decline_answers',
      scope: null,
      tag,
      summary: 'Say that one will not answer',
      params,
      body: strictObject({}),
      answers: { 200: { description: 'It was noted', schema: ref(AnswerReceipt) } },
      refusals,
    }),
    (request) => write(request, (tx, who) => declineAnswers(tx, who)),
  )
}
