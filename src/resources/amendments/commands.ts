import { isDeepStrictEqual } from 'node:util'
import { dateIn } from '../../core/dates.ts'
import type { IfMatch } from '../../core/etag.ts'
import { newId } from '../../core/ids.ts'
import { requireNamedStep } from '../../core/lifecycle.ts'
import { checkMetadata } from '../../core/metadata.ts'
import { Faults, notFound, Problem } from '../../core/problem.ts'
import { requireDecider } from '../../core/sides.ts'
import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { recordStatusChange } from '../../platform/history.ts'
import { insertExternalRefs } from '../../platform/references.ts'
import type { Outcome } from '../../platform/resource.ts'
import { completeRefs, loadForUpdate } from '../../platform/writes.ts'
import { disruptionNamed } from '../disruptions/read.ts'
import {
  carryOut,
  decisionNamed,
  type EvaluationDecision,
  linkAmendment,
  requireUnsettled,
} from '../evaluations/commands.ts'
import { evaluationNamed } from '../evaluations/read.ts'
import { loadAmendable } from '../partnerships/commands.ts'
import type { Partnership } from '../partnerships/schemas.ts'
import { applyAmendment } from './apply.ts'
import { type AmendmentStep, amendmentLifecycle, amendmentSteps, awaited } from './lifecycle.ts'
import { amendmentStatus } from './read.ts'
import { partiesPresent, requiredAssents } from './required.ts'
import type { Amendment, AmendmentAssent, AmendmentCreate, AmendmentDecision } from './schemas.ts'
import { amendmentInsert, amendmentPartnership, amendmentUpdate } from './store.ts'
import { type Amended, amendedBy, differences, type Loaded, loadAmended, namedChanges } from './terms.ts'
import { amendmentResource } from './view.ts'

