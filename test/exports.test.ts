import { createHash } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { parse } from 'csv-parse/sync'
import pg from 'pg'
import t, { type Test } from 'tap'
import { duckdb } from './support/duckdb.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import { temporaryDirectory } from './support/temporary.ts'

// What is in the tables is written by SQL, and compared with what SQL reads: exports must not share their own mistakes.

async function owner(t: Test, service: Service): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: service.url })
  await client.connect()
  t.teardown(() => client.end())
  await client.query("set timezone = 'UTC'")
  await client.query("select set_config('beide.tenant_id', $1, false)", [service.tenantId])
  return client
}

const id = (kind: number, n: number) => `0190000${kind}-0000-7000-8000-${String(n).padStart(12, '0')}`
const organisation = (n: number) => id(1, n)
const partnership = (n: number) => id(2, n)
const party = (n: number) => id(3, n)
const commitment = (n: number) => id(4, n)
const round = (n: number) => id(5, n)

const insert = async (client: pg.Client, table: string, rows: Record<string, unknown>[]) => {
  for (const row of rows) {
    const names = Object.keys(row)
    const holes = names.map((_, index) => `$${index + 1}`).join(', ')
    await client.query(
      `insert into ${table} (tenant_id, ${names.join(', ')}) values (current_tenant(), ${holes})`,
      Object.values(row).map((value) =>
        typeof value === 'object' && value !== null && !Array.isArray(value) ? JSON.stringify(value) : value,
      ),
    )
  }
}

const written = { created_at: '2026-03-01T12:00:00.5Z', updated_at: '2026-03-01T12:00:00.123456Z' }

/** Two partnerships of a company and a charity each. */
async function alliances(client: pg.Client): Promise<void> {
  const named = (n: number) => ({ name: `N${n}`, sort_name: `n${n}`, search_text: `n${n}` })
  await insert(
    client,
    'organisations',
    [1, 2].map((n) => ({ id: organisation(n), ...written, ...named(n), sector: 'company', status: 'active' })),
  )
  for (const n of [1, 2]) {
    const terms = { evaluation_interval: 'P6M', base_currency: 'EUR', time_zone: 'Europe/Amsterdam', status: 'active' }
    await insert(client, 'partnerships', [{ id: partnership(n), ...written, ...named(n), ...terms }])
    await insert(
      client,
      'partnership_parties',
      [1, 2].map((seat) => ({
        id: party(n * 10 + seat),
        partnership_id: partnership(n),
        organisation_id: organisation(seat),
        side: seat === 1 ? 'company' : 'non_profit',
        role: 'lead',
        position: seat,
      })),
    )
  }
}

const promise = (n: number, more: Record<string, unknown>) => ({
  id: commitment(n),
  ...written,
  partnership_id: partnership(1),
  from_party_id: party(11),
  kind: 'cash',
  title: `Commitment ${n}`,
  binding: 'firm',
  reciprocity: 'in_return',
  mode: 'not_applicable',
  status: 'agreed',
  search_text: '',
  ...more,
})

const delivery = (n: number, of: number, more: Record<string, unknown>) => ({
  id: id(6, n),
  ...written,
  commitment_id: commitment(of),
  delivered_on: '2026-02-01',
  mode: 'online',
  reported_by_party_id: party(11),
  confirmation: 'confirmed',
  ...more,
})

const euros = (amount: string) => ({ amount, currency: 'EUR' })

/** The rows of a CSV export by column; null where nothing stands between the commas, '' for a quoted nothing. */
const rowsOfCsv = (text: string): Record<string, string | null>[] =>
  parse(text, {
    columns: true,
    cast: (value, { quoting, header }) => (value === '' && !quoting && !header ? null : value),
  })

const rowsOfNdjson = (text: string): Json[] =>
  text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))

/** A row of NDJSON as CSV writes it. */
const asCsv = (row: Json) =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (value === null) return [name, null]
      return [name, typeof value === 'object' ? JSON.stringify(value) : String(value)]
    }),
  )

