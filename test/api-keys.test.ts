import t, { type Test } from 'tap'
import { buildApp } from '../src/app.ts'
import { fixedClock, systemClock } from '../src/core/clock.ts'
import { Problem } from '../src/core/problem.ts'
import { connectDatabase, wholeTenant } from '../src/db/database.ts'
import { makeOutbound } from '../src/platform/outbound.ts'
import { secretBox } from '../src/platform/secrets.ts'
import { eventSignals } from '../src/platform/signals.ts'
import { createApiKey } from '../src/resources/api-keys/commands.ts'
import { type Service, startService } from './support/harness.ts'
import { tablesWith } from './support/rows-with.ts'

const shared = await startService(t)
const wanted = { name: 'Salesforce', scopes: ['organisations:read'] }

t.test('a key is shown once, works, and its secret is nowhere in the database', async (t) => {
  const service = await shared.afresh()
  const made = await service.call('POST', '/v1/api-keys', wanted)
  t.equal(made.status, 201)
  t.equal(made.headers['location'], `/v1/api-keys/${made.body.id}`)
  t.equal(made.headers['cache-control'], 'no-store')
  const { key, ...shown } = made.body
  t.match(key, /^beide_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}$/)
  t.ok(key.startsWith(`${shown.prefix}_`))
  t.match(shown, { ...wanted, version: 1, expires_at: null, revoked_at: null, last_used_at: null })
  const read = await service.get(`/v1/api-keys/${shown.id}`)
  t.same(read.body, shown)
  t.equal(read.headers['etag'], undefined, 'last use moves without a version')
  t.equal((await service.get('/v1/organisations', { key })).status, 200)
  const secret = key.split('_')[2]
  t.same(await tablesWith(service, secret), [])
  t.ok((await tablesWith(service, shown.prefix)).includes('public.api_keys'), 'the search finds what is there')
})

t.test('keys are listed and found by their prefix, without secret or hash', async (t) => {
  const service = await shared.afresh()
  const one = await service.make('/v1/api-keys', wanted)
  await service.make('/v1/api-keys', { ...wanted, name: 'n8n' })
  const all = await service.get('/v1/api-keys?sort=-created_at')
  t.same(
    all.body.data.map((apiKey: { name: string }) => apiKey.name),
    ['n8n', 'Salesforce', 'tests'],
  )
  const found = await service.get(`/v1/api-keys?prefix=${one.prefix}`)
  t.same(
    found.body.data.map((apiKey: { id: string }) => apiKey.id),
    [one.id],
  )
  t.notOk(all.text.includes('hash'))
  t.equal(
    (await service.get(`/v1/api-keys?prefix=${one.key}`)).status,
    400,
    'a whole key does not belong in an address',
  )
  const { key } = await service.otherTenant('other')
  t.equal((await service.get(`/v1/api-keys?prefix=${one.prefix}`, { key })).body.data.length, 0)
})

t.test('a scope that there is not is named', async (t) => {
  const service = await shared.afresh()
  const bad = await service.call('POST', '/v1/api-keys', { scopes: ['organisations:read', 'everything'] })
  t.equal(bad.status, 400)
  t.match(bad.body.errors, [
    { pointer: '/name', code: 'required' },
    { pointer: '/scopes/1', code: 'enum', detail: /"everything".*"organisations:read"/ },
  ])
  t.match(await service.call('POST', '/v1/api-keys', { name: 'None', scopes: [] }), { status: 400 })
  t.match(await service.call('POST', '/v1/api-keys', { ...wanted, scopes: ['admin', 'admin'] }), { status: 400 })
})

t.test('nobody gives a scope that they lack', async (t) => {
  const service = await shared.afresh()
  const key = await service.keyWith(['organisations:read'])
  const refused = await service.call('POST', '/v1/api-keys', wanted, { key })
  t.match(refused, { status: 403, body: { code: 'forbidden', scope: 'admin' } })
  const caller = {
    ...wholeTenant(service.tenantId),
    actor: { type: 'system', id: null },
    scopes: ['organisations:read'],
    requestId: 'test',
    now: systemClock.now(),
  } as const
  const made = service.database.write(caller, (tx) =>
    createApiKey(tx, { name: 'More', scopes: ['organisations:read', 'exports:run'] }),
  )
  const fault = await made.catch((error: Problem) => error)
  t.ok(fault instanceof Problem)
  t.match(fault, { code: 'rule_violated', errors: [{ pointer: '/scopes/1', code: 'beyond_own' }] })
})

