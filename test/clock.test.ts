import t from 'tap'
import { microsOf, systemClock } from '../src/core/clock.ts'

t.test('the clock follows the one of the machine when that was set, or went on while the machine slept', async (t) => {
  const { now } = Date
  for (const hours of [0, 9, -3, 0]) {
    const wall = () => now() + hours * 3_600_000
    t.intercept(Date, 'now', { value: wall, configurable: true })
    const apart = Number(microsOf(systemClock.now())) / 1000 - wall()
    t.ok(Math.abs(apart) < 100, `${hours} hours off: ${apart} ms apart`)
    t.ok(Math.abs(systemClock.millis() - wall()) < 100)
  }
})

t.test('instants are told to microseconds, in their order', async (t) => {
  const told = Array.from({ length: 10_000 }, () => systemClock.now())
  t.strictSame(told, told.toSorted())
  t.ok(told.every((instant) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(instant)))
  t.ok(new Set(told.map((instant) => instant.slice(-4))).size > 100, 'the last digits tell something')
})