/** Checks each row against the component of the contract that describes it, with no member more or less. */
function checkRows(t: Test, document: Json, component: string, rows: Json[]): void {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  ;(addFormats as unknown as (ajv: Ajv2020) => void)(ajv)
  ajv.addSchema({ $id: 'contract', components: document.components })
  const validate = ajv.getSchema(`contract#/components/schemas/${component}`)
  const names = Object.keys(document.components.schemas[component].properties)
  for (const row of rows) {
    t.ok(validate?.(row), `a row fits ${component}: ${ajv.errorsText(validate?.errors)}`)
    t.strictSame(Object.keys(row), names, 'in the documented columns and their order')
  }
}

t.test('a commitment is exported with what was delivered and what is outstanding, as SQL has it', async (t) => {
  const service = await startService(t)
  const client = await owner(t, service)
  await alliances(client)
  await insert(client, 'commitments', [
    promise(1, { ...euros('1000.00'), to_party_id: party(12), motive: 'charitable_gift', agreed_on: '2026-01-31' }),
    promise(2, { quantity: '40.50', unit: 'hour', kind: 'volunteer_time', mode: 'online' }),
    promise(3, {
      ...euros('10.00'),
      status: 'released',
      closed_on: '2026-02-02',
      close_reason: 'Not needed',
      taken_over: { on: '2026-01-01', from_system: 'crm', note: null, status: 'released', waived_conditions: [] },
      metadata: { a: [1, null, 'x'] },
    }),
    promise(4, { amount: '7', currency: 'JPY', partnership_id: partnership(2), from_party_id: party(22) }),
  ])
  await insert(client, 'fulfilments', [
    delivery(1, 1, euros('250.00')),
    delivery(2, 1, euros('100.00')),
    delivery(3, 1, { ...euros('100.00'), reversal_of: id(6, 2) }),
    delivery(4, 1, { ...euros('400.00'), confirmation: 'reported' }),
    delivery(5, 2, { quantity: '0.50', unit: 'hour' }),
    delivery(6, 4, { amount: '9', currency: 'JPY' }),
  ])
  await insert(client, 'commitment_returns', [
    { partnership_id: partnership(1), commitment_id: commitment(1), in_return_for_id: commitment(2), position: 0 },
  ])
  const ref = { resource_type: 'commitment', resource_id: commitment(1) }
  await insert(client, 'external_refs', [
    { ...ref, system: 'crm', ref_id: '007', position: 0 },
    { ...ref, system: 'erp', ref_id: 'A,"b"', url: 'https://example.org/1', position: 1 },
  ])

  const csv = await service.get('/v1/exports/commitments.csv')
  t.equal(csv.headers['content-type'], 'text/csv; charset=utf-8; header=present')
  t.equal(csv.headers['content-disposition'], 'attachment; filename="commitments.csv"')
  const rows = rowsOfCsv(csv.text)
  const ndjson = await service.get('/v1/exports/commitments.ndjson')
  t.equal(ndjson.headers['content-type'], 'application/x-ndjson')
  const objects = rowsOfNdjson(ndjson.text)
  checkRows(t, service.document, 'ExportedCommitment', objects)
  t.strictSame(
    rows.map(({ external_refs, in_return_for, metadata, ...row }) => ({
      ...row,
      ...asCsv({
        external_refs: JSON.parse(external_refs ?? ''),
        in_return_for: JSON.parse(in_return_for ?? ''),
        metadata: JSON.parse(metadata ?? ''),
      }),
    })),
    objects.map(asCsv),
    'both formats say the same',
  )

  const { rows: plain } = await client.query(`
    select c.id, version::text, to_json(c.created_at) #>> '{}' as created_at, to_json(c.updated_at) #>> '{}' as updated_at,
      c.partnership_id, from_party_id, g.organisation_id as from_organisation_id, g.side as from_side, to_party_id,
      t.organisation_id as to_organisation_id, t.side as to_side, kind, title, description, binding, reciprocity, motive,
      mode, amount::text, currency, unit, status, agreed_on::text, closed_on::text, close_reason
    from commitments c join partnership_parties g on g.id = c.from_party_id
      left join partnership_parties t on t.id = c.to_party_id order by c.id`)
  t.match(
    rows,
    plain.map((row) => ({ ...row })),
    'every plain column is the one of the table',
  )
  t.strictSame(
    objects.map((row) => [row.quantity, row.delivered, row.reported, row.outstanding, row.fulfilment_rate]),
    [
      [null, '250.00', '400.00', '750.00', '0.2500'],
      ['40.5', '0.5', '0', '40', '0.0123'],
      [null, '0.00', '0.00', '0.00', '0.0000'],
      [null, '9', '0', '0', '1.0000'],
    ],
  )
  for (const row of objects) {
    const { body } = await service.get(`/v1/commitments/${row.id}`)
    const size = ({ amount, quantity }: Json) => amount ?? quantity
    t.match(row, {
      delivered: size(body.delivered),
      reported: size(body.reported),
      outstanding: size(body.outstanding),
      fulfilment_rate: body.fulfilment_rate,
      in_return_for: body.in_return_for,
      external_refs: body.external_refs,
      metadata: body.metadata,
    })
  }
  t.match(objects[0], {
    in_return_for: [commitment(2)],
    external_system: 'crm',
    external_id: '007',
    external_refs: [
      { system: 'crm', id: '007', url: null },
      { system: 'erp', id: 'A,"b"', url: 'https://example.org/1' },
    ],
  })
  t.match(objects[1], { in_return_for: [], external_system: null, external_id: null, external_refs: [] })
  t.match(objects[2], { taken_over_on: '2026-01-01', taken_over_from: 'crm', metadata: { a: [1, null, 'x'] } })

  const idsOf = async (query: string) =>
    rowsOfCsv((await service.get(`/v1/exports/commitments.csv?${query}`)).text).map((row) => row['id'])
  t.strictSame(await idsOf('status=released,lapsed'), [commitment(3)])
  t.strictSame(await idsOf('kind=volunteer_time'), [commitment(2)])
  t.strictSame(await idsOf(`partnership_id=${partnership(2)}`), [commitment(4)])
  t.strictSame(await idsOf('updated_since=2026-03-01T12:00:00.123457Z'), [])
  t.equal((await idsOf('updated_since=2026-03-01T13:00:00.123456%2B01:00')).length, 4)
  t.strictSame(await idsOf(`status=agreed&partnership_id=${partnership(2)}&kind=goods`), [])

  const bad = await service.get('/v1/exports/commitments.csv?status=agreed,kept&limit=5&partnership_id=1')
  t.equal(bad.status, 400)
  t.strictSame(bad.body.errors.map((fault: Json) => fault.pointer).sort(), ['?limit', '?partnership_id', '?status/1'])
})