/** Proposes new terms. A correction needs no more than the assent of whoever proposes it, and takes effect at once. */
export async function createAmendment(tx: Tx, partnershipId: string, write: AmendmentCreate): Promise<Outcome> {
  const partnership = await loadAmendable(tx, partnershipId)
  const today = dateIn(partnership.time_zone, tx.now)
  const proposer = write.proposed_by_party_id.toLowerCase()
  const may = partiesPresent(partnership.parties, today)
  requireDecider('proposed_by_party_id', proposer, { may, who: 'a party of the partnership' })
  const effectiveOn = write.effective_on ?? today
  const { loaded, decision: decided, ...stated } = await checked(tx, partnership, write, effectiveOn, today)
  const { changes } = stated

  const isCorrection = write.cause === 'correction'
  const assent = { party_id: proposer, on: today, recorded_by_party_id: null, note: null }
  const state = {
    partnership_id: partnership.id,
    effective_on: effectiveOn,
    cause: write.cause,
    note: write.note ?? null,
    ...stated,
    required_assents: isCorrection ? [{ any_of: may }] : requiredAssents(loaded, changes, today),
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

interface Deciding {
  amendment: Amendment
  partnership: Partnership
  today: string
  assent: AmendmentAssent
}

/** Holds the partnership first, then the amendment. @throws Problem `not_found`, `stale`, `transition_not_allowed` */
async function hold(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  step: AmendmentStep,
  body: AmendmentDecision,
): Promise<Deciding> {
  const partnershipId = await amendmentPartnership(tx, id)
  if (partnershipId === undefined) throw notFound()
  const partnership = await loadAmendable(tx, partnershipId)
  const amendment = await loadForUpdate(tx, amendmentResource, id, ifMatch)
  requireNamedStep(amendmentLifecycle, step, amendmentSteps[step], amendment.status)
  const recorder = body.recorded_by_party_id?.toLowerCase() ?? null
  const faults = new Faults()
  if (recorder !== null && !partnership.parties.some((party) => party.id === recorder)) {
    faults.add('/recorded_by_party_id', 'unknown_reference', 'This is no party of the partnership.')
  }
  faults.refuse()
  const today = dateIn(partnership.time_zone, tx.now)
  const partyId = body.party_id.toLowerCase()
  const assent = { party_id: partyId, on: today, recorded_by_party_id: recorder, note: body.note ?? null }
  return { amendment, partnership, today, assent }
}

const whoseAssent = ({ required_assents, assents }: Amendment): string[] =>
  awaited(required_assents, assents).flatMap(({ any_of }) => any_of)

/** One party's assent. With the last that is needed the new terms count, all of them at once. */
export async function acceptAmendment(tx: Tx, id: string, ifMatch: IfMatch, body: AmendmentDecision): Promise<Outcome> {
  const { amendment, partnership, today, assent } = await hold(tx, id, ifMatch, 'accept', body)
  const who = 'a party whose assent it still waits for'
  requireDecider('party_id', assent.party_id, { may: whoseAssent(amendment), who })
  const assents = [...amendment.assents, assent]
  if (awaited(amendment.required_assents, assents).length > 0) {
    await amendmentUpdate(tx, id, { assents })
    return record(tx, { resource: amendmentResource, id, verb: 'assented', changed: ['assents'] })
  }
  const faults = new Faults()
  const loaded = await loadAmended(tx, partnership, amendment.changes, faults)
  faults.refuse()
  refuseIfMoved(loaded.amended, amendment)
  await applyAmendment(tx, loaded, amendment, assent.party_id)
  return decide(tx, amendment, 'accept', { assents, today, assent })
}

/** @throws Problem `state_forbids` where the terms have changed since the amendment was proposed */
function refuseIfMoved(amended: readonly Amended[], { diff }: Amendment): void {
  const errors = diff.flatMap(({ resource_id, member, before }) => {
    const terms = amended.find((one) => one.resource_id === resource_id)?.terms as Record<string, unknown> | undefined
    if (isDeepStrictEqual(terms?.[member], before)) return []
    const detail = `${member} of ${resource_id} has changed since: withdraw this amendment and propose another.`
    return [{ pointer: `/diff/${member}`, code: 'terms_changed', detail }]
  })
  const [first] = errors
  if (first) throw new Problem('state_forbids', first.detail, { errors })
}

export async function rejectAmendment(tx: Tx, id: string, ifMatch: IfMatch, body: AmendmentDecision): Promise<Outcome> {
  const { amendment, today, assent } = await hold(tx, id, ifMatch, 'reject', body)
  const who = 'a party whose assent it still waits for'
  requireDecider('party_id', assent.party_id, { may: whoseAssent(amendment), who })
  return decide(tx, amendment, 'reject', { assents: amendment.assents, today, assent })
}

export async function withdrawAmendment(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  body: AmendmentDecision,
): Promise<Outcome> {
  const { amendment, today, assent } = await hold(tx, id, ifMatch, 'withdraw', body)
  const may = [amendment.proposed_by_party_id]
  requireDecider('party_id', assent.party_id, { may, who: 'the party that proposed it' })
  return decide(tx, amendment, 'withdraw', { assents: amendment.assents, today, assent })
}

async function decide(
  tx: Tx,
  { id, version, status, decision_id }: Amendment,
  step: AmendmentStep,
  { assents, today, assent }: Pick<Deciding, 'today' | 'assent'> & { assents: AmendmentAssent[] },
): Promise<Outcome> {
  const { to } = amendmentSteps[step]
  const decided = { decided_on: today, decided_by_party_id: assent.party_id, decision_note: assent.note }
  await amendmentUpdate(tx, id, { assents, status: to, ...decided })
  if (to === 'accepted' && decision_id !== null) await carryOut(tx, decision_id)
  const told = { type: 'amendment', id, version: version + 1, from: status, to, on: today }
  await recordStatusChange(tx, { ...told, decidedByPartyId: assent.party_id, reason: assent.note })
  const changed = ['status', 'assents', ...Object.keys(decided)]
  return record(tx, { resource: amendmentResource, id, verb: to, changed })
}
