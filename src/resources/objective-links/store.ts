import { sql } from 'kysely'
import type { Tx } from '../../db/database.ts'

export interface LinkedObjective {
  organisation_id: string
  active_from: string
  active_until: string | null
}

/** Locks an objective and reads it, so that of two assessments at once one supersedes the other. */
export async function linkedObjectiveLock(tx: Tx, id: string): Promise<LinkedObjective | undefined> {
  return tx.db
    .selectFrom('objectives')
    .select(['organisation_id', 'active_from', 'active_until'])
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst()
}

/** The link that counts now between a partnership and an objective. */
export async function currentLink(
  tx: Tx,
  partnershipId: string,
  objectiveId: string,
): Promise<{ id: string; assessed_on: string } | undefined> {
  return tx.db
    .selectFrom('objective_links')
    .select(['id', 'assessed_on'])
    .where('tenant_id', '=', tx.tenantId)
    .where('partnership_id', '=', partnershipId)
    .where('objective_id', '=', objectiveId)
    .where('superseded_by_id', 'is', null)
    .executeTakeFirst()
}

export interface NewLink {
  id: string
  partnership_id: string
  objective_id: string
  contribution: number
  rationale: string | null
  assessed_on: string
  evaluation_id: string | null
  metadata: string
}

export async function linkInsert(tx: Tx, link: NewLink): Promise<void> {
  await tx.db
    .insertInto('objective_links')
    .values({ ...link, tenant_id: tx.tenantId, created_at: tx.now, updated_at: tx.now })
    .execute()
}

export async function linkSupersede(tx: Tx, id: string, by: { id: string; assessed_on: string }): Promise<void> {
  await tx.db
    .updateTable('objective_links')
    .set({
      superseded_on: by.assessed_on,
      superseded_by_id: by.id,
      updated_at: tx.now,
      version: sql`version + 1`,
    })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}
