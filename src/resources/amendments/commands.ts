import { sql } from 'kysely'
import type { Tx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import { record } from '../../platform/events.ts'
import { amendmentResource } from './view.ts'

const names = (column: 'changes' | 'diff') =>
  sql<boolean>`strpos(lower(${sql.ref(`a.${column}`)}::text), c.id::text) > 0`

const touchNaming = prepare<{ id: string; in_changes: boolean; in_diff: boolean }>(sql`
  with naming as (
    select a.id, ${names('changes')} as in_changes, ${names('diff')} as in_diff
    from commitments c join amendments a on a.tenant_id = c.tenant_id and a.partnership_id = c.partnership_id
    where c.tenant_id = ${tenantParam} and c.id = ${param('id')}::uuid and (${names('changes')} or ${names('diff')})
    -- In one order, for others may do the same for another.
    order by a.id for no key update of a
  )
  update amendments a set version = a.version + 1, updated_at = ${param('now')}::timestamptz
  from naming where a.tenant_id = ${tenantParam} and a.id = naming.id
  returning a.id, naming.in_changes, naming.in_diff`)

/** Gives amendments that name a commitment a new version, as what others see of it comes or goes: see renewNaming. */
export async function renewAmendmentsNaming(tx: Tx, commitmentId: string): Promise<void> {
  const touched = await touchNaming.run(tx, { id: commitmentId, now: tx.now })
  for (const { id, in_changes, in_diff } of touched) {
    const changed = [...(in_changes ? ['changes'] : []), ...(in_diff ? ['diff'] : [])]
    record(tx, { resource: amendmentResource, id, verb: 'updated', changed })
  }
}
