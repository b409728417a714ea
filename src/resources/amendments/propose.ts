import { dateIn } from '../../core/dates.ts'
import { newId } from '../../core/ids.ts'
import { checkMetadata } from '../../core/metadata.ts'
import { Faults } from '../../core/problem.ts'
import { requireDecider } from '../../core/sides.ts'
import { isPartner, type Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { recordStatusChange } from '../../platform/history.ts'
import { insertExternalRefs } from '../../platform/references.ts'
import type { Outcome } from '../../platform/resource.ts'
import { completeRefs } from '../../platform/writes.ts'
import { disruptionNamed } from '../disruptions/read.ts'
import { decisionNamed, type EvaluationDecision, linkAmendment, requireUnsettled } from '../evaluations/commands.ts'
import { evaluationNamed } from '../evaluations/read.ts'
import { loadAmendable } from '../partnerships/commands.ts'
import type { Partnership } from '../partnerships/schemas.ts'
import { applyAmendment } from './apply.ts'
import { awaited } from './lifecycle.ts'
import { amendmentStatus } from './read.ts'
import { partiesPresent, requiredAssents, requireMayChange } from './required.ts'
import type { Amendment, AmendmentCreate } from './schemas.ts'
import { amendmentInsert } from './store.ts'
import { type Amended, amendedBy, differences, type Loaded, loadAmended, namedChanges } from './terms.ts'
import { amendmentResource } from './view.ts'

/**
 * Proposes new terms. A correction needs no more than the assent of whoever proposes it, and takes effect at once; one
 * that a partner proposes waits as any other does, for a partner speaks for its own side alone.
 */
export async function createAmendment(tx: Tx, partnershipId: string, write: AmendmentCreate): Promise<Outcome> {
  requireMayChange(tx, write.changes)
  const partnership = await loadAmendable(tx, partnershipId)
  const today = dateIn(partnership.time_zone, tx.now)
  const proposer = write.proposed_by_party_id.toLowerCase()
  const may = partiesPresent(partnership.parties, today)
  requireDecider('proposed_by_party_id', proposer, { may, who: 'a party of the partnership' })
  const effectiveOn = write.effective_on ?? today
  const { loaded, decision: decided, ...stated } = await checked(tx, partnership, write, effectiveOn, today)
  const { changes } = stated

  const needsOneSide = write.cause === 'correction' && !isPartner(tx)
  const assent = { party_id: proposer, on: today, recorded_by_party_id: null, note: null }
  const state = {
    partnership_id: partnership.id,
    effective_on: effectiveOn,
    cause: write.cause,
    note: write.note ?? null,
    ...stated,
    required_assents: needsOneSide ? [{ any_of: may }] : requiredAssents(loaded, changes, today),
    assents: [assent],
    status: 'proposed' as const,
    proposed_by_party_id: proposer,
    proposed_on: today,
    decided_on: null,
    decided_by_party_id: null,
    decision_note: null,
    metadata: write.metadata ?? {},
  }
  const id = newId()
  const isAccepted = awaited(state.required_assents, state.assents).length === 0
  const decision = isAccepted ? { status: 'accepted' as const, decided_on: today, decided_by_party_id: proposer } : {}
  await amendmentInsert(tx, id, { ...state, ...decision })
  await insertExternalRefs(tx, 'amendment', id, completeRefs(write.external_refs))
  const to = isAccepted ? 'accepted' : 'proposed'
  await recordStatusChange(tx, {
    type: 'amendment',
    id,
    version: 1,
    from: null,
    to,
    on: today,
    decidedByPartyId: proposer,
  })
  if (decided) await linkAmendment(tx, decided, id, { isAccepted })
  if (isAccepted) await applyAmendment(tx, loaded, { ...state, id }, proposer)
  return record(tx, { resource: amendmentResource, id, verb: to, changed: [...Object.keys(state), 'external_refs'] })
}

/** @throws Problem that names every rule which the write breaks */
async function checked(
  tx: Tx,
  partnership: Partnership,
  write: AmendmentCreate,
  effectiveOn: string,
  today: string,
): Promise<Checked> {
  const faults = new Faults()
  const changes = await namedChanges(tx, write.changes, faults)
  const loaded = await loadAmended(tx, partnership, changes, faults)
  const results = await amendedBy(tx, loaded, { changes, effectiveOn }, faults)
  const diff = differences(loaded.amended, results)
  if (diff.length === 0 && faults.list.length === 0) {
    faults.add('/changes', 'nothing', 'These are the terms that stand: nothing changes.')
  }
  checkDay(loaded.amended, effectiveOn, today, faults)
  const decision = await decisionNamed(tx, partnership.id, write.decision_id, faults)
  const named = await evaluationNamed(tx, partnership.id, write, faults)
  const evaluation_id = named ?? decision?.evaluation_id ?? null
  if (decision) checkCarriesOut(decision, { cause: write.cause, evaluation_id }, faults)
  const disruption_id = await disruptionNamed(tx, write, faults)
  checkMetadata(write.metadata, faults)
  faults.refuse()
  if (decision) {
    requireUnsettled(decision, decision.amendment_id ? await amendmentStatus(tx, decision.amendment_id) : undefined)
  }
  return { loaded, changes, diff, evaluation_id, disruption_id, decision, decision_id: decision?.id ?? null }
}

type Checked = Pick<Amendment, 'changes' | 'diff' | 'evaluation_id' | 'disruption_id' | 'decision_id'> & {
  loaded: Loaded
  /** The decision that it carries out, held. */
  decision: EvaluationDecision | null
}

/** What carries out a decision is caused by the evaluation in which that was taken. */
function checkCarriesOut(
  decision: EvaluationDecision,
  { cause, evaluation_id }: Pick<Amendment, 'cause' | 'evaluation_id'>,
  faults: Faults,
): void {
  if (cause !== 'evaluation') {
    faults.add('/cause', 'of_decision', `What carries out a decision has the cause evaluation, not ${cause}.`)
  }
  if (evaluation_id === decision.evaluation_id) return
  const detail = `The decision was taken in the evaluation ${decision.evaluation_id}: name that one, or none.`
  faults.add('/evaluation_id', 'other_evaluation', detail)
}

/** New terms count from the day of those that stand or later, and not from a day to come: records tell what is so now. */
function checkDay(amended: readonly Amended[], effectiveOn: string, today: string, faults: Faults): void {
  const since = amended.map((one) => one.since ?? '').reduce((a, b) => (a > b ? a : b), '')
  if (effectiveOn > today) {
    const detail =
      `Today is ${today}: new terms count from the day on which they are accepted, or from an earlier one. What is to ` +
      `count from ${effectiveOn} is agreed now as a commitment of its own whose schedule starts then, and the one that ` +
      'stands is amended to what is due before.'
    faults.add('/effective_on', 'in_future', detail)
  }
  if (effectiveOn < since) {
    faults.add(
      '/effective_on',
      'before_terms',
      `The terms that stand count from ${since}: new ones from then or later.`,
    )
  }
}
