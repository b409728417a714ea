import { Type } from 'typebox'
import { type Caller, type GatheredChange, type ReadTx, type Tx, wholeTenant } from '../../db/database.ts'
import { recordGathered } from '../../platform/events.ts'
import { defineJob, enqueue, handleJob, type JobContext, type JobHandler } from '../../platform/jobs.ts'
import { inSmallHeap } from '../heap.ts'
import { type Prepared, prepareRows, runBatch, untilRepeated } from './batch.ts'
import { importTypes } from './schemas.ts'
import {
  type ImportState,
  importLocked,
  importRestart,
  importSet,
  personsForget,
  type RowToDo,
  resultsInsert,
  rowsToDo,
  takeStatistics,
  waitingRefuse,
} from './store.ts'

const job = defineJob('run_import', Type.Object({ import_id: Type.String() }))

/** Imports of a tenant go one after another: each has the order of its rows to itself. */
export const enqueueImport = (tx: Tx, id: string): Promise<void> =>
  enqueue(tx, job, { import_id: id }, { key: id, queue: `imports ${tx.tenantId}` })

/** So many rows are written in one transaction. */
const rowsInBatch = 500

export const runImport: JobHandler = handleJob(job, (context, { import_id: id }) =>
  inSmallHeap(() => workThrough(context, id)),
)

/** Works an import through from where it is, so that a process that comes after a crash goes on without doing a row twice. */
async function workThrough(context: JobContext, id: string): Promise<void> {
  for (let isOver = false; !isOver; ) {
    const begun = await context.database.write(context.caller(), (tx) => begin(tx, id))
    if (!begun) return
    if (begun.dry_run || begun.all_or_nothing) isOver = await inOne(context, begun)
    else isOver = await inBatches(context, begun).then(() => true)
  }
}

/** Takes an import up, or undefined where there is nothing to do any more. */
async function begin(tx: Tx, id: string): Promise<ImportState | undefined> {
  const state = await importLocked(tx, id)
  if (state?.status === 'queued') await importSet(tx, id, { status: 'running', started_at: tx.now })
  else if (state?.status !== 'running' && state?.status !== 'cancelling') return undefined
  if (state.dry_run || state.all_or_nothing) await importRestart(tx, id)
  return state
}

/** On whose behalf the rows are written: that of who sent the file, with the rights that it had. */
const writerOf = ({ caller }: JobContext, { actor, scopes }: ImportState): Caller => ({ ...caller(), actor, scopes })

/** A transaction for each batch: its effects, what became of its rows and how far it came. */
async function inBatches(context: JobContext, begun: ImportState): Promise<void> {
  const { database, signal } = context
  const ahead = new Ahead(context)
  let isOver = false
  for (let batches = 1; !isOver; batches += 1) {
    isOver = await database.write(writerOf(context, begun), async (tx) => {
      const now = await importLocked(tx, begun.id)
      if (!now || (await stopped(tx, now))) return true
      const prepared = (await ahead.take(now)) ?? prepareRows(now, await nextRows(tx, now))
      if (prepared.rows.length === 0) return advance(tx, now)
      const { results, changes } = await runBatch(tx, prepared)
      await resultsInsert(tx, now, results)
      tx.atCommit(() => {
        const sent = recordGathered(tx, changes)
        ahead.begin({ ...now, version: now.version + 1, done_to: results.at(-1)?.row_id ?? null })
        return sent
      })
      // The process stops: another goes on.
      if (signal.aborted) await enqueueImport(tx, begun.id)
      return signal.aborted
    })
    // After 1, 2, 4, 8 …: it is for tables that grow manifold.
    if ((batches & (batches - 1)) === 0) await database.write(context.caller(), takeStatistics)
  }
}

const nextRows = async (tx: ReadTx, state: ImportState): Promise<readonly RowToDo[]> =>
  untilRepeated(await rowsToDo(tx, state, rowsInBatch))

/**
 * Reads and checks the rows of the next batch while the database writes the events of the one at hand, which is half of
 * its work. It does not matter whether that batch comes to be.
 */
class Ahead {
  private readonly context: JobContext
  private begun: { after: string; rows: Promise<Prepared | undefined> } | undefined

  constructor(context: JobContext) {
    this.context = context
  }

  begin(state: ImportState): void {
    // Which rows wait for others is known at the end of the batch.
    if (state.round > 1) return
    const { database, tenantId } = this.context
    const rows = database
      .read(wholeTenant(tenantId), (tx) => nextRows(tx, state))
      .then((found) => prepareRows(state, found))
      // Whatever it was: then they are read in the transaction, which tells of it.
      .catch(() => undefined)
    this.begun = { after: placeOf(state), rows }
  }

