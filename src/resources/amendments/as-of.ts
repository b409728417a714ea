import { dateIn } from '../../core/dates.ts'
import { notFound } from '../../core/problem.ts'
import type { ReadTx } from '../../db/database.ts'
import { commitmentTermsNow } from '../commitments/read.ts'
import { partnershipTermsNow } from '../partnerships/read.ts'
import type { TermsAsOf } from './schemas.ts'
import { termVersionOn } from './store.ts'

/**
 * The agreed terms of a record as they stood on a day. A record that was never amended has the terms that it was agreed
 * with; before that day it had none.
 * @throws Problem `not_found`
 */
export async function termsAsOf(
  tx: ReadTx,
  asked: {
    type: TermsAsOf['resource_type']
    id: string
    /** Today in the time zone of the partnership where it is left out. */
    day: string | undefined
    now: string
  },
): Promise<TermsAsOf> {
  const { type, id } = asked
  const now = await (type === 'commitment' ? commitmentTermsNow(tx, id) : partnershipTermsNow(tx, id))
  if (!now) throw notFound()
  const day = asked.day ?? dateIn(now.timeZone, asked.now)
  const answer = { resource_type: type, resource_id: id, as_of: day }
  const { hasVersions, found } = await termVersionOn(tx, type, id, day)
  if (found) {
    const { valid_from, superseded_on, amendment_id, terms } = found
    return { ...answer, valid_from, superseded_on, amendment_id, terms }
  }
  const none = { valid_from: null, superseded_on: null, amendment_id: null, terms: null }
  if (hasVersions || now.since === null || now.since > day) return { ...answer, ...none }
  return { ...answer, ...none, valid_from: now.since, terms: now.terms }
}
