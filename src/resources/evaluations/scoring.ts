import type { EvaluationTemplate } from '../evaluation-templates/schemas.ts'
import { sides } from '../partnerships/schemas.ts'

export type Side = (typeof sides)[number]

// The arithmetic of scores: exact fractions until the end, rounded once.

/** Each side that occurs, once, in the order of all rows and pairs. */
export const orderedSides = (occurring: readonly string[]): Side[] => sides.filter((side) => occurring.includes(side))

/** One respondent's answers, by the code of the item; what is not applicable or a text is not among them. */
export interface Scored {
  side: Side
  scores: ReadonlyMap<string, number>
}

/**
 * A row of the frozen scores. `score` is a decimal of at most six places, or null where it is undefined; `spread` the
 * standard deviation of those who count in it, in points, of at most two. A row that is withheld has none of them.
 */
export interface ScoreRow {
  side: Side
  level: 'overall' | 'dimension' | 'item' | 'prediction'
  code: string
  dimension: string | null
  n: number | null
  score: string | null
  spread: string | null
  suppression_reason: 'too_few' | 'complementary' | null
}

export interface GapRow {
  level: ScoreRow['level']
  code: string
  sides: [Side, Side]
  gap: string | null
  is_flagged: boolean
  suppression_reason: ScoreRow['suppression_reason']
}

/** From this difference on, in points of 100, a gap is flagged. */
export const gapThreshold = '20'

/** The parts of a template that scoring needs. */
export type ScoringTemplate = Pick<EvaluationTemplate, 'dimensions'> & {
  items: readonly Pick<
    EvaluationTemplate['items'][number],
    'code' | 'dimension' | 'minimum' | 'maximum' | 'reverse' | 'perspective'
  >[]
}

export interface Fraction {
  over: bigint
  under: bigint
}

const places = 6
const unit = 10n ** BigInt(places)

function sum(terms: readonly Fraction[]): Fraction {
  return terms.reduce((a, b) => reduced(a.over * b.under + b.over * a.under, a.under * b.under), {
    over: 0n,
    under: 1n,
  })
}

function reduced(over: bigint, under: bigint): Fraction {
  let [a, b] = [over < 0n ? -over : over, under]
  while (b !== 0n) [a, b] = [b, a % b]
  return a === 0n ? { over: 0n, under: 1n } : { over: over / a, under: under / a }
}

export function mean(values: readonly Fraction[]): Fraction | null {
  if (values.length === 0) return null
  const { over, under } = sum(values)
  return reduced(over, under * BigInt(values.length))
}

/** The standard deviation of two values or more, all of them, rounded to two decimals; null of fewer. */
function spreadOf(values: readonly Fraction[]): string | null {
  const centre = mean(values)
  if (centre === null || values.length < 2) return null
  const squares = values.map(({ over, under }) => {
    const off = reduced(over * centre.under - centre.over * under, under * centre.under)
    return { over: off.over * off.over, under: off.under * off.under }
  })
  const variance = mean(squares) as Fraction
  // Twice as fine as it is given, so that the last place is rounded: the root of 4 · 10⁴ · variance.
  const doubled = squareRoot((40_000n * variance.over) / variance.under)
  return decimal(((doubled + 1n) / 2n) * (unit / 100n))
}

/** The whole part of a square root, by Newton's method. */
function squareRoot(of: bigint): bigint {
  if (of < 2n) return of
  let root = 1n << (BigInt(of.toString(2).length + 1) / 2n + 1n)
  for (;;) {
    const next = (root + of / root) / 2n
    if (next >= root) return root
    root = next
  }
}

/** A number that is not negative, as a decimal without superfluous zeros; halves go up. */
function decimalOf(value: Fraction | null): string | null {
  if (value === null) return null
  return decimal((2n * value.over * unit + value.under) / (2n * value.under))
}

function decimal(units: bigint): string {
  const size = units < 0n ? -units : units
  const fraction = String(size % unit)
    .padStart(places, '0')
    .replace(/0+$/, '')
  return `${units < 0n ? '-' : ''}${size / unit}${fraction === '' ? '' : `.${fraction}`}`
}

function unitsOf(decimal: string): bigint {
  const [whole = '0', fraction = ''] = decimal.split('.')
  return BigInt(whole) * unit + BigInt(fraction.padEnd(places, '0'))
}

/** A respondent's answers on the scale of 0 to 100, by the code of the item. */
export const pointsBy = (items: ScoringTemplate['items'], { scores }: Scored): Map<string, Fraction> =>
  new Map(items.flatMap((item) => pointsOf(item, scores.get(item.code))))

/** The items of a template that have points. */
export const scoredItems = (template: ScoringTemplate): ScoringTemplate['items'] =>
  template.items.filter(({ minimum }) => minimum !== null)

interface Cell {
  n: number
  score: Fraction | null
  spread: string | null
}
const cellOf = (values: readonly Fraction[]): Cell => ({
  n: values.length,
  score: mean(values),
  spread: spreadOf(values),
})

