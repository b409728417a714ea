import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyPluginAsync } from 'fastify'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { date, ref, uuid } from '../../core/schemas.ts'
import { param } from '../../db/prepared.ts'
import { principalOf } from '../../platform/auth.ts'
import { idParams, type SliceOptions } from '../../platform/collection.ts'
import { belongingTo, byDate, defineList, type Filter, oneOf } from '../../platform/lists.ts'
import { operation } from '../../platform/operation.ts'
import { requireCommitment } from '../commitments/read.ts'
import { Instalment, instalmentSchemas, instalmentStates } from './schemas.ts'
import { instalmentView, isOverdue } from './view.ts'

const filters: Record<string, Filter> = {
  state: oneOf('state', instalmentStates),
  due_from: {
    schema: date({ description: 'Due on this day or later' }),
    where: sql`coalesce(r.due_on, 'infinity'::date) >= ${param('due_from')}::date and r.due_on is not null`,
  },
  due_before: {
    schema: date({ description: 'Due before this day' }),
    where: sql`coalesce(r.due_on, 'infinity'::date) < ${param('due_before')}::date`,
  },
  is_overdue: {
    schema: Type.Boolean({ description: 'What should have been delivered by yesterday, or all else' }),
    where: sql`${isOverdue} = ${param('is_overdue')}::boolean`,
  },
}

const common = {
  item: Instalment,
  view: instalmentView,
  sorts: { due_on: byDate('due_on') },
  defaultSort: 'due_on',
}

const list = defineList({
  ...common,
  name: 'instalments',
  filters: {
    ...filters,
    commitment_id: belongingTo('commitment_id'),
    partnership_id: {
      schema: uuid(),
      where: sql`r.commitment_id in (
        select id from commitments where tenant_id = r.tenant_id and partnership_id = ${param('partnership_id')}::uuid)`,
    },
  },
})

const ofCommitment = defineList({
  ...common,
  name: 'commitment_instalments',
  filters,
  within: sql<boolean>`r.commitment_id = ${param('commitment_id')}::uuid`,
})

const answers = {
  200: { description: 'A page', schema: ref(list.page), headers: { Link: 'The next page, as rel="next"' } },
}

/** The parts of commitments: when each falls due, and what became of it. They are made by the service. */
export const instalments: FastifyPluginAsync<SliceOptions> = async (app, { database, clock }) => {
  for (const schema of [...instalmentSchemas, list.page]) app.addSchema(schema)
  const register: FastifyPluginAsyncTypebox = async (typed) => {
    typed.get(
      '/instalments',
      operation({
        id: 'list_instalments',
        scope: 'commitments:read',
        tag: 'Instalments',
        summary: 'List instalments of all commitments',
        description: 'What falls due when, over all partnerships. Those without a due date come last.',
        query: list.query,
        answers,
      }),
      (request, reply) => list.send(database, request, reply, {}, { now: clock.now() }),
    )
    typed.get(
      '/commitments/:id/instalments',
      operation({
        id: 'list_commitment_instalments',
        scope: 'commitments:read',
        tag: 'Instalments',
        summary: 'List the instalments of one commitment',
        description:
          'They are made when the commitment is agreed: by its schedule, or a single one without a due date. A new plan ' +
          'takes the place of what is not settled; what it replaced stays readable as void.',
        params: idParams,
        query: ofCommitment.query,
        answers,
      }),
      async (request, reply) => {
        const { id } = request.params
        await database.read(principalOf(request), (tx) => requireCommitment(tx, id))
        return ofCommitment.send(database, request, reply, { commitment_id: id }, { now: clock.now() })
      },
    )
  }
  await app.register(register)
}
