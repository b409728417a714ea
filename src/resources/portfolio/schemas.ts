import { type Static, Type } from 'typebox'
import { codes, date, MoneySum, nullable, ref, uuid } from '../../core/schemas.ts'
import { severities } from '../disruption-impacts/schemas.ts'
import { bases } from '../measures/schemas.ts'
import { objectiveLevels } from '../objectives/schemas.ts'
import { partnershipStatuses, sides } from '../partnerships/schemas.ts'
import { ThresholdSet } from '../thresholds/schemas.ts'
import { riskRules } from './rules.ts'

const ratio = (description: string) =>
  nullable(Type.String({ pattern: '^-?\\d+\\.\\d{4}$', description, examples: ['0.7500'] }))
const points = (description: string) =>
  nullable(Type.String({ pattern: '^-?\\d{1,3}(\\.\\d{1,6})?$', description, examples: ['66.66'] }))
const money = (description: string) => Type.Unsafe<Static<typeof MoneySum>>({ ...ref(MoneySum), description })

export const PortfolioFulfilment = Type.Object(
  {
    rate: ratio('Of what was due by then, what was delivered; null where nothing was due'),
    kept_as_promised: ratio('The same without taking out what lapsed, was released, cancelled or substituted'),
    due: money('What was due by then'),
    late: money('What of it is still to be delivered, and was due more than late_days ago'),
    late_share: ratio('late divided by due; null where nothing was due'),
    coverage: ratio('The share of due commitments that carry a value: the amounts speak of them alone'),
  },
  { $id: 'PortfolioFulfilment', description: 'How far what was promised by the day has been delivered, in value' },
)

export const PortfolioReciprocity = Type.Object(
  {
    compared: nullable(Type.Array(codes(sides), { description: 'The two sides compared, A and B' })),
    promised: ratio('(V_A − V_B) / (V_A + V_B) of what is promised, −1 to 1'),
    delivered: ratio('The same of what was delivered'),
    withheld: nullable(
      codes(['one_side_only', 'coverage_below_threshold', 'nothing_given'] as const, {
        description: 'Why the first of them that is null is so',
      }),
    ),
  },
  { $id: 'PortfolioReciprocity', description: 'How what both sides give compares; never a ranking' },
)

export const PortfolioOutstanding = Type.Object(
  {
    value: money('What is still owed by both sides, whenever it is due'),
    commitments: Type.Integer({ minimum: 0, description: 'Commitments that are open' }),
    coverage: ratio('The share of those that carry a value'),
  },
  { $id: 'PortfolioOutstanding', description: 'What is still to come' },
)

const SideScore = Type.Object(
  { side: codes(sides), score: points('0 to 100; null where it is withheld') },
  { $id: 'PortfolioSideScore' },
)

const DimensionScore = Type.Object(
  {
    code: Type.String({ examples: ['reciprocity'] }),
    sides: Type.Array(ref(SideScore)),
    gap: points('The score of the first compared side less that of the second; null where one of them is null'),
  },
  { $id: 'PortfolioDimension' },
)

export const PortfolioScores = Type.Object(
  {
    evaluation_id: uuid(),
    closed_on: date(),
    score: points('The mean of what the sides score the whole; null where one of them is withheld'),
    gap: points('What the first compared side scores the whole, less what the second does'),
    lowest_score: points('The lowest score of a dimension by a side'),
    widest_gap: points('The widest gap on a dimension, whichever way it goes'),
    sides: Type.Array(ref(SideScore), { description: 'The whole, by side' }),
    dimensions: Type.Array(ref(DimensionScore)),
  },
  { $id: 'PortfolioScores', description: 'What both sides said in the last round that was closed by the day' },
)

export const PortfolioStrategy = Type.Object(
  {
    fit: points(
      'What it contributes to the objective where importance times contribution is the greatest: 0 to 100, two digits, ' +
        'cut off; null where nothing was assessed',
    ),
    breadth: Type.Integer({ minimum: 0, description: 'Objectives that it supports, or is essential to' }),
    change: points('fit, less what it was on the day before the last assessment; null where it was undefined then'),
    assessed_on: nullable(date({ description: 'The last assessment' })),
    is_anchored: Type.Boolean({ description: 'True where it supports an objective at least: breadth is not 0' }),
  },
  { $id: 'PortfolioStrategy', description: 'What the partnership contributes to what the organisation wants to reach' },
)

export const PortfolioEvaluation = Type.Object(
  {
    due_on: nullable(
      date({
        description:
          'The activation, or the end of the period that was judged last, and the evaluation interval on; null where it ' +
          'is not active, paused or ending',
      }),
    ),
    overdue_days: nullable(Type.Integer({ minimum: 0, description: 'Days since then; 0 while it is not yet due' })),
    impact_due_on: nullable(
      date({
        description:
          'When the first of the evaluations that impacts of disruptions ask for is due; null where none is still asked for',
      }),
    ),
  },
  { $id: 'PortfolioEvaluation', description: 'When both sides are to judge it next. A pause does not stop the clock.' },
)

export const PortfolioPause = Type.Object(
  {
    id: uuid(),
    commitment_id: nullable(uuid({ description: 'The commitment that is paused; null for the whole partnership' })),
    expected_on: date({ description: 'Its planned end, or else when it is to be looked at again' }),
  },
  { $id: 'PortfolioPause', description: 'The open pause that is to end first' },
)

