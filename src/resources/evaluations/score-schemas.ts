import { type Static, Type } from 'typebox'
import { codes, instant, nullable, ref, uuid } from '../../core/schemas.ts'
import { sides } from '../partnerships/schemas.ts'

export const scoreLevels = ['overall', 'dimension', 'item'] as const

const score = (description: string) =>
  nullable(Type.String({ pattern: '^-?\\d{1,3}(\\.\\d{1,6})?$', description, examples: ['66.666667'] }))

const EvaluationScore = Type.Object(
  {
    side: codes(sides),
    level: codes(scoreLevels),
    code: Type.String({ description: 'Of the item or dimension; overall for the whole' }),
    n: Type.Integer({ minimum: 0, description: 'The respondents of this side that count in it' }),
    score: score('0 to 100, higher is better, at most six decimals, halves rounded up; null where nobody answered'),
  },
  {
    $id: 'EvaluationScore',
    description: 'What a side finds',
    examples: [{ side: 'company', level: 'dimension', code: 'reciprocity', n: 1, score: '81.25' }],
  },
)

const EvaluationGap = Type.Object(
  {
    level: codes(scoreLevels),
    code: Type.String(),
    sides: Type.Array(codes(sides), { minItems: 2, maxItems: 2 }),
    gap: score('The score of the first side less that of the second; null where one of them is null'),
    flagged: Type.Boolean({ description: 'Its size reaches the threshold' }),
  },
  {
    $id: 'EvaluationGap',
    description: 'How far two sides are apart',
    examples: [
      { level: 'dimension', code: 'reciprocity', sides: ['company', 'non_profit'], gap: '24.583333', flagged: true },
    ],
  },
)

export const EvaluationScores = Type.Object(
  {
    evaluation_id: uuid(),
    template_code: Type.String({ examples: ['partnership-review'] }),
    template_version: Type.Integer(),
    as_of: instant({ description: 'When the round was closed: the scores are frozen since' }),
    thresholds: Type.Object({
      gap: Type.String({ description: 'From this size on a gap is flagged', examples: ['20'] }),
    }),
    scores: Type.Array(ref(EvaluationScore), { description: 'The whole, the dimensions and the items, for each side' }),
    gaps: Type.Array(ref(EvaluationGap), { description: 'The same for each pair of sides' }),
  },
  {
    $id: 'EvaluationScores',
    description:
      'An answer counts as 100·(score − minimum)/(maximum − minimum), on a reverse item as 100 less that. The score of ' +
      'an item is the mean over the respondents of a side; of a dimension the mean over the respondents of their own ' +
      'mean of the items that they answered; of the whole the weighted mean of the dimensions, those without a score ' +
      'left out. Not applicable and texts count nowhere. Each is rounded once, from the exact value.',
  },
)
export type EvaluationScores = Static<typeof EvaluationScores>

export const scoreSchemas = [EvaluationScore, EvaluationGap, EvaluationScores]
