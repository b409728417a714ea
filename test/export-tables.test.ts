import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import pg from 'pg'
import t from 'tap'
import { tables } from '../src/transfer/catalogue.ts'
import { codebook } from '../src/transfer/codebook.ts'
import type { Column } from '../src/transfer/columns.ts'
import { evaluationsTable } from '../src/transfer/tables/evaluations.ts'
import { duckdb } from './support/duckdb.ts'
import type { Json } from './support/harness.ts'
import { oneOfEach, startForAll } from './support/one-of-each.ts'
import { temporaryDirectory } from './support/temporary.ts'
import { stepOf } from './support/world.ts'

// Every table, over a world that has at least one row of each, made through the public interface.

const service = await startForAll(t)
const ours = await oneOfEach(service)
await enrich()
const client = new pg.Client({ connectionString: service.url })
await client.connect()
t.teardown(() => client.end())
await client.query("select set_config('beide.tenant_id', $1, false)", [service.tenantId])

/** What one of each leaves out: identifiers, valuations, links between records, a pause, a reversal. */
async function enrich(): Promise<void> {
  const patch = async (path: string, body: object) => {
    const answer = await service.call('PATCH', path, body, { ifMatch: '*' })
    if (answer.status !== 200) throw new Error(answer.text)
  }
  await patch(`/v1/organisations/${ours['organisations']}`, {
    identifiers: [{ scheme: 'NL-KVK', value: '01234567' }],
    alternate_names: ['Ons Doel, "de club"'],
    industry: { scheme: 'sbi', code: '01.10' },
    metadata: { tier: 1, note: 'a,b' },
  })
  const { body: partnership } = await service.get(`/v1/partnerships/${ours['partnerships']}`)
  const [giver, receiver] = partnership.parties
  await service.make('/v1/partnerships', {
    name: 'Of which little is said yet',
    parties: partnership.parties.map(({ organisation_id, side }: Json) => ({ organisation_id, side })),
    purpose: { why: { en: 'Everybody swims' } },
  })
  await service.make('/v1/commitments', {
    partnership_id: partnership.id,
    from_party_id: receiver.id,
    to_party_id: giver.id,
    kind: 'visibility',
    title: 'On the shirts',
    measure: { type: 'quantity', quantity: '12.50', unit: 'hour' },
    valuations: [
      { money: { amount: '250.00', currency: 'EUR' }, basis: 'agreed', declared_by: 'giver', valued_on: '2026-01-01' },
    ],
    in_return_for: [ours['commitments']],
  })
  // Of its purpose only one part is there.
  await service.make('/v1/partnerships', { name: 'A beginning', purpose: { why: { en: 'To read' } } })
  const entry = `/v1/fulfilments/${ours['fulfilments']}`
  await stepOf(service, entry, 'confirm', { party_id: receiver.id })
  await stepOf(service, entry, 'reverse', { party_id: giver.id, reason: 'Booked twice' })
  await stepOf(service, `/v1/partnerships/${partnership.id}`, 'pause', {
    reason: 'solidarity',
    initiated_by_party_id: giver.id,
    review_on: '2099-01-01',
  })
}

const rowsOfNdjson = (text: string): Json[] =>
  text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
const rowsOfCsv = (text: string): Record<string, string | null>[] =>
  parse(text, {
    columns: true,
    cast: (value, { quoting, header }) => (value === '' && !quoting && !header ? null : value),
  })

const rowsOf = async (name: string, query = ''): Promise<Json[]> =>
  rowsOfNdjson((await service.get(`/v1/exports/${name}.ndjson${query}`)).text)

const all: Record<string, Json[]> = {}
for (const { name } of tables) all[name] = await rowsOf(name)

/** What a JSON text says; of null there is none, but an empty cell. */
function saidBy(text: string): Json {
  const said = JSON.parse(text)
  return said === null ? 'the text null' : said
}

/** A value of NDJSON as CSV writes it: a JSON text is compared by what it says. */
const asCsv = (value: unknown) => (value === null || typeof value === 'object' ? value : String(value))

t.test('every table has its rows, each as the contract describes it, in CSV and NDJSON alike', async (t) => {
  for (const { name, columns, key, row } of tables) {
    const rows = all[name] ?? []
    t.ok(rows.length > 0, `${name} has rows`)
    const id = (row as Json).$id
    const names = Object.keys(service.document.components.schemas[id].properties)
    t.strictSame(Object.keys(rows[0]), names, `${name} has its columns in their order`)
    const keys = rows.map((each) => JSON.stringify(key.map((column) => each[column])))
    t.equal(new Set(keys).size, rows.length, `${name} is told apart by its key`)
    const lines = rowsOfCsv((await service.get(`/v1/exports/${name}.csv`)).text)
    const isJson = (column: string) => columns[column]?.type === 'json'
    t.notOk(
      lines.some((line) => Object.values(line).includes('null')),
      `${name} leaves out what is not there`,
    )
    t.strictSame(
      lines.map((line) =>
        Object.fromEntries(
          Object.entries(line).map(([column, value]) => [
            column,
            value !== null && isJson(column) ? saidBy(value) : value,
          ]),
        ),
      ),
      rows.map((each) => Object.fromEntries(Object.entries(each).map(([column, value]) => [column, asCsv(value)]))),
      `${name} says the same as CSV`,
    )
  }
})

