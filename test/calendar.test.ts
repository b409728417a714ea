import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import t from 'tap'
import { addDays } from '../src/core/dates.ts'
import { duckdb } from './support/duckdb.ts'
import { type Answer, type Json, startService } from './support/harness.ts'
import { importFile, rowsOf, startImports } from './support/imports.ts'
import { portfolioOf } from './support/portfolios.ts'
import { partnershipOf, plan, roundIn } from './support/rounds.ts'
import { temporaryDirectory } from './support/temporary.ts'
import { draft } from './support/world.ts'

// The calendar has the years 1 to 9999: what Postgres knows beyond it is refused at each door.

const service = await startService(t)
await startImports(t, service)
const first = await partnershipOf(service)

const days = [
  ...['0000-12-31', '-0001-01-01', '0044-03-15 BC', '10000-01-01', '+010000-01-01'],
  ...['infinity', '-infinity', 'today', 'epoch', '2026-02-29', '0100-02-29'],
]
const instants = [
  ...['infinity', '-infinity', 'now', '0000-12-31T23:59:59Z', '0044-03-15T00:00:00Z BC', '10000-01-01T00:00:00Z'],
  // Within the calendar as they are written, beyond it as they are stored.
  ...['0001-01-01T00:00:00+00:01', '9999-12-31T23:59:59-00:01', '9999-12-31T23:59:60Z', '9999-12-31T23:59:59.9999996Z'],
  // Within the calendar as they would be stored.
  ...['0000-12-31T23:59:00-01:00', '2026-01-01T00:00:00+16:00'],
  ...['2026-01-01T24:00:00Z', '2026-01-01T12:60:00Z', '2026-01-01T12:00:60Z', '2026-01-01T12:00:00'],
]

const refused = ({ status, body }: Answer) => [status, ...(body.errors ?? []).map((fault: Json) => fault.pointer)]
const post = (path: string, body: object) => service.call('POST', path, body)
const measure = { type: 'money', amount: '10', currency: 'EUR' }
const round = { partnership_id: first.id, kind: 'periodic', period_from: '2026-01-01', period_to: '2026-06-30' }

const rowOfImport = async (file: string, type: string): Promise<Answer> => {
  const [row] = await rowsOf(service, await importFile(service, file, { type }))
  return { status: row.outcome === 'invalid' ? 400 : 200, body: { errors: row.faults } } as unknown as Answer
}
const importLine = (members: object) =>
  rowOfImport(
    JSON.stringify({ type: 'partnership', external_refs: [{ system: 'crm', id: '1' }], name: 'A', ...members }),
    'application/x-ndjson',
  )
const importCells = (day: string) =>
  rowOfImport(`type,external_refs.0.system,external_refs.0.id,name,starts_on\npartnership,crm,1,A,${day}\n`, 'text/csv')

type Door = [pointer: string, values: readonly string[], send: (value: string) => Promise<Answer>]
const doors: Door[] = [
  ['/starts_on', days, (starts_on) => post('/v1/partnerships', { name: 'A', starts_on })],
  [
    '/schedule/starts_on',
    days,
    (starts_on) =>
      post('/v1/commitments', {
        ...{ partnership_id: first.id, kind: 'cash', title: 'A gift', measure },
        ...{ from_party_id: first.parties[0].id, to_party_id: first.parties[1].id },
        schedule: { frequency: 'yearly', interval: 1, starts_on, count: 2 },
      }),
  ],
  ['/opens_at', instants, (opens_at) => post('/v1/evaluations', { ...round, opens_at })],
  ['/expires_at', instants, (expires_at) => post('/v1/api-keys', { name: 'A', scopes: ['exports:run'], expires_at })],
  ['/as_of', days, (as_of) => post('/v1/exports', { format: 'csv', as_of })],
  [
    '/filters/pauses/updated_since',
    instants,
    (updated_since) => post('/v1/exports', { format: 'csv', filters: { pauses: { updated_since } } }),
  ],
  ['?starts_from', days, (day) => service.get(`/v1/partnerships?starts_from=${encodeURIComponent(day)}`)],
  ['?updated_since', instants, (at) => service.get(`/v1/partnerships?updated_since=${encodeURIComponent(at)}`)],
  ['?due_before', days, (day) => service.get(`/v1/exports/instalments.csv?due_before=${encodeURIComponent(day)}`)],
  ['/starts_on', days, (starts_on) => importLine({ starts_on })],
  ['/starts_on', days, importCells],
]

t.test('a day or an instant beyond the calendar is refused at each door, which names it', async (t) => {
  for (const [pointer, values, send] of doors) {
    for (const value of values) t.strictSame(refused(await send(value)), [400, pointer], `${pointer} ${value}`)
  }
  const { body } = await post('/v1/partnerships', { name: 'A', starts_on: '0000-01-01' })
  t.match(body.errors[0], { code: 'format', detail: 'Must be a day of the years 0001 to 9999, such as 2026-03-01.' })
})

t.test('the first and the last of the calendar are taken, and told alike in every format', async (t) => {
  const { id } = await draft(service, { starts_on: '0001-01-01', ends_on: '9999-12-31' })
  const opens = '0001-01-01T01:00:00+01:00'
  const { id: roundId } = await plan(service, first, { opens_at: opens, closes_at: '9999-12-31T23:59:59.999999Z' })
  const directory = await temporaryDirectory()
  t.teardown(() => rm(directory, { recursive: true }))
  const duck = await duckdb(t)
  for (const [table, of, columns, told, micros] of [
    ['partnerships', id, ['starts_on', 'ends_on'], ['0001-01-01', '9999-12-31'], undefined],
    [
      ...(['evaluations', roundId] as const),
      ['opens_at', 'closes_at'],
      ['0001-01-01T00:00:00+00:00', '9999-12-31T23:59:59.999999+00:00'],
      ['-62135596800000000', '253402300799999999'],
    ],
  ] as const) {
    const tell = (row: Json) => columns.map((column) => row[column])
    const textOf = async (form: string) => (await service.get(`/v1/exports/${table}.${form}`)).text
    const csv: Json[] = parse(await textOf('csv'), { columns: true })
    const lines: Json[] = (await textOf('ndjson'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    for (const rows of [csv, lines]) t.strictSame(tell(rows.find((row) => row.id === of)), told, table)
    const headers = { authorization: `Bearer ${service.key}` }
    const { rawPayload } = await service.app.inject({ url: `/v1/exports/${table}.parquet`, headers })
    const file = join(directory, `${table}.parquet`)
    await writeFile(file, rawPayload)
    const texts = columns.map((column) => `${micros ? `epoch_us(${column})` : column}::varchar as ${column}`)
    const [row] = await duck(`select ${texts.join(', ')} from '${file}' where id = '${of}'`)
    t.strictSame(tell(row as Json), micros ?? told, `${table} in Parquet`)
  }
})

t.test('a day of the first century has its next one in the same', (t) => {
  t.equal(addDays('0050-12-31', 1), '0051-01-01')
  t.equal(addDays('0001-01-01', 365), '0002-01-01')
  t.end()
})

t.test('when the next round is due stays within the calendar', async (t) => {
  const made = await partnershipOf(service)
  await roundIn(service, made, 'concluded', { period_to: '9999-12-31' })
  const portfolio = await portfolioOf(service, { id: made.parties[0].organisation_id })
  t.equal(portfolio.data[0].evaluation.due_on, '9999-12-31')
})
