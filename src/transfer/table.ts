import { type RawBuilder, type SelectQueryBuilder, type StringReference, sql } from 'kysely'
import { type TSchema, Type } from 'typebox'
import { type Inlined, inline, tenantParam } from '../db/prepared.ts'
import type { DB } from '../db/rows.ts'
import type { Filter } from '../platform/lists.ts'
import type { Column } from './columns.ts'
import { type Form, writerOf } from './forms.ts'
import { schemaOf } from './row-schema.ts'

// biome-ignore lint/suspicious/noExplicitAny: a source joins tables of its own under names of its own.
type Source<D, T extends keyof D> = SelectQueryBuilder<D, T, any>

/**
 * A column of a table whose rows come from a source: a column of the source, or SQL over it; the column of the main
 * table that has its name, where nothing else is said.
 */
export interface SourcedColumn<D, T extends keyof D> extends Column {
  value?: StringReference<D, T> | RawBuilder<unknown>
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

/** The filters of one export, as they were validated. */
export type Given = Readonly<Record<string, unknown>>

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
  /** The `COPY … TO STDOUT` that writes the table in a form. */
  copy(tenantId: string, form: Form, given: Given): string
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
    copy(tenantId, form, given) {
      const used = Object.entries(filters).filter(([filter]) => given[filter] !== undefined)
      const values: Record<string, unknown> = { tenant_id: tenantId }
      for (const [filter, { value }] of used) values[filter] = value ? value(given[filter] as never) : given[filter]
      const statement = copyStatement(source, options, form, [...used.map(([, { where }]) => where)])
      return statement(values)
    },
  }
}

function copyStatement<D, T extends keyof D>(
  source: Source<D, T>,
  { columns, key }: TableOptions<D, T>,
  form: Form,
  conditions: RawBuilder<boolean>[],
): Inlined {
  const selected = Object.entries(columns).map(([name, column]) =>
    writerOf(form, column)(sourceOf(name, column)).as(name),
  )
  const rows = (source as unknown as SelectQueryBuilder<DB, never, object>)
    .select(selected)
    .where(sql<boolean>`${sql.join([sql`r.tenant_id = ${tenantParam}`, ...conditions], sql` and `)}`)
    .orderBy(sql`${sql.join(key.map((name) => orderOf(name, columns[name])))}`)
  if (form.format === 'csv') return inline(sql`copy (${rows}) to stdout (format csv, header true, encoding 'UTF8')`)
  if (form.format === 'parquet') return inline(sql`copy (${rows}) to stdout (format binary)`)
  // One JSON text a line, as it is: neither delimiter nor quote can occur in a JSON text, which escapes control
  // characters, so CSV never quotes it and nothing has to be unescaped on the way.
  return inline(sql`copy (select row_to_json(t)::text from (${rows}) t)
    to stdout (format csv, delimiter e'\\x01', quote e'\\x02', encoding 'UTF8')`)
}

function sourceOf<D, T extends keyof D>(
  name: string,
  { value = sql.ref(`r.${name}`) }: SourcedColumn<D, T>,
): RawBuilder<unknown> {
  return typeof value === 'string' ? sql`${sql.ref(value)}` : (value as RawBuilder<unknown>)
}

/** Rows are sorted by the columns themselves, which indexes have, not by the text that is written of them. */
function orderOf<D, T extends keyof D>(name: string, column: SourcedColumn<D, T> | undefined): RawBuilder<unknown> {
  if (!column) throw new Error('The key of a table is made of its columns')
  return sourceOf(name, column)
}
