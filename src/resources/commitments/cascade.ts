import type { Tx } from '../../db/database.ts'
import { loadForUpdate } from '../../platform/writes.ts'
import type { StepName } from './lifecycle.ts'
import { type Taken, writeStep } from './steps.ts'
import { commitmentsToPause, commitmentsToResume } from './store.ts'
import { commitmentResource } from './view.ts'

/**
 * Pauses the agreed commitments of a partnership that pauses, but for those that are exempt: loyal partners go on
 * giving. The caller holds the partnership.
 */
export async function pauseCommitmentsOf(tx: Tx, partnershipId: string, taken: Taken): Promise<void> {
  await stepAll(tx, await commitmentsToPause(tx, partnershipId), 'pause', taken)
}

/** Resumes the commitments that were paused with their partnership; one with a pause of its own stays paused. */
export async function resumeCommitmentsOf(tx: Tx, partnershipId: string, taken: Taken): Promise<void> {
  await stepAll(tx, await commitmentsToResume(tx, partnershipId), 'resume', taken)
}

/** All at once, on one connection: their statements share their round trips. */
async function stepAll(tx: Tx, ids: readonly string[], name: StepName, taken: Taken): Promise<void> {
  const commitments = await Promise.all(ids.map((id) => loadForUpdate(tx, commitmentResource, id)))
  await Promise.all(commitments.map((commitment) => writeStep(tx, { commitment }, name, taken)))
}
