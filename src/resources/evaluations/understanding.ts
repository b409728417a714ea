import { isDeepStrictEqual } from 'node:util'
import type { EvaluationTemplate } from '../evaluation-templates/schemas.ts'
import { difference, gapThreshold, keyOf, type ScoreRow, type Side } from './scoring.ts'

// What is read off the frozen scores: nothing here is computed from answers.

export interface UnderstandingRow {
  code: string
  predicts: string
  side: Side
  other: Side
  predicted: string | null
  actual: string | null
  gap: string | null
  is_flagged: boolean
}

/** What each side predicts of another less what that one says, both as published. */
export function understandingOf(
  { items }: Pick<EvaluationTemplate, 'items'>,
  rows: readonly ScoreRow[],
  sides: readonly Side[],
): UnderstandingRow[] {
  const found = new Map(rows.map((row) => [keyOf(row.level, row.code, row.side), row.score]))
  return items.flatMap(({ code, predicts }) => {
    if (predicts === null) return []
    return sides.flatMap((side) =>
      sides
        .filter((other) => other !== side)
        .map((other): UnderstandingRow => {
          const predicted = found.get(keyOf('prediction', code, side)) ?? null
          const actual = found.get(keyOf('item', predicts, other)) ?? null
          return { code, predicts, side, other, predicted, actual, ...difference(predicted, actual, gapThreshold) }
        }),
    )
  })
}

export interface ChangeRow {
  side: Side
  level: ScoreRow['level']
  code: string
  previous: string | null
  change: string | null
}

/** How the scores changed since an earlier round, where what was asked is the same in both templates. */
export function changesSince(
  now: { template: EvaluationTemplate; scores: readonly ScoreRow[] },
  before: { template: EvaluationTemplate; scores: readonly ScoreRow[] },
): ChangeRow[] {
  const isAlike = likeness(now.template, before.template)
  const earlier = new Map(before.scores.map((row) => [keyOf(row.level, row.code, row.side), row.score]))
  return now.scores
    .filter(({ level, code, side }) => isAlike(level, code) && earlier.has(keyOf(level, code, side)))
    .map(({ side, level, code, score }): ChangeRow => {
      const previous = earlier.get(keyOf(level, code, side)) ?? null
      return { side, level, code, previous, change: difference(score, previous, gapThreshold).gap }
    })
}

/** Whether a cell means the same in two versions of a template: an item to the letter, a dimension in all of its items. */
function likeness(a: EvaluationTemplate, b: EvaluationTemplate): (level: ScoreRow['level'], code: string) => boolean {
  const item = (code: string) => {
    const [one, other] = [a, b].map(({ items }) => items.find((item) => item.code === code))
    return one !== undefined && isDeepStrictEqual(one, other)
  }
  const scored = ({ items }: EvaluationTemplate, dimension: string) =>
    items.filter((one) => one.dimension === dimension && one.minimum !== null && one.perspective === 'own')
  const dimension = (code: string) => isDeepStrictEqual(scored(a, code), scored(b, code))
  const weights = ({ dimensions }: EvaluationTemplate) => dimensions.map(({ code, weight }) => [code, weight])
  const whole = isDeepStrictEqual(weights(a), weights(b)) && a.dimensions.every(({ code }) => dimension(code))
  return (level, code) => (level === 'overall' ? whole : level === 'dimension' ? dimension(code) : item(code))
}
