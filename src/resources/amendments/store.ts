import { sql } from 'kysely'
import type { ReadTx, Tx } from '../../db/database.ts'
import type { Amendment, AmendmentAssent, TermsAsOf } from './schemas.ts'

type Kept = Omit<Amendment, 'id' | 'version' | 'created_at' | 'updated_at' | 'external_refs'>

export async function amendmentInsert(tx: Tx, id: string, state: Kept): Promise<void> {
  const { changes, diff, required_assents, assents, metadata, ...columns } = state
  await tx.db
    .insertInto('amendments')
    .values({
      ...columns,
      changes: JSON.stringify(changes),
      diff: JSON.stringify(diff),
      required: JSON.stringify(required_assents),
      assents: JSON.stringify(assents),
      metadata: JSON.stringify(metadata),
      tenant_id: tx.tenantId,
      id,
      created_at: tx.now,
      updated_at: tx.now,
    })
    .execute()
}

export interface AmendmentMove {
  assents: readonly AmendmentAssent[]
  status?: Amendment['status']
  decided_on?: string
  decided_by_party_id?: string
  decision_note?: string | null
}

export async function amendmentUpdate(tx: Tx, id: string, { assents, ...columns }: AmendmentMove): Promise<void> {
  await tx.db
    .updateTable('amendments')
    .set({ ...columns, assents: JSON.stringify(assents), updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}

/** The partnership of an amendment, for whoever holds that first. */
export async function amendmentPartnership(tx: Tx, id: string): Promise<string | undefined> {
  const row = await tx.db
    .selectFrom('amendments')
    .select('partnership_id')
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.partnership_id
}

export interface TermVersion {
  resource_type: 'partnership' | 'commitment'
  resource_id: string
  valid_from: string
  amendment_id: string | null
  terms: object
}

/** Adds a version of a record's terms after those that it has; the caller holds the record. */
export async function termVersionInsert(tx: Tx, version: TermVersion): Promise<void> {
  const { resource_type, resource_id, valid_from, amendment_id, terms } = version
  await sql`
    insert into term_versions
      (tenant_id, resource_type, resource_id, number, valid_from, amendment_id, terms, recorded_at)
    select ${tx.tenantId}, ${resource_type}, ${resource_id}, coalesce(max(number), 0) + 1, ${valid_from}::date,
      ${amendment_id}::uuid, ${JSON.stringify(terms)}::jsonb, ${tx.now}::timestamptz
    from term_versions where tenant_id = ${tx.tenantId} and resource_type = ${resource_type}
      and resource_id = ${resource_id}`.execute(tx.db)
}

/** The day from which the last version of a record's terms counts; undefined where none was written yet. */
export async function lastTermVersion(tx: Tx, type: string, id: string): Promise<string | undefined> {
  const row = await tx.db
    .selectFrom('term_versions')
    .select('valid_from')
    .where('tenant_id', '=', tx.tenantId)
    .where('resource_type', '=', type)
    .where('resource_id', '=', id)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.valid_from
}

type Found = Pick<TermsAsOf, 'valid_from' | 'superseded_on' | 'amendment_id' | 'terms'>

/**
 * The version of a record's terms that counts on a day: of those from that day or before the last. `has_versions` tells
 * a record without any from one that had no terms yet.
 */
export async function termVersionOn(
  tx: ReadTx,
  type: string,
  id: string,
  day: string,
): Promise<{ hasVersions: boolean; found: Found | undefined }> {
  const rows = await sql<Found & { is_found: boolean }>`
    select v.valid_from, v.amendment_id, v.terms, v.valid_from <= ${day}::date as is_found,
      lead(v.valid_from) over (order by v.number) as superseded_on
    from term_versions v
    where v.tenant_id = ${tx.tenantId} and v.resource_type = ${type} and v.resource_id = ${id}
    order by v.number desc`.execute(tx.db)
  const found = rows.rows.find(({ is_found }) => is_found)
  return { hasVersions: rows.rows.length > 0, found: found && { ...found, superseded_on: found.superseded_on ?? null } }
}
