import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { sql } from 'kysely'
import { type TSchema, Type } from 'typebox'
import { date, ref, uuid } from '../../core/schemas.ts'
import { param, tenantParam } from '../../db/prepared.ts'
import { callerOf, principalOf } from '../../platform/auth.ts'
import { type Action, action, idParams, type SliceOptions } from '../../platform/collection.ts'
import { readOne } from '../../platform/items.ts'
import {
  belongingTo,
  byInstant,
  defineList,
  externalRef,
  type Filter,
  oneOf,
  type SortKey,
  updatedSince,
} from '../../platform/lists.ts'
import { makes, operation } from '../../platform/operation.ts'
import { sendCreated } from '../../platform/resource.ts'
import { requireCommitment } from '../commitments/read.ts'
import { confirmFulfilment, disputeFulfilment, reportFulfilment, reverseFulfilment } from './commands.ts'
import { confirmations } from './lifecycle.ts'
import { Confirming, Disputing, Fulfilment, FulfilmentWrite, fulfilmentSchemas, Reversing } from './schemas.ts'
import { fulfilmentResource } from './view.ts'

const tag = 'Fulfilments'
const scopes = { read: 'commitments:read', write: 'commitments:write' } as const

const isReversed = sql`exists (
  select from fulfilments x where x.tenant_id = ${tenantParam} and x.reversal_of = r.id)`

const filters: Record<string, Filter> = {
  confirmation: oneOf('confirmation', confirmations),
  is_effective: {
    schema: Type.Boolean({ description: 'True for what stands: neither reversed, nor itself a reversal' }),
    where: sql`(r.reversal_of is null and not ${isReversed}) = ${param('is_effective')}::boolean`,
  },
  delivered_from: {
    schema: date({ description: 'Delivered on this day or later' }),
    where: sql`r.delivered_on >= ${param('delivered_from')}::date`,
  },
  delivered_before: {
    schema: date({ description: 'Delivered before this day' }),
    where: sql`r.delivered_on < ${param('delivered_before')}::date`,
  },
  external_ref: externalRef('fulfilment'),
  updated_since: updatedSince,
}

const deliveredOn: SortKey = { key: sql.ref('r.delivered_on'), type: 'date', isFixed: true }
const shared = {
  item: Fulfilment,
  of: fulfilmentResource,
  sorts: { created_at: byInstant('created_at'), updated_at: byInstant('updated_at'), delivered_on: deliveredOn },
  defaultSort: 'created_at',
}

const list = defineList({
  ...shared,
  name: 'fulfilments',
  filters: {
    commitment_id: belongingTo('commitment_id'),
    partnership_id: {
      schema: uuid(),
      where: sql`r.commitment_id in (select c.id from commitments c
        where c.tenant_id = ${tenantParam} and c.partnership_id = ${param('partnership_id')}::uuid)`,
      isFixed: true,
    },
    ...filters,
  },
})

const ofCommitment = defineList({
  ...shared,
  name: 'fulfilments_of_commitment',
  within: sql<boolean>`r.commitment_id = ${param('commitment_id')}::uuid`,
  filters,
})

const page = {
  200: { description: 'A page', schema: ref(list.page), headers: { Link: 'The next page, as rel="next"' } },
}

/** The ledger of what was delivered: it only grows; a mistake is taken back by an entry of its own. */
export const fulfilments: FastifyPluginAsyncTypebox<SliceOptions> = async (app, slice) => {
  for (const schema of fulfilmentSchemas) app.addSchema(schema)
  app.addSchema(list.page)
  belowCommitment(app, slice)
  app.get(
    '/fulfilments',
    operation({
      id: 'list_fulfilments',
      scope: scopes.read,
      tag,
      summary: 'List fulfilments',
      query: list.query,
      answers: page,
    }),
    (request, reply) => list.send(slice.database, request, reply),
  )
  readOne(app, slice, { resource: fulfilmentResource, tag, one: 'fulfilment', scopes, wire: Fulfilment })
  steps(app, slice)
}

type App = Parameters<FastifyPluginAsyncTypebox<SliceOptions>>[0]

function belowCommitment(app: App, { database, clock }: SliceOptions): void {
  const path = '/commitments/:id/fulfilments'
  app.get(
    path,
    operation({
      id: 'list_commitment_fulfilments',
      scope: scopes.read,
      tag,
      summary: 'List the fulfilments of a commitment',
      params: idParams,
      query: ofCommitment.query,
      answers: page,
    }),
    async (request, reply) => {
      const { id } = request.params
      await database.read(principalOf(request), (tx) => requireCommitment(tx, id))
      return ofCommitment.send(database, request, reply, { commitment_id: id })
    },
  )

  app.post(
    path,
    operation({
      id: 'create_fulfilment',
      scope: scopes.write,
      tag,
      summary: 'Report what was delivered on a commitment',
      description:
        'For the promiser or the other side, on a commitment that is agreed or paused. It counts as delivered once the ' +
        'side that did not report it has confirmed it. More than was promised may be delivered: outstanding stops at ' +
        'zero, delivered does not.',
      params: idParams,
      body: ref(FulfilmentWrite),
      answers: { 201: makes(ref(Fulfilment), 'The new entry') },
      refusals: ['state_forbids', 'duplicate', 'rule_violated', 'wrong_party'],
    }),
    async (request, reply) => {
      const outcome = await database.write(callerOf(request, clock), (tx) =>
        reportFulfilment(tx, request.params.id, request.body),
      )
      return sendCreated(reply, fulfilmentResource.path, outcome)
    },
  )
}

function steps(app: App, slice: SliceOptions): void {
  const step = <Body extends TSchema>(
    verb: string,
    told: Pick<Action<Body>, 'summary' | 'description' | 'body' | 'command' | 'refusals'>,
  ) =>
    action(app, slice, {
      resource: fulfilmentResource,
      tag,
      one: 'fulfilment',
      verb,
      scope: scopes.write,
      wire: Fulfilment,
      ...told,
    })

  step('confirm', {
    summary: 'Confirm a delivery',
    description:
      'For the side that did not report it; also after a dispute, and also when the commitment has ended meanwhile. When ' +
      'nothing is outstanding then, an agreed commitment is fulfilled.',
    body: ref(Confirming),
    refusals: ['wrong_party', 'state_forbids', 'rule_violated'],
    command: confirmFulfilment,
  })
  step('dispute', {
    summary: 'Dispute a delivery',
    description: 'For the side that did not report it. It may still be confirmed, or reversed.',
    body: ref(Disputing),
    refusals: ['wrong_party', 'state_forbids', 'rule_violated'],
    command: disputeFulfilment,
  })
  step('reverse', {
    summary: 'Take a delivery back',
    description:
      'For either side, once at most, whatever has become of the commitment: the ledger says what was delivered. Adds ' +
      'an entry with reversal_of, and answers with the one that was taken back. A fulfilled commitment on which ' +
      'something is outstanding again is agreed again. A partner takes back what its own party reported, as long as the ' +
      'other side has not confirmed it.',
    body: ref(Reversing),
    refusals: ['wrong_party', 'state_forbids'],
    command: reverseFulfilment,
  })
}
