import t from 'tap'
import { asOwner } from '../src/db/tenants.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import { importFile, ndjson, outcomesOf, over, rowsOf, send, startImports } from './support/imports.ts'
import { isProblem } from './support/problem.ts'
import { until } from './support/process.ts'
import { tablesWith } from './support/rows-with.ts'

const shared = await startService(t)
await startImports(t, shared)

const ref = (id: string) => ({ system: 'crm', id })
const row = (type: string, id: string, members: object) => ({ type, external_refs: [ref(id)], ...members })
const organisation = (id: string, more: object = {}) =>
  row('organisation', id, { name: `Organisation ${id}`, sector: 'company', ...more })
const faultsOf = ({ faults }: Json): string[] => faults.map((fault: Json) => `${fault.pointer} ${fault.code}`)
const byRef = async (service: Service, path: string, id: string): Promise<Json> =>
  (await service.get(`/v1/${path}/by-ref/crm/${id}`)).body
const latest = async (service: Service): Promise<number> => (await service.get('/v1/events?limit=1')).body.latest

/** One row of each kind, each naming those before it, from last to first. */
const backwards = [
  row('fulfilment', 'delivery', {
    commitment_ref: ref('gift'),
    delivered_on: '2026-02-01',
    measure: { type: 'money', amount: '10', currency: 'EUR' },
  }),
  row('commitment', 'gift', {
    partnership_ref: ref('samen'),
    from_organisation_ref: ref('child'),
    to_organisation_ref: ref('goal'),
    kind: 'cash',
    title: 'A gift',
    measure: { type: 'money', amount: '100', currency: 'EUR' },
    status: 'agreed',
    taken_over: { on: '2026-01-01', from_system: 'crm' },
  }),
  row('partnership', 'samen', {
    name: 'Samen',
    parties: [
      { organisation_ref: ref('child'), side: 'company' },
      { organisation_ref: ref('goal'), side: 'non_profit' },
    ],
    starts_on: '2026-01-01',
    status: 'active',
    taken_over: { on: '2026-01-01', from_system: 'crm' },
  }),
  row('contact', 'fatima', { organisation_ref: ref('goal'), name: 'Fatima', function: 'operations' }),
  organisation('grandchild', { parent_ref: ref('child') }),
  organisation('child', { parent_ref: ref('parent') }),
  organisation('parent'),
  organisation('goal', { sector: 'non_profit' }),
]

t.test('rows of every kind name each other in any order; the second time nothing changes', async (t) => {
  const service = await shared.afresh()
  const made = await importFile(service, backwards)
  t.match(made, {
    status: 'finished',
    format: 'ndjson',
    rows_read: 8,
    rows_done: 8,
    created: 8,
    invalid: 0,
    waiting: 0,
  })
  t.same(
    await outcomesOf(service, made),
    backwards.map((_, at) => `${at + 1} created`),
  )
  const commitment = await byRef(service, 'commitments', 'gift')
  t.match(commitment, { version: 2, reported: { amount: '10.00' }, status: 'agreed' })
  const [parent, child] = [
    await byRef(service, 'organisations', 'parent'),
    await byRef(service, 'organisations', 'child'),
  ]
  t.equal(child.parent_id, parent.id)
  const [first] = await rowsOf(service, made)
  t.match(first, { type: 'fulfilment', external_ref: ref('delivery'), faults: [], candidates: [], remarks: [] })
  t.equal((await service.get(`/v1/fulfilments/${first.resource_id}`)).status, 200)

  const { data: events } = (await service.get('/v1/events?limit=200')).body
  t.same(
    events.map(({ sequence }: Json) => sequence),
    events.map((_: Json, at: number) => at + 1),
    'the feed has no gap',
  )
  t.same(
    events.map(({ type }: Json) => type),
    [
      ...Array(4).fill('organisation.created'),
      'contact.created',
      'partnership.created',
      'commitment.created',
      'fulfilment.created',
      'commitment.updated',
    ],
  )
  t.equal(events[0].actor.type, 'api_key', 'in the name of who sent the file')
  t.same(
    events.find(({ type }: Json) => type === 'contact.created').data.name,
    undefined,
    'nothing of a person is kept',
  )

  const again = await importFile(service, backwards)
  t.match(again, { status: 'finished', unchanged: 8, created: 0, updated: 0 })
  t.equal(await latest(service), events.length, 'and no event')
  const changed = await importFile(service, [organisation('goal', { name: 'Ons Doel', sector: 'non_profit' })])
  t.match(changed, { updated: 1 })
  t.match(await byRef(service, 'organisations', 'goal'), { name: 'Ons Doel', version: 2 })
  t.equal((await service.get('/v1/imports?status=finished')).body.data.length, 3)
})

