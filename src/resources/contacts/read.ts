import type { ReadTx, Tx } from '../../db/database.ts'
import { compiler, param, prepare, tenantParam } from '../../db/prepared.ts'
import { holding } from '../../platform/holding.ts'

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

interface HeldContact {
  organisation_id: string
  erased_at: string | null
}

const held = holding<HeldContact>('contacts', ['organisation_id', 'erased_at'])

/** The organisation of a contact that was not erased, held so until the transaction ends; undefined where there is none. */
export async function holdContact(tx: Tx, id: string): Promise<string | undefined> {
  const [contact] = await held.run(tx, { ids: [id] })
  return contact?.erased_at === null ? contact.organisation_id : undefined
}
