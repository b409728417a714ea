import type pg from 'pg'
import { readTx } from './builder.ts'
import { commitShared, rollback } from './endings.ts'
import { lend } from './lease.ts'
import { setReader, wholeTenant } from './sessions.ts'
import type { Sharer, Ways } from './sharing.ts'
import type { Caller, GatheredChange, Tx } from './transaction.ts'

/** Who waits long for a lock of others would have all of them wait: they are done one by one then. */
const lockTimeout = "set local lock_timeout = '1s'"

/** Does several writes of one credential beside each other in one transaction, as the rows of an import are. */
export const sharedTransactions =
  (connect: () => Promise<pg.PoolClient>): Ways['together'] =>
  async (sharers) => {
    const { tenantId } = (sharers[0] as Sharer).caller
    const client = await connect()
    const lease = lend(client)
    const ends: (() => Promise<void>)[] = []
    const changes: GatheredChange[] = []
    // What is written at once is of one instant: that of the last who asked.
    const now = sharers.reduce((last, { caller }) => (caller.now > last ? caller.now : last), '')
    const txOf = (caller: Caller): Tx =>
      Object.assign(readTx(lease.client, caller), caller, {
        now,
        isTogether: true,
        atCommit: (run: () => Promise<void>) => void ends.push(run),
        gather: (change: GatheredChange) => void changes.push({ ...change, requestId: caller.requestId }),
      })
    let results: unknown[]
    try {
      const opening = [setReader(client, wholeTenant(tenantId)), client.query('begin'), client.query(lockTimeout)]
      const begun = Promise.all(opening)
      begun.catch(() => {})
      results = await Promise.all(sharers.map(({ caller, work }) => work(txOf(caller))))
      await begun
      await Promise.all(ends.map((end) => end()))
    } catch {
      // Whatever it was, nothing is committed, and each meets it by itself.
      await rollback(client, lease)
      lease.release()
      return undefined
    }
    try {
      const { caller, tell } = sharers[0] as Sharer
      return (await commitShared(client, [tell(txOf(caller), changes)])) ? results : undefined
    } catch (error) {
      await rollback(client, lease)
      throw error
    } finally {
      lease.release()
    }
  }
