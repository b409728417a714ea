import { Type } from 'typebox'
import { addDays, dateIn, startOfDay } from '../../core/dates.ts'
import { uuid } from '../../core/schemas.ts'
import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { cancelJob, defineJob, enqueue, handleJob } from '../../platform/jobs.ts'
import { pauseRemind } from './store.ts'
import { pauseResource } from './view.ts'

const reminder = defineJob('remind_of_resumption', Type.Object({ pause_id: uuid() }))

/** Sets a reminder for the morning after the day on which a pause is expected to end (or to be looked at again). */
export async function remindOfResumption(
  tx: Tx,
  pauseId: string,
  { expected, timeZone }: { expected: string; timeZone: string },
): Promise<void> {
  const runAt = startOfDay(addDays(expected, 1), timeZone)
  await enqueue(tx, reminder, { pause_id: pauseId }, { runAt, key: pauseId })
}

/** Takes the reminder of a pause back that has ended. */
export const forgetResumption = (tx: Tx, pauseId: string): Promise<void> => cancelJob(tx, reminder, pauseId)

/** Tells once, as the event `pause.resumption_due`, of a pause that is still open after its expected end. */
export const remindOfResumptions = handleJob(reminder, async ({ database, caller }, { pause_id }) => {
  await database.write(caller(), async (tx) => {
    const isLate = (timeZone: string, expected: string) => dateIn(timeZone, tx.now) > expected
    if (await pauseRemind(tx, pause_id, isLate)) {
      record(tx, { resource: pauseResource, id: pause_id, verb: 'resumption_due' })
    }
  })
})
