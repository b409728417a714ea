import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import t from 'tap'
import { backgroundWork, reminders } from '../src/background.ts'
import { fixedClock } from '../src/core/clock.ts'
import { makeOutbound } from '../src/platform/outbound.ts'
import { remind } from '../src/platform/reminders.ts'
import { secretBox } from '../src/platform/secrets.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import { allianceTakenOver } from './support/promises.ts'
import { conclusion, openRound, respond, stepRound } from './support/rounds.ts'
import { pauseOf, stepOf } from './support/world.ts'

const log = pino({ level: 'silent' })
const clock = fixedClock('2026-01-01T12:00:00Z')
const first = await startService(t, { clock })
t.beforeEach(() => clock.set('2026-01-01T12:00:00Z'))

/** A tenant of its own, and what it was told of since it was last asked. */
async function fresh() {
  const service = await first.afresh()
  let after = 0
  const told = async (): Promise<string[]> => {
    const { data } = (await service.get(`/v1/events?after=${after}&limit=200`)).body
    after = data.at(-1)?.sequence ?? after
    return data.map(({ type }: Json) => type).filter((type: string) => names.has(type))
  }
  return { service, told }
}
const names = new Set(reminders.map(({ resource, verb }) => `${resource.type}.${verb}`))

/** A round of reminders at an instant, or of several processes at once. */
async function round(at: string, processes = 1): Promise<void> {
  clock.set(at)
  const tools = { database: first.database, clock, log, signal: new AbortController().signal }
  await Promise.all(Array.from({ length: processes }, () => remind(reminders, tools)))
}
const noon = (day: string) => `${day}T12:00:00Z`
const patch = (service: Service, path: string, body: object) => service.call('PATCH', path, body, { ifMatch: '*' })

t.test('a pause that goes on past its expected end is told of, once', async (t) => {
  const { service, told } = await fresh()
  const paused = async (more: object) => {
    const { partnership } = await allianceTakenOver(service)
    const path = `/v1/partnerships/${partnership.id}`
    return { path, pause: (await stepOf(service, path, 'pause', pauseOf(partnership, more))).pause }
  }
  const late = await paused({ planned_resume_on: '2026-04-01' })
  const ended = await paused({ planned_resume_on: '2026-04-01' })
  await paused({ review_on: '2026-04-03' })
  await stepOf(service, ended.path, 'resume')
  // In Amsterdam the day after it begins two hours before it does in UTC.
  await round('2026-04-01T21:59:00Z')
  t.same(await told(), [], 'no pause is late on the day on which it is to end')
  await round('2026-04-01T22:01:00Z')
  const events = (await service.get('/v1/events?limit=200')).body.data
  t.match(
    events.filter(({ type }: Json) => type === 'pause.resumption_due'),
    [{ resource_id: late.pause.id, actor: { type: 'system' }, data: { planned_resume_on: '2026-04-01' } }],
  )
  t.same(await told(), ['pause.resumption_due'])
  await round(noon('2026-04-03'))
  t.same(await told(), [], 'what was told is not told again')
  await round(noon('2026-04-04'))
  t.same(await told(), ['pause.resumption_due'], 'one that is to be looked at again')
})

