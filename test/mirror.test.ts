import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import t, { type Test } from 'tap'
import { startEmbedded } from '../src/db/embedded.ts'
import { makeKey } from '../src/db/tenants.ts'
import type { Json } from './support/harness.ts'
import { type ServiceProcess, startProcess, until } from './support/process.ts'
import { temporaryDirectory } from './support/temporary.ts'

// A client that mirrors a tenant from exports and the feed alone, while eight writers change it at random, the process is
// killed and Postgres crashes: in the end the mirror is what the database holds.

/** How often the process is killed, and how often Postgres crashes: more of both takes minutes. */
const kills = Number(process.env['MIRROR_KILLS'] ?? 1)
const crashes = Number(process.env['MIRROR_CRASHES'] ?? 1)
const seed = Number(process.env['MIRROR_SEED'] ?? Date.now() % 1_000_000)

t.setTimeout(3_600_000)

/** Numbers that only look random: a run that fails can be had again. */
function numbers(from: number): (below: number) => number {
  let state = from
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

interface Answer {
  status: number
  etag: string
  text: string
}

/** The service behind its address, whichever process it is at the moment. */
function runningService(key: string) {
  let url = ''
  let isBack = Promise.withResolvers<void>()
  const once = async (
    method: string,
    path: string,
    body?: unknown,
    headers: object = {},
  ): Promise<Answer | undefined> => {
    await isBack.promise
    const init = {
      method,
      redirect: 'manual' as const,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }
    try {
      const response = await fetch(new URL(path, url), init)
      return { status: response.status, etag: response.headers.get('etag') ?? '', text: await response.text() }
    } catch {
      return undefined
    }
  }
  return {
    begins(service: ServiceProcess) {
      url = service.url
      isBack.resolve()
    },
    ends() {
      isBack = Promise.withResolvers<void>()
    },
    once,
    /** Asks until there is an answer: for what may be asked twice. */
    async ask(method: string, path: string, body?: unknown, headers: object = {}): Promise<Answer> {
      for (;;) {
        const answer = await once(method, path, body, headers)
        if (answer && ![503, 409, 429].includes(answer.status)) return answer
        if (answer?.status === 409 && !answer.text.includes('key_in_flight')) return answer
        await pause(20)
      }
    },
  }
}

type Running = ReturnType<typeof runningService>

/** Changes this and that until it is told to stop. */
async function write(service: Running, number: number, isOver: () => boolean): Promise<void> {
  const pick = numbers(seed + number)
  const organisations: string[] = []
  const partnerships: string[] = []
  const post = (path: string, body: object) =>
    service.ask('POST', path, body, { 'if-match': '*', 'idempotency-key': randomUUID() })
  const one = (ids: string[]) => ids[pick(ids.length)]
  const make = async (path: string, body: object, ids: string[]) => {
    const { status, text } = await post(path, body)
    if (status === 201) ids.push(JSON.parse(text).id)
  }
  const sector = () => (pick(2) ? 'company' : 'non_profit')
  const ways = [
    () => make('/v1/organisations', { name: `Organisation ${number}.${pick(1000)}`, sector: sector() }, organisations),
    async () => {
      const path = `/v1/organisations/${one(organisations)}`
      const { etag } = await service.ask('GET', path)
      await service.once('PATCH', path, { name: `Changed ${pick(1000)}` }, { 'if-match': etag })
    },
    () => service.once('DELETE', `/v1/organisations/${one(organisations)}`, undefined, { 'if-match': '*' }),
    () => post(`/v1/organisations/${one(organisations)}/merge`, { duplicate_id: one(organisations) }),
    () =>
      service.ask('PUT', `/v1/organisations/by-ref/crm/${pick(10)}`, { name: `By ref ${pick(5)}`, sector: 'other' }),
    () =>
      make(
        '/v1/partnerships',
        {
          name: `Partnership ${number}`,
          parties: [
            { organisation_id: one(organisations), side: 'company' },
            { organisation_id: one(organisations), side: 'non_profit' },
          ],
        },
        partnerships,
      ),
    () => post(`/v1/partnerships/${one(partnerships)}/propose`, {}),
    () => post(`/v1/partnerships/${one(partnerships)}/withdraw`, {}),
    () => post(`/v1/organisations/${one(organisations)}/contacts`, { name: 'Fatima', function: 'operations' }),
  ]
  for (let turn = 0; !isOver(); turn += 1) {
    if (turn < 3) await ways[0]?.()
    else await ways[pick(ways.length)]?.()
  }
}

const tables = ['organisations', 'partnerships', 'commitments']

/** A table as it is exported, and the sequence of the feed at that moment. */
async function exported(service: Running, table: string): Promise<{ rows: Json[]; sequence: number }> {
  const { text, etag } = await service.ask('GET', `/v1/exports/${table}.ndjson`)
  const rows = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  return { rows, sequence: Number(/^"(\d+)-/.exec(etag)?.[1]) }
}

class Mirror {
  readonly records = new Map<string, Json>()
  readonly sequences: number[] = []
  after = 0

  async begin(service: Running): Promise<void> {
    const found = await Promise.all(tables.map((table) => exported(service, table)))
    for (const { rows } of found) for (const row of rows) this.records.set(row.id, row)
    this.after = Math.min(...found.map(({ sequence }) => sequence))
  }

  /** Follows the feed. @returns true where it is at the end */
  async read(service: Running): Promise<boolean> {
    const { status, text } = await service.ask('GET', `/v1/events?after=${this.after}&limit=200`)
    if (status !== 200) throw new Error(text)
    const { data, next_after, latest } = JSON.parse(text)
    for (const { sequence, type, resource_id, data: record } of data) {
      this.sequences.push(sequence)
      if (type.endsWith('.deleted')) this.records.delete(resource_id)
      else this.records.set(resource_id, record)
    }
    this.after = next_after
    return next_after === latest
  }
}

const isScalar = (value: unknown): boolean => typeof value !== 'object' || value === null

t.test('a mirror made of exports and the feed is what the database holds, whatever is killed meanwhile', async (t) => {
  t.comment(`MIRROR_SEED=${seed} MIRROR_KILLS=${kills} MIRROR_CRASHES=${crashes}`)
  const dataDir = await temporaryDirectory()
  // What was committed is with the operating system, which does not crash here.
  const postgres = await startEmbedded({ dataDir, settings: { fsync: 'off' } })
  t.teardown(async () => {
    await postgres.stop()
    await rm(dataDir, { recursive: true, force: true })
  })
  const { key } = makeKey()
  const env = { DATABASE_URL: postgres.url, BOOTSTRAP_API_KEY: key, REQUESTS_PER_MINUTE: '1000000' }
  const service = runningService(key)
  let process = await startProcess(t, env)
  service.begins(process)

  let isOver = false
  const writers = Array.from({ length: 8 }, (_, number) => write(service, number, () => isOver))
  const latest = async (): Promise<number> => JSON.parse((await service.ask('GET', '/v1/events?limit=1')).text).latest
  await until(async () => (await latest()) > 40)
  const mirror = new Mirror()
  await mirror.begin(service)
  t.ok(mirror.records.size > 0)
  const reader = (async () => {
    for (let isAtEnd = false; !isOver || !isAtEnd; ) isAtEnd = await mirror.read(service)
  })()

  for (let turn = 0; turn < Math.max(kills, crashes); turn += 1) {
    if (turn < kills) {
      const before = await latest()
      await until(async () => (await latest()) > before + 30)
      service.ends()
      t.equal(await process.end('SIGKILL'), null)
      process = await startProcess(t, env)
      service.begins(process)
    }
    if (turn < crashes) await crash(postgres.url, latest)
  }
  const before = await latest()
  await until(async () => (await latest()) > before + 30)
  isOver = true
  await Promise.all(writers)
  await reader
  await mirror.read(service)

  const first = mirror.sequences[0] as number
  t.same(
    mirror.sequences,
    mirror.sequences.map((_, at) => first + at),
    'each event once, in order, none missing',
  )
  t.equal(mirror.sequences.at(-1), await latest())
  let compared = 0
  for (const table of tables) {
    const { rows } = await exported(service, table)
    for (const row of rows) {
      const mirrored = mirror.records.get(row.id)
      const shared = Object.keys(row).filter((name) => mirrored && name in mirrored)
      const [a, b] = [row, mirrored ?? {}].map((record) =>
        Object.fromEntries(shared.filter((name) => isScalar(row[name])).map((name) => [name, record[name]])),
      )
      if (!t.same(a, b, `${table} ${row.id}`)) break
      t.ok(shared.length > 5)
      mirror.records.delete(row.id)
      compared += 1
    }
  }
  const left = [...mirror.records.values()].filter((record) => !('function' in record))
  t.same(left, [], 'and nothing else')
  t.comment(`${mirror.sequences.length} events, ${compared} records`)
  await gapless(postgres.url, t)
  t.equal(await process.end(), 0)
})

async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}

/** Kills a connection's process in the middle of its work: Postgres ends all others, and begins anew from its log. */
async function crash(url: string, latest: () => Promise<number>): Promise<void> {
  await connected(url, async (client) => {
    const { rows } = await client.query(`select pid from pg_stat_activity where application_name = 'beide' limit 1`)
    globalThis.process.kill(rows[0].pid, 'SIGKILL')
  }).catch(() => {})
  await until(() =>
    connected(url, (client) => client.query('select 1')).then(
      () => true,
      () => false,
    ),
  )
  const before = await latest()
  await until(async () => (await latest()) > before + 20)
}

async function gapless(url: string, test: Test): Promise<void> {
  const rows = await connected(url, (client) =>
    client.query<{ count: string; last: string; counted: string }>(`
      select count(*) as count, max(sequence) as last, (select max(event_sequence) from tenant_counters) as counted
      from events`),
  )
  const { count, last, counted } = rows.rows[0] as { count: string; last: string; counted: string }
  test.same([count, last], [counted, counted], 'the sequence has no gap')
}
