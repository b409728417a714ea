import fc from 'fast-check'
import t from 'tap'
import { addDays, daysBetween, daysInMonth, isDate } from '../src/core/dates.ts'
import {
  addAnchoredMonths,
  dueDates,
  instalmentFaults,
  maxInstalments,
  planInstalments,
} from '../src/core/due-dates.ts'
import type { Measure } from '../src/core/measure.ts'
import type { Schedule } from '../src/core/schedule.ts'
import { decimalOf, digitsOf, unitsOf, unitsOfMeasure } from '../src/core/units.ts'

type Given = Pick<Schedule, 'frequency' | 'starts_on'> & Partial<Schedule>
const full = (given: Given): Schedule => ({ interval: 1, day_of_month: null, ends_on: null, count: null, ...given })

const day = fc.integer({ min: 0, max: 60_000 }).map((days) => addDays('1950-01-01', days))
const currencies = ['EUR', 'JPY', 'KWD', 'USD', 'CLF']
const money = fc
  .tuple(fc.constantFrom(...currencies), fc.bigInt({ min: 600n, max: 10n ** 15n }))
  .map(([currency, units]): Measure => {
    const digits = digitsOf({ type: 'money', amount: '0', currency })
    return { type: 'money', amount: decimalOf(units, digits), currency }
  })
const counted = fc.oneof(
  fc
    .integer({ min: 600, max: 1_000_000 })
    .map((count): Measure => ({ type: 'quantity', quantity: String(count), unit: 'ticket' })),
  fc
    .integer({ min: 60_000, max: 9_000_000 })
    .map((units): Measure => ({ type: 'quantity', quantity: decimalOf(BigInt(units), 3), unit: 'hour' })),
)
const measure = fc.oneof(money, counted)

const monthly = fc
  .record({
    frequency: fc.constantFrom('monthly', 'quarterly', 'yearly'),
    interval: fc.integer({ min: 1, max: 6 }),
    day_of_month: fc.option(fc.oneof(fc.integer({ min: 1, max: 31 }), fc.constant('last' as const))),
    starts_on: day,
    count: fc.integer({ min: 1, max: 80 }),
  })
  .map((given) => full(given as Given))
const weekly = fc
  .record({
    frequency: fc.constant('weekly'),
    interval: fc.integer({ min: 1, max: 60 }),
    starts_on: day,
    count: fc.integer({ min: 1, max: 300 }),
  })
  .map((given) => full(given as Given))
const schedule = fc.oneof(monthly, weekly)

t.test('the instalments of any schedule add up to the measure exactly, the remainder on the first', async (t) => {
  fc.assert(
    fc.property(schedule, measure, (schedule, measure) => {
      if (instalmentFaults(schedule, measure).length > 0) throw new Error('the generator makes none with faults')
      const parts = planInstalments(schedule, measure).map((instalment) => instalment.measure)
      const sum = parts.reduce((sum, part) => sum + unitsOf(part, digitsOf(measure)), 0n)
      if (sum !== unitsOfMeasure(measure)) return false
      const [first = 0n, ...rest] = parts.map((part) => unitsOf(part, digitsOf(measure)))
      const each = rest[0] ?? first
      // Money has its currency's digits; all but the first are alike; the first has less than one unit each more.
      return rest.every((part) => part === each) && first >= each && first - each < BigInt(parts.length)
    }),
  )
  t.same(
    planInstalments(full({ frequency: 'monthly', starts_on: '2026-01-31', count: 3 }), {
      type: 'money',
      amount: '100.00',
      currency: 'EUR',
    }),
    [
      { seq: 1, due_on: '2026-01-31', measure: '33.34' },
      { seq: 2, due_on: '2026-02-28', measure: '33.33' },
      { seq: 3, due_on: '2026-03-31', measure: '33.33' },
    ],
  )
})

t.test('each currency is divided in its own minor digits, time in hundredths, things whole', async (t) => {
  const thirds = (measure: Measure) =>
    planInstalments(full({ frequency: 'yearly', starts_on: '2026-05-01', count: 3 }), measure).map(
      (part) => part.measure,
    )
  t.same(thirds({ type: 'money', amount: '1000', currency: 'JPY' }), ['334', '333', '333'])
  t.same(thirds({ type: 'money', amount: '1.000', currency: 'KWD' }), ['0.334', '0.333', '0.333'])
  t.same(thirds({ type: 'money', amount: '1.00', currency: 'EUR' }), ['0.34', '0.33', '0.33'])
  t.same(thirds({ type: 'quantity', quantity: '10', unit: 'ticket' }), ['4', '3', '3'])
  t.same(thirds({ type: 'quantity', quantity: '10', unit: 'hour' }), ['3.34', '3.33', '3.33'])
  t.same(thirds({ type: 'quantity', quantity: '1.0001', unit: 'day' }), ['0.3335', '0.3333', '0.3333'])
  t.same(thirds({ type: 'money', amount: '0.00', currency: 'EUR' }), ['0.00', '0.00', '0.00'])
})

