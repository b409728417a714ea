import type { Faults } from '../../core/problem.ts'
import type { ReadTx } from '../../db/database.ts'
import { resolveNaming } from '../../platform/references.ts'
import type { PartyContext } from '../partnerships/read.ts'

/** Names a party of a partnership: by its id, or by its organisation. */
export interface PartyNaming {
  party_id?: string | null | undefined
  organisation_id?: string | null | undefined
  organisation_ref?: { system: string; id: string } | null | undefined
}

/**
 * The party that a write names; null where it names none. Faults are gathered: named twice over, required but not
 * named, or not of this partnership.
 * @param at the pointer of the object that holds the members, and what their names begin with (`owner_`)
 */
export async function partyNamed(
  tx: ReadTx,
  parties: readonly PartyContext[],
  naming: PartyNaming,
  at: { pointer: string; prefix?: string; required: boolean },
  faults: Faults,
): Promise<PartyContext | null> {
  const here = `${at.pointer}/${at.prefix ?? ''}`
  const { party_id, organisation_id, organisation_ref } = naming
  const byOrganisation = organisation_id != null || organisation_ref != null
  if (party_id != null && byOrganisation) {
    faults.add(`${here}party_id`, 'exclusive', 'Name the party by its id or by its organisation, not by both.')
    return null
  }
  if (party_id != null) {
    const party = parties.find(({ id }) => id === party_id.toLowerCase())
    if (!party) faults.add(`${here}party_id`, 'unknown_reference', `${party_id} is no party of the partnership.`)
    return party ?? null
  }
  if (!byOrganisation) {
    if (at.required) faults.add(`${here}party_id`, 'required', 'Name the party by its id or by its organisation.')
    return null
  }
  const member = { pointer: at.pointer, member: `${at.prefix ?? ''}organisation`, required: false }
  const id = await resolveNaming(tx, 'organisation', { id: organisation_id, ref: organisation_ref }, member, faults)
  if (id === null) return null
  const party = parties.find((one) => one.organisation_id === id.toLowerCase())
  const named = organisation_ref == null ? 'organisation_id' : 'organisation_ref'
  if (!party) faults.add(`${here}${named}`, 'unknown_reference', `${id} takes no part in the partnership.`)
  return party ?? null
}
