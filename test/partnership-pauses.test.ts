import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { type Json, startService } from './support/harness.ts'
import { draft, leadTo, pauseOf, stepOf } from './support/world.ts'

const clock = fixedClock('2026-03-01T12:00:00Z')
const service = await startService(t, { clock })
const pathOf = ({ id }: Json): string => `/v1/partnerships/${id}`
const pausesOf = async (partnership: Json, query = ''): Promise<Json[]> =>
  (await service.get(`${pathOf(partnership)}/pauses${query}`)).body.data

/** An active partnership, made and paused on 1 March 2026. */
async function active(more: object = {}): Promise<Json> {
  clock.set('2026-03-01T12:00:00Z')
  return leadTo(service, await draft(service, more), 'active')
}

t.test('a pause says from when, why, who asked and when to look again', async (t) => {
  const partnership = await active()
  const [company, charity] = partnership.parties
  const paused = await stepOf(service, pathOf(partnership), 'pause', {
    starts_on: '2026-02-15',
    planned_resume_on: '2026-06-01',
    review_on: '2026-05-01',
    reason: 'solidarity',
    initiated_by_party_id: charity.id,
    on_behalf_of_party_id: company.id,
    note: 'Their factory stands still',
    schedule_effect: 'shift',
  })
  t.equal(paused.status, 'paused')
  const { id, created_at, updated_at, ...pause } = paused.pause
  t.same(pause, {
    version: 1,
    partnership_id: partnership.id,
    commitment_id: null,
    starts_on: '2026-02-15',
    planned_resume_on: '2026-06-01',
    review_on: '2026-05-01',
    resumed_on: null,
    reason: 'solidarity',
    initiated_by_party_id: charity.id,
    on_behalf_of_party_id: company.id,
    disruption_id: null,
    note: 'Their factory stands still',
    schedule_effect: 'shift',
  })
  t.equal(created_at, updated_at)
  t.same(await pausesOf(partnership), [paused.pause])

  const resumed = await stepOf(service, pathOf(partnership), 'resume', { resumed_on: '2026-04-01' })
  t.match(resumed, { status: 'active', pause: null })
  const [ended] = await pausesOf(partnership)
  t.match(ended, { id, version: 2, resumed_on: '2026-04-01' })
})

t.test('what is left out takes its default', async (t) => {
  const partnership = await active()
  const { pause } = await stepOf(service, pathOf(partnership), 'pause', pauseOf(partnership))
  t.match(pause, { starts_on: '2026-03-01', schedule_effect: 'skip', planned_resume_on: null, note: null })
})

t.test('every fault of a pause is named at once', async (t) => {
  const partnership = await active()
  const stranger = (await active()).parties[0].id
  const bare = await service.step(pathOf(partnership), 'pause', {})
  t.equal(bare.status, 400)
  t.same(
    bare.body.errors.map(({ pointer }: Json) => pointer),
    ['/reason', '/initiated_by_party_id'],
  )
  const unheard = pauseOf(partnership, { reason: 'holiday', schedule_effect: 'forgive' })
  const refused = await service.step(pathOf(partnership), 'pause', unheard)
  t.equal(refused.status, 400, 'reasons and effects are those of the list')
  t.same(refused.body.errors.map(({ pointer }: Json) => pointer).sort(), ['/reason', '/schedule_effect'])
  const faults = async (body: object) => {
    const answer = await service.step(pathOf(partnership), 'pause', body)
    t.equal(answer.status, 422)
    return answer.body.errors.map(({ pointer, code }: Json) => `${pointer} ${code}`)
  }
  const strange = {
    reason: 'capacity',
    initiated_by_party_id: stranger,
    on_behalf_of_party_id: stranger,
    disruption_id: stranger,
  }
  t.same(await faults(strange), [
    '/planned_resume_on planned_resume_on',
    '/initiated_by_party_id unknown_reference',
    '/on_behalf_of_party_id unknown_reference',
    '/disruption_id unknown_reference',
  ])
  const dates = { starts_on: '2026-03-10', planned_resume_on: '2026-03-10', review_on: '2026-03-09' }
  t.same(await faults(pauseOf(partnership, dates)), ['/planned_resume_on before_start', '/review_on before_start'])
  t.same(await pausesOf(partnership), [], 'and nothing is kept')
})

