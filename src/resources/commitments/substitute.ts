import { isZero, type Measure } from '../../core/measure.ts'
import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { recordStatusChange } from '../../platform/history.ts'
import { changedMembers } from '../../platform/writes.ts'
import { replaceInstalments } from '../instalments/commands.ts'
import { refuseIfOver } from './checks.ts'
import type { Held } from './held.ts'
import type { Commitment } from './schemas.ts'
import { endOwnPause, writeStep } from './steps.ts'
import { commitmentStep } from './store.ts'
import { commitmentResource } from './view.ts'

export interface Replacement {
  measure: Measure
  /** The instalment that it is taken from; null: in order. */
  seq: number | null
  on: string
  partyId: string
  reason: string
}

/**
 * Takes away what an accepted substitution replaces. Where nothing is outstanding then, the commitment is substituted;
 * else it goes on with the rest.
 * @throws Problem `rule_violated` where less than that is open
 */
export async function substituteCommitment(tx: Tx, held: Held, replacement: Replacement): Promise<void> {
  const { commitment } = held
  const { id, version, status } = commitment
  const { measure, seq, on, partyId, reason } = replacement
  await replaceInstalments(tx, id, { measure, on, seq })
  const [row] = await commitmentResource.one.run(tx, { id })
  if (!row) throw new Error(`commitment ${id} is held and yet cannot be read`)
  const after = JSON.parse(row.body) as Commitment
  const figures = changedMembers(commitment, after)
  if (!isZero(after.outstanding)) {
    await commitmentStep(tx, id, { status })
    record(tx, { resource: commitmentResource, id, verb: 'partly_substituted', changed: figures })
    return
  }
  if (status === 'paused') await endOwnPause(tx, held, {})
  await commitmentStep(tx, id, { status: 'substituted', closed_on: on, close_reason: reason })
  const told = { type: 'commitment', id, version: version + 1, from: status, to: 'substituted' }
  await recordStatusChange(tx, { ...told, on, decidedByPartyId: partyId, reason })
  const ended = ['status', 'closed_on', 'close_reason', ...(status === 'paused' ? ['pause'] : [])]
  const changed = [...new Set([...figures, ...ended])]
  record(tx, { resource: commitmentResource, id, verb: 'substituted', changed })
}

/** Agrees, with the acceptance of a substitution, what takes another's place: proposed first where it is a draft. */
export async function agreeInPlace(
  tx: Tx,
  { commitment, partnership }: Held,
  { on, promiserId, otherId, reason }: { on: string; promiserId: string; otherId: string; reason: string },
): Promise<void> {
  if (commitment.status === 'agreed') return
  refuseIfOver(partnership)
  let current = commitment
  if (current.status === 'draft') {
    await writeStep(tx, { commitment: current }, 'propose', { on, partyId: promiserId, reason })
    current = { ...current, status: 'proposed', version: current.version + 1 }
  }
  const change = { agreed_on: on, agreed_by_party_id: otherId, agreement_note: reason }
  await writeStep(tx, { commitment: current }, 'agree', { on, partyId: otherId, reason, change })
}
