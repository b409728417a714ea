import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import pg from 'pg'
import t from 'tap'
import { tables } from '../src/transfer/catalogue.ts'
import { exported, fileOf, makeExports } from './support/exporting.ts'
import type { Json } from './support/harness.ts'
import { oneOfEach, startForAll } from './support/one-of-each.ts'
import { partnershipOf, plan } from './support/rounds.ts'
import { draft, organisation, stepOf } from './support/world.ts'

const service = await startForAll(t)
await oneOfEach(service)
const queued = await service.make('/v1/exports', { format: 'csv' })
const client = new pg.Client({ connectionString: service.url })
await client.connect()
t.teardown(() => client.end())
await client.query("select set_config('beide.tenant_id', $1, false)", [service.tenantId])

t.test('an export that waits has no files, and can be cancelled', async (t) => {
  t.match(queued, { status: 'queued', files: [], progress: { rows_done: 0, rows_expected: null }, sequence: null })
  t.strictSame(
    queued.tables,
    tables.map(({ name }) => name),
    'all tables where none is named',
  )
  const path = `/v1/exports/${queued.id}`
  const early = await service.get(`${path}/files/datapackage.json`)
  t.strictSame([early.status, early.body.code], [409, 'state_forbids'])
  const cancelled = await service.call('POST', `${path}/cancel`)
  t.match(cancelled.body, { status: 'cancelled', files: [] })
  const again = await service.call('POST', `${path}/cancel`)
  t.equal(again.body.version, cancelled.body.version, 'again it changes nothing')
  const events = await service.get('/v1/events?types=export.*&limit=500')
  t.strictSame(
    events.body.data.map((event: Json) => event.type),
    ['export.created', 'export.succeeded', 'export.created', 'export.cancelled'],
  )
})

t.test('an order that makes no sense is refused, with every fault', async (t) => {
  const order = { tables: ['commitments'], format: 'parquet', dialect: 'excel', compression: 'gzip' }
  const bad = await service.call('POST', '/v1/exports', { ...order, filters: { pauses: { reason: ['safety'] } } })
  t.strictSame(
    [bad.status, bad.body.code, bad.body.errors.map((fault: Json) => fault.pointer)],
    [422, 'rule_violated', ['/dialect', '/compression', '/filters/pauses']],
  )
  const unknown = await service.call('POST', '/v1/exports', { tables: ['contacts'], format: 'csv' })
  t.strictSame([unknown.status, unknown.body.errors[0].pointer], [400, '/tables/0'])
  const filter = await service.call('POST', '/v1/exports', { format: 'csv', filters: { pauses: { mood: 1 } } })
  t.strictSame([filter.status, filter.body.errors[0].pointer], [400, '/filters/pauses/mood'])
  const never = await service.call('POST', '/v1/exports', { format: 'csv', changed_after_sequence: 1_000_000 })
  t.strictSame([never.status, never.body.code], [410, 'gone'])
})

t.test('a credential has so many exports under way, and a tenant, and no more', async (t) => {
  const there = await service.afresh()
  const ids: string[] = []
  const key = await there.keyWith(['exports:run'])
  const refused = async (as: string, whose: RegExp) => {
    const answer = await there.call('POST', '/v1/exports', { format: 'csv' }, { key: as })
    t.match(answer, { status: 429, body: { code: 'rate_limited', detail: whose }, headers: { 'retry-after': '60' } })
  }
  const order = { format: 'csv', tables: ['pauses'] }
  for (let n = 0; n < 10; n += 1) ids.push((await there.make('/v1/exports', order)).id)
  await refused(there.key, /10 exports of your credential/)
  for (let n = 0; n < 10; n += 1) ids.push((await there.make('/v1/exports', order, { key })).id)
  await refused(await there.keyWith(['exports:run']), /20 exports of your tenant/)
  for (const id of ids) await there.call('POST', `/v1/exports/${id}/cancel`)
  ids.push((await there.make('/v1/exports', order)).id)
  await there.call('POST', `/v1/exports/${ids.at(-1)}/cancel`)
})

t.test('the files of an export are made by a job', async (inner) => {
  await makeExports(t, service)
  inner.match(await exported(service, { format: 'csv', tables: ['pauses'] }), { status: 'succeeded' })
})

