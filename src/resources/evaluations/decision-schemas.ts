import { type Static, Type } from 'typebox'
import { patchOf } from '../../core/patch-schemas.ts'
import { codes, date, nullable, prose, Ref, recordHead, ref, strictObject, uuid } from '../../core/schemas.ts'

export const aspects = ['why', 'what', 'how'] as const
export const decisions = ['continue', 'intensify', 'adapt', 'reduce', 'pause', 'end'] as const
export const decisionStatuses = ['open', 'done', 'dropped'] as const

/** Names the party that sees to a decision, by its id or by its organisation. */
const owner = {
  owner_party_id: Type.Optional(nullable(uuid({ description: 'The party that sees to it' }))),
  owner_organisation_id: Type.Optional(nullable(uuid({ description: 'The same, by its organisation' }))),
  owner_organisation_ref: Type.Optional(nullable(ref(Ref))),
}

export const DecisionToTake = strictObject(
  {
    aspect: codes(aspects, {
      description: 'Of the purpose of the partnership, or of how an organisation is allied',
      examples: ['how'],
    }),
    decision: codes(decisions, { examples: ['adapt'] }),
    rationale: Type.Optional(nullable(prose())),
    due_on: Type.Optional(nullable(date())),
    ...owner,
  },
  { $id: 'DecisionToTake' },
)
export type DecisionToTake = Static<typeof DecisionToTake>

export const EvaluationDecision = Type.Object(
  {
    ...recordHead,
    evaluation_id: uuid(),
    partnership_id: nullable(uuid({ description: 'Null where it was taken in a readiness round' })),
    organisation_id: nullable(
      uuid({ description: 'In a readiness round: the organisation, which sees to its decisions itself' }),
    ),
    aspect: codes(aspects),
    decision: codes(decisions),
    rationale: nullable(Type.String()),
    due_on: nullable(date()),
    owner_party_id: nullable(uuid()),
    amendment_id: nullable(
      uuid({ description: 'The amendment that it opened last: with its acceptance the decision is done' }),
    ),
    status: codes(decisionStatuses),
  },
  { $id: 'EvaluationDecision', description: 'What was decided on concluding a round, and what became of it' },
)
export type EvaluationDecision = Static<typeof EvaluationDecision>

/** What may still change of a decision: what was decided stays as it was. */
export const EvaluationDecisionWrite = strictObject(
  {
    status: codes(decisionStatuses, { examples: ['done'] }),
    due_on: Type.Optional(nullable(date())),
    ...owner,
  },
  { $id: 'EvaluationDecisionWrite' },
)
export type EvaluationDecisionWrite = Static<typeof EvaluationDecisionWrite>

export const EvaluationDecisionPatch = patchOf(EvaluationDecisionWrite, 'EvaluationDecisionPatch')

export const decisionSchemas = [DecisionToTake, EvaluationDecision, EvaluationDecisionWrite, EvaluationDecisionPatch]