t.test('a key works until the instant that it expires', async (t) => {
  const clock = fixedClock('2026-03-01T12:00:00Z')
  const service = await startService(t, { clock })
  const past = await service.call('POST', '/v1/api-keys', { ...wanted, expires_at: '2026-03-01T12:00:00Z' })
  t.match(past, { status: 422, body: { errors: [{ pointer: '/expires_at', code: 'in_past' }] } })
  const { key } = await service.make('/v1/api-keys', { ...wanted, expires_at: '2026-03-01T14:00:00+01:00' })
  clock.set('2026-03-01T12:59:59.999Z')
  t.equal((await service.get('/v1/organisations', { key })).status, 200)
  clock.set('2026-03-01T13:00:00Z')
  t.match(await service.get('/v1/organisations', { key }), { status: 401, body: { code: 'unauthenticated' } })
})

/** A second process of the service, on the same database. */
async function secondProcess(t: Test, service: Service) {
  const database = connectDatabase({
    url: service.url,
    size: 2,
    statementTimeoutMs: 20_000,
    connectTimeoutMs: 20_000,
    onError: () => {},
  })
  const signals = eventSignals({ url: service.url, onError: () => {} })
  const app = await buildApp({
    database,
    signals,
    webhooks: { outbound: makeOutbound({ allowPrivate: false }), box: secretBox([]) },
    clock: systemClock,
    logger: undefined,
    publicUrl: 'http://127.0.0.1:3000',
    bodyLimitBytes: 1_048_576,
    requestsPerMinute: 1_000_000,
    corsOrigins: true,
    trustProxy: false,
    eventLoopDelayMaxMs: 60_000,
  })
  t.teardown(async () => {
    await app.close()
    await signals.close()
    await database.close()
  })
  return app
}

t.test('a revoked key stops on every process within a second', async (t) => {
  const service = await shared.afresh()
  const second = await secondProcess(t, service)
  const { id, key } = await service.make('/v1/api-keys', wanted)
  const there = async () => {
    const headers = { authorization: `Bearer ${key}` }
    return (await second.inject({ method: 'GET', url: '/v1/organisations', headers })).statusCode
  }
  const here = async () => (await service.get('/v1/organisations', { key })).status
  t.equal(await here(), 200)
  t.equal(await there(), 200)
  const revoked = await service.call('POST', `/v1/api-keys/${id}/revoke`)
  const since = performance.now()
  t.match(revoked, { status: 200, body: { version: 2, revoked_at: revoked.body.updated_at } })
  for (const [name, ask] of Object.entries({ here, there })) {
    let status = await ask()
    // Asked again and again, so that a key which is kept alive by its own use would be found.
    while (status === 200 && performance.now() - since < 5000) status = await ask()
    t.equal(status, 401, name)
  }
  t.ok(performance.now() - since < 1000, `${Math.round(performance.now() - since)} ms`)
  const again = await service.call('POST', `/v1/api-keys/${id}/revoke`)
  t.match(again, { status: 200, body: { version: 2, revoked_at: revoked.body.revoked_at } })
})

t.test('one key is replaced by another without a gap', async (t) => {
  const service = await shared.afresh()
  const old = await service.make('/v1/api-keys', wanted)
  const next = await service.make('/v1/api-keys', wanted)
  t.equal((await service.get('/v1/organisations', { key: old.key })).status, 200)
  t.equal((await service.get('/v1/organisations', { key: next.key })).status, 200)
  await service.call('POST', `/v1/api-keys/${old.id}/revoke`)
  t.equal((await service.get('/v1/organisations', { key: next.key })).status, 200)
})

