import type { ReadTx } from '../../db/database.ts'
import { compiler, param, prepare, tenantParam } from '../../db/prepared.ts'

const organisations = prepare<{ id: string; organisation_id: string }>(
  compiler
    .selectFrom('contacts')
    .select(['id', 'organisation_id'])
    .where('tenant_id', '=', tenantParam)
    .where((eb) => eb('id', '=', eb.fn.any(param<string[]>('ids')))),
)

/** The organisation of each of these contacts, by the contact's id; what is no contact is missing. */
export async function organisationsOfContacts(tx: ReadTx, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await organisations.run(tx, { ids })
  return new Map(rows.map((row) => [row.id, row.organisation_id]))
}
