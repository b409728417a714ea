import { addDays, daysInMonth } from './dates.ts'
import type { FaultCode } from './fault-codes.ts'
import { type Measure, magnitudeOf, unitOf } from './measure.ts'
import type { Fault } from './problem.ts'
import type { Schedule } from './schedule.ts'
import { decimalOf, digitsOf, unitsOfMeasure } from './units.ts'

/** One part of a commitment, as it was planned. */
export interface PlannedInstalment {
  seq: number
  /** Null where no day was promised. */
  due_on: string | null
  /** A decimal string in the unit of the commitment. */
  measure: string
}

/** Fifty years of months, or eleven of weeks: what lies beyond is a mistake, and would be costly. */
export const maxInstalments = 600

const lastDate = '9999-12-31'
const monthsOf = { monthly: 1, quarterly: 3, yearly: 12 } as const

/** How the due dates of a schedule repeat: what a shift must keep. */
export type Rhythm = { by: 'days' } | { by: 'weeks' } | { by: 'months'; anchor: number }

/** The rhythm of a schedule; what has none (once, or no schedule) moves by days. */
export function rhythmOf(schedule: Schedule | null): Rhythm {
  if (!schedule || schedule.frequency === 'once') return { by: 'days' }
  if (schedule.frequency === 'weekly') return { by: 'weeks' }
  return { by: 'months', anchor: anchorOf(schedule) }
}

function anchorOf({ day_of_month, starts_on }: Schedule): number {
  if (day_of_month === 'last') return 31
  return day_of_month ?? Number(starts_on.slice(8))
}

const pad = (value: number, width: number): string => String(value).padStart(width, '0')
const monthIndex = (date: string): number => Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7)) - 1

/** The anchor day in a month counted from year 0; in a short month, the month's last day. */
function dayInMonth(index: number, anchor: number): string {
  const [year, month] = [Math.floor(index / 12), (index % 12) + 1]
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(Math.min(anchor, daysInMonth(year, month)), 2)}`
}

/** Months later by the anchor day, which a short month hides but does not change: 31 January, 28 February, 31 March. */
export const addAnchoredMonths = (date: string, months: number, anchor: number): string =>
  dayInMonth(monthIndex(date) + months, anchor)

/** The due date of each place in a schedule, counted from 0; reckoned from the start, so that nothing drifts. */
function dateAt(schedule: Schedule): (place: number) => string {
  const { frequency, interval, starts_on } = schedule
  if (frequency === 'once') return () => starts_on
  if (frequency === 'weekly') return (place) => addDays(starts_on, 7 * interval * place)
  const anchor = anchorOf(schedule)
  const step = monthsOf[frequency] * interval
  // The first anchor day on or after the start.
  const first = monthIndex(starts_on) + (dayInMonth(monthIndex(starts_on), anchor) < starts_on ? 1 : 0)
  return (place) => dayInMonth(first + step * place, anchor)
}

/** The due dates of a schedule, in order; at most one more than the limit, so that the excess can be seen. */
export function dueDates(schedule: Schedule): string[] {
  const { frequency, ends_on, count } = schedule
  const at = dateAt(schedule)
  const most = frequency === 'once' ? 1 : Math.min(count ?? Number.POSITIVE_INFINITY, maxInstalments + 1)
  const dates: string[] = []
  for (let place = 0; place < most; place += 1) {
    const date = at(place)
    // Years beyond 9999 have five digits, or a sign, and would sort wrongly.
    if (!/^\d{4}-/.test(date) || (ends_on != null && date > ends_on)) break
    dates.push(date)
  }
  return dates
}

/** Divides smallest units in equal parts; the remainder goes to the first. */
export function divide(units: bigint, parts: number): bigint[] {
  const each = units / BigInt(parts)
  const remainder = units - each * BigInt(parts)
  return Array.from({ length: parts }, (_, place) => (place === 0 ? each + remainder : each))
}

/** A measure over due dates: the sum is exactly the measure. Numbers go on from `firstSeq`. */
export function instalmentsOver(
  dates: readonly (string | null)[],
  measure: Measure,
  firstSeq = 1,
): PlannedInstalment[] {
  const digits = digitsOf(measure)
  return divide(unitsOfMeasure(measure), dates.length).map((units, place) => ({
    seq: firstSeq + place,
    due_on: dates[place] ?? null,
    measure: decimalOf(units, digits),
  }))
}

/**
 * The instalments of a commitment: those of its schedule, or a single one without a due date. The schedule must be free
 * of faults.
 */
export function planInstalments(schedule: Schedule | null, measure: Measure): PlannedInstalment[] {
  return instalmentsOver(schedule ? dueDates(schedule) : [null], measure)
}

/**
 * What is wrong with the instalments of a schedule whose form is right, with pointers into it: it has none, too many, or
 * the measure cannot be divided over them.
 */
export function instalmentFaults(schedule: Schedule, measure: Measure): Fault[] {
  const dates = dueDates(schedule)
  const fault = (pointer: string, code: FaultCode, detail: string): Fault[] => [{ pointer, code, detail }]
  if (dates.length === 0) {
    return fault(
      '/ends_on',
      'no_instalments',
      'No due date falls between starts_on and ends_on: end the schedule later.',
    )
  }
  if (dates.length > maxInstalments) {
    const detail = `A schedule has at most ${maxInstalments} instalments: end it sooner, or make the interval longer.`
    return fault(schedule.count === null ? '/ends_on' : '/count', 'too_many_instalments', detail)
  }
  if (schedule.count !== null && dates.length < schedule.count) {
    return fault('/count', 'too_late', `The schedule would go on after ${lastDate}: give a lower count.`)
  }
  const smallest = smallestFault(measure, dates.length)
  return smallest === undefined ? [] : fault('/frequency', 'too_small', smallest)
}

/** Why a measure cannot be divided into so many parts; undefined where it can. Nothing can be divided at will. */
export function smallestFault(measure: Measure, parts: number): string | undefined {
  const units = unitsOfMeasure(measure)
  if (units === 0n || units >= BigInt(parts)) return undefined
  return `${magnitudeOf(measure)} ${unitOf(measure)} cannot be divided into ${parts} instalments of at least ${decimalOf(1n, digitsOf(measure))}.`
}
