import type pg from 'pg'
import type { Lease } from './lease.ts'

// How transactions that write end.

/** Commits together with what was sent for the end of the transaction. */
export async function commit(client: pg.PoolClient, ending: readonly Promise<unknown>[]): Promise<void> {
  const [end] = await Promise.all([client.query('commit'), ...ending])
  // A transaction that failed inside answers a commit with a rollback.
  if (end.command !== 'COMMIT') throw new Error(`The transaction ended with ${end.command}`)
}

/** A connection that cannot even roll back is closed: the pool makes another. */
export async function rollback(client: pg.PoolClient, lease: Lease): Promise<void> {
  lease.end()
  await client.query('rollback').catch(() => client.end())
}

/** The end of a transaction in the hands of its guard. */
export function heldTx<Tx>(client: pg.PoolClient, lease: Lease, tx: Tx) {
  return {
    async commit(last: (tx: Tx) => Promise<void>): Promise<void> {
      try {
        await commit(client, [last(tx)])
      } catch (error) {
        await rollback(client, lease)
        throw error
      } finally {
        lease.release()
      }
    },
    async rollback(): Promise<void> {
      await rollback(client, lease)
      lease.release()
    },
  }
}
