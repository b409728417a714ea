/** The only reader of the time. Instants are RFC 3339 strings in UTC with microseconds. */
export interface Clock {
  /** Milliseconds since the epoch, for measuring and for expiry. */
  millis(): number
  /** Now, such as `2026-03-01T12:00:00.123456Z`. */
  now(): string
}

function instantOf(millis: number): string {
  const whole = Math.floor(millis)
  const micros = Math.floor((millis - whole) * 1000)
  return `${new Date(whole).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`
}

/** How far two measures of time may be apart before the machine's clock is believed, in milliseconds. */
const driftMax = 250

let origin = performance.timeOrigin

/**
 * Now, to microseconds. What counts time since the start is fine enough for that, but stands still while the machine
 * sleeps, and does not hear that its clock was set.
 */
function microtime(): number {
  const [elapsed, wall] = [performance.now(), Date.now()]
  if (Math.abs(origin + elapsed - wall) > driftMax) origin = wall - elapsed
  return origin + elapsed
}

export const systemClock: Clock = {
  millis: () => Date.now(),
  now: () => instantOf(microtime()),
}

/** A clock that stands still until it is moved: for tests and for replays. */
export function fixedClock(start: string): Clock & { set(instant: string): void; advance(millis: number): void } {
  let current = Date.parse(start)
  return {
    millis: () => current,
    now: () => instantOf(current),
    set: (instant) => {
      current = Date.parse(instant)
    },
    advance: (millis) => {
      current += millis
    },
  }
}

/** Microseconds since the epoch of an instant as this service spells it, so that instants can be compared exactly. */
export function microsOf(instant: string): bigint {
  const fraction = /\.(\d{1,6})/.exec(instant)?.[1] ?? ''
  return BigInt(Date.parse(instant.replace(/\.\d+/, ''))) * 1000n + BigInt(fraction.padEnd(6, '0'))
}
