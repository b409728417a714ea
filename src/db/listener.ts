import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'

/** Hears what transactions tell (NOTIFY) on one connection of its own, which is made again whenever it is lost. */
export interface Listener {
  /** Resolves once it hears. The connection is made at the first call. */
  ready(): Promise<void>
  close(): Promise<void>
}

export interface ListenerOptions {
  url: string
  channel: string
  onMessage(payload: string): void
  /** It did not hear for a while: whatever may have been told is to be looked for. */
  onGap(): void
  onError(error: Error): void
}

const pauseMaxMs = 5000

export function makeListener({ url, channel, onMessage, onGap, onError }: ListenerOptions): Listener {
  const closing = new AbortController()
  let client: pg.Client | undefined
  let connecting: Promise<void> | undefined

  async function connect(): Promise<void> {
    const made = new pg.Client({ connectionString: url, application_name: 'beide feed', keepAlive: true })
    let isLost = false
    const lost = (error?: Error) => {
      if (isLost) return
      isLost = true
      if (error) onError(error)
      void made.end().catch(() => {})
      if (client !== made) return
      client = undefined
      connecting = undefined
      if (!closing.signal.aborted) void reconnect()
    }
    made.on('error', lost)
    made.on('end', () => lost())
    made.on('notification', ({ payload }) => onMessage(payload ?? ''))
    await made.connect()
    await made.query(`listen ${channel}`)
    client = made
    if (closing.signal.aborted) await made.end()
  }

  async function reconnect(): Promise<void> {
    for (let wait = 100; !closing.signal.aborted; wait = Math.min(wait * 2, pauseMaxMs)) {
      try {
        await ready()
        return onGap()
      } catch (error) {
        onError(error as Error)
        await pause(wait, undefined, { signal: closing.signal, ref: false }).catch(() => {})
      }
    }
  }

  function ready(): Promise<void> {
    if (!connecting) {
      connecting = connect()
      connecting.catch(() => {
        connecting = undefined
      })
    }
    return connecting
  }

  return {
    ready,
    async close() {
      closing.abort()
      await connecting?.catch(() => {})
      await client?.end().catch(() => {})
    },
  }
}
