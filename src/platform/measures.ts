import { type Expression, sql } from 'kysely'
import type { Measure } from '../core/measure.ts'

/**
 * A measure as it is on the wire, of a row that has `currency` and `unit`, by the alias `r` or another. Money keeps the
 * digits in which it was stored; quantities are plain decimals.
 */
export const measureJson = <Unit extends string>(magnitude: Expression<unknown>, alias = 'r') => sql<Measure<Unit>>`
  case when ${sql.ref(`${alias}.currency`)} is not null
    then json_build_object('type', 'money', 'amount', (${magnitude})::text, 'currency', ${sql.ref(`${alias}.currency`)})
    else json_build_object('type', 'quantity', 'quantity', trim_scale(${magnitude})::text,
      'unit', ${sql.ref(`${alias}.unit`)}) end`

/** The columns of a measure. */
export function measureColumns(measure: Measure) {
  return measure.type === 'money'
    ? { amount: measure.amount, currency: measure.currency, quantity: null, unit: null }
    : { amount: null, currency: null, quantity: measure.quantity, unit: measure.unit }
}
