import fc from 'fast-check'
import t from 'tap'
import { allocate, type Entry } from '../src/core/allocation.ts'
import { addDays, addMonths } from '../src/core/dates.ts'
import { planInstalments, rhythmOf } from '../src/core/due-dates.ts'
import { project } from '../src/core/instalments.ts'
import type { Part, PauseSpan } from '../src/core/paused-plan.ts'
import type { Schedule } from '../src/core/schedule.ts'

type Given = Pick<Schedule, 'frequency' | 'starts_on'> & Partial<Schedule>
const full = (given: Given): Schedule => ({ interval: 1, day_of_month: null, ends_on: null, count: null, ...given })

const madeOn = '2025-12-01'
const partsOf = (schedule: Schedule, units = 100n, from = madeOn): Part[] =>
  planInstalments(schedule, { type: 'money', amount: '6000', currency: 'JPY' }).map(({ seq, due_on }) => ({
    seq,
    due_on,
    units,
    made_on: from,
    rhythm: rhythmOf(schedule),
  }))

const day = fc.integer({ min: 0, max: 1200 }).map((days) => addDays('2026-01-01', days))
const schedule = fc
  .oneof(
    fc.record({
      frequency: fc.constantFrom('monthly', 'quarterly', 'yearly'),
      day_of_month: fc.option(fc.oneof(fc.integer({ min: 1, max: 31 }), fc.constant('last' as const))),
      starts_on: day,
      count: fc.integer({ min: 1, max: 24 }),
    }),
    fc.record({
      frequency: fc.constant('weekly'),
      interval: fc.integer({ min: 1, max: 3 }),
      starts_on: day,
      count: fc.integer({ min: 1, max: 24 }),
    }),
    fc.record({ frequency: fc.constant('once'), starts_on: day }),
  )
  .map((given) => full(given as Given))
const pause: fc.Arbitrary<PauseSpan> = fc
  .tuple(day, fc.integer({ min: 0, max: 300 }), fc.constantFrom('skip', 'shift', 'accrue'))
  .map(([starts_on, days, effect]) => ({ starts_on, until: addDays(starts_on, days), effect, is_open: false }))
const entry: fc.Arbitrary<Entry> = fc
  .record({
    seq: fc.option(fc.integer({ min: 1, max: 6 })),
    units: fc.bigInt({ min: 1n, max: 350n }),
    on: day,
    lasts: fc.option(fc.integer({ min: 0, max: 400 })),
  })
  .map(({ lasts, ...entry }) => ({ ...entry, reversed_on: lasts === null ? null : addDays(entry.on, lasts) }))

t.test('nothing is ever due inside a pause unless it accrues', async () => {
  fc.assert(
    fc.property(schedule, fc.array(pause, { maxLength: 4 }), (schedule, pauses) => {
      const { instalments } = project(partsOf(schedule), pauses, [])
      return instalments.every(
        ({ due_on, is_skipped }) =>
          is_skipped ||
          pauses.every(
            ({ starts_on, until, effect }) =>
              effect === 'accrue' || due_on === null || due_on < starts_on || due_on >= until,
          ),
      )
    }),
    { numRuns: 500 },
  )
})

t.test('a shift keeps the order, the anchor day or weekday, and moves nothing that lies before it', async () => {
  fc.assert(
    fc.property(schedule, fc.array(pause, { maxLength: 3 }), (schedule, pauses) => {
      const plan = partsOf(schedule)
      const shifts = pauses.map((pause) => ({ ...pause, effect: 'shift' as const }))
      const { instalments } = project(plan, shifts, [])
      const given = schedule.day_of_month ?? Number(schedule.starts_on.slice(8))
      const anchor = given === 'last' ? 31 : given
      const firstPause = shifts.map((pause) => pause.starts_on).toSorted()[0] ?? '9999-12-31'
      return instalments.every(({ due_on, is_skipped }, at) => {
        const was = plan[at]?.due_on ?? ''
        const date = due_on ?? ''
        const before = instalments[at - 1]?.due_on
        const rhythm = rhythmOf(schedule)
        const kept =
          rhythm.by === 'days' ||
          (rhythm.by === 'weeks'
            ? new Date(date).getUTCDay() === new Date(was).getUTCDay()
            : Number(date.slice(8)) === anchor || (Number(date.slice(8)) < anchor && addDays(date, 1).endsWith('-01')))
        return !is_skipped && date >= was && kept && (was >= firstPause || date === was) && (!before || date > before)
      })
    }),
    { numRuns: 500 },
  )
})

