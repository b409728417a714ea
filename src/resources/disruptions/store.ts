import { sql } from 'kysely'
import { searchable } from '../../core/text.ts'
import type { Tx } from '../../db/database.ts'
import type { DisruptionState, DisruptionStatus } from './schemas.ts'

/** The columns of a disruption that a client writes. */
function columnsOf({ external_refs: _refs, metadata, ...state }: DisruptionState) {
  return {
    ...state,
    metadata: JSON.stringify(metadata),
    sort_title: searchable(state.title),
    search_text: searchable(state.title, state.description, state.glide_number),
  }
}

export async function disruptionInsert(
  tx: Tx,
  id: string,
  state: DisruptionState,
  status: DisruptionStatus,
): Promise<void> {
  await tx.db
    .insertInto('disruptions')
    .values({ tenant_id: tx.tenantId, id, created_at: tx.now, updated_at: tx.now, ...columnsOf(state), status })
    .execute()
}

export async function disruptionUpdate(tx: Tx, id: string, state: DisruptionState): Promise<void> {
  await change(tx, id, columnsOf(state))
}

export async function disruptionMove(tx: Tx, id: string, status: DisruptionStatus, endedOn: string | null) {
  await change(tx, id, { status, ended_on: endedOn })
}

async function change(tx: Tx, id: string, columns: Record<string, unknown>): Promise<void> {
  await tx.db
    .updateTable('disruptions')
    .set({ ...columns, updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}

export async function disruptionDelete(tx: Tx, id: string): Promise<void> {
  await tx.db.deleteFrom('disruptions').where('tenant_id', '=', tx.tenantId).where('id', '=', id).execute()
}

const dependants = {
  impacts: 'disruption_impacts',
  evaluations: 'evaluations',
  pauses: 'pauses',
  commitments: 'commitments',
  substitutions: 'substitutions',
  amendments: 'amendments',
} as const

/** The collections in which a record names a disruption. */
export async function disruptionDependants(tx: Tx, id: string): Promise<string[]> {
  const found = Object.entries(dependants).map(
    ([name, table]) => sql<{ name: string }>`select ${name}::text as name where exists (
      select from ${sql.table(table)} where tenant_id = ${tx.tenantId} and disruption_id = ${id})`,
  )
  const { rows } = await sql<{ name: string }>`${sql.join(found, sql` union all `)}`.execute(tx.db)
  return rows.map(({ name }) => name)
}

/** The days between which the impacts of a disruption were assessed; undefined where there are none. */
export async function disruptionAssessments(tx: Tx, id: string): Promise<{ first: string; last: string } | undefined> {
  const row = await tx.db
    .selectFrom('disruption_impacts')
    .select((eb) => [eb.fn.min('assessed_on').as('first'), eb.fn.max('assessed_on').as('last')])
    .where('tenant_id', '=', tx.tenantId)
    .where('disruption_id', '=', id)
    .executeTakeFirst()
  return row?.first && row.last ? { first: row.first, last: row.last } : undefined
}
