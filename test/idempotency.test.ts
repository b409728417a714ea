import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { canonicalJson } from '../src/core/canonical.ts'
import { fixedClock } from '../src/core/clock.ts'
import { asOwner, makeKey } from '../src/db/tenants.ts'
import { keyOf } from '../src/platform/idempotency.ts'
import { openAnswer, sealAnswer } from '../src/platform/idempotency-store.ts'
import { cloneDatabase } from './support/database.ts'
import { type Service, startService } from './support/harness.ts'
import { startProcess, until } from './support/process.ts'

/** How many POSTs are sent five times each while the process is killed: hundreds take a while. */
const posts = Number(process.env['IDEMPOTENT_POSTS'] ?? 40)

t.setTimeout(600_000)

/** One service; each test has a tenant of its own. */
const suite = await startService(t)

const path = '/v1/organisations'
const charity = (name: string) => ({ name, sector: 'non_profit' })
const under = (key: string) => ({ headers: { 'idempotency-key': key } })

async function total(service: Service): Promise<number> {
  return (await service.get(`${path}?include_total=true&limit=1`)).body.total
}

t.test('a repeated POST is answered as the first time, byte for byte, and done once', async (t) => {
  const service = await suite.afresh()
  const first = await service.call('POST', path, charity('One'), under('a-key'))
  t.equal(first.status, 201)
  t.notOk(first.headers['idempotent-replayed'])
  const patched = await service.call('PATCH', `${path}/${first.body.id}`, { name: 'Changed' }, { ifMatch: first.etag })
  t.equal(patched.status, 200)
  for (const spelling of ['a-key', '"a-key"', '  a-key ']) {
    const again = await service.call('POST', path, charity('One'), under(spelling))
    t.equal(again.status, 201)
    t.equal(again.text, first.text)
    t.equal(again.etag, first.etag)
    t.equal(again.headers['location'], first.headers['location'])
    t.equal(again.headers['content-type'], first.headers['content-type'])
    t.equal(again.headers['idempotent-replayed'], 'true')
  }
  const reordered = await service.call('POST', path, { sector: 'non_profit', name: 'One' }, under('a-key'))
  t.equal(reordered.text, first.text, 'the order of members does not matter')
  t.equal(await total(service), 1)
})

t.test('another request under the same key is refused', async (t) => {
  const service = await suite.afresh()
  await service.make(path, charity('One'), under('k'))
  const other = await service.call('POST', path, charity('Two'), under('k'))
  t.equal(other.status, 422)
  t.equal(other.body.code, 'key_reused')
  t.match(other.body.errors, [{ pointer: 'Idempotency-Key' }])
  const otherMatch = await service.call('POST', path, charity('One'), { ...under('k'), ifMatch: '"1"' })
  t.equal(otherMatch.body.code, 'key_reused', 'the precondition is a part of what is asked')
  t.equal(await total(service), 1)
})

t.test('a key belongs to one credential of one tenant', async (t) => {
  const service = await suite.afresh()
  const [second, other] = [await service.keyWith(['organisations:write']), await service.otherTenant('other')]
  const first = await service.call('POST', path, charity('One'), under('k'))
  const bySecond = await service.call('POST', path, charity('One'), { ...under('k'), key: second })
  const byOther = await service.call('POST', path, charity('One'), { ...under('k'), key: other.key })
  t.equal(new Set([first.body.id, bySecond.body.id, byOther.body.id]).size, 3)
  const narrow = await service.keyWith(['organisations:read'])
  t.equal((await service.call('POST', path, charity('One'), { ...under('k'), key: narrow })).status, 403)
})

t.test('a credential that has lost its scope sees no answer again', async (t) => {
  const service = await suite.afresh()
  const key = await service.keyWith(['organisations:write'])
  t.equal((await service.call('POST', path, charity('One'), { ...under('k'), key })).status, 201)
  await asOwner(service.url, async (owner) => {
    await owner.query(`update api_keys set scopes = '{organisations:read}' where name = 'narrow'`)
  })
  // What was looked up of a key is believed for a moment.
  await until(async () => (await service.call('POST', path, charity('One'), { ...under('k'), key })).status === 403)

  const taking = await service.keyWith(['partnerships:write', 'history:take_over'])
  const taken = { name: 'x', parties: [], taken_over: { on: '2026-01-01', from_system: 'tests' } }
  const take = () => service.call('POST', '/v1/partnerships', taken, { ...under('t'), key: taking })
  t.equal((await take()).status, 201)
  await asOwner(service.url, async (owner) => {
    await owner.query(`update api_keys set scopes = '{partnerships:write}' where 'history:take_over' = any (scopes)`)
  })
  await until(async () => (await take()).status === 403)
})

