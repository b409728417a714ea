import type { Duplex } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import type pg from 'pg'
import { Problem } from '../core/problem.ts'
import { type ReadTx, readTx } from './builder.ts'
import { commit, heldTx, rollback } from './endings.ts'
import { keepUpTo } from './kept.ts'
import { lend } from './lease.ts'
import { makePool, type PoolSettings, partnerRole } from './pool.ts'
import { isPartner, type Reader, setReader, wholeTenant } from './sessions.ts'
import { sharedTransactions } from './shared-transaction.ts'
import { shareTransactions, type Telling } from './sharing.ts'
import type { Actor, Caller, GatheredChange, Guard, HeldTx, Tx } from './transaction.ts'

export type { Actor, Caller, GatheredChange, Guard, HeldTx, Reader, ReadTx, Tx }
export { isPartner, wholeTenant }

/** The service's pools, and the only ways to reach them: each starts from a tenant. */
export interface Database {
  /** One transaction; commits what `work` did when it ends, else rolls back. Tried again after a deadlock. */
  write<T>(caller: Caller, work: (tx: Tx) => Promise<T>): Promise<T>
  /**
   * As `write`, for work that may share its transaction with others of the same `name` and credential that come at the
   * same time: it makes records, and changes none that is there. What they changed is told of by `tell`.
   */
  writeBeside<T>(caller: Caller, name: string, tell: Telling, work: (tx: Tx) => Promise<T>): Promise<T>
  /** Reads that belong to one tenant; several statements see several moments. */
  read<T>(reader: Reader, work: (tx: ReadTx) => Promise<T>): Promise<T>
  /** Reads that see one moment, and are soon done. */
  moment<T>(reader: Reader, work: (tx: ReadTx) => Promise<T>): Promise<T>
  /** One read-only snapshot on a connection that can stream; `signal` ends the running statement. */
  snapshot<T>(reader: Reader, signal: AbortSignal, work: (tx: ReadTx) => Promise<T>): Promise<T>
  /** Statements that belong to no tenant: finding a credential, the health check. */
  outside<R extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<R[]>
  close(): Promise<void>
}

/** A connection of the pool. Whatever keeps one from being made, it is the database that is away, not the request that is wrong. */
async function taken(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect()
  } catch (cause) {
    throw new Problem('unavailable', 'The database does not answer just now. Try again in a moment.', { cause })
  }
}

const deadlock = new Set(['40001', '40P01'])
const writeAttempts = 5

export interface DatabaseSettings extends Omit<PoolSettings, 'pipeline'> {
  /** How much memory representations may take that were read lately. */
  keptBytes?: number
}

