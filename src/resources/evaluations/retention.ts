import { sql } from 'kysely'
import { newId } from '../../core/ids.ts'
import { type Caller, type Tx, wholeTenant } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import type { Chore, JobTools } from '../../platform/jobs.ts'
import { draftDelete } from './answer-store.ts'
import { closeWhenAnswered } from './closing.ts'
import { lockRound } from './round.ts'
import { invitationResource } from './view.ts'

/**
 * Takes the person out of invitations that were not answered for so many days: the contact, function, language and token
 * go, and what was saved under it. One that was still awaited has expired.
 */
export const forgetUnanswered = (keptDays: number): Chore => ({
  name: 'forget_unanswered_invitations',
  at: '17 2 * * *',
  async run(tools) {
    const { database, clock, log, signal } = tools
    const before = new Date(clock.millis() - keptDays * 86_400_000).toISOString()
    const tenants = await database.outside<{ id: string }>({
      name: 'every_tenant',
      text: 'select every_tenant as id from every_tenant()',
      values: [],
    })
    for (const { id } of tenants) {
      try {
        while (!signal.aborted && (await database.write(callerOf(id, tools), (tx) => forgetInOne(tx, before))));
      } catch (error) {
        // What fails for one tenant is tried again tomorrow, and keeps nothing from the others.
        log.error({ err: error, tenant: id }, 'old invitations were not forgotten')
      }
    }
  },
})

const callerOf = (tenantId: string, { clock }: JobTools): Caller => ({
  ...wholeTenant(tenantId),
  actor: { type: 'system', id: null },
  scopes: ['admin'],
  requestId: newId(),
  now: clock.now(),
})

/** Does one round of the tenant. @returns false where none is left */
async function forgetInOne(tx: Tx, before: string): Promise<boolean> {
  const stale = tx.db
    .selectFrom('evaluation_invitations')
    .where('tenant_id', '=', tx.tenantId)
    .where('status', '<>', 'answered')
    .where('updated_at', '<', before)
    .where(sql<boolean>`(status = 'pending' or num_nonnulls(contact_id, function, language, token_hash) > 0)`)
  const oldest = await stale.select('evaluation_id').orderBy('updated_at').limit(1).executeTakeFirst()
  if (!oldest) return false
  const round = await lockRound(tx, oldest.evaluation_id)
  const found = await stale.select(['id', 'status']).where('evaluation_id', '=', oldest.evaluation_id).execute()
  for (const { id, status } of found) {
    const wasAwaited = status === 'pending'
    await tx.db
      .updateTable('evaluation_invitations')
      .set({ contact_id: null, function: null, language: null, token_hash: null, updated_at: tx.now })
      .set({ version: sql`version + 1`, ...(wasAwaited ? { status: 'expired' } : {}) })
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '=', id)
      .execute()
    if (wasAwaited) await draftDelete(tx, id)
    const changed = ['contact_id', 'function', 'language', ...(wasAwaited ? ['status'] : [])]
    record(tx, { resource: invitationResource, id, verb: wasAwaited ? 'expired' : 'updated', changed })
  }
  const isOpen = round.evaluation.status === 'open'
  if (isOpen && found.some(({ status }) => status === 'pending')) await closeWhenAnswered(tx, round)
  return true
}
