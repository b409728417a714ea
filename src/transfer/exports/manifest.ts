import type { Column } from '../columns.ts'
import { isDated } from '../dated.ts'
import { mediaTypes } from '../describe.ts'
import { historyOf } from '../history.ts'
import type { Attempt, ExportFileRow, ExportOrder } from './store.ts'

/** A Tabular Data Package (https://specs.frictionlessdata.io/tabular-data-package/): what is in the files, and how to read it. */
export const manifestName = 'datapackage.json'

/** Grows where a reader of the files has to change; new columns and codes are no such change. */
const schemaVersion = '1.0'

type Json = Record<string, unknown>

/** A file with the columns that it has. */
export interface Described {
  file: ExportFileRow
  name: string
  /** The table that it is, or is of. */
  table: string
  columns: Readonly<Record<string, Column>>
  key: readonly string[]
}

const suffixes = { none: '', gzip: '.gz', zstd: '.zst' } as const

/** How the names of an export's files end. */
export const extensionOf = ({ format, compression }: ExportOrder): string => `${format}${suffixes[compression]}`

/** The media type of an export's files. */
export const mediaTypeOf = ({ format, compression }: ExportOrder): string =>
  compression === 'none' ? mediaTypes[format] : `application/${compression}`

/** The manifest of an export. */
export function manifestOf(
  order: Attempt,
  files: readonly Described[],
  moment: { snapshotAt: string; sequence: string },
): Json {
  const isTabular = order.format === 'csv'
  const whole = new Set(
    order.changed_after_sequence === null && order.as_of === null
      ? files.map(({ name }) => name).filter((name) => !order.filters[name])
      : [],
  )
  return {
    profile: isTabular ? 'tabular-data-package' : 'data-package',
    name: 'beide-export',
    id: order.id,
    title: 'Tables exported from Beide',
    created: moment.snapshotAt,
    as_of: order.as_of ?? moment.snapshotAt,
    sequence: Number(moment.sequence),
    changed_after_sequence: order.changed_after_sequence,
    schema_version: schemaVersion,
    filters: order.filters,
    resources: files.map((described) => resourceOf(order, described, whole)),
  }
}

function resourceOf(
  order: ExportOrder,
  { file, name, table, columns, key }: Described,
  whole: ReadonlySet<string>,
): Json {
  const isTabular = order.format === 'csv'
  const foreignKeys = Object.entries(columns).flatMap(([column, { references }]) => {
    // A key that leads out of the package, or to rows that a filter or the day left out, is none.
    if (!references || !whole.has(references.table) || name !== table) return []
    const resource = references.table === name ? '' : references.table
    return [{ fields: column, reference: { resource, fields: references.column } }]
  })
  return {
    profile: isTabular ? 'tabular-data-resource' : 'data-resource',
    name,
    path: file.name,
    format: order.format,
    mediatype: file.media_type,
    ...(isTabular
      ? { encoding: 'utf-8', dialect: { delimiter: ',', doubleQuote: true, header: true, lineTerminator: '\n' } }
      : {}),
    ...(order.compression === 'none' ? {} : { compression: order.compression === 'gzip' ? 'gz' : 'zst' }),
    bytes: file.bytes,
    hash: `sha256:${file.sha256}`,
    rows: file.rows,
    ...(order.filters[name] ? { filters: order.filters[name] } : {}),
    ...(order.as_of === null ? {} : { undated: undatedOf(name) }),
    schema: {
      fields: Object.entries(columns).map(([column, definition]) => fieldOf(column, definition)),
      missingValues: [''],
      primaryKey: [...key],
      ...(foreignKeys.length > 0 ? { foreignKeys } : {}),
    },
  }
}

/** The columns that are as they are now, whatever the day. */
function undatedOf(name: string): readonly string[] {
  const history = historyOf(name)
  return isDated(history) ? history.undated : []
}

/** Types of Table Schema; what a json value is, its schema says. */
const types: Record<Column['type'], (column: Column) => Json> = {
  uuid: () => ({ type: 'string', format: 'uuid' }),
  text: () => ({ type: 'string' }),
  code: () => ({ type: 'string' }),
  integer: () => ({ type: 'integer' }),
  decimal: () => ({ type: 'number' }),
  boolean: () => ({ type: 'boolean', trueValues: ['true'], falseValues: ['false'] }),
  date: () => ({ type: 'date' }),
  instant: () => ({ type: 'datetime', format: 'any' }),
  json: ({ schema }) => ({ type: (schema as { type?: string } | undefined)?.type === 'array' ? 'array' : 'object' }),
}

function fieldOf(name: string, column: Column): Json {
  const { meaning, unit, isNullable, codes } = column
  // An empty text and a missing one look alike to Table Schema, so texts are not said to be required.
  const isRequired = !isNullable && column.type !== 'text'
  const constraints = { ...(isRequired ? { required: true } : {}), ...(codes ? { enum: codes } : {}) }
  return {
    name,
    ...types[column.type](column),
    description: meaning,
    ...(unit ? { unit } : {}),
    ...(Object.keys(constraints).length > 0 ? { constraints } : {}),
  }
}