/**
 * The scores of a round: for each side the whole, each dimension, each item that has a scale, and each prediction, in that
 * order. What a side expects of the other says nothing of what it finds itself, and counts in nothing else.
 * @param sides every side that was invited, in the order of the rows
 */
export function scoresOf(template: ScoringTemplate, sides: readonly Side[], responses: readonly Scored[]): ScoreRow[] {
  const scored = scoredItems(template)
  const items = scored.filter(({ perspective }) => perspective === 'own')
  const predictions = scored.filter(({ perspective }) => perspective === 'predict_other')
  const bySide = sides.map((side) => ({
    side,
    respondents: responses.filter((response) => response.side === side).map((one) => pointsBy(scored, one)),
  }))
  const row = (level: ScoreRow['level'], code: string, dimension: string | null, side: Side, cell: Cell): ScoreRow => ({
    side,
    level,
    code,
    dimension,
    n: cell.n,
    score: decimalOf(cell.score),
    spread: cell.spread,
    suppression_reason: null,
  })
  const dimensions = template.dimensions.map(({ code, weight }) => {
    const own = items.filter(({ dimension }) => dimension === code).map((item) => item.code)
    const cells = bySide.map(({ side, respondents }) => {
      const means = respondents.flatMap((values) => mean(own.flatMap((item) => values.get(item) ?? [])) ?? [])
      return { side, cell: cellOf(means) }
    })
    return { code, weight: BigInt(weight), cells }
  })
  const each = (level: ScoreRow['level'], of: ScoringTemplate['items']) =>
    of.flatMap(({ code, dimension }) =>
      bySide.map(({ side, respondents }) =>
        row(level, code, dimension, side, cellOf(respondents.flatMap((values) => values.get(code) ?? []))),
      ),
    )
  return [
    ...bySide.map(({ side, respondents }, at) => {
      const n = respondents.filter((values) => items.some(({ code }) => values.has(code))).length
      const parts = dimensions.map(({ weight, cells }) => ({ weight, score: cells[at]?.cell.score ?? null }))
      return row('overall', 'overall', null, side, { n, score: weighted(parts), spread: null })
    }),
    ...dimensions.flatMap(({ code, cells }) => cells.map(({ side, cell }) => row('dimension', code, code, side, cell))),
    ...each('item', items),
    ...each('prediction', predictions),
  ]
}

/** An answer on the scale of 0 to 100. */
function pointsOf(item: ScoringTemplate['items'][number], given: number | undefined): [string, Fraction][] {
  const { code, minimum, maximum, reverse } = item
  if (given === undefined || minimum === null || maximum === null) return []
  const points = reverse ? maximum - given : given - minimum
  return [[code, reduced(100n * BigInt(points), BigInt(maximum - minimum))]]
}

/** The weighted mean of what is defined. */
function weighted(parts: readonly { weight: bigint; score: Fraction | null }[]): Fraction | null {
  const defined = parts.flatMap(({ weight, score }) => (score ? [{ weight, score }] : []))
  const total = defined.reduce((all, { weight }) => all + weight, 0n)
  if (total === 0n) return null
  const { over, under } = sum(defined.map(({ weight, score }) => ({ over: weight * score.over, under: score.under })))
  return reduced(over, under * total)
}

/** The difference of two published scores, and whether its size reaches the threshold. */
export function difference(
  first: string | null,
  second: string | null,
  threshold: string,
): { gap: string | null; is_flagged: boolean } {
  if (first === null || second === null) return { gap: null, is_flagged: false }
  const units = unitsOf(first) - unitsOf(second)
  return { gap: decimal(units), is_flagged: (units < 0n ? -units : units) >= unitsOf(threshold) }
}

/** What makes a row findable: its cell and its side. */
export const keyOf = (level: string, code: string, side: string): string => JSON.stringify([level, code, side])

/**
 * The gaps between each two sides, in the order of the rows: differences of the scores as they are published, so that
 * anyone can check them. Predictions are compared with what the other side says: see understanding.
 */
export function gapsOf(rows: readonly ScoreRow[], sides: readonly Side[], threshold: string = gapThreshold): GapRow[] {
  const own = rows.filter(({ level }) => level !== 'prediction')
  const found = new Map(own.map((row) => [keyOf(row.level, row.code, row.side), row]))
  const cells = [...new Map(own.map(({ level, code }) => [JSON.stringify([level, code]), { level, code }])).values()]
  const pairs = sides.flatMap((a, at) => sides.slice(at + 1).map((b): [Side, Side] => [a, b]))
  return cells.flatMap(({ level, code }) =>
    pairs.map(([a, b]): GapRow => {
      const [first, second] = [a, b].map((side) => found.get(keyOf(level, code, side)))
      const suppression_reason = first?.suppression_reason ?? second?.suppression_reason ?? null
      const apart = difference(first?.score ?? null, second?.score ?? null, threshold)
      return { level, code, sides: [a, b], ...apart, suppression_reason }
    }),
  )
}
