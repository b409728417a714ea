import { sql } from 'kysely'
import { Faults } from '../../core/problem.ts'
import type { ReadTx } from '../../db/database.ts'
import { prepare, tenantParam } from '../../db/prepared.ts'

const firstDay = prepare<{ first: string | null }>(sql`
  select min(changed_on)::text as first from status_changes
  where tenant_id = ${tenantParam} and resource_type = 'partnership'`)

/**
 * Days before the first state of any partnership are not answered about: nothing would be, and that is no answer.
 * @throws Problem `rule_violated`
 */
export async function requireRecorded(tx: ReadTx, asOf: string | undefined, pointer = '?as_of'): Promise<void> {
  if (asOf === undefined) return
  const [row] = await firstDay.run(tx)
  if (!row?.first || asOf >= row.first) return
  const faults = new Faults()
  faults.add(
    pointer,
    'before_record',
    `The record of partnerships begins on ${row.first}: ask about that day or later.`,
  )
  faults.refuse()
}
