import type { Column } from './columns.ts'

// What `COPY … (FORMAT binary)` writes, read into one array for each column:
// https://www.postgresql.org/docs/18/sql-copy.html#SQL-COPY-FILE-FORMATS

/** Reads the bytes of one value, from `at` up to `end`. */
type Reader = (bytes: Buffer, at: number, end: number) => unknown

const daysTo2000 = 10_957
const microsecondsTo2000 = BigInt(daysTo2000) * 86_400_000_000n

/** Texts that come again and again, such as codes, are made once for a run of rows that share them. */
function textReader(): Reader {
  let [last, lastText]: [Buffer | undefined, string] = [undefined, '']
  return (bytes, at, end) => {
    if (last?.length === end - at && bytes.compare(last, 0, last.length, at, end) === 0) return lastText
    lastText = bytes.toString('utf8', at, end)
    last = end - at <= 64 ? Buffer.from(bytes.subarray(at, end)) : undefined
    return lastText
  }
}

/**
 * Keys of other tables come in runs: the bytes of one are kept until another comes. In an array of their own: as a part
 * of Node's pool, one that outlives its group in the statistics would hold eight kilobytes.
 */
function uuidReader(): Reader {
  let last: Uint8Array | undefined
  return (bytes, at, end) => {
    if (last === undefined || bytes.compare(last, 0, 16, at, end) !== 0) last = new Uint8Array(bytes.subarray(at, end))
    return last
  }
}

/** So do instants of a parent. */
function instantReader(): Reader {
  let [high, low, last] = [Number.NaN, Number.NaN, 0n]
  return (bytes, at) => {
    const [nextHigh, nextLow] = [bytes.readInt32BE(at), bytes.readInt32BE(at + 4)]
    if (nextHigh !== high || nextLow !== low) {
      ;[high, low] = [nextHigh, nextLow]
      last = bytes.readBigInt64BE(at) + microsecondsTo2000
    }
    return last
  }
}

const readers: Record<Column['type'], (column: Column) => Reader> = {
  uuid: uuidReader,
  text: textReader,
  code: textReader,
  json: textReader,
  integer: ({ isLong }) => (isLong ? (bytes, at) => bytes.readBigInt64BE(at) : (bytes, at) => bytes.readInt32BE(at)),
  decimal: (column) =>
    isShort(column)
      ? (bytes, at) => bytes.readBigInt64BE(at)
      : (bytes, at, end) => BigInt(bytes.toString('latin1', at, end)),
  boolean: () => (bytes, at) => bytes[at] === 1,
  date: () => (bytes, at) => bytes.readInt32BE(at) + daysTo2000,
  instant: instantReader,
}

/** True for decimals whose millionths fit 64 bits. */
export const isShort = ({ digits = Number.POSITIVE_INFINITY }: Column): boolean => digits <= 12

const signature = 11 + 4 + 4

/** Rows as they come in, column by column. */
export class BinaryRows {
  /** A list for each column, in their order: the values of the rows that are whole, when one of them was the last to be read. */
  readonly columns: unknown[][]
  /** How many rows are whole. */
  count = 0
  /** How many bytes they came in. */
  bytes = 0
  #rest: Buffer = Buffer.alloc(0)
  #isBegun = false
  #isEnded = false
  readonly #readers: readonly Reader[]
  readonly #most: { rows: number; bytes: number }

  /** @param most after how many rows or bytes it is full */
  constructor(columns: readonly Column[], most: { rows: number; bytes: number }) {
    this.#most = most
    this.columns = columns.map(() => [])
    this.#readers = columns.map((column) => readers[column.type](column))
  }

  /** Takes the next bytes. `onFull` uses its rows and clears it: after the same ones, whatever pieces their bytes come in. */
  take(chunk: Buffer, onFull: () => void): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    let at = this.#isBegun ? 0 : signature
    if (bytes.length >= at) {
      this.#isBegun = true
      for (;;) {
        const next = this.#row(bytes, at)
        if (next === at) break
        this.bytes += next - at
        at = next
        if (this.count >= this.#most.rows || this.bytes >= this.#most.bytes) onFull()
      }
    } else at = 0
    this.#rest = bytes.subarray(at)
  }

  /** Forgets the rows that were used. */
  clear(): void {
    for (const values of this.columns) values.length = 0
    this.count = 0
    this.bytes = 0
  }

  /** @throws Error where the rows ended before their end */
  end(): void {
    if (!this.#isEnded) throw new Error('The rows of a table ended in the middle')
  }

  /** Reads a row from `at`. @returns where the next one begins; `at` itself where this one is not whole yet */
  #row(bytes: Buffer, at: number): number {
    if (bytes.length < at + 2 || this.#isEnded) return at
    const fields = bytes.readInt16BE(at)
    if (fields === -1) {
      this.#isEnded = true
      return at + 2
    }
    let here = at + 2
    for (let index = 0; index < fields; index += 1) {
      if (bytes.length < here + 4) return at
      const length = bytes.readInt32BE(here)
      here += 4
      let value: unknown = null
      if (length >= 0) {
        if (bytes.length < here + length) return at
        value = this.#readers[index]?.(bytes, here, here + length)
        here += length
      }
      const values = this.columns[index] as unknown[]
      // Where the row was begun before and was not whole, what was read of it is overwritten.
      values[this.count] = value
    }
    this.count += 1
    return here
  }
}