t.test('pauses never overlap; one may begin on the day on which another ended', async (t) => {
  const partnership = await active()
  const pause = (starts_on: string) => service.step(pathOf(partnership), 'pause', pauseOf(partnership, { starts_on }))
  const resume = (resumed_on: string) => service.step(pathOf(partnership), 'resume', { resumed_on })
  t.equal((await pause('2026-02-01')).status, 200)
  t.equal((await resume('2026-03-01')).status, 200)
  for (const day of ['2026-01-01', '2026-02-01', '2026-02-28']) {
    const answer = await pause(day)
    t.match(answer, { status: 422, body: { errors: [{ pointer: '/starts_on', code: 'overlap' }] } }, day)
    t.match(answer.body.detail, /2026-02-01 to 2026-03-01/)
  }
  t.equal((await pause('2026-03-01')).status, 200)
  t.equal((await resume('2026-03-01')).status, 200, 'it may end on the day it began')
  t.equal((await pause('2026-03-01')).status, 200, 'which takes no day from others')
  t.same(
    (await pausesOf(partnership)).map(({ starts_on, resumed_on }) => [starts_on, resumed_on]),
    [
      ['2026-02-01', '2026-03-01'],
      ['2026-03-01', '2026-03-01'],
      ['2026-03-01', null],
    ],
  )
})

t.test('nothing resumes before it was paused', async (t) => {
  const partnership = await active()
  await stepOf(service, pathOf(partnership), 'pause', pauseOf(partnership, { starts_on: '2026-02-10' }))
  const answer = await service.step(pathOf(partnership), 'resume', { resumed_on: '2026-02-09' })
  t.match(answer, { status: 422, body: { errors: [{ pointer: '/resumed_on', code: 'before_start' }] } })
  t.match(await service.step(pathOf(partnership), 'resume', { resumed_on: '2026-02-10' }), { status: 200 })

  await stepOf(service, pathOf(partnership), 'pause', pauseOf(partnership, { starts_on: '2026-09-01' }))
  await stepOf(service, pathOf(partnership), 'resume')
  const [, planned] = await pausesOf(partnership)
  t.equal(planned?.resumed_on, '2026-09-01', 'a pause still to come is called off on its first day')
})

t.test('the time zone of the partnership decides what day it is', async (t) => {
  const places: [zone: string, paused: string, resumed: string][] = [
    ['Pacific/Kiritimati', '2026-03-02', '2026-03-03'],
    ['Europe/Amsterdam', '2026-03-02', '2026-03-03'],
    ['UTC', '2026-03-02', '2026-03-02'],
    ['America/New_York', '2026-03-01', '2026-03-02'],
  ]
  for (const [time_zone, paused, resumed] of places) {
    const partnership = await active({ time_zone })
    clock.set('2026-03-02T02:30:00Z')
    const { pause } = await stepOf(service, pathOf(partnership), 'pause', pauseOf(partnership))
    t.equal(pause.starts_on, paused, time_zone)
    clock.set('2026-03-02T23:30:00Z')
    await stepOf(service, pathOf(partnership), 'resume')
    const [ended] = await pausesOf(partnership)
    t.equal(ended?.resumed_on, resumed, time_zone)
    const { body } = await service.get(`${pathOf(partnership)}/history?sort=-changed_at&limit=2`)
    t.same(
      body.data.map(({ changed_on }: Json) => changed_on),
      [resumed, paused],
    )
  }
})

t.test('pauses are listed by reason, by whether they last, and in pages', async (t) => {
  const partnership = await active()
  for (const [starts_on, resumed_on, reason] of [
    ['2026-01-01', '2026-01-06', 'capacity'],
    ['2026-01-11', '2026-01-16', 'safety'],
    ['2026-01-21', '2026-01-26', 'capacity'],
  ] as const) {
    await stepOf(service, pathOf(partnership), 'pause', pauseOf(partnership, { starts_on, reason }))
    await stepOf(service, pathOf(partnership), 'resume', { resumed_on })
  }
  await stepOf(service, pathOf(partnership), 'pause', pauseOf(partnership))
  const starts = async (query: string) => (await pausesOf(partnership, query)).map(({ starts_on }) => starts_on)
  t.same(await starts('?reason=capacity,safety'), ['2026-01-01', '2026-01-11', '2026-01-21'])
  t.same(await starts('?is_open=true'), ['2026-03-01'])
  t.same(await starts('?is_open=false&sort=-starts_on'), ['2026-01-21', '2026-01-11', '2026-01-01'])
  const page = await service.get(`${pathOf(partnership)}/pauses?limit=3&include_total=true`)
  t.equal(page.body.total, 4)
  const rest = await service.get(`${pathOf(partnership)}/pauses?limit=3&cursor=${page.body.next_cursor}`)
  t.same(
    [...page.body.data, ...rest.body.data].map(({ starts_on }: Json) => starts_on),
    ['2026-01-01', '2026-01-11', '2026-01-21', '2026-03-01'],
  )
  const other = await active()
  const foreign = await service.get(`${pathOf(other)}/pauses?limit=3&cursor=${page.body.next_cursor}`)
  t.match(foreign, { status: 400, body: { code: 'invalid_cursor' } }, 'a cursor belongs to one partnership')
  t.equal((await service.get('/v1/partnerships/01990000-0000-7000-8000-000000000000/pauses')).status, 404)
})
