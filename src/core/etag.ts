import { createHash } from 'node:crypto'
import { Problem } from './problem.ts'

/** The strong entity tag of a version (RFC 9110, 8.8.3): it depends on the representation alone. */
export const etagOf = (version: number): string => `"${version}"`

/** The strong entity tag of what has no version: a digest of the representation itself. */
export const etagOfText = (text: string): string =>
  `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`

/** The opaque tags of an `If-Match` or `If-None-Match` list; weak marks are kept off, `*` is itself. */
function tagsOf(header: string): string[] {
  return header.split(',').map((tag) => tag.trim())
}

/** True when an `If-None-Match` header names this strong tag (weak comparison, RFC 9110, 13.1.2). */
export function noneMatchHits(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return tagsOf(header).some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)
}

/**
 * The precondition of a write: refuses with 412 where the record has moved on (strong comparison, RFC 9110, 13.1.1), or
 * where there is none, whose version is null.
 */
export type IfMatch = (version: number | null) => void

/** Lets a write through whatever there is. */
export const asItIs: IfMatch = () => {}

/** Reads the `If-Match` header of a write; missing is 428. */
export function requiredIfMatch(header: string | undefined): IfMatch {
  if (header === undefined || header.trim() === '') {
    throw new Problem(
      'precondition_required',
      'Send If-Match with the ETag of the representation that you read, so that no change of another is overwritten.',
    )
  }
  return optionalIfMatch(header)
}

/** Reads an `If-Match` header that may be left out. */
export function optionalIfMatch(header: string | undefined): IfMatch {
  if (header === undefined) return asItIs
  const tags = tagsOf(header)
  return (version) => {
    if (version === null) {
      throw new Problem('stale', 'There is no such record yet, and If-Match asks for one: leave it out to create it.')
    }
    if (tags.some((tag) => tag === '*' || tag === etagOf(version))) return
    throw new Problem(
      'stale',
      'The record has changed since you read it: read it again and repeat your change on that.',
      {
        headers: { etag: etagOf(version) },
        members: { current_etag: etagOf(version) },
      },
    )
  }
}
