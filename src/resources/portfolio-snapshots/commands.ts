import { newId } from '../../core/ids.ts'
import type { Caller, Database } from '../../db/database.ts'
import { wholeTenant } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import type { Chore, JobTools } from '../../platform/jobs.ts'
import { reckonedPortfolio } from '../portfolio/read.ts'
import { type DueSnapshot, dueSnapshots, snapshotInsert, snapshotRowsInsert } from './store.ts'
import { portfolioSnapshotResource } from './view.ts'

/**
 * Keeps what a portfolio said at the end of a month, where nobody did yet. It is reckoned before the transaction, which
 * is short, whatever the size of the portfolio.
 * @returns true where it was taken here
 */
export async function takeSnapshot(database: Database, caller: Caller, due: DueSnapshot): Promise<boolean> {
  const reckoned = await database.moment(wholeTenant(caller.tenantId), (tx) =>
    reckonedPortfolio(tx, due.organisation_id, due.as_of),
  )
  return database.write(caller, async (tx) => {
    const id = newId()
    if (!(await snapshotInsert(tx, id, due, reckoned))) return false
    await snapshotRowsInsert(tx, id, due, reckoned.rows)
    record(tx, { resource: portfolioSnapshotResource, id, verb: 'taken', changed: ['summary'] })
    return true
  })
}

/** How many months are looked up at once. */
const batch = 100

async function takeAll(tenantId: string, { database, clock, log, signal }: JobTools): Promise<void> {
  const caller = (): Caller => ({
    ...wholeTenant(tenantId),
    actor: { type: 'system', id: null },
    scopes: ['admin'],
    requestId: newId(),
    now: clock.now(),
  })
  let failed = 0
  for (;;) {
    // What fails stays due: it is passed over here, and taken in a later round.
    const limit = batch + failed
    const due = await database.read(wholeTenant(tenantId), (tx) => dueSnapshots.run(tx, { now: clock.now(), limit }))
    for (const one of due.slice(failed)) {
      if (signal.aborted) return
      try {
        await takeSnapshot(database, caller(), one)
      } catch (error) {
        failed += 1
        log.error({ err: error, tenant: tenantId, ...one }, 'a snapshot of a portfolio failed')
      }
    }
    if (due.length < limit) return
  }
}

/** Takes the snapshots that are due, of all tenants: those of this month's end, and those of months that were missed. */
export async function takeSnapshots(tools: JobTools): Promise<void> {
  const tenants = await tools.database.outside<{ id: string }>({
    name: 'every_tenant',
    text: 'select every_tenant as id from every_tenant()',
    values: [],
  })
  for (const { id } of tenants) {
    if (tools.signal.aborted) return
    try {
      await takeAll(id, tools)
    } catch (error) {
      tools.log.error({ err: error, tenant: id }, 'the snapshots of portfolios failed')
    }
  }
}

/** Hourly, so that a process that was away at the end of a month soon makes up for it. */
export const snapshotsEveryHour: Chore = { name: 'portfolio_snapshots', at: '27 * * * *', run: takeSnapshots }
