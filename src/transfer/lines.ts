import { Transform } from 'node:stream'
import type { Column } from './columns.ts'

// Values come as COPY writes them, a row a line, between bytes that no value holds: JSON texts escape control characters,
// and numbers, codes, dates and the like have neither these nor quotes. What holds one all the same fails, rather than be
// taken for two values. To put keys and quotes between them here takes half of what Postgres takes to build the same lines.
const [delimiter, quote, nothing, lineFeed] = [0x01, 0x02, 0x03, 0x0a]
const [space, timeMark] = [0x20, 'T'.charCodeAt(0)]

/** How COPY has to write the rows: `(format csv …)` whose delimiter, quote and null are these. */
export const lineOptions = `format csv, delimiter e'\\x01', quote e'\\x02', null e'\\x03', encoding 'UTF8'`

/** Bytes that come again and again, as 32-bit words: a call to copy so few costs more than they do. */
interface Piece {
  words: readonly number[]
  /** In bytes. What the last word has beyond them is written over. */
  length: number
}

function pieceOf(text: string): Piece {
  const bytes = Buffer.from(text)
  const padded = Buffer.concat([bytes, Buffer.alloc(4)])
  const words = Array.from({ length: Math.ceil(bytes.length / 4) }, (_, n) => padded.readUInt32LE(n * 4))
  return { words, length: bytes.length }
}

/** What stands around the value of a column. */
interface Setting {
  /** All of a null. */
  nulled: Piece
  /** Before a value. */
  opening: Piece
  closing: Piece
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
    nulled: pieceOf(`${key}null`),
    opening: pieceOf(key + mark),
    // 2026-03-01 12:00:00.5+00 → 2026-03-01T12:00:00.5+00:00. The session's time zone is UTC, its dates ISO.
    closing: pieceOf(`${isInstant ? ':00' : ''}${mark}`),
    spaceAs: isInstant ? timeMark : space,
  }
}

const endOfRow = pieceOf('}\n')

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
      done(lines.isWhole ? null : new Error('The rows of a table ended in the middle'))
    },
  })
}

class Lines {
  /** How many rows ended in the bytes that were taken last. */
  count = 0
  readonly #settings: readonly Setting[]
  /** Room for what stands around a value. */
  readonly #longest: number
  #column = 0
  #isBegun = false
  #isNull = false
  /** Written anew with each chunk. */
  #out = new DataView(new ArrayBuffer(0))

  constructor(columns: Readonly<Record<string, Column>>) {
    this.#settings = Object.entries(columns).map(([name, column], index) => settingOf(name, column, index))
    const pieces = this.#settings.flatMap(({ nulled, opening, closing }) => [nulled, opening, closing, endOfRow])
    this.#longest = 4 * Math.max(...pieces.map(({ length }) => length + 4))
  }

  /** True between two rows. */
  get isWhole(): boolean {
    return this.#column === 0 && !this.#isBegun
  }

  /** Takes the next bytes. @returns what they become, in as many bytes as it has: it may wait long for its client */
  take(chunk: Buffer): Buffer {
    this.count = 0
    let [at, to] = [0, 0]
    while (at < chunk.length) {
      const out = this.#room(to, chunk.length - at)
      const { nulled, opening, closing, spaceAs } = this.#settings[this.#column] as Setting
      if (!this.#isBegun) {
        this.#isBegun = true
        this.#isNull = chunk[at] === nothing
        if (this.#isNull) at += 1
        to = put(out, to, this.#isNull ? nulled : opening)
      }
      let byte = space
      for (; at < chunk.length; at += 1) {
        byte = chunk[at] as number
        if (byte < space) break
        out.setUint8(to, byte === space ? spaceAs : byte)
        to += 1
      }
      if (at === chunk.length) break
      at += 1
      if (!this.#isNull) to = put(out, to, closing)
      if (this.#end(byte)) to = put(out, to, endOfRow)
    }
    return Buffer.from(new Uint8Array(this.#out.buffer, 0, to))
  }

  /** Where to write, with room for the rest of a chunk and for what stands around one value. */
  #room(used: number, rest: number): DataView {
    const needed = used + rest + this.#longest
    if (needed > this.#out.byteLength) {
      const larger = new Uint8Array(needed * 2)
      larger.set(new Uint8Array(this.#out.buffer, 0, used))
      this.#out = new DataView(larger.buffer)
    }
    return this.#out
  }

  /** Ends a value. @returns whether it was the last one of its row */
  #end(by: number): boolean {
    const isLast = this.#column === this.#settings.length - 1
    if (by !== (isLast ? lineFeed : delimiter)) {
      throw new Error(by === quote ? 'A value holds a control character' : `A value ends with byte ${by}`)
    }
    this.#isBegun = false
    this.#column = isLast ? 0 : this.#column + 1
    if (isLast) this.count += 1
    return isLast
  }
}

/** Writes a piece. @returns where it ends */
function put(out: DataView, from: number, { words, length }: Piece): number {
  for (let at = 0; at < words.length; at += 1) out.setUint32(from + 4 * at, words[at] as number, true)
  return from + length
}