t.test('the last use is noted once a minute, and only where the secret was right', async (t) => {
  const clock = fixedClock('2026-03-01T12:00:00Z')
  const service = await startService(t, { clock })
  const { id, key } = await service.make('/v1/api-keys', wanted)
  const lastUse = async () => Date.parse((await service.get(`/v1/api-keys/${id}`)).body.last_used_at)
  const stranger = `${key.slice(0, -3)}AAA`
  t.equal((await service.get('/v1/organisations', { key: stranger })).status, 401)
  t.ok(Number.isNaN(await lastUse()), 'not yet')
  await service.get('/v1/organisations', { key })
  t.equal(await lastUse(), Date.parse('2026-03-01T12:00:00Z'))
  clock.advance(59_000)
  await service.get('/v1/organisations', { key })
  t.equal(await lastUse(), Date.parse('2026-03-01T12:00:00Z'))
  clock.advance(1000)
  await service.get('/v1/organisations', { key })
  t.equal(await lastUse(), Date.parse('2026-03-01T12:01:00Z'))
  t.equal((await service.get(`/v1/api-keys/${id}`)).body.version, 1)
})

t.test('events of keys hold no secret', async (t) => {
  const service = await shared.afresh()
  const { id, key } = await service.make('/v1/api-keys', wanted)
  await service.call('POST', `/v1/api-keys/${id}/revoke`)
  const events = await service.database.read(service, (tx) =>
    tx.db
      .selectFrom('events')
      .select(['type', 'representation'])
      .where('tenant_id', '=', tx.tenantId)
      .where('resource_id', '=', id)
      .orderBy('sequence')
      .execute(),
  )
  t.match(events, [{ type: 'api_key.created' }, { type: 'api_key.revoked' }])
  t.notOk(JSON.stringify(events).includes(key.split('_')[2]))
  t.notOk(JSON.stringify(events).includes('secret_hash'))
})

t.test('a key gets another secret, and the old one opens as long as it was said', async (t) => {
  const clock = fixedClock('2026-03-01T12:00:00Z')
  const service = await startService(t, { clock })
  const made = await service.make('/v1/api-keys', wanted)
  const path = `/v1/api-keys/${made.id}/rotate`
  const ask = async (key: string) => (await service.get('/v1/organisations', { key })).status
  const settled = async (key: string, status: number) => {
    for (const end = performance.now() + 1000; performance.now() < end; ) if ((await ask(key)) === status) return true
    return false
  }
  const past = await service.call('POST', path, { previous_valid_until: '2026-03-01T12:00:00Z' })
  t.match(past, { status: 422, body: { errors: [{ pointer: '/previous_valid_until', code: 'in_past' }] } })
  const late = await service.call('POST', path, { previous_valid_until: '2026-06-01T12:00:00Z' })
  t.match(late, { status: 422, body: { errors: [{ pointer: '/previous_valid_until', code: 'too_late' }] } })

  const second = await service.call('POST', path, { previous_valid_until: '2026-03-02T12:00:00Z' })
  t.match(second, { status: 200, body: { id: made.id, prefix: made.prefix, version: 2 } })
  t.equal(second.headers['cache-control'], 'no-store')
  t.not(second.body.key, made.key)
  t.ok(await settled(second.body.key, 200), 'within a second on every process')
  t.equal(await ask(made.key), 200, 'two are live')
  t.equal(await ask(`${made.prefix}_${'A'.repeat(43)}`), 401)
  clock.set('2026-03-02T11:59:59.999Z')
  t.equal(await ask(made.key), 200)
  clock.set('2026-03-02T12:00:00Z')
  t.equal(await ask(made.key), 401, 'until the instant that was given')
  t.equal(await ask(second.body.key), 200)

  const third = await service.make(path, { previous_valid_until: '2026-03-03T12:00:00Z' })
  const fourth = await service.make(path, {})
  t.equal(fourth.previous_valid_until, null)
  t.ok(await settled(fourth.key, 200))
  t.same([await ask(third.key), await ask(second.body.key)], [401, 401], 'without an instant the old ones end at once')
  for (const { key } of [made, third, fourth]) t.same(await tablesWith(service, key.split('_')[2]), [])
  await service.make(`/v1/api-keys/${made.id}/revoke`, {})
  t.match(await service.call('POST', path, {}), { status: 409, body: { code: 'state_forbids' } })
  const short = await service.make('/v1/api-keys', { ...wanted, expires_at: '2026-03-02T13:00:00Z' })
  clock.set('2026-03-02T13:00:00Z')
  t.match(await service.call('POST', `/v1/api-keys/${short.id}/rotate`, {}), { status: 409 })
})

