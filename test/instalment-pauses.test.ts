import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { startService } from './support/harness.ts'
import { alliance, pathOf } from './support/promises.ts'
import { confirmed, instalmentsOf, monthly, now, planOf, reverse, scheduled } from './support/schedules.ts'
import { pauseOf, stepOf } from './support/world.ts'

const clock = fixedClock('2026-03-01T12:00:00Z')
const service = await startService(t, { clock })
t.beforeEach(() => clock.set('2026-03-01T12:00:00Z'))

const six = monthly({ day_of_month: 15, count: 6 })
const duesOf = (plan: string[]): string[] => plan.map((text) => text.split(' ').slice(0, 2).join(' '))
const plan = (...lines: string[]): string[] => ['2026-01-15 scheduled', '2026-02-15 scheduled', ...lines]

t.test('a pause of the partnership skips what is due in it, of all its commitments but the exempt', async (t) => {
  const seats = await alliance(service)
  const [usual, exempt] = [
    await scheduled(service, seats, six, { measure: { type: 'money', amount: '600.00', currency: 'EUR' } }),
    await scheduled(service, seats, six, { pause_exempt: true }),
  ]
  const path = `/v1/partnerships/${seats.partnership.id}`
  await stepOf(service, path, 'pause', pauseOf(seats.partnership, { planned_resume_on: '2026-05-01', review_on: null }))
  const later = await scheduled(service, seats, six)
  const skipped = ['2026-03-15 skipped', '2026-04-15 skipped', '2026-05-15 scheduled', '2026-06-15 scheduled']
  const asPlanned = ['2026-03-15 scheduled', '2026-04-15 scheduled', '2026-05-15 scheduled', '2026-06-15 scheduled']
  t.same(duesOf(await planOf(service, usual)), plan(...skipped))
  t.same(duesOf(await planOf(service, exempt)), plan(...asPlanned), 'loyal partners keep giving')
  t.same(duesOf(await planOf(service, later)), plan(...asPlanned), 'what is agreed in the pause is not held up by it')
  t.match(await now(service, usual), {
    status: 'paused',
    skipped: { amount: '200.00' },
    outstanding: { amount: '400.00' },
  })

  clock.set('2026-05-20T12:00:00Z')
  const overdue = (await instalmentsOf(service, usual, '?is_overdue=true')).map(({ seq }) => seq)
  t.same(overdue, [1, 2], 'past its planned end, but still open: what it holds up is not due')
  t.match(await instalmentsOf(service, usual, '?due_from=2026-05-15&due_before=2026-05-16'), [{ is_suspended: true }])
  await stepOf(service, path, 'resume', { resumed_on: '2026-05-20' })
  const [, , , , fifth, sixth] = await planOf(service, usual)
  t.same([fifth, sixth], ['2026-05-15 skipped 0.00', '2026-06-15 scheduled 0.00'], 'its real end decides')
  t.match(await now(service, usual), {
    status: 'agreed',
    skipped: { amount: '300.00' },
    outstanding: { amount: '300.00' },
  })
})

t.test('a pause that ends sooner than planned gives back what it would have skipped', async (t) => {
  const seats = await alliance(service)
  const gift = await scheduled(service, seats, six)
  const path = `/v1/partnerships/${seats.partnership.id}`
  await stepOf(service, path, 'pause', pauseOf(seats.partnership, { planned_resume_on: '2026-07-01' }))
  await stepOf(service, path, 'resume', { resumed_on: '2026-04-15' })
  t.same(
    duesOf(await planOf(service, gift)),
    plan('2026-03-15 skipped', '2026-04-15 scheduled', '2026-05-15 scheduled', '2026-06-15 scheduled'),
    'the day of resumption is no part of the pause',
  )
})

t.test('a pause of one commitment shifts it, keeping the anchor day, or lets it accrue', async (t) => {
  const seats = await alliance(service)
  const last = monthly({ count: 5 })
  const pause = async (schedule_effect: string) => {
    const gift = await scheduled(service, seats, last)
    await stepOf(
      service,
      pathOf(gift),
      'pause',
      pauseOf(seats.partnership, { schedule_effect, planned_resume_on: '2026-04-01' }),
    )
    return gift
  }
  const shifted = await pause('shift')
  const dues = [
    '2026-01-31 scheduled',
    '2026-02-28 scheduled',
    '2026-04-30 scheduled',
    '2026-05-31 scheduled',
    '2026-06-30 scheduled',
  ]
  t.same(duesOf(await planOf(service, shifted)), dues)
  t.match((await instalmentsOf(service, shifted))[2], { due_on: '2026-04-30', original_due_on: '2026-03-31' })
  t.match(await now(service, shifted), { skipped: { amount: '0.00' }, outstanding: { amount: '1000.00' } })
  await stepOf(service, pathOf(shifted), 'resume', { resumed_on: '2026-05-31' })
  t.same(duesOf(await planOf(service, shifted)).slice(2), [
    '2026-05-31 scheduled',
    '2026-06-30 scheduled',
    '2026-07-31 scheduled',
  ])

  const accruing = await pause('accrue')
  t.same(duesOf(await planOf(service, accruing))[2], '2026-03-31 scheduled')
  clock.set('2026-04-15T12:00:00Z')
  t.equal((await instalmentsOf(service, accruing, '?is_overdue=true')).length, 3, 'it stays due in the pause')
})

