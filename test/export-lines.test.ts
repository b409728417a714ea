import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { sql } from 'kysely'
import pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import t from 'tap'
import { tables } from '../src/transfer/catalogue.ts'
import type { Column } from '../src/transfer/columns.ts'
import { type Form, writerOf } from '../src/transfer/forms.ts'
import { lineStream } from '../src/transfer/lines.ts'
import { through } from '../src/transfer/stream.ts'
import { copyOf } from '../src/transfer/table.ts'
import { startService } from './support/harness.ts'

// Lines of NDJSON are put together from what COPY writes, wherever its bytes are cut; what they must be, row_to_json says.

const { url } = await startService(t)
const client = new pg.Client({ connectionString: url })
await client.connect()
t.teardown(() => client.end())
await client.query("set time zone 'UTC'")

/** A column of each type, by the type that Postgres has it in; texts and JSON at the beginning, in the middle and last. */
const kinds: Record<string, Column['type']> = {
  text: 'text',
  uuid: 'uuid',
  jsonb: 'json',
  integer: 'integer',
  bigint: 'integer',
  'text collate "C"': 'text',
  numeric: 'decimal',
  boolean: 'boolean',
  date: 'date',
  timestamptz: 'instant',
  json: 'json',
  'varchar(20)': 'code',
  'character varying': 'text',
}
// Keys have to be escaped where they hold quotes.
const names = Object.keys(kinds).map((_, n) => (n % 2 ? `"c"${n}` : `c_${n}`))
const columns = Object.fromEntries(
  Object.values(kinds).map((type, n): [string, Column] => [names[n] as string, { type, meaning: 'One of each' }]),
)
await client.query(
  `create temporary table given (seq integer, ${Object.keys(kinds)
    .map((type, n) => `${pg.escapeIdentifier(names[n] as string)} ${type}`)
    .join(', ')})`,
)

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }).map((value) => value.replaceAll('\0', '\u0001')),
  fc.constantFrom(
    '',
    'null',
    '\u0001',
    '\u0002',
    '\u0003',
    '\u0001\u0002\u0003\n\r\t',
    '\\.',
    '\\',
    '"',
    '\\u0001',
    ' ',
  ),
  fc.constantFrom('é\u0301', '😀'.repeat(3), '\u2028\u2029\u007f\u0080\ufeff', '{"a": 1}', '\u{10ffff}'),
)
const json = fc
  .oneof(fc.jsonValue({ depthSize: 'small' }), fc.constantFrom(null, [], {}, '', -0, 'null', [null, '\u0001\n']))
  .map((value) => JSON.stringify(value).replaceAll('\\u0000', '\\u0001'))
const moment = fc.date({
  min: new Date('0001-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59Z'),
  noInvalidDate: true,
})
const values: Record<Column['type'], fc.Arbitrary<string>> = {
  text,
  uuid: fc.uuid(),
  json,
  integer: fc.integer().map(String),
  decimal: fc.oneof(
    fc.tuple(fc.bigInt(), fc.nat(999_999)).map(([whole, rest]) => `${whole}.${rest}`),
    fc.constantFrom('-0', '-0.00', '0.000001', '1e20', '12.500'),
  ),
  boolean: fc.boolean().map(String),
  date: fc.oneof(
    moment.map((at) => at.toISOString().slice(0, 10)),
    fc.constantFrom('0044-03-15 BC', '10000-01-01'),
  ),
  instant: fc
    .tuple(moment, fc.constantFrom('', '1', '001', '120'))
    .map(([at, micros]) => at.toISOString().replace('Z', `${micros}Z`)),
  code: fc.constantFrom('why', 'non_profit', '1.a', 'in-kind'),
}
const row = fc.tuple(...Object.values(kinds).map((type) => fc.option(values[type], { nil: null, freq: 4 })))

const ndjson: Form = { format: 'ndjson', dialect: 'rfc4180' }
const ordered = (selected: ReturnType<typeof sql>) => sql`select ${selected} from given r order by r.seq`

async function put(rows: (string | null)[][]): Promise<void> {
  await client.query('truncate given')
  const types = Object.keys(kinds).map((type, n) => `(x.row ->> ${n})::${type.replace(/ collate.*/, '')}`)
  await client.query(
    `insert into given select seq, ${types.join(', ')} from jsonb_array_elements($1) with ordinality as x (row, seq)`,
    [JSON.stringify(rows)],
  )
}

/** What COPY writes of the rows, before a line is made of it. */
async function copied(): Promise<Buffer> {
  const selected = names.map((name) => writerOf(ndjson, columns[name] as Column)(sql.ref(`r.${name}`)).as(name))
  return buffer(client.query(copyTo(copyOf(ndjson, ordered(sql`${sql.join(selected)}`))({}))))
}

