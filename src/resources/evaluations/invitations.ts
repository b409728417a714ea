import type { IfMatch } from '../../core/etag.ts'
import { newId } from '../../core/ids.ts'
import { type Lifecycle, requireStep } from '../../core/lifecycle.ts'
import { Faults, Problem } from '../../core/problem.ts'
import { isPartner, type Tx } from '../../db/database.ts'
import { record, recordRemoval } from '../../platform/events.ts'
import { resolveNaming } from '../../platform/references.ts'
import { type Outcome, readOne } from '../../platform/resource.ts'
import { loadForUpdate } from '../../platform/writes.ts'
import { holdContact } from '../contacts/read.ts'
import { draftDelete, tokenReplace } from './answer-store.ts'
import { closeWhenAnswered } from './closing.ts'
import { presentOn } from './lifecycle.ts'
import { nameOf, seatNamed } from './parties.ts'
import type { EvaluationInvitation, InvitationWrite } from './response-schemas.ts'
import { requireParties } from './responses.ts'
import { lockRound, type Round } from './round.ts'
import type { Evaluation } from './schemas.ts'
import { invitationDelete, invitationInsert, invitationSetStatus, invitationsOf } from './store.ts'
import { hashOf, makeToken } from './tokens.ts'
import { invitationResource } from './view.ts'

const lifecycle: Lifecycle<EvaluationInvitation['status']> = {
  pending: ['answered', 'declined', 'expired'],
  answered: [],
  declined: [],
  expired: [],
}

/** An invitation with the token that answers it. */
export interface Issued {
  outcome: Outcome
  token: string
}

/** Invites a party, or a person to answer for its side, while the round is planned or open. */
export async function createInvitation(tx: Tx, evaluationId: string, write: InvitationWrite): Promise<Issued> {
  const faults = new Faults()
  const naming = { id: write.contact_id, ref: write.contact_ref }
  const at = { pointer: '', member: 'contact', required: false }
  const contactId = await resolveNaming(tx, 'contact', naming, at, faults)
  // Held before the round, as an erasure holds them.
  const organisationId = contactId === null ? null : await holdContact(tx, contactId)
  const { evaluation, subject, today } = await lockRound(tx, evaluationId)
  requireInvitable(evaluation)
  const party = await seatNamed(tx, subject, write, { pointer: '', required: true }, faults)
  if (party && presentOn([party], today).length === 0) {
    faults.add('/party_id', 'party_left', `The party ${party.id} left the partnership on ${party.left_on}.`)
  }
  if (party && contactId !== null && organisationId !== party.organisation_id) {
    const member = write.contact_ref ? '/contact_ref' : '/contact_id'
    faults.add(member, 'unknown_reference', `${contactId} is no contact of the organisation that is asked.`)
  }
  faults.refuse()
  if (!party) throw new Error('A party without a fault is there')
  const invitations = await invitationsOf(tx, evaluationId)
  if (evaluation.response_mode === 'organisation' && invitations.some(({ party_id }) => party_id === party.id)) {
    throw new Problem('duplicate', `${nameOf(party)} is invited already: in this round it answers once.`)
  }
  if (contactId !== null && invitations.some(({ contact_id }) => contact_id === contactId)) {
    throw new Problem(
      'duplicate',
      `The contact ${contactId} is invited already: in this round each person answers once.`,
    )
  }
  const token = makeToken()
  const { function: role = null, language = null } = write
  const whom = { party_id: party.id, contact_id: contactId, function: role, language }
  return { outcome: await invite(tx, evaluation, whom, token), token }
}

/** Gives a pending invitation another token. The one before is dead, and with it what was saved under it as a draft. */
export async function resendInvitation(tx: Tx, id: string, ifMatch: IfMatch): Promise<Issued> {
  const { round, invitation } = await lockInvitation(tx, id, ifMatch)
  if (invitation.status !== 'pending') {
    throw new Problem('state_forbids', `Only a pending invitation has a token; this one is ${invitation.status}.`)
  }
  requireInvitable(round.evaluation)
  const token = makeToken()
  await tokenReplace(tx, id, hashOf(token))
  await draftDelete(tx, id)
  return { outcome: record(tx, { resource: invitationResource, id, verb: 'resent' }), token }
}

/** Writes an invitation that was found to be right. */
export async function invite(
  tx: Tx,
  { id: evaluation_id, partnership_id, organisation_id }: Evaluation,
  whom: Pick<EvaluationInvitation, 'party_id' | 'contact_id' | 'function' | 'language'>,
  token?: string,
): Promise<Outcome> {
  const invitation = { id: newId(), evaluation_id, partnership_id, organisation_id, ...whom }
  await invitationInsert(tx, invitation, token === undefined ? null : hashOf(token))
  const changed = [...Object.keys(invitation), 'status']
  return record(tx, { resource: invitationResource, id: invitation.id, verb: 'created', changed })
}

/**
 * Takes an invitation back: while the round is planned, or, so that the party can be invited anew, once it declined.
 * A pending one of an open round stays, for its side was promised to be heard.
 */
export async function deleteInvitation(tx: Tx, id: string, ifMatch: IfMatch): Promise<void> {
  const { round, invitation } = await lockInvitation(tx, id, ifMatch)
  const { status } = round.evaluation
  if (status !== 'planned' && !(status === 'open' && invitation.status === 'declined')) {
    const detail = `The invitation stays: the round is ${status} and the invitation ${invitation.status}. A party that will not answer declines.`
    throw new Problem('state_forbids', detail)
  }
  await invitationDelete(tx, id)
  recordRemoval(tx, invitationResource, id, invitation.version)
}

/**
 * A party says that it will not answer; the round closes where that was the last answer awaited. No partner says so for a
 * person.
 */
export async function declineInvitation(tx: Tx, id: string, ifMatch: IfMatch): Promise<Outcome> {
  const { round, invitation } = await lockInvitation(tx, id, ifMatch)
  if (isPartner(tx)) requireParties(round.evaluation)
  return decline(tx, round, invitation)
}

/** Declines a locked invitation. */
export async function decline(tx: Tx, round: Round, { id, status }: EvaluationInvitation): Promise<Outcome> {
  requireStep(lifecycle, status, 'declined')
  if (round.evaluation.status !== 'open') {
    throw new Problem('state_forbids', 'The round is not open yet: take the invitation back instead.')
  }
  await invitationSetStatus(tx, id, 'declined')
  await draftDelete(tx, id)
  const outcome = record(tx, { resource: invitationResource, id, verb: 'declined', changed: ['status'] })
  await closeWhenAnswered(tx, round)
  return outcome
}

/** Locks an invitation, and its round before it: everything about a round happens in one order. */
export async function lockInvitation(
  tx: Tx,
  id: string,
  ifMatch?: IfMatch,
): Promise<{ round: Round; invitation: EvaluationInvitation }> {
  const { evaluation_id } = JSON.parse((await readOne(tx, invitationResource, id)).body) as EvaluationInvitation
  const round = await lockRound(tx, evaluation_id)
  return { round, invitation: await loadForUpdate(tx, invitationResource, id, ifMatch) }
}

function requireInvitable({ status }: Evaluation): void {
  if (status === 'planned' || status === 'open') return
  throw new Problem('state_forbids', `Parties are invited while the round is planned or open; it is ${status}.`)
}
