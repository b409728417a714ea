import { type RawBuilder, sql } from 'kysely'
import { isPartner, type ReadTx } from '../db/database.ts'
import { type Prepared, param, prepare, tenantParam } from '../db/prepared.ts'
import type { DB } from '../db/rows.ts'

/**
 * Follows merges in a table from an `id` to the record that is left; for a partner as far as it has seen them, so that of
 * what it left nothing later is told.
 */
export function survivorIn(table: keyof DB): Prepared<{ id: string }> {
  const chain = (condition: RawBuilder<boolean>) =>
    prepare<{ id: string }>(sql`
      with recursive chain as (
        select id, merged_into_id, updated_at from ${sql.table(table)}
        where tenant_id = ${tenantParam} and id = ${param('id')}::uuid
        union
        select o.id, o.merged_into_id, o.updated_at from ${sql.table(table)} o join chain on o.id = chain.merged_into_id
        where o.tenant_id = ${tenantParam} and ${condition}
      )
      select id from chain c where not exists (select from chain next where next.id = c.merged_into_id)`)
  const [all, seen] = [
    chain(sql`true`),
    chain(sql`(
    chain.id <> all ((select partner_left())::uuid[]) or chain.updated_at < partner_horizon(chain.id))`),
  ]
  return { text: all.text, run: (tx, values) => (isPartner(tx) ? seen : all).run(tx, values) }
}

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
