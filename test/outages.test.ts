import t, { type Test } from 'tap'
import { connectDatabase, wholeTenant } from '../src/db/database.ts'
import { cloneDatabase, runOnServer } from './support/database.ts'
import { type Answer, type Service, startService } from './support/harness.ts'
import { isProblem } from './support/problem.ts'
import { proxyTo } from './support/proxy.ts'

const path = '/v1/organisations'
const valid = { name: 'Stichting Voorbeeld', sector: 'non_profit' }

/** One request of each way to the database. */
const ways: Record<string, (service: Service, id: string) => Promise<Answer>> = {
  list: (service) => service.get(path),
  read: (service, id) => service.get(`${path}/${id}`),
  create: (service) => service.call('POST', path, valid),
  change: (service, id) => service.call('PATCH', `${path}/${id}`, { name: 'Other' }, { ifMatch: '*' }),
  readiness: (service) => service.get('/health/ready'),
}

/** Asserts that the service tells its callers to come back, lives on, and works again without a restart. */
async function survives(t: Test, service: Service, outage: { begin(): Promise<void>; end(): Promise<void> }) {
  const { id } = await service.make(path, valid)
  await outage.begin()
  for (const [way, ask] of Object.entries(ways)) {
    const answer = await ask(service, id)
    isProblem(t, answer, 'unavailable')
    t.match(answer.headers['retry-after'], /^[1-9]\d*$/, way)
  }
  t.equal((await service.get('/health/live')).status, 200, 'the process itself is well')
  await outage.end()
  const answers = await Promise.all(Array.from({ length: 20 }, () => service.get(`${path}/${id}`)))
  t.ok(answers.every(({ status }) => status === 200))
  for (const [way, ask] of Object.entries(ways)) t.ok((await ask(service, id)).status < 300, `${way} works again`)
}

t.test('a database that cannot be reached', async (t) => {
  const url = await cloneDatabase(t)
  const proxy = await proxyTo(t, url)
  const database = connectDatabase({
    url: proxy.url,
    size: 3,
    statementTimeoutMs: 5000,
    connectTimeoutMs: 2000,
    onError: () => {},
  })
  const service = await startService(t, { database, url })
  await survives(t, service, { begin: async () => proxy.cut(), end: async () => proxy.mend() })
})

t.test('a database that takes no connections', async (t) => {
  const service = await startService(t)
  const name = new URL(service.url).pathname.slice(1)
  const elsewhere = new URL(service.url)
  elsewhere.pathname = '/postgres'
  const allow = (allowed: boolean) =>
    runOnServer(elsewhere.href, `alter database ${name} with allow_connections ${allowed}`)
  await survives(t, service, {
    begin: async () => {
      await allow(false)
      await runOnServer(
        elsewhere.href,
        `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${name}'`,
      )
    },
    end: () => allow(true),
  })
})

t.test('connections that were lost while nobody used them are made anew', async (t) => {
  const service = await startService(t)
  const { id } = await service.make(path, valid)
  await Promise.all(Array.from({ length: 10 }, () => service.get(`${path}/${id}`)))
  await runOnServer(
    service.url,
    'select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  )
  const answers = await Promise.all(Array.from({ length: 10 }, () => service.get(`${path}/${id}`)))
  for (const answer of answers) if (answer.status !== 200) isProblem(t, answer, 'unavailable')
  t.equal((await service.get(`${path}/${id}`)).status, 200)
})

t.test('a statement that takes too long is ended, and its transaction with it', async (t) => {
  const url = await cloneDatabase(t)
  const database = connectDatabase({
    url,
    size: 3,
    statementTimeoutMs: 200,
    connectTimeoutMs: 20_000,
    onError: () => {},
  })
  const service = await startService(t, { database, url })
  const { id } = await service.make(path, valid)
  const slow = service.database.write(
    {
      ...wholeTenant(service.tenantId),
      actor: { type: 'system', id: null },
      scopes: [],
      requestId: 'slow',
      now: '2026-01-01T00:00:00Z',
    },
    async (tx) => {
      await tx.client.query(`update organisations set name = 'Slow' where id = $1`, [id])
      await tx.client.query('select pg_sleep(60)')
    },
  )
  await t.rejects(slow, { code: '57014' })
  t.equal((await service.get(`${path}/${id}`)).body.name, valid.name)
})

t.test('a service that falls behind refuses, and says when to come back', async (t) => {
  const service = await startService(t, { eventLoopDelayMaxMs: Number.MIN_VALUE })
  let answer = await service.get(path)
  const since = performance.now()
  while (answer.status === 200 && performance.now() - since < 20_000) answer = await service.get(path)
  isProblem(t, answer, 'unavailable')
  t.match(answer.headers['retry-after'], /^[1-9]\d*$/)
  t.equal((await service.get('/health/live')).status, 200, 'whoever watches must not kill a busy process')
})
