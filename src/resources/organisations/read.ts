import { sql } from 'kysely'
import { notFound } from '../../core/problem.ts'
import type { ReadTx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'

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
