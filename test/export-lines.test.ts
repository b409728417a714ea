import { Readable } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import type { Column } from '../src/transfer/columns.ts'
import { lineStream } from '../src/transfer/lines.ts'

// What no request can choose: where the chunks of a COPY end. All else of NDJSON is tested through the interface.

const columns = {
  id: { type: 'uuid', meaning: '' },
  note: { type: 'text', meaning: '' },
  count: { type: 'integer', meaning: '' },
  sum: { type: 'decimal', meaning: '' },
  is_so: { type: 'boolean', meaning: '' },
  at: { type: 'instant', meaning: '' },
  more: { type: 'json', meaning: '' },
} satisfies Record<string, Column>

const orNull = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null })
const rowsOf = fc.array(
  fc.record({
    id: fc.uuid(),
    note: orNull(fc.string({ unit: 'grapheme' })),
    count: orNull(fc.integer()),
    sum: orNull(fc.integer().map((cents) => `${cents}.00`)),
    is_so: orNull(fc.boolean()),
    at: orNull(fc.constantFrom('2026-03-01 12:00:00+00', '2026-03-01 12:00:00.123456+00')),
    more: orNull(fc.jsonValue()),
  }),
  { maxLength: 6 },
)
type Row = Record<keyof typeof columns, unknown>

/** As COPY writes it. */
const copied = (row: Row) =>
  Object.entries(columns)
    .map(([name, { type }]) => {
      const value = row[name as keyof Row]
      if (value === null) return '\x03'
      return type === 'text' || type === 'json' ? JSON.stringify(value) : String(value)
    })
    .join('\x01')

async function linesOf(bytes: Buffer, cuts: readonly number[]): Promise<{ text: string; counted: number }> {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end))
  let counted = 0
  const stream = Readable.from(chunks.filter(({ length }) => length > 0)).pipe(
    lineStream(columns, (count) => {
      counted += count
    }),
  )
  const written: Buffer[] = []
  for await (const chunk of stream) written.push(chunk)
  return { text: Buffer.concat(written).toString(), counted }
}

t.test('lines are the same wherever the chunks end', async () => {
  await fc.assert(
    fc.asyncProperty(rowsOf, fc.array(fc.nat(), { maxLength: 12 }), async (rows, cuts) => {
      const bytes = Buffer.from(rows.map((row) => `${copied(row)}\n`).join(''))
      const { text, counted } = await linesOf(bytes, cuts)
      const instant = (at: unknown) => (at === null ? null : `${String(at).replace(' ', 'T')}:00`)
      t.equal(text, rows.map((row) => `${JSON.stringify({ ...row, at: instant(row.at) })}\n`).join(''))
      t.equal(counted, rows.length)
    }),
  )
})

t.test('bytes that COPY does not write, and rows that are cut off, are refused', async (t) => {
  const row = copied({ id: 'a', note: 'b', count: 1, sum: '1', is_so: true, at: null, more: {} })
  for (const bytes of [row, `${row}\n${row.slice(0, 9)}`, row.replace('\x01', '\n'), `\x02${row}\n`, `${row}\x01\n`]) {
    await t.rejects(linesOf(Buffer.from(bytes), []), JSON.stringify(bytes))
  }
})
