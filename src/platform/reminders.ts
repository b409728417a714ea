import { type RawBuilder, sql } from 'kysely'
import { newId } from '../core/ids.ts'
import { type Caller, type Tx, wholeTenant } from '../db/database.ts'
import { type Prepared, param, prepare, tenantParam } from '../db/prepared.ts'
import type { EventVerb } from './event-types.ts'
import { record } from './events.ts'
import type { Chore, JobTools } from './jobs.ts'
import type { AnyResource } from './resource.ts'

/** Something that is told of when its day has come, as an event of a record and so to webhooks. */
export interface Reminder {
  resource: AnyResource
  /** What is told, without the resource: `resumption_due`. Never changed: it is kept with what was told. */
  verb: EventVerb
  /** Locks records of the tenant whose day has come by the instant `now` and that were not told. */
  hold: Prepared<{ id: string }>
  /** Tells those of the `ids` of which that is still so. */
  due: Prepared<{ id: string }>
}

/** How many are told in one transaction. */
const batch = 200

/**
 * Names a reminder.
 * @param due a select of `id` and `due_on`, over the tenant (`tenantParam`) and as of `reminderNow`; each is told once
 * for each day, so that one which is put off and passes again is told again
 */
export function defineReminder(resource: AnyResource, verb: EventVerb, due: RawBuilder<unknown>): Reminder {
  const name = sql.lit(`${resource.type}.${verb}`)
  const untold = sql`(${due}) d
    where not exists (
      select from reminders t where t.tenant_id = ${tenantParam} and t.name = ${name} and t.record_id = d.id
        and t.due_on = d.due_on)`
  return {
    resource,
    verb,
    hold: prepare<{ id: string }>(sql`
      select id from ${sql.table(resource.table)} where tenant_id = ${tenantParam} and id in (
        select d.id from ${untold} order by d.due_on, d.id limit ${sql.lit(batch)})
      order by id for no key update`),
    // Of two processes at once the second waits for the first, and then finds it told.
    due: prepare<{ id: string }>(sql`
      insert into reminders (tenant_id, name, record_id, due_on, told_at)
      select ${tenantParam}, ${name}, d.id, d.due_on, ${reminderNow}
      from ${untold} and d.id = any(${param('ids')}::uuid[])
      order by d.due_on, d.id
      on conflict do nothing
      returning record_id as id`),
  }
}

/** The instant as of which a reminder asks. */
export const reminderNow = sql<string>`${param('now')}::timestamptz`

/** Tells what has come due of one tenant, as it is: others may be about to change it. @returns how many were looked at */
async function tell(tx: Tx, { resource, verb, hold, due }: Reminder): Promise<number> {
  const held = await hold.run(tx, { now: tx.now })
  if (held.length === 0) return 0
  const rows = await due.run(tx, { now: tx.now, ids: held.map(({ id }) => id) })
  for (const { id } of rows) record(tx, { resource, id, verb })
  return held.length
}

/** Goes through all tenants and tells, once, on any number of processes, what has come due since the last round. */
export async function remind(
  reminders: readonly Reminder[],
  { database, clock, log, signal }: JobTools,
): Promise<void> {
  const tenants = await database.outside<{ id: string }>({
    name: 'every_tenant',
    text: 'select every_tenant as id from every_tenant()',
    values: [],
  })
  for (const { id: tenantId } of tenants) {
    const caller = (): Caller => ({
      ...wholeTenant(tenantId),
      actor: { type: 'system', id: null },
      scopes: ['admin'],
      requestId: newId(),
      now: clock.now(),
    })
    for (const reminder of reminders) {
      try {
        let seen = batch
        while (seen === batch && !signal.aborted) seen = await database.write(caller(), (tx) => tell(tx, reminder))
      } catch (error) {
        // What cannot be told of one tenant is told in the next round, and keeps nothing from the others.
        log.error({ err: error, tenant: tenantId, reminder: reminder.verb }, 'a reminder failed')
      }
    }
  }
}

/** The round of reminders: within the hour after midnight, wherever that is. */
export const remindEveryHour = (reminders: readonly Reminder[]): Chore => ({
  name: 'remind',
  at: '2 * * * *',
  run: (tools) => remind(reminders, tools),
})