t.test('every table is written to a file, the same as it is streamed, and described by the manifest', async (t) => {
  const done = await exported(service, { format: 'csv' })
  t.equal(done.progress.rows_done, done.progress.rows_expected)
  t.strictSame(
    done.files.map((file: Json) => file.name),
    ['datapackage.json', ...tables.map(({ name }) => `${name}.csv`)],
  )
  const manifest = JSON.parse(String(await fileOf(service, done, 'datapackage.json')))
  t.match(manifest, { profile: 'tabular-data-package', sequence: done.sequence, filters: {} })
  t.equal(Date.parse(manifest.as_of), Date.parse(done.snapshot_at))
  for (const [at, { name, columns, key }] of tables.entries()) {
    const streamed = await service.get(`/v1/exports/${name}.csv`)
    t.equal(String(await fileOf(service, done, `${name}.csv`)), streamed.text, name)
    const file = done.files[at + 1]
    const resource = manifest.resources[at]
    t.match(resource, { name, path: file.name, bytes: file.bytes, hash: `sha256:${file.sha256}`, rows: file.rows })
    t.strictSame(
      resource.schema.fields.map((field: Json) => field.name),
      Object.keys(columns),
    )
    t.strictSame(resource.schema.primaryKey, key)
    const references = Object.values(columns).filter((column) => column.references)
    t.equal(resource.schema.foreignKeys?.length ?? 0, references.length, `${name} has its keys`)
  }
  const over = await service.call('POST', `/v1/exports/${done.id}/cancel`)
  t.strictSame([over.status, over.body.code, over.body.from], [409, 'transition_not_allowed', 'succeeded'])
  const events = await service.get(`/v1/events?types=export.succeeded&limit=500`)
  t.equal(events.body.data.at(-1).resource_id, done.id, 'its end is told in the feed')
  t.equal(events.body.data.at(-1).data.files.length, done.files.length)
})

t.test('a filter narrows its table, and keys that may lead out of the package are not promised', async (t) => {
  const filters = { commitments: { kind: ['cash'] } }
  const order = { format: 'csv', tables: ['commitments', 'fulfilments', 'pauses'], filters }
  const done = await exported(service, order)
  const streamed = await service.get('/v1/exports/commitments.csv?kind=cash')
  t.equal(String(await fileOf(service, done, 'commitments.csv')), streamed.text)
  const manifest = JSON.parse(String(await fileOf(service, done, 'datapackage.json')))
  t.strictSame(manifest.filters, filters)
  const keysOf = (at: number) => manifest.resources[at].schema.foreignKeys
  t.strictSame([keysOf(0), keysOf(2)], [undefined, undefined])
  t.strictSame(keysOf(1), [{ fields: 'reversal_of', reference: { resource: '', fields: 'id' } }])
})

t.test('files are compressed where that is asked for', async (t) => {
  const streamed = await service.get('/v1/exports/partnerships.ndjson')
  for (const [compression, suffix, open] of [
    ['gzip', 'gz', gunzipSync],
    ['zstd', 'zst', zstdDecompressSync],
  ] as const) {
    const done = await exported(service, { format: 'ndjson', compression, tables: ['partnerships'] })
    const bytes = await fileOf(service, done, `partnerships.ndjson.${suffix}`)
    t.equal(open(bytes).toString(), streamed.text, compression)
  }
  const excel = await exported(service, { format: 'csv', dialect: 'excel', tables: ['partnerships'] })
  const text = (await service.get('/v1/exports/partnerships.csv?dialect=excel')).text
  t.equal(String(await fileOf(service, excel, 'partnerships.csv')), text)
})

