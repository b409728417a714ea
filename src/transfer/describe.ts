import { type TSchema, Type } from 'typebox'
import { idOf } from '../core/schemas.ts'
import type { Answer } from '../platform/operation.ts'
import type { Column } from './columns.ts'
import type { ExportFormat } from './forms.ts'
import type { Table } from './table.ts'

// What the contract and the codebook say of exports; both come from the definitions of the tables.

export const formatNames: Record<ExportFormat, string> = { csv: 'CSV', ndjson: 'NDJSON', parquet: 'Parquet' }

/** The media type of a format, as the contract names it. */
export const mediaTypes: Record<ExportFormat, string> = {
  csv: 'text/csv',
  ndjson: 'application/x-ndjson',
  parquet: 'application/vnd.apache.parquet',
}

/** The same as a header says it. */
export const contentTypes: Record<ExportFormat, string> = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson',
  parquet: 'application/vnd.apache.parquet',
}

const bodies: Record<ExportFormat, (row: TSchema) => TSchema> = {
  csv: () => Type.String({ description: 'One header line, then one line for each row' }),
  ndjson: (row) =>
    Type.String({
      description: `One JSON object on each line, each a ${idOf(row)}`,
      contentMediaType: 'application/json',
      contentSchema: { $ref: `${idOf(row)}#` },
    }),
  parquet: () =>
    Type.String({
      format: 'binary',
      contentMediaType: 'application/vnd.apache.parquet',
      description: 'A Parquet file',
    }),
}

/** The answer of an export. */
export const rowsOf = (row: TSchema, format: ExportFormat): Answer => ({
  description: 'Every row of one snapshot. An export that fails on its way breaks the connection.',
  schema: bodies[format](row),
  mediaType: mediaTypes[format],
  headers: {
    ETag: 'Stays the same while nothing of the tenant changes, for If-None-Match',
    'Content-Disposition': 'A name for the file',
    ...(format === 'parquet' ? {} : { 'Content-Encoding': '`gzip` or `zstd`, where Accept-Encoding asks for it' }),
  },
})

const snapshot =
  'All rows are of one moment, and complete: an export that fails on its way breaks the connection, and never ends as ' +
  'if it were whole. `If-None-Match` with the ETag of the last export answers 304 while nothing has changed.'

const forms: Record<ExportFormat, string> = {
  csv:
    'CSV after RFC 4180 in UTF-8, with a header line; lines end in a line feed. **Null** is nothing between two ' +
    'commas, an **empty text** is `""`. Values of type json are JSON texts. Texts are given exactly as they were ' +
    'written, so one may begin with `=`, `+`, `-` or `@`: with `dialect=excel` such texts, and those that a spreadsheet ' +
    'would turn into numbers or dates, begin with an apostrophe, and the file with a byte order mark.',
  ndjson:
    'One JSON object on each line, with every column in this order; decimals are strings, so that none is rounded.',
  parquet:
    'Parquet with real types: UUID, DATE, TIMESTAMP in UTC with microseconds, DECIMAL with six digits behind the point, ' +
    'codes in dictionaries; lists and objects as their JSON text. Compressed with zstd.',
}

/** The description of an export, in Markdown. The columns stand in that of the CSV. */
export function describe(table: Table, format: ExportFormat): string {
  const { grain, notes, key, row } = table
  return [
    `One row for each ${grain}, in the order of ${key.map((name) => `\`${name}\``).join(', ')}. ${notes}`,
    snapshot,
    forms[format],
    format === 'csv' ? columnsTable(table) : `The columns are the members of ${idOf(row)}.`,
    'New columns are added at the end.',
  ].join('\n\n')
}

/** The columns of a table, as a table in Markdown. */
export function columnsTable({ columns }: Table): string {
  const rows = Object.entries(columns).map(([name, column]) => `| \`${name}\` | ${cells(column).join(' | ')} |`)
  return ['| column | type | null | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

function cells({ type, isNullable, meaning, unit, codes, references }: Column): string[] {
  const more = [
    unit && `Unit: ${unit}.`,
    codes && `One of ${codes.map((code) => `\`${code}\``).join(', ')}.`,
    references && `Refers to ${references.table}.${references.column}.`,
  ]
  return [type, isNullable ? 'yes' : 'no', [`${meaning}.`, ...more].filter(Boolean).join(' ')]
}
