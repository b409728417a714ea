import { sql } from 'kysely'
import { type Prepared, param, prepare, tenantParam } from '../db/prepared.ts'
import type { DB } from '../db/rows.ts'

/**
 * Reads columns of records by their `ids`, in the order of these, and holds them against every change until the transaction
 * ends, though not against others who hold them so.
 */
export const holding = <Row>(table: keyof DB, columns: readonly (keyof Row & string)[]): Prepared<Row> =>
  prepare(sql`
    select ${sql.join(columns.map((column) => sql.ref(column)))} from ${sql.table(table)}
    where tenant_id = ${tenantParam} and id = any(${param('ids')}::uuid[]) order by id for share`)
