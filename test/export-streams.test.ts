import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import net from 'node:net'
import type { Transform } from 'node:stream'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import Fastify from 'fastify'
import { sql } from 'kysely'
import pg from 'pg'
import t, { type Test } from 'tap'
import type { Column } from '../src/transfer/columns.ts'
import { type Form, formats, writerOf } from '../src/transfer/forms.ts'
import { stepsOf } from '../src/transfer/steps.ts'
import { sendCopy } from '../src/transfer/stream.ts'
import { copyOf } from '../src/transfer/table.ts'
import { seed } from './bench/seed.ts'
import { type Service, startService } from './support/harness.ts'

// In a process of its own: it measures memory.

// Over real sockets: what a client sees of an export that goes wrong, and what the database sees of such a client.

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes outside the heap that are in use. Buffers that a collection finds dead are counted until the next one. */
async function bytesHeld(): Promise<number> {
  for (let times = 0; times < 2; times++) {
    collectGarbage()
    await setImmediate()
  }
  return process.memoryUsage().external
}

const rounds = 4000
const scores = rounds * 50
/** A quarter of the harness's ten connections. */
const exportsAtOnce = 3
const path = '/v1/exports/evaluation_scores.csv'

interface Exporting {
  service: Service
  client: pg.Client
  /** Begins an export and leaves its body unread. */
  begin(path: string, key?: string): Promise<http.IncomingMessage>
}

/** Asks, and leaves the body unread. How a body ends is for the test to look at. */
async function get(options: http.RequestOptions): Promise<http.IncomingMessage> {
  const request = http.get({ ...options, agent: false })
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  for (const emitter of [request, response]) emitter.on('error', () => {})
  return response
}

async function exporting(t: Test): Promise<Exporting> {
  const service = await startService(t, {
    connectTimeoutMs: 2000,
    exportStreams: { perCredential: 2, perTenant: exportsAtOnce },
  })
  await service.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = service.app.server.address() as AddressInfo
  const client = new pg.Client({ connectionString: service.url })
  await client.connect()
  t.teardown(() => client.end())
  const begin = async (path: string, key = service.key) => {
    const headers = { authorization: `Bearer ${key}` }
    return get({ host: '127.0.0.1', port, path, headers })
  }
  return { service, client, begin }
}

const running = async (client: pg.Client): Promise<number[]> => {
  const { rows } = await client.query(
    "select pid from pg_stat_activity where datname = current_database() and state = 'active' and query like 'copy %'",
  )
  return rows.map((row) => row.pid)
}

/** Waits until it holds, at most so long. @returns how long it took, in milliseconds */
async function until(isSo: () => Promise<boolean>, withinMs: number): Promise<number> {
  const start = performance.now()
  while (!(await isSo())) {
    if (performance.now() - start > withinMs) throw new Error(`Not within ${withinMs} ms`)
    await sleep(20)
  }
  return performance.now() - start
}

/** Reads a body to whatever end it comes. */
async function ending(response: http.IncomingMessage): Promise<{ complete: boolean; bytes: number; lines: number }> {
  let [bytes, lines] = [0, 0]
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    for (const byte of chunk) if (byte === 10) lines += 1
  })
  response.resume()
  await new Promise((resolve) => response.once('close', resolve))
  return { complete: response.complete, bytes, lines }
}

t.test('a large export', async (t) => {
  const { service, client, begin } = await exporting(t)
  await seed(client, service.tenantId, { partnerships: 100, commitmentsPerPartnership: 1, rounds })

  t.test('waits for its client, in constant memory on both sides', async (t) => {
    const idle = await bytesHeld()
    const response = await begin(path)
    const progress = async () => {
      const { rows } = await client.query('select tuples_processed::integer as done from pg_stat_progress_copy')
      return rows[0]?.done ?? 0
    }
    // Standing still: whatever buffers there are between Postgres and the client, they are full.
    let before = -1
    await until(async () => {
      const now = await progress()
      const stands = now > 0 && now === before
      before = now
      if (!stands) await sleep(200)
      return stands
    }, 20_000)
    t.ok(before < scores / 2, `Postgres stopped after ${before} of ${scores} rows`)
    const held = (await bytesHeld()) - idle
    // Of more than 30 MB: what is held does not grow with what is exported.
    t.ok(held < 10e6, `${held} bytes are held while it waits`)
    const end = await ending(response)
    t.strictSame([end.complete, end.lines], [true, scores + 1], 'then everything arrives')
    t.ok(end.bytes > 30e6)
  })

  t.test('is cut, not ended, when its backend is terminated', async (t) => {
    const response = await begin(path)
    await until(async () => (await running(client)).length === 1, 5000)
    await client.query('select pg_terminate_backend($1)', await running(client))
    const end = await ending(response)
    t.equal(end.complete, false)
    t.ok(end.bytes > 0)
    t.equal((await service.get('/v1/organisations')).status, 200, 'and the service goes on')
  })

  for (const format of formats) {
    t.test(
      `has its first bytes before the last row was read, and is ended when its client goes away: ${format}`,
      async (t) => {
        const response = await begin(path.replace('csv', format))
        const [first] = (await once(response, 'data')) as [Buffer]
        response.pause()
        t.ok(first.length > 0)
        t.equal((await running(client)).length, 1, 'Postgres is still at it')
        response.destroy()
        t.ok((await until(async () => (await running(client)).length === 0, 1000)) < 1000)
      },
    )
  }

  t.test('leaves room for single requests and for others, however greedy one client is', async (t) => {
    const other = await service.keyWith(['exports:run'])
    const stranger = await service.otherTenant('another that exports')
    const greedy = await Promise.all([begin(path), begin(path)])
    for (let n = 0; n < 20; n += 1) {
      const more = await begin(path)
      t.strictSame([more.statusCode, more.headers['retry-after']], [429, '5'], 'a third of the same credential')
      more.resume()
    }
    const fair = await begin(path, other)
    const statuses = [...greedy, fair].map((response) => response.statusCode)
    t.strictSame(statuses, Array(exportsAtOnce).fill(200), 'another credential has its own')
    t.equal((await service.get('/v1/organisations')).status, 200, 'while they run')
    const tooMany = await begin(path, other)
    t.equal(tooMany.statusCode, 429, 'and the tenant a bound over all of its own')
    tooMany.resume()
    const refused = await begin(path, stranger.key)
    t.strictSame([refused.statusCode, refused.headers['retry-after']], [503, '2'], 'where no connection is left')
    refused.resume()
    const ends = await Promise.all([...greedy, fair].map(ending))
    t.ok(ends.every((end) => end.complete && end.lines === scores + 1))
    const again = await begin(path)
    t.equal(again.statusCode, 200, 'what is read to its end makes room')
    again.destroy()
    await until(async () => (await running(client)).length === 0, 5000)
    const further = await Promise.all([begin(path), begin(path)])
    t.strictSame(
      further.map(({ statusCode }) => statusCode),
      [200, 200],
      'so does a client that went away',
    )
    for (const response of further) response.destroy()
    await until(async () => (await running(client)).length === 0, 5000)
  })

  t.test('is finished before the service closes', async (t) => {
    const response = await begin(path)
    let isClosed = false
    const closed = service.app.close().then(() => {
      isClosed = true
    })
    await until(async () => (await running(client)).length === 1, 5000)
    t.equal(isClosed, false)
    const end = await ending(response)
    t.strictSame([end.complete, end.lines], [true, scores + 1])
    await closed
  })
})

