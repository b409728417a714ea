import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ref } from '../../core/schemas.ts'
import { callerOf, principalOf } from '../../platform/auth.ts'
import { action, idParams, type SliceOptions } from '../../platform/collection.ts'
import { gives, makes, noContent, operation } from '../../platform/operation.ts'
import { sendCreated, sendOne } from '../../platform/resource.ts'
import { DayQuery } from '../measures/schemas.ts'
import { termsAsOf } from './as-of.ts'
import { acceptAmendment, rejectAmendment, withdrawAmendment } from './decide.ts'
import { createAmendment } from './propose.ts'
import { amendmentList } from './read.ts'
import { Amendment, AmendmentCreate, AmendmentDecision, amendmentSchemas, TermsAsOf } from './schemas.ts'
import { amendmentResource } from './view.ts'

const tag = 'Amendments'
const ofPartners = 'A partner needs the scope `commitments:write`, too, where commitments change.'

/** Changes of what was agreed: proposed by one party, accepted by those concerned. */
export const amendments: FastifyPluginAsyncTypebox<SliceOptions> = async (app, slice) => {
  const { database, clock } = slice
  for (const schema of amendmentSchemas) app.addSchema(schema)
  app.addSchema(amendmentList.page)

  app.get(
    '/amendments',
    operation({
      id: 'list_amendments',
      scope: 'partnerships:read',
      tag,
      summary: 'List amendments',
      query: amendmentList.query,
      answers: {
        200: {
          description: 'A page',
          schema: ref(amendmentList.page),
          headers: { Link: 'The next page, as rel="next"' },
        },
      },
    }),
    (request, reply) => amendmentList.send(database, request, reply),
  )

  app.post(
    '/partnerships/:id/amendments',
    operation({
      id: 'create_amendment',
      scope: 'partnerships:write',
      tag,
      summary: 'Propose new terms',
      description:
        'Changes the purpose, start and base currency of a partnership and agreed terms of its commitments, all together. ' +
        'Nothing changes until those concerned accept; a correction of a mistake in writing counts at once, but for one ' +
        `that a partner proposes. ${ofPartners}`,
      params: idParams,
      body: ref(AmendmentCreate),
      answers: { 201: makes(ref(Amendment), 'The proposal') },
      refusals: ['state_forbids', 'rule_violated', 'wrong_party'],
    }),
    async (request, reply) => {
      const outcome = await database.write(callerOf(request, clock), (tx) =>
        createAmendment(tx, request.params.id, request.body),
      )
      return sendCreated(reply, amendmentResource.path, outcome)
    },
  )

  app.get(
    '/amendments/:id',
    operation({
      id: 'get_amendment',
      scope: 'partnerships:read',
      tag,
      summary: 'Read one amendment',
      params: idParams,
      answers: { 200: gives(ref(Amendment), 'The record'), 304: noContent('The caller has this version already') },
    }),
    (request, reply) => sendOne(database, amendmentResource, request.params.id, request, reply),
  )

  const steps = [
    [
      'accept',
      'Record the assent of one party; with the last that is needed the new terms count',
      acceptAmendment,
      { description: ofPartners },
    ],
    ['reject', 'Reject an amendment: a party whose assent is needed says no', rejectAmendment, {}],
    ['withdraw', 'Take a proposed amendment back', withdrawAmendment, {}],
  ] as const
  for (const [verb, summary, command, more] of steps) {
    action(app, slice, {
      resource: amendmentResource,
      tag,
      one: 'amendment',
      verb,
      scope: 'partnerships:write',
      summary,
      ...more,
      body: ref(AmendmentDecision),
      wire: Amendment,
      refusals: ['wrong_party', 'state_forbids', 'rule_violated'],
      command,
    })
  }

  for (const type of ['partnership', 'commitment'] as const) {
    app.get(
      `/${type}s/:id/terms`,
      operation({
        id: `get_${type}_terms`,
        scope: `${type}s:read`,
        tag,
        summary: `Read the agreed terms of a ${type} as they stood on a day`,
        params: idParams,
        query: DayQuery,
        answers: { 200: { description: 'The terms', schema: ref(TermsAsOf) } },
      }),
      async (request) => {
        const { id } = request.params
        return database.read(principalOf(request), (tx) =>
          termsAsOf(tx, { type, id, day: request.query.as_of, now: clock.now() }),
        )
      },
    )
  }
}
