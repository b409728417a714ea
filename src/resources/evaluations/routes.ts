import type { FastifyPluginAsync } from 'fastify'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { ref, strictObject, uuid } from '../../core/schemas.ts'
import { param } from '../../db/prepared.ts'
import { children } from '../../platform/children.ts'
import { action, collection, type SliceOptions } from '../../platform/collection.ts'
import { historyOf } from '../../platform/history.ts'
import {
  belongingTo,
  byInstant,
  defineList,
  externalRef,
  oneOf,
  type SortKey,
  updatedSince,
} from '../../platform/lists.ts'
import { evaluationCharts } from './chart-routes.ts'
import { createEvaluation, reviseEvaluation, upsertEvaluation } from './commands.ts'
import { concludeEvaluation } from './conclusion.ts'
import { evaluationDecisions, isPastDue } from './decision-routes.ts'
import { decisionSchemas } from './decision-schemas.ts'
import { evaluationInvitations, type InvitingOptions } from './invitation-routes.ts'
import { ofOrganisation } from './of-organisation.ts'
import { evaluationResponses } from './response-routes.ts'
import { responseSchemas } from './response-schemas.ts'
import {
  Evaluation,
  EvaluationCancel,
  EvaluationConclude,
  EvaluationOpen,
  EvaluationPatch,
  EvaluationWrite,
  evaluationKinds,
  evaluationSchemas,
  evaluationStatuses,
} from './schemas.ts'
import { scoreSchemas } from './score-schemas.ts'
import { cancelEvaluation, closeEvaluation, openEvaluation } from './steps.ts'
import { evaluationResource } from './view.ts'

const byPeriod: SortKey = { key: sql.ref('r.period_to'), type: 'date' }

const list = defineList({
  name: 'evaluations',
  item: Evaluation,
  of: evaluationResource,
  sorts: { created_at: byInstant('created_at'), updated_at: byInstant('updated_at'), period_to: byPeriod },
  defaultSort: 'created_at',
  filters: {
    partnership_id: belongingTo('partnership_id'),
    organisation_id: ofOrganisation('evaluations'),
    status: oneOf('status', evaluationStatuses),
    kind: oneOf('kind', evaluationKinds),
    disruption_id: { schema: uuid(), where: sql`r.disruption_id = ${param('disruption_id')}::uuid` },
    has_overdue_decisions: {
      schema: Type.Boolean({ description: 'True for rounds with a decision that is open past its day' }),
      where: sql`exists (select from evaluation_decisions d
        where d.tenant_id = r.tenant_id and d.evaluation_id = r.id and ${isPastDue('d')})
        = ${param('has_overdue_decisions')}::boolean`,
      isOfOthers: true,
    },
    template_code: {
      schema: Type.String({ minLength: 1, maxLength: 100 }),
      where: sql`r.template_code = ${param('template_code')}`,
    },
    external_ref: externalRef('evaluation'),
    updated_since: updatedSince,
  },
})

const tag = 'Evaluations'
const history = historyOf('evaluation')

/** Rounds in which the parties of a partnership judge it, or an organisation judges itself. */
export const evaluations: FastifyPluginAsync<InvitingOptions> = async (app, slice) => {
  for (const schema of [...decisionSchemas, ...responseSchemas, ...scoreSchemas, ...evaluationSchemas]) {
    app.addSchema(schema)
  }
  for (const { page } of [list, history]) app.addSchema(page)
  collection(app, slice, {
    resource: evaluationResource,
    tag,
    one: 'evaluation',
    many: 'evaluations',
    scopes: { read: 'evaluations:read', write: 'evaluations:write' },
    wire: Evaluation,
    write: EvaluationWrite,
    patch: EvaluationPatch,
    list,
    refusals: ['duplicate', 'state_forbids', 'rule_violated'],
    commands: { create: createEvaluation, revise: reviseEvaluation, upsert: upsertEvaluation },
  })
  await app.register(steps, slice)
  children(app, slice, {
    parent: evaluationResource,
    path: 'history',
    id: 'list_evaluation_history',
    scope: 'evaluations:read',
    tag,
    summary: 'List the states that a round has been in',
    list: history,
  })
  await app.register(evaluationInvitations, slice)
  await app.register(evaluationResponses, slice)
  await app.register(evaluationDecisions, slice)
  await app.register(evaluationCharts, slice)
}

const steps: FastifyPluginAsync<SliceOptions> = async (app, slice) => {
  const common = {
    resource: evaluationResource,
    tag,
    one: 'evaluation',
    scope: 'evaluations:write',
    wire: Evaluation,
  } as const
  action(app, slice, {
    ...common,
    verb: 'open',
    summary: 'Open a round: its parties may answer',
    description:
      'Needs an invitation on each side of the partnership, two parties at least, in a readiness round an invitation of ' +
      'the organisation, and a deadline, if any, that has not passed. The latest version of the template is frozen into the round. A baseline round can be held on a ' +
      'partnership that is draft, proposed, active, paused or ending; an exit round on one that is active, paused, ' +
      'ending or ended; a readiness round on an organisation that is active or dormant; any other on a partnership that ' +
      'is active, paused or ending.',
    body: ref(EvaluationOpen),
    refusals: ['state_forbids', 'condition_unmet'],
    command: openEvaluation,
  })
  action(app, slice, {
    ...common,
    verb: 'close',
    summary: 'Close a round by hand: its scores are frozen and shown',
    description:
      'A round closes by itself, in the transaction of the last answer, once every invited party has answered or ' +
      'declined. Invitations that are still pending expire. Nothing can be answered afterwards.',
    body: strictObject({}),
    refusals: [],
    command: closeEvaluation,
  })
  action(app, slice, {
    ...common,
    verb: 'conclude',
    summary: 'Conclude a round: what was made of it, and what was decided',
    body: ref(EvaluationConclude),
    refusals: ['rule_violated', 'duplicate'],
    command: concludeEvaluation,
  })
  action(app, slice, {
    ...common,
    verb: 'cancel',
    summary: 'Cancel a round: what was answered by then is never shown',
    body: ref(EvaluationCancel),
    refusals: [],
    command: cancelEvaluation,
  })
}