t.test('each row that is refused is told of with all its faults, and does not take the others with it', async (t) => {
  const service = await shared.afresh()
  const taken = await service.make('/v1/organisations', {
    name: 'Taken',
    sector: 'company',
    identifiers: [{ scheme: 'NL-KVK', value: '12345678' }],
    external_refs: [ref('one')],
  })
  const other = await service.make('/v1/organisations', { name: 'x', sector: 'other', external_refs: [ref('two')] })
  const lines: [string, string, string[]][] = [
    [JSON.stringify(organisation('good')), 'created', []],
    ['{"type": "organisation", ', 'invalid', [' bad_json']],
    ['[]', 'invalid', [' invalid_request']],
    ['{"name": "x"}', 'invalid', ['/type required']],
    ['{"type": "alliance"}', 'invalid', ['/type enum']],
    ['{"type": "organisation", "name": "a", "name": "b"}', 'invalid', ['/name repeated']],
    ['{"type": "organisation", "name": "\\u0000"}', 'invalid', ['/name nul']],
    [
      JSON.stringify({ type: 'organisation', name: 1, size: 2 }),
      'invalid',
      ['/external_refs required', '/name type', '/sector required', '/size unknown'],
    ],
    [
      JSON.stringify(organisation('bad', { identifiers: [{ scheme: 'NL-KVK', value: '1' }] })),
      'invalid',
      ['/identifiers/0/value identifier_form'],
    ],
    [JSON.stringify(organisation('lost', { parent_ref: ref('nobody') })), 'invalid', ['/parent_ref unknown_reference']],
    [
      JSON.stringify(organisation('new', { identifiers: [{ scheme: 'NL-KVK', value: '1234.5678' }] })),
      'ambiguous',
      ['/identifiers/0 taken'],
    ],
    [JSON.stringify(organisation('x', { external_refs: [ref('one'), ref('two')] })), 'ambiguous', [' ambiguous_ref']],
    [JSON.stringify(organisation('good', { name: 'Again' })), 'updated', []],
    ['', '', []],
    [JSON.stringify(organisation('last')), 'created', []],
  ]
  const file = `${lines.map(([line]) => line).join('\n')}\n\xff`
  const made = await importFile(service, file)
  t.match(made, { status: 'finished', rows_read: 15, created: 2, updated: 1, ambiguous: 2, invalid: 10 })
  const rows = await rowsOf(service, made)
  for (const { line, outcome, faults } of rows.slice(0, -1)) {
    const [text, expected, expectedFaults] = lines[line - 1] as (typeof lines)[number]
    t.equal(outcome, expected, text)
    t.same(faultsOf({ faults }).sort(), expectedFaults, text)
  }
  t.same(rows[10].candidates, [taken.id])
  t.same(rows[11].candidates.sort(), [taken.id, other.id].sort())
  t.match(await byRef(service, 'organisations', 'good'), { name: 'Again', version: 2 })
  t.equal((await rowsOf(service, made, '&outcome=ambiguous')).length, 2)
  t.equal((await rowsOf(service, made, '&outcome=created,updated')).length, 3)
})

