import { microsOf } from '../../core/clock.ts'
import type { IfMatch } from '../../core/etag.ts'
import { Faults } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import type { Outcome } from '../../platform/resource.ts'
import { templateOf } from '../evaluation-templates/read.ts'
import { closeRound, expirePending, leaveOpen } from './closing.ts'
import { closeAtDeadline } from './deadline.ts'
import { invite } from './invitations.ts'
import { checkAsked, checkEnoughInvited, checkInvitations, presentOn, requireSubjectState } from './lifecycle.ts'
import { lockForStep, takeStep } from './round.ts'
import type { EvaluationCancel, EvaluationOpen } from './schemas.ts'
import { invitationsOf, organisationSideSet } from './store.ts'

/** planned → open: every side is invited, and the latest version of the template is frozen. */
export async function openEvaluation(tx: Tx, id: string, ifMatch: IfMatch, body: EvaluationOpen): Promise<Outcome> {
  const round = await lockForStep(tx, id, ifMatch, 'open')
  const { evaluation, subject, today } = round
  requireSubjectState(evaluation.kind, subject)
  const present = presentOn(subject.seats, today)
  const invitations = await invitationsOf(tx, id)
  const invited = new Set(invitations.map(({ party_id }) => party_id))
  const faults = new Faults()
  const k = evaluation.minimum_per_side
  if (body.invite_all_parties && k !== null) {
    const detail = 'In an individual round persons are invited, at least minimum_per_side of each side: a party is not.'
    faults.add('/invite_all_parties', 'individual', detail)
  } else if (body.invite_all_parties) {
    for (const party of present.filter((one) => !invited.has(one.id))) {
      await invite(tx, evaluation, { party_id: party.id, contact_id: null, function: null, language: null })
      invited.add(party.id)
    }
  }
  if (subject.type === 'partnership') checkInvitations(present, invited, faults)
  else if (k === null) checkAsked(invited.size, faults)
  if (k !== null) checkEnoughInvited(present, invitations, k, faults)
  const { closes_at } = evaluation
  if (closes_at !== null && microsOf(closes_at) <= microsOf(tx.now)) {
    faults.add('/closes_at', 'deadline_passed', `The deadline was ${closes_at}: set a later one first.`)
  }
  faults.refuse('condition_unmet')
  await closeAtDeadline(tx, id, closes_at)
  const template = await templateOf(tx, evaluation.template_code)
  if (!template) throw new Error(`The template ${evaluation.template_code} is not there`)
  if (subject.type === 'organisation') await organisationSideSet(tx, id, subject.seats[0]?.side ?? 'other')
  return takeStep(tx, round, 'opened', { status: 'open', opened_at: tx.now, template_version: template.version })
}

/** open → closed, by hand: before the deadline, or before everyone has answered. */
export async function closeEvaluation(tx: Tx, id: string, ifMatch: IfMatch): Promise<Outcome> {
  return closeRound(tx, await lockForStep(tx, id, ifMatch, 'closed'))
}

/** planned or open → cancelled: what was answered by then is never shown. */
export async function cancelEvaluation(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  { reason }: EvaluationCancel,
): Promise<Outcome> {
  const round = await lockForStep(tx, id, ifMatch, 'cancelled')
  await expirePending(tx, await invitationsOf(tx, id))
  await leaveOpen(tx, id)
  return takeStep(tx, round, 'cancelled', { status: 'cancelled', cancel_reason: reason }, { reason })
}
