import { type RawBuilder, sql } from 'kysely'
import { Type } from 'typebox'
import { date } from '../../core/schemas.ts'
import { param } from '../../db/prepared.ts'
import type { Filter } from '../../platform/lists.ts'
import { reminderNow } from '../../platform/reminders.ts'

/** The day that it is where a partnership is, by the alias `r`; needs the instant `now`. */
export const today = sql`(${reminderNow} at time zone r.time_zone)::date`

/** Of rows `h` of a partnership's history: its activation, or the first there is where it was taken over in a later state. */
export const activatedOn = sql<string>`coalesce(min(h.changed_on) filter (where h.to_status = 'active'), min(h.changed_on))`

/**
 * The rule by which the next round is due: `interval` after the activation or the last day judged, whichever is later, and
 * no later than the calendar goes.
 */
export const dueAfter = (
  activated: RawBuilder<unknown>,
  judgedTo: RawBuilder<unknown>,
  interval: RawBuilder<unknown>,
) => sql<string>`least((greatest(${activated}, ${judgedTo}) + ${interval}::interval)::date, date '9999-12-31')`

const judgedTo = sql`(select max(e.period_to) from evaluations e
  where e.tenant_id = r.tenant_id and e.partnership_id = r.id and e.status = 'concluded')`

/** When a round is due: the activation, or the end of the period that was judged last, and the evaluation interval on. */
export const evaluationDueOn = sql`lateral (
  select ${dueAfter(activatedOn, judgedTo, sql`r.evaluation_interval`)} as due_on
  from status_changes h
  where h.tenant_id = r.tenant_id and h.resource_type = 'partnership' and h.resource_id = r.id
    and h.changed_on <= ${today})`

/** Where both sides are to judge a partnership at all. */
export const isJudged = sql<boolean>`r.status in ('active', 'paused', 'ending')`

const isDueBefore = (day: ReturnType<typeof sql>) =>
  sql<boolean>`(${isJudged} and exists (select from ${evaluationDueOn} d where d.due_on < ${day}))`

/** Partnerships by when they are to be judged next; they need the instant `now`. */
export const evaluationDueFilters: Record<string, Filter> = {
  is_evaluation_overdue: {
    schema: Type.Boolean({
      description:
        'True where a round was due before today: the activation, or the end of the period that was judged last, and ' +
        'the evaluation interval on. Only what is active, paused or ending is to be judged',
    }),
    where: sql<boolean>`${isDueBefore(today)} = ${param('is_evaluation_overdue')}::boolean`,
    isUneven: true,
    isOfOthers: true,
  },
  evaluation_due_before: {
    schema: date({ description: 'Where a round is due before this day' }),
    where: isDueBefore(sql`${param('evaluation_due_before')}::date`),
    isUneven: true,
    isOfOthers: true,
  },
}
