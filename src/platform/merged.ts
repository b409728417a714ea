import type { ReadTx } from '../db/database.ts'
import type { Prepared } from '../db/prepared.ts'
import type { DB } from '../db/rows.ts'
import { survivorIn } from './resource.ts'

const queries = new Map<keyof DB, Prepared<{ id: string }>>()

function survivors(table: keyof DB): Prepared<{ id: string }> {
  const query = queries.get(table) ?? survivorIn(table)
  queries.set(table, query)
  return query
}

/**
 * The values of filters that name records which were merged away, as the records that are left; undefined where none does.
 * @param used the names of the filters that are given
 */
export async function survivorsOf(
  tx: ReadTx,
  filters: Readonly<Record<string, { names?: keyof DB }>>,
  used: readonly string[],
  values: Readonly<Record<string, unknown>>,
): Promise<Record<string, string> | undefined> {
  const left = await Promise.all(
    used.map(async (name) => {
      const table = filters[name]?.names
      if (table === undefined) return []
      const id = String(values[name]).toLowerCase()
      const [last] = await survivors(table).run(tx, { id })
      return last && last.id !== id ? [[name, last.id]] : []
    }),
  )
  const changed = left.flat()
  return changed.length > 0 ? Object.fromEntries(changed) : undefined
}
