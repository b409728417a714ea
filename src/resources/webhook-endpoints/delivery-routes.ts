import { sql } from 'kysely'
import { notFound } from '../../core/problem.ts'
import { ref, strictObject, uuid } from '../../core/schemas.ts'
import type { ReadTx } from '../../db/database.ts'
import { param } from '../../db/prepared.ts'
import { callerOf, principalOf } from '../../platform/auth.ts'
import { idParams, type SliceOptions, type Typed } from '../../platform/items.ts'
import { enqueue } from '../../platform/jobs.ts'
import { byInstant, defineList, oneOf } from '../../platform/lists.ts'
import { operation } from '../../platform/operation.ts'
import { readOne } from '../../platform/resource.ts'
import { loadForUpdate } from '../../platform/writes.ts'
import { checkPosition } from '../events/read.ts'
import { replayDelivery, requireEnabled, testEndpoint } from './commands.ts'
import { replayStretch } from './delivery.ts'
import { deliveryStatuses, Replay, ReplayFrom, WebhookDelivery } from './schemas.ts'
import { feedBounds } from './store.ts'
import { deliveryById, deliveryView, webhookEndpointResource as resource } from './view.ts'

const tag = 'Webhooks'
const path = `/${resource.path}/:id`
const json = 'application/json; charset=utf-8'
const accepted = { 202: { description: 'It is sent in a moment', schema: ref(WebhookDelivery) } }
const deliveryParams = strictObject({ id: uuid(), delivery_id: uuid() })

const list = defineList({
  name: 'webhook_deliveries',
  item: WebhookDelivery,
  view: deliveryView,
  within: sql`r.endpoint_id = ${param('endpoint_id')}::uuid`,
  sorts: { created_at: byInstant('created_at') },
  defaultSort: '-created_at',
  filters: { status: oneOf('status', deliveryStatuses) },
})

/** What was sent to an endpoint: the log, a test, and sending again. */
export function deliveries(app: Typed, slice: SliceOptions): void {
  app.addSchema(list.page)
  log(app, slice)
  sendAgain(app, slice)
}

async function readDelivery(tx: ReadTx, endpointId: string, id: string): Promise<string> {
  const [row] = await deliveryById.run(tx, { endpoint_id: endpointId, id })
  if (!row) throw notFound()
  return row.body
}

function log(app: Typed, { database, clock }: SliceOptions): void {
  app.get(
    `${path}/deliveries`,
    operation({
      id: 'list_webhook_deliveries',
      scope: 'webhooks:read',
      tag,
      summary: 'List what was sent to one webhook endpoint',
      description: 'The latest first, each with its attempts; kept as long as events are.',
      params: idParams,
      query: list.query,
      answers: {
        200: { description: 'A page', schema: ref(list.page), headers: { Link: 'The next page, as rel="next"' } },
      },
    }),
    async (request, reply) => {
      const { id } = request.params
      await database.read(principalOf(request), (tx) => readOne(tx, resource, id))
      return list.send(database, request, reply, { endpoint_id: id })
    },
  )

  app.post(
    `${path}/test`,
    operation({
      id: 'test_webhook_endpoint',
      scope: 'webhooks:write',
      tag,
      summary: 'Send a test to one webhook endpoint',
      description:
        'A message `webhook_endpoint.test`, signed like any other; it is not in the feed and has no sequence.',
      params: idParams,
      body: strictObject({}),
      answers: accepted,
      refusals: ['state_forbids'],
    }),
    async (request, reply) => {
      const { id } = request.params
      const body = await database.write(callerOf(request, clock), async (tx) =>
        readDelivery(tx, id, await testEndpoint(tx, id)),
      )
      return reply.code(202).type(json).send(body)
    },
  )
}

function sendAgain(app: Typed, { database, clock }: SliceOptions): void {
  app.post(
    `${path}/deliveries/:delivery_id/replay`,
    operation({
      id: 'replay_webhook_delivery',
      scope: 'webhooks:write',
      tag,
      summary: 'Send one message again',
      description: 'Whatever became of it: with the same webhook-id, so that a receiver which has it can tell.',
      params: deliveryParams,
      body: strictObject({}),
      answers: accepted,
      refusals: ['state_forbids'],
    }),
    async (request, reply) => {
      const { id, delivery_id: deliveryId } = request.params
      const body = await database.write(callerOf(request, clock), async (tx) => {
        await replayDelivery(tx, id, deliveryId)
        return readDelivery(tx, id, deliveryId)
      })
      return reply.code(202).type(json).send(body)
    },
  )

  app.post(
    `${path}/replay`,
    operation({
      id: 'replay_webhook_events',
      scope: 'webhooks:write',
      tag,
      summary: 'Send the feed from a sequence on again',
      description: 'To one endpoint, as far as it takes the types: after an outage, or to fill a new receiver.',
      params: idParams,
      body: ref(ReplayFrom),
      answers: { 202: { description: 'They are sent in the background', schema: ref(Replay) } },
      refusals: ['state_forbids', 'gone'],
    }),
    async (request, reply) => {
      const { id } = request.params
      const { after } = request.body
      const until = await database.write(callerOf(request, clock), async (tx) => {
        requireEnabled(await loadForUpdate(tx, resource, id))
        const { oldest, latest } = await feedBounds(tx)
        checkPosition(after, oldest, latest)
        await enqueue(tx, replayStretch, { endpoint_id: id, after, until: latest }, { key: id })
        return latest
      })
      return reply.code(202).type(json).send(JSON.stringify({ after, until }))
    },
  )
}
