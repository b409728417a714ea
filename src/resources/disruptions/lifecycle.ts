import { lifecycleOf, type Step } from '../../core/lifecycle.ts'
import { type DisruptionStatus, disruptionStatuses } from './schemas.ts'

/** The life of a disruption: each step by the verb of its address. */
export const disruptionSteps = {
  activate: { from: ['watch', 'recovering'], to: 'active' },
  recover: { from: ['active'], to: 'recovering' },
  end: { from: ['recovering'], to: 'over' },
} as const satisfies Record<string, Step<DisruptionStatus>>

export type DisruptionStep = keyof typeof disruptionSteps

export const disruptionLifecycle = lifecycleOf<DisruptionStatus>(disruptionStatuses, disruptionSteps)
