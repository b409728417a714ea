import { readFile } from 'node:fs/promises'
import { pino } from 'pino'
import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { asOwner } from '../src/db/tenants.ts'
import { eventVerbs } from '../src/platform/event-types.ts'
import { expireEvents } from '../src/platform/housekeeping.ts'
import { type Answer, type Json, type Service, startService } from './support/harness.ts'
import { isProblem } from './support/problem.ts'

/** How many wait for the feed at once. */
const waiters = Number(process.env['FEED_WAITERS'] ?? 300)
/** Within this all of them are answered, also on a machine that does much else (milliseconds). */
const answeredWithin = 5000 + 10 * waiters

const path = '/v1/organisations'
const charity = (name: string) => ({ name, sector: 'non_profit' })
const feed = (service: Service, query: string, key?: string) =>
  service.get(`/v1/events?${query}`, key === undefined ? {} : { key })

/** The connections that the service holds to its database. */
async function connections(service: Service): Promise<number> {
  return asOwner(service.url, async (owner) => {
    const found = await owner.query(
      `select from pg_stat_activity where datname = current_database() and application_name like 'beide%'
         and pid <> pg_backend_pid() and application_name <> 'beide set-up'`,
    )
    return found.rowCount ?? 0
  })
}

t.test('each change is an event with the record as it was then', async (t) => {
  const service = await startService(t)
  const made = await service.call('POST', path, charity('One'))
  const at = `${path}/${made.body.id}`
  const changed = await service.call('PATCH', at, { name: 'Two' }, { ifMatch: made.etag })
  await service.call('DELETE', at, undefined, { ifMatch: changed.etag })
  const { body } = await feed(service, 'after=0')
  t.match(body, { next_after: 3, latest: 3 })
  t.match(body.data, [
    { sequence: 1, type: 'organisation.created', version: 1, resource_id: made.body.id, resource_type: 'organisation' },
    { sequence: 2, type: 'organisation.updated', version: 2, changed: ['name'], actor: { type: 'api_key' } },
    { sequence: 3, type: 'organisation.deleted', version: 3, data: null, needs_scope: null },
  ])
  t.same(body.data[0].data, made.body)
  t.same(body.data[1].data, changed.body)
  t.equal(body.data[0].request_id, made.headers['x-request-id'])
  const other = await service.otherTenant('other')
  t.same((await feed(service, 'after=0', other.key)).body, { data: [], next_after: 0, latest: 0 })
})

t.test('a type that there is not is refused, and the nearest are named', async (t) => {
  const service = await startService(t)
  for (const [given, near] of [
    ['partnership.activaded', 'partnership.activated'],
    ['partnerships.*', 'partnership.*'],
    ['organisation.paused', 'organisation.*'],
  ]) {
    const asked = await feed(service, `types=organisation.created,${given}`)
    t.match(asked, { status: 400, body: { errors: [{ pointer: '?types/1', code: 'enum' }] } })
    t.match(asked.body.errors[0].detail, `"${near}"`)
    const body = { url: 'https://example.org', types: [given] }
    const made = await service.call('POST', '/v1/webhook-endpoints', body)
    t.match(made, { status: 400, body: { errors: [{ pointer: '/types/0', code: 'enum' }] } })
    t.match(made.body.errors[0].detail, `"${near}"`)
  }
})

t.test('pages and types: a filter moves on over what it lets out', async (t) => {
  const service = await startService(t)
  for (let at = 1; at <= 5; at += 1) await service.make(path, charity(`Charity ${at}`))
  const [first] = (await service.get(path)).body.data
  await service.call('DELETE', `${path}/${first.id}`, undefined, { ifMatch: '"1"' })
  const page = (await feed(service, 'after=1&limit=2')).body
  t.same(
    page.data.map((event: Json) => event.sequence),
    [2, 3],
  )
  t.equal(page.next_after, 3)
  const deleted = (await feed(service, 'types=organisation.deleted,commitment.*')).body
  t.same(
    deleted.data.map((event: Json) => event.sequence),
    [6],
  )
  t.match(deleted, { next_after: 6, latest: 6 })
  t.equal((await feed(service, 'types=organisation.*')).body.data.length, 6)
  t.match((await feed(service, 'types=partnership.*')).body, { data: [], next_after: 6 })
  for (const query of ['after=-1', 'after=x', 'limit=501', 'wait=61', 'types=organisation', 'types=*']) {
    t.equal((await feed(service, query)).status, 400, query)
  }
})