t.test('an evaluation is due, then overdue, and due anew after a round was concluded', async (t) => {
  const { service, told } = await fresh()
  const { partnership } = await allianceTakenOver(service, { partnership: { evaluation_interval: 'P3M' } })
  const found = async (query: string): Promise<boolean> =>
    (await service.get(`/v1/partnerships?${query}`)).body.data.some(({ id }: Json) => id === partnership.id)
  await round(noon('2026-03-31'))
  t.same(await told(), [])
  await round(noon('2026-04-01'))
  t.same(await told(), ['partnership.evaluation_due'])
  t.same(
    [await found('evaluation_due_before=2026-04-01'), await found('evaluation_due_before=2026-04-02')],
    [false, true],
  )
  // In Amsterdam the day after it begins two hours before it does in UTC.
  clock.set('2026-04-01T21:59:00Z')
  t.same([await found('is_evaluation_overdue=true'), await found('is_evaluation_overdue=false')], [false, true])
  clock.set('2026-04-01T22:01:00Z')
  t.same([await found('is_evaluation_overdue=true'), await found('is_evaluation_overdue=false')], [true, false])
  await round(noon('2026-06-30'))
  t.same(await told(), [], 'ninety days late')
  await round(noon('2026-07-01'))
  t.same(await told(), ['partnership.evaluation_overdue'])
  const judged = await openRound(service, partnership, { period_from: '2026-01-01', period_to: '2026-06-30' })
  for (const party of partnership.parties) await respond(service, judged, party)
  t.ok(await found('is_evaluation_overdue=true'), 'judged is not concluded')
  await stepRound(service, judged, 'conclude', conclusion)
  t.notOk(await found('is_evaluation_overdue=true'), 'a concluded round sets the next day')
  t.same(
    [await found('evaluation_due_before=2026-09-30'), await found('evaluation_due_before=2026-10-01')],
    [false, true],
  )
  await told()
  await round(noon('2026-09-29'))
  t.same(await told(), [])
  await round(noon('2026-09-30'))
  t.same(await told(), ['partnership.evaluation_due'])
  await patch(service, '/v1/thresholds', { evaluation_overdue_days: 1 })
  await round(noon('2026-10-01'))
  t.same(await told(), [])
  await round(noon('2026-10-02'))
  t.same(await told(), ['partnership.evaluation_overdue'], 'by the threshold of the tenant')
})

t.test('a response that is late is told of, and again where it was put off and is late again', async (t) => {
  const { service, told } = await fresh()
  const flood = await service.make('/v1/disruptions', {
    ...{ title: 'A flood', type: 'natural_disaster', started_on: '2026-01-01' },
  })
  const impactOn = async (more: object) => {
    const { partnership } = await allianceTakenOver(service)
    return service.make('/v1/impacts', {
      ...{ disruption_id: flood.id, partnership_id: partnership.id, severity: 'low', effects: ['income_down'] },
      ...{ response: 'step_back', response_due_on: '2026-02-01' },
      ...more,
    })
  }
  const late = await impactOn({})
  await impactOn({ responded_on: '2026-01-01' })
  await impactOn({ response: 'none_needed' })
  await round(noon('2026-02-01'))
  t.same(await told(), [])
  await round(noon('2026-02-02'))
  t.same(await told(), ['impact.response_overdue'])
  await patch(service, `/v1/impacts/${late.id}`, { response_due_on: '2026-02-10' })
  await round(noon('2026-02-10'))
  t.same(await told(), [])
  await round(noon('2026-02-11'))
  t.same(await told(), ['impact.response_overdue'])
  await patch(service, `/v1/impacts/${late.id}`, { responded_on: '2026-02-11' })
  await round(noon('2026-03-11'))
  t.same(await told(), [])
})

t.test('an evaluation that an impact asks for is met by a round, waived, or told of', async (t) => {
  const { service, told } = await fresh()
  const flood = await service.make('/v1/disruptions', {
    ...{ title: 'A flood', type: 'natural_disaster', started_on: '2026-01-01' },
  })
  const hit = async () => {
    const { partnership } = await allianceTakenOver(service)
    const impact = await service.make('/v1/impacts', {
      ...{ disruption_id: flood.id, partnership_id: partnership.id, severity: 'high', effects: ['income_down'] },
      response: 'none_needed',
    })
    return { partnership, path: `/v1/impacts/${impact.id}` }
  }
  const [open, waived, judged, periodic] = [await hit(), await hit(), await hit(), await hit()]
  const obligation = async ({ path }: { path: string }) => (await service.get(path)).body.evaluation_obligation
  clock.set(noon('2026-01-20'))
  await patch(service, waived.path, { evaluation_waiver: 'We spoke at length' })
  const judge = async ({ partnership }: { partnership: Json }, kind: string, isMet: boolean) => {
    const days = { period_from: '2026-01-01', period_to: '2026-01-20' }
    const held = await openRound(service, partnership, { kind, ...days })
    for (const party of partnership.parties) await respond(service, held, party)
    t.equal(await obligation(isMet ? judged : periodic), 'open', 'a round that is closed is not yet concluded')
    await stepRound(service, held, 'conclude', conclusion)
    t.equal(await obligation(isMet ? judged : periodic), isMet ? 'met' : 'open', kind)
  }
  await judge(periodic, 'periodic', false)
  await judge(judged, 'disruption', true)
  const updates = (await service.get('/v1/events?limit=200')).body.data
  t.match(updates.filter(({ changed }: Json) => changed.includes('evaluation_obligation')).at(-1), {
    ...{ type: 'impact.updated', changed: ['evaluation_obligation'], data: { evaluation_obligation: 'met' } },
  })
  await patch(service, judged.path, { note: 'Seen' })
  t.equal(await obligation(judged), 'met', 'and stays so')
  const late = async (day: string): Promise<string[]> =>
    (await service.get(`/v1/impacts?evaluation_obligation=open&evaluation_due_before=${day}`)).body.data
      .map(({ id }: Json) => `/v1/impacts/${id}`)
      .sort()
  // Thirty days after the first of January is the 31st.
  await told()
  await round(noon('2026-01-31'))
  t.same([await told(), await late('2026-01-31')], [[], []])
  await round(noon('2026-02-01'))
  t.same(await told(), ['impact.evaluation_overdue', 'impact.evaluation_overdue'])
  t.same(await late('2026-02-01'), [open.path, periodic.path].sort(), 'no round in a disruption was held there')
  await round(noon('2026-02-02'))
  t.same(await told(), [])
})

