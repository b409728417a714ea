import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { renewAmendmentsNaming } from '../amendments/commands.ts'
import { commitmentsNamingTouch } from './store.ts'
import { commitmentResource } from './view.ts'

/**
 * Partners see no drafts, not even their ids: what is given in return for a commitment, and an amendment that makes it so,
 * look different to them from when that is proposed or offered until it is taken back, and so have another version.
 */
export async function renewNaming(tx: Tx, id: string): Promise<void> {
  const [namers] = await Promise.all([commitmentsNamingTouch(tx, id), renewAmendmentsNaming(tx, id)])
  for (const namer of namers) {
    record(tx, { resource: commitmentResource, id: namer, verb: 'updated', changed: ['in_return_for'] })
  }
}
