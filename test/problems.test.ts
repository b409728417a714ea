import type { AddressInfo } from 'node:net'
import t from 'tap'
import { type ProblemCode, problems } from '../src/core/problem.ts'
import { type CallOptions, type Json, type Service, startService } from './support/harness.ts'
import { isProblem } from './support/problem.ts'
import { sendRaw } from './support/wire.ts'

const path = '/v1/organisations'
const unknown = `${path}/0190a6c5-0000-7000-8000-000000000000`
const valid = { name: 'Stichting Voorbeeld', sector: 'non_profit' }

interface Refusal {
  what: string
  method: string
  path: string
  body?: unknown
  options?: CallOptions
  code: ProblemCode
  /** The pointers of the faults, where the problem names any. */
  at?: string[]
}

const refusals: Refusal[] = [
  { what: 'an unknown address', method: 'GET', path: '/nothing', code: 'unknown_route' },
  { what: 'an unknown address below /v1', method: 'GET', path: '/v1/nothing', code: 'unknown_route' },
  { what: 'a method the address does not know', method: 'DELETE', path, code: 'method_not_allowed' },
  { what: 'a page that is only read', method: 'POST', path: '/health/live', code: 'method_not_allowed' },
  { what: 'the contract, posted', method: 'POST', path: '/openapi.json', code: 'method_not_allowed' },
  {
    what: 'a known address without a credential',
    method: 'GET',
    path,
    options: { key: null },
    code: 'unauthenticated',
  },
  { what: 'a record that is not there', method: 'GET', path: unknown, code: 'not_found' },
  { what: 'an unknown kind of problem', method: 'GET', path: '/problems/none', code: 'not_found' },
  {
    what: 'a kind of problem with the name of an object’s own',
    method: 'GET',
    path: '/problems/constructor',
    code: 'not_found',
  },
  { what: 'an id that is none', method: 'GET', path: `${path}/7`, code: 'invalid_request', at: ['?id'] },
  { what: 'an address that cannot be decoded', method: 'GET', path: `${path}/%zz`, code: 'malformed_http' },
  { what: 'an address with NUL', method: 'GET', path: `${path}?q=%00`, code: 'invalid_request' },
  {
    what: 'a part of an address that is too long',
    method: 'GET',
    path: `${path}/by-ref/crm/${'x'.repeat(301)}`,
    code: 'uri_too_long',
  },
  {
    what: 'parameters that are unknown or wrong',
    method: 'GET',
    path: `${path}?colour=red&limit=0&sort=size&status=asleep`,
    code: 'invalid_request',
    at: ['?colour', '?limit', '?sort', '?status/0'],
  },
  {
    what: 'a parameter given twice',
    method: 'GET',
    path: `${path}?limit=1&limit=2`,
    code: 'invalid_request',
    at: ['?limit'],
  },
  { what: 'a body that is not JSON', method: 'POST', path, body: '{"name": ', code: 'bad_json' },
  {
    what: 'a body that is not UTF-8',
    method: 'POST',
    path,
    body: '\xff\xfe',
    options: { headers: { 'x-bytes': '1' } },
    code: 'bad_json',
  },
  {
    what: 'a member that would change what objects are',
    method: 'POST',
    path,
    body: '{"__proto__": {"admin": true}}',
    code: 'bad_json',
  },
  {
    what: 'names that stand twice in one object, however they are written',
    method: 'POST',
    path,
    body: '{"name": "a,\\"{", "sector": "other", "n\\u0061me": "b", "metadata": {"a": [{"b": 1}, {"b": 1, "b": {}}], "name": 1}}',
    code: 'invalid_request',
    at: ['/metadata/a/1/b', '/name'],
  },
  {
    what: 'a constructor in a body',
    method: 'POST',
    path,
    body: '{"constructor": {"prototype": {}}}',
    code: 'bad_json',
  },
  {
    what: 'a body that is nested without end',
    method: 'POST',
    path,
    body: `{"metadata": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    code: 'invalid_request',
  },
  {
    what: 'a body in another media type',
    method: 'POST',
    path,
    body: 'name=x',
    options: { type: 'application/x-www-form-urlencoded' },
    code: 'unsupported_media_type',
  },
  {
    what: 'a merge patch where none is taken',
    method: 'POST',
    path,
    body: valid,
    options: { type: 'application/merge-patch+json' },
    code: 'unsupported_media_type',
  },
  {
    what: 'a body that was packed',
    method: 'POST',
    path,
    body: valid,
    options: { headers: { 'content-encoding': 'br' } },
    code: 'unsupported_media_type',
  },
  {
    what: 'a body without a media type',
    method: 'POST',
    path,
    body: valid,
    options: { type: '' },
    code: 'unsupported_media_type',
  },
  {
    what: 'a body that is too large',
    method: 'POST',
    path,
    body: { ...valid, name: 'x'.repeat(1_100_000) },
    code: 'too_large',
  },
  { what: 'a body that is no object', method: 'POST', path, body: '[]', code: 'invalid_request', at: [''] },
  { what: 'a body that should not be empty', method: 'POST', path, code: 'invalid_request', at: ['/name', '/sector'] },
  {
    what: 'every fault of a body at once',
    method: 'POST',
    path,
    body: { name: 5, sector: 'shop', country: 'nl', colour: 'red', alternate_names: ['ok', ''], 'a/b~c': 1 },
    code: 'invalid_request',
    at: ['/alternate_names/1', '/a~1b~0c', '/colour', '/country', '/name', '/sector'],
  },
  {
    what: 'null where none is meant',
    method: 'POST',
    path,
    body: { ...valid, status: null },
    code: 'invalid_request',
    at: ['/status'],
  },
  {
    what: 'NUL in a text',
    method: 'POST',
    path,
    body: '{"name":"a\\u0000b","sector":"company","metadata":{"k":["\\u0000"]}}',
    code: 'invalid_request',
    at: ['/metadata/k/0', '/name'],
  },
  {
    what: 'half of a surrogate pair',
    method: 'POST',
    path,
    body: '{"name":"a\\ud800","sector":"company"}',
    code: 'invalid_request',
    at: ['/name'],
  },
  {
    what: 'a number that would be kept as null',
    method: 'POST',
    path,
    body: `{"name":"a","sector":"company","metadata":{"k":[1e308,-1E+400,1${'0'.repeat(309)}]}}`,
    code: 'invalid_request',
    at: ['/metadata/k/1', '/metadata/k/2'],
  },
  {
    what: 'NUL in the name of a member',
    method: 'POST',
    path,
    body: '{"name":"a","sector":"company","metadata":{"a\\u0000":1}}',
    code: 'invalid_request',
    at: ['/metadata'],
  },
  {
    what: 'a cursor of somebody’s own',
    method: 'GET',
    path: `${path}?cursor=abc`,
    code: 'invalid_cursor',
    at: ['?cursor'],
  },
  {
    what: 'a change without If-Match',
    method: 'PATCH',
    path: unknown,
    body: { name: 'x' },
    code: 'precondition_required',
  },
  {
    what: 'an empty change',
    method: 'PATCH',
    path: unknown,
    body: {},
    options: { ifMatch: '*' },
    code: 'invalid_request',
    at: [''],
  },
]

t.test('every refusal is a problem document', async (t) => {
  const service = await startService(t)
  for (const { what, method, path, body, options, code, at } of refusals) {
    await t.test(what, async (t) => {
      const answer = await send(service, method, path, body, options)
      isProblem(t, answer, code)
      if (at) t.same([...new Set(answer.body.errors.map((fault: { pointer: string }) => fault.pointer))].sort(), at)
      else t.notOk(answer.body.errors?.length === 0, 'no empty list of faults')
    })
  }
})

/** As the harness sends; a body of bytes that are no text cannot go through it. */
async function send(service: Service, method: string, url: string, body: unknown, options: CallOptions = {}) {
  if (options.headers?.['x-bytes'] === undefined && options.type !== '') return service.call(method, url, body, options)
  const response = await service.app.inject({
    method: method as 'POST',
    url,
    headers: {
      authorization: `Bearer ${service.key}`,
      ...(options.type === '' ? {} : { 'content-type': 'application/json' }),
    },
    payload: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body), 'latin1'),
  })
  return { status: response.statusCode, headers: response.headers as Record<string, string>, body: response.json() }
}

t.test('each kind of problem has its page', async (t) => {
  const service = await startService(t)
  for (const [code, { title, status }] of Object.entries(problems)) {
    const page = await service.get(`/problems/${code}`, { key: null })
    t.equal(page.status, 200)
    t.match(page.headers['content-type'], /^text\/html/)
    t.ok(page.text.includes(title) && page.text.includes(String(status)), code)
  }
})

t.test('an address that there is not is told at once, whatever the body holds', async (t) => {
  const service = await startService(t)
  for (const [body, type] of [
    ['x'.repeat(2_000_000), 'application/json'],
    ['{', 'application/json'],
    ['a,b', 'text/csv'],
  ] as const) {
    isProblem(t, await service.call('POST', '/v1/nothing', body, { type }), 'unknown_route')
  }
})

t.test('an address says which methods it knows', async (t) => {
  const service = await startService(t)
  const cases = [
    [path, 'GET, HEAD, OPTIONS, POST'],
    [unknown, 'DELETE, GET, HEAD, OPTIONS, PATCH'],
    [`${path}/by-ref/crm/1`, 'GET, HEAD, OPTIONS, PUT'],
    ['/v1/contacts/0190a6c5-0000-7000-8000-000000000000/erase', 'OPTIONS, POST'],
    // What is no id of a record, though it stands where one may.
    ['/v1/organisations/lookup', 'OPTIONS, POST'],
    ['/v1/organisations?limit=1', 'GET, HEAD, OPTIONS, POST'],
    ['/health/live', 'GET, HEAD, OPTIONS'],
    ['/metrics', 'GET, HEAD, OPTIONS'],
  ] as const
  for (const [address, allow] of cases) {
    const known = allow.split(', ')
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await service.call(method, address, undefined, { key: null })
      if (known.includes(method)) t.not(answer.status, 405, `${method} ${address}`)
      else t.match(answer, { status: 405, headers: { allow } }, `${method} ${address}`)
    }
    const strange = await service.app.inject({ method: 'PROPFIND' as 'GET', url: address, payload: '{' })
    t.match(strange, { statusCode: 405, headers: { allow } }, 'a method that the service has nowhere')
    const options = await service.call('OPTIONS', address, undefined, { key: null })
    t.match(options, { status: 204, headers: { allow }, text: '' }, `OPTIONS ${address}`)
  }
  isProblem(t, await service.call('OPTIONS', '/nothing'), 'unknown_route')
})

t.test('HEAD answers as GET does, without the body', async (t) => {
  const service = await startService(t)
  const { id } = await service.make(path, valid)
  for (const address of [path, `${path}/${id}`, unknown, '/health/live', '/openapi.json']) {
    const get = await service.get(address)
    const head = await service.call('HEAD', address)
    t.equal(head.status, get.status, address)
    t.equal(head.text, '')
    for (const name of ['content-type', 'etag', 'link']) t.equal(head.headers[name], get.headers[name], name)
    if (get.status === 200) t.equal(head.headers['content-length'], get.headers['content-length'])
  }
})

t.test('what cannot be read as HTTP is answered with a problem too', async (t) => {
  const service = await startService(t)
  await service.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = service.app.server.address() as AddressInfo
  const request = (...lines: string[]) => `${['GET /health/live HTTP/1.1', 'host: x', ...lines].join('\r\n')}\r\n\r\n`
  const cases: [string, string, ProblemCode][] = [
    ['no HTTP at all', 'hello\r\n\r\n', 'malformed_http'],
    ['a header field without a name', request(': x'), 'malformed_http'],
    ['a header field with a control character', request('x-a: b\x01c'), 'malformed_http'],
    ['two lengths', request('content-length: 1', 'content-length: 2'), 'malformed_http'],
    ['a length and chunks', request('content-length: 5', 'transfer-encoding: chunked'), 'malformed_http'],
    ['header fields that are too large', request(`x-large: ${'x'.repeat(20_000)}`), 'header_too_large'],
    ['an address that is too large', request().replace('live', `live?${'x'.repeat(20_000)}`), 'header_too_large'],
  ]
  for (const [what, bytes, code] of cases) {
    await t.test(what, async (t) => isProblem(t, await sendRaw(port, bytes), code))
  }
  const undecodable = await sendRaw(port, request('connection: close').replace('/health/live', '/health/%zz'))
  isProblem(t, undecodable, 'malformed_http')
  t.equal((await sendRaw(port, request('connection: close'))).status, 200, 'and the service lives')
})

t.test('what is too short or too long is told so in words, once', async (t) => {
  const service = await startService(t)
  const faultsOf = async (members: object) => {
    const { body } = await service.call('POST', '/v1/organisations', { name: 'A', sector: 'company', ...members })
    return body.errors.map(({ pointer, code, detail }: Json) => `${pointer} ${code}: ${detail}`)
  }
  t.same(await faultsOf({ name: '', metadata: { ['k'.repeat(41)]: '' } }), [
    '/name min_length: Must have at least 1 character.',
    '/metadata max_length: Must have at most 40 characters.',
    `/metadata property_names: The name "${'k'.repeat(41)}" may not be used here.`,
  ])
  t.same(await faultsOf({ alternate_names: Array.from({ length: 200 }, (_, at) => `Name ${at}`) }), [
    '/alternate_names max_items: Must have at most 50 items.',
  ])
})

t.test('a request that does not arrive in time is ended', async (t) => {
  const service = await startService(t, { bodyWithinMs: 50 })
  const { server } = service.app
  t.equal(server.headersTimeout, 60_000)
  // The service's own limit is longer than a test: the same server looks sooner and waits less.
  server.headersTimeout = 50
  ;(server as unknown as { connectionsCheckingInterval: number }).connectionsCheckingInterval = 20
  await service.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = server.address() as AddressInfo
  isProblem(t, await sendRaw(port, 'POST /v1/organisations HTTP/1.1\r\nhost: x\r\ncontent-le'), 'request_timeout')
  const head = `POST /v1/organisations HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${service.key}\r\n`
  const late = `${head}content-type: application/json\r\ncontent-length: 100\r\n\r\n{"name": `
  isProblem(t, await sendRaw(port, late), 'request_timeout')
  // Its head has all the time that it needs on a busy machine.
  server.headersTimeout = 60_000
  const refused = late.replace(service.key, 'beide_000000000000_0')
  isProblem(t, await sendRaw(port, refused), 'unauthenticated')
})
