import { isDeepStrictEqual } from 'node:util'
import { dateIn } from '../../core/dates.ts'
import type { IfMatch } from '../../core/etag.ts'
import { requireNamedStep } from '../../core/lifecycle.ts'
import { type Fault, Faults, notFound, Problem } from '../../core/problem.ts'
import { requireDecider } from '../../core/sides.ts'
import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { recordStatusChange } from '../../platform/history.ts'
import type { Outcome } from '../../platform/resource.ts'
import { loadForUpdate } from '../../platform/writes.ts'
import { carryOut } from '../evaluations/commands.ts'
import { loadAmendable } from '../partnerships/commands.ts'
import type { Partnership } from '../partnerships/schemas.ts'
import { applyAmendment } from './apply.ts'
import { type AmendmentStep, amendmentLifecycle, amendmentSteps, awaited } from './lifecycle.ts'
import { requireMayChange } from './required.ts'
import type { Amendment, AmendmentAssent, AmendmentDecision } from './schemas.ts'
import { amendmentPartnership, amendmentUpdate } from './store.ts'
import { type Amended, loadAmended } from './terms.ts'
import { amendmentResource } from './view.ts'

interface Deciding {
  amendment: Amendment
  partnership: Partnership
  today: string
  assent: AmendmentAssent
}

/**
 * Holds the partnership first, then the amendment, for a party that may take the step: its proposer withdraws it, and who
 * has yet to assent accepts or rejects. @throws Problem `not_found`, `stale`, `transition_not_allowed`, or names the party
 */
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
  requireDecider('party_id', partyId, deciders(step, amendment))
  return { amendment, partnership, today, assent }
}

function deciders(step: AmendmentStep, { proposed_by_party_id, required_assents, assents }: Amendment) {
  if (step === 'withdraw') return { may: [proposed_by_party_id], who: 'the party that proposed it' }
  const may = awaited(required_assents, assents).flatMap(({ any_of }) => any_of)
  return { may, who: 'a party whose assent it still waits for' }
}

/** One party's assent. With the last that is needed the new terms count, all of them at once. */
export async function acceptAmendment(tx: Tx, id: string, ifMatch: IfMatch, body: AmendmentDecision): Promise<Outcome> {
  const { amendment, partnership, today, assent } = await hold(tx, id, ifMatch, 'accept', body)
  requireMayChange(tx, amendment.changes)
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
  const errors = diff.flatMap(({ resource_id, member, before }): Fault[] => {
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
  return decide(tx, amendment, 'reject', { assents: amendment.assents, today, assent })
}

export async function withdrawAmendment(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  body: AmendmentDecision,
): Promise<Outcome> {
  const { amendment, today, assent } = await hold(tx, id, ifMatch, 'withdraw', body)
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
