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

/** A row of the frozen scores. `score` is a decimal of at most six places, or null where it is undefined. */
export interface ScoreRow {
  side: Side
  level: 'overall' | 'dimension' | 'item'
  code: string
  n: number
  score: string | null
}

export interface GapRow {
  level: ScoreRow['level']
  code: string
  sides: [Side, Side]
  gap: string | null
  flagged: boolean
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

interface Fraction {
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

function mean(values: readonly Fraction[]): Fraction | null {
  if (values.length === 0) return null
  const { over, under } = sum(values)
  return reduced(over, under * BigInt(values.length))
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

/**
 * The scores of a round: for each side the whole, each dimension and each item that has a scale, in that order.
 * What a side expects of the other says nothing of what it finds itself, and counts in none of them.
 * @param sides every side that was invited, in the order of the rows
 */
export function scoresOf(template: ScoringTemplate, sides: readonly Side[], responses: readonly Scored[]): ScoreRow[] {
  const items = template.items.filter(({ minimum, perspective }) => minimum !== null && perspective === 'own')
  const bySide = sides.map((side) => ({
    side,
    respondents: responses
      .filter((response) => response.side === side)
      .map(({ scores }) => new Map(items.flatMap((item) => pointsOf(item, scores.get(item.code))))),
  }))
  const row = (level: ScoreRow['level'], code: string, side: Side, n: number, score: Fraction | null): ScoreRow => ({
    side,
    level,
    code,
    n,
    score: decimalOf(score),
  })
  const dimensions = template.dimensions.map(({ code, weight }) => {
    const own = items.filter(({ dimension }) => dimension === code).map((item) => item.code)
    const cells = bySide.map(({ side, respondents }) => {
      const means = respondents.flatMap((values) => mean(own.flatMap((item) => values.get(item) ?? [])) ?? [])
      return { side, n: means.length, score: mean(means) }
    })
    return { code, weight: BigInt(weight), cells }
  })
  return [
    ...bySide.map(({ side, respondents }, at) => {
      const n = respondents.filter((values) => values.size > 0).length
      return row(
        'overall',
        'overall',
        side,
        n,
        weighted(dimensions.map(({ weight, cells }) => ({ weight, score: cells[at]?.score ?? null }))),
      )
    }),
    ...dimensions.flatMap(({ code, cells }) =>
      cells.map(({ side, n, score }) => row('dimension', code, side, n, score)),
    ),
    ...items.flatMap(({ code }) =>
      bySide.map(({ side, respondents }) => {
        const values = respondents.flatMap((respondent) => respondent.get(code) ?? [])
        return row('item', code, side, values.length, mean(values))
      }),
    ),
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

/**
 * The gaps between each two sides, in the order of the rows: differences of the scores as they are published, so that
 * anyone can check them.
 */
export function gapsOf(rows: readonly ScoreRow[], sides: readonly Side[], threshold: string = gapThreshold): GapRow[] {
  const scores = new Map(rows.map(({ level, code, side, score }) => [JSON.stringify([level, code, side]), score]))
  const cells = [...new Map(rows.map(({ level, code }) => [JSON.stringify([level, code]), { level, code }])).values()]
  const pairs = sides.flatMap((a, at) => sides.slice(at + 1).map((b): [Side, Side] => [a, b]))
  return cells.flatMap(({ level, code }) =>
    pairs.map(([a, b]): GapRow => {
      const first = scores.get(JSON.stringify([level, code, a])) ?? null
      const second = scores.get(JSON.stringify([level, code, b])) ?? null
      if (first === null || second === null) return { level, code, sides: [a, b], gap: null, flagged: false }
      const units = unitsOf(first) - unitsOf(second)
      const flagged = (units < 0n ? -units : units) >= unitsOf(threshold)
      return { level, code, sides: [a, b], gap: decimal(units), flagged }
    }),
  )
}
