import { minorDigits } from './money.ts'
import { decimalOf } from './units.ts'

/**
 * The arithmetic of the measures. Inputs are exact decimals as text, as Postgres writes them; ratios are decimals with
 * four digits behind the point, cut off, so that 1.0000 means all of it. What is undefined is null, never 0.
 */

/** Below this share of commitments that carry a value, a reciprocity would say more of what is known than of what is given. */
export const coverageThreshold = '0.8000'

const ratioDigits = 4

interface Decimal {
  units: bigint
  digits: number
}

function parse(decimal: string): Decimal {
  const point = decimal.indexOf('.')
  if (point < 0) return { units: BigInt(decimal), digits: 0 }
  return { units: BigInt(decimal.slice(0, point) + decimal.slice(point + 1)), digits: decimal.length - point - 1 }
}

const powers = Array.from({ length: 64 }, (_, exponent) => 10n ** BigInt(exponent))
const power = (exponent: number): bigint => powers[exponent] ?? 10n ** BigInt(exponent)

const scaled = ({ units, digits }: Decimal, to: number): bigint => (digits === to ? units : units * power(to - digits))

/** Two decimals in units of the finer one. */
function aligned(a: string, b: string): [bigint, bigint, number] {
  const [left, right] = [parse(a), parse(b)]
  const digits = Math.max(left.digits, right.digits)
  return [scaled(left, digits), scaled(right, digits), digits]
}

/** The sum of decimals, exactly. */
export const sumOf = (decimals: readonly string[]): string =>
  decimals.reduce((sum, decimal) => {
    if (sum === '0') return decimal
    if (decimal === '0') return sum
    const [a, b, digits] = aligned(sum, decimal)
    return decimalOf(a + b, digits)
  }, '0')

/** The product of decimals, exactly. */
export function productOf(a: string, b: string): string {
  const [left, right] = [parse(a), parse(b)]
  return decimalOf(left.units * right.units, left.digits + right.digits)
}

/** One decimal less another, exactly. */
export const differenceOf = (a: string, b: string): string => {
  const [left, right, digits] = aligned(a, b)
  return decimalOf(left - right, digits)
}

/** So many characters hold at most fifteen digits beside a point, or a sign: of those a double tells every two apart. */
const shortMax = 16

export const isLess = (a: string, b: string): boolean => {
  if (a.length < shortMax && b.length < shortMax) return Number(a) < Number(b)
  const [left, right] = aligned(a, b)
  return left < right
}

const ratioScale = power(ratioDigits)
const allOfIt = '1.0000'

/** A part of a whole, to four digits; null where the whole is nothing. */
export function ratioOf(part: string, whole: string): string | null {
  if (whole === '0') return null
  const [a, b] = aligned(part, whole)
  if (b === 0n) return null
  return a === b ? allOfIt : decimalOf((a * ratioScale) / b, ratioDigits)
}

/** How many of how many, to four digits; null where there are none. */
export function shareOf(part: number, whole: number): string | null {
  if (whole === 0) return null
  return part === whole ? allOfIt : ratioOf(String(part), String(whole))
}

const meanDigits = 6

/** The mean of decimals, to at most six digits, halves away from zero; null where there are none. */
export function meanOf(decimals: readonly string[]): string | null {
  if (decimals.length === 0) return null
  const { units, digits } = parse(sumOf(decimals))
  const [over, under] = [2n * units * power(meanDigits), 2n * BigInt(decimals.length) * power(digits)]
  const half = (under / 2n) * (over < 0n ? -1n : 1n)
  return withoutZeros(decimalOf((over + half) / under, meanDigits))
}

/** A decimal, negative or not, without superfluous zeros. */
export const withoutZeros = (decimal: string): string =>
  decimal.includes('.') ? decimal.replace(/0+$/, '').replace(/\.$/, '') : decimal

/** `(a − b) / (a + b)`: −1 where all comes from b, 1 where all comes from a, 0 in balance; null where nothing is given. */
export function balanceOf(a: string, b: string): string | null {
  const [left, right] = aligned(a, b)
  const both = left + right
  return both === 0n ? null : decimalOf(((left - right) * ratioScale) / both, ratioDigits)
}

/** An amount in its currency's minor digits, rounded half up. */
export function rounded(amount: string, currency: string): string {
  const digits = minorDigits(currency) ?? 2
  const point = amount.indexOf('.')
  const fraction = point < 0 ? 0 : amount.length - point - 1
  // Nothing to round: most sums of money are as fine as their currency.
  if (fraction === digits) return amount
  if (fraction < digits) return `${amount}${point < 0 ? '.' : ''}${'0'.repeat(digits - fraction)}`
  const { units, digits: own } = parse(amount)
  const step = power(own - digits)
  const half = units < 0n ? -(step / 2n) : step / 2n
  return decimalOf((units + half) / step, digits)
}

/** What one side gives, on one basis and in one currency. */
export interface SideValue {
  side: string
  value: string
  /** How many of its commitments count, and how many of them carry a value on the basis. */
  commitments: number
  valued: number
}

export interface SideBalance extends SideValue {
  coverage: string | null
}

/** Why there is no ratio. */
export type Withheld = 'one_side_only' | 'coverage_below_threshold' | 'nothing_given'

export interface Balance {
  /** `(V_A − V_B) / (V_A + V_B)` of the two sides compared. */
  ratio: string | null
  withheld: Withheld | null
  sides: SideBalance[]
}

export const coverageOf = ({ valued, commitments }: Pick<SideValue, 'valued' | 'commitments'>): string | null =>
  shareOf(valued, commitments)

/**
 * The two sides that a partnership's balance compares: company and non-profit where both take part; else its two sides.
 * Undefined where it has but one, or more than two without those.
 */
export function comparedSides(sides: readonly string[]): [string, string] | undefined {
  if (sides.includes('company') && sides.includes('non_profit')) return ['company', 'non_profit']
  const order = ['company', 'non_profit', 'public', 'other']
  const [a, b, more] = order.filter((side) => sides.includes(side))
  return a !== undefined && b !== undefined && more === undefined ? [a, b] : undefined
}

/** The balance between two sides; withheld where too little of either side's giving carries a value. */
export function reciprocityOf(values: readonly SideValue[], threshold = coverageThreshold): Balance {
  const sides = values.map((side) => ({ ...side, coverage: coverageOf(side) }))
  const compared = comparedSides(values.map(({ side }) => side))
  const [a, b] = (compared ?? []).map((name) => sides.find(({ side }) => side === name))
  if (!a || !b) return { ratio: null, withheld: 'one_side_only', sides }
  // A side without commitments gives nothing: nothing of it lacks a value.
  if ([a, b].some(({ coverage }) => coverage !== null && coverage !== allOfIt && isLess(coverage, threshold))) {
    return { ratio: null, withheld: 'coverage_below_threshold', sides }
  }
  const ratio = balanceOf(a.value, b.value)
  return { ratio, withheld: ratio === null ? 'nothing_given' : null, sides }
}
