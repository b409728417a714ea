import type { Tx } from '../db/database.ts'

export interface StatusChange {
  /** The singular noun of the resource. */
  type: string
  id: string
  /** The version of the record after the change. */
  version: number
  from: string | null
  to: string
  /** The day it counts from, in the time zone of the partnership. */
  on: string
  decidedByPartyId?: string | null
  reason?: string | null
}

/** Keeps what state a record was in since when, and who decided it; nothing of it is ever changed. */
export async function recordStatusChange(tx: Tx, change: StatusChange): Promise<void> {
  await tx.db
    .insertInto('status_changes')
    .values({
      tenant_id: tx.tenantId,
      resource_type: change.type,
      resource_id: change.id,
      version: change.version,
      from_status: change.from,
      to_status: change.to,
      changed_on: change.on,
      changed_at: tx.now,
      decided_by_party_id: change.decidedByPartyId ?? null,
      reason: change.reason ?? null,
      actor: JSON.stringify(tx.actor),
    })
    .execute()
}