const hostile = [
  '',
  ' ',
  'a,b',
  '"',
  '""quoted""',
  "'; drop table commitments; --",
  'two\nlines',
  'two\r\nlines\r',
  '\\',
  '\\.',
  '\\N',
  'NULL',
  'null',
  '\t tab \v',
  '0012',
  '1e5',
  "=cmd|' /C calc'!A0",
  '+1',
  '-1',
  '@sum(a1)',
  '😀 👩‍👩‍👧',
  'مرحبا ‏‮abc‬',
  '\u0001\u0002\u001f\u007f',
  '\u2028\u2029\ufeff',
  'é\u0301',
  '{"a": "\\u0000"}',
  'x'.repeat(100_000),
  ...long(),
]

/** A megabyte of text. The API bounds every text far below it, so that only SQL can write such a one. */
function long(): string[] {
  const characters = 1024 * 1024
  const filled = (start: string, piece: string) => start + piece.repeat(Math.ceil(characters / piece.length))
  // Hashes do not compress: Postgres, Parquet and zstd have to keep every byte of them.
  const hashes = Array.from({ length: characters / 64 }, (_, n) => createHash('sha256').update(`${n}`).digest('hex'))
  return [
    hashes.join(''),
    filled('=', '1+'),
    filled('', '"",\r\n'),
    filled('@', '😀é\u0301'),
    filled('', '0123456789'),
    filled("'", "'"),
  ]
}

/** Told apart by their beginnings: what differs in a megabyte is not for a report. */
const told = (texts: Json[]) =>
  texts.map((text) =>
    text === null || text.length < 1000
      ? text
      : `${text.slice(0, 20)}… ${text.length} ${createHash('sha256').update(text).digest('hex')}`,
  )

