import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { recordStatusChange } from '../../platform/history.ts'
import { changedMembers } from '../../platform/writes.ts'
import { refreshInstalments } from '../instalments/commands.ts'
import type { Held } from './held.ts'
import { statusByLedger } from './lifecycle.ts'
import type { Commitment } from './schemas.ts'
import { commitmentStep } from './store.ts'
import { commitmentResource } from './view.ts'

/**
 * Follows an entry of the ledger that was just written: the commitment's figures are new, and with them its version;
 * its state too, where nothing is outstanding any more, or something is again.
 */
export async function followLedger(
  tx: Tx,
  { commitment, today }: Held,
  { decidedByPartyId }: { decidedByPartyId: string },
): Promise<void> {
  const { id, version, status } = commitment
  const [account] = await refreshInstalments(tx, [id])
  const [row] = await commitmentResource.one.run(tx, { id })
  if (!row) throw new Error(`commitment ${id} is held and yet cannot be read`)
  const after = JSON.parse(row.body) as Commitment
  const next = statusByLedger(status, account?.isKept ?? false)
  if (next === status) {
    await commitmentStep(tx, id, { status })
    record(tx, { resource: commitmentResource, id, verb: 'updated', changed: changedMembers(commitment, after) })
    return
  }
  await commitmentStep(tx, id, { status: next, closed_on: next === 'fulfilled' ? today : null })
  await recordStatusChange(tx, {
    type: 'commitment',
    id,
    version: version + 1,
    from: status,
    to: next,
    on: today,
    decidedByPartyId,
  })
  record(tx, {
    resource: commitmentResource,
    id,
    verb: next === 'fulfilled' ? 'fulfilled' : 'reopened',
    // The state has its own part in these two, and was not yet the new one when the figures were read.
    changed: [
      ...new Set([...changedMembers(commitment, after), 'status', 'closed_on', 'outstanding', 'fulfilment_rate']),
    ],
  })
}
