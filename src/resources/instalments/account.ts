import type { Rhythm } from '../../core/due-dates.ts'
import { type Held, type Projected, project } from '../../core/instalments.ts'
import { scaleOf } from '../../core/money.ts'
import type { Part } from '../../core/paused-plan.ts'
import { decimalOf, unitsOf } from '../../core/units.ts'
import type { InstalmentState, PartChange, PartRow, ScheduleFacts } from './store.ts'

/** What a commitment comes to after all that happened to its plan, in decimals of its unit. */
export interface Account {
  id: string
  skipped: string
  replaced: string
  /** True where nothing of what stands is undelivered, and something was delivered. */
  isKept: boolean
  /** True where an instalment is not as it was. */
  isChanged: boolean
}

function rhythmOf({ anchor_day, keeps_weekday }: PartRow): Rhythm {
  if (anchor_day !== null) return { by: 'months', anchor: anchor_day }
  return { by: keeps_weekday ? 'weeks' : 'days' }
}

export const digitsIn = (decimals: readonly string[]): number =>
  Math.max(0, ...decimals.map((text) => scaleOf(text) ?? 0))

/** Two decimals compared exactly, whatever their spelling. */
export function isSame(a: string, b: string): boolean {
  const digits = digitsIn([a, b])
  return unitsOf(a, digits) === unitsOf(b, digits)
}

/** What became of a plan, and what of that is to be written. */
export function reckon(facts: ScheduleFacts): { changes: PartChange[]; account: Account } {
  const { id, parts, entries } = facts
  const decimals = [facts.measure, ...parts.map((part) => part.measure), ...entries.map((entry) => entry.magnitude)]
  const digits = digitsIn([...decimals, ...parts.map((part) => part.replaced)])
  const units = (decimal: string) => unitsOf(decimal, digits)
  const plan = parts.map(
    (part): Part => ({
      seq: part.seq,
      due_on: part.original_due_on,
      units: units(part.measure) - units(part.replaced),
      made_on: part.made_on,
      rhythm: rhythmOf(part),
    }),
  )
  const ledger = entries.map(({ magnitude, ...entry }) => ({ ...entry, units: units(magnitude) }))
  const { instalments } = project(plan, facts.pauses, ledger)
  const bySeq = new Map(instalments.map((instalment) => [instalment.seq, instalment]))
  const changes: PartChange[] = []
  const sums = { skipped: 0n, replaced: 0n, open: 0n, settled: 0n }
  for (const part of parts) {
    const projected = bySeq.get(part.seq)
    if (!projected) continue
    const capacity = units(part.measure) - units(part.replaced)
    sums.replaced += units(part.replaced)
    sums.settled += projected.settled
    if (projected.is_skipped) sums.skipped += capacity
    else sums.open += capacity - projected.settled
    const next = changeOf(facts, part, projected, capacity, digits)
    if (isChanged(part, next)) changes.push(next)
  }
  const account = {
    id,
    skipped: decimalOf(sums.skipped, digits),
    replaced: decimalOf(sums.replaced, digits),
    // What an open pause holds up may come back when that ends.
    isKept: sums.open === 0n && sums.settled > 0n && !instalments.some((instalment) => instalment.is_suspended),
    isChanged: changes.length > 0,
  }
  return { changes, account }
}

function changeOf(
  facts: ScheduleFacts,
  part: PartRow,
  projected: Projected,
  capacity: bigint,
  digits: number,
): PartChange {
  return {
    commitment_id: facts.id,
    seq: part.seq,
    due_on: projected.due_on,
    settled: decimalOf(projected.settled, digits),
    state: stateOf(facts, projected, capacity),
    is_suspended: projected.is_suspended,
    skipped_on: projected.skipped_on,
    held: projected.held,
    held_until: projected.held.at(-1)?.until ?? null,
  }
}

/** Closing a commitment voids what is not settled and lies ahead; what was due before stays as it was. */
function stateOf(
  { status, closed_since }: ScheduleFacts,
  { is_skipped, settled, due_on }: Projected,
  capacity: bigint,
): InstalmentState {
  if (is_skipped) return 'skipped'
  if (settled >= capacity) return settled > 0n || status === 'fulfilled' ? 'settled' : 'void'
  if (status === 'fulfilled') return 'settled'
  return closed_since !== null && (due_on === null || due_on >= closed_since) ? 'void' : 'scheduled'
}

function isChanged(part: PartRow, next: PartChange): boolean {
  if (!isSame(part.settled, next.settled) || !isHeldAlike(part.held, next.held)) return true
  const names = ['due_on', 'state', 'is_suspended', 'skipped_on'] as const
  return names.some((name) => part[name] !== next[name])
}

const isHeldAlike = (a: readonly Held[], b: readonly Held[]): boolean =>
  a.length === b.length &&
  a.every(({ until, due_on, skipped_on }, at) => {
    const other = b[at]
    return until === other?.until && due_on === other.due_on && skipped_on === other.skipped_on
  })
