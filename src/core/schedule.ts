import type { Faults } from './problem.ts'

export const frequencies = ['once', 'weekly', 'monthly', 'quarterly', 'yearly'] as const

/** When a promise falls due. */
export interface Schedule {
  frequency: (typeof frequencies)[number]
  /** Every so many weeks, months, quarters or years. */
  interval: number
  day_of_month: number | 'last' | null
  starts_on: string
  ends_on: string | null
  count: number | null
}

/** Adds what is wrong with a schedule. The measure is divided over it, so one that repeats must come to an end. */
export function checkSchedule(schedule: Schedule, pointer: string, faults: Faults): void {
  const { frequency, interval, day_of_month, starts_on, ends_on, count } = schedule
  const add = (member: string, detail: string) => faults.add(`${pointer}/${member}`, 'schedule', detail)
  if (ends_on !== null && ends_on < starts_on) add('ends_on', `It cannot end before it starts on ${starts_on}.`)
  if (frequency === 'once') {
    if (interval !== 1) add('interval', 'What happens once has no interval.')
    if (count !== null) add('count', 'What happens once has no count.')
  } else {
    if (ends_on !== null && count !== null) add('count', 'Give ends_on or count, not both.')
    if (ends_on === null && count === null) add('ends_on', 'A schedule that repeats needs ends_on or count.')
  }
  if (day_of_month !== null && (frequency === 'once' || frequency === 'weekly')) {
    add('day_of_month', `A ${frequency} schedule has no day of the month.`)
  }
}
