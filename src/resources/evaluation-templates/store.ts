import { sql } from 'kysely'
import { searchable } from '../../core/text.ts'
import type { Tx } from '../../db/database.ts'
import type { TemplateState } from './schemas.ts'

/** The columns of a template that all its versions share. */
const columnsOf = ({ status, code, title, metadata }: TemplateState) => ({
  status,
  search_text: searchable(code, ...Object.values(title)),
  metadata: JSON.stringify(metadata),
})

/** @returns false where another template has the code */
export async function templateInsert(tx: Tx, id: string, state: TemplateState): Promise<boolean> {
  const { code, subject } = state
  const made = await tx.db
    .insertInto('evaluation_templates')
    .values({
      tenant_id: tx.tenantId,
      id,
      created_at: tx.now,
      updated_at: tx.now,
      code,
      subject,
      ...columnsOf(state),
    })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'code']).doNothing())
    .returning('id')
    .executeTakeFirst()
  if (!made) return false
  await versionInsert(tx, id, 1, state)
  return true
}

/** Writes the next version. */
export async function templateUpdate(tx: Tx, id: string, version: number, state: TemplateState): Promise<void> {
  await tx.db
    .updateTable('evaluation_templates')
    .set({ ...columnsOf(state), updated_at: tx.now, version })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
  await versionInsert(tx, id, version, state)
}

async function versionInsert(tx: Tx, id: string, version: number, state: TemplateState): Promise<void> {
  const { title, introduction, licence, dimensions, items } = state
  await tx.db
    .insertInto('evaluation_template_versions')
    .values({
      tenant_id: tx.tenantId,
      template_id: id,
      version,
      created_at: tx.now,
      title: JSON.stringify(title),
      introduction: introduction && JSON.stringify(introduction),
      licence,
      dimensions: JSON.stringify(dimensions),
      items: JSON.stringify(items),
    })
    .execute()
}

export async function templateDelete(tx: Tx, id: string): Promise<void> {
  await tx.db.deleteFrom('evaluation_templates').where('tenant_id', '=', tx.tenantId).where('id', '=', id).execute()
}

/** True where a round was ever planned on a template. */
export async function templateIsUsed(tx: Tx, code: string): Promise<boolean> {
  const found = await sql<{ used: boolean }>`
    select exists (select from evaluations where tenant_id = ${tx.tenantId} and template_code = ${code}) as used`.execute(
    tx.db,
  )
  return found.rows[0]?.used ?? false
}
