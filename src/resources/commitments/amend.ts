import { isDeepStrictEqual } from 'node:util'
import { isAddable, unitOf } from '../../core/measure.ts'
import { Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { recordStatusChange } from '../../platform/history.ts'
import { changedMembers } from '../../platform/writes.ts'
import { checkReschedule, rescheduleCommitment } from '../instalments/commands.ts'
import { checkedTerms } from './checks.ts'
import type { Held } from './held.ts'
import { inItsMeasure } from './lifecycle.ts'
import { commitmentReturnsDelete, commitmentReturnsInsert } from './link-store.ts'
import { type CommitmentTerms, type CommitmentTermsPatch, termsAgreed } from './schemas.ts'
import { keep } from './steps.ts'
import { commitmentAmend } from './store.ts'
import { commitmentResource } from './view.ts'

/**
 * What a commitment comes to with new terms, which are held to every rule of a commitment. Nothing is written.
 * @throws Problem that names every rule they break, or `state_forbids` where the commitment is not in force
 */
export async function amendedTerms(
  tx: Tx,
  held: Held,
  patch: CommitmentTermsPatch,
  on: string,
): Promise<CommitmentTerms> {
  const { commitment } = held
  if (commitment.status !== 'agreed' && commitment.status !== 'paused') {
    const way = commitment.status === 'draft' ? ': a draft is changed by PATCH' : ''
    const detail = `What is amended is agreed or paused; this commitment is ${commitment.status}${way}.`
    throw new Problem('state_forbids', detail, { members: { from: commitment.status } })
  }
  const { partnership_id, from_party_id, to_party_id, description, motive, pause_exempt, valuations } = commitment
  const { external_refs, metadata } = commitment
  const write = {
    ...{ partnership_id, from_party_id, to_party_id, description, motive, pause_exempt, valuations },
    ...{ external_refs, metadata },
    ...termsAgreed(commitment),
    ...patch,
    taken_over: commitment.taken_over,
  }
  const { terms } = await checkedTerms(tx, write, held)
  if (!isAddable(terms.measure, commitment.measure)) {
    const unit = unitOf(commitment.measure)
    const detail = `It is measured in ${unit}. What is measured otherwise is another promise: let it replace this one.`
    throw new Problem('rule_violated', detail, { errors: [{ pointer: '/measure', code: 'other_measure', detail }] })
  }
  if (isReplanned(commitment, terms)) await checkReschedule(tx, commitment.id, terms, on)
  return terms
}

const isReplanned = (before: Plan, after: Plan): boolean =>
  !isDeepStrictEqual([before.measure, before.schedule], [after.measure, after.schedule])

type Plan = Pick<CommitmentTerms, 'measure' | 'schedule'>

/**
 * Gives a commitment new terms that those concerned accepted: what is settled stays as it is, the rest is planned anew.
 * @throws Problem `rule_violated` where the rest cannot be
 */
export async function amendCommitment(
  tx: Tx,
  held: Held,
  patch: CommitmentTermsPatch,
  amendment: { id: string; on: string; partyId: string; note: string | null },
): Promise<CommitmentTerms> {
  const { commitment, today } = held
  const { id, version, status } = commitment
  const terms = await amendedTerms(tx, held, patch, amendment.on)
  const before = termsAgreed(commitment)
  const changed = changedMembers(before, termsAgreed({ ...commitment, ...terms }))
  const account = isReplanned(commitment, terms) ? await rescheduleCommitment(tx, id, terms, amendment.on) : undefined
  if (changed.includes('in_return_for')) await commitmentReturnsDelete(tx, id)
  await commitmentAmend(tx, id, terms)
  if (changed.includes('in_return_for')) await commitmentReturnsInsert(tx, id, terms)
  await recordStatusChange(tx, {
    ...{ type: 'commitment', id, version: version + 1, from: status, to: status, on: amendment.on },
    ...{ decidedByPartyId: amendment.partyId, reason: amendment.note, amendmentId: amendment.id },
  })
  const figures = changed.includes('measure') ? [...inItsMeasure, 'fulfilment_rate'] : []
  record(tx, { resource: commitmentResource, id, verb: 'amended', changed: [...changed, ...figures] })
  if (account?.isKept && status === 'agreed') keep(tx, id, version + 2, today)
  return terms
}
