import { sql } from 'kysely'
import { Type } from 'typebox'
import { instant, nullable, uuid } from '../../core/schemas.ts'
import { compiler, param } from '../../db/prepared.ts'
import { oneOf, updatedSince } from '../../platform/lists.ts'
import { aspects, decisionStatuses, decisions } from '../../resources/evaluations/decision-schemas.ts'
import { ofOrganisation } from '../../resources/evaluations/of-organisation.ts'
import { evaluationKinds, evaluationStatuses, responseModes } from '../../resources/evaluations/schemas.ts'
import {
  amendmentKey,
  codeColumn,
  disruptionKey,
  evaluationKey,
  listColumn,
  optional,
  organisationKey,
  partnershipKey,
  partyKey,
  recordColumns,
  refsOf,
  tailColumns,
} from '../columns.ts'
import { defineTable } from '../table.ts'
import { evaluationDecisionUnit, evaluationUnit } from '../touched.ts'

const source = compiler
  .selectFrom('evaluations as r')
  .leftJoin(refsOf('evaluation'), (join) => join.onRef('refs.resource_id', '=', 'r.id'))

const ofPartnership = {
  schema: uuid(),
  where: sql<boolean>`r.partnership_id = ${param('partnership_id')}::uuid`,
}

/** The rounds in which partnerships are judged, or organisations judge themselves. */
export const evaluationsTable = defineTable(source, {
  name: 'evaluations',
  rowName: 'ExportedEvaluation',
  grain: 'evaluation round',
  notes: 'What was found is in evaluation_scores and evaluation_gaps, what was decided in evaluation_decisions.',
  key: ['id'],
  unit: evaluationUnit,
  columns: {
    ...recordColumns('round'),
    partnership_id: partnershipKey('The partnership that is judged; null in a readiness round', optional),
    kind: codeColumn(evaluationKinds, 'Why the round is held'),
    template_code: { type: 'text', meaning: 'The questionnaire' },
    template_version: { type: 'integer', meaning: 'Its version; frozen when the round opens' },
    title: { type: 'text', meaning: 'What the round is called', ...optional },
    period_from: { type: 'date', meaning: 'First day of the period that is judged' },
    period_to: { type: 'date', meaning: 'Last day of it' },
    opens_at: { type: 'instant', meaning: 'When it is meant to open', ...optional },
    closes_at: { type: 'instant', meaning: 'The deadline', ...optional },
    response_mode: codeColumn(responseModes, 'Who answers: each party in its own name, or persons'),
    status: codeColumn(evaluationStatuses, 'Where the round stands'),
    opened_at: { type: 'instant', meaning: 'When it opened', ...optional },
    closed_at: { type: 'instant', meaning: 'When answers closed and scores were frozen', ...optional },
    concluded_at: { type: 'instant', meaning: 'When decisions were drawn from it', ...optional },
    conclusion: { type: 'text', meaning: 'What the parties made of the scores', ...optional },
    statements: listColumn(
      Type.Object({ party_id: nullable(uuid()), text: Type.String(), stated_at: instant() }),
      'What each party has to say of the outcome; in a readiness round the party is null',
    ),
    cancel_reason: { type: 'text', meaning: 'Why it was cancelled', ...optional },
    minimum_per_side: {
      type: 'integer',
      unit: 'respondents',
      meaning: 'With fewer of a side its cells are withheld; null where parties answer',
      ...optional,
    },
    ...tailColumns,
    organisation_id: organisationKey('The organisation that judges itself; null but in a readiness round', optional),
    disruption_id: disruptionKey('The disruption that it is held about', optional),
  },
  filters: {
    status: oneOf('status', evaluationStatuses),
    kind: oneOf('kind', evaluationKinds),
    partnership_id: ofPartnership,
    organisation_id: ofOrganisation('evaluations'),
    updated_since: updatedSince,
  },
})

/** What was decided. */
export const evaluationDecisionsTable = defineTable(compiler.selectFrom('evaluation_decisions as r'), {
  name: 'evaluation_decisions',
  rowName: 'ExportedEvaluationDecision',
  grain: 'decision of a concluded round',
  notes: 'What was decided stays; status and due_on say what became of it.',
  key: ['id'],
  unit: evaluationDecisionUnit,
  columns: {
    ...recordColumns('decision'),
    evaluation_id: evaluationKey('The round'),
    partnership_id: partnershipKey('The partnership; null where it was taken in a readiness round', optional),
    aspect: codeColumn(aspects, 'The aspect of the purpose that it concerns'),
    decision: codeColumn(decisions, 'What was decided'),
    rationale: { type: 'text', meaning: 'Why', ...optional },
    due_on: { type: 'date', meaning: 'By when', ...optional },
    owner_party_id: partyKey('The party that sees to it', optional),
    amendment_id: amendmentKey('The amendment that it opened last', optional),
    status: codeColumn(decisionStatuses, 'What became of it'),
    organisation_id: organisationKey('The organisation that decided in a readiness round; else null', optional),
  },
  filters: {
    decision: oneOf('decision', decisions),
    status: oneOf('status', decisionStatuses),
    partnership_id: ofPartnership,
    organisation_id: ofOrganisation('evaluation_decisions'),
    updated_since: updatedSince,
  },
})
