import pg from 'pg'
import type { Service } from './harness.ts'

/** The tables of a service's database in whose rows a text stands, whatever its case, also inside of binary columns. */
export async function tablesWith(service: Service, text: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: service.url })
  await client.connect()
  try {
    await client.query(`select set_config('beide.tenant_id', $1, false)`, [service.tenantId])
    const tables = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname not in ('pg_catalog', 'information_schema') or tablename in ('pg_statistic', 'pg_statistic_ext_data')
       order by 1`,
    )
    const found: string[] = []
    for (const { name } of tables.rows) {
      const hit = await client.query(
        `select 1 from ${name} as row where strpos(lower(row::text), lower($1)) > 0
           or strpos(row::text, encode(convert_to($1, 'UTF8'), 'hex')) > 0 limit 1`,
        [text],
      )
      if (hit.rowCount) found.push(name)
    }
    return found
  } finally {
    await client.end()
  }
}