export function connectDatabase({ keptBytes = 16_000_000, ...settings }: DatabaseSettings): Database {
  const kept = keepUpTo(keptBytes)
  const pool = makePool({ ...settings, pipeline: true })
  const quarter = Math.max(2, Math.ceil(settings.size / 4))
  const streams = makePool({ ...settings, size: quarter, pipeline: false })
  const partners = makePool({ ...settings, size: quarter, pipeline: true, role: partnerRole })

  async function writeOnce<T>(caller: Caller, work: (tx: Tx) => Promise<T>): Promise<T> {
    const client = await taken(pool)
    const lease = lend(client)
    const last: (() => Promise<void>)[] = []
    let isHeld = false
    try {
      // Sent ahead without waiting: they travel with the first statement of the work. Awaited below, so no fault is lost.
      const begun = Promise.all([setReader(client, wholeTenant(caller.tenantId)), client.query('begin')])
      begun.catch(() => {})
      const reads = readTx(lease.client, caller)
      const tx: Tx = Object.assign(reads, caller, { atCommit: (run: () => Promise<void>) => last.push(run) })
      if (caller.guard) await caller.guard.enter(tx)
      if (caller.judge) await caller.judge(tx)
      const result = await work(tx)
      const ending = [begun, ...last.map((run) => run())]
      if (caller.guard) {
        await Promise.all(ending)
        isHeld = true
        caller.guard.hold(heldTx(client, lease, tx))
      } else {
        await commit(client, ending)
      }
      return result
    } catch (error) {
      if (!isHeld) await rollback(client, lease)
      throw error
    } finally {
      if (!isHeld) lease.release()
    }
  }

  async function write<T>(caller: Caller, work: (tx: Tx) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await writeOnce(caller, work)
      } catch (error) {
        if (attempt >= writeAttempts || !deadlock.has((error as { code?: string }).code ?? '')) throw error
        // Those who were in each other's way are not so again at the same moment.
        await setTimeout(Math.random() * 20 * attempt)
      }
    }
  }

  const share = shareTransactions({
    alone: ({ caller, work }) => write(caller, work),
    together: sharedTransactions(() => taken(pool)),
  })

  async function reading<T>(reader: Reader, work: (tx: ReadTx) => Promise<T>, isOneMoment: boolean): Promise<T> {
    const client = await taken(isPartner(reader) ? partners : pool)
    const lease = lend(client)
    let broken: Error | undefined
    try {
      // For the session, not for a transaction: every use of a connection sets its own tenant first. Measured on two
      // cores: begin and commit around a read by id cost a quarter of its requests a second.
      const begun = Promise.all([
        setReader(client, reader),
        isOneMoment && client.query('begin isolation level repeatable read read only'),
      ])
      begun.catch(() => {})
      const result = await work(readTx(lease.client, reader, isPartner(reader) ? undefined : kept))
      await begun
      return result
    } catch (error) {
      if (!(error instanceof Problem)) broken = error as Error
      throw error
    } finally {
      // Not waited for: nothing was written, and whatever is sent next on the connection runs after it.
      if (isOneMoment && !broken) client.query('commit').catch(() => {})
      // A connection on which a read failed is not used again: the fault may have been the setting of the tenant.
      lease.release(broken)
    }
  }

  return {
    write,

    async writeBeside<T>(caller: Caller, name: string, tell: Telling, work: (tx: Tx) => Promise<T>): Promise<T> {
      // What keeps an answer for its key holds a transaction of its own, and a partner is judged in its own.
      if (caller.guard || caller.judge) return write(caller, work)
      const { tenantId, actor, scopes } = caller
      const line = [name, tenantId, actor.type, actor.id, ...scopes].join(' ')
      return (await share(line, { caller, work, tell })) as T
    },

    read: (reader, work) => reading(reader, work, false),

    moment: (reader, work) => reading(reader, work, true),

    async snapshot(reader, signal, work) {
      if (isPartner(reader)) throw new Error('A partner has no snapshot of the tenant')
      signal.throwIfAborted()
      const client = await taken(streams)
      let broken: Error | undefined
      // Postgres sees the closed connection while it sends, or at its next check, and ends the statement.
      const cancel = () => (client as unknown as { connection: { stream: Duplex } }).connection.stream.destroy()
      try {
        signal.addEventListener('abort', cancel)
        await setReader(client, reader)
        await client.query('begin isolation level repeatable read read only')
        // A stream may outlast the limit of a single request; its client's disconnection ends it. It takes one processor
        // of the database and leaves the others to requests: of 100,000 commitments, three workers that each group all
        // that belongs to them took 1.7 times the processor time, and longer as well.
        await client.query('set local statement_timeout = 0; set local max_parallel_workers_per_gather = 0')
        const result = await work(readTx(client, reader))
        await client.query('commit')
        return result
      } catch (error) {
        broken = error as Error
        throw error
      } finally {
        signal.removeEventListener('abort', cancel)
        client.release(broken)
      }
    },

    async outside<R extends pg.QueryResultRow>(query: pg.QueryConfig) {
      const client = await taken(pool)
      let broken: Error | undefined
      try {
        return (await client.query<R>(query)).rows
      } catch (error) {
        broken = error as Error
        throw error
      } finally {
        client.release(broken)
      }
    },

    async close() {
      await Promise.all([pool.end(), streams.end(), partners.end()])
    },
  }
}