export const PortfolioRow = Type.Object(
  {
    partnership_id: uuid(),
    name: Type.String(),
    reference: nullable(Type.String()),
    as_of: date({ description: 'The day that the figures are about' }),
    status: codes(partnershipStatuses, { description: 'On that day' }),
    side: codes(sides, { description: 'The side on which the organisation stands' }),
    starts_on: nullable(date()),
    ends_on: nullable(date()),
    basis: codes(bases, { description: 'The basis of valuation' }),
    fulfilment: ref(PortfolioFulfilment),
    reciprocity: ref(PortfolioReciprocity),
    outstanding: ref(PortfolioOutstanding),
    scores: nullable(ref(PortfolioScores)),
    strategy: ref(PortfolioStrategy),
    evaluation: ref(PortfolioEvaluation),
    open_impacts: Type.Integer({ minimum: 0, description: 'Impacts of disruptions that ask for a response' }),
    worst_impact: nullable(codes(severities, { description: 'The highest severity of those' })),
    pause: nullable(ref(PortfolioPause)),
    sides_without_manager: Type.Array(codes(sides)),
    is_at_risk: Type.Boolean({ description: 'True where a rule fires' }),
    rules_fired: Type.Array(codes(riskRules), { description: 'The rules that fire' }),
    rules_undefined: Type.Array(codes(riskRules), {
      description: 'The rules that say nothing, for want of what they look at. All others do not fire.',
    }),
  },
  { $id: 'PortfolioRow', description: 'A partnership in the portfolio of an organisation, as of a day' },
)
export type PortfolioRow = Static<typeof PortfolioRow>

export const PortfolioPage = Type.Object(
  {
    data: Type.Array(ref(PortfolioRow)),
    next_cursor: nullable(Type.String({ description: 'Null on the last page' })),
    total: Type.Optional(Type.Integer({ minimum: 0, description: 'Only with include_total=true' })),
    as_of: date({ description: 'The day that it is about' }),
    thresholds: ref(ThresholdSet),
  },
  { $id: 'PortfolioPage', description: 'A page of a portfolio, and from where on its partnerships are at risk' },
)

const count = (description: string) => Type.Integer({ minimum: 0, description })

export const PortfolioValue = Type.Object(
  {
    currency: Type.String({ examples: ['EUR'] }),
    partnerships: count('Whose amounts are in this currency'),
    due: money('What was due by then'),
    met: money('What was delivered of that'),
    fulfilment_rate: ratio('met divided by due'),
    outstanding: money('What is still owed'),
    outstanding_at_risk: money('What is still owed in partnerships where a rule fires'),
    share_at_risk: ratio('outstanding_at_risk divided by outstanding'),
  },
  { $id: 'PortfolioValue', description: 'Sums in one currency: amounts in different ones are never added' },
)

export const PortfolioRule = Type.Object(
  {
    rule: codes(riskRules),
    fires: count('Partnerships in which it fires'),
    undefined: count('Partnerships in which it says nothing'),
    outstanding: Type.Array(ref(MoneySum), { description: 'What is still owed where it fires, by currency' }),
  },
  { $id: 'PortfolioRule' },
)

export const PortfolioSummary = Type.Object(
  {
    organisation_id: uuid(),
    as_of: date({ description: 'The day that it is about' }),
    partnerships: count('In the states asked for'),
    by_status: Type.Array(
      Type.Object({ status: codes(partnershipStatuses), partnerships: count('In this state on the day') }),
    ),
    partnerships_at_risk: count('Partnerships where a rule fires'),
    values: Type.Array(ref(PortfolioValue)),
    rules: Type.Array(ref(PortfolioRule)),
    anchored: count('Partnerships that support an objective at least'),
    unanchored: count('The others'),
    evaluations_overdue: count('Partnerships whose evaluation is overdue'),
    open_impacts: count('Impacts of disruptions that ask for a response'),
    thresholds: ref(ThresholdSet),
  },
  { $id: 'PortfolioSummary', description: 'A portfolio in sum. Measures of partnerships are not averaged.' },
)
export type PortfolioSummary = Static<typeof PortfolioSummary>

export const PortfolioObjective = Type.Object(
  {
    id: uuid(),
    level: codes(objectiveLevels),
    title: Type.String(),
    parent_id: nullable(uuid()),
    importance: Type.Integer({ minimum: 1, maximum: 5, description: 'On that day' }),
    active_from: date(),
    active_until: nullable(date()),
    supporting: count('Partnerships that live and support it, or are essential to it'),
    contributing: count('Those and the ones that contribute indirectly'),
    best_contribution: nullable(
      Type.Integer({ minimum: 0, maximum: 3, description: 'Of all of them; null where none was assessed' }),
    ),
    is_covered: Type.Boolean({ description: 'True where a partnership supports it at least' }),
  },
  { $id: 'PortfolioObjective', description: 'An objective that counts on the day, and who contributes to it' },
)

export const portfolioSchemas = [
  PortfolioValue,
  PortfolioRule,
  PortfolioSummary,
  PortfolioObjective,
  PortfolioFulfilment,
  PortfolioReciprocity,
  PortfolioOutstanding,
  SideScore,
  DimensionScore,
  PortfolioScores,
  PortfolioStrategy,
  PortfolioEvaluation,
  PortfolioPause,
  PortfolioRow,
  PortfolioPage,
]