t.test('a reader sees of a record what its scopes let it read', async (t) => {
  const service = await startService(t)
  const made = await service.make(path, charity('One'))
  const blind = await service.keyWith(['events:read'])
  const seeing = await service.keyWith(['events:read', 'organisations:read'])
  const [withheld] = (await feed(service, 'after=0', blind)).body.data
  t.match(withheld, { resource_id: made.id, data: null, needs_scope: 'organisations:read' })
  const [shown] = (await feed(service, 'after=0', seeing)).body.data
  t.same(shown.data, made)
  t.equal(shown.needs_scope, null)
  const none = await service.keyWith(['organisations:read'])
  t.equal((await feed(service, 'after=0', none)).status, 403)
  await service.make('/v1/api-keys', { name: 'x', scopes: ['organisations:read'] })
  const keys = (await feed(service, 'types=api_key.*', seeing)).body.data
  t.match(keys, [{ data: null, needs_scope: 'admin' }], 'what has no scope of its own is for admin')
})

t.test('what is older than kept is gone, and the answer says how to start again', async (t) => {
  const clock = fixedClock('2026-03-01T12:00:00Z')
  const service = await startService(t, { clock })
  const expire = () =>
    expireEvents(90).run({
      database: service.database,
      clock,
      log: pino({ level: 'silent' }),
      signal: new AbortController().signal,
    })
  for (const name of ['One', 'Two']) await service.make(path, charity(name))
  clock.advance(60 * 86_400_000)
  await service.make(path, charity('Three'))
  clock.advance(30 * 86_400_000)
  await expire()
  t.equal((await feed(service, 'after=0')).body.data.length, 3, 'of exactly 90 days: kept')
  clock.advance(1)
  await expire()
  for (const after of [0, 1]) {
    const gone = await feed(service, `after=${after}`)
    t.equal(gone.status, 410)
    t.match(gone.body, { code: 'gone', oldest_after: 2, latest: 3, detail: /export/ })
  }
  t.equal((await feed(service, 'after=2')).body.data.length, 1)
  const beyond = await feed(service, 'after=4')
  t.equal(beyond.status, 410)
  t.match(beyond.body.detail, /never reached/)
  clock.advance(90 * 86_400_000)
  await expire()
  t.equal((await feed(service, 'after=2')).status, 410)
  t.match((await feed(service, 'after=3')).body, { data: [], next_after: 3 }, 'the end is always there')
})

t.test('who waits is answered when something happens, and when the time is over', async (t) => {
  const service = await startService(t)
  const other = await service.otherTenant('other')
  const waiting = feed(service, 'after=0&wait=60')
  await service.make(path, charity('Elsewhere'), { key: other.key })
  const made = await service.make(path, charity('Here'))
  t.same(
    (await waiting).body.data.map((event: Json) => event.data),
    [made],
  )
  const begun = performance.now()
  const nothing = await feed(service, 'after=1&wait=1')
  t.match(nothing.body, { data: [], next_after: 1 })
  t.ok(performance.now() - begun >= 990)
  const filtered = feed(service, 'after=1&wait=60&types=organisation.deleted')
  await service.make(path, charity('Not this'))
  await service.call('DELETE', `${path}/${made.id}`, undefined, { ifMatch: '"1"' })
  t.same(
    (await filtered).body.data.map((event: Json) => event.sequence),
    [3],
  )
})

t.test('who waits is let go when the service stops', async (t) => {
  const draining = new AbortController()
  const service = await startService(t, { draining: draining.signal })
  const waiting = [feed(service, 'wait=60'), feed(service, 'wait=60')]
  draining.abort()
  for (const { status, body } of await Promise.all(waiting))
    t.match({ status, body }, { status: 200, body: { data: [] } })
})

