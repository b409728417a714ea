import { sql } from 'kysely'
import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { draftDelete } from './answer-store.ts'
import { closeWhenAnswered } from './closing.ts'
import { lockRound } from './round.ts'
import { invitationSetStatus } from './store.ts'
import { invitationResource } from './view.ts'

/**
 * A person is erased: whatever it was asked and has not answered is asked no more, its drafts go, and its invitations keep
 * nothing that tells of it. What it answered counts on, for nothing leads from the person to that, and what was published
 * stays as it is.
 */
export async function forgetContact(tx: Tx, contactId: string): Promise<void> {
  const invitations = await tx.db
    .selectFrom('evaluation_invitations')
    .select(['id', 'evaluation_id'])
    .where('tenant_id', '=', tx.tenantId)
    .where('contact_id', '=', contactId)
    .orderBy('evaluation_id')
    .execute()
  for (const { id, evaluation_id } of invitations) {
    const round = await lockRound(tx, evaluation_id)
    const { status } = await tx.db
      .updateTable('evaluation_invitations')
      .set({ function: null, language: null, updated_at: tx.now, version: sql`version + 1` })
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '=', id)
      .returning('status')
      .executeTakeFirstOrThrow()
    const isPending = status === 'pending'
    if (isPending) {
      await invitationSetStatus(tx, id, 'expired')
      await draftDelete(tx, id)
    }
    const changed = ['function', 'language', ...(isPending ? ['status'] : [])]
    record(tx, { resource: invitationResource, id, verb: isPending ? 'expired' : 'updated', changed })
    if (isPending && round.evaluation.status === 'open') await closeWhenAnswered(tx, round)
  }
}
