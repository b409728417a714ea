import { type Measure, magnitudeOf } from './measure.ts'
import { minorDigits, plainDecimal, scaleOf, withScale } from './money.ts'

/** Time is divided as finely as a time sheet; what is counted stays whole. */
const divisibleUnits = new Set(['hour', 'day'])
const digitsOfTime = 2

/**
 * The digits behind the point in which a measure is divided: a currency's minor digits; two for hours and days; none
 * for what is counted. A quantity that is itself finer than that is divided as finely as it was written.
 */
export function digitsOf(measure: Measure): number {
  if (measure.type === 'money') return minorDigits(measure.currency) ?? 2
  const own = scaleOf(plainDecimal(measure.quantity)) ?? 0
  return divisibleUnits.has(measure.unit) ? Math.max(own, digitsOfTime) : own
}

/** A plain decimal in its smallest units: `12.5` at two digits is 1250. What is finer than that is cut off. */
export function unitsOf(decimal: string, digits: number): bigint {
  const [whole = '0', fraction = ''] = decimal.split('.')
  return BigInt(withScale(fraction ? `${whole}.${fraction.slice(0, digits)}` : whole, digits).replace('.', ''))
}

/** Smallest units as a decimal with exactly `digits` behind the point: 1250 at two digits is `12.50`. */
export function decimalOf(units: bigint, digits: number): string {
  const sign = units < 0n ? '-' : ''
  const text = (units < 0n ? -units : units).toString().padStart(digits + 1, '0')
  return digits === 0 ? `${sign}${text}` : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`
}

/** A measure in its smallest units. */
export const unitsOfMeasure = (measure: Measure): bigint => unitsOf(magnitudeOf(measure), digitsOf(measure))
