import { createHash } from 'node:crypto'
import { isUuid } from './ids.ts'
import { Problem } from './problem.ts'

/** Where a page ended: the sort key of the last row and its id. The key is text as Postgres wrote it. */
export interface Position {
  key: string
  id: string
}

const format = 1

/** A short fingerprint of the filter and the sort that a cursor belongs to. */
export function scopeOf(filter: unknown): string {
  return createHash('sha256').update(JSON.stringify(filter)).digest('base64url').slice(0, 12)
}

/** Opaque to clients: a format number, the fingerprint of the list it belongs to, and the last position. */
export function encodeCursor(scope: string, { key, id }: Position): string {
  return Buffer.from(JSON.stringify([format, scope, key, id])).toString('base64url')
}

/** @throws Problem `invalid_cursor` for what this service did not make, or made for another filter or sort. */
export function decodeCursor(scope: string, cursor: string): Position {
  const parts = parse(cursor)
  if (!parts) throw invalid('This is not a cursor of this service. Take next_cursor from an answer as it is.')
  if (parts.scope !== scope) {
    throw invalid('This cursor was made for another filter or sort. Start again without a cursor.')
  }
  return { key: parts.key, id: parts.id }
}

function parse(cursor: string): { scope: string; key: string; id: string } | undefined {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
  if (!Array.isArray(value) || value.length !== 4) return undefined
  const [version, scope, key, id] = value
  if (version !== format || typeof scope !== 'string' || typeof key !== 'string') return undefined
  if (typeof id !== 'string' || !isUuid(id) || key.includes('\0')) return undefined
  return { scope, key, id }
}

export const invalid = (detail: string, cause?: unknown): Problem =>
  new Problem('invalid_cursor', detail, { errors: [{ pointer: '?cursor', code: 'invalid_cursor', detail }], cause })