t.test('a row needs what a single request needs: the scope of its kind, and refs of others stay', async (t) => {
  const service = await shared.afresh()
  await service.make('/v1/organisations', {
    name: 'x',
    sector: 'other',
    external_refs: [{ system: 'erp', id: '9' }, ref('one')],
  })
  const key = await service.keyWith(['imports:run', 'organisations:write'])
  const rows = [
    organisation('one', { external_refs: [ref('one'), { system: 'web', id: 'w' }] }),
    row('contact', 'c', { organisation_ref: ref('one'), name: 'x', function: 'other' }),
  ]
  const sent = await send(service, ndjson(rows), { key })
  const made = await over(service, sent.body.id)
  t.match(made, { updated: 1, invalid: 1 })
  t.same(faultsOf((await rowsOf(service, made))[1]), [' forbidden'])
  t.same(
    (await byRef(service, 'organisations', 'one')).external_refs.map(({ system }: Json) => system),
    ['erp', 'crm', 'web'],
  )
  const refused = await send(service, ndjson(rows), { key, query: '?type=contact' })
  isProblem(t, refused, 'forbidden')
  t.equal(refused.body.scope, 'personal_data:write')
  const wrong = await importFile(service, rows, { query: '?type=organisation' })
  t.match(wrong, { type: 'organisation', unchanged: 1, invalid: 1 })
})

t.test('a dry run tells of each row and keeps nothing; all or nothing keeps all or none', async (t) => {
  const service = await shared.afresh()
  const tried = await importFile(service, backwards, { query: '?dry_run=true' })
  t.match(tried, { status: 'finished', dry_run: true, created: 8, rows_done: 8 })
  t.equal(await latest(service), 0)
  t.equal((await service.get('/v1/organisations')).body.data.length, 0)

  const bad = [...backwards, organisation('bad', { parent_ref: ref('nobody') })]
  const failed = await importFile(service, bad, { query: '?all_or_nothing=true' })
  t.match(failed, { status: 'failed', failure: /^1 rows cannot be taken/, created: 8, invalid: 1 })
  t.equal(await latest(service), 0)
  t.equal((await service.get('/v1/organisations')).body.data.length, 0)

  const whole = await importFile(service, backwards, { query: '?all_or_nothing=true' })
  t.match(whole, { status: 'finished', created: 8 })
  const { data: events } = (await service.get('/v1/events?limit=200')).body
  t.same(
    events.map(({ sequence }: Json) => sequence),
    Array.from({ length: 9 }, (_, at) => at + 1),
  )
  t.match((await byRef(service, 'commitments', 'gift')).reported, { amount: '10.00' })
})

t.test('CSV: members by their paths, empty cells left out, numbers and booleans read as such', async (t) => {
  const service = await shared.afresh()
  const file = [
    '\ufefftype,external_refs.0.system,external_refs.0.id,name,sector,alternate_names:json,identifiers.0.scheme,identifiers.0.value,metadata.size',
    'organisation,crm,1,"Stichting ""Ons\nDoel""",non_profit,"[""Doel"",""O.D.""]",NL-KVK,01234567,12',
    'organisation,crm,2,Voorbeeld,company,,,,',
    'organisation,crm,3,Voorbeeld,company,[,,,',
    'organisation,crm,4,too few',
    'organisation,crm,5,Voorbeeld,shop,,,,',
  ].join('\r\n')
  const made = await importFile(service, file, { type: 'text/csv' })
  t.match(made, { format: 'csv', created: 2, invalid: 3 })
  t.same(await outcomesOf(service, made), ['2 created', '4 created', '5 invalid', '6 invalid', '7 invalid'])
  t.match(await byRef(service, 'organisations', '1'), {
    name: 'Stichting "Ons\nDoel"',
    alternate_names: ['Doel', 'O.D.'],
    identifiers: [{ scheme: 'NL-KVK', value: '01234567' }],
    metadata: { size: '12' },
  })
  const second = await byRef(service, 'organisations', '2')
  t.match(second, { alternate_names: [], identifiers: [] })
  t.same(second.metadata, {})
  const contacts = [
    'external_refs.0.system,external_refs.0.id,organisation_ref.system,organisation_ref.id,name,function,active',
    'crm,id-of-wilhelmina,crm,1,Wilhelmina,operations,false',
  ].join('\n')
  t.match(await importFile(service, contacts, { type: 'text/csv', query: '?type=contact' }), { created: 1 })
  const wilhelmina = await byRef(service, 'contacts', 'id-of-wilhelmina')
  t.equal(wilhelmina.active, false)
  await service.call('POST', `/v1/contacts/${wilhelmina.id}/erase`, {}, { ifMatch: '*' })
  t.same(await tablesWith(service, 'wilhelmina'), [], 'nor does an import hold a person that was erased')
  t.same(await tablesWith(service, 'Wilhelmina'), [])
  for (const [file, detail] of [
    ['a,a\n1,2', /"a", stands twice/],
    ['a..b\n1', /is no name of a member/],
    ['type\n"organisation', /cannot be read as CSV/],
    ['type\n', /no row/],
  ] as const) {
    const refused = await send(service, file, { type: 'text/csv' })
    isProblem(t, refused, 'invalid_request')
    t.match(refused.body.detail, detail)
  }
})

