import type { Faults } from '../core/problem.ts'
import type { ReadTx } from '../db/database.ts'
import { survivorIn } from './merged.ts'
import { resolveNaming } from './references.ts'

const survivor = survivorIn('organisations')

/** Names a party of a partnership: by its id, or by its organisation. */
export interface SeatNaming {
  party_id?: string | null | undefined
  organisation_id?: string | null | undefined
  organisation_ref?: { system: string; id: string } | null | undefined
}

/** Where a seat is named: the pointer of the object that holds the members, and what their names begin with (`owner_`). */
export interface SeatPlace {
  pointer: string
  prefix?: string
  required: boolean
  /** What is wrong with an organisation that has none of the seats. */
  stranger?: string
}

/**
 * The seat that a write names; null where it names none. Faults are gathered: named twice over, required but not named, or
 * none of these seats.
 */
export async function seatNamed<S extends { id: string | null; organisation_id: string }>(
  tx: ReadTx,
  seats: readonly S[],
  { party_id, organisation_id, organisation_ref }: SeatNaming,
  { pointer, prefix = '', required, stranger = 'takes no part in the partnership' }: SeatPlace,
  faults: Faults,
): Promise<S | null> {
  const here = `${pointer}/${prefix}`
  const byOrganisation = organisation_id != null || organisation_ref != null
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
    if (required) faults.add(`${here}party_id`, 'required', 'Name the party by its id or by its organisation.')
    return null
  }
  const member = { pointer, member: `${prefix}organisation`, required: false }
  const id = await resolveNaming(tx, 'organisation', { id: organisation_id, ref: organisation_ref }, member, faults)
  if (id === null) return null
  const seatOf = (organisation: string | undefined) => seats.find((one) => one.organisation_id === organisation)
  const seat = seatOf(id.toLowerCase()) ?? seatOf((await survivor.run(tx, { id }))[0]?.id)
  const named = organisation_ref == null ? 'organisation_id' : 'organisation_ref'
  if (!seat) faults.add(`${here}${named}`, 'unknown_reference', `${id} ${stranger}.`)
  return seat ?? null
}
