import type { Faults } from '../../core/problem.ts'
import type { ReadTx } from '../../db/database.ts'
import { resolveNaming } from '../../platform/references.ts'
import type { Seat, Subject } from './subject.ts'

/** Names whoever is asked: a party of a partnership by its id or by its organisation, or an organisation itself. */
export interface SeatNaming {
  party_id?: string | null | undefined
  organisation_id?: string | null | undefined
  organisation_ref?: { system: string; id: string } | null | undefined
}

/** What a seat goes by in a text, at its beginning. */
export const nameOf = ({ id }: Pick<Seat, 'id'>): string => (id === null ? 'The organisation' : `The party ${id}`)

/**
 * The seat that a write names; null where it names none. An organisation that judges itself need not be named. Faults are
 * gathered: named twice over, required but not named, or not of this round.
 * @param at the pointer of the object that holds the members, and what their names begin with (`owner_`)
 */
export async function seatNamed(
  tx: ReadTx,
  { type, seats }: Subject,
  naming: SeatNaming,
  at: { pointer: string; prefix?: string; required: boolean },
  faults: Faults,
): Promise<Seat | null> {
  const here = `${at.pointer}/${at.prefix ?? ''}`
  const { party_id, organisation_id, organisation_ref } = naming
  const byOrganisation = organisation_id != null || organisation_ref != null
  if (party_id != null && type === 'organisation') {
    const detail = 'The round is about an organisation, not a partnership: it has no parties. Leave the party out.'
    faults.add(`${here}party_id`, 'wrong_subject', detail)
    return null
  }
  if (party_id != null && byOrganisation) {
    faults.add(`${here}party_id`, 'exclusive', 'Name the party by its id or by its organisation, not by both.')
    return null
  }
  if (party_id != null) {
    const party = seats.find(({ id }) => id === party_id.toLowerCase())
    if (!party) faults.add(`${here}party_id`, 'unknown_reference', `${party_id} is no party of the partnership.`)
    return party ?? null
  }
  if (!byOrganisation) {
    if (at.required && type === 'organisation') return seats[0] ?? null
    if (at.required) faults.add(`${here}party_id`, 'required', 'Name the party by its id or by its organisation.')
    return null
  }
  const member = { pointer: at.pointer, member: `${at.prefix ?? ''}organisation`, required: false }
  const id = await resolveNaming(tx, 'organisation', { id: organisation_id, ref: organisation_ref }, member, faults)
  if (id === null) return null
  const seat = seats.find((one) => one.organisation_id === id.toLowerCase())
  const named = organisation_ref == null ? 'organisation_id' : 'organisation_ref'
  const stranger = type === 'organisation' ? 'is not whom the round is about' : 'takes no part in the partnership'
  if (!seat) faults.add(`${here}${named}`, 'unknown_reference', `${id} ${stranger}.`)
  return seat ?? null
}
