import type { ReadTx, Tx } from '../../db/database.ts'
import { untilRepeated } from './batch.ts'
import { importTypes } from './schemas.ts'
import { type ImportState, importSet, personsForget, type RowToDo, rowsToDo, waitingRefuse } from './store.ts'

/** So many rows are written in one transaction, or as many as have so many bytes. They are all held in memory. */
const inBatch = { limit: 500, bytes: 4_000_000 }

/** The rows that are next in an import. */
export const nextRows = async (tx: ReadTx, state: ImportState): Promise<readonly RowToDo[]> =>
  untilRepeated(await rowsToDo(tx, state, inBatch))

/** True where the import ends here, because somebody asked for it or its credential is good no more. */
export async function stopped(tx: Tx, { id, status, is_allowed }: ImportState): Promise<boolean> {
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
export async function advance(tx: Tx, state: ImportState): Promise<boolean> {
  if (!(await nextPhase(tx, state))) return false
  await importSet(tx, state.id, { status: 'finished', finished_at: tx.now })
  await personsForget(tx, state.id)
  return true
}

/**
 * Rows that wait for others of their kind are tried again, for as long as that settles any of them.
 * @returns true where all kinds were worked through
 */
export async function nextPhase(
  tx: Tx,
  { id, phase, round, waiting, settled_in_round }: ImportState,
): Promise<boolean> {
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
