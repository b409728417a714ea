import { newId } from '../../core/ids.ts'
import { Faults, Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { record, unchanged } from '../../platform/events.ts'
import { cancelJob, enqueue } from '../../platform/jobs.ts'
import type { Outcome } from '../../platform/resource.ts'
import { loadForUpdate } from '../../platform/writes.ts'
import { checkPosition } from '../../resources/events/read.ts'
import { tables } from '../catalogue.ts'
import { feedBounds } from './changes.ts'
import { exportJob } from './job.ts'
import type { ExportCreate } from './schemas.ts'
import { exportCancel, exportInsert, exportsUnderWay } from './store.ts'
import { exportResource } from './view.ts'

/** What a tenant may have waiting or running, and each of its credentials. */
const underWayMax = { tenant: 20, credential: 10 }
const againInSeconds = 60
/** How many exports run at once, over all processes: each holds a connection and a snapshot. */
const lanes = 3

/** Orders an export: a job makes its files. @throws Problem `gone` for a position that is no longer kept */
export async function createExport(tx: Tx, write: ExportCreate): Promise<Outcome> {
  const order = {
    tables: tables.map(({ name }) => name).filter((name) => write.tables?.includes(name) ?? true),
    format: write.format,
    dialect: write.dialect ?? 'rfc4180',
    compression: write.compression ?? 'none',
    filters: write.filters ?? {},
    changed_since_sequence: write.changed_since_sequence ?? null,
  } as const
  check(order)
  if (order.changed_since_sequence !== null) {
    const { oldest, latest } = await feedBounds(tx)
    checkPosition(order.changed_since_sequence, oldest, latest)
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
  const underWay = await exportsUnderWay(tx)
  const whose = { tenant: 'your tenant', credential: 'your credential' }
  for (const kind of ['credential', 'tenant'] as const) {
    if (underWay[kind] < underWayMax[kind]) continue
    const detail = `${underWayMax[kind]} exports of ${whose[kind]} wait or run already. Wait for one, or cancel one.`
    throw new Problem('rate_limited', detail, { headers: { 'retry-after': String(againInSeconds) } })
  }
}

function check({
  tables: chosen,
  format,
  dialect,
  compression,
  filters,
}: Required<Omit<ExportCreate, 'changed_since_sequence'>>) {
  const faults = new Faults()
  if (format !== 'csv' && dialect !== 'rfc4180') faults.add('/dialect', 'not_applicable', 'Only csv has dialects.')
  if (format === 'parquet' && compression !== 'none') {
    faults.add('/compression', 'not_applicable', 'Parquet is compressed in itself: leave compression out.')
  }
  for (const name of Object.keys(filters)) {
    if (!chosen.includes(name)) faults.add(`/filters/${name}`, 'not_applicable', `${name} is not among the tables.`)
  }
  faults.refuse()
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
  return record(tx, { resource: exportResource, id, verb: 'cancelled', changed: ['status', 'finished_at'] })
}
