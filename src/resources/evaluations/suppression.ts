import type { Scored, ScoreRow, ScoringTemplate, Side } from './scoring.ts'
import { scoredItems } from './scoring.ts'

// What of the scores of a round that persons answered is withheld. Everything published of a side is a sum over its
// respondents; the rules see to it that no combination of such sums is about fewer than k of them.

/** So many answers beyond k does a spread need: mean and spread together tell about as much as two answers more. */
export const spreadBeyond = 2

/** What is withheld of a dimension, and of its items. */
interface Verdict {
  dimension: ScoreRow['suppression_reason']
  /** Every respondent who counts in the dimension answered the same items. */
  isUniform: boolean
  items: Map<string, ScoreRow['suppression_reason']>
}

/**
 * Withholds what could tell of fewer than `k` respondents of a side. A row that is withheld keeps its place and says why:
 * - `too_few`: fewer than k answered it;
 * - `complementary`: enough did, yet beside what is shown it would give away an answer of fewer than k.
 */
export function suppress(
  rows: readonly ScoreRow[],
  template: ScoringTemplate,
  responses: readonly Scored[],
  k: number,
): ScoreRow[] {
  const verdicts = new Map<Side, Map<string, Verdict>>()
  const counts = new Map<Side, number>()
  for (const side of new Set(rows.map((row) => row.side))) {
    const own = responses.filter((response) => response.side === side)
    counts.set(side, own.length)
    verdicts.set(side, new Map(template.dimensions.map(({ code }) => [code, verdictOf(template, code, own, k)])))
  }
  return rows.map((row) => {
    const found = verdicts.get(row.side) as Map<string, Verdict>
    const reason = (counts.get(row.side) ?? 0) < k ? 'too_few' : reasonFor(row, found, k)
    if (reason) return { ...row, n: null, score: null, spread: null, suppression_reason: reason }
    const isPlain = row.level !== 'dimension' || found.get(row.code)?.isUniform
    return isPlain && (row.n ?? 0) >= k + spreadBeyond ? row : { ...row, spread: null }
  })
}

function reasonFor(
  { level, code, dimension, n }: ScoreRow,
  verdicts: ReadonlyMap<string, Verdict>,
  k: number,
): ScoreRow['suppression_reason'] {
  if (level === 'dimension') return verdicts.get(code)?.dimension ?? null
  if (level === 'item') return verdicts.get(dimension ?? '')?.items.get(code) ?? null
  if ((n ?? 0) < k) return 'too_few'
  // The whole is made of the dimensions: beside all the others it would give the one away that is withheld.
  if (level === 'overall' && [...verdicts.values()].some((one) => one.dimension !== null)) return 'complementary'
  return null
}

/**
 * The score of a dimension is a mean of means, so where respondents left out different items, it tells of those who did:
 * of 5 who answered y, of whom 4 answered x too, it gives away, with the means of x and y, what the fifth said of y.
 */
function verdictOf(template: ScoringTemplate, dimension: string, responses: readonly Scored[], k: number): Verdict {
  const codes = scoredItems(template)
    .filter((item) => item.perspective === 'own' && item.dimension === dimension)
    .map(({ code }) => code)
  const answered = responses
    .map(({ scores }) => codes.filter((code) => scores.has(code)))
    .filter((some) => some.length > 0)
  const by = (code: string) => answered.filter((some) => some.includes(code)).length
  const items = new Map(codes.map((code): [string, ScoreRow['suppression_reason']] => [code, null]))
  for (const code of codes) if (by(code) < k) items.set(code, 'too_few')
  // A dimension of texts alone has no score that could be withheld.
  if (codes.length === 0) return { dimension: null, isUniform: true, items }
  if (answered.length < k) return { dimension: 'too_few', isUniform: false, items }
  const groups = new Map<string, number>()
  for (const some of answered) groups.set(some.join(), (groups.get(some.join()) ?? 0) + 1)
  // Whoever answered the same items is told of together.
  if ([...groups.values()].every((size) => size >= k)) {
    return { dimension: null, isUniform: groups.size === 1, items }
  }
  const partly = codes.filter((code) => by(code) > 0 && by(code) < answered.length)
  const withPartly = answered.filter((some) => some.some((code) => partly.includes(code))).length
  // What not everyone answered is withheld; where fewer than k answered any of it, the rest too, which alone would be
  // the whole but for them. The score of the dimension stays: it is what both sides are compared by.
  for (const code of withPartly < k ? codes : partly) {
    if (items.get(code) === null) items.set(code, 'complementary')
  }
  return { dimension: null, isUniform: false, items }
}
