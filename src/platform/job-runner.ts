import { EventEmitter } from 'node:events'
import type { FastifyBaseLogger } from 'fastify'
import { Logger, parseCronItem, type Runner, run, type Task, type WorkerEvents } from 'graphile-worker'
import pg from 'pg'
import { newId } from '../core/ids.ts'
import { wholeTenant } from '../db/database.ts'
import { type PoolWatch, watchPools } from './job-recovery.ts'
import type { Chore, JobHandler, JobTools } from './jobs.ts'

export interface RunnerSettings extends Omit<JobTools, 'signal'> {
  /** The queue is the owner's: the service's role reaches it only through functions. */
  url: string
  handlers: readonly JobHandler[]
  chores: readonly Chore[]
  /** How many jobs run at once in this process. */
  concurrency: number
}

export interface Jobs {
  /** Takes no further job and waits for those that run. */
  stop(): Promise<void>
}

const restartAfterMs = 1000
/** Two for the queue itself, one that listens, one that keeps time. */
const connections = 4

/** Runs jobs in this process until it is stopped; begins anew where the database was away. */
export async function startJobs(settings: RunnerSettings): Promise<Jobs> {
  const { log } = settings
  const watch = watchPools(settings.url, log)
  let isStopping = false
  let wake: (() => void) | undefined
  let runner: Running | undefined = await begin(settings, watch)

  const supervised = (async () => {
    for (;;) {
      await runner?.runner.promise.catch((error: Error) => log.warn({ err: error }, 'the jobs stopped'))
      await runner?.end()
      if (isStopping) return
      await new Promise<void>((resolve) => {
        wake = resolve
        setTimeout(resolve, restartAfterMs).unref()
      })
      if (isStopping) return
      runner = await begin(settings, watch).catch((error: Error) => {
        log.warn({ err: error }, 'the jobs could not start')
        return undefined
      })
    }
  })()

  return {
    async stop() {
      isStopping = true
      wake?.()
      await runner?.runner.stop().catch(() => {})
      await supervised
      await watch.close()
    },
  }
}

interface Running {
  runner: Runner
  end(): Promise<void>
}

async function begin(settings: RunnerSettings, watch: PoolWatch): Promise<Running> {
  const { url, log, concurrency, chores } = settings
  const pool = new pg.Pool({ connectionString: url, max: connections, application_name: 'beide jobs' })
  const lost = (error: Error) => log.warn({ err: error }, 'a connection of the jobs was lost')
  pool.on('error', lost)
  pool.on('connect', (client) => client.on('error', lost))
  const events = new EventEmitter() as WorkerEvents
  events.on('pool:create', ({ workerPool }) => watch.hold(workerPool.id))
  try {
    const runner = await run({
      pgPool: pool,
      schema: 'graphile_worker',
      concurrency,
      noHandleSignals: true,
      pollInterval: 2000,
      events,
      logger: loggerOf(log),
      taskList: tasksOf(settings),
      parsedCronItems: chores.map(({ name, at }) =>
        parseCronItem({ task: name, match: at, options: { backfillPeriod: 0 } }),
      ),
    })
    return { runner, end: () => pool.end() }
  } catch (error) {
    await pool.end()
    throw error
  }
}

function tasksOf({ database, clock, log, handlers, chores }: RunnerSettings): Record<string, Task> {
  const tasks: Record<string, Task> = {}
  const add = (name: string, task: Task) => {
    if (tasks[name]) throw new Error(`Two jobs are called ${name}`)
    tasks[name] = task
  }
  for (const handler of handlers) {
    add(handler.name, async (given, { job, abortSignal: signal }) => {
      const { tenant_id: tenantId, payload } = given as { tenant_id: string; payload: unknown }
      const requestId = newId()
      const jobLog = log.child({ job: handler.name, job_id: job.id, tenant: tenantId, request_id: requestId })
      const caller = () => ({
        ...wholeTenant(tenantId),
        actor: { type: 'system', id: null } as const,
        scopes: ['admin'],
        requestId,
        now: clock.now(),
      })
      await handler.run(
        { database, clock, log: jobLog, signal: signal as AbortSignal, tenantId, caller, attempt: job.attempts },
        payload,
      )
    })
  }
  for (const chore of chores) {
    add(chore.name, async (_payload, { abortSignal: signal }) => {
      await chore.run({ database, clock, log: log.child({ job: chore.name }), signal: signal as AbortSignal })
    })
  }
  return tasks
}

/** graphile-worker speaks through our log: what it does each time in debug, what goes wrong aloud. */
function loggerOf(log: FastifyBaseLogger): Logger {
  const levels = { error: 'error', warning: 'warn', info: 'debug', debug: 'trace' } as const
  return new Logger(() => (level, message, meta) => {
    const error = meta?.['error']
    log[levels[level as keyof typeof levels] ?? 'debug'](error === undefined ? {} : { err: error }, message)
  })
}