t.test('due dates increase strictly, and the anchor day survives short months', async () => {
  fc.assert(
    fc.property(monthly, (schedule) => {
      const dates = dueDates(schedule)
      const given = schedule.day_of_month ?? Number(schedule.starts_on.slice(8))
      const anchor = given === 'last' ? 31 : given
      return dates.every((date, place) => {
        const before = dates[place - 1]
        const [year = 0, month = 1, dayOfMonth = 0] = date.split('-').map(Number)
        const expected = Math.min(anchor, daysInMonth(year, month))
        return (
          isDate(date) && dayOfMonth === expected && (before === undefined ? date >= schedule.starts_on : date > before)
        )
      })
    }),
  )
})

t.test('due dates do not drift: each is reckoned from the first, and the first is soon', async () => {
  const steps = { monthly: 1, quarterly: 3, yearly: 12, weekly: 0, once: 0 }
  fc.assert(
    fc.property(schedule, (schedule) => {
      const dates = dueDates(schedule)
      const first = dates[0] ?? ''
      const interval = schedule.interval
      if (schedule.frequency === 'weekly') {
        return first === schedule.starts_on && dates.every((date, at) => daysBetween(first, date) === 7 * interval * at)
      }
      const months = (date: string) => Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7))
      const step = steps[schedule.frequency] * interval
      return (
        daysBetween(schedule.starts_on, first) <= 31 &&
        dates.every((date, at) => months(date) - months(first) === step * at)
      )
    }),
  )
})

t.test('an end by count and the same end by date give the same dates', async () => {
  fc.assert(
    fc.property(schedule, fc.integer({ min: 0, max: 5 }), (schedule, slack) => {
      const dates = dueDates(schedule)
      if (dates.length !== schedule.count) return false
      const open = { ...schedule, count: null }
      const last = dates.at(-1) ?? ''
      const byDate = dueDates({ ...open, ends_on: addDays(last, slack) })
      const shorter = dueDates({ ...open, ends_on: addDays(last, -1) })
      return JSON.stringify(byDate) === JSON.stringify(dates) && shorter.length === dates.length - 1
    }),
  )
})

t.test('the dates that others get wrong', async (t) => {
  const dates = (given: Given) => dueDates(full(given))
  t.same(dates({ frequency: 'yearly', starts_on: '2024-02-29', count: 5 }), [
    '2024-02-29',
    '2025-02-28',
    '2026-02-28',
    '2027-02-28',
    '2028-02-29',
  ])
  t.same(dates({ frequency: 'monthly', day_of_month: 'last', starts_on: '2026-01-10', ends_on: '2026-04-30' }), [
    '2026-01-31',
    '2026-02-28',
    '2026-03-31',
    '2026-04-30',
  ])
  t.same(dates({ frequency: 'monthly', day_of_month: 31, starts_on: '2026-02-28', count: 2 }), [
    '2026-02-28',
    '2026-03-31',
  ])
  t.same(dates({ frequency: 'monthly', day_of_month: 15, starts_on: '2026-01-31', count: 2 }), [
    '2026-02-15',
    '2026-03-15',
  ])
  t.same(dates({ frequency: 'quarterly', interval: 2, starts_on: '2026-11-30', count: 3 }), [
    '2026-11-30',
    '2027-05-30',
    '2027-11-30',
  ])
  t.same(dates({ frequency: 'quarterly', starts_on: '2026-11-30', count: 2 }), ['2026-11-30', '2027-02-28'])
  t.same(dates({ frequency: 'weekly', interval: 2, starts_on: '2026-12-25', ends_on: '2027-01-08' }), [
    '2026-12-25',
    '2027-01-08',
  ])
  t.same(dates({ frequency: 'once', starts_on: '2026-12-25' }), ['2026-12-25'])
  t.equal(addAnchoredMonths('2026-02-28', 1, 31), '2026-03-31')
  t.same(planInstalments(null, { type: 'quantity', quantity: '4', unit: 'event' }), [
    { seq: 1, due_on: null, measure: '4' },
  ])
})

t.test('a schedule that gives no instalments, too many or too small ones is refused, saying where', async (t) => {
  const eur: Measure = { type: 'money', amount: '1200.00', currency: 'EUR' }
  const faults = (given: Given, measure: Measure = eur) =>
    instalmentFaults(full(given), measure).map(({ pointer, code }) => `${pointer} ${code}`)
  const monthly = { frequency: 'monthly', starts_on: '2026-01-01' } as const
  t.same(faults({ ...monthly, day_of_month: 15, ends_on: '2026-01-14' }), ['/ends_on no_instalments'])
  t.same(faults({ ...monthly, count: maxInstalments }), [])
  t.same(faults({ ...monthly, count: maxInstalments + 1 }), ['/count too_many_instalments'])
  t.same(faults({ ...monthly, frequency: 'weekly', ends_on: '9999-12-31' }), ['/ends_on too_many_instalments'])
  t.same(faults({ ...monthly, frequency: 'yearly', interval: 100, count: 100 }), ['/count too_late'])
  t.same(faults({ ...monthly, frequency: 'weekly', interval: 1000, count: 500 }), ['/count too_late'])
  const year = { ...monthly, count: 12 }
  t.same(faults(year, { type: 'money', amount: '0.11', currency: 'EUR' }), ['/frequency too_small'])
  t.same(faults(year, { type: 'quantity', quantity: '11', unit: 'ticket' }), ['/frequency too_small'])
  t.same(faults(year, { type: 'quantity', quantity: '0.12', unit: 'hour' }), [])
})
