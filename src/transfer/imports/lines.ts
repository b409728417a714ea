import type { Readable } from 'node:stream'
import type { Fault } from '../../core/problem.ts'

/** One row of a file, as it is staged: what it says, or why it cannot be read. */
export interface FileRow {
  line: number
  type: string | null
  payload: string | null
  fault: string | null
  remarks: readonly string[]
}

export const unreadable = (line: number, type: string | null, fault: string): FileRow => ({
  line,
  type,
  payload: null,
  fault,
  remarks: [],
})

/** A row may be as long as the body of a single request. */
const rowBytesMax = 1_048_576

/**
 * The lines of a file in UTF-8, one at a time: nothing is held but the line at hand. A line that is too long, or no
 * UTF-8, is told of and does not take the others with it.
 */
export async function* linesOf(file: Readable): AsyncGenerator<{ line: number; text?: string; fault?: string }> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let held: Buffer[] = []
  let bytes = 0
  let line = 1
  const take = (last: Buffer) => {
    const isTooLong = bytes + last.length > rowBytesMax
    const whole = isTooLong ? undefined : held.length === 0 ? last : Buffer.concat([...held, last])
    held = []
    bytes = 0
    if (!whole) return { line, fault: `The row is longer than ${rowBytesMax} bytes.` }
    try {
      return { line, text: decoder.decode(whole) }
    } catch {
      return { line, fault: 'The row is not valid UTF-8.' }
    }
  }
  for await (const chunk of file as AsyncIterable<Buffer>) {
    let from = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      yield take(chunk.subarray(from, end))
      line += 1
      from = end + 1
    }
    bytes += chunk.length - from
    // What is too long is counted, not held.
    if (from < chunk.length && bytes <= rowBytesMax) held.push(chunk.subarray(from))
  }
  if (bytes > 0) yield take(Buffer.alloc(0))
}

export const faultText = (faults: readonly Fault[]): string =>
  faults.map(({ pointer, detail }) => `${pointer} ${detail}`.trim()).join(' ')
