import { type RawBuilder, type SelectQueryBuilder, type StringReference, sql } from 'kysely'
import { type TSchema, Type } from 'typebox'
import { codes, date, decimal, instant, nullable, uuid } from '../core/schemas.ts'
import { type Inlined, inline, tenantParam } from '../db/prepared.ts'
import type { DB } from '../db/rows.ts'
import type { Filter } from '../platform/lists.ts'

/**
 * What a value is, in every format:
 * `decimal` is exact (CSV: digits, NDJSON: a string), `instant` an RFC 3339
 * instant in UTC with its microseconds, `json` a value of its own in NDJSON and its text in CSV.
 */
export type ColumnType = 'uuid' | 'text' | 'code' | 'integer' | 'decimal' | 'date' | 'instant' | 'json'

/** One column: the one place where its name, type, unit, meaning, nullability and codes are said. */
export interface Column {
  type: ColumnType
  meaning: string
  /** Of numbers: what one is of, such as `the unit column` or `points, 0 to 100`. */
  unit?: string
  isNullable?: boolean
  /** The closed list of a `code`. */
  codes?: readonly string[]
  /** The table and column that the value is a key of. */
  references?: { table: string; column: string }
  /** The schema of a `json` value. */
  schema?: TSchema
}

// biome-ignore lint/suspicious/noExplicitAny: a source joins tables of its own under names of its own.
type Source<D, T extends keyof D> = SelectQueryBuilder<D, T, any>

/** A column of a table whose rows come from a source: a column of the source, or SQL over it. */
export interface SourcedColumn<D, T extends keyof D> extends Column {
  value: StringReference<D, T> | RawBuilder<unknown>
}

export interface TableOptions<D, T extends keyof D> {
  /** The name of the table and of its files. */
  name: string
  /** The name of the contract's component that describes one row. */
  rowName: string
  /** What one row is, as it ends the sentence "One row for each …". */
  grain: string
  /** What an analyst has to know beside the columns. */
  notes: string
  /** The columns that tell rows apart; rows are in their order. */
  key: readonly string[]
  /** By name, in the order in which they are written. New ones are added at the end. */
  columns: Record<string, SourcedColumn<D, T>>
  filters: Record<string, Filter>
}

export type ExportFormat = 'csv' | 'ndjson'

/** A table as it is exported: contract, SQL and documentation come from this one definition. */
export interface Table {
  name: string
  grain: string
  notes: string
  key: readonly string[]
  columns: Readonly<Record<string, Column>>
  /** The query parameters that narrow an export. */
  query: TSchema
  /** One row as it is in NDJSON: a component of the contract. */
  row: TSchema
  /** The `COPY … TO STDOUT` that writes the table in a format; `given` are the filters, as validated. */
  copy(tenantId: string, format: ExportFormat, given: Readonly<Record<string, unknown>>): string
}

/** Defines a table over its source, whose main table goes by the alias `r` and has a `tenant_id`. */
export function defineTable<D, T extends keyof D>(source: Source<D, T>, options: TableOptions<D, T>): Table {
  const { name, grain, notes, key, columns, filters } = options
  return {
    name,
    grain,
    notes,
    key,
    columns,
    query: Type.Object(
      Object.fromEntries(Object.entries(filters).map(([filter, { schema }]) => [filter, Type.Optional(schema)])),
      { additionalProperties: false },
    ),
    row: Type.Object(
      Object.fromEntries(Object.entries(columns).map(([column, definition]) => [column, schemaOf(definition)])),
      { $id: options.rowName, description: `One row of an export: one for each ${grain}` },
    ),
    copy(tenantId, format, given) {
      const used = Object.entries(filters).filter(([filter]) => given[filter] !== undefined)
      const values: Record<string, unknown> = { tenant_id: tenantId }
      for (const [filter, { value }] of used) values[filter] = value ? value(given[filter] as never) : given[filter]
      const statement = copyStatement(source, options, format, [...used.map(([, { where }]) => where)])
      return statement(values)
    },
  }
}

function copyStatement<D, T extends keyof D>(
  source: Source<D, T>,
  { columns, key }: TableOptions<D, T>,
  format: ExportFormat,
  conditions: RawBuilder<boolean>[],
): Inlined {
  const selected = Object.entries(columns).map(([name, { type, value }]) => {
    const raw = typeof value === 'string' ? sql.ref(value) : (value as RawBuilder<unknown>)
    return sql`${writers[format][type]?.(raw) ?? raw}`.as(name)
  })
  const rows = (source as unknown as SelectQueryBuilder<DB, never, object>)
    .select(selected)
    .where(sql<boolean>`${sql.join([sql`r.tenant_id = ${tenantParam}`, ...conditions], sql` and `)}`)
    .orderBy(sql`${sql.join(key.map((name) => orderOf(columns[name])))}`)
  if (format === 'csv') return inline(sql`copy (${rows}) to stdout (format csv, header true, encoding 'UTF8')`)
  // One JSON text a line, as it is: neither delimiter nor quote can occur in a JSON text, which escapes control
  // characters, so CSV never quotes it and nothing has to be unescaped on the way.
  return inline(sql`copy (select row_to_json(t)::text from (${rows}) t)
    to stdout (format csv, delimiter e'\\x01', quote e'\\x02', encoding 'UTF8')`)
}

/** Rows are sorted by the columns themselves, which indexes have, not by the text that is written of them. */
function orderOf<D, T extends keyof D>(column: SourcedColumn<D, T> | undefined): RawBuilder<unknown> {
  if (!column) throw new Error('The key of a table is made of its columns')
  return typeof column.value === 'string' ? sql.ref(column.value) : (column.value as RawBuilder<unknown>)
}

type Writer = (value: RawBuilder<unknown>) => RawBuilder<unknown>

/** How a type is written where Postgres would write it otherwise. The session's time zone is UTC, its dates ISO. */
const writers: Record<ExportFormat, Partial<Record<ColumnType, Writer>>> = {
  // 2026-03-01 12:00:00.5+00 → 2026-03-01T12:00:00.5+00:00, as JSON has it.
  csv: { instant: (value) => sql`replace(${value}::text, ' ', 'T') || ':00'` },
  ndjson: { decimal: (value) => sql`${value}::text` },
}

function schemaOf(column: Column): TSchema {
  const about = { description: column.unit ? `${column.meaning} Unit: ${column.unit}.` : column.meaning }
  const of: Record<ColumnType, () => TSchema> = {
    uuid: () => uuid(about),
    text: () => Type.String(about),
    code: () => codes(column.codes ?? [], about),
    integer: () => Type.Integer(about),
    decimal: () => decimal(about),
    date: () => date(about),
    instant: () => instant(about),
    json: () => ({ ...(column.schema ?? Type.Unknown()), ...about }) as TSchema,
  }
  const schema = of[column.type]()
  return column.isNullable ? nullable(schema) : schema
}
