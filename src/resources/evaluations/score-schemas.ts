import { type Static, Type } from 'typebox'
import { codes, date, instant, nullable, ref, uuid } from '../../core/schemas.ts'
import { sides } from '../partnerships/schemas.ts'
import { evaluationKinds } from './schemas.ts'

export const scoreLevels = ['overall', 'dimension', 'item', 'prediction'] as const
/** Of gaps: what predicts the other side is held beside what that one says, and has none. */
export const gapLevels = scoreLevels.filter((level) => level !== 'prediction')
export const suppressionReasons = ['too_few', 'complementary'] as const
export const gapReasons = ['one_side_only'] as const

const score = (description: string) =>
  nullable(Type.String({ pattern: '^-?\\d{1,3}(\\.\\d{1,6})?$', description, examples: ['66.666667'] }))

const suppression = nullable(
  codes(suppressionReasons, {
    description:
      'Why it is withheld, with all that it would tell. too_few: of this side fewer answered than minimum_per_side. ' +
      'complementary: beside what is shown it would tell of fewer. Null where it is not',
  }),
)

const EvaluationScore = Type.Object(
  {
    side: codes(sides, { description: 'Of a readiness round: by the sector of the organisation when it opened' }),
    level: codes(scoreLevels),
    code: Type.String({ description: 'Of the item or dimension; overall for the whole' }),
    dimension: nullable(Type.String({ description: 'The dimension, also of an item; null for the whole' })),
    n: nullable(Type.Integer({ minimum: 0, description: 'The respondents of this side that count in it' })),
    score: score('0 to 100, higher is better, at most six decimals, halves rounded up; null where nobody answered'),
    spread: score(
      'The standard deviation of those who count in it, in points, at most two decimals; null of fewer than two, of the ' +
        'whole, and where it would tell too much of persons',
    ),
    suppression_reason: suppression,
  },
  {
    $id: 'EvaluationScore',
    description: 'What a side finds',
    examples: [
      {
        side: 'company',
        level: 'dimension',
        code: 'reciprocity',
        dimension: 'reciprocity',
        n: 6,
        score: '81.25',
        spread: '12.5',
        suppression_reason: null,
      },
    ],
  },
)

const EvaluationGap = Type.Object(
  {
    level: codes(scoreLevels),
    code: Type.String(),
    sides: Type.Array(codes(sides), { minItems: 2, maxItems: 2 }),
    gap: score('The score of the first side less that of the second; null where one of them is null'),
    is_flagged: Type.Boolean({ description: 'Its size reaches the threshold' }),
    suppression_reason: suppression,
  },
  {
    $id: 'EvaluationGap',
    description: 'How far two sides are apart',
    examples: [
      {
        level: 'dimension',
        code: 'reciprocity',
        sides: ['company', 'non_profit'],
        gap: '24.583333',
        is_flagged: true,
        suppression_reason: null,
      },
    ],
  },
)

const Understanding = Type.Object(
  {
    code: Type.String({ description: 'The item that predicts' }),
    predicts: Type.String({ description: 'The item that it predicts' }),
    side: codes(sides, { description: 'Who predicts' }),
    other: codes(sides, { description: 'Of whom' }),
    predicted: score('What the side expects the other to say'),
    actual: score('What the other says'),
    gap: score('predicted less actual; null where one of them is null'),
    is_flagged: Type.Boolean({ description: 'Its size reaches the threshold' }),
  },
  {
    $id: 'EvaluationUnderstanding',
    description: 'How well a side knows what another finds',
    examples: [
      {
        code: 'other_sees_effort',
        predicts: 'sees_effort',
        side: 'company',
        other: 'non_profit',
        predicted: '75',
        actual: '50',
        gap: '25',
        is_flagged: true,
      },
    ],
  },
)

const PreviousRound = Type.Object(
  {
    evaluation_id: uuid(),
    kind: codes(evaluationKinds),
    template_version: Type.Integer(),
    period_from: date(),
    period_to: date(),
    closed_at: instant(),
    scores: Type.Array(ref(EvaluationScore)),
  },
  { $id: 'EvaluationPreviousRound', description: 'An earlier round, as far as this one is compared with it' },
)

const ScoreChange = Type.Object(
  {
    side: codes(sides),
    level: codes(scoreLevels),
    code: Type.String(),
    previous: score('The score of the earlier round'),
    change: score('The score of this round less that; null where one of them is null'),
  },
  {
    $id: 'EvaluationScoreChange',
    description: 'How a score changed since the latest of the earlier rounds',
    examples: [{ side: 'company', level: 'dimension', code: 'reciprocity', previous: '62.5', change: '18.75' }],
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
      minimum_per_side: nullable(
        Type.Integer({ description: 'So many answers a cell needs to be shown', examples: [3] }),
      ),
      spread_from: Type.Integer({ description: 'So many answers a spread needs to be shown', examples: [5] }),
    }),
    scores: Type.Array(ref(EvaluationScore), { description: 'The whole, the dimensions and the items, for each side' }),
    gaps: nullable(
      Type.Array(ref(EvaluationGap), {
        description: 'The same for each pair of sides; null where there are no two, and gaps_reason says so',
      }),
    ),
    gaps_reason: nullable(
      codes(gapReasons, {
        description: 'one_side_only: nobody was asked but one side, as in a readiness round. Null where there are gaps',
      }),
    ),
    understanding: Type.Array(ref(Understanding), {
      description: 'What each side predicts of another, beside what that one says; none without items that predict',
    }),
    previous: Type.Array(ref(PreviousRound), {
      description:
        'Up to five earlier rounds of the same subject, template and response mode, the latest first, with the scores of ' +
        'their wholes and dimensions',
    }),
    changes: Type.Array(ref(ScoreChange), {
      description:
        'Against the latest of them: every cell that means the same in both, an item to the letter and a dimension in all ' +
        'of its items',
    }),
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

const EvaluationText = Type.Object(
  {
    code: Type.String({ description: 'The item' }),
    side: codes(sides),
    texts: nullable(
      Type.Array(Type.String(), { description: 'In random order, of each item and side anew; null where withheld' }),
    ),
    suppression_reason: suppression,
  },
  {
    $id: 'EvaluationText',
    description: 'What a side answered to an item in words',
    examples: [
      { code: 'impact_first_change', side: 'company', texts: ['Meer samen op pad.'], suppression_reason: null },
    ],
  },
)

export const EvaluationTexts = Type.Object(
  {
    evaluation_id: uuid(),
    as_of: instant({ description: 'When the round was closed' }),
    texts: Type.Array(ref(EvaluationText)),
  },
  { $id: 'EvaluationTexts', description: 'What was answered in words, frozen when the round was closed' },
)
export type EvaluationTexts = Static<typeof EvaluationTexts>

export const scoreSchemas = [
  EvaluationScore,
  EvaluationGap,
  Understanding,
  PreviousRound,
  ScoreChange,
  EvaluationScores,
  EvaluationText,
  EvaluationTexts,
]
