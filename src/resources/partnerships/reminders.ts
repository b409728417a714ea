import { type RawBuilder, sql } from 'kysely'
import { tenantParam } from '../../db/prepared.ts'
import { defineReminder, reminderNow } from '../../platform/reminders.ts'
import { standardThresholds, type ThresholdName } from '../thresholds/schemas.ts'
import { partnershipResource } from './view.ts'

/** The tenant's threshold, or the standard one. */
const threshold = (name: ThresholdName) => sql`coalesce(
  (select t.${sql.raw(name)} from thresholds t where t.tenant_id = ${tenantParam}), ${sql.lit(standardThresholds[name])})`

const today = sql`(${reminderNow} at time zone r.time_zone)::date`

/** When a round is due: the activation, or the end of the period that was judged last, and the evaluation interval on. */
const evaluationDueOn = sql`lateral (
  select (greatest(
      coalesce(min(h.changed_on) filter (where h.to_status = 'active'), min(h.changed_on)),
      (select max(e.period_to) from evaluations e
        where e.tenant_id = r.tenant_id and e.partnership_id = r.id and e.status = 'concluded')
    ) + r.evaluation_interval::interval)::date as due_on
  from status_changes h
  where h.tenant_id = r.tenant_id and h.resource_type = 'partnership' and h.resource_id = r.id
    and h.changed_on <= ${today})`

const evaluations = (isTold: RawBuilder<boolean>) => sql`
  select r.id, d.due_on from partnerships r cross join ${evaluationDueOn} d
  where r.tenant_id = ${tenantParam} and r.status in ('active', 'paused', 'ending') and ${isTold}`

/** `partnership.evaluation_due`: the day has come on which both sides are to judge it again. */
export const evaluationDue = defineReminder(
  partnershipResource,
  'evaluation_due',
  evaluations(sql`d.due_on <= ${today}`),
)

/** `partnership.evaluation_overdue`: that day has passed by more than the threshold of the tenant. */
export const evaluationOverdue = defineReminder(
  partnershipResource,
  'evaluation_overdue',
  evaluations(sql`${today} - d.due_on > ${threshold('evaluation_overdue_days')}`),
)

/** `partnership.ending_undecided`: its last day is near, and it is neither wound down nor renewed. */
export const endingUndecided = defineReminder(
  partnershipResource,
  'ending_undecided',
  sql`
  select r.id, r.ends_on as due_on from partnerships r
  where r.tenant_id = ${tenantParam} and r.status in ('active', 'paused')
    and r.ends_on - ${threshold('ending_days')} <= ${today}
    and not exists (
      select from partnerships n where n.tenant_id = r.tenant_id and n.predecessor_id = r.id
        and n.status in ('proposed', 'active', 'paused', 'ending'))`,
)
