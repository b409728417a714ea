import { dateIn } from '../../core/dates.ts'
import type { IfMatch } from '../../core/etag.ts'
import { notFound } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { loadForUpdate } from '../../platform/writes.ts'
import { holdPartnershipOf, type PartnershipContext } from '../partnerships/read.ts'
import type { Commitment } from './schemas.ts'
import { commitmentResource } from './view.ts'

/** A commitment and the partnership that it belongs to, as a step finds them: both are held until the end. */
export interface Held {
  commitment: Commitment
  partnership: PartnershipContext
  /** The date in the partnership's time zone. */
  today: string
}

/** @throws Problem `not_found`, or `stale` where the caller has seen another version */
export async function loadCommitment(tx: Tx, id: string, ifMatch?: IfMatch): Promise<Held> {
  const [partnership, commitment] = await Promise.all([
    holdPartnershipOf(tx, id),
    loadForUpdate(tx, commitmentResource, id, ifMatch),
  ])
  if (!partnership) throw notFound()
  return { commitment, partnership, today: dateIn(partnership.time_zone, tx.now) }
}
