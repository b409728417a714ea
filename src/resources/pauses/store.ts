import { sql } from 'kysely'
import { dateIn } from '../../core/dates.ts'
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

/**
 * Notes that it was told of an open pause that its expected end has passed, where that is so and was not told before.
 * @returns true where it is to be told now
 */
export async function pauseRemind(
  tx: Tx,
  id: string,
  isLate: (timeZone: string, expected: string) => boolean,
): Promise<boolean> {
  const pause = await tx.db
    .selectFrom('pauses as p')
    .innerJoin('partnerships as s', (join) =>
      join.onRef('s.tenant_id', '=', 'p.tenant_id').onRef('s.id', '=', 'p.partnership_id'),
    )
    .select(['s.time_zone', sql<string>`coalesce(p.planned_resume_on, p.review_on)`.as('expected')])
    .where('p.tenant_id', '=', tx.tenantId)
    .where('p.id', '=', id)
    .where('p.resumed_on', 'is', null)
    .where('p.reminded_on', 'is', null)
    .forUpdate('p')
    .executeTakeFirst()
  if (!pause || !isLate(pause.time_zone, pause.expected)) return false
  await tx.db
    .updateTable('pauses')
    .set({ reminded_on: dateIn(pause.time_zone, tx.now) })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
  return true
}
