import { microsOf } from '../../core/clock.ts'
import { Faults, notFound, Problem } from '../../core/problem.ts'
import { type Caller, type Database, type ReadTx, type Tx, wholeTenant } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { readOne } from '../../platform/resource.ts'
import { templateOfRound } from '../evaluation-templates/read.ts'
import { anonymousInsert, askedBy, draftDelete, draftRead, draftWrite } from './answer-store.ts'
import { checkedAnswers } from './answers.ts'
import { closeWhenAnswered, sideOf } from './closing.ts'
import { decline, lockInvitation } from './invitations.ts'
import { languageFor, languagesOf, questionnaireIn } from './questionnaire.ts'
import type { AnswerForm, AnswerReceipt, AnswersWrite, DraftReceipt, DraftWrite } from './respondent-schemas.ts'
import type { AnswerGiven, EvaluationInvitation } from './response-schemas.ts'
import { requireAnswerable } from './responses.ts'
import type { Round } from './round.ts'
import type { Evaluation } from './schemas.ts'
import { invitationSetStatus, responseInsert } from './store.ts'
import { organisationTimeZone } from './subject.ts'
import { hashOf, makeDraftKey, openDraft, sealDraft, tokenPattern } from './tokens.ts'
import { evaluationResource, invitationResource } from './view.ts'

/** Whom a token stands for. */
export interface Respondent {
  token: string
  tenantId: string
  invitationId: string
}

/** @throws Problem `not_found` for a token that never was, or is dead */
export async function respondentOf(database: Database, token: string): Promise<Respondent> {
  if (!new RegExp(tokenPattern).test(token)) throw notFound()
  const [row] = await database.outside<{ tenant_id: string; id: string }>({
    name: 'find_invitation',
    text: 'select tenant_id, id from find_invitation($1)',
    values: [hashOf(token)],
  })
  if (!row) throw notFound()
  return { token, tenantId: row.tenant_id, invitationId: row.id }
}

/** On whose behalf a respondent writes: nobody's that could be named. */
export const callerFor = ({ tenantId }: Respondent, requestId: string, now: string): Caller => ({
  ...wholeTenant(tenantId),
  actor: { type: 'respondent', id: null },
  scopes: [],
  requestId,
  now,
})

/** What a respondent is asked, in the language asked for or else its own. */
export async function readForm(
  tx: ReadTx,
  { token, invitationId }: Respondent,
  now: string,
  { language, draftKey }: { language?: string | undefined; draftKey?: string | undefined },
): Promise<AnswerForm> {
  const invitation = JSON.parse((await readOne(tx, invitationResource, invitationId)).body) as EvaluationInvitation
  const [evaluation, asked] = await Promise.all([
    readOne(tx, evaluationResource, invitation.evaluation_id).then(({ body }) => JSON.parse(body) as Evaluation),
    askedBy(tx, invitationId),
  ])
  if (!asked) throw notFound()
  const template = await templateOfRound(tx, evaluation)
  const languages = languagesOf(template)
  const chosen = languageFor(languages, [language, asked.language])
  const status = statusOf(evaluation, invitation, now)
  const { kind, period_from, period_to, closes_at, response_mode, minimum_per_side } = evaluation
  return {
    status,
    language: chosen,
    languages,
    partnership: asked.partnership,
    organisation: asked.organisation,
    kind,
    period_from,
    period_to,
    closes_at,
    time_zone: asked.time_zone ?? organisationTimeZone,
    response_mode,
    minimum_per_side,
    questionnaire: status === 'open' ? questionnaireIn(template, chosen) : null,
    draft: status === 'open' && draftKey !== undefined ? await readDraft(tx, invitationId, token, draftKey) : null,
  }
}