/** A value of NDJSON as DuckDB writes the one in Parquet. */
function asDuck({ type }: Column, value: Json): Json {
  if (value === null) return null
  if (type === 'decimal') return value.replace(/(?<=\..*?)0+$/, '').replace(/\.$/, '')
  if (type === 'instant') {
    const micros = /\.(\d+)/.exec(value)?.[1]?.padEnd(6, '0') ?? '0'
    return String(BigInt(Date.parse(value.replace(/\.\d+/, ''))) * 1000n + BigInt(micros))
  }
  return type === 'json' ? value : String(value)
}
const duckType: Record<Column['type'], RegExp> = {
  uuid: /^UUID$/,
  text: /^VARCHAR$/,
  code: /^VARCHAR$/,
  json: /^VARCHAR$/,
  integer: /^(INTEGER|BIGINT)$/,
  decimal: /^DECIMAL\((18|38),6\)$/,
  boolean: /^BOOLEAN$/,
  date: /^DATE$/,
  instant: /^TIMESTAMP WITH TIME ZONE$/,
}

t.test('Parquet says the same to another program, in real types', async (t) => {
  const duck = await duckdb(t)
  const directory = await temporaryDirectory()
  t.teardown(() => rm(directory, { recursive: true }))
  for (const { name, columns, key } of tables) {
    const { rawPayload, headers } = await service.app.inject({
      url: `/v1/exports/${name}.parquet`,
      headers: { authorization: `Bearer ${service.key}`, 'accept-encoding': 'gzip' },
    })
    t.strictSame([headers['content-type'], headers['content-encoding']], ['application/vnd.apache.parquet', undefined])
    const file = join(directory, `${name}.parquet`)
    await writeFile(file, rawPayload)
    const described = await duck(`describe select * from '${file}'`)
    t.strictSame(
      described.map((row) => row['column_name']),
      Object.keys(columns),
      name,
    )
    for (const row of described) {
      const column = columns[String(row['column_name'])] as Column
      t.match(row['column_type'], duckType[column.type], `${name}.${row['column_name']}`)
    }
    const texts = Object.entries(columns).map(([column, { type }]) => {
      if (type === 'instant') return `epoch_us(${column})::varchar as ${column}`
      return type === 'decimal'
        ? `regexp_replace(${column}::varchar, '\\.?0+$', '') as ${column}`
        : `${column}::varchar as ${column}`
    })
    const rows = await duck(`select ${texts.join(', ')} from '${file}'`)
    const order = (row: Json) => JSON.stringify(key.map((column) => String(row[column])))
    const sorted = (list: Json[]) => list.sort((a, b) => (order(a) < order(b) ? -1 : 1))
    t.strictSame(
      sorted(
        rows.map((row) =>
          Object.fromEntries(
            Object.entries(row).map(([column, value]) => [
              column,
              columns[column]?.type === 'json' && value !== null ? saidBy(String(value)) : value,
            ]),
          ),
        ),
      ),
      sorted(
        (all[name] ?? []).map((row) =>
          Object.fromEntries(
            Object.entries(row).map(([column, value]) => [column, asDuck(columns[column] as Column, value)]),
          ),
        ),
      ),
      name,
    )
  }
})

t.test('a member that is stored as null is an empty cell, not a text', async (t) => {
  const { rows } = await client.query(`select id from partnerships where purpose -> 'what' = 'null'`)
  t.ok(rows.length > 0, 'there are some to be seen')
  const cells = rowsOfCsv((await service.get('/v1/exports/partnerships.csv')).text)
  for (const { id } of rows) t.equal(cells.find((row) => row['id'] === id)?.['purpose_what'], null)
})

