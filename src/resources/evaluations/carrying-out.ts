import type { FaultCode } from '../../core/fault-codes.ts'
import { type Faults, Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import type { EvaluationDecision } from './decision-schemas.ts'
import { decisionUpdate } from './store.ts'
import { decisionResource } from './view.ts'

// A decision that changes what was agreed is carried out by an amendment: it opens one, and is done when that is accepted.

/** The decision of a partnership that an amendment is to carry out, held; null where none is named, or a fault. */
export async function decisionNamed(
  tx: Tx,
  partnershipId: string,
  decisionId: string | null | undefined,
  faults: Faults,
): Promise<EvaluationDecision | null> {
  if (decisionId == null) return null
  const row = await decisionResource.hold(tx, decisionId)
  const decision = row && (JSON.parse(row.body) as EvaluationDecision)
  if (decision?.partnership_id === partnershipId) return decision
  faults.add('/decision_id', 'unknown_reference', `No round of the partnership has a decision ${decisionId}.`)
  return null
}

/** @throws Problem `state_forbids` where a decision is done or dropped, or an amendment of it still waits for assent */
export function requireUnsettled(
  { id, status, amendment_id }: EvaluationDecision,
  amendmentStatus: string | undefined,
): void {
  const refuse = (code: FaultCode, detail: string): never => {
    throw new Problem('state_forbids', detail, { errors: [{ pointer: '/decision_id', code, detail }] })
  }
  if (status !== 'open') refuse('not_open', `The decision ${id} is ${status}: an amendment carries out an open one.`)
  if (amendmentStatus !== 'proposed') return
  refuse('amendment_proposed', `The amendment ${amendment_id} of this decision still waits: withdraw it, or accept it.`)
}

/** Tells a decision which amendment is to carry it out, and that it has done so where it was accepted at once. */
export async function linkAmendment(
  tx: Tx,
  { id }: EvaluationDecision,
  amendmentId: string,
  { isAccepted }: { isAccepted: boolean },
): Promise<void> {
  const changes = { amendment_id: amendmentId, ...(isAccepted ? { status: 'done' as const } : {}) }
  await decisionUpdate(tx, id, changes)
  record(tx, { resource: decisionResource, id, verb: 'updated', changed: Object.keys(changes) })
}

/** The amendment of a decision was accepted: the decision is done. */
export async function carryOut(tx: Tx, decisionId: string): Promise<void> {
  await decisionResource.hold(tx, decisionId)
  await decisionUpdate(tx, decisionId, { status: 'done' })
  record(tx, { resource: decisionResource, id: decisionId, verb: 'updated', changed: ['status'] })
}
