import t from 'tap'
import { startService } from './support/harness.ts'
import { isProblem } from './support/problem.ts'

const path = '/v1/organisations'
const service = await startService(t, { corsOrigins: ['https://portal.example'] })

t.test('a request id is taken over where it is sane, else made', async (t) => {
  const sent = async (id: string) =>
    (await service.get(path, { headers: { 'x-request-id': id } })).headers['x-request-id']
  for (const id of ['abc', '0190a6c5-0000-7000-8000-000000000000', 'a.b:c_d-e', 'x'.repeat(100)])
    t.equal(await sent(id), id)
  for (const id of ['', 'a b', 'x'.repeat(101), '{"a":1}', 'a;b', '<script>', 'é']) {
    t.match(await sent(id), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f-]{17}$/, `${id} is not taken over`)
  }
  t.not(await sent(''), await sent(''), 'each has its own')
  for (const address of ['/health/live', '/nothing', '/v1/organisations/%zz', '/metrics', '/docs', `${path}?q=%00`]) {
    const answer = await service.get(address, { headers: { 'x-request-id': 'mine' } })
    t.equal(answer.headers['x-request-id'], 'mine', address)
  }
})

t.test('every answer carries what keeps a browser from guessing', async (t) => {
  for (const address of [path, '/nothing', '/health/live', '/problems/stale', '/openapi.json']) {
    const { headers } = await service.get(address)
    t.equal(headers['x-content-type-options'], 'nosniff', address)
    t.match(headers['strict-transport-security'], /^max-age=\d{7,}/)
    t.equal(headers['x-frame-options'], 'SAMEORIGIN')
    t.equal(headers['x-powered-by'], undefined)
    t.equal(headers['server'], undefined)
  }
})

t.test('a page of an allowed origin may call and read what it needs', async (t) => {
  const headers = { origin: 'https://portal.example' }
  for (const answer of [
    await service.get(path, { headers }),
    await service.get('/v1/nothing', { headers }),
    await service.get(path, { headers, key: null }),
  ]) {
    t.equal(answer.headers['access-control-allow-origin'], 'https://portal.example')
    t.match(answer.headers['vary'], /Origin/)
    const exposed = answer.headers['access-control-expose-headers']?.split(', ') ?? []
    for (const name of ['ETag', 'Link', 'Location', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'X-Request-Id']) {
      t.ok(exposed.includes(name), name)
    }
  }
  const other = await service.get(path, { headers: { origin: 'https://elsewhere.example' } })
  t.equal(other.headers['access-control-allow-origin'], undefined)
  t.equal((await service.get(path, { headers })).headers['access-control-allow-credentials'], undefined)
})

t.test('a preflight request needs no credential and names what may follow', async (t) => {
  const { id } = await service.make(path, { name: 'One', sector: 'other' })
  const preflight = await service.call('OPTIONS', `${path}/${id}`, undefined, {
    key: null,
    headers: {
      origin: 'https://portal.example',
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': 'authorization, content-type, if-match',
    },
  })
  t.equal(preflight.status, 204)
  t.equal(preflight.headers['access-control-allow-origin'], 'https://portal.example')
  t.match(preflight.headers['access-control-allow-methods'], /PATCH/)
  t.match(preflight.headers['access-control-allow-headers'], /Authorization, Content-Type, .*If-Match/)
  t.equal(preflight.headers['access-control-max-age'], '86400')
  const elsewhere = await service.call('OPTIONS', path, undefined, {
    key: null,
    headers: { origin: 'https://elsewhere.example', 'access-control-request-method': 'GET' },
  })
  t.equal(elsewhere.headers['access-control-allow-origin'], undefined)
})

t.test('every origin is allowed where none is named', async (t) => {
  const open = await startService(t)
  const answer = await open.get(path, { headers: { origin: 'https://any.example' } })
  t.equal(answer.headers['access-control-allow-origin'], '*')
})

t.test('each credential has a limit of its own, is told of it, and is refused beyond it', async (t) => {
  const limited = await startService(t, { requestsPerMinute: 5 })
  const [key, other] = [await limited.keyWith(['organisations:read']), await limited.keyWith(['organisations:read'])]
  for (const left of [4, 3, 2, 1, 0]) {
    const answer = await limited.get(path, { key })
    t.equal(answer.status, 200)
    t.equal(answer.headers['ratelimit-policy'], '"default";q=5;w=60')
    t.match(answer.headers['ratelimit'], new RegExp(`^"default";r=${left};t=([1-9]|[1-5]\\d|60)$`))
  }
  const refused = await limited.get(path, { key })
  isProblem(t, refused, 'rate_limited')
  t.match(refused.headers['ratelimit'], /^"default";r=0;t=\d+$/)
  t.match(refused.headers['retry-after'], /^([1-9]|[1-5]\d|60)$/)
  t.equal((await limited.get(path, { key: other })).status, 200, 'another credential is not touched')
  t.equal((await limited.get('/health/live')).status, 200, 'nor is what needs no credential')
})

t.test('guessing credentials is limited by address', async (t) => {
  const limited = await startService(t, { requestsPerMinute: 5 })
  const guess = async (at: number) =>
    limited.get(path, { key: `beide_${String(at).padStart(12, '0')}_${'a'.repeat(43)}` })
  for (const at of [1, 2, 3, 4, 5]) isProblem(t, await guess(at), 'unauthenticated')
  const refused = await guess(6)
  isProblem(t, refused, 'rate_limited')
  t.match(refused.headers['retry-after'], /^\d+$/)
  t.equal((await limited.get(path)).status, 200, 'a good credential from the same address is not shut out')
})

t.test('a tenant with many credentials leaves room for the others', async (t) => {
  const limited = await startService(t, { tenantRequestsPerMinute: 3 })
  const other = await limited.otherTenant('beside it')
  const keys = [
    limited.key,
    await limited.keyWith(['organisations:read']),
    await limited.keyWith(['organisations:read']),
  ]
  for (const key of keys) t.equal((await limited.get('/v1/organisations', { key })).status, 200)
  const exceeded = await limited.get('/v1/organisations', { key: keys[1] as string })
  t.match(exceeded, { status: 429, body: { code: 'rate_limited', detail: /of your tenant together/ } })
  t.match(exceeded.headers['retry-after'], /^\d+$/)
  t.equal((await limited.get('/v1/organisations', { key: other.key })).status, 200)
})
