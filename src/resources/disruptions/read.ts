import type { ReadTx } from '../../db/database.ts'

export interface DisruptionContext {
  id: string
  status: string
  countries: string[]
  sectors: string[]
  started_on: string
  ended_on: string | null
}

/** What other slices may know of a disruption; undefined where there is none. */
export async function disruptionContext(tx: ReadTx, id: string): Promise<DisruptionContext | undefined> {
  return tx.db
    .selectFrom('disruptions')
    .select(['id', 'status', 'countries', 'sectors', 'started_on', 'ended_on'])
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
}
