import type { Duplex } from 'node:stream'
import type pg from 'pg'
import { Problem } from '../core/problem.ts'
import { type ReadTx, readTx } from './builder.ts'
import { commit, heldTx, rollback } from './endings.ts'
import { keepUpTo } from './kept.ts'
import { lend } from './lease.ts'
import { makePool, type PoolSettings, partnerRole } from './pool.ts'
import { type Reader, setReader } from './sessions.ts'

export type { Reader, ReadTx }

/** Who acts, as events and histories keep it. */
export interface Actor {
  type: 'api_key' | 'token' | 'respondent' | 'system' | 'unknown'
  id: string | null
}

/** The sight of the service's own work: all of a tenant. */
export const wholeTenant = (tenantId: string): Reader => ({ tenantId, organisations: null })

/** On whose behalf work is done: facts about one request, or one job. */
export interface Caller {
  readonly tenantId: string
  readonly actor: Actor
  /** What the credential may do, for the rules that ask more than the operation does. */
  readonly scopes: readonly string[]
  readonly requestId: string
  /** The instant of the request: everything that it writes carries it. */
  readonly now: string
  /** Decides whether the transaction is done at all, and keeps its answer beside its effect. */
  readonly guard?: Guard | null
}

/** Stands around the one transaction of a request: see idempotency. */
export interface Guard {
  /** The first work of the transaction; throws where there shall be no other. */
  enter(tx: Tx): Promise<void>
  /** Takes the transaction over when its work is done. It stays open until the guard ends it. */
  hold(held: HeldTx): void
  /** Notes a scope that the request needed, and had, beyond that of its operation. */
  needed(scope: string): void
  /** Adds to what the request is known by: the digest of a body that was read as a stream. */
  addContent(digest: Buffer): void
}

/** A transaction whose work is done and which waits for its end. */
export interface HeldTx {
  /** Does a last work and commits, in one round trip. */
  commit(last: (tx: Tx) => Promise<void>): Promise<void>
  rollback(): Promise<void>
}

/** A change that is told of later, by whoever works through many rows in one transaction. */
export interface GatheredChange {
  resource: object
  id: string
  verb: string
  changed: readonly string[]
}

/** One transaction of one tenant. What writes to the database takes it first. */
export interface Tx extends ReadTx, Caller {
  /**
   * Takes the changes of one row of many, in place of their events. What is refused is then done again for that row alone,
   * not for the transaction.
   */
  readonly gather?: (change: GatheredChange) => void
  /** True where rows of a batch are worked through beside each other: see together.ts. */
  readonly isTogether?: boolean
  /** Work for the very end: sent together with the commit in one round trip, in the order given. */
  atCommit(work: () => Promise<void>): void
}

/** The service's pools, and the only ways to reach them: each starts from a tenant. */
export interface Database {
  /** One transaction; commits what `work` did when it ends, else rolls back. Tried again after a deadlock. */
  write<T>(caller: Caller, work: (tx: Tx) => Promise<T>): Promise<T>
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
      const reads = readTx(lease.client, caller.tenantId)
      const tx: Tx = Object.assign(reads, caller, { atCommit: (run: () => Promise<void>) => last.push(run) })
      if (caller.guard) await caller.guard.enter(tx)
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

  async function reading<T>(reader: Reader, work: (tx: ReadTx) => Promise<T>, isOneMoment: boolean): Promise<T> {
    const isPartner = reader.organisations !== null
    const client = await taken(isPartner ? partners : pool)
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
      const result = await work(readTx(lease.client, reader.tenantId, isPartner ? undefined : kept, isPartner))
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
    async write(caller, work) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await writeOnce(caller, work)
        } catch (error) {
          if (attempt >= writeAttempts || !deadlock.has((error as { code?: string }).code ?? '')) throw error
        }
      }
    },

    read: (reader, work) => reading(reader, work, false),

    moment: (reader, work) => reading(reader, work, true),

    async snapshot(reader, signal, work) {
      if (reader.organisations !== null) throw new Error('A partner has no snapshot of the tenant')
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
        const result = await work(readTx(client, reader.tenantId))
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
