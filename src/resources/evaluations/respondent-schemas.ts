import { type Static, Type } from 'typebox'
import { codes, date, instant, nullable, ref, strictObject } from '../../core/schemas.ts'
import { perspectives, scales } from '../evaluation-templates/schemas.ts'
import { Answer, AnswerGiven } from './response-schemas.ts'
import { evaluationKinds, responseModes } from './schemas.ts'
import { tokenPattern } from './tokens.ts'

export const respondentStatuses = ['not_open', 'open', 'answered', 'declined', 'closed'] as const

const draftKey = Type.String({
  // What a client makes up could be guessed.
  pattern: tokenPattern,
  description: 'Opens the draft, with the token; made by the service. Keep it with the respondent alone',
  examples: ['Q4sXo1Jb7yT0uVnKcZ2mWfHdRe8PgLiA3B5xN6vYtSk'],
})

const Question = Type.Object(
  {
    code: Type.String(),
    dimension: Type.String(),
    statement: Type.String(),
    scale: codes(scales),
    options: Type.Array(Type.Object({ score: Type.Integer(), label: Type.String() }), {
      description: 'The points of the scale, lowest first; none for a text',
    }),
    required: Type.Boolean({ description: 'Must be answered, be it as not applicable' }),
    perspective: codes(perspectives),
  },
  {
    $id: 'Question',
    description: 'An item in the language of the respondent',
    examples: [
      {
        code: 'organisation_agreements_written',
        dimension: 'organisation',
        statement: 'De afspraken staan op papier.',
        scale: 'yes_no',
        options: [
          { score: 0, label: 'nee' },
          { score: 1, label: 'ja' },
        ],
        required: true,
        perspective: 'own',
      },
    ],
  },
)

const Questionnaire = Type.Object(
  {
    title: Type.String(),
    introduction: nullable(Type.String()),
    dimensions: Type.Array(Type.Object({ code: Type.String(), label: Type.String() })),
    questions: Type.Array(ref(Question)),
  },
  { $id: 'Questionnaire', description: 'What is asked, in one language' },
)

export const AnswerForm = Type.Object(
  {
    status: codes(respondentStatuses, {
      description: 'open: answers are taken. not_open: not yet. closed: no longer. Answers that were given never show',
    }),
    language: Type.String({ description: 'Of the texts', examples: ['nl'] }),
    languages: Type.Array(Type.String(), {
      description: 'All that the questionnaire can be had in, in alphabetical order',
    }),
    partnership: nullable(
      Type.String({ description: 'The name of what is judged; null where the organisation judges itself' }),
    ),
    organisation: Type.String({ description: 'The name of the organisation that is asked' }),
    kind: codes(evaluationKinds),
    period_from: date(),
    period_to: date(),
    closes_at: nullable(instant()),
    time_zone: Type.String({
      description: 'Of the partnership (IANA); UTC where an organisation judges itself',
      examples: ['Europe/Amsterdam'],
    }),
    response_mode: codes(responseModes),
    minimum_per_side: nullable(Type.Integer({ description: 'Where persons answer: with fewer nothing is shown' })),
    questionnaire: nullable(ref(Questionnaire)),
    draft: nullable(
      Type.Array(ref(AnswerGiven), {
        description: 'What was saved, to whoever sends the Draft-Key that saving it gave; else null',
      }),
    ),
  },
  { $id: 'AnswerForm', description: 'What a respondent is asked' },
)
export type AnswerForm = Static<typeof AnswerForm>

const answers = Type.Array(ref(Answer), { maxItems: 500 })
const given = [
  { item_code: 'why_goal_clear', score: 4 },
  { item_code: 'impact_learning', not_applicable: true },
]

export const AnswersWrite = strictObject({ answers }, { $id: 'AnswersWrite', examples: [{ answers: given }] })
export type AnswersWrite = Static<typeof AnswersWrite>

export const DraftWrite = strictObject(
  { answers, draft_key: Type.Optional(draftKey) },
  {
    $id: 'AnswerDraftWrite',
    description: 'What was answered so far. Without draft_key a new one is made, and what was saved before is lost.',
    examples: [{ answers: given }],
  },
)
export type DraftWrite = Static<typeof DraftWrite>

export const DraftReceipt = Type.Object(
  { draft_key: draftKey, saved: Type.Integer({ minimum: 0, description: 'The number of items answered' }) },
  { $id: 'AnswerDraftReceipt', description: 'That a draft was saved' },
)
export type DraftReceipt = Static<typeof DraftReceipt>

export const AnswerReceipt = Type.Object(
  {
    status: codes(['answered', 'declined'] as const),
    on: date({ description: 'The day; of the time of day nothing is kept with the answers' }),
    evaluation_status: codes(['open', 'closed'] as const, { description: 'closed: this was the last answer awaited' }),
  },
  { $id: 'AnswerReceipt', description: 'That answers were taken, or declined. It holds none of them.' },
)
export type AnswerReceipt = Static<typeof AnswerReceipt>

export const respondentSchemas = [
  Question,
  Questionnaire,
  AnswerForm,
  AnswersWrite,
  DraftWrite,
  DraftReceipt,
  AnswerReceipt,
]
