import type { FastifyBaseLogger } from 'fastify'
import pg from 'pg'

/** Sees to it that the jobs of a process that was killed are taken up again at once, not after hours. */
export interface PoolWatch {
  /** Shows other processes, by a lock on a connection, that this pool of workers lives. */
  hold(poolId: string): void
  close(): Promise<void>
}

const sweepEveryMs = 5000

// A pool takes its lock a moment after it is made: what it took just now is not judged yet.
const takenJobs = `
  select distinct locked_by from (
    select locked_by from graphile_worker._private_jobs where locked_at < now() - interval '2 seconds'
    union all
    select locked_by from graphile_worker._private_job_queues where locked_at < now() - interval '2 seconds'
  ) taken where locked_by is not null and not locked_by = any($1)`
const lockName = `hashtextextended('beide jobs of ' || $1, 0)`

/** One connection of its own: the locks that say who lives are bound to it, and are gone when the process is. */
export function watchPools(url: string, log: FastifyBaseLogger): PoolWatch {
  const pools: string[] = []
  let client: pg.Client | undefined
  let running: Promise<void> = Promise.resolve()
  let isClosed = false

  async function connected(): Promise<pg.Client> {
    if (client) return client
    const made = new pg.Client({ connectionString: url, application_name: 'beide jobs watch', keepAlive: true })
    made.on('error', (error) => {
      log.warn({ err: error }, 'the watch over the jobs lost its connection')
      if (client === made) client = undefined
    })
    await made.connect()
    for (const id of pools) await made.query(`select pg_advisory_lock_shared(${lockName})`, [id])
    client = made
    return made
  }

  async function sweep(): Promise<void> {
    const connection = await connected()
    const taken = await connection.query<{ locked_by: string }>(takenJobs, [pools])
    for (const { locked_by: id } of taken.rows) {
      // Whoever gets the lock knows that nobody holds it: the process is gone.
      const got = await connection.query(`select pg_try_advisory_lock(${lockName}) as is_free`, [id])
      if (got.rows[0]?.is_free !== true) continue
      await connection.query('select graphile_worker.force_unlock_workers($1)', [[id]])
      await connection.query(`select pg_advisory_unlock(${lockName})`, [id])
      log.info({ pool: id }, 'took up the jobs of a process that ended')
    }
  }

  const next = (work: () => Promise<void>) => {
    if (isClosed) return
    running = running.then(work).catch((error: Error) => {
      log.warn({ err: error }, 'the watch over the jobs failed')
      void client?.end().catch(() => {})
      client = undefined
    })
  }
  const timer = setInterval(() => next(sweep), sweepEveryMs)
  timer.unref()
  next(sweep)

  return {
    hold(poolId) {
      next(async () => {
        const connection = await connected()
        pools.push(poolId)
        await connection.query(`select pg_advisory_lock_shared(${lockName})`, [poolId])
      })
    },
    async close() {
      isClosed = true
      clearInterval(timer)
      await running
      await client?.end()
    },
  }
}