interface Streaming {
  stalledAfterMs?: number
  steps?: () => Transform[]
}

/** A server that streams whatever COPY is named. */
async function streaming(t: Test, copy: string, { stalledAfterMs = 60_000, steps = () => [] }: Streaming = {}) {
  const { database, url } = await startService(t)
  const app = Fastify()
  app.decorateRequest('principal', null)
  app.addHook('onRequest', async (request) => {
    const actor = { type: 'system', id: null } as const
    request.principal = {
      tenantId: '01900000-0000-7000-8000-000000000000',
      keyId: 'none',
      actor,
      scopes: [],
      organisations: null,
      expiresAt: null,
    }
  })
  app.get('/', (request, reply) =>
    sendCopy(database, request, reply, { copy: async () => copy, variant: 'x', headers: {}, stalledAfterMs, steps }),
  )
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  return { app, url, port: (app.server.address() as AddressInfo).port }
}

const lines = (last: number, failsAt: number) =>
  `copy (select n, 1 / (n - ${failsAt}), repeat('x', 100) from generate_series(1, ${last}) n) to stdout (format csv)`

for (const format of formats) {
  t.test(`a client that goes away, reading or not, ends what would never end: ${format}`, async (t) => {
    const form: Form = { format, dialect: 'rfc4180' }
    const columns: Record<string, Column> = { hash: { type: 'text', meaning: 'What no compression makes smaller' } }
    const hash = writerOf(form, columns['hash'] as Column)(sql`md5(n::text)`)
    // Where rows come from a function in the list of columns, Postgres makes them one by one.
    const copy = copyOf(form, sql`select ${hash} as hash from (select generate_series(1, 1000000000000) as n) x`)({})
    const { port, url } = await streaming(t, copy, { steps: () => stepsOf({ columns }, form) })
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    t.teardown(() => client.end())
    for (const isReading of [true, false]) {
      const response = await get({ host: '127.0.0.1', port })
      await once(response, 'data')
      if (isReading) response.resume()
      else response.pause()
      await sleep(200)
      t.equal((await running(client)).length, 1)
      response.destroy()
      t.ok((await until(async () => (await running(client)).length === 0, 1000)) < 1000)
    }
  })
}

t.test('a statement that fails on its way breaks the connection', async (t) => {
  const { port } = await streaming(t, lines(100_000, 90_000))
  const response = await get({ host: '127.0.0.1', port })
  const end = await ending(response)
  t.equal(response.statusCode, 200)
  t.equal(end.complete, false)
  t.ok(end.lines > 10_000 && end.lines < 90_000)
})

t.test('to a client without chunks it is a reset, not an end', async (t) => {
  const { port } = await streaming(t, lines(100_000, 90_000))
  const socket = net.connect(port, '127.0.0.1')
  socket.write('GET / HTTP/1.0\r\n\r\n')
  socket.resume()
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  t.equal(error.code, 'ECONNRESET')
})

t.test('a statement that fails before its first row is an answer of its own', async (t) => {
  const { app } = await streaming(t, lines(10, 1))
  t.equal((await app.inject('/')).statusCode, 500)
})

t.test('a client that takes nothing is cut', async (t) => {
  const { port, url } = await streaming(t, lines(1_000_000, -1), { stalledAfterMs: 300 })
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.teardown(() => client.end())
  const response = await get({ host: '127.0.0.1', port })
  await until(async () => (await running(client)).length === 0, 5000)
  t.equal((await ending(response)).complete, false)
})
