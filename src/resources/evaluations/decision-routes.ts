import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { date, ref, uuid } from '../../core/schemas.ts'
import { param, tenantParam } from '../../db/prepared.ts'
import { children } from '../../platform/children.ts'
import { changeOne, readById, type SliceOptions } from '../../platform/items.ts'
import { belongingTo, byDate, byInstant, defineList, type Filter, oneOf, updatedSince } from '../../platform/lists.ts'
import { operation } from '../../platform/operation.ts'
import { reviseDecision } from './conclusion.ts'
import {
  aspects,
  decisionStatuses,
  decisions,
  EvaluationDecision,
  EvaluationDecisionPatch,
  EvaluationDecisionWrite,
} from './decision-schemas.ts'
import { ofOrganisation } from './of-organisation.ts'
import { organisationTimeZone } from './subject.ts'
import { decisionResource, evaluationResource } from './view.ts'

/** True for a decision, by its alias, that is open past its day; needs the instant `now`. */
export const isPastDue = (alias: string) => sql<boolean>`(
  ${sql.ref(`${alias}.status`)} = 'open' and coalesce(${sql.ref(`${alias}.due_on`)} < (
    select (${param('now')}::timestamptz at time zone coalesce((
      select p.time_zone from partnerships p
      where p.tenant_id = ${tenantParam} and p.id = ${sql.ref(`${alias}.partnership_id`)}
    ), ${sql.lit(organisationTimeZone)}))::date), false))`

const due = sql`coalesce(r.due_on, 'infinity'::date)`

const listed = {
  item: EvaluationDecision,
  of: decisionResource,
  sorts: { created_at: byInstant('created_at'), updated_at: byInstant('updated_at'), due_on: byDate('due_on') },
  defaultSort: 'created_at',
}
const filters: Record<string, Filter> = {
  status: oneOf('status', decisionStatuses),
  aspect: oneOf('aspect', aspects),
  decision: oneOf('decision', decisions),
  is_overdue: {
    schema: Type.Boolean({
      description:
        'True for open ones whose day has passed, where the partnership is; in UTC for those of a readiness round',
    }),
    where: sql<boolean>`${isPastDue('r')} = ${param('is_overdue')}::boolean`,
  },
  due_from: {
    schema: date({ description: 'Due on this day or later' }),
    where: sql<boolean>`${due} >= ${param('due_from')}::date and r.due_on is not null`,
  },
  due_before: {
    schema: date({ description: 'Due before this day' }),
    where: sql<boolean>`${due} < ${param('due_before')}::date and r.due_on is not null`,
  },
  owner_party_id: {
    schema: uuid({ description: 'A party that sees to it' }),
    where: sql<boolean>`r.owner_party_id = ${param('owner_party_id')}::uuid`,
  },
  owner_organisation_id: {
    schema: uuid({
      description:
        'The organisation of the party that sees to it, or that sees to what it decided in a readiness round',
    }),
    names: 'organisations',
    where: sql<boolean>`r.id in (
      select d.id from evaluation_decisions d
      join partnership_parties p on p.tenant_id = d.tenant_id and p.id = d.owner_party_id
      where d.tenant_id = ${tenantParam} and p.organisation_id = ${param('owner_organisation_id')}::uuid
      union all
      select d.id from evaluation_decisions d
      where d.tenant_id = ${tenantParam} and d.organisation_id = ${param('owner_organisation_id')}::uuid)`,
  },
  updated_since: updatedSince,
}

const decisionList = defineList({
  ...listed,
  name: 'decisions',
  filters: {
    ...filters,
    evaluation_id: belongingTo('evaluation_id'),
    partnership_id: belongingTo('partnership_id'),
    organisation_id: ofOrganisation('evaluation_decisions'),
  },
})

const ofRound = defineList({
  ...listed,
  name: 'evaluation_decisions',
  filters,
  within: sql`r.evaluation_id = ${param('evaluation_id')}::uuid`,
})

const tag = 'Evaluations'

/** What was decided on concluding rounds, and what became of it. */
export const evaluationDecisions: FastifyPluginAsyncTypebox<SliceOptions> = async (app, slice) => {
  const { database, clock } = slice
  app.addSchema(decisionList.page)

  app.get(
    '/evaluation-decisions',
    operation({
      id: 'list_evaluation_decisions',
      scope: 'evaluations:read',
      tag,
      summary: 'List the decisions of all rounds',
      description: 'What is still to be carried out: status=open; what is late: is_overdue=true.',
      query: decisionList.query,
      answers: {
        200: {
          description: 'A page',
          schema: ref(decisionList.page),
          headers: { Link: 'The next page, as rel="next"' },
        },
      },
    }),
    (request, reply) => decisionList.send(database, request, reply, {}, { now: clock.now() }),
  )
  children(app, slice, {
    parent: evaluationResource,
    path: 'decisions',
    id: 'list_decisions_of_evaluation',
    scope: 'evaluations:read',
    tag,
    summary: 'List the decisions of a round',
    list: ofRound,
  })
  const one = {
    resource: decisionResource,
    tag,
    one: 'evaluation_decision',
    scopes: { read: 'evaluations:read', write: 'evaluations:write' },
    wire: EvaluationDecision,
    write: EvaluationDecisionWrite,
    patch: EvaluationDecisionPatch,
    refusals: ['rule_violated', 'state_forbids'],
    commands: { revise: reviseDecision },
  } as const
  readById(app, slice, one)
  changeOne(app, slice, one)
}
