import type { RawBuilder, SelectQueryBuilder } from 'kysely'
import { date } from '../core/schemas.ts'
import { param } from '../db/prepared.ts'
import type { Filter } from '../platform/lists.ts'
import { defineTable, type SourcedColumn, type Table } from './table.ts'

/** The day that an export is asked about. */
export const day = param<string>('as_of')

/** A table as it stood on a day: by the dates that its facts carry. */
export interface Dated {
  /** Has the filter `as_of`, and of its other filters those that speak of what never changes, and of who takes part now. */
  table: Table
  /** The columns that carry no date, and are as they are now. */
  undated: readonly string[]
  /** Which rows there are of a day, in a sentence. */
  about: string
}

/** A table of which no past day can be told exactly. */
export interface Undated {
  /** Why, as it goes on after its name. */
  why: string
}

export const isDated = (history: Dated | Undated): history is Dated => 'table' in history

// biome-ignore lint/suspicious/noExplicitAny: a source joins tables of its own under names of its own.
type Source<D, T extends keyof D> = SelectQueryBuilder<D, T, any>

export interface DatedOptions {
  /** The rows that there were on the day. */
  where: RawBuilder<boolean>
  /** What columns said on the day, where that is not what they say now. */
  told?: Record<string, RawBuilder<unknown>>
  undated: readonly string[]
  about: string
  filters?: Record<string, Filter>
}

/** The same table as of a day, over a source that tells of it. */
export function dated<D, T extends keyof D>(
  { name, row, grain, notes, key, unit, columns }: Table,
  source: Source<D, T>,
  { where, told = {}, undated, about, filters = {} }: DatedOptions,
): Dated {
  const own = columns as Record<string, SourcedColumn<D, T>>
  const defined = Object.entries(own).map(([column, definition]) => {
    const value = told[column]
    return [column, value ? { ...definition, value } : definition] as const
  })
  const rowName = (row as { $id?: string }).$id ?? name
  const table = defineTable(source, {
    ...{ name, rowName, grain, notes, key, unit, columns: Object.fromEntries(defined) },
    filters: { ...filters, as_of: { schema: date(), where } },
  })
  return { table, undated, about }
}