t.test('no row of a table is left out', async (t) => {
  for (const { name } of tables) {
    if (name === 'evaluation_gaps') continue
    const from =
      name === 'partnership_status_history'
        ? `status_changes where resource_type = 'partnership'`
        : `${name === 'portfolio_snapshots' ? 'portfolio_snapshot_rows' : name} where true`
    const { rows } = await client.query(`select count(*)::integer as count from ${from} and tenant_id = $1`, [
      service.tenantId,
    ])
    t.equal(all[name]?.length, rows[0].count, name)
  }
  const { body } = await service.get(`/v1/evaluations/${ours['evaluations']}/scores`)
  const gaps = all['evaluation_gaps'] ?? []
  t.strictSame(
    gaps
      .map(({ level, code, first_side, second_side, gap, is_flagged }) =>
        JSON.stringify([level, code, [first_side, second_side], gap, is_flagged]),
      )
      .sort(),
    body.gaps
      .map(({ level, code, sides, gap, is_flagged }: Json) => JSON.stringify([level, code, sides, gap, is_flagged]))
      .sort(),
    'and gaps are those of the service itself',
  )
})

/** Where the records of a table are read one by one. */
const paths: Record<string, string> = {
  organisations: 'organisations',
  partnerships: 'partnerships',
  commitments: 'commitments',
  fulfilments: 'fulfilments',
  objectives: 'objectives',
  objective_links: 'objective-links',
  disruptions: 'disruptions',
  disruption_impacts: 'impacts',
  evaluations: 'evaluations',
  substitutions: 'substitutions',
  amendments: 'amendments',
}

t.test('a record is the same in an export as where it is read', async (t) => {
  for (const [name, path] of Object.entries(paths)) {
    for (const row of all[name] ?? []) {
      const { body } = await service.get(`/v1/${path}/${row.id}`)
      const shared = Object.keys(row).filter((column) => column in body && !['amount', 'quantity'].includes(column))
      t.ok(shared.length > 8, `${name} shares ${shared.length} members`)
      const magnitude = (value: Json) => (value?.type === 'money' ? value.amount : value?.type ? value.quantity : value)
      t.strictSame(
        shared.map((column) => [column, row[column]]),
        shared.map((column) => [column, magnitude(body[column])]),
        `${name} ${row.id}`,
      )
    }
  }
})

t.test('every key of another table is found there', async (t) => {
  let seen = 0
  for (const { name, columns } of tables) {
    for (const [column, { references }] of Object.entries(columns)) {
      if (!references) continue
      const known = new Set(all[references.table]?.map((row) => row[references.column]))
      t.ok(known.size > 0, `${name}.${column} refers to a table that there is`)
      for (const row of all[name] ?? []) {
        if (row[column] === null) continue
        seen += 1
        t.ok(known.has(row[column]), `${name}.${column}`)
      }
    }
  }
  t.ok(seen > 50)
})

t.test('each filter lets through what it says and nothing else', async (t) => {
  const nobody = '01990000-0000-7000-8000-000000000000'
  const rounds = new Map(all['evaluations']?.map((row) => [row.id, row]))
  for (const { name, query, columns } of tables) {
    const rows = all[name] ?? []
    for (const filter of Object.keys((query as Json).properties)) {
      const count = async (value: string) => (await rowsOf(name, `?${filter}=${encodeURIComponent(value)}`)).length
      // Gaps are narrowed by what their round is, which stands in its own table.
      const isOfRound = name === 'evaluation_gaps' && (filter === 'status' || filter === 'kind')
      const column = isOfRound ? evaluationsTable.columns[filter] : columns[filter]
      if (name.startsWith('evaluation') && filter === 'organisation_id') {
        // What an organisation judges of itself, and what is of the partnerships in which it has a seat.
        for (const { id } of all['organisations'] ?? []) {
          const seats = all['partnership_parties']?.filter((seat) => seat.organisation_id === id) ?? []
          const its = new Set(seats.map(({ partnership_id }) => partnership_id))
          const expected = rows.filter((row) => row.organisation_id === id || its.has(row.partnership_id))
          t.equal(await count(id), expected.length, `${name}?${filter}=${id}`)
        }
        t.equal(await count(nobody), 0, `${name}?${filter} of nothing`)
      } else if (column) {
        const values = rows.map((row) => (isOfRound ? rounds.get(row.evaluation_id)?.[filter] : row[filter]))
        for (const value of new Set(values)) {
          if (value === null) continue
          t.equal(await count(value), values.filter((one) => one === value).length, `${name}?${filter}=${value}`)
        }
        if (column.type === 'uuid') t.equal(await count(nobody), 0, `${name}?${filter} of nothing`)
      } else {
        const [early, late] =
          filter === 'due_before' ? ['1990-01-01', '2999-01-01'] : ['1990-01-01T00:00:00Z', '2999-01-01T00:00:00Z']
        const counts = [await count(early), await count(late)]
        t.equal(Math.min(...counts), 0, `${name}?${filter}`)
        const dated = filter === 'due_before' ? rows.filter((row) => row.due_on !== null) : rows
        t.equal(Math.max(...counts), dated.length, `${name}?${filter}`)
      }
    }
  }
  const bad = await service.get('/v1/exports/organisations.ndjson?dialect=excel')
  t.equal(bad.status, 400, 'a dialect is for CSV alone')
})

