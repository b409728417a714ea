import { type Tx, wholeTenant } from '../../db/database.ts'
import { recordGathered } from '../../platform/events.ts'
import type { JobContext } from '../../platform/jobs.ts'
import { areApart, type BatchDone, type Prepared, prepareRows, runBatch, runGood } from './batch.ts'
import { advance, nextRows, stopped } from './phases.ts'
import { enqueueImport, writerOf } from './queue.ts'
import { type ImportState, importLocked, resultsInsert, takeStatistics } from './store.ts'

/** How a batch ended. `undone`: nothing of it stands, and it is to be done anew. */
type End = 'done' | 'over' | 'undone'

/** A batch that is under way. */
interface Batch {
  /** Comes when its rows are written, though not their events: what the next may begin on, where that can be told. */
  written: Promise<Foreseen | undefined>
  end: Promise<End>
}

/** How it will be after a batch, if nothing comes between. */
interface Foreseen {
  state: ImportState
  /** The rows of the batch. */
  before: Prepared
  /** Those that come after it: read and checked against the contract ahead. */
  rows: Promise<Prepared | undefined>
}

/**
 * A transaction for each batch: its effects, what became of its rows and how far it came. While the database writes the
 * events of one, which is half of its work, the rows of the next are written in a transaction beside it. That one ends
 * after the first, and only where all is as it was foreseen and none of its rows is refused: what it lacks may come with
 * the first. Else it is done anew.
 */
export async function inBatches(context: JobContext, begun: ImportState): Promise<void> {
  let batch = alone(context, begun, true)
  let measuring: Promise<void> | undefined
  for (let batches = 1; ; batches += 1) {
    const foreseen = await batch.written
    const next = foreseen && beside(context, begun, foreseen, batch.end)
    const end = await batch.end.catch(async (error) => {
      await next?.end
      throw error
    })
    if (end !== 'done') await next?.end
    if (end === 'over') return measuring
    batch = end === 'done' && next ? next : alone(context, begun, end === 'done')
    // After 1, 2, 4, 8 …: it is for tables that grow manifold.
    if ((batches & (batches - 1)) > 0) continue
    await measuring
    measuring = context.database.write(context.caller(), takeStatistics)
    measuring.catch(() => {})
  }
}

/** Does the next batch, whatever becomes of its rows. The one after it may begin beside it. */
function alone(context: JobContext, begun: ImportState, mayHaveNext: boolean): Batch {
  const written = Promise.withResolvers<Foreseen | undefined>()
  let isTried = false
  const work = async (tx: Tx): Promise<End> => {
    // After a deadlock: the next may hold what this one needs, and waits for its end.
    if (isTried && mayHaveNext) return 'undone'
    isTried = true
    const now = await importLocked(tx, begun.id)
    if (!now || (await stopped(tx, now))) return 'over'
    const prepared = prepareRows(now, await nextRows(tx, now))
    if (prepared.rows.length === 0) return (await advance(tx, now)) ? 'over' : 'done'
    const foreseen = mayHaveNext ? foresee(context, now, prepared) : undefined
    const done = await runBatch(tx, prepared)
    // Where rows are refused, some of the next may be too.
    const isGood = done.results.every(({ faults }) => faults === undefined)
    written.resolve(isGood ? foreseen : undefined)
    return finish(context, tx, now, done)
  }
  const end = context.database.write(writerOf(context, begun), work).finally(() => written.resolve(undefined))
  end.catch(() => {})
  return { written: written.promise, end }
}

/** Does the batch that comes after one that has not ended. */
function beside(context: JobContext, begun: ImportState, { state, before, rows }: Foreseen, turn: Promise<End>): Batch {
  const written = Promise.withResolvers<Foreseen | undefined>()
  let isTried = false
  const run = async (): Promise<End> => {
    const prepared = await rows
    if (!prepared || prepared.rows.length === 0 || !areApart(before, prepared)) return 'undone'
    return context.database.write(writerOf(context, begun), async (tx) => {
      if (isTried) throw new Undone()
      isTried = true
      const foreseen = foresee(context, state, prepared)
      const done = await runGood(tx, prepared)
      if (!done) throw new Undone()
      written.resolve(foreseen)
      if ((await turn) !== 'done') throw new Undone()
      const now = await importLocked(tx, begun.id)
      if (!now || placeOf(now) !== placeOf(state) || now.status !== 'running' || !now.is_allowed) throw new Undone()
      return finish(context, tx, now, done)
    })
  }
  // Whatever it was: it is done anew with nothing beside it, which tells.
  const end = run()
    .catch((): End => 'undone')
    .finally(() => written.resolve(undefined))
  return { written: written.promise, end }
}

/** Ends a transaction of which nothing shall stay. */
class Undone extends Error {}

async function finish({ signal }: JobContext, tx: Tx, state: ImportState, done: BatchDone): Promise<End> {
  await resultsInsert(tx, state, done.results)
  tx.atCommit(() => recordGathered(tx, done.changes))
  if (!signal.aborted) return 'done'
  // The process stops: another goes on.
  await enqueueImport(tx, state.id)
  return 'over'
}

/** How it will be after a batch. Which rows wait for others is known only at its end. */
function foresee({ database, tenantId }: JobContext, now: ImportState, before: Prepared): Foreseen | undefined {
  if (now.round > 1) return undefined
  const state = { ...now, version: now.version + 1, done_to: before.rows.at(-1)?.id ?? null }
  const rows = database
    .read(wholeTenant(tenantId), (tx) => nextRows(tx, state))
    .then((found) => prepareRows(state, found))
    // Whatever it was: then they are read in the transaction, which tells of it.
    .catch(() => undefined)
  return { state, before, rows }
}

/** The version tells of whatever came between, such as the erasure of a person of whom a row tells. */
const placeOf = ({ version, phase, round, done_to }: ImportState): string => `${version} ${phase} ${round} ${done_to}`
