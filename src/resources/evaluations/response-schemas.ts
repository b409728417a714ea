import { type Static, Type } from 'typebox'
import {
  codes,
  instant,
  language,
  nullable,
  prose,
  Ref,
  recordHead,
  ref,
  strictObject,
  uuid,
} from '../../core/schemas.ts'
import { contactFunctions } from '../contacts/schemas.ts'
import { sides } from '../partnerships/schemas.ts'

export const invitationStatuses = ['pending', 'answered', 'declined', 'expired'] as const
const exampleToken = 'w1bZ0c9Yq3nKJ7mT5sVhXr2aDfGpLeUoNiB8C4kQyME'
const exampleParty = '019a3b5c-7d1e-7f00-8a2b-3c4d5e6f7a8b'

/** Names a party of the partnership, by its id or by its organisation. */
const party = {
  party_id: Type.Optional(nullable(uuid())),
  organisation_id: Type.Optional(
    nullable(uuid({ description: 'The party of this organisation; in a readiness round that organisation itself' })),
  ),
  organisation_ref: Type.Optional(nullable(ref(Ref))),
}

export const EvaluationInvitation = Type.Object(
  {
    ...recordHead,
    evaluation_id: uuid(),
    partnership_id: nullable(uuid({ description: 'Null in a readiness round' })),
    organisation_id: nullable(uuid({ description: 'In a readiness round: the organisation that is asked' })),
    party_id: nullable(uuid({ description: 'The party that is asked; null in a readiness round' })),
    contact_id: nullable(uuid()),
    function: nullable(codes(contactFunctions)),
    language: nullable(
      Type.String({ description: 'In which it is asked; null: as the contact or the organisation prefers' }),
    ),
    status: codes(invitationStatuses, {
      description: 'expired: the round was closed or cancelled before an answer came',
    }),
  },
  { $id: 'EvaluationInvitation', description: 'Asks a party, or in a readiness round the organisation, to answer' },
)
export type EvaluationInvitation = Static<typeof EvaluationInvitation>

export const IssuedInvitation = Type.Object(
  {
    ...EvaluationInvitation.properties,
    token: Type.String({ description: 'Lets its holder answer once, without an account', examples: [exampleToken] }),
    answer_url: Type.String({
      format: 'uri',
      description: 'Where people answer: a page for the respondent alone',
      examples: [`https://beide.example.org/answer/${exampleToken}`],
    }),
  },
  {
    $id: 'IssuedEvaluationInvitation',
    description: 'An invitation with its token, shown this once: send it to the respondent and keep it nowhere',
  },
)
export type IssuedInvitation = Static<typeof IssuedInvitation>

export const InvitationWrite = strictObject(
  {
    ...party,
    contact_id: Type.Optional(nullable(uuid({ description: 'A contact of the organisation that is asked' }))),
    contact_ref: Type.Optional(nullable(ref(Ref))),
    function: Type.Optional(nullable(codes(contactFunctions))),
    language: Type.Optional(nullable(language())),
  },
  {
    $id: 'EvaluationInvitationWrite',
    description:
      'The party is named by its id or by its organisation; in a readiness round the organisation need not be named.',
    examples: [{ party_id: exampleParty, function: 'alliance_manager' }],
  },
)
export type InvitationWrite = Static<typeof InvitationWrite>

export const Answer = strictObject(
  {
    item_code: Type.String({ minLength: 1, maxLength: 100, examples: ['why_goal_clear'] }),
    score: Type.Optional(nullable(Type.Integer({ description: 'From the minimum to the maximum of the item' }))),
    text: Type.Optional(nullable(prose(10_000, { description: 'For an item of the scale text' }))),
    not_applicable: Type.Optional(Type.Boolean({ default: false, description: 'Then neither score nor text' })),
  },
  { $id: 'EvaluationAnswerWrite', description: 'Exactly one of score, text and not_applicable' },
)
export type Answer = Static<typeof Answer>

export const ResponseWrite = strictObject(
  {
    ...party,
    answers: Type.Array(ref(Answer), { maxItems: 500 }),
  },
  {
    $id: 'EvaluationResponseWrite',
    description:
      'The party is named by its id or by its organisation; in a readiness round the organisation need not be named.',
    examples: [
      {
        party_id: exampleParty,
        answers: [
          { item_code: 'why_goal_clear', score: 4 },
          { item_code: 'impact_learning', not_applicable: true },
          { item_code: 'impact_first_change', text: 'Meer samen op pad.' },
        ],
      },
    ],
  },
)
export type ResponseWrite = Static<typeof ResponseWrite>

/** What one who answers gets back. It holds none of the answers: until the round is closed they stand nowhere. */
export const ResponseReceipt = Type.Object(
  {
    id: uuid(),
    evaluation_id: uuid(),
    party_id: nullable(uuid({ description: 'Null in a readiness round' })),
    submitted_at: instant(),
    evaluation_status: codes(['open', 'closed'] as const, { description: 'closed: this was the last answer awaited' }),
  },
  { $id: 'EvaluationResponseReceipt', description: 'That a response was taken' },
)

export const AnswerGiven = Type.Object(
  {
    item_code: Type.String(),
    score: nullable(Type.Integer()),
    text: nullable(Type.String()),
    not_applicable: Type.Boolean(),
  },
  {
    $id: 'EvaluationAnswer',
    examples: [{ item_code: 'why_goal_clear', score: 4, text: null, not_applicable: false }],
  },
)
export type AnswerGiven = Static<typeof AnswerGiven>

export type ResponseReceipt = Static<typeof ResponseReceipt>

export const EvaluationResponse = Type.Object(
  {
    id: uuid(),
    evaluation_id: uuid(),
    party_id: nullable(uuid({ description: 'Null in a readiness round' })),
    organisation_id: nullable(uuid({ description: 'In a readiness round: the organisation that answered' })),
    side: codes(sides, { description: 'Of a readiness round: by the sector of the organisation when it opened' }),
    submitted_at: instant(),
    answers: Type.Array(ref(AnswerGiven), { description: 'In the order of the template' }),
  },
  { $id: 'EvaluationResponse', description: 'What a party answered, in its name' },
)
export type EvaluationResponse = Static<typeof EvaluationResponse>

export const StatementWrite = strictObject(
  { ...party, text: prose() },
  {
    $id: 'EvaluationStatementWrite',
    description:
      'The party is named by its id or by its organisation; in a readiness round the organisation need not be named.',
    examples: [{ party_id: exampleParty, text: 'Wij herkennen de uitkomst.' }],
  },
)
export type StatementWrite = Static<typeof StatementWrite>

export const responseSchemas = [
  EvaluationInvitation,
  IssuedInvitation,
  InvitationWrite,
  Answer,
  ResponseWrite,
  ResponseReceipt,
  AnswerGiven,
  EvaluationResponse,
  StatementWrite,
]
