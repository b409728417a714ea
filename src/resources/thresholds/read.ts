import { sql } from 'kysely'
import type { ReadTx } from '../../db/database.ts'
import { prepare, tenantParam } from '../../db/prepared.ts'
import { standardThresholds, type Thresholds, type ThresholdValues, thresholdNames } from './schemas.ts'
import { thresholdsResource } from './view.ts'

const current = prepare<{ body: string }>(sql`
  select row_to_json(v)::text as body
  from (${thresholdsResource.view.where(sql.ref('r.tenant_id'), '=', tenantParam)}) v`)

/** The thresholds of the tenant, as they are on the wire; the standard ones where it has set none. */
export async function thresholdsNow(tx: ReadTx): Promise<Thresholds> {
  const [row] = await current.run(tx)
  return row ? (JSON.parse(row.body) as Thresholds) : { id: null, version: 0, updated_at: null, ...standardThresholds }
}

/** The values alone. */
export const valuesOf = (thresholds: Thresholds): ThresholdValues =>
  Object.fromEntries(thresholdNames.map((name) => [name, thresholds[name]])) as ThresholdValues
