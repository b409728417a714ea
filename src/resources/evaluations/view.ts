import { sql } from 'kysely'
import { compiler } from '../../db/prepared.ts'
import { externalRefsOf } from '../../platform/references.ts'
import { defineResource, type View } from '../../platform/resource.ts'
import type { EvaluationDecision } from './decision-schemas.ts'
import type { EvaluationInvitation, EvaluationResponse } from './response-schemas.ts'
import type { Evaluation } from './schemas.ts'

/** Row to wire: nothing here depends on what was answered, whatever the state of the round. */
const evaluationView: View<Evaluation> = compiler
  .selectFrom('evaluations as r')
  .select((eb) => [
    'r.id',
    'r.version',
    'r.created_at',
    'r.updated_at',
    'r.partnership_id',
    'r.organisation_id',
    eb.ref('r.kind').$castTo<Evaluation['kind']>().as('kind'),
    'r.disruption_id',
    'r.template_code',
    'r.template_version',
    'r.title',
    'r.period_from',
    'r.period_to',
    'r.opens_at',
    'r.closes_at',
    eb.ref('r.response_mode').$castTo<Evaluation['response_mode']>().as('response_mode'),
    eb.ref('r.status').$castTo<Evaluation['status']>().as('status'),
    'r.minimum_per_side',
    'r.opened_at',
    'r.closed_at',
    'r.concluded_at',
    'r.conclusion',
    eb.ref('r.statements').$castTo<Evaluation['statements']>().as('statements'),
    'r.cancel_reason',
    externalRefsOf(eb, 'evaluation').as('external_refs'),
    eb.ref('r.metadata').$castTo<Record<string, unknown>>().as('metadata'),
  ])

export const evaluationResource = defineResource<Evaluation>({
  type: 'evaluation',
  path: 'evaluations',
  table: 'evaluations',
  view: evaluationView,
})

const invitationView: View<EvaluationInvitation> = compiler
  .selectFrom('evaluation_invitations as r')
  .select((eb) => [
    'r.id',
    'r.version',
    'r.created_at',
    'r.updated_at',
    'r.evaluation_id',
    'r.partnership_id',
    'r.organisation_id',
    'r.party_id',
    'r.contact_id',
    eb.ref('r.function').$castTo<EvaluationInvitation['function']>().as('function'),
    'r.language',
    eb.ref('r.status').$castTo<EvaluationInvitation['status']>().as('status'),
  ])

export const invitationResource = defineResource<EvaluationInvitation>({
  type: 'evaluation_invitation',
  path: 'evaluation-invitations',
  table: 'evaluation_invitations',
  view: invitationView,
})

const decisionView: View<EvaluationDecision> = compiler
  .selectFrom('evaluation_decisions as r')
  .select((eb) => [
    'r.id',
    'r.version',
    'r.created_at',
    'r.updated_at',
    'r.evaluation_id',
    'r.partnership_id',
    'r.organisation_id',
    eb.ref('r.aspect').$castTo<EvaluationDecision['aspect']>().as('aspect'),
    eb.ref('r.decision').$castTo<EvaluationDecision['decision']>().as('decision'),
    'r.rationale',
    'r.due_on',
    'r.owner_party_id',
    'r.amendment_id',
    eb.ref('r.status').$castTo<EvaluationDecision['status']>().as('status'),
  ])

export const decisionResource = defineResource<EvaluationDecision>({
  type: 'evaluation_decision',
  path: 'evaluation-decisions',
  table: 'evaluation_decisions',
  view: decisionView,
})

/**
 * The only way in which answers leave the service, and a list of rounds that show them: the condition is part of the
 * view, so that no use of it can forget the blindness.
 */
export const responseView: View<EvaluationResponse> = compiler
  .selectFrom('evaluation_responses as r')
  .innerJoin('evaluations as e', (join) =>
    join
      .onRef('e.tenant_id', '=', 'r.tenant_id')
      .onRef('e.id', '=', 'r.evaluation_id')
      .on('e.status', 'in', [sql.lit('closed'), sql.lit('concluded')]),
  )
  .leftJoin('partnership_parties as p', (join) =>
    join.onRef('p.tenant_id', '=', 'r.tenant_id').onRef('p.id', '=', 'r.party_id'),
  )
  .select((eb) => [
    'r.id',
    'r.evaluation_id',
    'r.party_id',
    'e.organisation_id',
    eb.fn.coalesce('p.side', 'e.organisation_side').$castTo<EvaluationResponse['side']>().as('side'),
    'r.submitted_at',
    eb.ref('r.answers').$castTo<EvaluationResponse['answers']>().as('answers'),
  ])
