import { type Lifecycle, lifecycleOf, type Step } from '../../core/lifecycle.ts'

export const confirmations = ['reported', 'confirmed', 'disputed'] as const
export type Confirmation = (typeof confirmations)[number]

/** What the other side says of a delivery. A dispute may be settled; a confirmation is taken back only by a reversal. */
export const confirmationSteps = {
  confirm: { from: ['reported', 'disputed'], to: 'confirmed' },
  dispute: { from: ['reported'], to: 'disputed' },
} as const satisfies Record<string, Step<Confirmation>>

export const confirmationLifecycle: Lifecycle<Confirmation> = lifecycleOf(confirmations, confirmationSteps)
