import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { sql } from 'kysely'
import { notFound } from '../../core/problem.ts'
import { ref, uuid } from '../../core/schemas.ts'
import { param } from '../../db/prepared.ts'
import { callerOf, principalOf } from '../../platform/auth.ts'
import { action, idParams, type SliceOptions } from '../../platform/collection.ts'
import { belongingTo, byInstant, defineList, externalRef, oneOf, updatedSince } from '../../platform/lists.ts'
import { gives, makes, noContent, operation } from '../../platform/operation.ts'
import { sendCreated, sendOne } from '../../platform/resource.ts'
import { createSubstitution } from './commands.ts'
import { acceptSubstitution, rejectSubstitution, withdrawSubstitution } from './decisions.ts'
import { substitutionStatuses } from './lifecycle.ts'
import {
  Substitution,
  SubstitutionCreate,
  SubstitutionDecision,
  SubstitutionReach,
  substitutionSchemas,
} from './schemas.ts'
import { substitutionReach } from './store.ts'
import { substitutionResource } from './view.ts'

const by = (name: string) => ({ schema: uuid(), where: sql<boolean>`${sql.ref(`r.${name}`)} = ${param(name)}::uuid` })

const list = defineList({
  name: 'substitutions',
  item: Substitution,
  of: substitutionResource,
  sorts: { created_at: byInstant('created_at'), updated_at: byInstant('updated_at') },
  defaultSort: 'created_at',
  filters: {
    partnership_id: belongingTo('partnership_id'),
    replaces_commitment_id: by('replaces_commitment_id'),
    by_commitment_id: by('by_commitment_id'),
    disruption_id: by('disruption_id'),
    status: oneOf('status', substitutionStatuses),
    updated_since: updatedSince,
    external_ref: externalRef('substitution'),
  },
})

const tag = 'Substitutions'

/** One promise in the place of another: proposed by one side, decided by the other. */
export const substitutions: FastifyPluginAsyncTypebox<SliceOptions> = async (app, slice) => {
  const { database, clock } = slice
  for (const schema of substitutionSchemas) app.addSchema(schema)
  app.addSchema(list.page)

  app.get(
    '/substitutions',
    operation({
      id: 'list_substitutions',
      scope: 'commitments:read',
      tag,
      summary: 'List substitutions',
      query: list.query,
      answers: {
        200: { description: 'A page', schema: ref(list.page), headers: { Link: 'The next page, as rel="next"' } },
      },
    }),
    (request, reply) => list.send(database, request, reply),
  )

  app.post(
    '/substitutions',
    operation({
      id: 'create_substitution',
      scope: 'commitments:write',
      tag,
      summary: 'Propose that one promise takes the place of another',
      description: 'Nothing changes until the other side accepts; then all changes at once.',
      body: ref(SubstitutionCreate),
      answers: { 201: makes(ref(Substitution), 'The proposal') },
      refusals: ['state_forbids', 'rule_violated', 'wrong_party'],
    }),
    async (request, reply) => {
      const outcome = await database.write(callerOf(request, clock), (tx) => createSubstitution(tx, request.body))
      return sendCreated(reply, substitutionResource.path, outcome)
    },
  )

  app.get(
    '/substitutions/:id',
    operation({
      id: 'get_substitution',
      scope: 'commitments:read',
      tag,
      summary: 'Read one substitution',
      params: idParams,
      answers: { 200: gives(ref(Substitution), 'The record'), 304: noContent('The caller has this version already') },
    }),
    (request, reply) => sendOne(database, substitutionResource, request.params.id, request, reply),
  )

  app.get(
    '/substitutions/:id/reach',
    operation({
      id: 'get_substitution_reach',
      scope: 'commitments:read',
      tag,
      summary: 'Read how far the old promise reached, and how far the new one did',
      params: idParams,
      answers: { 200: { description: 'Both, from confirmed deliveries', schema: ref(SubstitutionReach) } },
    }),
    async (request) => {
      const reach = await database.read(principalOf(request), (tx) => substitutionReach(tx, request.params.id))
      if (!reach) throw notFound()
      return reach
    },
  )

  const step = {
    resource: substitutionResource,
    tag,
    one: 'substitution',
    scope: 'commitments:write' as const,
    body: ref(SubstitutionDecision),
    wire: Substitution,
  }
  action(app, slice, {
    ...step,
    verb: 'accept',
    summary: 'Accept a substitution: the old promise is lowered and the new one agreed, both or neither',
    refusals: ['wrong_party', 'state_forbids', 'rule_violated'],
    command: acceptSubstitution,
  })
  action(app, slice, {
    ...step,
    verb: 'reject',
    summary: 'Reject a substitution',
    refusals: ['wrong_party', 'rule_violated'],
    command: rejectSubstitution,
  })
  action(app, slice, {
    ...step,
    verb: 'withdraw',
    summary: 'Take a proposed substitution back',
    refusals: ['wrong_party', 'rule_violated'],
    command: withdrawSubstitution,
  })
}