t.test(
  'a shift is as long as the pause: whole months or weeks, one more where the first would fall inside',
  async (t) => {
    const dates = (schedule: Schedule, starts_on: string, until: string) =>
      project(partsOf(schedule), [{ starts_on, until, effect: 'shift', is_open: false }], []).instalments.map(
        (instalment) => instalment.due_on,
      )
    const monthly: Schedule = full({ frequency: 'monthly', day_of_month: 'last', starts_on: '2026-01-01', count: 4 })
    // Two months to the day: two months later, on the last day again.
    t.same(dates(monthly, '2026-02-10', '2026-04-10'), ['2026-01-31', '2026-04-30', '2026-05-31', '2026-06-30'])
    // Ten days with nothing due in them move nothing.
    t.same(dates(monthly, '2026-02-10', '2026-02-20'), ['2026-01-31', '2026-02-28', '2026-03-31', '2026-04-30'])
    // Ten days with an end of month in them move what follows by a month.
    t.same(dates(monthly, '2026-02-25', '2026-03-07'), ['2026-01-31', '2026-03-31', '2026-04-30', '2026-05-31'])
    const weekly: Schedule = full({ frequency: 'weekly', starts_on: '2026-01-05', count: 3 })
    t.same(dates(weekly, '2026-01-10', '2026-01-20'), ['2026-01-05', '2026-01-26', '2026-02-02'])
    t.same(dates(full({ frequency: 'once', starts_on: '2026-03-01' }), '2026-02-20', '2026-03-02'), ['2026-03-11'])
    t.same(dates(full({ frequency: 'once', starts_on: '2026-03-01' }), '2026-03-02', '2026-04-02'), ['2026-03-01'])
    // What lies past the calendar stays on its last day.
    t.same(dates(full({ frequency: 'once', starts_on: '2026-03-01' }), '2026-02-20', '9999-12-30'), ['9999-12-31'])
  },
)

t.test('shifts that overlap move by the time they cover together, not twice', async (t) => {
  const monthly: Schedule = full({ frequency: 'monthly', starts_on: '2026-01-01', count: 3 })
  const { instalments } = project(
    partsOf(monthly),
    [
      { starts_on: '2026-02-01', until: '2026-04-01', effect: 'shift', is_open: false },
      { starts_on: '2026-03-01', until: '2026-05-01', effect: 'shift', is_open: false },
    ],
    [],
  )
  t.same(
    instalments.map((instalment) => instalment.due_on),
    ['2026-01-01', '2026-05-01', '2026-06-01'],
  )
})

t.test('what was settled before a pause stays as it is; what a pause skips takes no delivery', async (t) => {
  const monthly: Schedule = full({ frequency: 'monthly', starts_on: '2026-01-01', count: 4 })
  const skip: PauseSpan = { starts_on: '2026-02-01', until: '2026-04-01', effect: 'skip', is_open: false }
  const entries: Entry[] = [
    { seq: null, units: 100n, on: '2026-01-01', reversed_on: null },
    { seq: 3, units: 100n, on: '2026-01-20', reversed_on: null },
    { seq: 2, units: 60n, on: '2026-02-10', reversed_on: null },
  ]
  const { instalments, surplus } = project(partsOf(monthly), [skip], entries)
  t.same(
    instalments.map(({ seq, is_skipped, settled }) => [seq, is_skipped, settled]),
    [
      [1, false, 100n],
      [2, true, 0n],
      [3, false, 100n],
      // The 60 for the skipped one settle the next that is open.
      [4, false, 60n],
    ],
  )
  t.equal(surplus, 0n)
})

t.test('a plan made during a pause is touched by the rest of it alone', async (t) => {
  const monthly: Schedule = full({ frequency: 'monthly', starts_on: '2026-01-01', count: 5 })
  const skip: PauseSpan = { starts_on: '2026-01-15', until: '2026-04-01', effect: 'skip', is_open: false }
  const skipped = (parts: Part[], effect: PauseSpan['effect']) =>
    project(parts, [{ ...skip, effect }], []).instalments.map(({ due_on, is_skipped }) => (is_skipped ? null : due_on))
  const late = partsOf(monthly, 100n, '2026-02-15')
  t.same(skipped(late, 'skip'), ['2026-01-01', '2026-02-01', null, '2026-04-01', '2026-05-01'])
  t.same(skipped(late, 'shift'), ['2026-01-01', '2026-02-01', '2026-04-01', '2026-05-01', '2026-06-01'])
  t.same(skipped(partsOf(monthly, 100n, '2026-04-01'), 'skip'), dueOf(monthly))
})

