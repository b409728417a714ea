import { sql } from 'kysely'
import { searchable } from '../../core/text.ts'
import type { Tx } from '../../db/database.ts'
import type { ObjectiveState } from './schemas.ts'

/** The columns of an objective that a client writes. */
function columnsOf({ external_refs: _refs, metadata, ...state }: ObjectiveState) {
  return {
    ...state,
    metadata: JSON.stringify(metadata),
    sort_title: searchable(state.title),
    search_text: searchable(state.title, state.description),
  }
}

export async function objectiveInsert(tx: Tx, id: string, state: ObjectiveState): Promise<void> {
  await tx.db
    .insertInto('objectives')
    .values({ tenant_id: tx.tenantId, id, created_at: tx.now, updated_at: tx.now, ...columnsOf(state) })
    .execute()
}

export async function objectiveUpdate(tx: Tx, id: string, state: ObjectiveState): Promise<void> {
  await tx.db
    .updateTable('objectives')
    .set({ ...columnsOf(state), updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}

export async function objectiveDelete(tx: Tx, id: string): Promise<void> {
  await tx.db.deleteFrom('objectives').where('tenant_id', '=', tx.tenantId).where('id', '=', id).execute()
}

/** Gives the objectives of an organisation to another, at once, for their tree must stay within one. @returns their ids */
export async function objectivesMove(tx: Tx, from: string, to: string): Promise<string[]> {
  const moved = await tx.db
    .updateTable('objectives')
    .set({ organisation_id: to, updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('organisation_id', '=', from)
    .returning('id')
    .execute()
  return moved.map(({ id }) => id)
}

export interface ObjectivePlace {
  id: string
  organisation_id: string
  level: string
}

/** An objective and those above it, from itself upwards. */
export async function objectiveLineage(tx: Tx, id: string): Promise<ObjectivePlace[]> {
  const found = await sql<ObjectivePlace>`
    with recursive above as (
      select id, organisation_id, level, parent_id, 1 as depth
      from objectives where tenant_id = ${tx.tenantId} and id = ${id}
      union all
      select o.id, o.organisation_id, o.level, o.parent_id, above.depth + 1
      from objectives o join above on o.id = above.parent_id
      where o.tenant_id = ${tx.tenantId} and above.depth < 100
    )
    select id, organisation_id, level from above order by depth`.execute(tx.db)
  return found.rows
}

/** What of other records stands in the way of moving or deleting an objective, by kind. */
export async function objectiveDependants(tx: Tx, id: string): Promise<{ links: boolean; children: string[] }> {
  const found = await sql<{ links: boolean; children: string[] }>`
    select exists (select from objective_links where tenant_id = ${tx.tenantId} and objective_id = ${id}) as links,
      array(select distinct level from objectives where tenant_id = ${tx.tenantId} and parent_id = ${id}) as children
  `.execute(tx.db)
  return found.rows[0] ?? { links: false, children: [] }
}
