import { microsOf } from '../../core/clock.ts'
import { newId } from '../../core/ids.ts'
import { Faults, Problem } from '../../core/problem.ts'
import type { ReadTx, Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { readOne } from '../../platform/resource.ts'
import { findTemplate } from '../evaluation-templates/read.ts'
import { checkedAnswers } from './answers.ts'
import { closeWhenAnswered } from './closing.ts'
import { answersAreShown } from './lifecycle.ts'
import { partyNamed } from './parties.ts'
import type { ResponseReceipt, ResponseWrite } from './response-schemas.ts'
import { lockRound, type Round } from './round.ts'
import type { Evaluation } from './schemas.ts'
import type { EvaluationScores } from './score-schemas.ts'
import { gapsOf, gapThreshold, orderedSides } from './scoring.ts'
import { type InvitationRow, invitationSetStatus, invitationsOf, responseInsert, scoresRead } from './store.ts'
import { evaluationResource, invitationResource } from './view.ts'

/**
 * Takes the response of a party, once. The round itself stays as it was, so that nobody's ETag ages by an answer; the
 * last answer awaited closes it.
 */
export async function createResponse(tx: Tx, evaluationId: string, write: ResponseWrite): Promise<ResponseReceipt> {
  const round = await lockRound(tx, evaluationId)
  requireAnswerable(round.evaluation, tx.now)
  const template = findTemplate(round.evaluation.template_code, round.evaluation.template_version)
  if (!template) throw new Error(`The template of ${evaluationId} is not there`)
  const faults = new Faults()
  const invitation = await invitationFor(tx, round, write, faults)
  const answers = checkedAnswers(template, write.answers, faults)
  faults.refuse()
  if (!invitation) throw new Error('An invitation without a fault is there')
  const id = newId()
  await responseInsert(tx, { id, evaluation_id: evaluationId, party_id: invitation.party_id, answers })
  await invitationSetStatus(tx, invitation.id, 'answered')
  record(tx, { resource: invitationResource, id: invitation.id, verb: 'answered', changed: ['status'] })
  const hasClosed = await closeWhenAnswered(tx, round)
  return {
    id,
    evaluation_id: evaluationId,
    party_id: invitation.party_id,
    submitted_at: tx.now,
    evaluation_status: hasClosed ? 'closed' : 'open',
  }
}

function requireAnswerable({ status, closes_at }: Evaluation, now: string): void {
  if (status !== 'open') {
    throw new Problem('state_forbids', `Responses are taken while the round is open; it is ${status}.`)
  }
  if (closes_at !== null && microsOf(now) >= microsOf(closes_at)) {
    throw new Problem('state_forbids', `The deadline of the round was ${closes_at}.`)
  }
}

/** The invitation that a response answers. @throws Problem where it was answered or declined already */
async function invitationFor(
  tx: Tx,
  { evaluation, partnership }: Round,
  write: ResponseWrite,
  faults: Faults,
): Promise<InvitationRow | undefined> {
  const party = await partyNamed(tx, partnership.parties, write, { pointer: '', required: true }, faults)
  if (!party) return undefined
  const invitation = (await invitationsOf(tx, evaluation.id)).find(({ party_id }) => party_id === party.id)
  if (!invitation) {
    faults.add('/party_id', 'not_invited', `The party ${party.id} is not invited to this round.`)
  } else if (invitation.status === 'answered') {
    throw new Problem('duplicate', `The party ${party.id} has answered already: a response is not changed.`)
  } else if (invitation.status !== 'pending') {
    const detail = `The party ${party.id} declined. Take its invitation back and invite it anew if it will answer after all.`
    throw new Problem('state_forbids', detail)
  }
  return invitation
}

/**
 * A round whose answers may be seen.
 * @throws Problem `not_found`, or `state_forbids` while it is blind
 */
export async function readShown(tx: ReadTx, id: string): Promise<Evaluation> {
  const evaluation = JSON.parse((await readOne(tx, evaluationResource, id)).body) as Evaluation
  if (answersAreShown(evaluation.status)) return evaluation
  const detail =
    evaluation.status === 'cancelled'
      ? 'The round was cancelled: what was answered is never shown.'
      : `The round is ${evaluation.status}: it is blind for everyone until it is closed.`
  throw new Problem('state_forbids', detail)
}

/** The frozen scores of a round, and how far its sides are apart. */
export async function readScores(tx: ReadTx, id: string): Promise<EvaluationScores> {
  const evaluation = await readShown(tx, id)
  const scores = await scoresRead(tx, id)
  const sides = orderedSides(scores.map(({ side }) => side))
  return {
    evaluation_id: id,
    template_code: evaluation.template_code,
    template_version: evaluation.template_version,
    as_of: evaluation.closed_at ?? evaluation.updated_at,
    thresholds: { gap: gapThreshold },
    scores,
    gaps: gapsOf(scores, sides),
  }
}
