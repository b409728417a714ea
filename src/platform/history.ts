import type { Tx } from '../db/database.ts'
import { compiler, param, prepare, tenantParam } from '../db/prepared.ts'

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

const insert = prepare(
  compiler.insertInto('status_changes').values({
    tenant_id: tenantParam,
    resource_type: param('type'),
    resource_id: param('id'),
    version: param('version'),
    from_status: param('from'),
    to_status: param('to'),
    changed_on: param('on'),
    changed_at: param('changed_at'),
    decided_by_party_id: param('party_id'),
    reason: param('reason'),
    actor: param('actor'),
  }),
)

/**
 * Keeps what state a record was in since when, and who decided it; nothing of it is ever changed. It is sent when it is
 * called, so that it may also go with the commit.
 */
export async function recordStatusChange(tx: Tx, change: StatusChange): Promise<void> {
  const { decidedByPartyId, reason, ...rest } = change
  await insert.run(tx, {
    ...rest,
    party_id: decidedByPartyId ?? null,
    reason: reason ?? null,
    changed_at: tx.now,
    actor: JSON.stringify(tx.actor),
  })
}
