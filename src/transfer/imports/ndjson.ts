import type { Readable } from 'node:stream'
import { type FileRow, linesOf, unreadable } from './lines.ts'
import { importTypes } from './schemas.ts'

/** Rows of newline-delimited JSON. Where the import is of one kind, only the job looks into them. */
export async function* ndjsonRows(file: Readable, type: string | null): AsyncGenerator<FileRow> {
  for await (const { line, text, fault } of linesOf(file)) {
    if (text === undefined) yield unreadable(line, type, fault ?? '')
    // Postgres keeps no NUL; as an escape the row's parser tells of it.
    else if (text.includes('\0')) yield unreadable(line, type, 'The row holds the character NUL.')
    else if (text.trim() !== '') {
      yield { line, type: type ?? typeOf(text), payload: text, fault: null, remarks: [] }
    }
  }
}

/** The kind that a row says it is; what is no JSON says none, and is told of when it is worked through. */
function typeOf(text: string): string | null {
  try {
    const type: unknown = (JSON.parse(text) as { type?: unknown } | null)?.type
    return importTypes.find((known) => known === type) ?? null
  } catch {
    return null
  }
}