const dueOf = (schedule: Schedule) => partsOf(schedule).map((part) => part.due_on)

t.test('deliveries settle by number and in order: the order of their reports changes nothing', async () => {
  const instalment = fc.record({ units: fc.bigInt({ min: 0n, max: 300n }), is_skipped: fc.boolean() })
  fc.assert(
    fc.property(fc.array(instalment, { maxLength: 8 }), fc.array(entry, { maxLength: 8 }), (parts, entries) => {
      const instalments = parts.map((part, at) => ({ ...part, seq: at + 1 }))
      const forth = allocate(instalments, entries)
      const back = allocate(instalments.toReversed(), entries.toReversed())
      const given = entries.reduce((sum, { units }) => sum + units, 0n)
      const laid = [...forth.settled.values()].reduce((sum, units) => sum + units, 0n)
      const isSame = [...forth.settled].every(([seq, units]) => back.settled.get(seq) === units)
      const fits = [...forth.settled].every(
        ([seq, units]) => units >= 0n && units <= (instalments[seq - 1]?.units ?? 0n),
      )
      const isFull = [...forth.settled].every(([seq, units]) => units === instalments[seq - 1]?.units)
      return isSame && fits && laid + forth.surplus === given && (forth.surplus === 0n || isFull)
    }),
  )
})

t.test('a reversal restores exactly what was there before the delivery', async () => {
  fc.assert(
    fc.property(
      schedule,
      fc.array(pause, { maxLength: 3 }),
      fc.array(entry, { maxLength: 5 }),
      entry,
      (s, p, e, extra) => {
        const plan = partsOf(s)
        const figures = (entries: Entry[]) => project(plan, p, entries).instalments.map(({ held: _, ...rest }) => rest)
        const reversed = { ...extra, reversed_on: extra.reversed_on ?? extra.on }
        return same(figures(e), figures([...e, reversed])) && same(figures(e), figures([reversed, ...e.toReversed()]))
      },
    ),
  )
})

const text = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part))
const same = (a: unknown, b: unknown): boolean => text(a) === text(b)

/** What had fallen due, and what was skipped, by a day: read from the plan as it stands now. */
function knownOf(date: string, plan: Part[], pauses: PauseSpan[], entries: Entry[]) {
  const isBy = (day: string | null) => day !== null && day <= date
  const told = project(plan, pauses, entries).instalments.map(({ seq, held, ...now }) => {
    const due_on = now.is_skipped || now.is_suspended ? null : now.due_on
    return { seq, ...(held.find(({ until }) => date < until) ?? { due_on, skipped_on: now.skipped_on }) }
  })
  return told.map(({ seq, due_on, skipped_on }) => [seq, isBy(due_on), isBy(skipped_on)])
}

t.test('what was due by a past day is the same now as it was told on that day', async () => {
  const past = fc.integer({ min: -10, max: 1500 }).map((days) => addDays('2026-01-01', days))
  fc.assert(
    fc.property(
      schedule,
      fc.array(fc.tuple(pause, fc.boolean()), { maxLength: 3 }),
      fc.array(entry, { maxLength: 4 }),
      past,
      (schedule, drawn, entries, date) => {
        const plan = partsOf(schedule)
        const pauses = drawn.map(([pause, is_open]) => ({ ...pause, is_open }))
        const now = knownOf(date, plan, pauses, entries)
        // As it was told then: facts of later days were not known, and a pause not ended yet was open.
        const entriesThen = entries
          .filter((entry) => entry.on <= date)
          .map((entry) => ({ ...entry, reversed_on: (entry.reversed_on ?? '9999') > date ? null : entry.reversed_on }))
        const known = pauses
          .filter((pause) => pause.starts_on <= date)
          .map((pause) =>
            pause.is_open || pause.until > date ? { ...pause, is_open: true, until: addMonths(pause.until, 2) } : pause,
          )
        return same(now, knownOf(date, plan, known, entriesThen))
      },
    ),
    { numRuns: 3000 },
  )
})
