import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Problem, type ProblemCode, problems } from '../../core/problem.ts'
import { strictObject } from '../../core/schemas.ts'
import type { Database } from '../../db/database.ts'
import { operation } from '../../platform/operation.ts'

const Health = Type.Object({ status: Type.String({ enum: ['ok'] }) }, { $id: 'Health' })

interface SystemOptions {
  database: Database
  draining: AbortSignal
}

/** How long a database that says nothing is waited for. */
const answerWithinMs = 2000

/** Health, and the pages that problem types point at. None needs a credential. */
export const system: FastifyPluginAsyncTypebox<SystemOptions> = async (app, { database, draining }) => {
  app.addSchema(Health)
  const answer = { 200: { description: 'All is well', schema: { $ref: 'Health#' } } }

  app.get(
    '/health/live',
    operation({ id: 'get_liveness', scope: null, tag: 'System', summary: 'Is the process alive?', answers: answer }),
    async () => ({ status: 'ok' }),
  )

  app.get(
    '/health/ready',
    operation({
      id: 'get_readiness',
      scope: null,
      tag: 'System',
      summary: 'Can the service answer requests?',
      description: 'No (503) while the database does not answer, and once the process is about to stop.',
      answers: answer,
    }),
    async () => {
      if (draining.aborted) throw new Problem('unavailable', 'The service is about to stop. Ask another process.')
      await inTime(database.outside({ name: 'ready', text: 'select 1' }))
      return { status: 'ok' }
    },
  )

  app.get(
    '/problems/:code',
    operation({
      id: 'get_problem_type',
      scope: null,
      tag: 'System',
      summary: 'What a kind of problem means',
      params: strictObject({ code: Type.String({ maxLength: 60 }) }),
      answers: { 200: { description: 'A page for people', schema: Type.String(), mediaType: 'text/html' } },
      refusals: ['not_found'],
    }),
    async (request, reply) => {
      const { code } = request.params
      if (!Object.hasOwn(problems, code)) throw new Problem('not_found', 'There is no such kind of problem.')
      const { status, title } = problems[code as ProblemCode]
      return reply
        .type('text/html; charset=utf-8')
        .send(`<!doctype html><html lang="en"><meta charset="utf-8"><title>${code}</title>
<body><h1>${title}</h1><p>Problem type <code>${code}</code>, HTTP status ${status}.</p>
<p>The <code>detail</code> of the answer says what is wrong in your case; <code>errors</code> names each fault.</p>
<p><a href="/docs">The API reference</a></p></body></html>`)
    },
  )
}

async function inTime(answer: Promise<unknown>): Promise<void> {
  const late = Symbol('late')
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, answerWithinMs, late)
  })
  try {
    if ((await Promise.race([answer, timeout])) === late)
      throw new Problem('unavailable', 'The database does not answer.')
  } finally {
    clearTimeout(timer)
  }
}
