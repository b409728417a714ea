import { lifecycleOf, type Step } from '../../core/lifecycle.ts'

export const substitutionStatuses = ['proposed', 'accepted', 'rejected', 'withdrawn'] as const
export type SubstitutionStatus = (typeof substitutionStatuses)[number]

/** The life of a substitution: what one side proposes, the other decides. */
export const substitutionSteps = {
  accept: { from: ['proposed'], to: 'accepted' },
  reject: { from: ['proposed'], to: 'rejected' },
  withdraw: { from: ['proposed'], to: 'withdrawn' },
} as const satisfies Record<string, Step<SubstitutionStatus>>

export type SubstitutionStep = keyof typeof substitutionSteps

export const substitutionLifecycle = lifecycleOf<SubstitutionStatus>(substitutionStatuses, substitutionSteps)
