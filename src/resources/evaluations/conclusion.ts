import type { IfMatch } from '../../core/etag.ts'
import { newId } from '../../core/ids.ts'
import { Faults, Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { record, unchanged } from '../../platform/events.ts'
import type { Outcome } from '../../platform/resource.ts'
import { changedMembers, loadForUpdate, type Revision } from '../../platform/writes.ts'
import { amendmentStatus } from '../amendments/read.ts'
import { meetObligations } from '../disruption-impacts/commands.ts'
import type { DecisionToTake, EvaluationDecisionWrite } from './decision-schemas.ts'
import { answersAreShown } from './lifecycle.ts'
import { nameOf, seatNamed } from './parties.ts'
import type { StatementWrite } from './response-schemas.ts'
import { lockForStep, lockRound, type Round, takeStep } from './round.ts'
import type { EvaluationConclude } from './schemas.ts'
import { decisionsInsert, decisionUpdate, statementsAdd } from './store.ts'
import { type Subject, subjectOf } from './subject.ts'
import { decisionResource, evaluationResource } from './view.ts'

/** closed → concluded: what the parties made of the scores, what they decided, and what each has to say. */
export async function concludeEvaluation(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  { conclusion, decisions, statements = [] }: EvaluationConclude,
): Promise<Outcome> {
  const round = await lockForStep(tx, id, ifMatch, 'concluded')
  const faults = new Faults()
  const owners: (string | null)[] = []
  for (const [at, decision] of decisions.entries()) {
    owners.push(await ownerOf(tx, round.subject, decision, `/decisions/${at}`, faults))
  }
  const speakers = await speakersOf(tx, round, statements, (at) => `/statements/${at}`, faults)
  if (speakers.length > 0) await statementsAdd(tx, id, speakers)
  const taken = decisions.map(({ aspect, decision, rationale = null, due_on = null }, at) => {
    const owner_party_id = owners[at] ?? null
    const { partnership_id, organisation_id } = round.evaluation
    const of = { evaluation_id: id, partnership_id, organisation_id }
    return { id: newId(), ...of, aspect, decision, rationale, due_on, owner_party_id }
  })
  await decisionsInsert(tx, taken)
  const columns = { status: 'concluded', concluded_at: tx.now, conclusion } as const
  const beside = speakers.length > 0 ? ['statements'] : []
  const outcome = await takeStep(tx, round, 'concluded', columns, { beside })
  for (const decision of taken) {
    const changed = [...Object.keys(decision), 'status']
    record(tx, { resource: decisionResource, id: decision.id, verb: 'created', changed })
  }
  if (round.evaluation.kind === 'disruption') {
    const { disruption_id: disruptionId } = round.evaluation
    await meetObligations(tx, round.subject.id, disruptionId === null ? {} : { disruptionId })
  }
  return outcome
}

/** A party's own word on the outcome, once that can be seen; one a party. */
export async function addStatement(tx: Tx, id: string, ifMatch: IfMatch, statement: StatementWrite): Promise<Outcome> {
  const round = await lockRound(tx, id, ifMatch)
  const { status } = round.evaluation
  if (!answersAreShown(status)) {
    throw new Problem('state_forbids', `A party speaks of the outcome once the round is closed; it is ${status}.`)
  }
  await statementsAdd(tx, id, await speakersOf(tx, round, [statement], () => '', new Faults()), true)
  return record(tx, { resource: evaluationResource, id, verb: 'updated', changed: ['statements'] })
}

/** What may still change of a decision: whether it is done, by when, and who sees to it. */
export async function reviseDecision(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  revise: Revision<EvaluationDecisionWrite>,
): Promise<Outcome> {
  const decision = await loadForUpdate(tx, decisionResource, id, ifMatch)
  const { status, due_on, owner_party_id, evaluation_id, partnership_id, organisation_id } = decision
  const current = { status, due_on, owner_party_id }
  const write = revise(current)
  const byOrganisation = write.owner_organisation_id != null || write.owner_organisation_ref != null
  // The owner as it was gives way to one that is named by its organisation.
  const named = byOrganisation && write.owner_party_id === owner_party_id ? { ...write, owner_party_id: null } : write
  const subject = await subjectOf(tx, { id: evaluation_id, partnership_id, organisation_id })
  const faults = new Faults()
  const owner = await ownerOf(tx, subject, named, '', faults)
  faults.refuse()
  const next = { status: write.status, due_on: write.due_on ?? null, owner_party_id: owner }
  const changed = changedMembers(current, next)
  if (changed.length === 0) return unchanged(tx, decisionResource, id)
  if (changed.includes('status')) await requireByHand(tx, decision.amendment_id)
  await decisionUpdate(tx, id, next)
  return record(tx, { resource: decisionResource, id, verb: 'updated', changed })
}

/** @throws Problem `state_forbids` where an amendment says what becomes of a decision: one that waits, or was accepted */
async function requireByHand(tx: Tx, amendmentId: string | null): Promise<void> {
  if (amendmentId === null) return
  const status = await amendmentStatus(tx, amendmentId)
  if (status !== 'proposed' && status !== 'accepted') return
  const detail =
    status === 'accepted'
      ? `The decision was carried out by the amendment ${amendmentId}, which was accepted.`
      : `The decision is done when the amendment ${amendmentId} is accepted: to settle it by hand, withdraw that first.`
  throw new Problem('state_forbids', detail, { errors: [{ pointer: '/status', code: 'follows_amendment', detail }] })
}

type Owned = Pick<DecisionToTake, 'owner_party_id' | 'owner_organisation_id' | 'owner_organisation_ref'>

async function ownerOf(
  tx: Tx,
  subject: Subject,
  owned: Owned,
  pointer: string,
  faults: Faults,
): Promise<string | null> {
  const naming = {
    party_id: owned.owner_party_id,
    organisation_id: owned.owner_organisation_id,
    organisation_ref: owned.owner_organisation_ref,
  }
  const seat = await seatNamed(tx, subject, naming, { pointer, prefix: 'owner_', required: false }, faults)
  return seat?.id ?? null
}

/** Statements by their parties. @throws Problem that names every fault; `duplicate` where a party has spoken before */
async function speakersOf(
  tx: Tx,
  { evaluation, subject }: Round,
  statements: readonly StatementWrite[],
  pointer: (at: number) => string,
  faults: Faults,
): Promise<{ party_id: string | null; text: string }[]> {
  const spoken = new Set(evaluation.statements.map(({ party_id }) => party_id))
  const repeated = new Faults()
  const speakers = []
  for (const [at, statement] of statements.entries()) {
    const seat = await seatNamed(tx, subject, statement, { pointer: pointer(at), required: true }, faults)
    if (!seat) continue
    const detail = `${nameOf(seat)} has made its statement already: it is not changed.`
    if (spoken.has(seat.id)) repeated.add(`${pointer(at)}/party_id`, 'taken', detail)
    spoken.add(seat.id)
    speakers.push({ party_id: seat.id, text: statement.text })
  }
  faults.refuse()
  repeated.refuse('duplicate')
  return speakers
}
