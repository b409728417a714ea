import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { cloneDatabase } from './support/database.ts'
import { runToEnd, startProcess } from './support/process.ts'
import { ask, keepAlive, organisation, owner } from './support/requests.ts'
import { temporaryDirectory } from './support/temporary.ts'

t.test('the embedded Postgres: a first start, a crash, a second start', async (t) => {
  const directory = await temporaryDirectory()
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const env = { DATA_DIR: join(directory, 'data'), BOOTSTRAP_TENANT: 'Beide aan zee' }
  const first = await startProcess(t, env)
  t.match(first.printed.join('\n'), /The tenant "Beide aan zee" was made\. Its admin API key is shown this once:/)
  t.match(first.key, /^beide_\w{12}_\w{43}$/)
  t.notMatch(JSON.stringify(first.logs), first.key as string, 'the key is not in the log')
  const made = await ask(first, keepAlive(t), 'POST', '/v1/organisations', organisation)
  t.equal(made.status, 201)
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')

  const second = await startProcess(t, env)
  t.strictSame(second.printed, [], 'no second tenant, no second key')
  const found = await ask(
    Object.assign(second, { key: first.key }),
    keepAlive(t),
    'GET',
    `/v1/organisations/${made.body.id}`,
  )
  t.equal(found.status, 200)
  t.strictSame(found.body, made.body)

  const third = await runToEnd(t, env)
  t.equal(third.code, 1)
  t.match(third.stderr, /is in use by the running process \d+; stop that first\.\n$/)
  t.equal(await second.end(), 0)
})

t.test('a bad configuration stops with one line for each fault', async (t) => {
  const { code, stdout, stderr } = await runToEnd(t, { PORT: 'high', LOG_LEVEL: 'loud' })
  t.equal(code, 1)
  t.equal(stdout, '')
  t.strictSame(stderr.split('\n'), [
    'PORT must be a whole number from 0 to 65535, not "high".',
    'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, not "loud".',
    '',
  ])
})

t.test('a database that is newer than the program is left alone', async (t) => {
  const url = await cloneDatabase(t)
  const client = await owner(t, url)
  await client.query(`insert into kysely_migration (name, timestamp) values ('999999_of_the_future', now()::text)`)
  const { code, stdout, stderr } = await runToEnd(t, { DATABASE_URL: url })
  t.equal(code, 1)
  t.equal(
    stderr,
    'The database is newer than this program: it knows 999999_of_the_future. Start a newer program.\n',
    'in one line',
  )
  t.notMatch(stdout, 'listening')
  t.equal((await client.query('select from tenants')).rowCount, 0, 'nothing was set up')
})

t.test('a database that is not there, and a port that is taken, stop the start with a line', async (t) => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const port = String((taken.address() as AddressInfo).port)
  t.teardown(() => taken.close())
  const blocked = await runToEnd(t, { DATABASE_URL: await cloneDatabase(t), PORT: port })
  t.equal(blocked.code, 1)
  t.match(blocked.stderr, new RegExp(`EADDRINUSE.*127\\.0\\.0\\.1:${port}\n$`))

  const free = createServer()
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve))
  const unused = (free.address() as AddressInfo).port
  await new Promise((resolve) => free.close(resolve))
  const lost = await runToEnd(t, { DATABASE_URL: `postgres://beide:hunter2@localhost:${unused}/beide` })
  t.equal(lost.code, 1)
  t.match(lost.stderr, /^(connect ECONNREFUSED .*\n)+$/)
  t.notMatch(lost.stderr, 'hunter2')
})

/** A way to a server that can be shut, and can go dumb. */
async function passage(t: Test, to: URL) {
  const sockets = new Set<Socket>()
  let isDumb = false
  const server = createServer((near) => {
    const far = connect(Number(to.port || 5432), to.hostname)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('data', (chunk) => void (isDumb || other.write(chunk)))
      one.on('error', () => {})
      one.on('close', () => other.destroy())
    }
  })
  const open = async (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const shut = async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    sockets.clear()
    await closed
  }
  await open(0)
  const { port } = server.address() as AddressInfo
  t.teardown(() => (server.listening ? shut() : undefined))
  const url = new URL(to)
  // Not by a socket, which would lead past here.
  url.search = ''
  url.hostname = '127.0.0.1'
  url.port = String(port)
  const silence = () => {
    isDumb = true
  }
  return { url: url.href, shut, open: () => open(port), silence }
}

