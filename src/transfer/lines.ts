import { Transform } from 'node:stream'
import type { Column } from './columns.ts'

// Values come as COPY writes them, a row a line, between bytes that no value holds: JSON texts escape control
// characters, and numbers, codes, dates and the like have none. Putting keys and quotes between them here costs a third of
// what Postgres needs to build the same lines.
const [delimiter, quote, nothing, lineFeed] = [0x01, 0x02, 0x03, 0x0a]
const [space, timeMark] = [0x20, 'T'.charCodeAt(0)]

/** How COPY has to write the rows: `(format csv …)` whose delimiter, quote and null are these. */
export const lineOptions = `format csv, delimiter e'\\x01', quote e'\\x02', null e'\\x03', encoding 'UTF8'`

/** What stands around the value of a column. */
interface Setting {
  /** Before a null. */
  key: Buffer
  /** Before a value. */
  opening: Buffer
  closing: Buffer
  /** What a space in it becomes. */
  spaceAs: number
}

// The values of these are JSON texts themselves, or numbers.
const bare = new Set<Column['type']>(['text', 'json', 'integer', 'boolean'])

function settingOf(name: string, { type }: Column, index: number): Setting {
  const key = `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`
  const mark = bare.has(type) ? '' : '"'
  const isInstant = type === 'instant'
  return {
    key: Buffer.from(`${key}null`),
    opening: Buffer.from(key + mark),
    // 2026-03-01 12:00:00.5+00 → 2026-03-01T12:00:00.5+00:00. The session's time zone is UTC, its dates ISO.
    closing: Buffer.from(isInstant ? `:00${mark}` : mark),
    spaceAs: isInstant ? timeMark : space,
  }
}

const endOfRow = Buffer.from('}\n')

/** Makes NDJSON of what COPY writes of these columns with `lineOptions`. `onRows` is told of rows as they pass. */
export function lineStream(
  columns: Readonly<Record<string, Column>>,
  onRows: (count: number) => void = () => {},
): Transform {
  const lines = new Lines(columns)
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let written: Buffer
      try {
        written = lines.take(chunk)
      } catch (error) {
        done(error as Error)
        return
      }
      if (lines.count > 0) onRows(lines.count)
      done(null, written)
    },
    flush(done) {
      done(lines.isBetweenRows ? null : new Error('The rows end in the middle of one'))
    },
  })
}

class Lines {
  /** How many rows ended in the bytes that were taken last. */
  count = 0
  readonly #settings: readonly Setting[]
  readonly #longest: number
  #column = 0
  #isBegun = false
  #isNull = false
  #out: Buffer = Buffer.alloc(0)
  #length = 0

  constructor(columns: Readonly<Record<string, Column>>) {
    this.#settings = Object.entries(columns).map(([name, column], index) => settingOf(name, column, index))
    const longest = ({ key, opening, closing }: Setting) => Math.max(key.length, opening.length) + closing.length
    this.#longest = Math.max(...this.#settings.map(longest)) + endOfRow.length
  }

  get isBetweenRows(): boolean {
    return this.#column === 0 && !this.#isBegun
  }

  /** Takes the next bytes. @returns what they become */
  take(chunk: Buffer): Buffer {
    this.#out = Buffer.allocUnsafe(chunk.length * 3 + this.#longest)
    this.#length = 0
    this.count = 0
    let at = 0
    while (at < chunk.length) {
      this.#makeRoom(chunk.length - at)
      if (!this.#isBegun) at += this.#begin(chunk[at] as number)
      at = this.#value(chunk, at)
      if (at < chunk.length) this.#end(chunk[at++] as number)
    }
    return this.#out.subarray(0, this.#length)
  }

  /** For the rest of a chunk and for what stands around one value. */
  #makeRoom(rest: number): void {
    const needed = this.#length + rest + this.#longest
    if (needed <= this.#out.length) return
    const larger = Buffer.allocUnsafe(needed * 2)
    this.#out.copy(larger, 0, 0, this.#length)
    this.#out = larger
  }

  /** Begins a value. @returns how many bytes it took: the mark of a null */
  #begin(first: number): number {
    const { key, opening } = this.#setting
    this.#isBegun = true
    this.#isNull = first === nothing
    this.#put(this.#isNull ? key : opening)
    return this.#isNull ? 1 : 0
  }

  /** Copies a value. @returns where it ends, or the chunk */
  #value(chunk: Buffer, from: number): number {
    const { spaceAs } = this.#setting
    const out = this.#out
    let [at, to] = [from, this.#length]
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at] as number
      if (byte < space) break
      out[to] = byte === space ? spaceAs : byte
      to += 1
    }
    this.#length = to
    return at
  }

  /** Ends a value, and the row behind its last one. */
  #end(by: number): void {
    const isLast = this.#column === this.#settings.length - 1
    if (by !== (isLast ? lineFeed : delimiter)) {
      throw new Error(by === quote ? 'A value holds a control character' : `A value ends with byte ${by}`)
    }
    if (!this.#isNull) this.#put(this.#setting.closing)
    this.#isBegun = false
    this.#column = isLast ? 0 : this.#column + 1
    if (!isLast) return
    this.#put(endOfRow)
    this.count += 1
  }

  get #setting(): Setting {
    return this.#settings[this.#column] as Setting
  }

  // A loop: for so few bytes a call of copy() costs more.
  #put(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += 1) this.#out[this.#length + at] = bytes[at] as number
    this.#length += bytes.length
  }
}
