import type { Json } from './harness.ts'

// What a round should answer, by the definitions of the domain alone: no code of the service is used, and no arithmetic
// is shared with it. Everything is a whole number of a very small unit, so nothing is rounded before the end.

/** Every scale divides 12; up to ten items are divided evenly by 2520, and so are up to ten respondents. */
const pointUnits = 12n * 2520n * 2520n

/** One who answered: its side, and its answers by item. */
export interface Respondent {
  side: string
  answers: ReadonlyMap<string, number>
}

/** A cell as it should be published. `spread` holds what the standard deviation is of, in units; null where none is shown. */
export interface Cell {
  side: string
  level: string
  code: string
  n: number | null
  score: string | null
  spread: readonly bigint[] | null
  suppression_reason: string | null
}

const total = (values: readonly bigint[]): bigint => values.reduce((a, b) => a + b, 0n)
const mean = (values: readonly bigint[]): bigint => total(values) / BigInt(values.length)

/** A quotient of units as points, at most six decimals, halves up. */
function points(units: bigint, by = 1n): string {
  const whole = by * pointUnits
  return decimal((2n * units * 1_000_000n + whole) / (2n * whole))
}

function decimal(millionths: bigint): string {
  const sign = millionths < 0n ? '-' : ''
  const text = String(millionths < 0n ? -millionths : millionths).padStart(7, '0')
  return `${sign}${text.slice(0, -6)}.${text.slice(-6)}`.replace(/\.?0+$/, '')
}

/** How much less the second is than the first, as published; null where one of them is. */
export function less(first: string | null | undefined, second: string | null | undefined): string | null {
  if (first == null || second == null) return null
  const millionths = (text: string) => BigInt(Math.round(Number(text) * 1_000_000))
  return decimal(millionths(first) - millionths(second))
}

/** Whether a gap is one to speak of. */
export const isWide = (gap: string | null): boolean => gap !== null && Math.abs(Number(gap)) >= 20

/** Whether a published spread is the standard deviation of these values, to the nearest hundredth. */
export function isSpreadOf(spread: string, values: readonly bigint[]): boolean {
  const n = BigInt(values.length)
  const variance = 40_000n * (n * total(values.map((value) => value * value)) - total(values) ** 2n)
  const hundredths = BigInt(Math.round(Number(spread) * 100))
  const [low, high] = [2n * hundredths - 1n, 2n * hundredths + 1n].map((edge) => (edge * n * pointUnits) ** 2n)
  return (hundredths === 0n || (low as bigint) <= variance) && variance < (high as bigint)
}

const isScored = (item: Json): boolean => item.scale !== 'text'

/** 100·(x − min)/(max − min), and 100 less that of an item that is reversed. */
function pointsOf(item: Json, x: number): bigint {
  const share = (100n * pointUnits * BigInt(x - item.minimum)) / BigInt(item.maximum - item.minimum)
  return item.reverse ? 100n * pointUnits - share : share
}

/**
 * The cells of a round.
 * @param k so many answers a cell needs where persons answered; null where parties did
 */
export function cellsOf(
  template: Json,
  sides: readonly string[],
  all: readonly Respondent[],
  k: number | null,
): Cell[] {
  return sides.flatMap((side) => {
    const own = all.filter((one) => one.side === side)
    const cells = plainCells(template, own, side)
    return k === null ? cells : withheld(template, own, cells, k)
  })
}

