import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import type { Outcome } from '../../platform/resource.ts'
import { findTemplate } from '../evaluation-templates/read.ts'
import { type Round, takeStep } from './round.ts'
import { orderedSides, type Side, scoresOf } from './scoring.ts'
import { answersOf, type InvitationRow, invitationSetStatus, invitationsOf, scoresInsert } from './store.ts'
import { invitationResource } from './view.ts'

/**
 * open → closed: what was not answered by now is not answered any more, and the scores are frozen.
 * Every side that was invited gets its rows, those without an answer too.
 */
export async function closeRound(tx: Tx, round: Round): Promise<Outcome> {
  const { evaluation, partnership } = round
  const invitations = await invitationsOf(tx, evaluation.id)
  await expirePending(tx, invitations)
  const sideOf = new Map(partnership.parties.map(({ id, side }) => [id, side as Side]))
  const sides = orderedSides(invitations.map(({ party_id }) => sideOf.get(party_id) ?? 'other'))
  const responses = (await answersOf(tx, evaluation.id)).map(({ party_id, answers }) => ({
    side: sideOf.get(party_id) ?? 'other',
    scores: new Map(answers.flatMap(({ item_code, score }) => (score === null ? [] : [[item_code, score] as const]))),
  }))
  const template = findTemplate(evaluation.template_code, evaluation.template_version)
  if (!template) throw new Error(`The template of ${evaluation.id} is not there`)
  await scoresInsert(tx, evaluation.id, scoresOf(template, sides, responses))
  return takeStep(tx, round, 'closed', { status: 'closed', closed_at: tx.now })
}

/** Closes an open round when nobody is left to answer, and somebody did. @returns whether it did */
export async function closeWhenAnswered(tx: Tx, round: Round): Promise<boolean> {
  const invitations = await invitationsOf(tx, round.evaluation.id)
  const isAwaited = invitations.some(({ status }) => status === 'pending')
  if (isAwaited || !invitations.some(({ status }) => status === 'answered')) return false
  await closeRound(tx, round)
  return true
}

/** Invitations that nobody will answer any more. */
export async function expirePending(tx: Tx, invitations: readonly InvitationRow[]): Promise<void> {
  for (const { id, status } of invitations) {
    if (status !== 'pending') continue
    await invitationSetStatus(tx, id, 'expired')
    record(tx, { resource: invitationResource, id, verb: 'expired', changed: ['status'] })
  }
}
