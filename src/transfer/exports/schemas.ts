import { type Static, type TSchema, Type } from 'typebox'
import { codes, date, instant, nullable, recordHead, ref, strictObject } from '../../core/schemas.ts'
import { tables } from '../catalogue.ts'
import { dialects, formats } from '../forms.ts'

export const exportStatuses = ['queued', 'running', 'succeeded', 'failed', 'cancelled', 'expired'] as const
export const compressions = ['none', 'gzip', 'zstd'] as const

const tableNames = tables.map(({ name }) => name)

/** The parameters of a query as members of a body: lists are JSON arrays there, and nothing is written with commas. */
function inBody(query: TSchema): TSchema {
  const properties = Object.entries((query as { properties: Record<string, TSchema> }).properties)
  const said = (schema: TSchema) => ({ ...schema, description: 'One or more' })
  return {
    ...query,
    properties: Object.fromEntries(
      properties.map(([name, schema]) => [name, Type.IsArray(schema) ? said(schema) : schema]),
    ),
  }
}

const filters = Object.fromEntries(
  tables
    .filter(({ query }) => Object.keys((query as { properties?: object }).properties ?? {}).length > 0)
    .map(({ name, query }) => [name, Type.Optional(inBody(query))]),
) as Record<string, TSchema>

/** The filters by table, as those of the streamed exports have them. */
export const ExportFilters = Type.Unsafe<Record<string, Record<string, unknown>>>({
  ...strictObject(filters, {
    $id: 'ExportFilters',
    description: 'What narrows each table, by its name',
    examples: [{ commitments: { status: ['agreed'] } }],
  }),
})

const sequence = (description: string) => Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description })

const ExportFile = Type.Object(
  {
    name: Type.String({ description: 'To be read at /v1/exports/{id}/files/{name}', examples: ['commitments.csv'] }),
    table: nullable(Type.String({ description: 'Null for the manifest', examples: ['commitments'] })),
    media_type: Type.String({ examples: ['text/csv'] }),
    rows: nullable(Type.Integer({ minimum: 0 })),
    bytes: Type.Integer({ minimum: 0 }),
    sha256: Type.String({
      pattern: '^[0-9a-f]{64}$',
      examples: ['9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
    }),
  },
  { $id: 'ExportFile', description: 'A file of an export: complete, or not listed' },
)

export const Export = Type.Object(
  {
    ...recordHead,
    status: codes(exportStatuses, {
      description: 'expired: its files were removed. failed and cancelled exports have no files.',
    }),
    tables: Type.Array(codes(tableNames)),
    format: codes(formats),
    dialect: codes(dialects),
    compression: codes(compressions),
    filters: ref(ExportFilters),
    changed_after_sequence: nullable(sequence('Only what changed after this position of the feed of events')),
    progress: Type.Object({
      rows_done: Type.Integer({ minimum: 0 }),
      rows_expected: nullable(Type.Integer({ minimum: 0, description: 'Null until they are counted' })),
    }),
    as_of: nullable(date({ description: 'The day as of which the tables are; null for the present' })),
    snapshot_at: nullable(instant({ description: 'The moment of the snapshot from which all tables come' })),
    sequence: nullable(sequence('The last event in the snapshot: go on from here, by the feed or by the next export')),
    started_at: nullable(instant()),
    finished_at: nullable(instant()),
    expires_at: nullable(instant({ description: 'Until then its files are kept' })),
    failure: nullable(Type.String({ description: 'Why it failed', examples: ['It failed on our side three times.'] })),
    files: Type.Array(ref(ExportFile), { description: 'The manifest first: datapackage.json' }),
  },
  { $id: 'Export', description: 'Files of whole tables, all of one snapshot' },
)
export type Export = Static<typeof Export>

export const ExportCreate = strictObject(
  {
    tables: Type.Optional(
      Type.Array(codes(tableNames), {
        minItems: 1,
        uniqueItems: true,
        description: 'All of them where left out; with as_of, all that can be told as of a day',
      }),
    ),
    format: codes(formats, { examples: ['parquet'] }),
    dialect: Type.Optional(codes(dialects, { description: 'Of csv alone; rfc4180 where left out' })),
    compression: Type.Optional(
      codes(compressions, { description: 'Of csv and ndjson, none where left out; Parquet is compressed in itself' }),
    ),
    filters: Type.Optional(ref(ExportFilters)),
    as_of: Type.Optional(
      nullable(
        date({
          description:
            'The tables as they stood at the end of this day, by the days that their facts carry and by the same ' +
            'reckoning as the measures of a day. Refused for tables that do not keep what they said before: the ' +
            'codebook says which do, and which of their columns are as they are now.',
        }),
      ),
    ),
    changed_after_sequence: Type.Optional(
      nullable(
        sequence(
          '`sequence` of the export before, as it is: of each table only what later events touched is written, and beside it a file ' +
            '{table}_changes that says which rows to take away first',
        ),
      ),
    ),
  },
  { $id: 'ExportCreate', examples: [{ tables: ['partnerships', 'commitments'], format: 'parquet' }] },
)
export type ExportCreate = Static<typeof ExportCreate>

export const exportSchemas = [ExportFilters, ExportFile, Export, ExportCreate]
