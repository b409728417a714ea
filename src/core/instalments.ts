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

/** What was delivered for good: it counts from the day of its confirmation until the day it is reversed. */
export interface Entry {
  /** The instalment that it was reported for; without one it settles in order. */
  seq: number | null
  units: bigint
  on: string
  reversed_on: string | null
}

export interface Projected {
  seq: number
  due_on: string | null
  is_skipped: boolean
  /** Touched by a pause that is still open: not due until that ends, even where its expected end has passed. */
  is_suspended: boolean
  /** From this day on it is skipped for certain; of an open pause that skips, if that has not ended by then. */
  skipped_on: string | null
  settled: bigint
  /** Where it stood before the reversals that moved it, in order: what counts on a day is the first that lasts longer. */
  held: Held[]
}

/** Where an instalment stood until a delivery was taken back: a pause passed it by then, or took it otherwise. */
export interface Held {
  /** The day of the reversal: from then on the next counts, and after the last what stands now. */
  until: string
  /** When it was due, if before that day. */
  due_on: string | null
  /** When it was skipped, if before that day. */
  skipped_on: string | null
}

export interface Projection {
  instalments: Projected[]
  /** What was delivered beyond all that stands. */
  surplus: bigint
}

interface Standing extends Part {
  is_skipped: boolean
  is_suspended: boolean
  skipped_on: string | null
}

/**
 * What became of a plan under its pauses and deliveries. A function of dated facts alone: the order in which they were
 * recorded changes nothing. Pauses are taken by their start, each on what the earlier ones left, a skip before a shift:
 * - `skip`: what is due inside the pause is not due any more;
 * - `shift`: what is due on or after its start moves by its length (see `shiftOf`);
 * - `accrue`: nothing changes.
 * An instalment that was settled before a pause began is left as it is.
 */
export function project(plan: readonly Part[], pauses: readonly PauseSpan[], entries: readonly Entry[]): Projection {
  const live = entries.filter((entry) => entry.reversed_on === null)
  const standing = standingUnder(plan, pauses, live)
  const { settled, surplus } = allocate(standing, live)
  const held = heldBefore(plan, pauses, entries, standing)
  const instalments = standing.map(({ seq, due_on, is_skipped, is_suspended, skipped_on }) => ({
    seq,
    due_on,
    is_skipped,
    is_suspended,
    skipped_on,
    settled: settled.get(seq) ?? 0n,
    held: held.get(seq) ?? [],
  }))
  return { instalments, surplus }
}

/**
 * Lays deliveries on instalments: those reported for a number on that one; what that one does not need, and those
 * without a number, in order on what is still open. Only sums count, so the order of reports does not matter.
 */
export function allocate(
  instalments: readonly { seq: number; units: bigint; is_skipped: boolean }[],
  entries: readonly Pick<Entry, 'seq' | 'units'>[],
): { settled: Map<number, bigint>; surplus: bigint } {
  const open = instalments.filter((instalment) => !instalment.is_skipped).toSorted((a, b) => a.seq - b.seq)
  const numbered = new Map<number, bigint>(open.map(({ seq }) => [seq, 0n]))
  let pool = 0n
  for (const { seq, units } of entries) {
    const own = seq === null ? undefined : numbered.get(seq)
    if (seq === null || own === undefined) pool += units
    else numbered.set(seq, own + units)
  }
  const settled = new Map<number, bigint>()
  for (const { seq, units } of open) {
    const own = numbered.get(seq) ?? 0n
    settled.set(seq, own < units ? own : units)
    pool += own > units ? own - units : 0n
  }
  for (const { seq, units } of open) {
    const lacking = units - (settled.get(seq) ?? 0n)
    const given = pool < lacking ? pool : lacking
    settled.set(seq, units - lacking + given)
    pool -= given
  }
  return { settled, surplus: pool }
}

function standingUnder(plan: readonly Part[], pauses: readonly PauseSpan[], entries: readonly Entry[]): Standing[] {
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

/** Where each instalment stood before the reversals of deliveries, as far as it stood otherwise than it does now. */
function heldBefore(
  plan: readonly Part[],
  pauses: readonly PauseSpan[],
  entries: readonly Entry[],
  standing: readonly Standing[],
): Map<number, Held[]> {
  const held = new Map<number, Held[]>()
  const planned = new Map(plan.map((part) => [part.seq, part.due_on]))
  const isMoved = (part: Standing) => part.is_skipped || part.is_suspended || part.due_on !== planned.get(part.seq)
  if (!standing.some(isMoved)) return held
  const reversals = [...new Set(entries.flatMap((entry) => entry.reversed_on ?? []))].toSorted()
  const before = reversals.map((until) => {
    const then = entries.filter((entry) => entry.on < until && (entry.reversed_on ?? '9999') >= until)
    return { until, parts: new Map(standingUnder(plan, pauses, then).map((part) => [part.seq, part])) }
  })
  for (const now of standing) {
    const stood = before.map(({ until, parts }) => heldAs(parts.get(now.seq) ?? now, until))
    const last = stood.findLastIndex((was) => {
      const is = heldAs(now, was.until)
      return was.due_on !== is.due_on || was.skipped_on !== is.skipped_on
    })
    if (last >= 0) held.set(now.seq, stood.slice(0, last + 1))
  }
  return held
}

/** What of an instalment counts on the days before `until`. */
function heldAs({ due_on, skipped_on, is_skipped, is_suspended }: Standing, until: string): Held {
  const before = (date: string | null) => (date !== null && date < until ? date : null)
  return { until, due_on: is_skipped || is_suspended ? null : before(due_on), skipped_on: before(skipped_on) }
}
