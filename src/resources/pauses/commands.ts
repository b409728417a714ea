import { newId } from '../../core/ids.ts'
import { Faults } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { disruptionNamed } from '../disruptions/read.ts'
import { holdByPause } from '../instalments/commands.ts'
import { checkPause, type PauseScope, resumptionOf } from './rules.ts'
import type { PauseEnd, PauseStart } from './schemas.ts'
import { pauseClose, pauseInsert, pauseIntervals } from './store.ts'

/**
 * Begins a pause. The caller holds the lock of what is paused, and moves its state.
 * @returns the day it begins
 * @throws Problem `rule_violated` that names every fault: dates, parties, an overlap with another pause of the scope
 */
export async function beginPause(
  tx: Tx,
  scope: PauseScope,
  start: PauseStart,
  context: { partyIds: readonly string[]; today: string },
): Promise<string> {
  const startsOn = start.starts_on ?? context.today
  const faults = new Faults()
  checkPause(start, startsOn, context.partyIds, await pauseIntervals(tx, scope), faults)
  const disruptionId = await disruptionNamed(tx, start, faults)
  faults.refuse()
  const id = newId()
  await pauseInsert(tx, id, scope, start, { startsOn, disruptionId })
  // Which commitments it holds up is decided now; the steps that they take by it act on their instalments.
  await holdByPause(tx, id, scope.partnershipId, scope.commitmentId)
  return startsOn
}

/**
 * Ends an open pause. The caller holds the lock of what is paused, and moves its state.
 * @returns the day it ends: the first day on which all goes on
 * @throws Problem `rule_violated` where that lies before its start
 */
export async function endPause(
  tx: Tx,
  pause: { id: string; starts_on: string },
  { resumed_on }: PauseEnd,
  today: string,
): Promise<string> {
  const faults = new Faults()
  const resumedOn = resumptionOf(pause.starts_on, resumed_on, today, faults)
  faults.refuse()
  await pauseClose(tx, pause.id, resumedOn)
  return resumedOn
}