t.test('a file that cannot be taken as a whole is refused at once, and nothing of it stays', async (t) => {
  const service = await shared.afresh()
  for (const [file, type, code] of [
    ['', 'application/x-ndjson', 'invalid_request'],
    ['{"grants": [{}', 'application/json', 'invalid_request'],
    ['{"awards": []}', 'application/json', 'invalid_request'],
    ['x', 'text/plain', 'unsupported_media_type'],
  ] as const) {
    isProblem(t, await send(service, file, { type }), code)
  }
  isProblem(
    t,
    await send(service, '{"grants": []}', { type: 'application/json', query: '?type=contact' }),
    'invalid_request',
  )
  t.same((await service.get('/v1/imports')).body.data, [])
  const left = await service.database.read(service, (tx) => tx.client.query('select from import_rows'))
  t.equal(left.rowCount, 0)
})

t.test('under one Idempotency-Key a file is imported once; another file is another request', async (t) => {
  const service = await shared.afresh()
  const headers = { 'idempotency-key': 'a file' }
  const sent = await send(service, ndjson([organisation('1')]), { headers })
  const again = await send(service, ndjson([organisation('1')]), { headers })
  t.equal(again.headers['idempotent-replayed'], 'true')
  t.equal(again.text, sent.text)
  isProblem(t, await send(service, ndjson([organisation('2')]), { headers }), 'key_reused')
  t.equal((await service.get('/v1/imports')).body.data.length, 1)
  t.match(await over(service, sent.body.id), { created: 1 })
})

t.test('an import is cancelled between batches, or before it begins; one that is over is not', async (t) => {
  const service = await shared.afresh()
  const rows = Array.from({ length: 6000 }, (_, at) => organisation(String(at)))
  const sent = await send(service, ndjson(rows))
  const path = `/v1/imports/${sent.body.id}`
  const cancelled = await service.call('POST', `${path}/cancel`)
  t.equal(cancelled.status, 200)
  const made = await over(service, sent.body.id)
  t.equal(made.status, 'cancelled')
  t.ok(made.created < rows.length)
  const { total } = (await service.get('/v1/organisations?include_total=true&limit=1')).body
  t.equal(total, made.created, 'what was written before stays, and is counted')
  const done = await importFile(service, [organisation('x')])
  isProblem(t, await service.call('POST', `/v1/imports/${done.id}/cancel`), 'transition_not_allowed')
})

t.test('rows of one file that change at once close no circle', async (t) => {
  const service = await shared.afresh()
  const renewal = (id: string, more: object = {}) =>
    row('partnership', id, {
      name: id,
      parties: [
        { organisation_ref: ref('A'), side: 'company' },
        { organisation_ref: ref('C'), side: 'non_profit' },
      ],
      starts_on: '2026-01-01',
      ...more,
    })
  const before = [organisation('A'), organisation('B'), organisation('C', { sector: 'non_profit' })]
  await importFile(service, [...before, renewal('P'), renewal('Q')])
  const made = await importFile(service, [
    ...[organisation('A', { parent_ref: ref('B') }), organisation('B', { parent_ref: ref('A') })],
    ...[renewal('P', { predecessor_ref: ref('Q') }), renewal('Q', { predecessor_ref: ref('P') })],
  ])
  t.same(await outcomesOf(service, made), ['1 updated', '2 invalid', '3 updated', '4 invalid'])
  t.same((await rowsOf(service, made, '&outcome=invalid')).flatMap(faultsOf), [
    '/parent_id circle',
    '/predecessor_ref circle',
  ])
})

