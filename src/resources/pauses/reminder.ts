import { sql } from 'kysely'
import { tenantParam } from '../../db/prepared.ts'
import { defineReminder, reminderNow } from '../../platform/reminders.ts'
import { pauseResource } from './view.ts'

/** `pause.resumption_due`: a pause is still open on the day after it was to end, or to be looked at again. */
export const resumptionDue = defineReminder(
  pauseResource,
  'resumption_due',
  sql`
  select p.id, p.expected as due_on
  from (select q.*, coalesce(planned_resume_on, review_on) as expected from pauses q where tenant_id = ${tenantParam}) p
  join partnerships r on r.tenant_id = p.tenant_id and r.id = p.partnership_id
  where p.resumed_on is null and p.expected < (${reminderNow} at time zone r.time_zone)::date`,
)
