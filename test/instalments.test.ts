import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { startService } from './support/harness.ts'
import { agreed, alliance, commitment, deliver, faultsOf, pathOf, promise, takenOver } from './support/promises.ts'
import { confirmed, instalmentsOf, monthly, now, planOf, reverse, scheduled } from './support/schedules.ts'
import { stepOf } from './support/world.ts'

const clock = fixedClock('2026-03-01T12:00:00Z')
const service = await startService(t, { clock })
t.beforeEach(() => clock.set('2026-03-01T12:00:00Z'))

t.test('an agreement makes the instalments of the schedule, which add up to the measure', async (t) => {
  const seats = await alliance(service)
  const draft = await commitment(service, seats, { schedule: monthly() })
  t.same(await instalmentsOf(service, draft), [], 'a draft has none')
  await stepOf(service, pathOf(draft), 'propose')
  await stepOf(service, pathOf(draft), 'agree', { party_id: seats.charity })
  const [first, ...rest] = await instalmentsOf(service, draft)
  const { id: _id, created_at: _c, updated_at: _u, ...told } = first
  const eur = (amount: string) => ({ type: 'money', amount, currency: 'EUR' })
  t.same(told, {
    version: 1,
    partnership_id: seats.partnership.id,
    commitment_id: draft.id,
    seq: 1,
    due_on: '2026-01-31',
    original_due_on: '2026-01-31',
    measure: eur('250.00'),
    replaced: eur('0.00'),
    settled: eur('0.00'),
    open: eur('250.00'),
    state: 'scheduled',
    is_suspended: false,
    is_overdue: true,
    superseded_on: null,
  })
  t.same(
    rest.map(({ seq, due_on, is_overdue }) => [seq, due_on, is_overdue]),
    [
      [2, '2026-02-28', true],
      [3, '2026-03-31', false],
      [4, '2026-04-30', false],
    ],
  )
  const odd = await scheduled(service, seats, monthly({ count: 3 }))
  t.same(
    (await instalmentsOf(service, odd)).map(({ measure }) => measure.amount),
    ['333.34', '333.33', '333.33'],
  )
})

t.test('without a schedule there is one instalment, which is due on no day', async (t) => {
  const seats = await alliance(service)
  const hours = { kind: 'volunteer_time', measure: { type: 'quantity', quantity: '40', unit: 'hour' } }
  t.match(await instalmentsOf(service, await agreed(service, seats, hours)), [
    { seq: 1, due_on: null, measure: { quantity: '40', unit: 'hour' }, state: 'scheduled', is_overdue: false },
  ])
})

t.test('a schedule without instalments, or with too many or too small ones, is refused with its place', async (t) => {
  const seats = await alliance(service)
  const refused = async (schedule: object, more: object = {}) =>
    faultsOf(await service.call('POST', '/v1/commitments', promise(seats, { schedule, ...more })))
  t.same(await refused(monthly({ count: null, day_of_month: 20, ends_on: '2026-01-15' })), [
    '/schedule/ends_on no_instalments',
  ])
  t.same(await refused(monthly({ frequency: 'weekly', day_of_month: null, count: null, ends_on: '2050-01-01' })), [
    '/schedule/ends_on too_many_instalments',
  ])
  t.same(await refused(monthly({ frequency: 'yearly', interval: 100, count: 100 })), ['/schedule/count too_late'])
  t.same(await refused(monthly(), { measure: { type: 'money', amount: '0.03', currency: 'EUR' } }), [
    '/schedule/frequency too_small',
  ])
})

t.test('what is taken over has the instalments of the state that it was in', async (t) => {
  const seats = await alliance(service)
  const states = async (status: string, more: object) =>
    planOf(service, await takenOver(service, seats, status, { schedule: monthly(), agreed_on: '2025-12-01', ...more }))
  t.same(await states('agreed', {}), [
    '2026-01-31 scheduled 0.00',
    '2026-02-28 scheduled 0.00',
    '2026-03-31 scheduled 0.00',
    '2026-04-30 scheduled 0.00',
  ])
  t.same(await states('lapsed', { closed_on: '2026-02-28' }), [
    '2026-01-31 scheduled 0.00',
    '2026-02-28 void 0.00',
    '2026-03-31 void 0.00',
    '2026-04-30 void 0.00',
  ])
  t.same(
    new Set((await states('fulfilled', { closed_on: '2026-02-28' })).map((text) => text.split(' ')[1])),
    new Set(['settled']),
  )
  t.same(await states('proposed', { agreed_on: null }), [])
})