t.test('an import whose job fails is cancelled at once, and ends after so many tries', async (t) => {
  const service = await shared.afresh()
  await asOwner(service.url, (owner) =>
    owner.query(`
      create or replace function fail() returns trigger language plpgsql as $$ begin
        raise exception 'out of memory' using errcode = '53200'; end $$;
      create trigger fails before insert on organisations for each row when (new.name = 'fails') execute function fail()`),
  )
  /** Lets so many tries be behind a job that has failed. */
  const tried = (id: string, attempts: number, next: string) =>
    until(() =>
      asOwner(service.url, async (owner) => {
        const query = `update graphile_worker._private_jobs set attempts = $2, run_at = now() + $3::interval
          where key like '%' || $1 and locked_at is null and last_error is not null returning pg_notify('jobs:insert', '')`
        return (await owner.query(query, [id, attempts, next])).rowCount === 1
      }),
    )
  const fails = () =>
    send(
      service,
      ndjson([organisation('1', { name: 'fails' }), row('contact', '2', { name: 'Noor', function: 'operations' })]),
    )
  const one = (await fails()).body
  await tried(one.id, 5, '1 hour')
  t.equal((await service.call('POST', `/v1/imports/${one.id}/cancel`)).status, 200)
  t.equal((await over(service, one.id)).status, 'cancelled')

  const other = (await fails()).body
  await tried(other.id, 9, '0')
  t.match(await over(service, other.id), { status: 'failed', failure: /on our side/ })
  const { rows } = await asOwner(service.url, (owner) =>
    owner.query(`select payload from import_rows where import_id = $1 and type = 'contact'`, [other.id]),
  )
  t.same(rows, [{ payload: null }])
})

t.test('an import that never ends is kept for four weeks', async (t) => {
  const service = await shared.afresh()
  const { id } = await importFile(service, [organisation('1')])
  const removed = (days: number) =>
    asOwner(service.url, async (owner) => {
      const begun = `update imports set status = 'running', created_at = now() - $2::integer * interval '1 day' where id = $1`
      await owner.query(begun, [id, days])
      return (await owner.query(`select expire_imports(now() - interval '7 days', 10) as n`)).rows[0].n
    })
  t.equal(await removed(27), 0)
  t.equal(await removed(29), 1)
})

t.test('an import ends with its credential', async (t) => {
  const service = await shared.afresh()
  const made = await service.make('/v1/api-keys', { name: 'short', scopes: ['imports:run', 'organisations:write'] })
  const sent = await send(service, ndjson(Array.from({ length: 6000 }, (_, at) => organisation(String(at)))), {
    key: made.key,
  })
  await service.call('POST', `/v1/api-keys/${made.id}/revoke`)
  t.match(await over(service, sent.body.id), { status: 'failed', failure: /revoked/ })
})

t.test('two imports of the same rows, and single requests beside them, make each record once', async (t) => {
  const service = await shared.afresh()
  const rows = Array.from({ length: 300 }, (_, at) => organisation(String(at)))
  const sent = await Promise.all([send(service, ndjson(rows)), send(service, ndjson(rows))])
  const singles = await Promise.all(
    Array.from({ length: 100 }, (_, at) => {
      const { type: _type, external_refs: _refs, ...body } = rows[at * 3] as Json
      return service.call('PUT', `/v1/organisations/by-ref/crm/${at * 3}`, body)
    }),
  )
  t.same(
    [...new Set(singles.map(({ status }) => status))].filter((status) => status !== 200 && status !== 201),
    [],
  )
  const [a, b] = await Promise.all(sent.map(({ body }) => over(service, body.id)))
  t.equal(a.rows_done + b.rows_done, 600)
  t.same([a.invalid, a.ambiguous, b.invalid, b.ambiguous], [0, 0, 0, 0])
  const made = singles.filter(({ status }) => status === 201).length
  t.equal(a.created + b.created + made, 300)
  t.equal((await service.get('/v1/organisations?include_total=true&limit=1')).body.total, 300)
  t.equal(await latest(service), 300)
})
