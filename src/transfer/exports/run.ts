import { finished } from 'node:stream/promises'
import { to as copyTo } from 'pg-copy-streams'
import type { ReadTx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { handleJob, type JobContext, type JobHandler } from '../../platform/jobs.ts'
import { checkPosition } from '../../resources/events/read.ts'
import { tables } from '../catalogue.ts'
import { compressor } from '../compression.ts'
import { isDated } from '../dated.ts'
import type { Form } from '../forms.ts'
import { forExports, inSmallHeap } from '../heap.ts'
import { historyOf } from '../history.ts'
import { stepsOf } from '../steps.ts'
import { eventSequence, through } from '../stream.ts'
import type { Table } from '../table.ts'
import { type Changes, changesOf, feedBounds } from './changes.ts'
import { exportJob } from './job.ts'
import { type Described, extensionOf, manifestName, manifestOf, mediaTypeOf } from './manifest.ts'
import { Pieces } from './pieces.ts'
import {
  type Attempt,
  attemptBegin,
  attemptCounts,
  attemptEnd,
  attemptIsSuperseded,
  chunkAdd,
  type ExportFileRow,
  progressNote,
  snapshotNote,
} from './store.ts'
import { exportResource, movingMembers } from './view.ts'

/** Every so often it is looked whether the export was cancelled, or taken over. */
const lookEveryMs = 1000
/** So many rows without a piece, and how far it is is noted all the same: a million rows of Parquet may be one piece. */
const notedEveryRows = 10_000
/** A job is tried again, for the database may have been away; what fails so often is wrong in itself. */
const attemptsMax = 3

/** The try does not count any more: cancelled, or another process took the export over. */
class Superseded extends Error {}

/** Makes the files of an export. @param keptHours how long they are kept */
export const runExports = (keptHours: number): JobHandler =>
  handleJob(exportJob, async (context, { export_id: id }) => {
    const { database, caller, clock, log, signal } = context
    const attempt = await database.write(caller(), (tx) => attemptBegin(tx, id))
    if (!attempt) return
    const watch = watchOver(context, attempt)
    try {
      const either = AbortSignal.any([signal, watch.signal])
      const files = await inSmallHeap(forExports, () => writeAll(context, attempt, either))
      const expiresAt = new Date(clock.millis() + keptHours * 3_600_000).toISOString()
      await end(context, attempt, { status: 'succeeded', files, expiresAt })
    } catch (error) {
      if (error instanceof Superseded || watch.signal.aborted) return await leave(context, attempt)
      // A process that stops gives the job back: another begins anew.
      if (signal.aborted || attempt.attempt < attemptsMax) throw error
      log.error({ err: error, export_id: id }, 'an export failed')
      const failure = 'It failed on our side three times. Order it anew; if it fails again, tell us its id.'
      await end(context, attempt, { status: 'failed', failure })
    } finally {
      watch.end()
    }
  })

/** @throws where another process has taken the export up: the job is that one's now, and the queue would take it for done */
async function leave({ database, caller }: JobContext, attempt: Attempt): Promise<void> {
  const isTakenUp = await database.read(caller(), (tx) => attemptIsSuperseded(tx, attempt))
  if (isTakenUp) throw new Superseded('The export was taken up by another process')
}

async function end({ database, caller }: JobContext, attempt: Attempt, how: Parameters<typeof attemptEnd>[2]) {
  await database.write(caller(), async (tx) => {
    if (!(await attemptEnd(tx, attempt, how))) return
    const outcome = how.status === 'failed' ? ['failure'] : ['files', 'expires_at']
    const changed = ['status', 'finished_at', ...outcome, ...movingMembers]
    record(tx, { resource: exportResource, id: attempt.id, verb: how.status, changed })
  })
}

/** Aborts where the try does not count any more. */
function watchOver({ database, caller, log }: JobContext, attempt: Attempt) {
  const superseded = new AbortController()
  const look = async () => {
    const counts = await database.read(caller(), (tx) => attemptCounts(tx, attempt))
    if (!counts) superseded.abort(new Superseded())
  }
  const timer = setInterval(() => look().catch((err: Error) => log.warn({ err }, 'could not look')), lookEveryMs)
  return { signal: superseded.signal, end: () => clearInterval(timer) }
}

interface Part extends Pick<Changes, 'name' | 'columns' | 'key'> {
  table: string
  copy: string
  count: string
}

/** What is written, each part in a file of its own: tables and, of an export of changes, what to take away first. */
async function partsOf(
  tx: ReadTx,
  { tables: chosen, filters, changed_after_sequence: changedAfter, as_of, ...form }: Attempt,
): Promise<Part[]> {
  const { tenantId } = tx
  const parts: Part[] = []
  for (const now of tables.filter(({ name }) => chosen.includes(name))) {
    const { name, columns, key } = now
    const table = as_of === null ? now : asOfADay(name)
    const asked = { ...filters[name], ...(as_of === null ? {} : { as_of }) }
    // A copy of what is left has rows that no event touched: for changes the order refused what was merged away.
    const given = { ...asked, ...(changedAfter === null ? await table.survivors(tx, asked) : {}) }
    const choice = { tenantId, given, changedAfter }
    if (changedAfter !== null) {
      const changes = changesOf(table)
      const since = { tenantId, changedAfter }
      parts.push({ ...changes, table: name, copy: changes.copy(form, since), count: changes.count(since) })
    }
    parts.push({ table: name, name, columns, key, copy: table.copy(form, choice), count: table.count(choice) })
  }
  return parts
}

/** The table as it is told of a day, which the order made sure of. */
function asOfADay(name: string): Table {
  const history = historyOf(name)
  if (!isDated(history)) throw new Error(`${name} cannot be told as of a day`)
  return history.table
}

/** Writes every file, all tables from one snapshot. @returns the files, the manifest first */
async function writeAll(context: JobContext, attempt: Attempt, signal: AbortSignal): Promise<ExportFileRow[]> {
  const { database, caller, clock } = context
  return database.snapshot(caller(), signal, async (tx) => {
    const snapshotAt = clock.now()
    const sequence = await eventSequence(tx)
    if (attempt.changed_after_sequence !== null) {
      const { oldest, latest } = await feedBounds(tx)
      checkPosition(attempt.changed_after_sequence, oldest, latest)
    }
    const parts = await partsOf(tx, attempt)
    const expected: number[] = []
    for (const { count } of parts) expected.push(Number((await tx.client.query(count)).rows[0]?.count))
    const total = expected.reduce((sum, rows) => sum + rows, 0)
    const note = { snapshotAt, sequence, expected: total }
    if (!(await database.write(caller(), (write) => snapshotNote(write, attempt, note)))) throw new Superseded()

    const described: Described[] = []
    const done = { rows: 0, noted: 0 }
    for (const [at, part] of parts.entries()) {
      const file = await writePart(context, tx, attempt, part, done)
      if (file.rows !== expected[at]) throw new Error(`${file.name} has ${file.rows} rows of ${expected[at]}`)
      described.push({ ...part, file })
    }
    const manifest = await writeManifest(context, attempt, described, { snapshotAt, sequence }, done)
    return [manifest, ...described.map(({ file }) => file)]
  })
}

/** How many rows were written, and how many of them are known to those who ask. */
interface Done {
  rows: number
  noted: number
}

/** Keeps the pieces of a file as they come. @throws Superseded where the try does not count any more */
function piecesOf({ database, caller }: JobContext, attempt: Attempt, name: string, done: Done): Pieces {
  return new Pieces(async (seq, bytes) => {
    const chunk = { name, seq, bytes, rowsDone: done.rows }
    if (!(await database.write(caller(), (tx) => chunkAdd(tx, attempt, chunk)))) throw new Superseded()
    done.noted = chunk.rowsDone
  })
}

async function writePart(
  context: JobContext,
  tx: ReadTx,
  attempt: Attempt,
  part: Part,
  done: Done,
): Promise<ExportFileRow> {
  const form: Form = attempt
  const { compression } = attempt
  const name = `${part.name}.${extensionOf(attempt)}`
  const pieces = piecesOf(context, attempt, name, done)
  const rows = tx.client.query(copyTo(part.copy))
  const steps = stepsOf(part, form, (count) => {
    done.rows += count
  })
  const body = through(rows, [...steps, ...(compression === 'none' ? [] : [compressor(compression)])])
  for await (const chunk of body) {
    await pieces.add(chunk as Buffer)
    if (done.rows - done.noted >= notedEveryRows) await noteProgress(context, attempt, done)
  }
  await finished(rows)
  const ended = await pieces.end()
  return { name, table_name: part.table, media_type: mediaTypeOf(attempt), rows: rows.rowCount, ...ended }
}

async function noteProgress({ database, caller }: JobContext, attempt: Attempt, done: Done): Promise<void> {
  const { rows } = done
  if (!(await database.write(caller(), (tx) => progressNote(tx, attempt, rows)))) throw new Superseded()
  done.noted = rows
}

async function writeManifest(
  context: JobContext,
  attempt: Attempt,
  described: Described[],
  moment: { snapshotAt: string; sequence: string },
  done: Done,
): Promise<ExportFileRow> {
  const pieces = piecesOf(context, attempt, manifestName, done)
  await pieces.add(Buffer.from(`${JSON.stringify(manifestOf(attempt, described, moment), null, 2)}\n`))
  const ended = await pieces.end()
  return { name: manifestName, table_name: null, media_type: 'application/json', rows: null, ...ended }
}