t.test('a database that goes away makes the service not ready, and ready again when it is back', async (t) => {
  const way = await passage(t, new URL(await cloneDatabase(t)))
  const service = await startProcess(t, { DATABASE_URL: way.url })
  const agent = keepAlive(t)
  const ready = () => ask(service, agent, 'GET', '/health/ready')
  t.equal((await ready()).status, 200)

  await way.shut()
  const away = await ready()
  t.equal(away.status, 503)
  t.match(away.body, { type: '/problems/unavailable', code: 'unavailable' })
  t.match(away.headers, { 'retry-after': /^\d+$/, 'content-type': /^application\/problem\+json/ })
  t.equal((await ask(service, agent, 'GET', '/health/live')).status, 200)
  t.equal((await ask(service, agent, 'GET', '/v1/organisations')).status, 503, 'requests are told to come back')

  await way.open()
  t.equal((await ready()).status, 200)
  t.equal((await ask(service, agent, 'GET', '/v1/organisations')).status, 200, 'without a restart')

  way.silence()
  t.match(await ready(), { status: 503, body: { detail: 'The database does not answer.' } }, 'silence is away too')
  await way.shut()
  t.equal(await service.end(), 0, 'and it can be stopped meanwhile')
})

t.test('a request is a line of the log and a count: what, who, how it went; no secret and nobody’s name', async (t) => {
  const key = `beide_${'g'.repeat(12)}_${'s'.repeat(43)}`
  const env = { DATABASE_URL: await cloneDatabase(t), LOG_LEVEL: 'trace', BOOTSTRAP_API_KEY: key }
  const service = Object.assign(await startProcess(t, env), { key })
  t.match(service.printed.join('\n'), 'Its admin API key is the one in BOOTSTRAP_API_KEY.')
  t.notMatch(service.printed.join('\n'), key, 'a key that was given is not shown')
  const agent = keepAlive(t)
  const made = await ask(service, agent, 'POST', '/v1/organisations', organisation)
  await ask(service, agent, 'GET', '/v1/organisations?q=Voorbeeld')
  await ask(service, agent, 'POST', '/v1/organisations', { ...organisation, sector: 'none' })
  await ask(service, agent, 'GET', '/nowhere/Voorbeeld')
  const metrics = await ask(service, agent, 'GET', '/metrics')
  t.equal(await service.end(), 0)
  t.match(
    service.logs.find((log) => log.msg === 'refused'),
    { level: 20, code: 'invalid_request', faults: [/^\/sector /] },
    'why it was refused, without what was sent',
  )
  const lines = service.logs.filter((log) => log.msg === 'request' && log.operation !== 'get_readiness')
  t.equal(lines.length, 4, 'the metrics are asked for too often to be logged')
  const [first, second, third, fourth] = lines
  t.match(first, {
    level: 30,
    time: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/,
    request_id: String(made.headers['x-request-id']),
    operation: 'create_organisation',
    method: 'POST',
    route: '/v1/organisations',
    tenant: /^[0-9a-f-]{36}$/,
    credential: /^[0-9a-f-]{36}$/,
    status: 201,
    duration_ms: Number,
  })
  t.match(second, { operation: 'list_organisations', status: 200 })
  t.match(third, { operation: 'create_organisation', status: 400 })
  t.match(fourth, { status: 404 })
  const all = JSON.stringify(service.logs)
  t.notMatch(all, key)
  t.notMatch(all, 'Voorbeeld')

  t.equal(metrics.status, 200)
  t.match(metrics.headers['content-type'], /^text\/plain; version=0\.0\.4/)
  t.match(metrics.body, 'http_request_duration_seconds_count{operation="create_organisation",status="201"} 1')
  t.match(metrics.body, /^process_resident_memory_bytes \d+$/m)
  t.notMatch(metrics.body, first.tenant, 'counted by operation, never by tenant')
})
