import { sql } from 'kysely'
import type { Tx } from '../../db/database.ts'
import type { Interval, PauseScope } from './rules.ts'
import type { PauseStart } from './schemas.ts'

/** The pauses of one scope, the first first. */
export async function pauseIntervals(tx: Tx, { partnershipId, commitmentId }: PauseScope): Promise<Interval[]> {
  return tx.db
    .selectFrom('pauses')
    .select(['starts_on', 'resumed_on'])
    .where('tenant_id', '=', tx.tenantId)
    .where('partnership_id', '=', partnershipId)
    .where('commitment_id', commitmentId === null ? 'is' : '=', commitmentId)
    .orderBy('starts_on')
    .orderBy('id')
    .execute()
}

export async function pauseInsert(
  tx: Tx,
  id: string,
  { partnershipId, commitmentId }: PauseScope,
  start: PauseStart,
  { startsOn, disruptionId }: { startsOn: string; disruptionId: string | null },
): Promise<void> {
  await tx.db
    .insertInto('pauses')
    .values({
      tenant_id: tx.tenantId,
      id,
      created_at: tx.now,
      updated_at: tx.now,
      partnership_id: partnershipId,
      commitment_id: commitmentId,
      starts_on: startsOn,
      planned_resume_on: start.planned_resume_on ?? null,
      review_on: start.review_on ?? null,
      reason: start.reason,
      initiated_by_party_id: start.initiated_by_party_id,
      on_behalf_of_party_id: start.on_behalf_of_party_id ?? null,
      disruption_id: disruptionId,
      note: start.note ?? null,
      schedule_effect: start.schedule_effect ?? 'skip',
    })
    .execute()
}

export async function pauseClose(tx: Tx, id: string, resumedOn: string): Promise<void> {
  await tx.db
    .updateTable('pauses')
    .set({ resumed_on: resumedOn, updated_at: tx.now, version: sql<number>`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}