t.test('the connection that hears may be lost: who waits is still told', async (t) => {
  const service = await startService(t)
  const { key } = await service.otherTenant('other')
  await feed(service, 'wait=1', key)
  const waiting = feed(service, 'after=0&wait=60')
  await asOwner(service.url, async (owner) => {
    const killed = await owner.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'beide feed'`,
    )
    t.equal(killed.rowCount, 1)
  })
  const made = await service.make(path, charity('One'))
  t.same((await waiting).body.data[0].data, made)
})

t.test(`${waiters} who wait cost less than five connections, and all see the event soon`, async (t) => {
  const service = await startService(t)
  const waiting = Array.from({ length: waiters }, () => feed(service, 'after=0&wait=60'))
  // The last of them is waiting when a read that begins after it has been answered.
  await feed(service, 'after=0')
  const count = await connections(service)
  t.ok(count < 5, `${count} connections`)
  const made = await service.make(path, charity('One'))
  const committed = performance.now()
  const answers: Answer[] = await Promise.all(waiting)
  const took = Math.round(performance.now() - committed)
  t.comment(`all ${waiters} answered ${took} ms after the commit, ${count} connections`)
  t.ok(took < answeredWithin, `${took} ms`)
  for (const { body } of answers)
    t.same(
      body.data.map((event: Json) => event.data.id),
      [made.id],
    )
})

t.test('a mirror made of the feed alone equals the database, under eight writers at once', async (t) => {
  const service = await startService(t)
  const rounds = 12
  let isWriting = true
  const mirror = new Map<string, Json>()
  const sequences: number[] = []

  const reader = (async () => {
    for (let after = 0; ; ) {
      const { body } = await feed(service, `after=${after}&limit=50&wait=${isWriting ? 1 : 0}`)
      for (const event of body.data) {
        sequences.push(event.sequence)
        if (event.type.endsWith('.deleted')) mirror.delete(event.resource_id)
        else mirror.set(event.resource_id, event.data)
      }
      after = body.next_after
      if (!isWriting && body.data.length === 0) return
    }
  })()

  const writer = async (number: number) => {
    for (let round = 0; round < rounds; round += 1) {
      const made = await service.call('POST', path, charity(`Charity ${number}.${round}`))
      const at = `${path}/${made.body.id}`
      const patched = await service.call('PATCH', at, { name: `Changed ${number}.${round}` }, { ifMatch: made.etag })
      if (round % 3 === 0) await service.call('DELETE', at, undefined, { ifMatch: patched.etag })
      else if (round % 3 === 1)
        await service.call('PUT', `${path}/by-ref/crm/shared`, charity(`Shared ${number}.${round}`))
    }
  }
  await Promise.all(Array.from({ length: 8 }, (_, number) => writer(number)))
  isWriting = false
  await reader

  t.same(
    sequences,
    Array.from({ length: sequences.length }, (_, at) => at + 1),
    'each once, in order, none missing',
  )
  const records = (await service.get(`${path}?limit=200`)).body.data
  t.same([...mirror.values()].sort(byId), records.sort(byId))
})

t.test('the types of events are those that the guide lists, and no other can be asked for', async (t) => {
  const service = await startService(t)
  const guide = await readFile(new URL('../docs/integrating.md', import.meta.url), 'utf8')
  for (const [type, verbs] of Object.entries(eventVerbs)) {
    const [, told = ''] = new RegExp(`^\\| \`${type}\` +\\|(.*)\\|$`, 'm').exec(guide) ?? []
    t.same(
      [...told.matchAll(/`(\w+)`/g)].map(([, verb]) => verb),
      verbs,
      type,
    )
  }
  for (const types of ['partnership.activaded', 'partnerships.*', 'partnership.*,partner.*']) {
    isProblem(t, await feed(service, `types=${types}`), 'invalid_request')
  }
  const hook = { url: 'https://crm.example.org/hook', types: ['partnership.*', 'partnerships.*'] }
  const refused = await service.call('POST', '/v1/webhook-endpoints', hook)
  isProblem(t, refused, 'invalid_request')
  t.equal(refused.body.errors[0].pointer, '/types/1')
})

const byId = (a: Json, b: Json) => (a.id < b.id ? -1 : 1)
