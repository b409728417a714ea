import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type TObject, Type } from 'typebox'
import { codes } from '../core/schemas.ts'
import { principalOf } from '../platform/auth.ts'
import type { SliceOptions } from '../platform/collection.ts'
import { noContent, operation } from '../platform/operation.ts'
import { tables } from './catalogue.ts'
import { contentTypes, describe, formatNames, rowsOf } from './describe.ts'
import { type Dialect, dialects, type ExportFormat, formats } from './forms.ts'
import { stepsOf } from './steps.ts'
import { sendCopy } from './stream.ts'
import type { Given, Table } from './table.ts'

/** Whole tables, streamed: `GET /v1/exports/commitments.csv`. */
export const exports: FastifyPluginAsyncTypebox<SliceOptions> = async (app, { database }) => {
  for (const table of tables) {
    app.addSchema(table.row)
    for (const format of formats) {
      const { name } = table
      app.get(
        `/exports/${name}.${format}`,
        operation({
          id: `export_${name}_${format}`,
          scope: 'exports:run',
          tag: 'Exports',
          summary: `Export ${name.replaceAll('_', ' ')} as ${formatNames[format]}`,
          description: describe(table, format),
          query: queryOf(table, format),
          answers: { 200: rowsOf(table.row, format), 304: noContent('The caller has these rows already') },
        }),
        (request, reply) => {
          const { dialect = 'rfc4180', ...given } = request.query as Given & { dialect?: Dialect }
          const form = { format, dialect }
          const { tenantId } = principalOf(request)
          return sendCopy(database, request, reply, {
            copy: async (tx) =>
              table.copy(form, { tenantId, given: { ...given, ...(await table.survivors(tx, given)) } }),
            variant: dialect,
            steps: () => stepsOf(table, form),
            isCompressed: format === 'parquet',
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

const dialect = Type.Optional(
  codes(dialects, { description: 'rfc4180 where left out; excel for files that a spreadsheet opens' }),
)

/** The filters of a table and, of CSV, its dialect. */
function queryOf({ query }: Table, format: ExportFormat) {
  if (format !== 'csv') return query
  const { properties } = query as TObject
  return Type.Object({ ...properties, dialect }, { additionalProperties: false })
}
