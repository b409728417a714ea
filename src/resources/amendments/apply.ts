import { Faults } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { amendCommitment } from '../commitments/commands.ts'
import { termsAgreed } from '../commitments/schemas.ts'
import { amendPartnership } from '../partnerships/commands.ts'
import type { Amendment } from './schemas.ts'
import { lastTermVersion, termVersionInsert } from './store.ts'
import { collecting, type Loaded, patchFor } from './terms.ts'

type Accepted = Pick<Amendment, 'id' | 'changes' | 'effective_on' | 'note'>

/**
 * Writes the new terms of every record that an accepted amendment changes, and keeps those that they follow.
 * @throws Problem that names every rule which they break by now
 */
export async function applyAmendment(tx: Tx, loaded: Loaded, amendment: Accepted, partyId: string): Promise<void> {
  const { id, changes, effective_on: on, note } = amendment
  const told = { id, on, partyId, note }
  const faults = new Faults()
  for (const { resource_type, resource_id, pointer, terms, since } of loaded.amended) {
    const version = { resource_type, resource_id }
    if ((await lastTermVersion(tx, resource_type, resource_id)) === undefined) {
      await termVersionInsert(tx, { ...version, valid_from: since ?? on, amendment_id: null, terms })
    }
    const after = await collecting(pointer, faults, () =>
      resource_type === 'partnership' ? ofPartnership() : ofCommitment(resource_id),
    )
    if (after) await termVersionInsert(tx, { ...version, valid_from: on, amendment_id: id, terms: after })
  }
  faults.refuse()

  async function ofPartnership(): Promise<object> {
    return amendPartnership(tx, loaded.partnership, changes.partnership ?? {}, told)
  }

  async function ofCommitment(commitmentId: string): Promise<object> {
    const held = loaded.commitments.find(({ commitment }) => commitment.id === commitmentId)
    if (!held) throw new Error(`commitment ${commitmentId} is not held`)
    const terms = await amendCommitment(tx, held, patchFor(changes, commitmentId), told)
    return termsAgreed({ ...held.commitment, ...terms })
  }
}