t.test('an end that comes near undecided is told of; one that was decided is not', async (t) => {
  const { service, told } = await fresh()
  const ending = { partnership: { ends_on: '2026-05-31', evaluation_interval: 'P12M' } }
  await allianceTakenOver(service, ending)
  const decided = await allianceTakenOver(service, ending)
  const renewed = await allianceTakenOver(service, ending)
  await stepOf(service, `/v1/partnerships/${decided.partnership.id}`, 'wind-down', { end_reason: 'completed' })
  await allianceTakenOver(service, {
    ...{ status: 'proposed', partnership: { predecessor_id: renewed.partnership.id, starts_on: '2026-06-01' } },
  })
  await round(noon('2026-03-01'))
  t.same(await told(), [], '91 days before')
  await round(noon('2026-03-02'))
  t.same(await told(), ['partnership.ending_undecided'])
  await round(noon('2026-05-31'))
  t.same(await told(), [])
})

t.test('each is told once, whatever the number of processes', async (t) => {
  const { service, told } = await fresh()
  const organisations = (await allianceTakenOver(service)).organisations
  for (let n = 0; n < 4; n += 1) await allianceTakenOver(service, organisations)
  await round(noon('2026-07-01'), 4)
  t.same(await told(), Array(5).fill('partnership.evaluation_due'))
  // And by two processes of their own, which begin at once.
  const program = fileURLToPath(new URL('./support/round-of-work.ts', import.meta.url))
  const twins = [1, 2].map(() => {
    const stdio = ['pipe', 'pipe', 'inherit'] as ['pipe', 'pipe', 'inherit']
    const child = spawn(process.execPath, [program, first.url, noon('2026-10-01')], { stdio })
    t.teardown(() => void child.kill('SIGKILL'))
    return { child, ready: once(child.stdout, 'data'), ended: once(child, 'close') }
  })
  await Promise.all(twins.map(({ ready }) => ready))
  for (const { child } of twins) child.stdin.write('go\n')
  t.same(await Promise.all(twins.map(async ({ ended }) => (await ended)[0])), [0, 0])
  t.same(await told(), Array(5).fill('partnership.evaluation_overdue'))
  // Both organisations take part in five partnerships; the months from January to September are over.
  const { data } = (await service.get('/v1/portfolio-snapshots?limit=200')).body
  t.same(
    data.map(({ period }: Json) => period),
    Array.from({ length: 18 }, (_, at) => `2026-0${Math.floor(at / 2) + 1}`),
  )
  t.equal(new Set(data.map(({ organisation_id, period }: Json) => `${organisation_id} ${period}`)).size, 18)
  const events = (await service.get('/v1/events?limit=200')).body.data
  t.equal(events.filter(({ type }: Json) => type === 'portfolio_snapshot.taken').length, 18)
  const work = backgroundWork({
    ...{ eventsKeptDays: 90, auditKeptDays: 90, exportsKeptHours: 168 },
    webhooks: { outbound: makeOutbound({ allowPrivate: false }), box: secretBox([]) },
  })
  t.ok(
    work.chores.some(({ name }) => name === 'remind'),
    'the round is one of the chores',
  )
})
