import { Problem } from './problem.ts'

/** A party as far as it matters who decides. */
export interface Seat {
  id: string
  side: string
}

/**
 * The parties across the table from one: those of another side. In an alliance of a single side (two companies, by an
 * exception) every other party is.
 */
export function acrossFrom<S extends Seat>(seats: readonly S[], id: string): S[] {
  const own = seats.find((seat) => seat.id === id)
  const others = seats.filter((seat) => seat.id !== id)
  const opposite = others.filter((seat) => seat.side !== own?.side)
  return opposite.length > 0 ? opposite : others
}

/** @throws Problem `wrong_party`, naming who may, where the party is not among them */
export function requireDecider(
  member: string,
  partyId: string,
  { may, who }: { may: readonly string[]; who: string },
): void {
  if (may.includes(partyId)) return
  const detail = `This is for ${who} to decide: ${may.join(' or ')}. It may be recorded on their behalf, in their name.`
  const errors = [{ pointer: `/${member}`, code: 'wrong_party', detail } as const]
  throw new Problem('wrong_party', detail, { errors, members: { may_decide: [...may] } })
}
