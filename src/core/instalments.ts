import { allocate, type Entry } from './allocation.ts'
import { type Part, type PauseSpan, type Standing, standingUnder } from './paused-plan.ts'

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
    const stood = before.map(({ until, parts }) => countedBefore(parts.get(now.seq) ?? now, until))
    const last = stood.findLastIndex((was) => {
      const is = countedBefore(now, was.until)
      return was.due_on !== is.due_on || was.skipped_on !== is.skipped_on
    })
    if (last >= 0) held.set(now.seq, stood.slice(0, last + 1))
  }
  return held
}

/** What of an instalment counts on the days before `until`. */
function countedBefore({ due_on, skipped_on, is_skipped, is_suspended }: Standing, until: string): Held {
  const before = (date: string | null) => (date !== null && date < until ? date : null)
  return { until, due_on: is_skipped || is_suspended ? null : before(due_on), skipped_on: before(skipped_on) }
}