t.test('in the dialect of spreadsheets nothing is a formula, a number or a date that is none', async (t) => {
  const there = await service.afresh()
  const hostile = [
    `=cmd|' /C calc'!A0`,
    '+1+1',
    '-1+1',
    '@SUM(A1)',
    '＝1+1',
    '"=1+1"',
    `",=1+1,"`,
    "'=1",
    '0012',
    '1e5',
    '1/2',
    '2026-03-01',
    '3.14',
    '12:30',
    'a\n=1+1',
    'Gewoon, met "tekst"',
    '😀 مرحبا',
    'x'.repeat(40_000),
  ]
  // Longer than a title may be, but not than a description.
  for (const [n, description] of hostile.entries())
    await there
      .make('/v1/disruptions', {
        title: `D${n}`,
        description,
        type: 'other',
        started_on: '2026-01-01',
        external_refs: [{ system: 'crm', id: `${['00', '1e', 'MAR', 'abc'][n % 4]}${n}` }],
      })
      .catch((error) => (description.length > 10_000 ? null : Promise.reject(error)))
  const read = async (query: string) => (await there.get(`/v1/exports/disruptions.csv${query}`)).text
  const [plain, excel] = [await read(''), await read('?dialect=excel')]
  t.equal(excel.charCodeAt(0), 0xfeff, 'it begins with a byte order mark')
  t.not(plain.charCodeAt(0), 0xfeff)
  const [exact, safe] = [rowsOfCsv(plain), rowsOfCsv(excel.slice(1))]
  const taken = hostile.filter(({ length }) => length <= 10_000)
  t.strictSame(exact.map((row) => row['description']).sort(), [...taken].sort(), 'exact in the other one')
  for (const [n, row] of safe.entries()) {
    for (const column of ['title', 'description', 'external_id'] as const) {
      const [given, value] = [exact[n]?.[column] ?? '', row[column] ?? '']
      t.notMatch(value, /^[=+\-@\t\r\n＝＋－＠]/, `${value} is no formula`)
      t.notMatch(value, /^[\d.,:/ -]+(e\d+)?$/i, `${value} is no number`)
      t.equal(value.replace(/^'/, ''), given, 'one apostrophe less is the value')
    }
    t.equal(row['started_on'], '2026-01-01', 'dates stay dates')
    t.equal(row['version'], '1', 'numbers stay numbers')
    t.equal(row['external_id']?.startsWith("'"), true, 'ids with digits are texts')
  }
  t.strictSame(
    safe
      .filter((row) => row['description']?.startsWith("'"))
      .map((row) => row['description']?.slice(1))
      .sort(),
    taken.filter((text) => /^[=+\-@＝']|^[\d.,:/-]+(e5)?$/.test(text)).sort(),
    'and only what needs it has one',
  )
})

t.test('a body is compressed where the client asks for it', async (t) => {
  const path = '/v1/exports/evaluation_scores.csv'
  const plain = await service.get(path)
  const get = async (accept: string) => {
    const headers = { authorization: `Bearer ${service.key}`, 'accept-encoding': accept }
    const { rawPayload, headers: got } = await service.app.inject({ url: path, headers })
    return { rawPayload, encoding: got['content-encoding'], etag: got['etag'], vary: got['vary'] }
  }
  const gzip = await get('gzip, deflate, br')
  t.strictSame([gzip.encoding, gzip.vary], ['gzip', 'Accept-Encoding'])
  t.equal(gunzipSync(gzip.rawPayload).toString(), plain.text)
  t.ok(gzip.rawPayload.length < plain.text.length / 4)
  const zstd = await get('gzip;q=0.5, zstd')
  t.equal(zstd.encoding, 'zstd')
  t.equal(zstdDecompressSync(zstd.rawPayload).toString(), plain.text)
  t.equal(new Set([plain.etag, gzip.etag, zstd.etag]).size, 3, 'each encoding has an ETag of its own')
  const none = await get('gzip;q=0, br, *')
  t.equal(none.encoding, undefined)
  t.equal(none.rawPayload.toString(), plain.text)
})

t.test('the codebook is current, and describes every column of every table', async (t) => {
  const page = await readFile(new URL('../docs/codebook.md', import.meta.url), 'utf8')
  t.equal(page, codebook())
  for (const { name, columns } of tables) {
    const chapter = page.split(`\n## ${name}\n`)[1]?.split('\n## ')[0] ?? ''
    for (const [column, { type }] of Object.entries(columns))
      t.match(chapter, new RegExp(`^\\| \`${column}\` \\| ${type} \\|`, 'm'), `${name}.${column}`)
  }
})
