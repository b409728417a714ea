import type { FastifyBaseLogger } from 'fastify'
import { sql } from 'kysely'
import type { Static, TSchema } from 'typebox'
import type { Clock } from '../core/clock.ts'
import type { Caller, Database, Tx } from '../db/database.ts'
import { param, prepare } from '../db/prepared.ts'
import { type Check, checksOf } from './validation.ts'

const checkOf = checksOf([], { isText: false })

/** A kind of work that is done later, outside the request: its name and the shape of what it is told. */
export interface Job<Payload extends TSchema> {
  name: string
  payload: Payload
  /** @throws unless it has the shape of the payload */
  check: Check
}

/**
 * Names a kind of job. Apart from its handler, so that a command can enqueue what in the end calls commands.
 * @param name lower case with underscores; unique in the service, and never changed while jobs of it may wait
 */
export function defineJob<Payload extends TSchema>(name: string, payload: Payload): Job<Payload> {
  const check = checkOf(payload)
  return {
    name,
    payload,
    check: (data) => {
      try {
        check(data)
      } catch (cause) {
        throw new Error(`A job ${name} has a payload of another shape`, { cause })
      }
    },
  }
}

/** What every job is given. */
export interface JobTools {
  database: Database
  clock: Clock
  log: FastifyBaseLogger
  /** Set when the process stops and would not wait longer. */
  signal: AbortSignal
}

export interface JobContext extends JobTools {
  /** The tenant of the transaction that enqueued the job, for `database.write(caller(), …)`, as of now. */
  caller(): Caller
  tenantId: string
  /** 1 for the first try. */
  attempt: number
}

/** What does a kind of job. */
export interface JobHandler {
  name: string
  run(context: JobContext, payload: unknown): Promise<void>
}

/**
 * Says what does a job. It runs at least once after the commit of the transaction that enqueued it: after a crash
 * perhaps again, so look at the state before you act. What it throws is logged, and it is tried again with growing
 * pauses, up to 25 times over about three days.
 */
export function handleJob<Payload extends TSchema>(
  job: Job<Payload>,
  run: (context: JobContext, payload: Static<Payload>) => Promise<void>,
): JobHandler {
  return {
    name: job.name,
    run: (context, payload) => {
      job.check(payload)
      return run(context, payload as Static<Payload>)
    },
  }
}

/** Work of the house that comes round by the clock and belongs to no tenant. */
export interface Chore {
  name: string
  /** As cron writes it, in UTC: `17 * * * *`. */
  at: string
  run(tools: JobTools): Promise<void>
}

const enqueuing = prepare(sql`
  select enqueue_job(${param('name')}, ${param('payload')}::json, ${param('run_at')}::timestamptz, ${param('key')},
    ${param('queue')})`)
const cancelling = prepare(sql`select cancel_job(${param('name')}, ${param('key')})`)

export interface EnqueueOptions {
  /** The instant before which it does not run; without it, as soon as the transaction is committed. */
  runAt?: string
  /** A waiting job of the same kind, tenant and key is replaced: for a deadline that moves. */
  key?: string
  /** Jobs of one queue run one after another. Keep the number of queues small. */
  queue?: string
}

/** Enqueues a job in the transaction: it runs if, and only if, that commits. */
export async function enqueue<Payload extends TSchema>(
  tx: Tx,
  job: Job<Payload>,
  payload: Static<Payload>,
  { runAt, key, queue }: EnqueueOptions = {},
): Promise<void> {
  job.check(payload)
  await enqueuing.run(tx, {
    name: job.name,
    payload: JSON.stringify(payload),
    run_at: runAt ?? null,
    key: key ?? null,
    queue: queue ?? null,
  })
}

/** Takes back a waiting job that was enqueued under this key, in the transaction. */
export async function cancelJob(tx: Tx, job: Job<TSchema>, key: string): Promise<void> {
  await cancelling.run(tx, { name: job.name, key })
}