t.test('a key works from its own addresses alone, and the audit knows of the others', async (t) => {
  const service = await startService(t, { trustProxy: ['127.0.0.1', '10.0.0.0/8'] })
  const allowed_addresses = ['192.0.2.0/24', '2001:db8::/32', '198.51.100.7']
  const bad = await service.call('POST', '/v1/api-keys', {
    ...wanted,
    allowed_addresses: ['192.0.2.0/33', '10.0.0.0/8', 'example.org', '::1/129', '10.0.0.0/8/8'],
  })
  t.match(bad, { status: 422, body: { errors: [0, 2, 3, 4].map((at) => ({ pointer: `/allowed_addresses/${at}` })) } })
  const made = await service.make('/v1/api-keys', { ...wanted, allowed_addresses })
  t.same(made.allowed_addresses, allowed_addresses)
  const from = (address: string | undefined, key = made.key) =>
    service.get('/v1/organisations', { key, headers: address === undefined ? {} : { 'x-forwarded-for': address } })
  for (const address of [
    '192.0.2.1',
    '192.0.2.255',
    '::ffff:192.0.2.9',
    '2001:db8::1',
    '2001:DB8:ffff::',
    '198.51.100.7',
  ])
    t.equal((await from(address)).status, 200, address)
  t.equal((await from('203.0.113.9, 192.0.2.1, 10.1.2.3')).status, 200, 'as the trusted proxies tell it')
  for (const address of ['192.0.3.1', '2001:db9::1', '198.51.100.8', '192.0.2.1, 203.0.113.9', undefined, 'nonsense']) {
    const refused = await from(address)
    t.match(refused, { status: 403, body: { code: 'forbidden', detail: /may not be used from/ } }, String(address))
    t.notMatch(refused.text, '192.0.2.0/24', 'where it may be used is not told')
  }
  t.equal((await from('203.0.113.9', `${made.prefix}_${'A'.repeat(43)}`)).status, 401, 'a wrong secret is told nothing')
  const [wrong, denied] = (await service.get('/v1/audit?category=denial')).body.data
  t.match(wrong, { action: 'sign_in.failed', details: { reason: 'wrong_secret' } })
  t.match(denied, {
    action: 'access.denied',
    actor: { type: 'api_key', id: made.id },
    details: { reason: 'address', address: '192.0.3.1' },
  })
  const read = (await service.get(`/v1/api-keys/${made.id}`)).body
  t.ok(read.last_used_at !== null)
})

t.test('without a trusted proxy what a client says of its address counts for nothing', async (t) => {
  const service = await shared.afresh()
  const { key } = await service.make('/v1/api-keys', { ...wanted, allowed_addresses: ['192.0.2.0/24'] })
  const headers = { 'x-forwarded-for': '192.0.2.1' }
  t.match(await service.get('/v1/organisations', { key, headers }), { status: 403 })
})

t.test('the keys of a partner are found by its organisation, renewed and ended by staff', async (t) => {
  const service = await shared.afresh()
  const { id } = await service.make('/v1/organisations', { name: 'Partner', sector: 'company' })
  const own = await service.make('/v1/api-keys', { ...wanted, scopes: ['partnerships:read'], organisation_ids: [id] })
  await service.make('/v1/api-keys', wanted)
  const found = (await service.get(`/v1/api-keys?organisation_id=${id}`)).body.data
  t.same(
    found.map((apiKey: { id: string }) => apiKey.id),
    [own.id],
  )
  t.equal((await service.get('/v1/api-keys', { key: own.key })).status, 403, 'a partner manages none')
  t.equal((await service.call('POST', `/v1/api-keys/${own.id}/rotate`, {}, { key: own.key })).status, 403)
  const next = await service.make(`/v1/api-keys/${own.id}/rotate`, { previous_valid_until: null })
  t.same(next.organisation_ids, [id], 'it stays the partner’s')
  await service.make(`/v1/api-keys/${own.id}/revoke`, {})
})
