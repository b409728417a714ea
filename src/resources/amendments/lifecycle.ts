import { lifecycleOf, type Step } from '../../core/lifecycle.ts'

export const amendmentStatuses = ['proposed', 'accepted', 'rejected', 'withdrawn'] as const
export type AmendmentStatus = (typeof amendmentStatuses)[number]
export const amendmentCauses = ['evaluation', 'disruption', 'renewal', 'correction'] as const

/** The life of an amendment. Accepting is one party's assent: it takes effect with the last that is needed. */
export const amendmentSteps = {
  accept: { from: ['proposed'], to: 'accepted' },
  reject: { from: ['proposed'], to: 'rejected' },
  withdraw: { from: ['proposed'], to: 'withdrawn' },
} as const satisfies Record<string, Step<AmendmentStatus>>

export type AmendmentStep = keyof typeof amendmentSteps

export const amendmentLifecycle = lifecycleOf<AmendmentStatus>(amendmentStatuses, amendmentSteps)

/** The assents that an amendment waits for: the groups of which nobody assented yet. */
export const awaited = (
  required: readonly { any_of: readonly string[] }[],
  assents: readonly { party_id: string }[],
): { any_of: readonly string[] }[] =>
  required.filter(({ any_of }) => !assents.some(({ party_id }) => any_of.includes(party_id)))
