import { dueDates, instalmentFaults, smallestFault } from '../../core/due-dates.ts'
import { type Measure, magnitudeOf } from '../../core/measure.ts'
import { Faults } from '../../core/problem.ts'
import type { Schedule } from '../../core/schedule.ts'
import { decimalOf, digitsOf, unitsOf } from '../../core/units.ts'
import { digitsIn, isSame } from './account.ts'
import type { PartRow } from './store.ts'

/** What was agreed, as far as it decides the instalments. */
export interface Plan {
  measure: Measure
  schedule: Schedule | null
}

/** The instalments of a plan that a new one leaves as they are, and those whose place it takes. */
export function partition(parts: readonly PartRow[], on: string): { kept: PartRow[]; open: PartRow[] } {
  const { kept = [], open = [] } = Object.groupBy(parts, (part) => (isKept(part, on) ? 'kept' : 'open'))
  return { kept, open }
}

/** Settled, skipped in the past, or replaced as a whole: nothing is open on it. */
function isKept({ state, due_on, measure, replaced }: PartRow, on: string): boolean {
  if (state === 'settled') return true
  if (state === 'skipped') return due_on !== null && due_on < on
  return isSame(measure, replaced)
}

/** The rest of a plan: the due dates and the measure that are left, and what of that had been replaced before. */
export interface Rest {
  dates: (string | null)[]
  measure: Measure
  replaced: Measure
}

/**
 * What is left to plan anew.
 * @throws Problem `rule_violated` that names every fault
 */
export function restOf({ measure, schedule }: Plan, kept: readonly PartRow[], open: readonly PartRow[]): Rest {
  const faults = new Faults()
  const digits = Math.max(
    digitsOf(measure),
    digitsIn([...kept, ...open].flatMap((part) => [part.measure, part.replaced])),
  )
  const sum = (decimals: readonly string[]) => decimals.reduce((all, decimal) => all + unitsOf(decimal, digits), 0n)
  const gone = sum(kept.map((part) => part.measure))
  const replaced = sum(open.map((part) => part.replaced))
  const left = unitsOf(magnitudeOf(measure), digits) - gone
  if (left < replaced) {
    const detail = `${decimalOf(gone + replaced, digits)} is settled, skipped or replaced already: the measure cannot be less.`
    faults.add('/measure', 'below_settled', detail)
  }
  const ofForm = schedule ? instalmentFaults(schedule, measure) : []
  for (const { pointer, code, detail } of ofForm) faults.add(`/schedule${pointer}`, code, detail)
  faults.refuse()
  const amount = (units: bigint): Measure =>
    measure.type === 'money'
      ? { ...measure, amount: decimalOf(units, digits) }
      : { ...measure, quantity: decimalOf(units, digits) }
  const rest = { measure: amount(left), replaced: amount(replaced) }
  if (left === 0n) return { ...rest, dates: [] }
  const dates = schedule ? datesAfter(dueDates(schedule), kept, open) : [null]
  const smallest = dates.length > 0 ? smallestFault(rest.measure, dates.length) : undefined
  if (dates.length === 0) {
    const detail = 'No due date is left for what is not settled: let the schedule go on for longer.'
    faults.add('/schedule', 'no_dates_left', detail)
  } else if (smallest) faults.add('/schedule/frequency', 'too_small', smallest)
  faults.refuse()
  return { ...rest, dates }
}

/** The dates that are free: none up to those kept before the first open one, and none of the other kept ones. */
function datesAfter(dates: readonly string[], kept: readonly PartRow[], open: readonly PartRow[]): string[] {
  const dueDatesOf = (parts: readonly PartRow[]) => parts.flatMap((part) => part.due_on ?? [])
  const firstOpen = dueDatesOf(open).toSorted()[0] ?? '9999-12-31'
  const taken = new Set(dueDatesOf(kept))
  const last =
    [...taken]
      .filter((date) => date <= firstOpen)
      .toSorted()
      .at(-1) ?? ''
  return dates.filter((date) => date > last && !taken.has(date))
}

/**
 * What a replacement takes of each open instalment: of one by its number, or in order.
 * @throws Problem `rule_violated` where less than that is open
 */
export function sharesOf(
  parts: readonly Pick<PartRow, 'seq' | 'measure' | 'replaced' | 'settled' | 'state'>[],
  measure: Measure,
  seq: number | null,
): { seq: number; measure: string }[] {
  const open = parts.filter((part) => part.state !== 'skipped' && (seq === null || part.seq === seq))
  const decimals = open.flatMap((part) => [part.measure, part.replaced, part.settled])
  const digits = Math.max(digitsOf(measure), digitsIn(decimals))
  const units = (decimal: string) => unitsOf(decimal, digits)
  const shares: { seq: number; measure: string }[] = []
  let left = units(magnitudeOf(measure))
  for (const part of open) {
    const free = units(part.measure) - units(part.replaced) - units(part.settled)
    const share = free < left ? free : left
    if (share <= 0n) continue
    shares.push({ seq: part.seq, measure: decimalOf(share, digits) })
    left -= share
  }
  const faults = new Faults()
  if (left > 0n) {
    const where = seq === null ? '' : ` on instalment ${seq}`
    const detail = `Less is open${where}, by ${decimalOf(left, digits)}: replace no more than that.`
    faults.add('/replaced_measure', 'over_replaced', detail)
  }
  faults.refuse()
  return shares
}
