import { sql } from 'kysely'
import { notFound } from '../../core/problem.ts'
import type { ReadTx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import { type Naming, namedIds } from '../../platform/references.ts'

const existing = prepare<object>(
  sql`select from organisations where tenant_id = ${tenantParam} and id = ${param('id')}::uuid`,
)

/** True where there is such an organisation. */
export async function organisationExists(tx: ReadTx, id: string): Promise<boolean> {
  return (await existing.run(tx, { id })).length > 0
}

/** @throws Problem `not_found` where there is no such organisation */
export async function requireOrganisation(tx: ReadTx, id: string): Promise<void> {
  if (!(await organisationExists(tx, id))) throw notFound()
}

/** What other slices may know of an organisation that a write names. */
export interface NamedOrganisation {
  id: string
  merged_into_id: string | null
}

const named = prepare<{ id: string | null; merged_into_id: string | null }>(sql`
  select o.id, o.merged_into_id
  from ${namedIds('organisation')} n
  left join lateral (
    select o.id, o.merged_into_id from organisations o where o.tenant_id = ${tenantParam} and o.id = n.id limit 1
  ) o on true
  order by n.position`)

/** The organisations that a write names by our ids or its own, in one statement; undefined where there is none. */
export async function organisationsNamed(
  tx: ReadTx,
  namings: readonly Naming[],
): Promise<(NamedOrganisation | undefined)[]> {
  if (namings.length === 0) return []
  const rows = namings.map(({ id, ref }, position) => ({ position, id, system: ref?.system, ref_id: ref?.id }))
  const found = await named.run(tx, { namings: JSON.stringify(rows) })
  return found.map(({ id, merged_into_id }) => (id === null ? undefined : { id, merged_into_id }))
}