function statusOf({ status, closes_at }: Evaluation, invitation: EvaluationInvitation, now: string) {
  if (invitation.status === 'answered' || invitation.status === 'declined') return invitation.status
  if (invitation.status === 'expired') return 'closed'
  if (status === 'planned') return 'not_open'
  const isLate = closes_at !== null && microsOf(now) >= microsOf(closes_at)
  return status === 'open' && !isLate ? 'open' : 'closed'
}

async function readDraft(tx: ReadTx, id: string, token: string, draftKey: string): Promise<AnswerGiven[] | null> {
  const sealed = await draftRead(tx, id)
  const text = sealed && openDraft(token, draftKey, sealed)
  return text ? (JSON.parse(text) as AnswerGiven[]) : null
}

/** Saves what was answered so far. No event tells of it, and no version grows. */
export async function saveDraft(tx: Tx, respondent: Respondent, write: DraftWrite): Promise<DraftReceipt> {
  const { round, invitation } = await lockAnswerable(tx, respondent)
  const faults = new Faults()
  const answers = checkedAnswers(await templateOfRound(tx, round.evaluation), write.answers, faults, { isDraft: true })
  faults.refuse()
  const draftKey = write.draft_key ?? makeDraftKey()
  const sealed = sealDraft(respondent.token, draftKey, JSON.stringify(answers))
  await draftWrite(tx, { invitation_id: invitation.id, evaluation_id: round.evaluation.id, sealed })
  return { draft_key: draftKey, saved: answers.length }
}

/** Takes the answers of a respondent, once and for good. */
export async function submitAnswers(tx: Tx, respondent: Respondent, write: AnswersWrite): Promise<AnswerReceipt> {
  const { round, invitation } = await lockAnswerable(tx, respondent)
  const { evaluation } = round
  const faults = new Faults()
  const answers = checkedAnswers(await templateOfRound(tx, evaluation), write.answers, faults)
  faults.refuse()
  const evaluation_id = evaluation.id
  if (evaluation.response_mode === 'individual') {
    await anonymousInsert(tx, { evaluation_id, side: sideOf(round, invitation.party_id), answers })
  } else {
    await responseInsert(tx, { evaluation_id, party_id: invitation.party_id, answers })
  }
  await invitationSetStatus(tx, invitation.id, 'answered')
  await draftDelete(tx, invitation.id)
  record(tx, { resource: invitationResource, id: invitation.id, verb: 'answered', changed: ['status'] })
  const hasClosed = await closeWhenAnswered(tx, round)
  return { status: 'answered', on: round.today, evaluation_status: hasClosed ? 'closed' : 'open' }
}

/** A respondent says that it will not answer. */
export async function declineAnswers(tx: Tx, respondent: Respondent): Promise<AnswerReceipt> {
  const { round, invitation } = await lockAnswerable(tx, respondent)
  await decline(tx, round, invitation)
  const { body } = await readOne(tx, evaluationResource, round.evaluation.id)
  const { status } = JSON.parse(body) as Evaluation
  return { status: 'declined', on: round.today, evaluation_status: status === 'open' ? 'open' : 'closed' }
}

/** Locks what a token answers. @throws Problem where it was answered, declined or resent, or is not open */
async function lockAnswerable(
  tx: Tx,
  { invitationId, token }: Respondent,
): Promise<{ round: Round; invitation: EvaluationInvitation }> {
  const { round, invitation } = await lockInvitation(tx, invitationId)
  const asked = await askedBy(tx, invitationId)
  // While we waited for the round the token may have been replaced.
  if (!asked?.token_hash?.equals(hashOf(token))) throw notFound()
  if (invitation.status === 'answered') {
    throw new Problem('duplicate', 'This was answered already: answers are given once, and not changed.')
  }
  if (invitation.status === 'declined') {
    throw new Problem('state_forbids', 'It was declined to answer. Ask whoever sent the invitation for another.')
  }
  requireAnswerable(round.evaluation, tx.now)
  if (invitation.status === 'expired') throw new Problem('state_forbids', 'This invitation was taken back.')
  return { round, invitation }
}
