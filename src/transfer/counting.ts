import { Transform } from 'node:stream'

const [lineFeed, quote] = [0x0a, 0x22]

/** Tells of each row that passes in what COPY writes as CSV: how far an export is. The header is none. */
export function countingStream(onRows: (count: number) => void): Transform {
  let isQuoted = false
  let isHeader = true
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let count = 0
      for (let at = 0; at < chunk.length; at += 1) {
        const byte = chunk[at]
        if (byte === quote) isQuoted = !isQuoted
        // Those between quotes are a part of a value.
        if (byte === lineFeed && !isQuoted) count += 1
      }
      if (isHeader && count > 0) {
        isHeader = false
        count -= 1
      }
      if (count > 0) onRows(count)
      done(null, chunk)
    },
  })
}
