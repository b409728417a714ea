import { type RawBuilder, sql } from 'kysely'
import { tenantParam } from '../../db/prepared.ts'
import { defineReminder } from '../../platform/reminders.ts'
import { standardThresholds, type ThresholdName } from '../thresholds/schemas.ts'
import { evaluationDueOn, isJudged, today } from './evaluation-due.ts'
import { partnershipResource } from './view.ts'

/** The tenant's threshold, or the standard one. */
const threshold = (name: ThresholdName) => sql`coalesce(
  (select t.${sql.raw(name)} from thresholds t where t.tenant_id = ${tenantParam}), ${sql.lit(standardThresholds[name])})`

const evaluations = (isTold: RawBuilder<boolean>) => sql`
  select r.id, d.due_on from partnerships r cross join ${evaluationDueOn} d
  where r.tenant_id = ${tenantParam} and ${isJudged} and ${isTold}`

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
