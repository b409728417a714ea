import type { Objective } from './schemas.ts'

/** Of which levels the parent of each level may be: outputs serve outcomes, outcomes serve impacts. */
export const parentLevels: Readonly<Record<Objective['level'], readonly Objective['level'][]>> = {
  impact: ['impact'],
  outcome: ['outcome', 'impact'],
  output: ['output', 'outcome', 'impact'],
}

/** True where an objective counts on a day. */
export const isActiveOn = (
  { active_from, active_until }: Pick<Objective, 'active_from' | 'active_until'>,
  day: string,
): boolean => active_from <= day && (active_until === null || active_until >= day)