function plainCells(template: Json, own: readonly Respondent[], side: string): Cell[] {
  const spread = (values: bigint[]) => (values.length < 2 ? null : values)
  const cell = (level: string, code: string, values: bigint[]): Cell => ({
    side,
    level,
    code,
    n: values.length,
    score: values.length === 0 ? null : points(mean(values)),
    spread: spread(values),
    suppression_reason: null,
  })
  const answersTo = (item: Json, { answers }: Respondent): bigint[] => {
    const x = answers.get(item.code)
    return x === undefined ? [] : [pointsOf(item, x)]
  }
  const items: Json[] = template.items.filter(isScored)
  const judged = items.filter(({ perspective }) => perspective === 'own')
  let [sum, weights] = [0n, 0n]
  const dimensions = template.dimensions.map(({ code, weight }: Json) => {
    const within = judged.filter(({ dimension }) => dimension === code)
    const means = own
      .map((one) => within.flatMap((item) => answersTo(item, one)))
      .filter((values) => values.length > 0)
      .map(mean)
    if (means.length > 0) {
      sum += BigInt(weight) * mean(means)
      weights += BigInt(weight)
    }
    return cell('dimension', code, means)
  })
  const counting = own.filter((one) => judged.some((item) => answersTo(item, one).length > 0)).length
  const score = weights === 0n ? null : points(sum, weights)
  return [
    { side, level: 'overall', code: 'overall', n: counting, score, spread: null, suppression_reason: null },
    ...dimensions,
    ...items.map((item) =>
      cell(
        item.perspective === 'own' ? 'item' : 'prediction',
        item.code,
        own.flatMap((one) => answersTo(item, one)),
      ),
    ),
  ]
}

interface Shared {
  /** How many answered anything of a dimension. */
  answered: number
  /** All of them answered the same items. */
  isOne: boolean
  /** Items that beside the others would give away somebody. */
  telling: ReadonlySet<string>
}

/** Who answered what of a dimension, and which of its items that gives away. */
function sharedOf(codes: readonly string[], own: readonly Respondent[], k: number): Shared {
  const patterns = own
    .map(({ answers }) => codes.filter((code) => answers.has(code)))
    .filter(({ length }) => length > 0)
  const answered = patterns.length
  const sizes = new Map<string, number>()
  for (const pattern of patterns.map(String)) sizes.set(pattern, (sizes.get(pattern) ?? 0) + 1)
  const isOne = sizes.size <= 1
  if ([...sizes.values()].every((size) => size >= k)) return { answered, isOne, telling: new Set() }
  const count = (code: string) => patterns.filter((pattern) => pattern.includes(code)).length
  const uneven = codes.filter((code) => count(code) !== 0 && count(code) !== answered)
  const inUneven = patterns.filter((pattern) => pattern.some((code) => uneven.includes(code))).length
  return { answered, isOne, telling: new Set(inUneven < k ? codes : uneven) }
}

function withheld(template: Json, own: readonly Respondent[], cells: readonly Cell[], k: number): Cell[] {
  const by = new Map<string, { codes: string[]; shared: Shared }>()
  for (const { code } of template.dimensions) {
    const codes = template.items
      .filter((item: Json) => isScored(item) && item.perspective === 'own' && item.dimension === code)
      .map((item: Json) => item.code)
    by.set(code, { codes, shared: sharedOf(codes, own, k) })
  }
  const isHidden = (dimension: string) => {
    const { codes, shared } = by.get(dimension) as { codes: string[]; shared: Shared }
    return codes.length > 0 && shared.answered < k
  }
  const anyHidden = template.dimensions.some(({ code }: Json) => isHidden(code))
  const reasonOf = ({ level, code, n }: Cell): string | null => {
    if (own.length < k) return 'too_few'
    if (level === 'dimension') return isHidden(code) ? 'too_few' : null
    if ((n ?? 0) < k) return 'too_few'
    if (level === 'overall') return anyHidden ? 'complementary' : null
    return level === 'item' && [...by.values()].some(({ shared }) => shared.telling.has(code)) ? 'complementary' : null
  }
  return cells.map((cell) => {
    const suppression_reason = reasonOf(cell)
    if (suppression_reason) return { ...cell, n: null, score: null, spread: null, suppression_reason }
    const isTelling = cell.level === 'dimension' && !by.get(cell.code)?.shared.isOne
    return { ...cell, spread: isTelling || (cell.n ?? 0) < k + 2 ? null : cell.spread }
  })
}
