import { type TSchema, Type } from 'typebox'
import { codes, date, decimal, decimalSum, instant, nullable, uuid } from '../core/schemas.ts'
import type { Column, ColumnType } from './columns.ts'

const signed = { pattern: '^-?(0|[1-9]\\d{0,14})(\\.\\d{1,6})?$' }

/** The schema of a column's values, as they are in NDJSON. */
export function schemaOf(column: Column): TSchema {
  const about = { description: column.unit ? `${column.meaning} Unit: ${column.unit}.` : column.meaning }
  const of: Record<ColumnType, () => TSchema> = {
    uuid: () => uuid(about),
    text: () => Type.String(about),
    code: () => codes(column.codes ?? [], about),
    integer: () => Type.Integer(about),
    decimal: () => (column.isSum ? decimalSum(about) : decimal({ ...about, ...(column.isSigned ? signed : {}) })),
    boolean: () => Type.Boolean(about),
    date: () => date(about),
    instant: () => instant(about),
    json: () => ({ ...(column.schema ?? Type.Unknown()), ...about }) as TSchema,
  }
  const schema = of[column.type]()
  return column.isNullable ? nullable(schema) : schema
}
