import { pino } from 'pino'
import type { Test } from 'tap'
import t from 'tap'
import { Type } from 'typebox'
import { systemClock } from '../src/core/clock.ts'
import { type Caller, wholeTenant } from '../src/db/database.ts'
import { asOwner } from '../src/db/tenants.ts'
import { expireKeys } from '../src/platform/housekeeping.ts'
import { startJobs } from '../src/platform/job-runner.ts'
import { type Chore, cancelJob, defineJob, enqueue, handleJob, type JobHandler } from '../src/platform/jobs.ts'
import { type Service, startService } from './support/harness.ts'

const log = pino({ level: 'silent' })
const greet = defineJob('greet', Type.Object({ name: Type.String() }))

const callerOf = (tenantId: string): Caller => ({
  ...wholeTenant(tenantId),
  actor: { type: 'system', id: null },
  scopes: [],
  requestId: 'test',
  now: systemClock.now(),
})

async function run(t: Test, { url, database }: Service, handlers: JobHandler[], chores: Chore[] = []) {
  const jobs = await startJobs({ url, database, clock: systemClock, log, handlers, chores, concurrency: 4 })
  let isStopped = false
  const stop = async () => {
    if (!isStopped) await jobs.stop()
    isStopped = true
  }
  t.teardown(stop)
  return stop
}

