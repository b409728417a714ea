import { dateIn } from '../../core/dates.ts'
import type { IfMatch } from '../../core/etag.ts'
import { requireStep } from '../../core/lifecycle.ts'
import type { Tx } from '../../db/database.ts'
import type { EventVerb } from '../../platform/event-types.ts'
import { record } from '../../platform/events.ts'
import { recordStatusChange } from '../../platform/history.ts'
import type { Outcome } from '../../platform/resource.ts'
import { loadForUpdate } from '../../platform/writes.ts'
import { evaluationLifecycle } from './lifecycle.ts'
import type { Evaluation, EvaluationStatus } from './schemas.ts'
import { evaluationStep, type StepColumns } from './store.ts'
import { holdSubject, type Subject, subjectOf } from './subject.ts'
import { evaluationResource } from './view.ts'

/** A locked round, with what its rules look at. */
export interface Round {
  evaluation: Evaluation
  subject: Subject
  /** The day that it is where its subject lives. */
  today: string
}

/** Locks a round, whatever its state: whoever answers, invites or takes a step does it after whoever came first. */
export async function lockRound(tx: Tx, id: string, ifMatch?: IfMatch): Promise<Round> {
  const evaluation = await loadForUpdate(tx, evaluationResource, id, ifMatch)
  return roundOf(tx, evaluation, await subjectOf(tx, evaluation))
}

/** Locks a round, and holds its subject in the state that it is in. */
async function lockRoundAndSubject(tx: Tx, id: string, ifMatch: IfMatch): Promise<Round> {
  const evaluation = await loadForUpdate(tx, evaluationResource, id, ifMatch)
  return roundOf(tx, evaluation, await holdSubject(tx, evaluation))
}

const roundOf = (tx: Tx, evaluation: Evaluation, subject: Subject): Round => ({
  evaluation,
  subject,
  today: dateIn(subject.time_zone, tx.now),
})

/** Locks a round that is to go to another state; opening holds its subject too. @throws Problem `transition_not_allowed` */
export async function lockForStep(tx: Tx, id: string, ifMatch: IfMatch, to: EvaluationStatus): Promise<Round> {
  const round = await (to === 'open' ? lockRoundAndSubject : lockRound)(tx, id, ifMatch)
  requireStep(evaluationLifecycle, round.evaluation.status, to)
  return round
}

/** Takes a step: state, history and event. `beside` names what else the step has changed. */
export async function takeStep(
  tx: Tx,
  { evaluation, today }: Round,
  verb: EventVerb,
  columns: StepColumns & { status: EvaluationStatus },
  { reason = null, beside = [] }: { reason?: string | null; beside?: readonly string[] } = {},
): Promise<Outcome> {
  const { id, version, status: from } = evaluation
  const { status: to } = columns
  await evaluationStep(tx, id, columns)
  await recordStatusChange(tx, { type: 'evaluation', id, version: version + 1, from, to, on: today, reason })
  return record(tx, { resource: evaluationResource, id, verb, changed: [...Object.keys(columns), ...beside] })
}
