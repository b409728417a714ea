import { type RawBuilder, type SelectQueryBuilder, type StringReference, sql } from 'kysely'
import { type TSchema, Type } from 'typebox'
import type { ReadTx } from '../db/database.ts'
import { type Inlined, inline, tenantParam } from '../db/prepared.ts'
import type { DB } from '../db/rows.ts'
import type { Filter } from '../platform/lists.ts'
import { survivorsOf } from '../platform/merged.ts'
import type { Column } from './columns.ts'
import { type Form, writerOf } from './forms.ts'
import { lineOptions } from './lines.ts'
import { schemaOf } from './row-schema.ts'
import { touchedUnits, type Unit } from './touched.ts'

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
  /** What of it changes together. */
  unit: Unit
  /** By name, in the order in which they are written. New ones are added at the end. */
  columns: Record<string, SourcedColumn<D, T>>
  filters: Record<string, Filter>
}

/** The filters of one export, as they were validated. */
export type Given = Readonly<Record<string, unknown>>

/** Which rows of a tenant an export holds. */
export interface Choice {
  tenantId: string
  given: Given
  /** Only what events after this one touched. */
  changedAfter?: number | null
}

/** A table as it is exported: contract, SQL and documentation come from this one definition. */
export interface Table {
  name: string
  grain: string
  notes: string
  key: readonly string[]
  unit: Unit
  columns: Readonly<Record<string, Column>>
  /** The query parameters that narrow an export. */
  query: TSchema
  /** One row as it is in NDJSON: a component of the contract. */
  row: TSchema
  /** The `COPY … TO STDOUT` that writes the rows in a form. */
  copy(form: Form, choice: Choice): string
  /** What filters that name what was merged away mean, as in lists: what is left; undefined where none does. */
  survivors(tx: ReadTx, given: Given): Promise<Given | undefined>
  /** The statement that says how many rows those are, as `count`. */
  count(choice: Choice): string
}

/** Defines a table over its source, whose main table goes by the alias `r` and has a `tenant_id`. */
export function defineTable<D, T extends keyof D>(source: Source<D, T>, options: TableOptions<D, T>): Table {
  const { name, grain, notes, key, unit, columns, filters } = options
  const chosen = ({ tenantId, given, changedAfter = null }: Choice) => {
    const used = Object.entries(filters).filter(([filter]) => given[filter] !== undefined)
    const values: Record<string, unknown> = { tenant_id: tenantId }
    for (const [filter, { value }] of used) values[filter] = value ? value(given[filter] as never) : given[filter]
    const conditions = [sql<boolean>`r.tenant_id = ${tenantParam}`, ...used.map(([, { where }]) => where)]
    if (changedAfter !== null) {
      values['changed_after'] = String(changedAfter)
      conditions.push(
        sql<boolean>`${orderOf(unit.column, columns[unit.column])} in (select id from ${touchedUnits(unit)} t)`,
      )
    }
    const rows = (source as unknown as Rows).where(sql<boolean>`${sql.join(conditions, sql` and `)}`)
    return { rows, values }
  }
  return {
    name,
    grain,
    notes,
    key,
    unit,
    columns,
    query: Type.Object(
      Object.fromEntries(Object.entries(filters).map(([filter, { schema }]) => [filter, Type.Optional(schema)])),
      { additionalProperties: false },
    ),
    row: Type.Object(
      Object.fromEntries(Object.entries(columns).map(([column, definition]) => [column, schemaOf(definition)])),
      { $id: options.rowName, description: `One row of an export: one for each ${grain}` },
    ),
    copy(form, choice) {
      const { rows, values } = chosen(choice)
      const selected = Object.entries(columns).map(([column, definition]) =>
        writerOf(form, definition)(sourceOf(column, definition)).as(column),
      )
      const order = sql`${sql.join(key.map((column) => orderOf(column, columns[column])))}`
      return copyOf(form, rows.select(selected).orderBy(order))(values)
    },
    survivors(tx, given) {
      const used = Object.keys(filters).filter((filter) => given[filter] !== undefined)
      return survivorsOf(tx, filters, used, given)
    },
    count(choice) {
      const { rows, values } = chosen(choice)
      return inline(rows.select(sql<string>`count(*)`.as('count')))(values)
    },
  }
}

type Rows = SelectQueryBuilder<DB, never, object>

/** The statement that writes rows in a form. */
export function copyOf({ format }: Form, rows: RawBuilder<unknown> | Rows): Inlined {
  if (format === 'csv') return inline(sql`copy (${rows}) to stdout (format csv, header true, encoding 'UTF8')`)
  if (format === 'parquet') return inline(sql`copy (${rows}) to stdout (format binary)`)
  return inline(sql`copy (${rows}) to stdout (${sql.raw(lineOptions)})`)
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
