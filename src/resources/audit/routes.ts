import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { instant, ref, uuid } from '../../core/schemas.ts'
import { param } from '../../db/prepared.ts'
import type { SliceOptions } from '../../platform/items.ts'
import { byNumber, defineList, type Filter, oneOf } from '../../platform/lists.ts'
import { operation } from '../../platform/operation.ts'
import { AuditEntry, auditCategories } from './schemas.ts'
import { auditView } from './view.ts'

const action: Filter = {
  schema: Type.Array(Type.String({ pattern: '^[a-z_]+\\.([a-z_]+|\\*)$', maxLength: 100 }), {
    minItems: 1,
    maxItems: 50,
    description: 'One or more, such as partnership.* or sign_in.failed, with commas',
  }),
  where: sql`(r.action = any(${param('action')}::text[])
    or split_part(r.action, '.', 1) || '.*' = any(${param('action')}::text[]))`,
}

const list = defineList({
  name: 'audit_entries',
  item: AuditEntry,
  view: auditView,
  sorts: { sequence: byNumber('sequence') },
  foundBy: sql`r.sequence = any(${param('keys')}::bigint[])`,
  defaultSort: '-sequence',
  filters: {
    category: oneOf('category', auditCategories),
    action,
    resource_type: {
      schema: Type.String({ pattern: '^[a-z_]+$', maxLength: 100, examples: ['partnership'] }),
      where: sql`r.resource_type = ${param('resource_type')}`,
    },
    resource_id: { schema: uuid(), where: sql`r.resource_id = ${param('resource_id')}::uuid` },
    actor_id: {
      schema: Type.String({
        minLength: 1,
        maxLength: 300,
        description: 'The `id` of the actor: of an API key, or issuer/subject of a token',
      }),
      where: sql`r.actor_id = ${param('actor_id')}`,
    },
    occurred_since: {
      schema: instant({ description: 'At this instant or later' }),
      where: sql`r.occurred_at >= ${param('occurred_since')}::timestamptz`,
    },
    occurred_before: {
      schema: instant({ description: 'Before this instant' }),
      where: sql`r.occurred_at < ${param('occurred_before')}::timestamptz`,
    },
  },
})

/** Who did what. Entries are added by the database with each change, and nothing of the service can change one. */
export const audit: FastifyPluginAsyncTypebox<SliceOptions> = async (app, { database }) => {
  for (const schema of [AuditEntry, list.page]) app.addSchema(schema)
  app.get(
    '/audit',
    operation({
      id: 'list_audit_entries',
      scope: 'audit:read',
      tag: 'Audit',
      summary: 'Read who did what',
      description:
        'Every change with the record before and after it, every refused credential, and every disclosure of persons ' +
        'and exports; the latest first. Names, addresses and numbers of contacts are never in it. It shows records ' +
        'whatever other scopes the credential has: give `audit:read` to auditors alone.',
      query: list.query,
      answers: {
        200: { description: 'A page', schema: ref(list.page), headers: { Link: 'The next page, as rel="next"' } },
      },
    }),
    (request, reply) => list.send(database, request, reply),
  )
}
