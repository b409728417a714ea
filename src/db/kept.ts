import { LRUCache } from 'lru-cache'

/**
 * Representations that were read lately, as JSON text. Each is kept under the stamp of its record, and serves only who
 * has just read that stamp from Postgres, under the same walls: what was changed, went, or belongs to others is never
 * answered from here.
 */
export interface Kept {
  /** True where something is kept of a record, whatever its stamp. */
  has(record: string): boolean
  get(record: string, stamp: string): string | undefined
  set(record: string, stamp: string, body: string): void
}

/** What a text costs beside its characters. */
const overheadBytes = 300

export function keepUpTo(bytes: number): Kept | undefined {
  if (bytes === 0) return undefined
  const bodies = new LRUCache<string, { stamp: string; body: string }>({
    maxSize: bytes,
    sizeCalculation: ({ body }) => body.length * 2 + overheadBytes,
  })
  return {
    has: (record) => bodies.has(record),
    get(record, stamp) {
      const found = bodies.get(record)
      return found?.stamp === stamp ? found.body : undefined
    },
    set: (record, stamp, body) => void bodies.set(record, { stamp, body }),
  }
}
