import { Problem } from './problem.ts'

/** A state machine as data: the states that each state may go to. */
export type Lifecycle<State extends string> = Readonly<Record<State, readonly State[]>>

/** @throws Problem `transition_not_allowed`, with `from`, `to` and `allowed`, for a step that the lifecycle has not */
export function requireStep<State extends string>(lifecycle: Lifecycle<State>, from: State, to: State): void {
  const allowed = lifecycle[from]
  if (allowed.includes(to)) return
  const choice = allowed.length === 0 ? `${from} is final` : `from ${from} it may go to ${allowed.join(', ')}`
  throw new Problem('transition_not_allowed', `The record cannot go from ${from} to ${to}: ${choice}.`, {
    members: { from, to, allowed: [...allowed] },
  })
}
