import type { Faults } from '../../core/problem.ts'
import type { ReadTx } from '../../db/database.ts'
import { type SeatNaming, type SeatPlace, seatNamed as seatAmong } from '../../platform/seats.ts'
import type { Seat, Subject } from './subject.ts'

/** What a seat goes by in a text, at its beginning. */
export const nameOf = ({ id }: Pick<Seat, 'id'>): string => (id === null ? 'The organisation' : `The party ${id}`)

/**
 * The seat that a write names; null where it names none: a party of a partnership by its id or by its organisation, or an
 * organisation that judges itself, which need not be named. Faults are gathered: named twice over, required but not named,
 * or not of this round.
 */
export async function seatNamed(
  tx: ReadTx,
  { type, seats }: Subject,
  naming: SeatNaming,
  at: Omit<SeatPlace, 'stranger'>,
  faults: Faults,
): Promise<Seat | null> {
  if (type === 'partnership') return seatAmong(tx, seats, naming, at, faults)
  if (naming.party_id != null) {
    const detail = 'The round is about an organisation, not a partnership: it has no parties. Leave the party out.'
    faults.add(`${at.pointer}/${at.prefix ?? ''}party_id`, 'wrong_subject', detail)
    return null
  }
  const isNamed = naming.organisation_id != null || naming.organisation_ref != null
  if (!isNamed) return at.required ? (seats[0] ?? null) : null
  return seatAmong(tx, seats, naming, { ...at, stranger: 'is not whom the round is about' }, faults)
}
