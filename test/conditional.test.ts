import t from 'tap'
import { exampleOf } from '../src/platform/examples.ts'
import { type Json, startService } from './support/harness.ts'
import { isProblem } from './support/problem.ts'

const service = await startService(t)

async function record() {
  const { id } = await service.make('/v1/organisations', { name: 'Before', sector: 'company' })
  return `/v1/organisations/${id}`
}

t.test('a record has one strong tag, whoever asks and however', async (t) => {
  const path = await record()
  const made = await service.call('POST', '/v1/organisations', { name: 'Made', sector: 'company' })
  t.equal(made.etag, '"1"')
  const { etag } = await service.get(path)
  t.equal(etag, '"1"')
  const other = await service.keyWith(['organisations:read'])
  t.equal((await service.get(path, { key: other })).etag, etag)
  const changed = await service.call('PATCH', path, { name: 'After' }, { ifMatch: etag })
  t.equal(changed.etag, '"2"')
  t.same(changed.body, (await service.get(path)).body, 'a write answers with what a read gives')
  t.equal((await service.get(path)).etag, '"2"')
})

t.test('If-None-Match: what the caller has is not sent again', async (t) => {
  const path = await record()
  const hits = ['"1"', 'W/"1"', '*', '"7", "1"', '"7" , W/"1"']
  for (const tag of hits) {
    const answer = await service.get(path, { headers: { 'if-none-match': tag } })
    t.match(answer, { status: 304, text: '', etag: '"1"' }, tag)
    t.equal(answer.headers['content-type'], undefined)
  }
  for (const tag of ['"2"', '1', 'W/"2"', '"11"', '']) {
    t.equal((await service.get(path, { headers: { 'if-none-match': tag } })).status, 200, `${tag} is not it`)
  }
  const missing = await service.get(`${path.slice(0, -4)}0000`, { headers: { 'if-none-match': '*' } })
  isProblem(t, missing, 'not_found')
})

t.test('If-Match: a change of what was not read is refused', async (t) => {
  const path = await record()
  const change = (ifMatch?: string) =>
    service.call('PATCH', path, { name: `Name [${ifMatch}]` }, ifMatch === undefined ? {} : { ifMatch })
  for (const missing of [undefined, '', ' ']) isProblem(t, await change(missing), 'precondition_required')
  for (const stale of ['"2"', '"0"', 'W/"1"', '1', '"7", "8"', 'W/"*"', '"*"']) {
    const refused = await change(stale)
    isProblem(t, refused, 'stale')
    t.equal(refused.etag, '"1"', `${stale}: the answer says what the tag is now`)
    t.equal(refused.body.current_etag, '"1"')
  }
  t.equal((await service.get(path)).body.name, 'Before', 'nothing was changed')
  t.match(await change('"7", "1"'), { status: 200, etag: '"2"' }, 'a list of tags')
  t.match(await change('*'), { status: 200, etag: '"3"' }, 'any version')
})

t.test('deleting needs the tag too', async (t) => {
  const path = await record()
  isProblem(t, await service.call('DELETE', path), 'precondition_required')
  isProblem(t, await service.call('DELETE', path, undefined, { ifMatch: '"2"' }), 'stale')
  t.equal((await service.call('DELETE', path, undefined, { ifMatch: '"1"' })).status, 204)
  isProblem(t, await service.call('DELETE', path, undefined, { ifMatch: '"1"' }), 'not_found')
})

t.test('If-Match: what is not there yet is not what was read', async (t) => {
  const path = '/v1/organisations/by-ref/crm/absent'
  const put = (ifMatch?: string) =>
    service.call('PUT', path, { name: 'Absent', sector: 'other' }, ifMatch === undefined ? {} : { ifMatch })
  for (const ifMatch of ['"1"', '*']) isProblem(t, await put(ifMatch), 'stale')
  isProblem(t, await service.get(path), 'not_found')
  const events = (await service.get('/v1/events?types=organisation.*')).body.latest
  t.equal((await put()).status, 201)
  t.equal((await service.get('/v1/events?types=organisation.*')).body.latest, events + 1)
  t.equal((await put('*')).status, 200)
})

t.test('If-Match: what is not there yet is not made, whatever a rule would say to it', async (t) => {
  const { schemas } = service.document.components
  const refused: string[] = []
  for (const [path, methods] of Object.entries<Json>(service.document.paths)) {
    if (!path.includes('/by-ref/') || !methods.put) continue
    const { id } = await service.make('/v1/organisations', { name: 'Its owner', sector: 'company' })
    const address = path.replace('{id}', id).replace('{system}', 'crm').replace('{ref_id}', 'nowhere')
    const body = exampleOf(methods.put.requestBody.content['application/json'].schema, { whole: false, schemas })
    const plain = await service.call('PUT', address, body)
    if (plain.status === 422) refused.push(path)
    if (plain.status === 201) {
      const removed = await service.call('DELETE', String(plain.headers['location']), undefined, { ifMatch: '*' })
      t.equal(removed.status, 204, removed.text)
    }
    const events = (await service.get('/v1/events')).body.latest
    isProblem(t, await service.call('PUT', address, body, { ifMatch: '*' }), 'stale')
    t.equal((await service.get('/v1/events')).body.latest, events, path)
  }
  t.ok(refused.length > 2, 'some would be refused for other reasons')
})

t.test('every write to a record with a tag asks for it', async (t) => {
  for (const [path, methods] of Object.entries<
    Record<string, { parameters?: { name: string; required?: boolean }[]; operationId: string }>
  >(service.document.paths)) {
    for (const [method, { parameters = [], operationId }] of Object.entries(methods)) {
      const header = parameters.find(({ name }) => name === 'If-Match')
      if (['patch', 'delete'].includes(method)) t.ok(header?.required, `${operationId} ${path}`)
    }
  }
})

t.test('answers are for the caller who asked, and are asked for again', async (t) => {
  const answer = await service.get(await record())
  t.equal(answer.headers['cache-control'], 'private, no-cache')
  t.equal((await service.get('/v1/organisations')).headers['cache-control'], 'private, no-cache')
})