t.test('instalments are listed over all commitments, by when they are due', async (t) => {
  const seats = await alliance(service)
  const one = await scheduled(service, seats)
  const other = await agreed(service, seats)
  const list = async (query: string) =>
    (await service.get(`/v1/instalments?partnership_id=${seats.partnership.id}&${query}`)).body.data.map(
      ({ commitment_id, seq }: { commitment_id: string; seq: number }) =>
        `${commitment_id === one.id ? 'one' : 'other'} ${seq}`,
    )
  t.same(await list(''), ['one 1', 'one 2', 'one 3', 'one 4', 'other 1'])
  t.same(await list('sort=-due_on&limit=2'), ['other 1', 'one 4'])
  t.same(await list('due_from=2026-02-28&due_before=2026-03-31'), ['one 2'], 'its first day counts, its end does not')
  t.same(await list('due_from=2026-02-28&due_before=2026-04-01'), ['one 2', 'one 3'])
  t.same(await list('due_before=9999-12-31'), ['one 1', 'one 2', 'one 3', 'one 4'], 'what has no day is before none')
  t.same(await list('due_from=2026-04-01'), ['one 4'])
  t.same(await list('is_overdue=true'), ['one 1', 'one 2'])
  t.same(await list('state=scheduled,void&is_overdue=false'), ['one 3', 'one 4', 'other 1'])
  t.same(await list(`commitment_id=${other.id}`), ['other 1'])
  const first = await service.get(`/v1/commitments/${one.id}/instalments?limit=3`)
  clock.set('2026-05-01T12:00:00Z')
  const second = await service.get(`/v1/commitments/${one.id}/instalments?limit=3&cursor=${first.body.next_cursor}`)
  t.match(second.body, { data: [{ seq: 4, is_overdue: true }], next_cursor: null }, 'a cursor holds over midnight')
})

t.test('another tenant’s commitment has no instalments to be seen', async (t) => {
  const seats = await alliance(service)
  const { id } = await scheduled(service, seats)
  const { key } = await service.otherTenant('instalments elsewhere')
  t.equal((await service.get(`/v1/commitments/${id}/instalments`, { key })).status, 404)
  t.same((await service.get('/v1/instalments', { key })).body.data, [])
})

t.test('deliveries settle in order, or by their number, and what is too much flows on', async (t) => {
  const seats = await alliance(service)
  const gift = await scheduled(service, seats)
  await deliver(service, gift, '999.00')
  t.match(
    await planOf(service, gift),
    Array.from({ length: 4 }, () => /scheduled 0.00$/),
    'a report settles nothing yet',
  )
  await confirmed(service, seats, gift, '300.00')
  t.same(await planOf(service, gift), [
    '2026-01-31 settled 250.00',
    '2026-02-28 scheduled 50.00',
    '2026-03-31 scheduled 0.00',
    '2026-04-30 scheduled 0.00',
  ])
  const early = await confirmed(service, seats, gift, '260.00', { instalment_seq: 4 })
  t.equal(early.instalment_seq, 4)
  t.same(await planOf(service, gift), [
    '2026-01-31 settled 250.00',
    '2026-02-28 scheduled 60.00',
    '2026-03-31 scheduled 0.00',
    '2026-04-30 settled 250.00',
  ])
  const last = await confirmed(service, seats, gift, '500.00')
  t.match(await now(service, gift), { status: 'fulfilled', outstanding: { amount: '0.00' } }, 'with 60 too much')
  await reverse(service, last, seats.charity)
  t.match(await now(service, gift), { status: 'agreed', outstanding: { amount: '440.00' } })
  await reverse(service, early, seats.company)
  t.same(await planOf(service, gift), [
    '2026-01-31 settled 250.00',
    '2026-02-28 scheduled 50.00',
    '2026-03-31 scheduled 0.00',
    '2026-04-30 scheduled 0.00',
  ])
})

t.test('a number that is no open instalment is refused', async (t) => {
  const seats = await alliance(service)
  const gift = await scheduled(service, seats)
  const report = async (instalment_seq: number) =>
    faultsOf(
      await service.call('POST', `/v1/commitments/${gift.id}/fulfilments`, {
        delivered_on: '2026-02-01',
        measure: { type: 'money', amount: '250.00', currency: 'EUR' },
        instalment_seq,
      }),
    )
  t.same(await report(5), ['/instalment_seq unknown_reference'])
  await stepOf(service, pathOf(gift), 'pause', {
    reason: 'capacity',
    initiated_by_party_id: seats.company,
    starts_on: '2026-03-01',
    planned_resume_on: '2026-04-01',
  })
  t.same(await report(3), ['/instalment_seq not_open'], 'a skipped one')
})

t.test('the end of a commitment voids what lies ahead; reinstating restores it', async (t) => {
  const seats = await alliance(service)
  for (const [step, party] of [
    ['lapse', seats.company],
    ['release', seats.charity],
    ['cancel', seats.company],
  ] as const) {
    const gift = await scheduled(service, seats)
    await confirmed(service, seats, gift, '250.00', { instalment_seq: 4 })
    await stepOf(service, pathOf(gift), step, { party_id: party, reason: 'It cannot be' })
    const closed = [
      '2026-01-31 scheduled 0.00',
      '2026-02-28 scheduled 0.00',
      '2026-03-31 void 0.00',
      '2026-04-30 settled 250.00',
    ]
    t.same(await planOf(service, gift), closed, step)
    if (step !== 'lapse') continue
    clock.set('2026-04-15T12:00:00Z')
    await stepOf(service, pathOf(gift), 'release', { party_id: seats.charity })
    t.same(await planOf(service, gift), closed, 'a release later on does not revive what fell due meanwhile')
    clock.set('2026-03-01T12:00:00Z')
  }
  const gift = await scheduled(service, seats)
  await stepOf(service, pathOf(gift), 'lapse', { party_id: seats.company, reason: 'A flood' })
  await stepOf(service, pathOf(gift), 'reinstate', { party_id: seats.charity })
  t.match(
    await planOf(service, gift),
    Array.from({ length: 4 }, () => /scheduled/),
  )
})
