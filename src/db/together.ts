import { sql } from 'kysely'
import type pg from 'pg'
import type { ReadTx, Tx } from './database.ts'
import { type Prepared, param, prepare, tenantParam } from './prepared.ts'
import type { DB } from './rows.ts'

interface Waiting<V, R> {
  value: V
  resolve: (result: R) => void
  reject: (error: unknown) => void
}

/**
 * A statement that the rows of a batch, which are worked through beside each other in one transaction, ask for in the
 * same moment: it then runs once for all of them. Elsewhere it runs at once, for its one value.
 *
 * What must run after such a statement and is not awaited, goes through this as well: in a batch statements then run in
 * the order in which they were first asked for.
 */
export function together<T extends ReadTx, V, R>(
  one: (tx: T, value: V) => Promise<R>,
  many: (tx: T, values: V[]) => Promise<R[]> = (tx, values) => Promise.all(values.map((value) => one(tx, value))),
): (tx: T, value: V) => Promise<R> {
  const queues = new WeakMap<pg.PoolClient, Waiting<V, R>[]>()
  return (tx, value) => {
    if (!(tx as Partial<Tx>).isTogether) return one(tx, value)
    return new Promise<R>((resolve, reject) => {
      const queue = queues.get(tx.client)
      if (queue) return void queue.push({ value, resolve, reject })
      const begun: Waiting<V, R>[] = [{ value, resolve, reject }]
      queues.set(tx.client, begun)
      // All rows that the last answer woke have asked by then.
      setImmediate(() => {
        queues.delete(tx.client)
        run(tx, begun, one, many)
      })
    })
  }
}

function run<T, V, R>(
  tx: T,
  waiting: readonly Waiting<V, R>[],
  one: (tx: T, value: V) => Promise<R>,
  many: (tx: T, values: V[]) => Promise<R[]>,
): void {
  const [first] = waiting
  const results =
    first && waiting.length === 1
      ? one(tx, first.value).then((result) => [result])
      : many(
          tx,
          waiting.map(({ value }) => value),
        )
  results.then(
    (found) => {
      for (const [at, { resolve }] of waiting.entries()) resolve(found[at] as R)
    },
    (error) => {
      for (const { reject } of waiting) reject(error)
    },
  )
}

/** Inserts rows, a JSON list by `rows` whose members are columns of the table. */
export function insertMany(table: keyof DB, columns: readonly string[]): Prepared<object> {
  const names = columns.map((name) => sql.ref(name))
  const values = columns.map((name) => sql.ref(`n.${name}`))
  return prepare(sql`
    insert into ${sql.table(table)} (tenant_id, ${sql.join(names)})
    select ${tenantParam}, ${sql.join(values)}
    from json_populate_recordset(null::${sql.table(table)}, ${param('rows')}::json) n`)
}
