import { allocate, type Entry } from './allocation.ts'
import { addDays, addMonths, daysBetween } from './dates.ts'
import { addAnchoredMonths, type Rhythm } from './due-dates.ts'

/** A part of the plan in hand, in smallest units. Instalments that a new plan replaced are not part of it. */
export interface Part {
  seq: number
  due_on: string | null
  units: bigint
  /** The day from which it counts: pauses before it do not touch it, for whoever agreed on it knew of them. */
  made_on: string
  /** That of its plan. */
  rhythm: Rhythm
}

export type ScheduleEffect = 'skip' | 'shift' | 'accrue'

/** A pause of the commitment. It ends before `until`: on that day the commitment is kept up again. */
export interface PauseSpan {
  starts_on: string
  /** The day of resumption: the real one, else the one that is expected. */
  until: string
  effect: ScheduleEffect
  /** Not resumed yet: what it touches is not due, however long it lasts in the end. */
  is_open: boolean
}

/** A part of a plan, and what pauses made of it. */
export interface Standing extends Part {
  is_skipped: boolean
  is_suspended: boolean
  skipped_on: string | null
}

/** Where the parts of a plan stand under pauses, given what deliveries settle. */
export function standingUnder(
  plan: readonly Part[],
  pauses: readonly PauseSpan[],
  entries: readonly Entry[],
): Standing[] {
  let standing: Standing[] = plan.map((part) => ({
    ...part,
    is_skipped: false,
    is_suspended: false,
    skipped_on: null,
  }))
  const inOrder = pauses
    .filter((pause) => pause.effect !== 'accrue')
    .toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : orderOf(a) > orderOf(b) ? 1 : 0))
  // Where two shifts overlap, the second moves by what the first has not covered.
  let shiftedUntil = ''
  for (const pause of inOrder) {
    const before = entries.filter((entry) => entry.on < pause.starts_on)
    const { settled } = allocate(standing, before)
    const isTouched = ({ seq, units, is_skipped, due_on }: Standing) =>
      due_on !== null && !is_skipped && (units === 0n || (settled.get(seq) ?? 0n) < units)
    if (pause.effect === 'skip') {
      standing = standing.map((part) => (isTouched(part) ? skippedBy(part, pause) : part))
    } else {
      if (pause.is_open) {
        standing = standing.map((part) =>
          isTouched(part) && isFrom(part, pause) ? { ...part, is_suspended: true } : part,
        )
      }
      const uncovered = { ...pause, starts_on: later(pause.starts_on, shiftedUntil) }
      if (uncovered.starts_on < uncovered.until) standing = shifted(standing, uncovered, isTouched)
      shiftedUntil = later(shiftedUntil, pause.until)
    }
  }
  return standing
}

/** Of those that begin on one day the skip comes first: how long each lasts may not be known yet. */
const orderOf = ({ starts_on, effect, until }: PauseSpan): string =>
  `${starts_on} ${effect === 'skip' ? 0 : 1} ${until}`

const later = (a: string, b: string): string => (a > b ? a : b)

/** Due on or after the start of a pause, as far as the part knows that pause. */
const isFrom = ({ due_on, made_on }: Part, pause: PauseSpan): boolean =>
  due_on !== null && due_on >= later(pause.starts_on, made_on)

/**
 * What a skip makes of a part. While it is open, each day on which the part would be due is one on which it is not. What
 * an open shift holds up is due when that ends, and may be skipped then: nobody knows the day.
 */
function skippedBy(part: Standing, pause: PauseSpan): Standing {
  if (part.due_on === null || !isFrom(part, pause)) return part
  const is_skipped = part.due_on < pause.until
  if (!is_skipped && !pause.is_open) return part
  const isShifting = part.is_suspended && part.skipped_on === null
  return {
    ...part,
    is_skipped,
    is_suspended: part.is_suspended || pause.is_open,
    skipped_on: isShifting ? null : (part.skipped_on ?? part.due_on),
  }
}

/** Moves what a shift touches: the parts of each plan by their own share of the pause, in their own rhythm. */
function shifted(standing: readonly Standing[], pause: PauseSpan, isTouched: (part: Standing) => boolean): Standing[] {
  const moved = (part: Standing) => isTouched(part) && isFrom(part, pause)
  const plans = Map.groupBy(standing.filter(moved), planOf)
  const moves = new Map<string, (date: string) => string>()
  for (const [plan, parts] of plans) {
    const [first] = parts.toSorted((a, b) => ((a.due_on ?? '') < (b.due_on ?? '') ? -1 : 1))
    const span = { ...pause, starts_on: later(pause.starts_on, first?.made_on ?? '') }
    if (first?.due_on && span.starts_on < span.until) moves.set(plan, shiftOf(first.rhythm, span, first.due_on))
  }
  return standing.map((part) => {
    const move = moved(part) ? moves.get(planOf(part)) : undefined
    return move && part.due_on !== null ? { ...part, due_on: move(part.due_on) } : part
  })
}

const planOf = ({ made_on, rhythm }: Part): string => `${made_on} ${JSON.stringify(rhythm)}`

/**
 * How far a pause moves what is due from `first` on. Months keep their anchor day and weeks their weekday, so the
 * length is counted in whole months or weeks, cut off, and one more where the first would still fall inside the pause.
 * What has no rhythm moves by days.
 */
export function shiftOf(
  rhythm: Rhythm,
  { starts_on, until }: Pick<PauseSpan, 'starts_on' | 'until'>,
  first: string,
): (date: string) => string {
  if (rhythm.by === 'days') {
    const days = daysBetween(starts_on, until)
    return (date) => inCalendar(addDays(date, days))
  }
  if (rhythm.by === 'weeks') {
    const whole = Math.floor(daysBetween(starts_on, until) / 7)
    const weeks = addDays(first, 7 * whole) < until ? whole + 1 : whole
    return (date) => inCalendar(addDays(date, 7 * weeks))
  }
  const { anchor } = rhythm
  const between = monthsBetween(starts_on, until)
  let months = addMonths(starts_on, between) > until ? between - 1 : between
  while (addAnchoredMonths(first, months, anchor) < until) months += 1
  return (date) => inCalendar(addAnchoredMonths(date, months, anchor))
}

const monthsBetween = (from: string, to: string): number =>
  (Number(to.slice(0, 4)) - Number(from.slice(0, 4))) * 12 + Number(to.slice(5, 7)) - Number(from.slice(5, 7))

/** The calendar ends with the year 9999: dates have four digits for the year. */
const inCalendar = (date: string): string => (/^\d{4}-/.test(date) ? date : '9999-12-31')
