import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { commitmentsNamingTouch } from './store.ts'
import { commitmentResource } from './view.ts'

/**
 * Partners see no drafts, not even their ids: what is given in return for a commitment looks different to them from when
 * that is proposed or offered until it is taken back, and so has another version.
 */
export async function renewNaming(tx: Tx, id: string): Promise<void> {
  for (const namer of await commitmentsNamingTouch(tx, id)) {
    record(tx, { resource: commitmentResource, id: namer, verb: 'updated', changed: ['in_return_for'] })
  }
}
