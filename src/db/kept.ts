import { LRUCache } from 'lru-cache'

/**
 * Representations that were read lately, as JSON text. Each is kept under the stamp of its record, and serves only who
 * has just read that stamp from Postgres, under the same walls: what was changed, went, or belongs to others is never
 * answered from here.
 */
export interface Kept {
  get(record: string, stamp: string): string | undefined
  set(record: string, stamp: string, body: string): void
  /** The stamp under which a record is kept. */
  stampOf(record: string): string | undefined
}

/** What a text costs beside its characters. */
const overheadBytes = 300
/** What was read stays in memory no longer than this: people are erased. */
const keptMs = 600_000

export function keepUpTo(bytes: number): Kept | undefined {
  if (bytes === 0) return undefined
  const bodies = new LRUCache<string, { stamp: string; body: string }>({
    maxSize: bytes,
    sizeCalculation: ({ body }) => body.length * 2 + overheadBytes,
    ttl: keptMs,
    ttlResolution: 1000,
  })
  return {
    get(record, stamp) {
      const found = bodies.get(record)
      return found?.stamp === stamp ? found.body : undefined
    },
    set: (record, stamp, body) => void bodies.set(record, { stamp, body }),
    stampOf: (record) => bodies.peek(record)?.stamp,
  }
}