/** What Postgres itself makes lines of. Decimals are texts in NDJSON. */
async function expected(): Promise<string> {
  const list = names.map((name) => {
    const quoted = pg.escapeIdentifier(name)
    return columns[name]?.type === 'decimal' ? `${quoted}::text` : quoted
  })
  const { rows } = await client.query({
    text: `select row_to_json(x)::text from (select ${list.join(', ')} from given order by seq) x`,
    rowMode: 'array',
  })
  return rows.map(([line]) => `${line}\n`).join('')
}

/** The bytes in pieces that end at these places. */
function* cut(bytes: Buffer, places: readonly number[]): Generator<Buffer> {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1))), bytes.length].sort((a, b) => a - b)
  let from = 0
  for (const end of ends) {
    // Each piece has memory of its own: what is kept of one must not be of another.
    yield Buffer.from(bytes.subarray(from, end))
    from = end
  }
}

async function linesOf(pieces: Iterable<Buffer>, of = columns): Promise<{ lines: string; count: number }> {
  let count = 0
  const step = lineStream(of, (more) => {
    count += more
  })
  const lines = await buffer(through(Readable.from(pieces, { objectMode: false }), [step]))
  return { lines: lines.toString(), count }
}

t.test('rows of any values, in pieces of any size, are the lines that Postgres would make', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 12 }),
      fc.array(fc.nat(20_000), { maxLength: 30 }),
      async (rows, places) => {
        await put(rows)
        const [bytes, wanted] = [await copied(), await expected()]
        const { lines, count } = await linesOf(cut(bytes, places))
        if (lines !== wanted) t.equal(lines, wanted)
        return lines === wanted && count === rows.length
      },
    ),
    { numRuns: Number(process.env['EXPORT_LINES_RUNS'] ?? 60) },
  )
})

t.test('a line is the same wherever its bytes are cut, were it behind each of them', async (t) => {
  const rows = fc.sample(row, { numRuns: 3, seed: 7 })
  await put([...rows, names.map(() => null), ...rows])
  const [bytes, wanted] = [await copied(), await expected()]
  t.ok(bytes.length > 300)
  const each = Array.from({ length: bytes.length }, (_, n) => n)
  t.strictSame(await linesOf(cut(bytes, each)), { lines: wanted, count: 7 }, 'a byte at a time')
  for (const at of each) {
    const { lines } = await linesOf(cut(bytes, [at]))
    if (lines !== wanted) t.equal(lines, wanted, `cut at ${at}`)
  }
})

t.test('a value of megabytes passes between small ones', async (t) => {
  const large = '"\n\u0001é😀x'.repeat(300_000)
  await put(
    [[large], ['a'], [null], [large], ['']].map(([first = null]) => names.map((_, n) => (n === 0 ? first : null))),
  )
  const [bytes, wanted] = [await copied(), await expected()]
  const places = Array.from({ length: 400 }, (_, n) => n * 65_521)
  const { lines, count } = await linesOf(
    cut(
      bytes,
      places.filter((place) => place < bytes.length),
    ),
  )
  t.equal(count, 5)
  t.ok(lines === wanted)
})

t.test('what is no row of these columns fails, rather than become another', async (t) => {
  const two: Record<string, Column> = {
    a: { type: 'text', meaning: 'One' },
    b: { type: 'json', meaning: 'The other' },
  }
  const of = (bytes: string) => linesOf([Buffer.from(bytes)], two)
  t.strictSame(await of('"x"\u0001[1]\n'), { lines: '{"a":"x","b":[1]}\n', count: 1 })
  t.strictSame(await of(''), { lines: '', count: 0 })
  await t.rejects(of('"x"\u0001\u0002[1,\n2]\u0002\n'), 'a value with a line feed')
  await t.rejects(of('"x"\n'), 'a value too few')
  await t.rejects(of('"x"\u00011\u00012\n'), 'a value too many')
  await t.rejects(of('"x"\u0001'), 'an end in the middle')
  await t.rejects(of('"x"\u0001[1]'), 'an end before the end of the line')
})

t.test('no code has to be escaped', async (t) => {
  for (const { name, columns } of tables) {
    for (const [column, { type, codes }] of Object.entries(columns)) {
      if (type !== 'code') continue
      t.ok(codes && codes.length > 0, `${name}.${column} has a closed list`)
      for (const code of codes ?? []) t.match(code, /^[\w.-]+$/, `${name}.${column}`)
    }
  }
})