t.test('what was settled before a pause is left alone, until a reversal opens it again', async (t) => {
  const seats = await alliance(service)
  const gift = await scheduled(service, seats, six, { measure: { type: 'money', amount: '600.00', currency: 'EUR' } })
  clock.set('2026-03-02T12:00:00Z')
  const early = await confirmed(service, seats, gift, '100.00', { instalment_seq: 4, delivered_on: '2026-03-02' })
  clock.set('2026-03-05T12:00:00Z')
  const path = `/v1/partnerships/${seats.partnership.id}`
  await stepOf(service, path, 'pause', pauseOf(seats.partnership, { planned_resume_on: '2026-05-01' }))
  const [, , third, fourth] = await planOf(service, gift)
  t.same([third, fourth], ['2026-03-15 skipped 0.00', '2026-04-15 settled 100.00'])
  await reverse(service, early, seats.charity)
  t.same((await planOf(service, gift))[3], '2026-04-15 skipped 0.00')
})

t.test(
  'a commitment is fulfilled when all that pauses left of it is delivered, and not while one is open',
  async (t) => {
    const seats = await alliance(service)
    const gift = await scheduled(service, seats, monthly({ count: 2, starts_on: '2026-02-01' }))
    const path = `/v1/partnerships/${seats.partnership.id}`
    await stepOf(service, path, 'pause', pauseOf(seats.partnership, { planned_resume_on: '2026-04-10' }))
    await confirmed(service, seats, gift, '500.00', { delivered_on: '2026-03-01' })
    t.match(await now(service, gift), { status: 'paused', outstanding: { amount: '0.00' } })
    clock.set('2026-04-10T12:00:00Z')
    await stepOf(service, path, 'resume')
    t.match(await now(service, gift), {
      status: 'fulfilled',
      skipped: { amount: '500.00' },
      delivered: { amount: '500.00' },
      fulfilment_rate: '1.0000',
    })
  },
)

t.test('a pause of the partnership holds up what has a pause of its own too, and tells of it', async (t) => {
  const seats = await alliance(service)
  const gift = await scheduled(service, seats, six)
  const path = `/v1/partnerships/${seats.partnership.id}`
  await stepOf(service, pathOf(gift), 'pause', pauseOf(seats.partnership, { planned_resume_on: '2026-04-01' }))
  const before = await now(service, gift)
  await stepOf(service, path, 'pause', pauseOf(seats.partnership, { planned_resume_on: '2026-06-01' }))
  t.same(
    duesOf(await planOf(service, gift)),
    plan('2026-03-15 skipped', '2026-04-15 skipped', '2026-05-15 skipped', '2026-06-15 scheduled'),
  )
  const after = await now(service, gift)
  t.equal(after.version, before.version + 1, 'its outstanding is another: so is its version')
  await stepOf(service, path, 'resume', { resumed_on: '2026-04-20' })
  t.match(await now(service, gift), { status: 'paused', version: after.version + 1 })
  t.same(duesOf(await planOf(service, gift)).slice(3), [
    '2026-04-15 skipped',
    '2026-05-15 scheduled',
    '2026-06-15 scheduled',
  ])
})

t.test('a commitment that goes on while its partnership is paused is not held up any more', async (t) => {
  const seats = await alliance(service)
  const gift = await scheduled(service, seats, six)
  const path = `/v1/partnerships/${seats.partnership.id}`
  await stepOf(service, path, 'pause', pauseOf(seats.partnership, { planned_resume_on: '2026-07-01' }))
  const { etag } = await service.get(pathOf(gift))
  await service.call('PATCH', pathOf(gift), { pause_exempt: true }, { ifMatch: etag })
  await stepOf(service, pathOf(gift), 'resume', { resumed_on: '2026-04-01' })
  t.same(duesOf(await planOf(service, gift)).slice(2), [
    '2026-03-15 skipped',
    '2026-04-15 scheduled',
    '2026-05-15 scheduled',
    '2026-06-15 scheduled',
  ])
})
