import { dateIn } from '../../core/dates.ts'
import type { IfMatch } from '../../core/etag.ts'
import { newId } from '../../core/ids.ts'
import { Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { record, recordRemoval, unchanged } from '../../platform/events.ts'
import { recordStatusChange } from '../../platform/history.ts'
import { insertExternalRefs, writeExternalRefs } from '../../platform/references.ts'
import type { Outcome } from '../../platform/resource.ts'
import { repeatedTakeOver } from '../../platform/taken-over.ts'
import { changedMembers, refsWith, type Upsert, upsertByRef } from '../../platform/writes.ts'
import { createInstalments } from '../instalments/commands.ts'
import { checkedTerms, refuseIfOver } from './checks.ts'
import { loadCommitment } from './held.ts'
import { inItsMeasure } from './lifecycle.ts'
import {
  commitmentIsAnswered,
  commitmentReturnsDelete,
  commitmentReturnsInsert,
  commitmentValuationsDelete,
  commitmentValuationsInsert,
} from './link-store.ts'
import { beginningOf, refuseAgreedTerms, refuseOtherOrigin, wasAgreed } from './origin.ts'
import type { Commitment, CommitmentTerms, CommitmentWrite } from './schemas.ts'
import { commitmentDelete, commitmentInsert, commitmentUpdate } from './store.ts'
import { commitmentResource } from './view.ts'

// What other slices may do to a commitment.
export { amendCommitment, amendedTerms } from './amend.ts'
export { pauseCommitmentsOf, resumeCommitmentsOf } from './cascade.ts'
export { checkValuations, normaliseValuations } from './checks.ts'
export { type Held, loadCommitment } from './held.ts'
export { followLedger } from './ledger.ts'
export { type Decider, decidersOf } from './lifecycle.ts'
export { renewNaming } from './naming.ts'
export { agreeInPlace, substituteCommitment } from './substitute.ts'

export async function createCommitment(tx: Tx, write: CommitmentWrite): Promise<Outcome> {
  const id = newId()
  const begins = beginningOf(tx, write)
  const { terms, partnership } = await checkedTerms(tx, write)
  if (begins.taken_over === null) refuseIfOver(partnership)
  // Refs may be another's: that must be known before the commit. All else travels with it, in one round trip.
  await insertExternalRefs(tx, 'commitment', id, terms.external_refs)
  const on = begins.closed_on ?? begins.agreed_on ?? begins.taken_over?.on ?? dateIn(partnership.time_zone, tx.now)
  tx.atCommit(async () => {
    await Promise.all([
      commitmentInsert(tx, { id, terms, begins }),
      commitmentValuationsInsert(tx, id, terms),
      commitmentReturnsInsert(tx, id, terms),
      recordStatusChange(tx, { type: 'commitment', id, version: 1, from: null, to: begins.status, on }),
      wasAgreed(begins.status) && createInstalments(tx, id, terms, { ...begins, agreed_on: begins.agreed_on ?? on }),
    ])
  })
  return record(tx, { resource: commitmentResource, id, verb: 'created', changed: Object.keys(terms) })
}

export async function reviseCommitment(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  revise: (current: CommitmentWrite, takenOver: Commitment['taken_over']) => CommitmentWrite,
): Promise<Outcome> {
  const held = await loadCommitment(tx, id, ifMatch)
  const { commitment } = held
  const current = termsOf(commitment)
  const write = withoutRenamed(revise(current, commitment.taken_over), current)
  refuseOtherOrigin(commitment, write)
  const { terms, partnership } = await checkedTerms(tx, { ...write, taken_over: commitment.taken_over }, held)
  const changed = changedMembers(current, terms)
  if (changed.length === 0) return unchanged(tx, commitmentResource, id)
  refuseAgreedTerms(commitment, terms)
  if (changed.includes('partnership_id')) refuseIfOver(partnership)
  if (changed.includes('in_return_for') || changed.includes('partnership_id')) {
    await commitmentReturnsDelete(tx, id)
    await commitmentUpdate(tx, id, terms)
    await commitmentReturnsInsert(tx, id, terms)
  } else await commitmentUpdate(tx, id, terms)
  if (changed.includes('valuations')) {
    await commitmentValuationsDelete(tx, id)
    await commitmentValuationsInsert(tx, id, terms)
  }
  if (changed.includes('external_refs')) await writeExternalRefs(tx, 'commitment', id, terms.external_refs)
  const figures = changed.includes('measure') ? inItsMeasure : []
  return record(tx, { resource: commitmentResource, id, verb: 'updated', changed: [...changed, ...figures] })
}

export async function upsertCommitment(
  tx: Tx,
  ref: { system: string; id: string },
  write: CommitmentWrite,
  ifMatch: IfMatch,
): Promise<Upsert> {
  return upsertByRef(tx, 'commitment', ref, {
    ifMatch,
    create: () => createCommitment(tx, { ...write, external_refs: refsWith(ref, write.external_refs ?? []) }),
    // Refs that the body does not speak of stay: one integration does not drop the ids of another.
    replace: (id) =>
      reviseCommitment(tx, id, ifMatch, (current, takenOver) => ({
        ...write,
        taken_over: repeatedTakeOver(write.taken_over, takenOver) ?? null,
        external_refs: refsWith(ref, write.external_refs ?? current.external_refs ?? []),
      })),
  })
}

export async function deleteCommitment(tx: Tx, id: string, ifMatch: IfMatch): Promise<void> {
  const { commitment } = await loadCommitment(tx, id, ifMatch)
  if (commitment.status !== 'draft') {
    const detail = `Only a draft can be deleted; this commitment is ${commitment.status}, and what was said stays readable.`
    throw new Problem('state_forbids', detail, { members: { from: commitment.status } })
  }
  if (await commitmentIsAnswered(tx, id)) {
    throw new Problem('in_use', 'Other commitments are given in return for this one: change those first.')
  }
  await commitmentDelete(tx, id)
  recordRemoval(tx, commitmentResource, id, commitment.version)
}

function termsOf(commitment: Commitment): CommitmentTerms {
  return {
    partnership_id: commitment.partnership_id,
    from_party_id: commitment.from_party_id,
    to_party_id: commitment.to_party_id,
    kind: commitment.kind,
    title: commitment.title,
    description: commitment.description,
    binding: commitment.binding,
    reciprocity: commitment.reciprocity,
    in_return_for: commitment.in_return_for,
    motive: commitment.motive,
    mode: commitment.mode,
    measure: commitment.measure,
    valuations: commitment.valuations,
    schedule: commitment.schedule,
    pause_exempt: commitment.pause_exempt,
    external_refs: commitment.external_refs,
    metadata: commitment.metadata,
  }
}

/** A patch that names a party by its organisation replaces the party that stands. */
function withoutRenamed(write: CommitmentWrite, current: CommitmentTerms): CommitmentWrite {
  const next = { ...write }
  for (const end of ['from', 'to'] as const) {
    const isRenamed = write[`${end}_organisation_id`] != null || write[`${end}_organisation_ref`] != null
    if (isRenamed && write[`${end}_party_id`] === current[`${end}_party_id`]) next[`${end}_party_id`] = null
  }
  return next
}