/** Names in the order in which they were greeted, and a promise of the moment when there are `count` of them. */
function greetings() {
  const names: string[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  const handler = handleJob(greet, async (_context, { name }) => {
    names.push(name)
    for (const { count, resolve } of waiting) if (names.length >= count) resolve()
  })
  const reach = (count: number) =>
    new Promise<void>((resolve) => (names.length >= count ? resolve() : waiting.push({ count, resolve })))
  return { names, handler, reach }
}

t.test('a job runs if, and only if, its transaction commits', async (t) => {
  const service = await startService(t)
  const { names, handler, reach } = greetings()
  await run(t, service, [handler])
  const caller = callerOf(service.tenantId)
  await t.rejects(
    service.database.write(caller, async (tx) => {
      await enqueue(tx, greet, { name: 'undone' })
      throw new Error('no')
    }),
  )
  await service.database.write(caller, (tx) => enqueue(tx, greet, { name: 'done' }))
  await reach(1)
  t.same(names, ['done'])
})

t.test('a handler acts for the tenant that enqueued, under the same walls', async (t) => {
  const service = await startService(t)
  const other = await service.otherTenant('other')
  const seen = Promise.withResolvers<unknown>()
  const handler = handleJob(greet, async ({ database, caller, tenantId }) => {
    const count = await database.write(caller(), async (tx) => {
      const rows = await tx.db.selectFrom('api_keys').select('tenant_id').execute()
      return [...new Set(rows.map((row) => row.tenant_id))]
    })
    seen.resolve([tenantId, count])
  })
  await run(t, service, [handler])
  await service.database.write(callerOf(other.tenantId), (tx) => enqueue(tx, greet, { name: 'x' }))
  t.same(await seen.promise, [other.tenantId, [other.tenantId]])
  await t.rejects(
    service.database.outside({ text: 'select * from graphile_worker._private_jobs' }),
    /permission denied/,
    'the service itself cannot read the queue',
  )
  // A connection that was used before is still set to a tenant.
  const nobody = `set_config('beide.tenant_id', '', false)`
  await t.rejects(
    service.database.outside({ text: `select enqueue_job('greet', '{}', null, null, null) from ${nobody}` }),
    /in the transaction of a tenant/,
  )
})

t.test('a job under a key is replaced and taken back', async (t) => {
  const service = await startService(t)
  const { names, handler, reach } = greetings()
  const caller = callerOf(service.tenantId)
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString()
  await service.database.write(caller, async (tx) => {
    await enqueue(tx, greet, { name: 'first' }, { key: 'a', runAt: tomorrow })
    await enqueue(tx, greet, { name: 'cancelled' }, { key: 'b' })
  })
  await service.database.write(caller, async (tx) => {
    await enqueue(tx, greet, { name: 'second' }, { key: 'a' })
    await cancelJob(tx, greet, 'b')
    await enqueue(tx, greet, { name: 'third' }, { runAt: tomorrow })
    await enqueue(tx, greet, { name: 'fourth' })
  })
  await run(t, service, [handler])
  await reach(2)
  t.same(names.sort(), ['fourth', 'second'])
  const waiting = await asOwner(service.url, (owner) => owner.query('select from graphile_worker._private_jobs'))
  t.equal(waiting.rowCount, 1)
})

t.test('several processes share the jobs: each runs once', async (t) => {
  const service = await startService(t)
  const { names, handler, reach } = greetings()
  await Promise.all([run(t, service, [handler]), run(t, service, [handler])])
  const expected = Array.from({ length: 50 }, (_, at) => `name ${at}`)
  await service.database.write(callerOf(service.tenantId), async (tx) => {
    for (const name of expected) await enqueue(tx, greet, { name })
  })
  await reach(50)
  t.same(names.sort(), expected.sort())
})

t.test('a job that throws is tried again', async (t) => {
  const service = await startService(t)
  const attempts: number[] = []
  const done = Promise.withResolvers<void>()
  const handler = handleJob(greet, async ({ attempt }) => {
    attempts.push(attempt)
    if (attempt === 1) throw new Error('not yet')
    done.resolve()
  })
  await run(t, service, [handler])
  await service.database.write(callerOf(service.tenantId), (tx) => enqueue(tx, greet, { name: 'x' }))
  await done.promise
  t.same(attempts, [1, 2])
})

t.test('the jobs of a process that was killed are taken up at once', async (t) => {
  const service = await startService(t)
  await service.database.write(callerOf(service.tenantId), (tx) =>
    enqueue(tx, greet, { name: 'orphan' }, { queue: 'lane' }),
  )
  // What a process leaves that is killed while it works.
  await asOwner(service.url, async (owner) => {
    for (const table of ['_private_jobs', '_private_job_queues']) {
      await owner.query(
        `update graphile_worker.${table} set locked_by = 'pool-dead', locked_at = now() - interval '5 seconds'`,
      )
    }
  })
  const { names, handler, reach } = greetings()
  await run(t, service, [handler])
  await reach(1)
  t.same(names, ['orphan'])
})

t.test('stopping waits for the job in hand', async (t) => {
  const service = await startService(t)
  const [begun, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let isDone = false
  const handler = handleJob(greet, async () => {
    begun.resolve()
    await release.promise
    isDone = true
  })
  const stop = await run(t, service, [handler])
  await service.database.write(callerOf(service.tenantId), (tx) => enqueue(tx, greet, { name: 'x' }))
  await begun.promise
  const stopped = stop()
  release.resolve()
  await stopped
  t.ok(isDone)
})

t.test('a payload of another shape is refused where it is enqueued', async (t) => {
  const service = await startService(t)
  await t.rejects(
    service.database.write(callerOf(service.tenantId), (tx) => enqueue(tx, greet, { name: 1 } as never)),
    /another shape/,
  )
})

t.test('expired keys are removed in batches', async (t) => {
  const service = await startService(t)
  await asOwner(service.url, (owner) =>
    owner.query(
      `insert into idempotency_keys (tenant_id, credential_id, route, key, fingerprint, status, headers, body,
         is_sealed, created_at, expires_at)
       select $1, $1, 'r', n::text, '', 201, '{}', '', false, now(),
         now() + case when n <= 7000 then interval '-1 second' else interval '1 hour' end
       from generate_series(1, 7003) n`,
      [service.tenantId],
    ),
  )
  await expireKeys.run({ database: service.database, clock: systemClock, log, signal: new AbortController().signal })
  const left = await asOwner(service.url, (owner) => owner.query('select from idempotency_keys'))
  t.equal(left.rowCount, 3)
})
