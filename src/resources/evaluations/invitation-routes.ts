import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { sql } from 'kysely'
import { ref, strictObject, uuid } from '../../core/schemas.ts'
import { param } from '../../db/prepared.ts'
import { callerOf } from '../../platform/auth.ts'
import { children } from '../../platform/children.ts'
import { action, type SliceOptions } from '../../platform/collection.ts'
import { idParams, readById, removeOne } from '../../platform/items.ts'
import { byInstant, defineList, oneOf } from '../../platform/lists.ts'
import { makes, operation } from '../../platform/operation.ts'
import { sendCreated } from '../../platform/resource.ts'
import { createInvitation, declineInvitation, deleteInvitation } from './invitations.ts'
import { EvaluationInvitation, InvitationWrite, invitationStatuses } from './response-schemas.ts'
import { evaluationResource, invitationResource } from './view.ts'

const list = defineList({
  name: 'evaluation_invitations',
  item: EvaluationInvitation,
  view: invitationResource.view,
  sorts: { created_at: byInstant('created_at') },
  defaultSort: 'created_at',
  filters: {
    status: oneOf('status', invitationStatuses),
    party_id: { schema: uuid(), where: sql`r.party_id = ${param('party_id')}::uuid` },
  },
  within: sql`r.evaluation_id = ${param('evaluation_id')}::uuid`,
})

const tag = 'Evaluations'

/** Whom a round asks, and who has answered. */
export const evaluationInvitations: FastifyPluginAsyncTypebox<SliceOptions> = async (app, slice) => {
  const { database, clock } = slice
  app.addSchema(list.page)

  children(app, slice, {
    parent: evaluationResource,
    path: 'invitations',
    id: 'list_evaluation_invitations',
    scope: 'evaluations:read',
    tag,
    summary: 'List the invitations of a round',
    description: 'Who is asked, and who has answered: before the round is closed this is all that shows of it.',
    list,
  })

  app.post(
    '/evaluations/:id/invitations',
    operation({
      id: 'create_evaluation_invitation',
      scope: 'evaluations:write',
      tag,
      summary: 'Invite a party to a round',
      description: 'While the round is planned or open. Each party is invited once and answers once, in its name.',
      params: idParams,
      body: ref(InvitationWrite),
      answers: { 201: makes(ref(EvaluationInvitation), 'The new invitation') },
      refusals: ['duplicate', 'state_forbids', 'rule_violated'],
    }),
    async (request, reply) => {
      const outcome = await database.write(callerOf(request, clock), (tx) =>
        createInvitation(tx, request.params.id, request.body),
      )
      return sendCreated(reply, invitationResource.path, outcome)
    },
  )

  const one = {
    resource: invitationResource,
    tag,
    one: 'evaluation_invitation',
    scopes: { read: 'evaluations:read', write: 'evaluations:write' },
    wire: EvaluationInvitation,
  } as const
  readById(app, slice, one)
  removeOne(app, slice, {
    ...one,
    description:
      'While the round is planned; in an open round only an invitation that was declined, so that its party can be ' +
      'invited anew.',
    commands: { remove: deleteInvitation },
  })
  action(app, slice, {
    resource: one.resource,
    tag,
    one: one.one,
    verb: 'decline',
    scope: 'evaluations:answer',
    summary: 'Decline to answer a round',
    description: 'While the round is open. It closes by itself when everyone else who was invited has answered.',
    body: strictObject({}),
    wire: EvaluationInvitation,
    refusals: ['state_forbids'],
    command: declineInvitation,
  })
}
