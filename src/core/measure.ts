import { compareDecimals, moneyFault, normaliseMoney, plainDecimal } from './money.ts'
import type { Faults } from './problem.ts'

/** What a promise or a delivery comes to: money, or a number of things. Both are exact decimals. */
export type Measure<Unit extends string = string> =
  | { type: 'money'; amount: string; currency: string }
  | { type: 'quantity'; quantity: string; unit: Unit }

/** The number of a measure, without what it counts. */
export const magnitudeOf = (measure: Measure): string => (measure.type === 'money' ? measure.amount : measure.quantity)

/** What a measure counts: a currency, or a unit. */
export const unitOf = (measure: Measure): string => (measure.type === 'money' ? measure.currency : measure.unit)

/** Adds what is wrong with the money in a measure; quantities are checked by their form alone. */
export function checkMeasure(measure: Measure, pointer: string, faults: Faults): void {
  if (measure.type !== 'money') return
  const fault = moneyFault(measure)
  if (fault) faults.add(`${pointer}/${fault.at}`, fault.at, fault.detail)
}

/** A measure in its one spelling: money with its currency's digits, quantities without trailing zeros. */
export function normaliseMeasure<Unit extends string>(measure: Measure<Unit>): Measure<Unit> {
  return measure.type === 'money'
    ? { type: 'money', ...normaliseMoney(measure) }
    : { type: 'quantity', quantity: plainDecimal(measure.quantity), unit: measure.unit }
}

/** True where two measures can be added: the same currency, or the same unit. */
export const isAddable = (a: Measure, b: Measure): boolean => a.type === b.type && unitOf(a) === unitOf(b)

/** Two measures of one unit compared exactly: negative, zero or positive. */
export const compareMeasures = (a: Measure, b: Measure): number => compareDecimals(magnitudeOf(a), magnitudeOf(b))

export const isZero = (measure: Measure): boolean => compareDecimals(magnitudeOf(measure), '0') === 0
