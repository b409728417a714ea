import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { cancelJob } from '../../platform/jobs.ts'
import type { Outcome } from '../../platform/resource.ts'
import { meetObligations } from '../disruption-impacts/commands.ts'
import { templateOfRound } from '../evaluation-templates/read.ts'
import { anonymousOf, forgetAnswers, textsInsert } from './answer-store.ts'
import { closing } from './deadline.ts'
import type { AnswerGiven } from './response-schemas.ts'
import { type Round, takeStep } from './round.ts'
import { scoresInsert } from './score-store.ts'
import { orderedSides, type Scored, type Side, scoresOf } from './scoring.ts'
import { answersOf, type InvitationRow, invitationSetStatus, invitationsOf } from './store.ts'
import { suppress } from './suppression.ts'
import { textsOf } from './texts.ts'
import { invitationResource } from './view.ts'

/**
 * open → closed: what was not answered by now is not answered any more, and what may be seen is frozen. Every side that
 * was invited gets its rows, those without an answer too. What persons answered is forgotten: the frozen cells are all
 * that stays, so nothing that happens later can change them, or tell more.
 */
export async function closeRound(tx: Tx, round: Round): Promise<Outcome> {
  const { evaluation } = round
  const k = evaluation.minimum_per_side
  const invitations = await invitationsOf(tx, evaluation.id)
  await expirePending(tx, invitations)
  const sides = orderedSides(invitations.map(({ party_id }) => sideOf(round, party_id)))
  const responses = await responsesOf(tx, round)
  const scored = responses.map(
    ({ side, answers }): Scored => ({
      side,
      scores: new Map(answers.flatMap(({ item_code, score }) => (score === null ? [] : [[item_code, score] as const]))),
    }),
  )
  const template = await templateOfRound(tx, evaluation)
  const rows = scoresOf(template, sides, scored)
  await scoresInsert(tx, evaluation.id, k === null ? rows : suppress(rows, template, scored, k))
  await textsInsert(tx, evaluation.id, textsOf(template, responses, k))
  await leaveOpen(tx, evaluation.id)
  const outcome = await takeStep(tx, round, 'closed', { status: 'closed', closed_at: tx.now })
  if (evaluation.partnership_id !== null) {
    await meetObligations(tx, evaluation.partnership_id, { namedBy: evaluation.id })
  }
  return outcome
}

/** What ends with a round's being open: its deadline, its drafts, and what persons answered. */
export async function leaveOpen(tx: Tx, id: string): Promise<void> {
  await cancelJob(tx, closing, id)
  await forgetAnswers(tx, id)
}

/** The side on which a party stands; null: the organisation whose round it is. */
export const sideOf = ({ subject }: Pick<Round, 'subject'>, partyId: string | null): Side =>
  (subject.seats.find(({ id }) => id === partyId)?.side ?? 'other') as Side

async function responsesOf(tx: Tx, round: Round): Promise<{ side: Side; answers: AnswerGiven[] }[]> {
  const { id, response_mode } = round.evaluation
  if (response_mode === 'individual') return anonymousOf(tx, id)
  return (await answersOf(tx, id)).map(({ party_id, answers }) => ({ side: sideOf(round, party_id), answers }))
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