t.test('while the first is being worked on, the second is told to come back', async (t) => {
  const service = await suite.afresh()
  const { release, first } = await asOwner(service.url, async (owner) => {
    // The first waits for the tenant's counter, which this transaction holds.
    await owner.query('select from tenant_counters where tenant_id = $1 for update', [service.tenantId])
    const first = service.call('POST', path, charity('Slow'), under('k'))
    for (;;) {
      // The view shows one moment to a transaction, unless it is told to look again.
      await owner.query('select pg_stat_clear_snapshot()')
      const waiting = await owner.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
      if (waiting.rowCount) break
    }
    const second = await service.call('POST', path, charity('Slow'), under('k'))
    t.equal(second.status, 409)
    t.equal(second.body.code, 'key_in_flight')
    t.equal(second.headers['retry-after'], '1')
    return { release: true, first }
  })
  t.ok(release)
  t.equal((await first).status, 201)
  const third = await service.call('POST', path, charity('Slow'), under('k'))
  t.equal(third.text, (await first).text)
  t.equal(await total(service), 1)
})

t.test('a refusal is not kept: the same request is judged anew', async (t) => {
  const service = await suite.afresh()
  const kvk = { ...charity('Two'), identifiers: [{ scheme: 'NL-KVK', value: '12345678' }] }
  const holder = await service.call('POST', path, { ...kvk, name: 'One' })
  const refused = await service.call('POST', path, kvk, under('k'))
  t.equal(refused.status, 409)
  await service.call('PATCH', holder.headers['location'] ?? '', { identifiers: [] }, { ifMatch: holder.etag })
  const allowed = await service.call('POST', path, kvk, under('k'))
  t.equal(allowed.status, 201)
  t.notOk(allowed.headers['idempotent-replayed'])
  const invalid = await service.call('POST', path, { name: 'x' }, under('k2'))
  t.equal(invalid.status, 400)
  t.equal((await service.call('POST', path, charity('x'), under('k2'))).status, 201)
})

t.test('a key that is none is refused with its form', async (t) => {
  const service = await suite.afresh()
  for (const key of ['', '""', 'é', 'a"b', `"a"b"`, 'x'.repeat(256)]) {
    const answer = await service.call('POST', path, charity('One'), under(key))
    t.equal(answer.status, 400, JSON.stringify(key))
    t.match(answer.body.errors, [{ pointer: 'Idempotency-Key', code: 'form' }])
  }
  t.equal(keyOf('"a \\"b\\" \\\\"'), 'a "b" \\')
  t.equal(keyOf('x'.repeat(255)).length, 255)
})

t.test('a key is forgotten after 48 hours', async (t) => {
  const clock = fixedClock('2026-03-01T12:00:00Z')
  const service = await startService(t, { clock })
  const first = await service.make(path, charity('One'), under('k'))
  clock.advance(48 * 3_600_000 - 1)
  t.equal((await service.make(path, charity('One'), under('k'))).id, first.id)
  clock.advance(1)
  const second = await service.make(path, charity('Two'), under('k'))
  t.not(second.id, first.id)
  t.equal((await service.make(path, charity('Two'), under('k'))).id, second.id)
  clock.advance(48 * 3_600_000)
  const expire = () =>
    service.database.outside<{ n: number }>({
      text: 'select expire_idempotency_keys($1, 1000) as n',
      values: [clock.now()],
    })
  t.same(await expire(), [{ n: 1 }])
  t.same(await expire(), [{ n: 0 }])
})

t.test('an answer that shows a secret is replayed, yet the secret is not kept in clear', async (t) => {
  const service = await suite.afresh()
  const body = { name: 'integration', scopes: ['organisations:read'] }
  const first = await service.call('POST', '/v1/api-keys', body, under('k'))
  t.equal(first.status, 201)
  const again = await service.call('POST', '/v1/api-keys', body, under('k'))
  t.equal(again.text, first.text)
  t.equal(again.headers['cache-control'], 'no-store')
  const stored = await asOwner(service.url, (owner) =>
    owner.query('select body from idempotency_keys where tenant_id = $1', [service.tenantId]),
  )
  const secret = first.body.key.split('_')[2]
  t.equal(stored.rowCount, 1)
  t.notOk(stored.rows[0].body.includes(secret))
})

