import { acrossFrom } from '../../core/sides.ts'
import { isPartner, type Tx } from '../../db/database.ts'
import { requireScope } from '../../platform/auth.ts'
import type { Party } from '../partnerships/schemas.ts'
import type { Amendment, AmendmentChanges } from './schemas.ts'
import type { Loaded } from './terms.ts'

/** The parties that take part on a day. */
export const partiesPresent = (parties: readonly Party[], day: string): string[] =>
  parties.filter(({ left_on }) => left_on === null || left_on > day).map(({ id }) => id)

/**
 * Whose assent an amendment needs: every party's to the terms of the partnership; to those of a commitment the
 * promiser's and the receiver's, or for the joint purpose that of one party of the other side.
 */
export function requiredAssents(
  { partnership, commitments }: Loaded,
  changes: AmendmentChanges,
  day: string,
): Amendment['required_assents'] {
  const groups: string[][] = []
  if (changes.partnership) groups.push(...partiesPresent(partnership.parties, day).map((id) => [id]))
  for (const { commitment } of commitments) {
    const { from_party_id, to_party_id } = commitment
    const receivers =
      to_party_id === null ? acrossFrom(partnership.parties, from_party_id).map(({ id }) => id) : [to_party_id]
    groups.push([from_party_id], receivers)
  }
  const unique = new Map(groups.map((group) => [group.join(), { any_of: group }]))
  return [...unique.values()]
}

/** A partner changes commitments by an amendment only where its credential may write them. @throws Problem `forbidden` */
export function requireMayChange(tx: Tx, { commitments }: { commitments?: readonly unknown[] }): void {
  if (isPartner(tx) && commitments?.length) requireScope(tx, 'commitments:write', 'Changing commitments')
}