t.test(
  'texts leave exactly as they are, null is not the empty text, and a spreadsheet runs none of them',
  async (t) => {
    const service = await startService(t)
    const client = await owner(t, service)
    await alliances(client)
    await insert(
      client,
      'commitments',
      hostile.map((title, n) => promise(n, { ...euros('1.00'), title, description: n % 2 ? title : null })),
    )
    const descriptions = hostile.map((text, n) => (n % 2 ? text : null))
    const checkExact = (rows: Json[], format: string) => {
      t.strictSame(told(rows.map((row) => row.title)), told(hostile), `titles of ${format}`)
      t.strictSame(told(rows.map((row) => row.description)), told(descriptions), `descriptions of ${format}`)
    }
    checkExact(rowsOfCsv((await service.get('/v1/exports/commitments.csv')).text), 'CSV')
    checkExact(rowsOfNdjson((await service.get('/v1/exports/commitments.ndjson')).text), 'NDJSON')

    const directory = await temporaryDirectory()
    t.teardown(() => rm(directory, { recursive: true }))
    const headers = { authorization: `Bearer ${service.key}` }
    const { rawPayload } = await service.app.inject({ url: '/v1/exports/commitments.parquet', headers })
    const file = join(directory, 'commitments.parquet')
    await writeFile(file, rawPayload)
    const duck = await duckdb(t)
    checkExact(await duck(`select title, description from '${file}' order by id`), 'Parquet')

    const excel = (await service.get('/v1/exports/commitments.csv?dialect=excel')).text
    const cells = rowsOfCsv(excel.slice(1))
    t.equal(cells.length, hostile.length)
    for (const [n, { title, description }] of cells.entries()) {
      for (const [cell, value] of [
        [title, hostile[n]],
        [description, descriptions[n]],
      ]) {
        if (typeof cell !== 'string' || typeof value !== 'string') {
          t.equal(cell, value, 'null stays null')
          continue
        }
        const [start] = told([value])
        t.notMatch(cell.slice(0, 1), /[=+\-@\t\r\n＝＋－＠]/, `${start} is no formula`)
        t.notOk(/^[\d.,:/ -]*\d[\d.,:/ -]*(e\d+)?$/i.test(cell), `${start} is no number`)
        t.ok(cell.replace(/^'/, '') === value, `one apostrophe less is ${start}`)
      }
    }
  },
)

const rounds = [
  { n: 1, partnership: 1, kind: 'periodic', status: 'closed', closed_at: '2026-01-31T23:00:00Z' },
  { n: 2, partnership: 2, kind: 'exit', status: 'concluded', closed_at: '2026-02-28T23:00:00.000001Z' },
  { n: 3, partnership: 1, kind: 'periodic', status: 'open', closed_at: null },
]

t.test('scores of closed rounds are exported, one row for each side and level, and nothing of open ones', async (t) => {
  const service = await startService(t)
  const client = await owner(t, service)
  await alliances(client)
  await insert(
    client,
    'evaluations',
    rounds.map(({ n, partnership: of, ...rest }) => ({
      id: round(n),
      ...written,
      partnership_id: partnership(of),
      template_code: 'partnership-review',
      template_version: 1,
      period_from: '2025-07-01',
      period_to: '2025-12-31',
      response_mode: 'organisation',
      ...rest,
    })),
  )
  const cells = [
    { level: 'overall', code: 'overall', position: 0 },
    { level: 'dimension', code: 'why', position: 1 },
    { level: 'item', code: 'why_goal_clear', position: 2 },
  ]
  const scores = rounds.flatMap(({ n }) =>
    ['company', 'non_profit'].flatMap((side, at) =>
      cells.map((cell) => ({
        evaluation_id: round(n),
        side,
        ...cell,
        n: at,
        score: at === 1 ? `${n}${cell.position}.666667` : null,
        spread: at === 1 ? '12.5' : null,
        dimension: cell.level === 'overall' ? null : 'why',
        suppression_reason: null,
      })),
    ),
  )
  await insert(client, 'evaluation_scores', scores)

  const objects = rowsOfNdjson((await service.get('/v1/exports/evaluation_scores.ndjson')).text)
  checkRows(t, service.document, 'ExportedEvaluationScore', objects)
  const order = (row: Json) => [row.evaluation_id, row.level, row.code, row.side].join(' ')
  const expected = scores
    .filter(({ evaluation_id }) => evaluation_id !== round(3))
    .map((row) => {
      const {
        n,
        partnership: of,
        ...rest
      } = rounds.find(({ n }) => round(n) === row.evaluation_id) as (typeof rounds)[0]
      return {
        ...row,
        ...rest,
        partnership_id: partnership(of),
        closed_at: rest.closed_at?.replace('Z', '+00:00'),
        template_code: 'partnership-review',
        template_version: 1,
        period_from: '2025-07-01',
        period_to: '2025-12-31',
        response_mode: 'organisation',
        organisation_id: null,
      }
    })
    .sort((a, b) => (order(a) < order(b) ? -1 : 1))
  t.same(objects, expected)
  t.strictSame(rowsOfCsv((await service.get('/v1/exports/evaluation_scores.csv')).text), objects.map(asCsv))

  const of = async (query: string) => {
    const rows = rowsOfCsv((await service.get(`/v1/exports/evaluation_scores.csv?${query}`)).text)
    return [...new Set(rows.map((row) => row['evaluation_id']))]
  }
  t.strictSame(await of('status=concluded'), [round(2)])
  t.strictSame(await of('kind=periodic'), [round(1)])
  t.strictSame(await of(`partnership_id=${partnership(2)}`), [round(2)])
  t.strictSame(await of('closed_since=2026-02-28T23:00:00.000001Z'), [round(2)])
  t.strictSame(await of('closed_before=2026-02-28T23:00:00.000001Z'), [round(1)])
  t.strictSame(await of('closed_since=2026-01-31T23:00:00Z&closed_before=2026-01-31T23:00:00Z'), [])
  t.equal(rowsOfCsv((await service.get('/v1/exports/evaluation_scores.csv?level=item,overall')).text).length, 8)
  t.equal((await service.get('/v1/exports/evaluation_scores.csv?status=open')).status, 400)
})

t.test('an export is of one tenant, needs its scope, and is well-formed when there is nothing', async (t) => {
  const service = await startService(t)
  const client = await owner(t, service)
  await alliances(client)
  await insert(client, 'commitments', [promise(1, euros('1.00'))])
  const { key } = await service.otherTenant('other')
  for (const name of ['commitments', 'evaluation_scores']) {
    const component = name === 'commitments' ? 'ExportedCommitment' : 'ExportedEvaluationScore'
    const columns = Object.keys(service.document.components.schemas[component].properties)
    const csv = await service.get(`/v1/exports/${name}.csv`, { key })
    t.equal(csv.text, `${columns.join(',')}\n`, 'the header alone')
    t.equal((await service.get(`/v1/exports/${name}.ndjson`, { key })).text, '')
  }
  const narrow = await service.keyWith(['commitments:read', 'evaluations:read'])
  const refused = await service.get('/v1/exports/commitments.csv', { key: narrow })
  t.equal(refused.status, 403)
  t.equal(refused.body.scope, 'exports:run')
  const allowed = await service.keyWith(['exports:run'])
  t.equal((await service.get('/v1/exports/commitments.csv', { key: allowed })).status, 200)
  t.equal((await service.get('/v1/exports/contacts.csv')).status, 400, 'no table, and no id of an export')
})

t.test('the ETag of an export stays until something of the tenant changes', async (t) => {
  const service = await startService(t)
  const path = '/v1/exports/commitments.csv'
  const first = await service.get(path)
  const again = await service.get(path, { headers: { 'if-none-match': first.etag } })
  t.equal(again.status, 304)
  t.equal(again.text, '')
  t.equal(again.etag, first.etag)
  t.not((await service.get('/v1/exports/commitments.ndjson')).etag, first.etag, 'another format is another thing')
  t.not((await service.get(`${path}?status=agreed`)).etag, first.etag, 'and so is another filter')
  await service.make('/v1/organisations', { name: 'Stichting Nieuw', sector: 'non_profit' })
  const changed = await service.get(path, { headers: { 'if-none-match': first.etag } })
  t.equal(changed.status, 200)
  t.not(changed.etag, first.etag)
  const head = await service.app.inject({
    method: 'HEAD',
    url: path,
    headers: { authorization: `Bearer ${service.key}` },
  })
  t.equal(head.statusCode, 200)
  t.equal(head.headers['etag'], changed.etag)
  t.equal(head.payload, '')
})
