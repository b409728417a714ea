import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { etagOf, noneMatchHits } from '../../core/etag.ts'
import { ref, strictObject } from '../../core/schemas.ts'
import { principalOf } from '../../platform/auth.ts'
import { collection, type SliceOptions } from '../../platform/collection.ts'
import { byInstant, byText, defineList, externalRef, oneOf, searched, updatedSince } from '../../platform/lists.ts'
import { gives, noContent, operation } from '../../platform/operation.ts'
import { createTemplate, deleteTemplate, reviseTemplate, upsertTemplate } from './commands.ts'
import { readTemplate } from './read.ts'
import {
  EvaluationTemplate,
  EvaluationTemplatePatch,
  EvaluationTemplateWrite,
  evaluationTemplateSchemas,
  subjects,
  templateOrigins,
  templateStatuses,
} from './schemas.ts'
import { templateResource } from './view.ts'

const tag = 'Evaluations'

const list = defineList({
  name: 'evaluation_templates',
  item: EvaluationTemplate,
  view: templateResource.view,
  sorts: { code: byText('code'), created_at: byInstant('created_at'), updated_at: byInstant('updated_at') },
  defaultSort: 'code',
  filters: {
    q: searched('A part of the code or the title'),
    subject: oneOf('subject', subjects),
    status: oneOf('status', templateStatuses),
    origin: oneOf('origin', templateOrigins),
    external_ref: externalRef('evaluation_template'),
    updated_since: updatedSince,
  },
})

/** The questionnaires of evaluation rounds: those of the service, alike for every tenant, and the tenant's own. */
export const evaluationTemplates: FastifyPluginAsyncTypebox<SliceOptions> = async (app, slice) => {
  for (const schema of evaluationTemplateSchemas) app.addSchema(schema)
  app.addSchema(list.page)
  collection(app, slice, {
    resource: templateResource,
    tag,
    one: 'evaluation_template',
    many: 'evaluation_templates',
    scopes: { read: 'evaluations:read', write: 'evaluations:write' },
    wire: EvaluationTemplate,
    write: EvaluationTemplateWrite,
    patch: EvaluationTemplatePatch,
    list,
    refusals: ['duplicate', 'state_forbids', 'rule_violated'],
    readsOneItself: true,
    commands: {
      create: createTemplate,
      revise: reviseTemplate,
      upsert: upsertTemplate,
      remove: deleteTemplate,
    },
  })

  app.get(
    '/evaluation-templates/:id',
    operation({
      id: 'get_evaluation_template',
      scope: 'evaluations:read',
      tag,
      summary: 'Read one evaluation template',
      description: 'The latest version, or the one asked for: a round names the version that it was held on.',
      params: strictObject({
        id: Type.String({ minLength: 1, maxLength: 100, description: 'Its id, or its code' }),
      }),
      query: strictObject({ version: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })) }),
      answers: {
        200: gives(ref(EvaluationTemplate), 'The template'),
        304: noContent('The caller has this version already'),
      },
    }),
    async (request, reply) => {
      const { id } = request.params
      const { version, body } = await slice.database.read(principalOf(request), (tx) =>
        readTemplate(tx, id, request.query.version),
      )
      const etag = etagOf(version)
      reply.header('etag', etag)
      if (noneMatchHits(request.headers['if-none-match'], etag)) return reply.code(304).send()
      return reply.type('application/json; charset=utf-8').send(body as never)
    },
  )
}
