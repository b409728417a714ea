import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { date, ref, uuid } from '../../core/schemas.ts'
import { param, tenantParam } from '../../db/prepared.ts'
import { callerOf } from '../../platform/auth.ts'
import { idParams, type SliceOptions } from '../../platform/collection.ts'
import { belongingTo, byInstant, defineList, updatedSince } from '../../platform/lists.ts'
import { gives, makes, noContent, operation } from '../../platform/operation.ts'
import { sendCreated, sendOne } from '../../platform/resource.ts'
import { createObjectiveLink } from './commands.ts'
import { ObjectiveLink, ObjectiveLinkCreate, objectiveLinkSchemas } from './schemas.ts'
import { objectiveLinkResource } from './view.ts'

const list = defineList({
  name: 'objective_links',
  item: ObjectiveLink,
  of: objectiveLinkResource,
  sorts: {
    created_at: byInstant('created_at'),
    updated_at: byInstant('updated_at'),
    assessed_on: { key: sql.ref('r.assessed_on'), type: 'date' },
  },
  defaultSort: 'created_at',
  filters: {
    partnership_id: belongingTo('partnership_id'),
    objective_id: belongingTo('objective_id'),
    organisation_id: {
      schema: uuid({ description: 'Links to objectives of this organisation' }),
      names: 'organisations',
      where: sql`r.objective_id in (select o.id from objectives o
        where o.tenant_id = ${tenantParam} and o.organisation_id = ${param('organisation_id')}::uuid)`,
    },
    as_of: {
      schema: date({ description: 'The links that counted on this day: each as it was last assessed by then' }),
      where: sql`r.assessed_on <= ${param('as_of')}::date
        and (r.superseded_on is null or r.superseded_on > ${param('as_of')}::date)`,
    },
    is_current: {
      schema: Type.Boolean({ description: 'True for the links that count now, false for those that were superseded' }),
      where: sql`(r.superseded_by_id is null) = ${param('is_current')}::boolean`,
    },
    updated_since: updatedSince,
  },
})

const tag = 'Objectives'

/** What partnerships contribute to objectives: list, create, get; a link is superseded by the next, never edited. */
export const objectiveLinks: FastifyPluginAsyncTypebox<SliceOptions> = async (app, { database, clock }) => {
  for (const schema of objectiveLinkSchemas) app.addSchema(schema)
  app.addSchema(list.page)

  app.get(
    '/objective-links',
    operation({
      id: 'list_objective_links',
      scope: 'objectives:read',
      tag,
      summary: 'List objective links',
      query: list.query,
      answers: {
        200: { description: 'A page', schema: ref(list.page), headers: { Link: 'The next page, as rel="next"' } },
      },
    }),
    (request, reply) => list.send(database, request, reply),
  )

  app.post(
    '/objective-links',
    operation({
      id: 'create_objective_link',
      scope: 'objectives:write',
      tag,
      summary: 'Assess what a partnership contributes to an objective',
      description: 'Supersedes the former assessment of the same partnership and objective, which stays readable.',
      body: ref(ObjectiveLinkCreate),
      answers: { 201: makes(ref(ObjectiveLink), 'The new link') },
      refusals: ['rule_violated'],
    }),
    async (request, reply) => {
      const outcome = await database.write(callerOf(request, clock), (tx) => createObjectiveLink(tx, request.body))
      return sendCreated(reply, objectiveLinkResource.path, outcome)
    },
  )

  app.get(
    '/objective-links/:id',
    operation({
      id: 'get_objective_link',
      scope: 'objectives:read',
      tag,
      summary: 'Read one objective link',
      params: idParams,
      answers: { 200: gives(ref(ObjectiveLink), 'The record'), 304: noContent('The caller has this version already') },
    }),
    (request, reply) => sendOne(database, objectiveLinkResource, request.params.id, request, reply),
  )
}
