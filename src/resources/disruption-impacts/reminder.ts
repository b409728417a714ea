import { sql } from 'kysely'
import { tenantParam } from '../../db/prepared.ts'
import { defineReminder, reminderNow } from '../../platform/reminders.ts'
import { impactResource } from './view.ts'

/** `impact.response_overdue`: the response to an impact was not carried out by its day. */
export const responseOverdue = defineReminder(
  impactResource,
  'response_overdue',
  sql`
  select i.id, i.response_due_on as due_on
  from disruption_impacts i
  join partnerships r on r.tenant_id = i.tenant_id and r.id = i.partnership_id
  where i.tenant_id = ${tenantParam} and i.responded_on is null and i.response <> 'none_needed'
    and i.response_due_on < (${reminderNow} at time zone r.time_zone)::date
    and r.status in ('proposed', 'active', 'paused', 'ending')`,
)

/** `impact.evaluation_overdue`: the evaluation that an impact asks for was neither concluded nor waived by its day. */
export const impactEvaluationOverdue = defineReminder(
  impactResource,
  'evaluation_overdue',
  sql`
  select i.id, i.evaluation_due_on as due_on
  from disruption_impacts i
  join partnerships r on r.tenant_id = i.tenant_id and r.id = i.partnership_id
  where i.tenant_id = ${tenantParam} and i.evaluation_obligation = 'open'
    and i.evaluation_due_on < (${reminderNow} at time zone r.time_zone)::date
    and r.status in ('active', 'paused', 'ending')`,
)
