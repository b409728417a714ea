import { sql } from 'kysely'
import type { ReadTx, Tx } from './database.ts'
import { param, prepare, tenantParam } from './prepared.ts'
import type { DB } from './rows.ts'
import { populated, rowsAndBase, together } from './together.ts'

// The statements that write records, of columns that are known beforehand: compiled once, and planned once by Postgres.

/** What columns are given; an object goes into a column of JSON. */
type Values<Column extends string> = Readonly<Record<Column, unknown>>

type Write<Column extends string> = (tx: Tx, record: { id: string; values: Values<Column> }) => Promise<void>

type ColumnOf<Table extends keyof DB> = keyof DB[Table] & string

/** Inserts a record in its first version, or those of a batch at once; `columns` are what it is given beside that. */
export function insertRecord<Table extends keyof DB, const Column extends ColumnOf<Table>>(
  table: Table,
  columns: readonly Column[],
): Write<Column> {
  const all = ['id', 'version', 'created_at', 'updated_at', ...columns]
  const insertion = prepare<object>(sql`
    insert into ${sql.table(table)} (tenant_id, ${namesOf(all)}) values (${tenantParam}, ${sql.join(all.map(param))})`)
  const insertTogether = insertMany(table, all)
  const rowOf = (tx: Tx, id: string, values: Values<Column>) => ({
    ...{ id, version: 1, created_at: tx.now, updated_at: tx.now },
    ...values,
  })
  return together(
    async (tx: Tx, { id, values }) => {
      await insertion.run(tx, rowOf(tx, id, values))
    },
    async (tx, records) => {
      await insertTogether(
        tx,
        records.map(({ id, values }) => rowOf(tx, id, values)),
      )
      return records.map(() => undefined)
    },
  )
}

/** Sets columns of a record, and gives it its next version. */
export function updateRecord<Table extends keyof DB, const Column extends ColumnOf<Table>>(
  table: Table,
  columns: readonly Column[],
): Write<Column> {
  const setting = columns.map((name) => sql`${sql.ref(name)} = ${param(name)}`)
  const update = prepare<object>(sql`
    update ${sql.table(table)} set ${sql.join(setting)}, updated_at = ${param('now')}, version = version + 1
    where tenant_id = ${tenantParam} and id = ${param('id')}`)
  return async (tx, { id, values }) => {
    await update.run(tx, { ...values, id, now: tx.now })
  }
}

/** Inserts rows whose members are columns of the table. */
export function insertMany(
  table: keyof DB,
  columns: readonly string[],
): (tx: ReadTx, rows: readonly object[]) => Promise<void> {
  const values = columns.map((name) => sql.ref(`n.${name}`))
  const insertion = prepare<object>(sql`
    insert into ${sql.table(table)} (tenant_id, ${namesOf(columns)})
    select ${tenantParam}, ${sql.join(values)} from ${populated(table)} n`)
  return async (tx, rows) => {
    await insertion.run(tx, rowsAndBase(rows))
  }
}

const namesOf = (columns: readonly string[]) => sql.join(columns.map((name) => sql.ref(name)))
