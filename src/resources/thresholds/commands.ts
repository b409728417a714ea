import { sql } from 'kysely'
import type { IfMatch } from '../../core/etag.ts'
import { newId } from '../../core/ids.ts'
import type { Tx } from '../../db/database.ts'
import { record, unchanged } from '../../platform/events.ts'
import type { Outcome } from '../../platform/resource.ts'
import { type ThresholdName, type ThresholdsPatch, thresholdNames } from './schemas.ts'
import { thresholdsResource } from './view.ts'

/** Sets thresholds of the tenant; null goes back to the standard. @throws Problem `stale` */
export async function reviseThresholds(tx: Tx, ifMatch: IfMatch, patch: ThresholdsPatch): Promise<Outcome> {
  // The row is there from the first change on, so that there is something to lock.
  await tx.db
    .insertInto('thresholds')
    .values({ tenant_id: tx.tenantId, id: newId(), version: 0, created_at: tx.now, updated_at: tx.now })
    .onConflict((conflict) => conflict.column('tenant_id').doNothing())
    .execute()
  const row = await tx.db
    .selectFrom('thresholds')
    .select(['id', 'version', ...thresholdNames])
    .where('tenant_id', '=', tx.tenantId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
  ifMatch(row.version)
  const changed = (Object.keys(patch) as ThresholdName[]).filter((name) => patch[name] !== row[name])
  if (changed.length === 0) return unchanged(tx, thresholdsResource, row.id)
  await tx.db
    .updateTable('thresholds')
    .set({
      ...Object.fromEntries(changed.map((name) => [name, patch[name]])),
      updated_at: tx.now,
      version: sql<number>`version + 1`,
    })
    .where('tenant_id', '=', tx.tenantId)
    .execute()
  return record(tx, { resource: thresholdsResource, id: row.id, verb: 'updated', changed })
}
