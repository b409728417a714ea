import { createHash } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type TSchema, Type } from 'typebox'
import { idOf } from '../core/schemas.ts'
import { principalOf } from '../platform/auth.ts'
import type { SliceOptions } from '../platform/collection.ts'
import { type Answer, noContent, operation } from '../platform/operation.ts'
import { sendCopy } from './stream.ts'
import type { Column, ExportFormat, Table } from './table.ts'
import { commitmentsTable } from './tables/commitments.ts'
import { evaluationScoresTable } from './tables/evaluation-scores.ts'

const tables: readonly Table[] = [evaluationScoresTable, commitmentsTable]

const mediaTypes: Record<ExportFormat, string> = { csv: 'text/csv', ndjson: 'application/x-ndjson' }
const contentTypes: Record<ExportFormat, string> = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson',
}

/** Whole tables, streamed: `GET /v1/exports/commitments.csv`. */
export const exports: FastifyPluginAsyncTypebox<SliceOptions> = async (app, { database }) => {
  for (const table of tables) {
    app.addSchema(table.row)
    for (const format of ['csv', 'ndjson'] as const) {
      const { name, query } = table
      app.get(
        `/exports/${name}.${format}`,
        operation({
          id: `export_${name}_${format}`,
          scope: 'exports:run',
          tag: 'Exports',
          summary: `Export ${name.replaceAll('_', ' ')} as ${format === 'csv' ? 'CSV' : 'NDJSON'}`,
          description: describe(table, format),
          query,
          answers: { 200: rowsOf(table.row, format), 304: noContent('The caller has these rows already') },
        }),
        (request, reply) => {
          const copy = table.copy(principalOf(request).tenantId, format, request.query as Record<string, unknown>)
          return sendCopy(database, request, reply, {
            copy,
            tag: createHash('sha256').update(copy).digest('base64url').slice(0, 16),
            headers: {
              'content-type': contentTypes[format],
              'content-disposition': `attachment; filename="${name}.${format}"`,
            },
          })
        },
      )
    }
  }
}

const rowsOf = (row: TSchema, format: ExportFormat): Answer => ({
  description: 'Every row of one snapshot. An export that fails on its way breaks the connection.',
  schema:
    format === 'csv'
      ? Type.String({ description: 'One header line, then one line for each row' })
      : Type.String({
          description: `One JSON object on each line, each a ${idOf(row)}`,
          contentMediaType: 'application/json',
          contentSchema: { $ref: `${idOf(row)}#` },
        }),
  mediaType: mediaTypes[format],
  headers: {
    ETag: 'Stays the same while nothing of the tenant changes, for If-None-Match',
    'Content-Disposition': 'A name for the file',
  },
})

const snapshot =
  'All rows are of one moment, and complete: an export that fails on its way breaks the connection, and never ends as ' +
  'if it were whole. `If-None-Match` with the ETag of the last export answers 304 while nothing has changed.'

const forms: Record<ExportFormat, string> = {
  csv:
    'CSV after RFC 4180 in UTF-8, with a header line; lines end in a line feed. **Null** is nothing between two ' +
    'commas, an **empty text** is `""`. Values of type json are JSON texts. Texts are given exactly as they were ' +
    'written, so one may begin with `=`, `+`, `-` or `@`: import the file as data into a spreadsheet, rather than open ' +
    'it, where you do not trust its authors.',
  ndjson:
    'One JSON object on each line, with every column in this order; decimals are strings, so that none is rounded.',
}

/** The description of an export, columns included, in Markdown. */
function describe({ grain, notes, key, columns }: Table, format: ExportFormat): string {
  const rows = Object.entries(columns).map(([name, column]) => `| \`${name}\` | ${cells(column).join(' | ')} |`)
  return [
    `One row for each ${grain}, in the order of ${key.map((name) => `\`${name}\``).join(', ')}. ${notes}`,
    snapshot,
    forms[format],
    ['| column | type | null | meaning |', '|---|---|---|---|', ...rows].join('\n'),
    'New columns are added at the end.',
  ].join('\n\n')
}

function cells({ type, isNullable, meaning, unit, codes, references }: Column): string[] {
  const more = [
    unit && `Unit: ${unit}.`,
    codes && `One of ${codes.map((code) => `\`${code}\``).join(', ')}.`,
    references && `Refers to ${references.table}.${references.column}.`,
  ]
  return [type, isNullable ? 'yes' : 'no', [`${meaning}.`, ...more].filter(Boolean).join(' ')]
}