  /** The rows after those that were done last; undefined where they were not read ahead. */
  async take(state: ImportState): Promise<Prepared | undefined> {
    const begun = this.begun
    this.begun = undefined
    return begun?.after === placeOf(state) ? await begun.rows : undefined
  }
}

/** The version tells of whatever came between, such as the erasure of a person of whom a row tells. */
const placeOf = ({ version, phase, round, done_to }: ImportState): string => `${version} ${phase} ${round} ${done_to}`

/** Ends the one transaction in which nothing shall stay. */
class NothingStays extends Error {}

/** Ends it where it has to be done again from the first row: a person was erased of whom one tells, or it was undone. */
class BeginAnew extends Error {}

/**
 * One transaction for all: what becomes of rows is told beside it, as it goes.
 * @returns false where it is to begin anew
 */
async function inOne(context: JobContext, begun: ImportState): Promise<boolean> {
  const { database, signal } = context
  const { id } = begun
  const now = async (tx: Tx): Promise<ImportState> => {
    const state = (await importLocked(tx, id)) as ImportState
    if (state.erasures !== begun.erasures) throw new BeginAnew()
    return state
  }
  const beside = <T>(work: (tx: Tx, state: ImportState) => Promise<T>): Promise<T> =>
    database.write(context.caller(), async (tx) => work(tx, await now(tx)))
  let isUndone = false
  const all = async (one: Tx): Promise<void> => {
    // Tried again after a deadlock: what was told beside it is not so any more.
    if (isUndone) throw new BeginAnew()
    isUndone = true
    const changes: GatheredChange[] = []
    for (;;) {
      if (signal.aborted) throw new NothingStays()
      const state = await beside(async (tx, now) => ((await stopped(tx, now)) ? undefined : now))
      if (!state) throw new NothingStays()
      const rows = await nextRows(one, state)
      if (rows.length > 0) {
        const done = await runBatch(one, prepareRows(state, rows))
        if (!state.dry_run) changes.push(...done.changes)
        await beside((tx, now) => resultsInsert(tx, now, done.results))
      } else if (await beside((tx, now) => nextPhase(tx, now))) break
    }
    // An erasure that comes now waits for the end.
    const { dry_run, ambiguous, invalid } = await now(one)
    if (dry_run || ambiguous + invalid > 0) throw new NothingStays()
    one.atCommit(() => recordGathered(one, changes))
    await importSet(one, id, { status: 'finished', finished_at: one.now })
    await personsForget(one, id)
  }
  try {
    await database.write(writerOf(context, begun), all).catch(async (error) => {
      if (!(error instanceof NothingStays)) throw error
      await beside(signal.aborted ? (tx) => enqueueImport(tx, id) : endWithNothing)
    })
    return true
  } catch (error) {
    if (error instanceof BeginAnew) return false
    throw error
  }
}

async function endWithNothing(tx: Tx, { id, status, dry_run, ambiguous, invalid }: ImportState): Promise<void> {
  if (status !== 'running' && status !== 'cancelling') return
  await personsForget(tx, id)
  if (dry_run) return importSet(tx, id, { status: 'finished', finished_at: tx.now })
  const failure = `${ambiguous + invalid} rows cannot be taken, so none was. Each is named in the rows of the import.`
  await importSet(tx, id, { status: 'failed', failure, finished_at: tx.now })
}

/** True where the import ends here, because somebody asked for it or its credential is good no more. */
async function stopped(tx: Tx, { id, status, is_allowed }: ImportState): Promise<boolean> {
  if (status === 'running' && is_allowed) return false
  if (status === 'cancelling') await importSet(tx, id, { status: 'cancelled', finished_at: tx.now })
  else if (status === 'running') {
    const failure = 'The credential that sent the file was revoked, or has expired.'
    await importSet(tx, id, { status: 'failed', failure, finished_at: tx.now })
  }
  await personsForget(tx, id)
  return true
}

/** Goes on to the next round or kind. @returns true where there is none: the import is over */
async function advance(tx: Tx, state: ImportState): Promise<boolean> {
  if (!(await nextPhase(tx, state))) return false
  await importSet(tx, state.id, { status: 'finished', finished_at: tx.now })
  await personsForget(tx, state.id)
  return true
}

/**
 * Rows that wait for others of their kind are tried again, for as long as that settles any of them.
 * @returns true where all kinds were worked through
 */
async function nextPhase(tx: Tx, { id, phase, round, waiting, settled_in_round }: ImportState): Promise<boolean> {
  const anew = { done_to: null, settled_in_round: 0 }
  if (waiting > 0 && (round === 1 || settled_in_round > 0)) {
    await importSet(tx, id, { ...anew, round: round + 1 })
    return false
  }
  if (waiting > 0) await waitingRefuse(tx, id)
  if (phase === importTypes.length) return true
  await importSet(tx, id, { ...anew, phase: phase + 1, round: 1 })
  return false
}
