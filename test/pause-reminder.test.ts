import { pino } from 'pino'
import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { addDays, dateIn, startOfDay } from '../src/core/dates.ts'
import { startJobs } from '../src/platform/job-runner.ts'
import type { JobHandler } from '../src/platform/jobs.ts'
import { remindOfResumptions } from '../src/resources/pauses/reminder.ts'
import { type Json, startService } from './support/harness.ts'
import { partnershipIn, pauseOf, stepOf } from './support/world.ts'

const log = pino({ level: 'silent' })
// Long ago by the clock of the database, so that its jobs are ripe.
const clock = fixedClock('2020-03-02T12:00:00Z')
const service = await startService(t, { clock })
t.beforeEach(() => clock.set('2020-03-02T12:00:00Z'))

const paused = async (more: object): Promise<Json> => {
  const partnership = await partnershipIn(service, 'active', { starts_on: '2020-01-01' })
  const path = `/v1/partnerships/${partnership.id}`
  return { path, pause: (await stepOf(service, path, 'pause', pauseOf(partnership, more))).pause }
}

const reminders = async (): Promise<Json[]> =>
  (await service.get('/v1/events?limit=200')).body.data.filter(({ type }: Json) => type === 'pause.resumption_due')

/** Runs what is ripe until this many reminders were looked at. */
async function runReminders(count: number): Promise<void> {
  let seen = 0
  const done = Promise.withResolvers<void>()
  const counted: JobHandler = {
    name: remindOfResumptions.name,
    async run(context, payload) {
      await remindOfResumptions.run(context, payload)
      seen += 1
      if (seen === count) done.resolve()
    },
  }
  const { url, database } = service
  const jobs = await startJobs({ url, database, clock, log, handlers: [counted], chores: [], concurrency: 1 })
  await done.promise
  await jobs.stop()
}

t.test('a pause that goes on past its planned end is told of, once', async (t) => {
  const late = await paused({ planned_resume_on: '2020-04-01' })
  const resumed = await paused({ planned_resume_on: '2020-04-01' })
  await stepOf(service, resumed.path, 'resume')
  clock.set('2020-04-02T12:00:00Z')
  await runReminders(1)
  t.match(await reminders(), [
    {
      resource_type: 'pause',
      resource_id: late.pause.id,
      data: { planned_resume_on: '2020-04-01', resumed_on: null },
    },
  ])
  const context = { ...service, clock, log, signal: AbortSignal.abort(), tenantId: service.tenantId, attempt: 2 }
  const caller = () => ({
    tenantId: service.tenantId,
    actor: { type: 'system' as const, id: null },
    scopes: [],
    requestId: 'again',
    now: clock.now(),
  })
  await remindOfResumptions.run({ ...context, caller }, { pause_id: late.pause.id })
  t.equal((await reminders()).length, 1, 'a job that runs again tells nothing new')
})

t.test('no pause is late on the day on which it is to end', async (t) => {
  const before = (await reminders()).length
  await paused({ planned_resume_on: '2020-05-01' })
  clock.set('2020-05-01T12:00:00Z')
  await runReminders(1)
  t.equal((await reminders()).length, before)
})

t.test('a day begins when it does where it is counted, whatever the clocks do', async (t) => {
  t.equal(startOfDay('2026-03-01', 'Europe/Amsterdam'), '2026-02-28T23:00:00.000Z')
  t.equal(startOfDay('2026-07-01', 'Europe/Amsterdam'), '2026-06-30T22:00:00.000Z')
  t.equal(startOfDay('2026-07-01', 'Pacific/Kiritimati'), '2026-06-30T10:00:00.000Z')
  t.equal(startOfDay('2026-07-01', 'America/New_York'), '2026-07-01T04:00:00.000Z')
  // In Beirut the clocks went from midnight to one.
  t.equal(startOfDay('2026-03-29', 'Asia/Beirut'), '2026-03-28T22:00:00.000Z')
  for (const zone of ['Europe/Amsterdam', 'America/St_Johns', 'Pacific/Apia']) {
    const start = startOfDay('2026-10-25', zone)
    t.equal(dateIn(zone, start), '2026-10-25')
    t.equal(dateIn(zone, new Date(Date.parse(start) - 1).toISOString()), addDays('2026-10-25', -1), zone)
  }
})
