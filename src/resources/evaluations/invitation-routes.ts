import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { sql } from 'kysely'
import { etagOf, requiredIfMatch } from '../../core/etag.ts'
import { ref, strictObject, uuid } from '../../core/schemas.ts'
import { param } from '../../db/prepared.ts'
import { callerOf } from '../../platform/auth.ts'
import { children } from '../../platform/children.ts'
import { action, type SliceOptions } from '../../platform/collection.ts'
import { idParams, readById, removeOne } from '../../platform/items.ts'
import { byInstant, defineList, oneOf } from '../../platform/lists.ts'
import { gives, makes, operation } from '../../platform/operation.ts'
import { createInvitation, declineInvitation, deleteInvitation, type Issued, resendInvitation } from './invitations.ts'
import { EvaluationInvitation, InvitationWrite, IssuedInvitation, invitationStatuses } from './response-schemas.ts'
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

export interface InvitingOptions extends SliceOptions {
  /** Where respondents reach the service. */
  publicUrl: string
}

/** Whom a round asks, and who has answered. */
export const evaluationInvitations: FastifyPluginAsyncTypebox<InvitingOptions> = async (app, slice) => {
  const { database, clock, publicUrl } = slice
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
      summary: 'Invite a party, or a person, to a round',
      description:
        'While the round is planned or open. In an organisation round each party is invited once and answers once, in its ' +
        'name; in an individual round any number of persons, each once. The answer shows the token, this once.',
      params: idParams,
      body: ref(InvitationWrite),
      answers: { 201: makes(ref(IssuedInvitation), 'The new invitation, with its token') },
      answersSecret: true,
      refusals: ['duplicate', 'state_forbids', 'rule_violated'],
    }),
    async (request, reply) => {
      const issued = await database.write(callerOf(request, clock), (tx) =>
        createInvitation(tx, request.params.id, request.body),
      )
      reply.code(201).header('location', `/v1/${invitationResource.path}/${issued.outcome.id}`)
      return sendIssued(reply, issued, publicUrl)
    },
  )

  app.post(
    '/evaluation-invitations/:id/resend',
    operation({
      id: 'resend_evaluation_invitation',
      scope: 'evaluations:write',
      tag,
      summary: 'Give a pending invitation a new token',
      description:
        'For a reminder, or where the first was lost. The token before is dead at once, and a draft that was saved under ' +
        'it is gone. The answer shows the new one, this once.',
      params: idParams,
      body: strictObject({}),
      answers: { 200: gives(ref(IssuedInvitation), 'The invitation, with its token') },
      answersSecret: true,
      refusals: ['state_forbids'],
      ifMatch: 'required',
    }),
    async (request, reply) => {
      const ifMatch = requiredIfMatch(request.headers['if-match'])
      const issued = await database.write(callerOf(request, clock), (tx) =>
        resendInvitation(tx, request.params.id, ifMatch),
      )
      return sendIssued(reply, issued, publicUrl)
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

function sendIssued(reply: FastifyReply, { outcome, token }: Issued, publicUrl: string): FastifyReply {
  const invitation = JSON.parse(outcome.body) as EvaluationInvitation
  return reply
    .header('etag', etagOf(outcome.version))
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ ...invitation, token, answer_url: `${publicUrl}/answer/${token}` }))
}
