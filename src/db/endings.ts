import type pg from 'pg'
import type { Lease } from './lease.ts'

// How transactions that write end.

/** Commits together with what was sent for the end of the transaction. */
export async function commit(client: pg.PoolClient, ending: readonly Promise<unknown>[]): Promise<void> {
  const [end] = await Promise.all([client.query('commit'), ...ending])
  // A transaction that failed inside answers a commit with a rollback.
  if (end.command !== 'COMMIT') throw new Error(`The transaction ended with ${end.command}`)
}

/**
 * Commits as above what several share.
 * @returns false where Postgres says that nothing of it stays
 * @throws where nobody can say
 */
export async function commitShared(client: pg.PoolClient, ending: readonly Promise<unknown>[]): Promise<boolean> {
  const [end, ...sent] = await Promise.allSettled([client.query('commit'), ...ending])
  if (end.status === 'rejected') {
    const { code } = end.reason as { code?: unknown }
    // A rule that is checked at the commit; not that the server went away, nor that a connection broke.
    if (typeof code === 'string' && /^(23|40|P0)...$/.test(code)) return false
    throw end.reason
  }
  if (end.value.command !== 'COMMIT') return false
  for (const outcome of sent) if (outcome.status === 'rejected') throw outcome.reason
  return true
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
