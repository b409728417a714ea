import { sql } from 'kysely'
import { searchable } from '../../core/text.ts'
import type { Tx } from '../../db/database.ts'
import { removeExternalRefs } from '../../platform/references.ts'
import type { ContactState } from './schemas.ts'

/** The columns of a contact that a client writes. */
function columnsOf(state: ContactState) {
  return {
    name: state.name,
    email: state.email,
    phone: state.phone,
    job_title: state.job_title,
    function: state.function,
    language: state.language,
    active: state.active,
    metadata: JSON.stringify(state.metadata),
    sort_name: searchable(state.name),
    search_text: searchable(state.name, state.email),
  }
}

export async function contactInsert(tx: Tx, id: string, organisationId: string, state: ContactState): Promise<void> {
  await tx.db
    .insertInto('contacts')
    .values({
      tenant_id: tx.tenantId,
      id,
      created_at: tx.now,
      updated_at: tx.now,
      organisation_id: organisationId,
      ...columnsOf(state),
    })
    .execute()
}

export async function contactUpdate(tx: Tx, id: string, state: ContactState): Promise<void> {
  await tx.db
    .updateTable('contacts')
    .set({ ...columnsOf(state), updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}

/** Gives the contacts of an organisation to another. @returns their ids */
export async function contactsMove(tx: Tx, from: string, to: string): Promise<string[]> {
  const moved = await tx.db
    .updateTable('contacts')
    .set({ organisation_id: to, updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('organisation_id', '=', from)
    .returning('id')
    .execute()
  return moved.map(({ id }) => id)
}

/** Blanks everything that tells who the person is or that a client wrote freely; id, organisation and function stay. */
export async function contactErase(tx: Tx, id: string): Promise<void> {
  await removeExternalRefs(tx, 'contact', id)
  await tx.db
    .updateTable('contacts')
    .set({
      name: null,
      email: null,
      phone: null,
      job_title: null,
      language: null,
      active: false,
      metadata: '{}',
      sort_name: '',
      search_text: '',
      erased_at: tx.now,
      updated_at: tx.now,
      version: sql`version + 1`,
    })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}

export async function contactDelete(tx: Tx, id: string): Promise<void> {
  await removeExternalRefs(tx, 'contact', id)
  await tx.db.deleteFrom('contacts').where('tenant_id', '=', tx.tenantId).where('id', '=', id).execute()
}

/** The kinds of records that name a contact. */
export async function contactDependants(tx: Tx, id: string): Promise<string[]> {
  const found = await sql<{ kind: string }>`
    select 'partnerships' as kind where exists (
      select from partnership_managers where tenant_id = ${tx.tenantId} and contact_id = ${id})
    union all select 'evaluations' where exists (
      select from evaluation_invitations where tenant_id = ${tx.tenantId} and contact_id = ${id})`.execute(tx.db)
  return found.rows.map((row) => row.kind)
}
