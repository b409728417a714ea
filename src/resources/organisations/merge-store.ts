import { sql } from 'kysely'
import type { ReadTx, Tx } from '../../db/database.ts'

/**
 * Locks both organisations of a merge, in the order of their ids: two merges of the same two wait for each other. Even
 * against those who only point at one of them, so that nothing comes to point at what is merged away.
 */
export async function organisationsLock(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.db
    .selectFrom('organisations')
    .select('id')
    .where('tenant_id', '=', tx.tenantId)
    .where('id', 'in', ids)
    .orderBy('id')
    .forUpdate()
    .execute()
}

export interface MergeCounts {
  contacts_count: number
  partnerships_count: number
  objectives_count: number
  evaluations_count: number
  subsidiaries_count: number
}

/** How many records of each kind point at an organisation. */
export async function organisationCounts(tx: ReadTx, id: string): Promise<MergeCounts> {
  const counted = await sql<MergeCounts>`
    select
      (select count(*)::int from contacts where tenant_id = ${tx.tenantId} and organisation_id = ${id})
        as contacts_count,
      (select count(*)::int from partnership_parties where tenant_id = ${tx.tenantId} and organisation_id = ${id})
        as partnerships_count,
      (select count(*)::int from objectives where tenant_id = ${tx.tenantId} and organisation_id = ${id})
        as objectives_count,
      (select count(*)::int from evaluations where tenant_id = ${tx.tenantId} and organisation_id = ${id})
        as evaluations_count,
      (select count(*)::int from organisations where tenant_id = ${tx.tenantId} and parent_id = ${id})
        as subsidiaries_count
  `.execute(tx.db)
  return counted.rows[0] as MergeCounts
}

/** The partnerships in which both organisations are parties: the first hundred. */
export async function partnershipsOfBoth(tx: ReadTx, one: string, other: string): Promise<string[]> {
  const found = await sql<{ id: string }>`
    select a.partnership_id as id from partnership_parties a
    join partnership_parties b on b.tenant_id = a.tenant_id and b.partnership_id = a.partnership_id
    where a.tenant_id = ${tx.tenantId} and a.organisation_id = ${one} and b.organisation_id = ${other}
    order by 1 limit 100`.execute(tx.db)
  return found.rows.map(({ id }) => id)
}

/** Gives the external refs and identifiers of an organisation to another, after those that it has. */
export async function organisationNamesMove(tx: Tx, from: string, to: string): Promise<void> {
  await sql`
    update external_refs set resource_id = ${to}, position = position + (
      select coalesce(max(h.position) + 1, 0) from external_refs h
      where h.tenant_id = ${tx.tenantId} and h.resource_type = 'organisation' and h.resource_id = ${to})
    where tenant_id = ${tx.tenantId} and resource_type = 'organisation' and resource_id = ${from}`.execute(tx.db)
  // What the survivor has itself stays the first: its own are primary.
  await sql`
    with held as (
      select coalesce(max(position) + 1, 0) as count from organisation_identifiers
      where tenant_id = ${tx.tenantId} and organisation_id = ${to}
    )
    update organisation_identifiers set organisation_id = ${to}, position = position + held.count,
      role = case when held.count > 0 then 'secondary' else role end
    from held where tenant_id = ${tx.tenantId} and organisation_id = ${from}`.execute(tx.db)
}

/** Gives the subsidiaries of an organisation to another. @returns their ids */
export async function subsidiariesMove(tx: Tx, from: string, to: string): Promise<string[]> {
  const moved = await tx.db
    .updateTable('organisations')
    .set({ parent_id: to, updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('parent_id', '=', from)
    .returning('id')
    .execute()
  return moved.map(({ id }) => id)
}

/** Marks an organisation as merged away: it stands nowhere any more. */
export async function organisationMerged(tx: Tx, from: string, to: string): Promise<void> {
  await tx.db
    .updateTable('organisations')
    .set({ merged_into_id: to, parent_id: null, updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', from)
    .execute()
}
