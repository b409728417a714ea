import { type RawBuilder, sql } from 'kysely'
import { isShort } from './binary-rows.ts'
import type { Column, ColumnType } from './columns.ts'

export const dialects = ['rfc4180', 'excel'] as const
/** How CSV is written: exactly as it is, or so that a spreadsheet takes nothing for what it is not. */
export type Dialect = (typeof dialects)[number]

export const formats = ['csv', 'ndjson', 'parquet'] as const
export type ExportFormat = (typeof formats)[number]

/** How rows are written. */
export interface Form {
  format: ExportFormat
  /** Of CSV alone. */
  dialect: Dialect
}

type Writer = (value: RawBuilder<unknown>, column: Column) => RawBuilder<unknown>

const asItIs: Writer = (value) => value

function castTo(type: string): Writer {
  return (value) => sql`(${value})::${sql.raw(type)}`
}

// 2026-03-01 12:00:00.5+00 → 2026-03-01T12:00:00.5+00:00, as JSON has it. The session's time zone is UTC, its dates ISO.
const rfc3339: Writer = (value) => sql`replace((${value})::text, ' ', 'T') || ':00'`

const spelled: Writer = (value) => sql`case when ${value} then 'true' when not ${value} then 'false' end`

const toJson: Writer = (value) => sql`to_json(${value})`

// A member that is null is a value of its own to Postgres, but none to whoever reads a cell.
const jsonText: Writer = (value) => sql`nullif((${value})::text, 'null')`

/** How a type is written where Postgres would write it otherwise. */
const writers: Record<ExportFormat, Partial<Record<ColumnType, Writer>>> = {
  csv: { instant: rfc3339, boolean: spelled, json: jsonText },
  // What else a line needs is put there on the way: see lines.ts.
  ndjson: { text: toJson, json: toJson, boolean: spelled },
  // Each in the type whose binary form is read: see binary-rows.ts. What does not fit fails, rather than be cut.
  parquet: {
    uuid: castTo('uuid'),
    text: castTo('text'),
    code: castTo('text'),
    json: jsonText,
    integer: (value, { isLong }) => sql`(${value})::${sql.raw(isLong ? 'bigint' : 'integer')}`,
    decimal: (value, column) =>
      isShort(column)
        ? sql`((${value})::numeric * 1000000)::bigint`
        : sql`((${value})::numeric * 1000000)::numeric(38, 0)::text`,
    boolean: castTo('boolean'),
    date: castTo('date'),
    instant: castTo('timestamptz'),
  },
}

// A spreadsheet takes a cell that begins so for a formula; full-width signs too, where the language has them. The
// apostrophe itself is among them, so that the mark can be taken away again without a doubt.
const formula = `^[=+@\\t\\r\\n''＝＋－＠-]`
// What it would make a number, a date or a time of: digits with what stands around them there, and powers of ten.
const number = `^[[:space:]]*[0-9.,:/()%+ -]*[0-9][0-9.,:/()%+ -]*([eE][0-9+-]+)?[[:space:]]*$`
// Of ids, all with a digit: MAR1 is a day in March to a spreadsheet.
const digit = '[0-9]'

const marked =
  (pattern: string): Writer =>
  (value) =>
    sql`case when (${value})::text ~ ${sql.raw(`'${pattern}'`)} then '''' || (${value})::text else (${value})::text end`

function inExcel({ type, isIdentifier }: Column): Writer {
  if (type === 'text') return marked(`${formula}|${isIdentifier ? digit : number}`)
  return writers.csv[type] ?? asItIs
}

/** How the values of a column are written in a form. */
export function writerOf(
  { format, dialect }: Form,
  column: Column,
): (value: RawBuilder<unknown>) => RawBuilder<unknown> {
  const writer = format === 'csv' && dialect === 'excel' ? inExcel(column) : (writers[format][column.type] ?? asItIs)
  return (value) => writer(value, column)
}

/** By this a spreadsheet knows that a file is in UTF-8. */
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

/** What a file begins with before its first row; undefined where that is nothing. */
export const preambleOf = ({ format, dialect }: Form): Buffer | undefined =>
  format === 'csv' && dialect === 'excel' ? byteOrderMark : undefined