t.test('an answer that shows a secret is not shown to another secret, and nothing is done twice', async (t) => {
  const service = await suite.afresh()
  const { id, key } = await service.make('/v1/api-keys', { name: 'integration', scopes: ['admin'] })
  const body = { name: 'narrow', scopes: ['organisations:read'] }
  const make = (secret: string) => service.call('POST', '/v1/api-keys', body, { ...under('k'), key: secret })
  const first = await make(key)
  const previous_valid_until = new Date(Date.now() + 3_600_000).toISOString()
  const rotated = await service.make(`/v1/api-keys/${id}/rotate`, { previous_valid_until })
  await until(async () => (await service.get('/v1/api-keys', { key: rotated.key })).status === 200)
  const refused = await make(rotated.key)
  t.match(refused, { status: 409, body: { code: 'answer_sealed', location: first.headers['location'] } })
  t.equal((await make(key)).text, first.text, 'the secret that asked first opens it')
  const { data } = (await service.get('/v1/api-keys')).body
  t.equal(data.filter(({ name }: { name: string }) => name === 'narrow').length, 1)
})

t.test('every POST that changes something documents the key', async (t) => {
  const { document } = suite
  for (const [url, operations] of Object.entries<Record<string, { parameters?: { name: string }[] }>>(document.paths)) {
    const names = operations['post']?.parameters?.map(({ name }) => name) ?? []
    if (operations['post'] && url.startsWith('/v1')) {
      // Without a credential there is nobody whose key it could be.
      const takesNone = /\/(lookup|merge-preview)$|^\/v1\/answers\//.test(url)
      t.equal(names.includes('Idempotency-Key'), !takesNone, `${url}: all but those that only read`)
    }
    for (const method of ['get', 'patch', 'put', 'delete']) {
      t.notOk(
        operations[method]?.parameters?.some(({ name }) => name === 'Idempotency-Key'),
        `${method} ${url}`,
      )
    }
  }
})

t.test('canonical JSON is one spelling for what is equal, and keeps apart what is not', async () => {
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([name, member]) => [name, shuffled(member)]),
    )
  }
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const text = canonicalJson(a)
      return (
        text === canonicalJson(shuffled(a)) &&
        canonicalJson(JSON.parse(text)) === text &&
        (text === canonicalJson(b)) === (canonicalJson(JSON.parse(JSON.stringify(b))) === text)
      )
    }),
  )
})

t.test('an answer with a secret can be opened by its credential alone', async (t) => {
  const sealed = sealAnswer('Bearer one', 'k', '{"secret":"s"}')
  t.notOk(sealed.includes('secret'))
  t.equal(openAnswer('Bearer one', 'k', sealed), '{"secret":"s"}')
  t.throws(() => openAnswer('Bearer two', 'k', sealed))
})

t.test(`of ${posts} POSTs, each sent five times at once, with a kill -9 in between, each has one effect`, async (t) => {
  const url = await cloneDatabase(t)
  const { key } = makeKey()
  const env = { DATABASE_URL: url, BOOTSTRAP_API_KEY: key }
  let service = await startProcess(t, env)
  let answered = 0
  // With three tenths of all answers given, much is on its way and much is still to come.
  const killAt = Math.ceil(posts * 1.5)
  let killed: Promise<void> | undefined

  async function send(body: object, idempotencyKey: string): Promise<string> {
    for (;;) {
      const headers = {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'idempotency-key': idempotencyKey,
      }
      const { url: address } = service
      const answer = await fetch(`${address}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
        .then(async (response) => ({ status: response.status, text: await response.text() }))
        .catch(() => undefined)
      if (answer?.status === 201) {
        answered += 1
        if (answered === killAt) {
          killed = service.end('SIGKILL').then(async () => {
            service = await startProcess(t, env)
          })
        }
        return answer.text
      }
      if (answer && ![409, 503].includes(answer.status)) throw new Error(answer.text)
      await killed
      // Thirty that ask again without a pause keep the one that works from its work.
      await pause(20)
    }
  }

  const requests = Array.from({ length: posts }, (_, at) => ({ body: charity(`Charity ${at}`), key: randomUUID() }))
  const queue = [...requests]
  const texts: string[] = []
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { body, key } = next
      const answers = await Promise.all(Array.from({ length: 5 }, () => send(body, key)))
      t.equal(new Set(answers).size, 1, 'all five are byte-equal')
      texts.push(answers[0] as string)
    }
  }
  await Promise.all(Array.from({ length: 6 }, worker))
  t.ok(killed)
  await asOwner(url, async (owner) => {
    const stored = await owner.query<{ id: string; name: string }>('select id, name from organisations order by name')
    t.equal(stored.rowCount, posts)
    const ids = texts.map((text) => JSON.parse(text).id).sort()
    t.same(stored.rows.map((row) => row.id).sort(), ids, 'every answered effect is there')
    const events = await owner.query('select sequence from events order by sequence')
    t.same(
      events.rows.map((row) => Number(row.sequence)),
      Array.from({ length: posts }, (_, at) => at + 1),
    )
  })
  t.equal(await service.end(), 0)
})
