import type { Lifecycle, Step } from '../../core/lifecycle.ts'
import { acrossFrom, type Seat } from '../../core/sides.ts'
import type { EventVerb } from '../../platform/event-types.ts'

export const commitmentStatuses = [
  'draft',
  'proposed',
  'declined',
  'agreed',
  'paused',
  'fulfilled',
  'lapsed',
  'released',
  'cancelled',
  'substituted',
] as const
export type CommitmentStatus = (typeof commitmentStatuses)[number]

export const lifecycle: Lifecycle<CommitmentStatus> = {
  draft: ['proposed'],
  proposed: ['agreed', 'declined', 'draft'],
  agreed: ['paused', 'fulfilled', 'lapsed', 'released', 'cancelled', 'substituted'],
  paused: ['agreed', 'lapsed', 'released', 'cancelled', 'substituted'],
  lapsed: ['agreed', 'released', 'substituted'],
  fulfilled: ['agreed'],
  declined: [],
  released: [],
  cancelled: [],
  substituted: [],
}

/** Who decides a step: lapsed, released and cancelled differ in nothing else, and that is what matters in a crisis. */
export type Decider = 'promiser' | 'other_side' | 'either_side'

interface CommitmentStep extends Step<CommitmentStatus> {
  readonly by: Decider
  /** The word for what happened, in events. */
  readonly verb: EventVerb
  /** What it is called in a refusal. */
  readonly name: string
  /** True where the promise comes to life or goes on by it: not in a partnership that is over. */
  readonly opens: boolean
}

const inForce = ['agreed', 'paused'] as const

/**
 * The steps that a party may take. Beside them the service itself takes agreed → fulfilled, fulfilled → agreed (by a
 * reversal) and → substituted.
 */
export const steps = {
  propose: { from: ['draft'], to: 'proposed', by: 'promiser', verb: 'proposed', name: 'Proposing', opens: true },
  agree: { from: ['proposed'], to: 'agreed', by: 'other_side', verb: 'agreed', name: 'Agreeing', opens: true },
  withdraw: { from: ['proposed'], to: 'draft', by: 'promiser', verb: 'withdrawn', name: 'Withdrawing', opens: false },
  decline: { from: ['proposed'], to: 'declined', by: 'other_side', verb: 'declined', name: 'Declining', opens: false },
  pause: { from: ['agreed'], to: 'paused', by: 'either_side', verb: 'paused', name: 'Pausing', opens: true },
  resume: { from: ['paused'], to: 'agreed', by: 'either_side', verb: 'resumed', name: 'Resuming', opens: true },
  lapse: { from: inForce, to: 'lapsed', by: 'either_side', verb: 'lapsed', name: 'Lapsing', opens: false },
  reinstate: {
    from: ['lapsed'],
    to: 'agreed',
    by: 'either_side',
    verb: 'reinstated',
    name: 'Reinstating',
    opens: true,
  },
  release: {
    from: ['agreed', 'paused', 'lapsed'],
    to: 'released',
    by: 'other_side',
    verb: 'released',
    name: 'Releasing',
    opens: false,
  },
  cancel: { from: inForce, to: 'cancelled', by: 'promiser', verb: 'cancelled', name: 'Cancelling', opens: false },
} as const satisfies Record<string, CommitmentStep>
export type StepName = keyof typeof steps

/** The two ends of a promise. */
export interface Ends {
  from_party_id: string
  to_party_id: string | null
}

/** The parties across from the promiser: the receiver, or for the joint purpose every party of another side. */
export const otherSide = (ends: Ends, seats: readonly Seat[]): string[] =>
  ends.to_party_id === null ? acrossFrom(seats, ends.from_party_id).map(({ id }) => id) : [ends.to_party_id]

/** The parties that may take a decision on a commitment, and what they are called. */
export function decidersOf(by: Decider, ends: Ends, seats: readonly Seat[]): { may: string[]; who: string } {
  const receiver = ends.to_party_id === null ? 'a party of the other side' : 'the receiver'
  switch (by) {
    case 'promiser':
      return { may: [ends.from_party_id], who: 'the promiser' }
    case 'other_side':
      return { may: otherSide(ends, seats), who: receiver }
    case 'either_side':
      return { may: [ends.from_party_id, ...otherSide(ends, seats)], who: `the promiser or ${receiver}` }
  }
}

/** The state that the ledger brings a commitment to: fulfilled when nothing is outstanding, and back by a reversal. */
export function statusByLedger(status: CommitmentStatus, isKept: boolean): CommitmentStatus {
  if (status === 'agreed' && isKept) return 'fulfilled'
  if (status === 'fulfilled' && !isKept) return 'agreed'
  return status
}

const isOwed: ReadonlySet<CommitmentStatus> = new Set(['agreed', 'paused', 'lapsed'])
const hasNoRate: ReadonlySet<CommitmentStatus> = new Set(['draft', 'proposed', 'declined'])

/** The derived figures that change with the state, whatever the ledger says. */
export function derivedBy(from: CommitmentStatus, to: CommitmentStatus): ('outstanding' | 'fulfilment_rate')[] {
  const owed = isOwed.has(from) !== isOwed.has(to) ? (['outstanding'] as const) : []
  const rate = hasNoRate.has(from) !== hasNoRate.has(to) ? (['fulfilment_rate'] as const) : []
  return [...owed, ...rate]
}

/** The figures of a commitment that are of the currency or the unit of its measure. */
export const inItsMeasure = ['delivered', 'reported', 'skipped', 'replaced', 'outstanding'] as const

/** The members of a commitment that may change with its instalments. */
export const derivedByInstalments = ['skipped', 'replaced', 'outstanding', 'fulfilment_rate'] as const

/** What each state presupposes: conditions that a record which was taken over in that state did not meet here. */
export const conditionsOf: Readonly<Record<CommitmentStatus, readonly string[]>> = {
  draft: [],
  proposed: ['proposed_by_promiser'],
  declined: ['proposed_by_promiser', 'declined_by_other_side'],
  agreed: ['proposed_by_promiser', 'agreed_by_other_side'],
  paused: ['proposed_by_promiser', 'agreed_by_other_side', 'pause'],
  fulfilled: ['proposed_by_promiser', 'agreed_by_other_side', 'nothing_outstanding'],
  lapsed: ['proposed_by_promiser', 'agreed_by_other_side', 'lapse_decided_by_a_side'],
  released: ['proposed_by_promiser', 'agreed_by_other_side', 'released_by_receiver'],
  cancelled: ['proposed_by_promiser', 'agreed_by_other_side', 'cancelled_by_promiser'],
  substituted: ['proposed_by_promiser', 'agreed_by_other_side', 'substitution_accepted'],
}
