import { sql } from 'kysely'
import type { ReadTx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import type { InstalmentState } from './store.ts'

export type { InstalmentState } from './store.ts'

const named = prepare<{ state: InstalmentState }>(sql`
  select state from instalments
  where tenant_id = ${tenantParam} and commitment_id = ${param('commitment_id')}::uuid and seq = ${param('seq')}::integer`)

/** The state of an instalment by its number; undefined where there is none, or no number is given. */
export async function instalmentNamed(
  tx: ReadTx,
  commitmentId: string,
  seq: number | null | undefined,
): Promise<InstalmentState | undefined> {
  if (seq == null) return undefined
  const [row] = await named.run(tx, { commitment_id: commitmentId, seq })
  return row?.state
}
