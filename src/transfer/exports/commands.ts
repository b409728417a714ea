import { dateIn } from '../../core/dates.ts'
import { newId } from '../../core/ids.ts'
import { Faults, Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { record, unchanged } from '../../platform/events.ts'
import { cancelJob, enqueue } from '../../platform/jobs.ts'
import { holdName } from '../../platform/references.ts'
import type { Outcome } from '../../platform/resource.ts'
import { loadForUpdate } from '../../platform/writes.ts'
import { checkPosition } from '../../resources/events/read.ts'
import { requireRecorded } from '../../resources/portfolio/read.ts'
import { tables } from '../catalogue.ts'
import { isDated } from '../dated.ts'
import { historyOf } from '../history.ts'
import { feedBounds } from './changes.ts'
import { exportJob } from './job.ts'
import type { ExportCreate } from './schemas.ts'
import { type ExportOrder, exportCancel, exportInsert, exportsUnderWay } from './store.ts'
import { exportResource, movingMembers } from './view.ts'

/** What a tenant may have waiting or running, and each of its credentials. */
const underWayMax = { tenant: 20, credential: 10 }
const againInSeconds = 60
/** How many exports run at once, over all processes: each holds a connection and a snapshot. */
const lanes = 3

/** The day that it is, where it is latest: no fact is of a day to come. */
const latestZone = 'Pacific/Kiritimati'

/**
 * Orders an export: a job makes its files.
 * @throws Problem `gone` for a position that is no longer kept, `rule_violated` for an order that makes no sense
 */
export async function createExport(tx: Tx, write: ExportCreate): Promise<Outcome> {
  const asOf = write.as_of ?? null
  const every = tables.map(({ name }) => name).filter((name) => asOf === null || isDated(historyOf(name)))
  const order = {
    tables: write.tables ? tables.map(({ name }) => name).filter((name) => write.tables?.includes(name)) : every,
    format: write.format,
    dialect: write.dialect ?? 'rfc4180',
    compression: write.compression ?? 'none',
    filters: write.filters ?? {},
    changed_after_sequence: write.changed_after_sequence ?? null,
    as_of: asOf,
  } as const
  const faults = new Faults()
  check(order, faults)
  if (asOf !== null) checkDay(order, asOf, write.tables ?? every, { faults, today: dateIn(latestZone, tx.now) })
  faults.refuse()
  await requireRecorded(tx, write.as_of ?? undefined, '/as_of')
  if (order.changed_after_sequence !== null) {
    const { oldest, latest } = await feedBounds(tx)
    checkPosition(order.changed_after_sequence, oldest, latest)
    await refuseMerged(tx, order.filters)
  }
  await requireRoom(tx)
  const id = newId()
  await exportInsert(tx, id, { ...order, tables: [...order.tables] })
  const lane = Number.parseInt(tx.tenantId.slice(-4), 16) % lanes
  await enqueue(tx, exportJob, { export_id: id }, { key: id, queue: `exports ${lane}` })
  return record(tx, { resource: exportResource, id, verb: 'created', changed: [...Object.keys(order), 'status'] })
}

/** @throws Problem `rate_limited` where too many wait or run */
async function requireRoom(tx: Tx): Promise<void> {
  await holdName(tx, 'exports')
  const underWay = await exportsUnderWay(tx)
  const whose = { tenant: 'your tenant', credential: 'your credential' }
  for (const kind of ['credential', 'tenant'] as const) {
    if (underWay[kind] < underWayMax[kind]) continue
    const detail = `${underWayMax[kind]} exports of ${whose[kind]} wait or run already. Wait for one, or cancel one.`
    throw new Problem('rate_limited', detail, { headers: { 'retry-after': String(againInSeconds) } })
  }
}

function check({ tables: chosen, format, dialect, compression, filters }: ExportOrder, faults: Faults): void {
  if (format !== 'csv' && dialect !== 'rfc4180') faults.add('/dialect', 'not_applicable', 'Only csv has dialects.')
  if (format === 'parquet' && compression !== 'none') {
    faults.add('/compression', 'not_applicable', 'Parquet is compressed in itself: leave compression out.')
  }
  for (const name of Object.keys(filters)) {
    if (!chosen.includes(name)) faults.add(`/filters/${name}`, 'not_applicable', `${name} is not among the tables.`)
  }
}

/** What is left of organisations that were merged has rows that did not change: a copy begins anew. @throws Problem */
async function refuseMerged(tx: Tx, filters: ExportOrder['filters']): Promise<void> {
  const faults = new Faults()
  for (const table of tables) {
    const left = await table.survivors(tx, filters[table.name] ?? {})
    for (const [filter, id] of Object.entries(left ?? {})) {
      const detail = `This organisation was merged into ${id}: order all that there is of that one, then what changes.`
      faults.add(`/filters/${table.name}/${filter}`, 'merged', detail)
    }
  }
  faults.refuse()
}

/** What is asked of a day must be kept by day: tables, and filters too. */
function checkDay(
  { changed_after_sequence, filters }: ExportOrder,
  asOf: string,
  named: readonly string[],
  { faults, today }: { faults: Faults; today: string },
): void {
  if (changed_after_sequence !== null) {
    const detail = 'What changed after a position leads to the present: leave as_of or changed_after_sequence out.'
    faults.add('/changed_after_sequence', 'not_applicable', detail)
  }
  if (asOf > today) faults.add('/as_of', 'in_future', `It is ${today} at the latest: ask about that day or earlier.`)
  for (const [at, name] of named.entries()) {
    const history = historyOf(name)
    if (!isDated(history)) {
      faults.add(`/tables/${at}`, 'no_history', `${name} cannot be told as of a day: they ${history.why}.`)
      continue
    }
    const told = Object.keys((history.table.query as { properties: object }).properties)
    for (const filter of Object.keys(filters[name] ?? {})) {
      if (told.includes(filter)) continue
      const detail = `${filter} says what is so now: leave it out where you ask about a day.`
      faults.add(`/filters/${name}/${filter}`, 'not_applicable', detail)
    }
  }
}

/** Cancels an export that waits or runs; one that was cancelled stays so. @throws Problem `transition_not_allowed` */
export async function cancelExport(tx: Tx, id: string): Promise<Outcome> {
  const { status } = await loadForUpdate(tx, exportResource, id)
  if (status === 'cancelled') return unchanged(tx, exportResource, id)
  if (status !== 'queued' && status !== 'running') {
    const detail = `The export has ${status} already.`
    throw new Problem('transition_not_allowed', detail, { members: { from: status, to: 'cancelled', allowed: [] } })
  }
  await exportCancel(tx, id)
  await cancelJob(tx, exportJob, id)
  return record(tx, {
    resource: exportResource,
    id,
    verb: 'cancelled',
    changed: ['status', 'finished_at', ...movingMembers],
  })
}