t.test('a download goes on from where it broke', async (t) => {
  const there = await service.afresh()
  // More than two pieces, of texts that do not compress.
  for (let n = 0; n < 5; n += 1) {
    const description = Array.from({ length: 9000 }, () => String.fromCharCode(0x4e00 + Math.random() * 20_000)).join(
      '',
    )
    await there.make('/v1/disruptions', { title: `D${n}`, description, type: 'other', started_on: '2026-01-01' })
  }
  await client.query("select set_config('beide.tenant_id', $1, false)", [there.tenantId])
  await client.query('update disruptions set description = repeat(description, 20)')
  await client.query("select set_config('beide.tenant_id', $1, false)", [service.tenantId])
  const done = await exported(there, { format: 'csv', tables: ['disruptions'] })
  const whole = await fileOf(there, done, 'disruptions.csv')
  t.ok(whole.length > 2.5 * 1024 * 1024)
  const url = `/v1/exports/${done.id}/files/disruptions.csv`
  const ask = async (headers: Record<string, string>, method: 'GET' | 'HEAD' = 'GET') => {
    const answer = await there.app.inject({
      method,
      url,
      headers: { authorization: `Bearer ${there.key}`, ...headers },
    })
    return { status: answer.statusCode, bytes: answer.rawPayload, headers: answer.headers }
  }
  const size = whole.length
  const mebibyte = 1024 * 1024
  for (const [range, first, last] of [
    ['bytes=0-0', 0, 0],
    [`bytes=${mebibyte - 1}-${mebibyte}`, mebibyte - 1, mebibyte],
    [`bytes=${mebibyte}-${2 * mebibyte - 1}`, mebibyte, 2 * mebibyte - 1],
    ['bytes=100-', 100, size - 1],
    ['bytes=-5', size - 5, size - 1],
    [`bytes=-${size * 2}`, 0, size - 1],
    [`bytes=7-${size * 2}`, 7, size - 1],
  ] as const) {
    const part = await ask({ range })
    t.equal(part.status, 206, range)
    t.equal(part.headers['content-range'], `bytes ${first}-${last}/${size}`)
    t.equal(part.headers['content-length'], String(last - first + 1))
    t.ok(part.bytes.equals(whole.subarray(first, last + 1)), `${range} are the right bytes`)
  }
  for (const range of [`bytes=${size}-`, 'bytes=-0']) {
    const none = await ask({ range })
    t.strictSame([none.status, none.headers['content-range']], [416, `bytes */${size}`])
    t.equal(JSON.parse(String(none.bytes)).code, 'range_not_satisfiable')
  }
  for (const range of ['bytes=5-3', 'bytes=0-1,4-5', 'rows=1-2', 'bytes=-']) {
    t.equal((await ask({ range })).status, 200, `${range} is answered with the whole`)
  }
  const { etag } = (await ask({})).headers
  t.equal((await ask({ range: 'bytes=0-9', 'if-range': String(etag) })).status, 206)
  t.equal((await ask({ range: 'bytes=0-9', 'if-range': '"another"' })).status, 200)
  t.equal((await ask({ 'if-none-match': String(etag) })).status, 304)
  const head = await ask({}, 'HEAD')
  t.strictSame([head.status, head.headers['content-length'], head.bytes.length], [200, String(size), 0])
  t.equal((await there.get(`/v1/exports/${done.id}/files/pauses.csv`)).status, 404)
  t.equal((await service.get(`/v1/exports/${done.id}/files/disruptions.csv`)).status, 404, 'not for another tenant')

  await client.query("select expire_exports(now() + interval '2 hours', 1000)")
  t.match((await there.get(`/v1/exports/${done.id}`)).body, { status: 'expired', files: [] })
  const gone = await there.get(url)
  t.strictSame([gone.status, gone.body.code], [410, 'gone'])
  await client.query("select set_config('beide.tenant_id', $1, false)", [there.tenantId])
  t.equal((await client.query('select 1 from export_chunks where export_id = $1', [done.id])).rowCount, 0)
  await client.query("select set_config('beide.tenant_id', $1, false)", [service.tenantId])
})

t.test('a copy of the rounds of one organisation gets those that a merge brings it', async (t) => {
  const there = await service.afresh()
  const partnership = await partnershipOf(there)
  const round = await plan(there, partnership)
  const [{ organisation_id: duplicate }] = partnership.parties
  const survivor = await organisation(there, 'company', 'The same')
  const filters = { evaluations: { organisation_id: survivor.id } }
  const order = { tables: ['evaluations'], format: 'ndjson', filters }
  const before = await exported(there, order)
  t.equal(String(await fileOf(there, before, 'evaluations.ndjson')), '')
  await there.make(`/v1/organisations/${survivor.id}/merge`, { duplicate_id: duplicate }, { ifMatch: '*' })
  const after = await exported(there, { ...order, changed_after_sequence: before.sequence })
  for (const name of ['evaluations_changes', 'evaluations']) {
    t.match(JSON.parse(String(await fileOf(there, after, `${name}.ndjson`))), { id: round.id }, name)
  }
})

