import type { GatheredChange, Tx } from '../../db/database.ts'
import { recordGathered } from '../../platform/events.ts'
import { handleJob, type JobContext, type JobHandler } from '../../platform/jobs.ts'
import { forImports, inSmallHeap } from '../heap.ts'
import { prepareRows, runBatch } from './batch.ts'
import { inBatches } from './batches.ts'
import { nextPhase, nextRows, stopped } from './phases.ts'
import { enqueueImport, importJob, writerOf } from './queue.ts'
import { type ImportState, importLocked, importRestart, importSet, personsForget, resultsInsert } from './store.ts'

/** In ten hours the database may have come back; what fails so often is wrong in itself. */
const attemptsMax = 10

export const runImport: JobHandler = handleJob(importJob, async (context, { import_id: id }) => {
  const { database, caller, attempt, log, signal } = context
  try {
    await inSmallHeap(forImports, () => workThrough(context, id))
  } catch (error) {
    if (signal.aborted || attempt < attemptsMax || error instanceof Superseded) throw error
    log.error({ err: error, import_id: id }, 'an import failed')
    await database.write(caller(), (tx) => giveUp(tx, id))
  }
})

const underWay: readonly string[] = ['queued', 'running', 'cancelling']

async function giveUp(tx: Tx, id: string): Promise<void> {
  const state = await importLocked(tx, id)
  if (!state || !underWay.includes(state.status)) return
  const failure = 'It failed on our side ten times. What was written before stays. If it fails again, tell us its id.'
  await importSet(tx, id, { status: 'failed', failure, finished_at: tx.now })
  await personsForget(tx, id)
}

/** Works an import through from where it is, so that a process that comes after a crash goes on without doing a row twice. */
async function workThrough(context: JobContext, id: string): Promise<void> {
  let before: number | undefined
  for (let isOver = false; !isOver; ) {
    const begun = await context.database.write(context.caller(), (tx) => begin(tx, id, before))
    if (!begun) return
    before = begun.attempt
    if (begun.dry_run || begun.all_or_nothing) isOver = await inOne(context, begun)
    else isOver = await inBatches(context, begun).then(() => true)
  }
}

/**
 * Takes an import up, or undefined where there is nothing to do any more.
 * @param before the attempt that this one follows, where it does
 */
async function begin(tx: Tx, id: string, before: number | undefined): Promise<ImportState | undefined> {
  const state = await importLocked(tx, id)
  if (state && before !== undefined && state.attempt !== before) throw new Superseded(takenUp)
  if (state?.status === 'queued') await importSet(tx, id, { status: 'running', started_at: tx.now })
  else if (state?.status !== 'running' && state?.status !== 'cancelling') return undefined
  if (!state.dry_run && !state.all_or_nothing) return state
  await importRestart(tx, id)
  return { ...state, attempt: state.attempt + 1 }
}

/** Ends the one transaction in which nothing shall stay. */
class NothingStays extends Error {}

/** Ends it where it has to be done again from the first row: a person was erased of whom one tells, or it was undone. */
class BeginAnew extends Error {}

/**
 * Ends it where another process has begun it since, which took this one for dead. Thrown on, for the job is the other's now:
 * the queue would take it for done.
 */
class Superseded extends Error {}
const takenUp = 'The import was taken up by another process'

/**
 * One transaction for all: what becomes of rows is told beside it, as it goes.
 * @returns false where it is to begin anew
 */
async function inOne(context: JobContext, begun: ImportState): Promise<boolean> {
  const { database, signal } = context
  const { id } = begun
  const now = async (tx: Tx): Promise<ImportState> => {
    const state = (await importLocked(tx, id)) as ImportState
    if (state.attempt !== begun.attempt) throw new Superseded(takenUp)
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
