import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { requiredIfMatch } from '../../core/etag.ts'
import { Faults } from '../../core/problem.ts'
import { ref } from '../../core/schemas.ts'
import { callerOf, principalOf } from '../../platform/auth.ts'
import { idParams, readById, removeOne, type SliceOptions, type Typed } from '../../platform/items.ts'
import { byInstant, defineList, oneOf, updatedSince } from '../../platform/lists.ts'
import { gives, makes, operation, patchTypes } from '../../platform/operation.ts'
import { readOne, sendOutcome } from '../../platform/resource.ts'
import { patchRevision } from '../../platform/writes.ts'
import { createEndpoint, removeEndpoint, reviseEndpoint, rotateSecret, type Secretive } from './commands.ts'
import type { Webhooks } from './delivery.ts'
import { deliveries } from './delivery-routes.ts'
import {
  endpointStatuses,
  RotateSecret,
  WebhookEndpoint,
  WebhookEndpointPatch,
  WebhookEndpointWithSecret,
  WebhookEndpointWrite,
  webhookSchemas,
} from './schemas.ts'
import { webhookEndpointResource as resource } from './view.ts'

export interface WebhookOptions extends SliceOptions {
  webhooks: Webhooks
}

const tag = 'Webhooks'
const one = 'webhook_endpoint'
const scopes = { read: 'webhooks:read', write: 'webhooks:write' } as const
const path = `/${resource.path}`
const refusals = ['rule_violated'] as const

const list = defineList({
  name: 'webhook_endpoints',
  item: WebhookEndpoint,
  view: resource.view,
  sorts: { created_at: byInstant('created_at') },
  defaultSort: 'created_at',
  filters: { status: oneOf('status', endpointStatuses), updated_since: updatedSince },
})

/** Where events are sent, as Standard Webhooks has it. */
export const webhookEndpoints: FastifyPluginAsyncTypebox<WebhookOptions> = async (app, options) => {
  for (const schema of webhookSchemas) app.addSchema(schema)
  app.addSchema(list.page)
  app.get(
    path,
    operation({
      id: 'list_webhook_endpoints',
      scope: scopes.read,
      tag,
      summary: 'List webhook endpoints',
      query: list.query,
      answers: {
        200: { description: 'A page', schema: ref(list.page), headers: { Link: 'The next page, as rel="next"' } },
      },
    }),
    (request, reply) => list.send(options.database, request, reply),
  )
  readById(app, options, { resource, tag, one, scopes, wire: WebhookEndpoint })
  create(app, options)
  change(app, options)
  removeOne(app, options, {
    resource,
    tag,
    one,
    scopes,
    description: 'With its deliveries; what was not sent yet is not sent any more.',
    refusesRemoval: [],
    commands: { remove: removeEndpoint },
  })
  rotate(app, options)
  deliveries(app, options)
}

function create(app: Typed, { database, clock, webhooks }: WebhookOptions): void {
  app.post(
    path,
    operation({
      id: 'create_webhook_endpoint',
      scope: scopes.write,
      tag,
      summary: 'Create one webhook endpoint',
      description:
        'Each event that its types let through is sent to it from now on: a POST with the event as the feed shows it and ' +
        '`timestamp`, with `webhook-id` (of the event, the same for every attempt), `webhook-timestamp` and ' +
        '`webhook-signature` (Standard Webhooks, v1). Any 2xx within 15 seconds accepts it. Otherwise it is sent again, ' +
        'ten attempts in all over three days; `Retry-After` is kept to, redirects are not followed, 410 disables the endpoint, and ' +
        'so do three days in which nothing came through (`webhook_endpoint.disabled`). Order is not promised: ' +
        '`sequence` gives it. The answer shows the secret, this once.',
      body: ref(WebhookEndpointWrite),
      answersSecret: true,
      answers: { 201: makes(ref(WebhookEndpointWithSecret), 'The new endpoint, with its secret') },
      refusals,
    }),
    async (request, reply) => {
      await requireTarget(webhooks, request.body.url)
      const made = await database.write(callerOf(request, clock), (tx) =>
        createEndpoint(tx, webhooks.box, request.body),
      )
      reply.code(201).header('location', `/v1${path}/${made.outcome.id}`)
      return sendWithSecret(reply, made)
    },
  )
}

function change(app: Typed, { database, clock, webhooks }: WebhookOptions): void {
  app.patch(
    `${path}/:id`,
    operation({
      id: 'update_webhook_endpoint',
      scope: scopes.write,
      tag,
      summary: 'Change one webhook endpoint',
      description: 'Setting `status` to `enabled` sends what happens from now on; what was missed can be replayed.',
      params: idParams,
      body: ref(WebhookEndpointPatch),
      bodyTypes: patchTypes,
      answers: { 200: gives(ref(WebhookEndpoint), 'The endpoint as it is now') },
      refusals,
      ifMatch: 'required',
    }),
    async (request, reply) => {
      const ifMatch = requiredIfMatch(request.headers['if-match'])
      const { url } = request.body as { url?: unknown }
      // Before the target is looked at: what is not there is not there, whatever its new address would be.
      await database.read(principalOf(request), (tx) => readOne(tx, resource, request.params.id))
      if (typeof url === 'string') await requireTarget(webhooks, url)
      const revise = patchRevision<never>(request, ref(WebhookEndpointWrite), request.body)
      const outcome = await database.write(callerOf(request, clock), (tx) =>
        reviseEndpoint(tx, request.params.id, ifMatch, revise as never),
      )
      return sendOutcome(reply, outcome)
    },
  )
}

function rotate(app: Typed, { database, clock, webhooks }: WebhookOptions): void {
  app.post(
    `${path}/:id/rotate-secret`,
    operation({
      id: 'rotate_webhook_endpoint_secret',
      scope: scopes.write,
      tag,
      summary: 'Give one webhook endpoint a new secret',
      description:
        'Until `previous_valid_until` messages carry two signatures, of the new secret and of the old one. The answer shows ' +
        'the new one, this once.',
      params: idParams,
      body: ref(RotateSecret),
      answersSecret: true,
      answers: { 200: gives(ref(WebhookEndpointWithSecret), 'The endpoint, with its new secret') },
      refusals,
      ifMatch: 'required',
    }),
    async (request, reply) => {
      const ifMatch = requiredIfMatch(request.headers['if-match'])
      const rotated = await database.write(callerOf(request, clock), (tx) =>
        rotateSecret(tx, webhooks.box, request.params.id, ifMatch, request.body),
      )
      return sendWithSecret(reply, rotated)
    },
  )
}

function sendWithSecret(reply: FastifyReply, { outcome, secret }: Secretive): FastifyReply {
  const body = `${outcome.body.slice(0, -1)},"secret":${JSON.stringify(secret)}}`
  return sendOutcome(reply.header('cache-control', 'no-store'), { ...outcome, body })
}

/** Before any transaction, for it may ask a name server. @throws Problem that says what is wrong with the target */
async function requireTarget({ outbound }: Webhooks, url: string): Promise<void> {
  const fault = await outbound.fault(url)
  if (fault === undefined) return
  const faults = new Faults()
  faults.add('/url', 'target', fault)
  faults.refuse()
}
