import { type Static, Type } from 'typebox'
import { patchOf } from '../../core/patch-schemas.ts'
import {
  codes,
  date,
  instant,
  line,
  nullable,
  prose,
  Ref,
  recordHead,
  recordTail,
  recordTailWrite,
  ref,
  strictObject,
  uuid,
} from '../../core/schemas.ts'
import { DecisionToTake } from './decision-schemas.ts'
import { StatementWrite } from './response-schemas.ts'

export const evaluationKinds = ['baseline', 'periodic', 'disruption', 'renewal', 'exit', 'readiness'] as const
export const evaluationStatuses = ['planned', 'open', 'closed', 'concluded', 'cancelled'] as const
export const responseModes = ['organisation', 'individual'] as const

export type EvaluationKind = (typeof evaluationKinds)[number]
export type EvaluationStatus = (typeof evaluationStatuses)[number]

const Statement = Type.Object(
  {
    party_id: nullable(uuid({ description: 'Null in a readiness round: there the organisation itself speaks' })),
    text: Type.String(),
    stated_at: instant(),
  },
  { $id: 'EvaluationStatement', description: 'What a party has to say of the outcome, in its own words' },
)

export const Evaluation = Type.Object(
  {
    ...recordHead,
    partnership_id: nullable(uuid({ description: 'What is judged, by its parties; null in a readiness round' })),
    organisation_id: nullable(
      uuid({ description: 'The organisation that judges itself in a readiness round; null in every other' }),
    ),
    kind: codes(evaluationKinds),
    disruption_id: nullable(uuid({ description: 'The disruption that it is held about' })),
    template_code: Type.String({ examples: ['partnership-review'] }),
    template_version: Type.Integer({ description: 'The latest while the round is planned; frozen when it opens' }),
    title: nullable(Type.String()),
    period_from: date(),
    period_to: date(),
    opens_at: nullable(instant()),
    closes_at: nullable(instant()),
    response_mode: codes(responseModes),
    minimum_per_side: nullable(
      Type.Integer({ description: 'individual: a side with fewer answers is not shown. Null where parties answer' }),
    ),
    status: codes(evaluationStatuses),
    opened_at: nullable(instant()),
    closed_at: nullable(instant()),
    concluded_at: nullable(instant()),
    conclusion: nullable(Type.String()),
    statements: Type.Array(ref(Statement)),
    cancel_reason: nullable(Type.String()),
    ...recordTail,
  },
  {
    $id: 'Evaluation',
    description:
      'A round in which the parties of a partnership judge it, or, of the kind readiness, in which an organisation judges ' +
      'itself. How far it has come shows in its invitations; what was answered shows nowhere until it is closed.',
  },
)
export type Evaluation = Static<typeof Evaluation>

/** The writable members of a round, complete and in their one spelling. */
export type EvaluationState = Pick<
  Evaluation,
  | 'partnership_id'
  | 'organisation_id'
  | 'kind'
  | 'disruption_id'
  | 'template_code'
  | 'title'
  | 'period_from'
  | 'period_to'
  | 'opens_at'
  | 'closes_at'
  | 'response_mode'
  | 'minimum_per_side'
  | 'external_refs'
  | 'metadata'
>

/** What a client may write; what is left out takes its default, or becomes null. */
export const EvaluationWrite = strictObject(
  {
    partnership_id: Type.Optional(nullable(uuid({ examples: ['019a3b5c-7d1e-7f00-8a2b-3c4d5e6f7a8b'] }))),
    partnership_ref: Type.Optional(nullable(ref(Ref))),
    organisation_id: Type.Optional(nullable(uuid({ description: 'Only of a readiness round: the organisation' }))),
    organisation_ref: Type.Optional(nullable(ref(Ref))),
    kind: codes(evaluationKinds, {
      description: 'readiness: an organisation judges itself. Any other is about a partnership',
      examples: ['periodic'],
    }),
    disruption_id: Type.Optional(
      nullable(
        uuid({
          description:
            'Only of the kind disruption: the one that it is held about. Concluded, it meets what the impacts of that ' +
            'one ask for; those of all where it names none',
        }),
      ),
    ),
    disruption_ref: Type.Optional(nullable(ref(Ref))),
    template_code: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        description:
          'A template whose subject is that of the round: partnership-review when left out, of a readiness round ' +
          'alliance-readiness',
      }),
    ),
    title: Type.Optional(nullable(line(300, { examples: ['Halfjaargesprek 2026'] }))),
    period_from: date({ description: 'The first day of the time that is judged', examples: ['2026-01-01'] }),
    period_to: date({ description: 'The last day of the time that is judged', examples: ['2026-06-30'] }),
    opens_at: Type.Optional(nullable(instant({ description: 'When it is meant to open; it is opened by hand' }))),
    closes_at: Type.Optional(
      nullable(
        instant({
          description: 'The deadline: from this instant on no response is taken',
          examples: ['2026-07-31T22:00:00Z'],
        }),
      ),
    ),
    response_mode: Type.Optional(
      codes(responseModes, {
        default: 'organisation',
        description:
          'organisation: one response a party, in its name. individual: persons answer, each with a token of their own, ' +
          'and nothing shows who answered what',
      }),
    ),
    minimum_per_side: Type.Optional(
      nullable(
        Type.Integer({
          minimum: 3,
          maximum: 1000,
          description:
            'Only of individual: a cell is shown with at least so many answers of its side. Three where it is left out; ' +
            'once the round is open it may be raised, never lowered',
        }),
      ),
    ),
    ...recordTailWrite,
  },
  {
    $id: 'EvaluationWrite',
    description: 'Names a partnership or, for a round of the kind readiness, an organisation: exactly one of them.',
    examples: [
      {
        partnership_ref: { system: 'crm', id: 'a0B5g0000012345' },
        kind: 'periodic',
        template_code: 'partnership-review',
        period_from: '2026-01-01',
        period_to: '2026-06-30',
      },
      {
        organisation_ref: { system: 'crm', id: '0015g00000A1b2D' },
        kind: 'readiness',
        period_from: '2026-01-01',
        period_to: '2026-06-30',
        response_mode: 'individual',
      },
    ],
  },
)
export type EvaluationWrite = Static<typeof EvaluationWrite>

export const EvaluationPatch = patchOf(EvaluationWrite, 'EvaluationPatch')

export const EvaluationOpen = strictObject(
  {
    invite_all_parties: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          'First invites every present party that is not invited yet, or the organisation that judges itself',
      }),
    ),
  },
  { $id: 'EvaluationOpen', examples: [{ invite_all_parties: true }] },
)
export type EvaluationOpen = Static<typeof EvaluationOpen>

export const EvaluationCancel = strictObject(
  { reason: prose(2000, { examples: ['Both sides were reorganised: we judge the next half-year instead.'] }) },
  { $id: 'EvaluationCancel' },
)
export type EvaluationCancel = Static<typeof EvaluationCancel>

export const EvaluationConclude = strictObject(
  {
    conclusion: prose(10_000, { examples: ['We go on, with fewer meetings and more visits.'] }),
    decisions: Type.Array(ref(DecisionToTake), { minItems: 1, maxItems: 50 }),
    statements: Type.Optional(Type.Array(ref(StatementWrite), { maxItems: 50, default: [] })),
  },
  { $id: 'EvaluationConclude', description: 'What the parties made of the scores, and what they decided' },
)
export type EvaluationConclude = Static<typeof EvaluationConclude>

export const evaluationSchemas = [
  Statement,
  Evaluation,
  EvaluationWrite,
  EvaluationPatch,
  EvaluationOpen,
  EvaluationCancel,
  EvaluationConclude,
]
