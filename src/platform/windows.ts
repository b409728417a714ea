interface Window {
  count: number
  startedAt: number
}

/** So many names are counted at a time; the oldest windows go first. */
const keptWindows = 20_000

type Counted = (error: Error | null, result: { current: number; ttl: number }) => void

/**
 * Where requests are counted, as the limiter asks for it. Each request is told of the count as it was with itself: the
 * limiter's own store hands out one object, which by the time it is looked at has counted all that arrived together, so
 * that a burst beyond a limit would be refused whole, and not what is beyond it.
 */
export class Windows {
  readonly #windows = new Map<string, Window>()

  incr(name: string, done: Counted, windowMs: number): void {
    const now = performance.now()
    let window = this.#windows.get(name)
    if (!window || now - window.startedAt >= windowMs) {
      this.#windows.delete(name)
      window = { count: 0, startedAt: now }
      this.#windows.set(name, window)
      if (this.#windows.size > keptWindows) this.#windows.delete(this.#windows.keys().next().value as string)
    }
    window.count += 1
    done(null, { current: window.count, ttl: Math.ceil(windowMs - (now - window.startedAt)) })
  }

  child(): Windows {
    return new Windows()
  }
}
