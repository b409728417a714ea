import { microsOf } from '../../core/clock.ts'
import { handleJob } from '../../platform/jobs.ts'
import { closeRound } from './closing.ts'
import { closeAtDeadline, closing } from './deadline.ts'
import { lockRound } from './round.ts'

/** Closes a round whose deadline has come: once, however often and on however many processes it runs. */
export const closeAtDeadlines = handleJob(closing, async ({ database, caller }, { evaluation_id }) => {
  await database.write(caller(), async (tx) => {
    const round = await lockRound(tx, evaluation_id)
    const { status, closes_at } = round.evaluation
    if (status !== 'open' || closes_at === null) return
    // The clock of the jobs may be ahead of ours.
    if (microsOf(closes_at) > microsOf(tx.now)) await closeAtDeadline(tx, evaluation_id, closes_at)
    else await closeRound(tx, round)
  })
})
