import { type Listener, type ListenerOptions, makeListener } from '../db/listener.ts'

/** Wakes those who wait for events of a tenant: one connection for all of them, and no query while nothing happens. */
export interface EventSignals {
  /** A mark of what was told up to now. Take it before you read, so that nothing falls between reading and waiting. */
  mark(tenantId: string): Promise<number>
  /** Resolves when the tenant has an event that was told after `mark`, or when `until` is aborted. */
  next(tenantId: string, mark: number, until: AbortSignal): Promise<void>
  close(): Promise<void>
}

export function eventSignals(options: Pick<ListenerOptions, 'url' | 'onError'>): EventSignals {
  const told = new Map<string, number>()
  const waiting = new Map<string, Set<() => void>>()
  let count = 0
  let gapAt = 0

  const wake = (tenantId: string) => {
    const those = waiting.get(tenantId)
    waiting.delete(tenantId)
    for (const resolve of those ?? []) resolve()
  }
  const listener: Listener = makeListener({
    ...options,
    channel: 'beide_events',
    onMessage(tenantId) {
      count += 1
      told.set(tenantId, count)
      wake(tenantId)
    },
    onGap() {
      count += 1
      gapAt = count
      for (const tenantId of [...waiting.keys()]) wake(tenantId)
    },
  })
  const lastOf = (tenantId: string) => Math.max(told.get(tenantId) ?? 0, gapAt)

  return {
    async mark(tenantId) {
      await listener.ready()
      return lastOf(tenantId)
    },
    async next(tenantId, mark, until) {
      if (lastOf(tenantId) > mark || until.aborted) return
      await new Promise<void>((resolve) => {
        const those = waiting.get(tenantId) ?? new Set()
        waiting.set(tenantId, those)
        const done = () => {
          until.removeEventListener('abort', done)
          those.delete(done)
          resolve()
        }
        those.add(done)
        until.addEventListener('abort', done)
      })
    },
    close: () => listener.close(),
  }
}