t.test('a copy that is kept by exports of changes is the same as a whole export', async (t) => {
  const there = await service.afresh()
  const replica: Record<string, Json[]> = {}
  const read = async (done: Json, name: string): Promise<Json[]> =>
    String(await fileOf(there, done, `${name}.ndjson`))
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
  let done = await exported(there, { format: 'ndjson' })
  for (const { name } of tables) replica[name] = await read(done, name)

  const catchUp = async (what: string, expected: object = {}) => {
    done = await exported(there, { format: 'ndjson', changed_after_sequence: done.sequence })
    const deleted: string[] = []
    for (const { name, unit, key } of tables) {
      const changes = await read(done, `${name}_changes`)
      const away = new Set(changes.map((change) => change[unit.column]))
      deleted.push(...changes.filter((change) => change.is_deleted).map((change) => `${name} ${change[unit.column]}`))
      const order = (row: Json) => JSON.stringify(key.map((column) => row[column]))
      replica[name] = [
        ...(replica[name] ?? []).filter((row) => !away.has(row[unit.column])),
        ...(await read(done, name)),
      ]
      const sorted = (rows: Json[]) => rows.toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
      const { text } = await there.get(`/v1/exports/${name}.ndjson`)
      const now = text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
      t.strictSame(sorted(replica[name] ?? []), sorted(now), `${name} after ${what}`)
    }
    t.match({ deleted }, expected)
    const rows = done.files.reduce((sum: number, file: Json) => sum + (file.rows ?? 0), 0)
    return rows
  }

  t.equal(await catchUp('nothing'), 0, 'nothing is written where nothing changed')
  const ours = await oneOfEach({ ...there, make: there.make })
  await catchUp('one of each')
  const { body: partnership } = await there.get(`/v1/partnerships/${ours['partnerships']}`)
  const [giver, receiver] = partnership.parties
  const entry = `/v1/fulfilments/${ours['fulfilments']}`
  await stepOf(there, entry, 'confirm', { party_id: receiver.id })
  const pause = { reason: 'solidarity', initiated_by_party_id: giver.id, review_on: '2099-01-01' }
  await stepOf(there, `/v1/partnerships/${partnership.id}`, 'pause', pause)
  await catchUp('a delivery and a pause')
  await stepOf(there, entry, 'reverse', { party_id: giver.id, reason: 'Twice' })
  await stepOf(there, `/v1/partnerships/${partnership.id}`, 'resume', {})
  const loser = await organisation(there, 'company', 'Twin')
  const alone = await draft(there, { parties: [{ organisation_id: loser.id, side: 'company' }] })
  await catchUp('a reversal, an end of a pause and a draft')
  const winner = await organisation(there, 'company', 'Its other')
  const body = { duplicate_id: loser.id }
  const merged = await there.call('POST', `/v1/organisations/${winner.id}/merge`, body, { ifMatch: '*' })
  t.equal(merged.status, 200, merged.text)
  await catchUp('a merge of organisations')
  await there.call('DELETE', `/v1/partnerships/${alone.id}`, undefined, { ifMatch: '*' })
  const few = await catchUp('a deletion', {
    deleted: [`partnerships ${alone.id}`, `partnership_parties ${alone.id}`, `partnership_status_history ${alone.id}`],
  })
  t.equal(few, 3, 'and only what changed is written')
})

t.test('a position that the feed no longer keeps is refused', async (t) => {
  const there = await service.afresh()
  for (const name of ['A', 'B', 'C']) await organisation(there, 'company', name)
  await client.query("select expire_events(now() + interval '1 hour', 100000)")
  const { body } = await there.get('/v1/events?after=3')
  t.strictSame([body.data, body.latest], [[], 3])
  const old = await there.call('POST', '/v1/exports', { format: 'csv', changed_after_sequence: 2 })
  t.strictSame([old.status, old.body.code], [410, 'gone'])
  t.equal((await there.call('POST', '/v1/exports', { format: 'csv', changed_after_sequence: 3 })).status, 201)
})
