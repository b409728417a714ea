import type { IfMatch } from '../../core/etag.ts'
import { requireNamedStep } from '../../core/lifecycle.ts'
import { Faults, notFound } from '../../core/problem.ts'
import { requireDecider } from '../../core/sides.ts'
import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { recordStatusChange } from '../../platform/history.ts'
import type { Outcome } from '../../platform/resource.ts'
import { loadForUpdate } from '../../platform/writes.ts'
import { agreeInPlace, loadCommitment, renewNaming, substituteCommitment } from '../commitments/commands.ts'
import type { AgreedTerms } from '../commitments/schemas.ts'
import { checkPart, checkPromiser, refuseIfMoved, requireReplaceable, requireReplacement } from './checks.ts'
import { type SubstitutionStep, substitutionLifecycle, substitutionSteps } from './lifecycle.ts'
import { inOrder, type Pair, whoMay } from './pair.ts'
import type { Substitution, SubstitutionDecision } from './schemas.ts'
import { substitutionCommitments, substitutionDecide } from './store.ts'
import { substitutionResource } from './view.ts'

/** A substitution that is decided, with its commitments: held before it, as whoever proposes one does. */
interface Deciding extends Pair {
  substitution: Substitution
  terms: AgreedTerms | null
  step: SubstitutionStep
  body: SubstitutionDecision
}

/** @throws Problem `not_found`, `stale`, `transition_not_allowed`, or `rule_violated` for who records it */
async function hold(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  { step, body }: Pick<Deciding, 'step' | 'body'>,
): Promise<Deciding> {
  const ids = await substitutionCommitments(tx, id)
  if (!ids) throw notFound()
  const load = (commitmentId: string) => loadCommitment(tx, commitmentId)
  const [replaced, by] = await inOrder({ id: ids.old, load }, { id: ids.new, load })
  const substitution = await loadForUpdate(tx, substitutionResource, id, ifMatch)
  requireNamedStep(substitutionLifecycle, step, substitutionSteps[step], substitution.status)
  const recorder = body.recorded_by_party_id?.toLowerCase()
  const faults = new Faults()
  if (recorder !== undefined && !replaced.partnership.parties.some((party) => party.id === recorder)) {
    faults.add('/recorded_by_party_id', 'unknown_reference', 'This is no party of the partnership.')
  }
  faults.refuse()
  return { replaced, by, substitution, terms: ids.terms, step, body }
}

/** The side across from the one that proposed. @throws Problem `wrong_party` */
function requireOther({ substitution, replaced, body }: Deciding): void {
  const byPromiser = substitution.proposed_by_party_id === replaced.commitment.from_party_id
  requireDecider('party_id', body.party_id.toLowerCase(), whoMay(byPromiser ? 'other_side' : 'promiser', replaced))
}

/**
 * Accepts a substitution: in one transaction the old promise is lowered by what is replaced, and the new one agreed.
 * @throws Problem `wrong_party`, `transition_not_allowed`, `state_forbids` where a commitment has moved on, or
 * `rule_violated` where less is outstanding by now
 */
export async function acceptSubstitution(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  body: SubstitutionDecision,
): Promise<Outcome> {
  const deciding = await hold(tx, id, ifMatch, { step: 'accept', body })
  const { substitution, terms, replaced, by } = deciding
  requireOther(deciding)
  requireReplaceable(replaced)
  requireReplacement(by)
  refuseIfMoved(by, terms)
  const { replaced_measure: measure, instalment_seq: seq, reason, proposed_by_party_id: proposer } = substitution
  const faults = new Faults()
  checkPromiser(deciding, faults)
  checkPart(measure, replaced.commitment.outstanding, faults)
  faults.refuse()

  const on = replaced.today
  const partyId = body.party_id.toLowerCase()
  const promiserId = replaced.commitment.from_party_id
  await substituteCommitment(tx, replaced, { measure, seq, on, partyId, reason })
  await agreeInPlace(tx, by, { on, promiserId, otherId: proposer === promiserId ? partyId : proposer, reason })
  return decide(tx, deciding)
}

/** The other side says no. */
export async function rejectSubstitution(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  body: SubstitutionDecision,
): Promise<Outcome> {
  const deciding = await hold(tx, id, ifMatch, { step: 'reject', body })
  requireOther(deciding)
  return decide(tx, deciding)
}

/** Whoever proposed it takes it back. */
export async function withdrawSubstitution(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  body: SubstitutionDecision,
): Promise<Outcome> {
  const deciding = await hold(tx, id, ifMatch, { step: 'withdraw', body })
  const may = [deciding.substitution.proposed_by_party_id]
  requireDecider('party_id', body.party_id.toLowerCase(), { may, who: 'the party that proposed it' })
  return decide(tx, deciding)
}

async function decide(tx: Tx, { substitution, replaced, by, step, body }: Deciding): Promise<Outcome> {
  const { id, version, status } = substitution
  const { to } = substitutionSteps[step]
  const on = replaced.today
  const partyId = body.party_id.toLowerCase()
  await substitutionDecide(tx, id, {
    status: to,
    decided_by_party_id: partyId,
    decision_recorded_by_party_id: body.recorded_by_party_id?.toLowerCase() ?? null,
    decided_on: on,
    decision_note: body.note ?? null,
  })
  if (to !== 'accepted' && by.commitment.status === 'draft') await renewNaming(tx, by.commitment.id)
  const told = { type: 'substitution', id, version: version + 1, from: status, to, on }
  await recordStatusChange(tx, { ...told, decidedByPartyId: partyId, reason: body.note ?? null })
  const changed = ['status', 'decided_by_party_id', 'decided_on', 'decision_note', 'assents']
  return record(tx, { resource: substitutionResource, id, verb: to, changed })
}
