import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { etagOf, noneMatchHits } from '../../core/etag.ts'
import { notFound } from '../../core/problem.ts'
import { codes, ref, strictObject } from '../../core/schemas.ts'
import type { SliceOptions } from '../../platform/collection.ts'
import { gives, noContent, operation } from '../../platform/operation.ts'
import { findTemplate, latestTemplates } from './read.ts'
import { EvaluationTemplate, EvaluationTemplatePage, evaluationTemplateSchemas, subjects } from './schemas.ts'

const tag = 'Evaluations'

/** The questionnaires of evaluation rounds. They are part of the service, alike for every tenant. */
export const evaluationTemplates: FastifyPluginAsyncTypebox<SliceOptions> = async (app) => {
  for (const schema of evaluationTemplateSchemas) app.addSchema(schema)

  app.get(
    '/evaluation-templates',
    operation({
      id: 'list_evaluation_templates',
      scope: 'evaluations:read',
      tag,
      summary: 'List evaluation templates',
      description: 'The latest version of each template, in order of their codes, on one page.',
      query: strictObject({ subject: Type.Optional(codes(subjects)) }),
      answers: { 200: { description: 'The templates', schema: ref(EvaluationTemplatePage) } },
    }),
    async (request) => {
      const { subject } = request.query
      const data = latestTemplates().filter((template) => subject === undefined || template.subject === subject)
      return { data, next_cursor: null }
    },
  )

  app.get(
    '/evaluation-templates/:code',
    operation({
      id: 'get_evaluation_template',
      scope: 'evaluations:read',
      tag,
      summary: 'Read one evaluation template',
      description: 'The latest version, or the one asked for: a round names the version that it was held on.',
      params: strictObject({ code: Type.String({ minLength: 1, maxLength: 100 }) }),
      query: strictObject({ version: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })) }),
      answers: {
        200: gives(ref(EvaluationTemplate), 'The template'),
        304: noContent('The caller has this version already'),
      },
    }),
    async (request, reply) => {
      const template = findTemplate(request.params.code, request.query.version)
      if (!template) throw notFound()
      const etag = etagOf(template.version)
      reply.header('etag', etag)
      if (noneMatchHits(request.headers['if-none-match'], etag)) return reply.code(304).send()
      return template
    },
  )
}
