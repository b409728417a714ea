import {
  expireAudit,
  expireDeliveries,
  expireEvents,
  expireExports,
  expireImports,
  expireKeys,
} from './platform/housekeeping.ts'
import type { Chore, JobHandler } from './platform/jobs.ts'
import { remindEveryHour } from './platform/reminders.ts'
import { impactEvaluationOverdue, responseOverdue } from './resources/disruption-impacts/reminder.ts'
import { closeAtDeadlines } from './resources/evaluations/close-job.ts'
import { forgetUnanswered } from './resources/evaluations/retention.ts'
import { endingUndecided, evaluationDue, evaluationOverdue } from './resources/partnerships/reminders.ts'
import { resumptionDue } from './resources/pauses/reminder.ts'
import { snapshotsEveryHour } from './resources/portfolio-snapshots/commands.ts'
import { type Webhooks, webhookJobs } from './resources/webhook-endpoints/delivery.ts'
import { runExports } from './transfer/exports/run.ts'
import { runImport } from './transfer/imports/job.ts'

/** What is told of when its day has come. */
export const reminders = [
  resumptionDue,
  responseOverdue,
  impactEvaluationOverdue,
  evaluationDue,
  evaluationOverdue,
  endingUndecided,
]

/** What is done outside requests: every kind of job, and the chores that come round by the clock. */
export function backgroundWork({
  eventsKeptDays,
  auditKeptDays,
  exportsKeptHours,
  invitationsKeptDays = 365,
  webhooks,
}: {
  eventsKeptDays: number
  auditKeptDays: number
  exportsKeptHours: number
  /** How long an invitation that is not answered names a person. */
  invitationsKeptDays?: number
  webhooks: Webhooks
}): {
  handlers: JobHandler[]
  chores: Chore[]
} {
  return {
    handlers: [closeAtDeadlines, runImport, runExports(exportsKeptHours), ...webhookJobs(webhooks)],
    chores: [
      expireKeys,
      expireEvents(eventsKeptDays),
      expireDeliveries(eventsKeptDays),
      remindEveryHour(reminders),
      snapshotsEveryHour,
      expireAudit(auditKeptDays),
      expireImports,
      expireExports,
      forgetUnanswered(invitationsKeptDays),
    ],
  }
}
