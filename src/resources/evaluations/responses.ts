import { sql } from 'kysely'
import { microsOf } from '../../core/clock.ts'
import { newId } from '../../core/ids.ts'
import { Faults, Problem } from '../../core/problem.ts'
import { isPartner, type ReadTx, type Tx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import { record } from '../../platform/events.ts'
import { readOne } from '../../platform/resource.ts'
import { templateOfRound } from '../evaluation-templates/read.ts'
import { checkedAnswers } from './answers.ts'
import { closeWhenAnswered } from './closing.ts'
import { answersAreShown } from './lifecycle.ts'
import { nameOf, seatNamed } from './parties.ts'
import type { ResponseReceipt, ResponseWrite } from './response-schemas.ts'
import { lockRound, type Round } from './round.ts'
import type { Evaluation } from './schemas.ts'
import { type InvitationRow, invitationSetStatus, invitationsOf, responseInsert } from './store.ts'
import { evaluationResource, invitationResource } from './view.ts'

/**
 * Takes the response of a party, once. The round itself stays as it was, so that nobody's ETag ages by an answer; the
 * last answer awaited closes it.
 */
export async function createResponse(tx: Tx, evaluationId: string, write: ResponseWrite): Promise<ResponseReceipt> {
  const round = await lockRound(tx, evaluationId)
  requireAnswerable(round.evaluation, tx.now)
  requireParties(round.evaluation)
  const template = await templateOfRound(tx, round.evaluation)
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

export function requireAnswerable({ status, closes_at }: Evaluation, now: string): void {
  if (status !== 'open') {
    throw new Problem('state_forbids', `Responses are taken while the round is open; it is ${status}.`)
  }
  if (closes_at !== null && microsOf(now) >= microsOf(closes_at)) {
    throw new Problem('state_forbids', `The deadline of the round was ${closes_at}.`)
  }
}

/** @throws Problem `state_forbids` where persons answer: nothing of what one of them does is shown */
export function requireParties({ response_mode }: Evaluation): void {
  if (response_mode === 'organisation') return
  const detail =
    'In this round persons answer or decline, each with a token, and no answer of one is ever shown: see its scores.'
  throw new Problem('state_forbids', detail)
}

/** The invitation that a response answers. @throws Problem where it was answered or declined already */
async function invitationFor(
  tx: Tx,
  { evaluation, subject }: Round,
  write: ResponseWrite,
  faults: Faults,
): Promise<InvitationRow | undefined> {
  const party = await seatNamed(tx, subject, write, { pointer: '', required: true }, faults)
  if (!party) return undefined
  const invitation = (await invitationsOf(tx, evaluation.id)).find(({ party_id }) => party_id === party.id)
  if (!invitation) {
    faults.add('/party_id', 'not_invited', `${nameOf(party)} is not invited to this round.`)
  } else if (invitation.status === 'answered') {
    throw new Problem('duplicate', `${nameOf(party)} has answered already: a response is not changed.`)
  } else if (invitation.status !== 'pending') {
    const detail = `${nameOf(party)} declined. Take its invitation back and invite it anew if it will answer after all.`
    throw new Problem('state_forbids', detail)
  }
  return invitation
}

// A round that was not closed yet when the partner who reads left, whatever became of it.
const leftBlind = prepare<object>(sql`
  select from evaluations where tenant_id = ${tenantParam} and id = ${param('id')}::uuid
    and coalesce(closed_at, 'infinity') >= partner_horizon(partnership_id)`)

/**
 * A round whose answers may be seen.
 * @throws Problem `not_found`, or `state_forbids` while it is blind
 */
export async function readShown(tx: ReadTx, id: string): Promise<Evaluation> {
  const evaluation = JSON.parse((await readOne(tx, evaluationResource, id)).body) as Evaluation
  if (isPartner(tx) && (await leftBlind.run(tx, { id })).length > 0) {
    throw new Problem('state_forbids', 'The round is blind until it is closed, and stays so for who left before that.')
  }
  if (answersAreShown(evaluation.status)) return evaluation
  const detail =
    evaluation.status === 'cancelled'
      ? 'The round was cancelled: what was answered is never shown.'
      : `The round is ${evaluation.status}: it is blind for everyone until it is closed.`
  throw new Problem('state_forbids', detail)
}
