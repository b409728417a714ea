import { Problem } from './problem.ts'

/** A state machine as data: the states that each state may go to. */
export type Lifecycle<State extends string> = Readonly<Record<State, readonly State[]>>

/** A step by its name: the states that it is possible in, and the state that it leads to. */
export interface Step<State extends string> {
  readonly from: readonly State[]
  readonly to: State
}

/** The state machine that a table of named steps describes; steps that stay in their state are not part of it. */
export function lifecycleOf<State extends string>(
  states: readonly State[],
  steps: Readonly<Record<string, Step<State>>>,
): Lifecycle<State> {
  const next = (state: State) =>
    Object.values(steps).flatMap(({ from, to }) => (from.includes(state) && to !== state ? [to] : []))
  return Object.fromEntries(states.map((state) => [state, [...new Set(next(state))]])) as unknown as Lifecycle<State>
}

/** @throws Problem `transition_not_allowed`, with `from`, `to` and `allowed`, for a step that the lifecycle has not */
export function requireStep<State extends string>(lifecycle: Lifecycle<State>, from: State, to: State): void {
  if (lifecycle[from].includes(to)) return
  throw notAllowed(lifecycle, from, to, `The record cannot go from ${from} to ${to}`)
}

/**
 * Refuses a step by its name, where two steps lead to one state from different ones.
 * @throws Problem `transition_not_allowed`, with `from`, `to` and `allowed`
 */
export function requireNamedStep<State extends string>(
  lifecycle: Lifecycle<State>,
  name: string,
  step: Step<State>,
  from: State,
): void {
  if (step.from.includes(from)) return
  const states = step.from.join(' or ')
  throw notAllowed(lifecycle, from, step.to, `The step ${name} is for a record that is ${states}; this one is ${from}`)
}

function notAllowed<State extends string>(lifecycle: Lifecycle<State>, from: State, to: State, what: string): Problem {
  const allowed = lifecycle[from]
  const choice = allowed.length === 0 ? `${from} is final` : `from ${from} it may go to ${allowed.join(', ')}`
  return new Problem('transition_not_allowed', `${what}: ${choice}.`, { members: { from, to, allowed: [...allowed] } })
}
