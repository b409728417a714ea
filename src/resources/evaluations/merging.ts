import { sql } from 'kysely'
import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { decisionResource, evaluationResource, invitationResource } from './view.ts'

/** Gives the rounds in which an organisation judged itself, and all that belongs to them, to another. */
export async function moveReadiness(tx: Tx, fromOrganisationId: string, toOrganisationId: string): Promise<void> {
  const changed = ['organisation_id']
  const rounds = await tx.db
    .updateTable('evaluations')
    .set({ organisation_id: toOrganisationId, updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('organisation_id', '=', fromOrganisationId)
    .returning('id')
    .execute()
  if (rounds.length === 0) return
  const moved = rounds.map(({ id }) => id)
  for (const id of moved) record(tx, { resource: evaluationResource, id, verb: 'updated', changed })
  for (const resource of [invitationResource, decisionResource]) {
    // Their organisation follows that of the round by itself.
    const rows = await tx.db
      .updateTable(resource.table as 'evaluation_invitations')
      .set({ updated_at: tx.now, version: sql`version + 1` })
      .where('tenant_id', '=', tx.tenantId)
      .where('evaluation_id', 'in', moved)
      .returning('id')
      .execute()
    for (const { id } of rows) record(tx, { resource, id, verb: 'updated', changed })
  }
}
