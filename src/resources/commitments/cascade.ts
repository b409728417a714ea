import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { loadForUpdate } from '../../platform/writes.ts'
import { refreshHeld } from '../instalments/commands.ts'
import { derivedByInstalments, type StepName } from './lifecycle.ts'
import { type Taken, writeStep } from './steps.ts'
import { commitmentsToPause, commitmentsToResume, commitmentsTouch } from './store.ts'
import { commitmentResource } from './view.ts'

/**
 * Pauses the agreed commitments of a partnership that pauses, but for those that are exempt: loyal partners go on
 * giving. The caller holds the partnership.
 */
export async function pauseCommitmentsOf(tx: Tx, partnershipId: string, taken: Taken): Promise<void> {
  await stepAll(tx, partnershipId, await commitmentsToPause(tx, partnershipId), 'pause', taken)
}

/** Resumes the commitments that were paused with their partnership; one with a pause of its own stays paused. */
export async function resumeCommitmentsOf(tx: Tx, partnershipId: string, taken: Taken): Promise<void> {
  await stepAll(tx, partnershipId, await commitmentsToResume(tx, partnershipId), 'resume', taken)
}

/**
 * All at once, on one connection: their statements share their round trips. Beside those that take the step, the pause
 * may change the schedule of others: of one that has a pause of its own, or has come to an end meanwhile.
 */
async function stepAll(
  tx: Tx,
  partnershipId: string,
  ids: readonly string[],
  name: StepName,
  taken: Taken,
): Promise<void> {
  const commitments = await Promise.all(ids.map((id) => loadForUpdate(tx, commitmentResource, id)))
  await Promise.all(commitments.map((commitment) => writeStep(tx, { commitment }, name, taken)))
  const others = await refreshHeld(tx, partnershipId, ids)
  await commitmentsTouch(tx, others)
  for (const id of others) {
    record(tx, { resource: commitmentResource, id, verb: 'rescheduled', changed: derivedByInstalments })
  }
}
