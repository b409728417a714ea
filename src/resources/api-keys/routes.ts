import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { ref, strictObject, uuid } from '../../core/schemas.ts'
import { param, tenantParam } from '../../db/prepared.ts'
import { callerOf, principalOf } from '../../platform/auth.ts'
import { idParams, type SliceOptions } from '../../platform/items.ts'
import { byInstant, defineList } from '../../platform/lists.ts'
import { operation } from '../../platform/operation.ts'
import { type Outcome, readOne } from '../../platform/resource.ts'
import { createApiKey, revokeApiKey, rotateApiKey } from './commands.ts'
import { ApiKey, ApiKeyWrite, apiKeySchemas, NewApiKey, RotateKey } from './schemas.ts'
import { apiKeyResource } from './view.ts'

const tag = 'API keys'
const scope = 'admin'
const json = 'application/json; charset=utf-8'

const list = defineList({
  name: 'api_keys',
  item: ApiKey,
  view: apiKeyResource.view,
  sorts: { created_at: byInstant('created_at') },
  defaultSort: 'created_at',
  filters: {
    organisation_id: {
      schema: uuid({
        description: 'The keys of the partner that this organisation is, also those of what was merged into it',
      }),
      // A key keeps the ids that it was made with: all that are the same organisation by now are looked for.
      where: sql`r.organisation_ids && array(
        with recursive same as (
          select ${param('organisation_id')}::uuid as id
          union
          select case when o.id = s.id then o.merged_into_id else o.id end from same s
          join organisations o on o.tenant_id = ${tenantParam}
            and (o.merged_into_id = s.id or (o.id = s.id and o.merged_into_id is not null))
        )
        select id from same)`,
    },
    prefix: {
      schema: Type.String({
        pattern: '^beide_[0-9A-Za-z]{0,12}$',
        description: 'The public part of a key, or its beginning',
        examples: ['beide_4fQ0aZ81kLmN'],
      }),
      where: sql`starts_with(r.prefix, ${param('prefix')})`,
    },
  },
})

/**
 * The credentials of integrations. Several live at a time, so that one is replaced by another without a gap. They have
 * no ETag: `last_used_at` moves without a new version, and revoking is final and safe to repeat.
 */
export const apiKeys: FastifyPluginAsyncTypebox<SliceOptions> = async (app, slice) => {
  for (const schema of apiKeySchemas) app.addSchema(schema)
  app.addSchema(list.page)
  reads(app, slice)
  writes(app, slice)
}

type App = Parameters<FastifyPluginAsyncTypebox<SliceOptions>>[0]

function reads(app: App, { database }: SliceOptions): void {
  app.get(
    '/api-keys',
    operation({
      id: 'list_api_keys',
      scope,
      tag,
      summary: 'List API keys',
      query: list.query,
      answers: {
        200: { description: 'A page', schema: ref(list.page), headers: { Link: 'The next page, as rel="next"' } },
      },
    }),
    (request, reply) => list.send(database, request, reply),
  )

  app.get(
    '/api-keys/:id',
    operation({
      id: 'get_api_key',
      scope,
      tag,
      summary: 'Read one API key',
      description: 'Without an ETag: `last_used_at` moves without a new version.',
      params: idParams,
      answers: { 200: { description: 'The key, without its secret', schema: ref(ApiKey) } },
    }),
    async (request, reply) => {
      const { body } = await database.read(principalOf(request), (tx) => readOne(tx, apiKeyResource, request.params.id))
      return reply.type(json).send(body)
    },
  )
}

function writes(app: App, { database, clock }: SliceOptions): void {
  app.post(
    '/api-keys',
    operation({
      id: 'create_api_key',
      scope,
      tag,
      summary: 'Make one API key',
      description: 'The answer shows the whole key, this once. A key can be given only scopes that its maker has.',
      body: ref(ApiKeyWrite),
      answersSecret: true,
      answers: {
        201: {
          description: 'The new key',
          schema: ref(NewApiKey),
          headers: { Location: 'The address of the new record' },
        },
      },
      refusals: ['rule_violated'],
    }),
    async (request, reply) => {
      const made = await database.write(callerOf(request, clock), (tx) => createApiKey(tx, request.body))
      return sendWithKey(reply.code(201).header('location', `/v1/api-keys/${made.outcome.id}`), made)
    },
  )

  app.post(
    '/api-keys/:id/rotate',
    operation({
      id: 'rotate_api_key',
      scope,
      tag,
      summary: 'Give one API key a new secret',
      description:
        'The answer shows the whole key, this once; its public part stays. With `previous_valid_until` the old secret ' +
        'opens too until then, so that clients change over without a gap; only the last two secrets ever do. Needs no ' +
        'If-Match.',
      params: idParams,
      body: ref(RotateKey),
      answersSecret: true,
      answers: { 200: { description: 'The key, with its new secret', schema: ref(NewApiKey) } },
      refusals: ['not_found', 'rule_violated', 'state_forbids'],
    }),
    async (request, reply) => {
      const rotated = await database.write(callerOf(request, clock), (tx) =>
        rotateApiKey(tx, request.params.id, request.body),
      )
      return sendWithKey(reply, rotated)
    },
  )

  app.post(
    '/api-keys/:id/revoke',
    operation({
      id: 'revoke_api_key',
      scope,
      tag,
      summary: 'Revoke one API key',
      description:
        'For good, and within a second on every process. Needs no If-Match: revoking is final, and revoking again ' +
        'changes nothing.',
      params: idParams,
      body: strictObject({}),
      answers: { 200: { description: 'The key, which works no more', schema: ref(ApiKey) } },
    }),
    async (request, reply) => {
      const outcome = await database.write(callerOf(request, clock), (tx) => revokeApiKey(tx, request.params.id))
      return reply.type(json).send(outcome.body)
    },
  )
}

const sendWithKey = (reply: FastifyReply, { outcome, key }: { outcome: Outcome; key: string }): FastifyReply =>
  reply
    .header('cache-control', 'no-store')
    .type(json)
    .send(`${outcome.body.slice(0, -1)},"key":${JSON.stringify(key)}}`)
