import fc from 'fast-check'
import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { Problem } from '../src/core/problem.ts'
import type { Schedule } from '../src/core/schedule.ts'
import { type Tx, wholeTenant } from '../src/db/database.ts'
import { replaceInstalments, rescheduleCommitment } from '../src/resources/instalments/commands.ts'
import { type Json, startService } from './support/harness.ts'
import { alliance } from './support/promises.ts'
import { confirmed, instalmentsOf, monthly, now, planOf, reverse, scheduled } from './support/schedules.ts'

const clock = fixedClock('2026-03-01T12:00:00Z')
const service = await startService(t, { clock, isWrittenBeneath: true })

const write = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
  service.database.write(
    {
      ...wholeTenant(service.tenantId),
      actor: { type: 'system', id: null },
      scopes: [],
      requestId: 'plan',
      now: clock.now(),
    },
    work,
  )

const eur = (amount: string) => ({ type: 'money', amount, currency: 'EUR' }) as const
const whole = (schedule: object) =>
  ({ interval: 1, day_of_month: null, ends_on: null, count: null, ...schedule }) as Schedule

const replan = ({ id }: Json, amount: string, schedule: object | null, on = '2026-03-01') =>
  write((tx) => rescheduleCommitment(tx, id, { measure: eur(amount), schedule: schedule && whole(schedule) }, on))

const refusalOf = async (work: Promise<unknown>): Promise<string[]> => {
  const error = await work.then(
    () => undefined,
    (fault: unknown) => fault,
  )
  return error instanceof Problem ? (error.errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`) : []
}

t.test('a new plan leaves what is settled, and divides the rest over the dates that follow', async (t) => {
  const seats = await alliance(service)
  const gift = await scheduled(service, seats)
  const entry = await confirmed(service, seats, gift, '300.00')
  await replan(gift, '1300.00', monthly({ count: 6 }))
  t.same(await planOf(service, gift), [
    '2026-01-31 settled 250.00',
    '2026-02-28 scheduled 50.00',
    '2026-03-31 scheduled 0.00',
    '2026-04-30 scheduled 0.00',
    '2026-05-31 scheduled 0.00',
    '2026-06-30 scheduled 0.00',
  ])
  const all = await instalmentsOf(service, gift)
  const inPlan = all.filter(({ superseded_on }) => superseded_on === null)
  t.same(
    inPlan.map(({ seq, measure }) => [seq, measure.amount]),
    [
      [1, '250.00'],
      [5, '210.00'],
      [6, '210.00'],
      [7, '210.00'],
      [8, '210.00'],
      [9, '210.00'],
    ],
  )
  t.match(
    all.filter(({ superseded_on }) => superseded_on !== null),
    Array.from({ length: 3 }, () => ({ state: 'void', superseded_on: '2026-03-01' })),
    'what it replaced stays readable',
  )
  await reverse(service, entry, seats.charity)
  t.match((await planOf(service, gift))[0], '2026-01-31 scheduled 0.00')
})

t.test('a new plan that cannot be is refused', async (t) => {
  const seats = await alliance(service)
  const gift = await scheduled(service, seats)
  await confirmed(service, seats, gift, '500.00')
  t.same(await refusalOf(replan(gift, '499.99', monthly())), ['/measure below_settled'])
  t.same(await refusalOf(replan(gift, '600.00', monthly({ count: 2 }))), ['/schedule no_dates_left'])
  t.same(await refusalOf(replan(gift, '500.01', monthly({ count: 4 }))), ['/schedule/frequency too_small'])
  t.same(await refusalOf(replan(gift, '600.00', monthly({ count: 601 }))), ['/schedule/count too_many_instalments'])
  await replan(gift, '500.00', monthly({ count: 2 }))
  t.same(await planOf(service, gift), ['2026-01-31 settled 250.00', '2026-02-28 settled 250.00'])
  await replan(gift, '700.00', null)
  t.same((await planOf(service, gift))[2], 'null scheduled 0.00')
})

t.test('whatever is settled, the instalments of a new plan add up to the new measure', async (t) => {
  const seats = await alliance(service)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 400 }), fc.option(fc.integer({ min: 1, max: 4 }))), { maxLength: 4 }),
      fc.integer({ min: 1600, max: 5000 }),
      fc.constantFrom('weekly', 'monthly', 'quarterly'),
      async (deliveries, amount, frequency) => {
        const gift = await scheduled(service, seats)
        for (const [delivered, seq] of deliveries) {
          if ((await now(service, gift)).status !== 'agreed') break
          await confirmed(service, seats, gift, `${delivered}.00`, { instalment_seq: seq })
        }
        if ((await now(service, gift)).status !== 'agreed') return
        const settled = async () =>
          (await instalmentsOf(service, gift, '?state=settled')).map(({ seq, due_on }) => [seq, due_on])
        const before = await settled()
        await replan(gift, `${amount}.00`, { frequency, starts_on: '2026-01-15', count: 40 })
        const inPlan = (await instalmentsOf(service, gift)).filter(({ superseded_on }) => superseded_on === null)
        const cents = inPlan.reduce((sum, { measure }) => sum + Math.round(Number(measure.amount) * 100), 0)
        const after = JSON.stringify(await settled())
        for (const kept of before) if (!after.includes(JSON.stringify(kept))) throw new Error(`${kept} was touched`)
        if (cents !== amount * 100) throw new Error(`${cents} is not ${amount}`)
      },
    ),
    { numRuns: 12 },
  )
  t.pass('for any deliveries')
})

t.test(
  'what is replaced is not owed any more, in order or of one instalment, and stays so in a new plan',
  async (t) => {
    const seats = await alliance(service)
    const gift = await scheduled(service, seats)
    const replace = (amount: string, seq?: number) =>
      write((tx) =>
        replaceInstalments(tx, gift.id, { measure: eur(amount), on: '2026-03-01', ...(seq ? { seq } : {}) }),
      )
    t.same(await refusalOf(replace('1000.01')), ['/replaced_measure over_replaced'])
    t.same(await refusalOf(replace('250.01', 3)), ['/replaced_measure over_replaced'])
    await replace('250.00', 3)
    await replace('300.00')
    t.match(await instalmentsOf(service, gift), [
      { replaced: { amount: '250.00' }, state: 'void', open: { amount: '0.00' } },
      { replaced: { amount: '50.00' }, state: 'scheduled', open: { amount: '200.00' } },
      { replaced: { amount: '250.00' }, state: 'void', open: { amount: '0.00' } },
      { replaced: { amount: '0.00' }, state: 'scheduled', open: { amount: '250.00' } },
    ])
    t.match(await now(service, gift), { replaced: { amount: '550.00' }, outstanding: { amount: '450.00' } })
    await replan(gift, '1000.00', monthly({ count: 6 }))
    t.match(await now(service, gift), { replaced: { amount: '550.00' }, outstanding: { amount: '450.00' } })
    await confirmed(service, seats, gift, '450.00')
    t.match(await now(service, gift), { status: 'fulfilled', fulfilment_rate: '1.0000' })
  },
)
