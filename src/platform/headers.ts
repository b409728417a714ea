import type { ProblemCode } from '../core/problem.ts'
import { type Operation, takesIdempotencyKey } from './operation.ts'

// What the contract says of header fields.

type Schemas = Record<string, object>

const ifMatch = {
  'If-Match': { type: 'string', description: 'The ETag of the representation that you read', examples: ['"3"'] },
}
const ifNoneMatch = {
  'If-None-Match': {
    type: 'string',
    description: 'The ETag of the representation that you have: 304 where it is still that',
    examples: ['"3"'],
  },
}
const idempotencyKey = {
  'Idempotency-Key': {
    type: 'string',
    minLength: 1,
    maxLength: 255,
    description:
      'A key of your own for this one request, bare or in double quotes. The same request again under it, within 48 ' +
      'hours, is not done again: it gets the same answer, with Idempotent-Replayed. A refusal is not kept, for it ' +
      'changed nothing.',
    examples: ['8e03978e-40d5-43e8-bc93-6894a57f9324'],
  },
}

/** The schema of the header fields of a request that an operation looks at. */
export function requestHeadersOf(operation: Operation, method: string): { headers?: object } {
  const properties: Schemas = {
    ...(operation.ifMatch === 'none' ? {} : ifMatch),
    ...(304 in operation.answers ? ifNoneMatch : {}),
    ...(takesIdempotencyKey(operation, method) ? idempotencyKey : {}),
    ...textsOf(operation.headers),
  }
  if (Object.keys(properties).length === 0) return {}
  const required = operation.ifMatch === 'required' ? { required: ['If-Match'] } : {}
  return { headers: { type: 'object', properties, ...required } }
}

const requestId = { 'X-Request-Id': 'Yours, where you sent one, else ours: name it when you ask us for help' }
const rates = {
  RateLimit: 'How many requests are left (`r`), and in how many seconds there are all again (`t`)',
  'RateLimit-Policy': 'How many requests your credential has (`q`) in how many seconds (`w`)',
}
const replayed = { 'Idempotent-Replayed': '`true` where the answer was given before, under the same key' }
const retryAfter = { 'Retry-After': 'The seconds to wait before the same is asked again' }

const byCode: Partial<Record<ProblemCode, Record<string, string>>> = {
  unauthenticated: { 'WWW-Authenticate': 'The scheme, where to learn of it, and what was wrong with the credential' },
  forbidden: { 'WWW-Authenticate': 'The scope that is missing' },
  stale: { ETag: 'The version of the record as it is now' },
  range_not_satisfiable: { 'Content-Range': 'How many bytes the file has' },
  key_in_flight: retryAfter,
  rate_limited: retryAfter,
  unavailable: retryAfter,
}

/** The header fields of a good answer, with those of its own. */
export const answerHeadersOf = (operation: Operation, method: string, own: Record<string, string> = {}): Schemas =>
  textsOf({
    ...own,
    ...(takesIdempotencyKey(operation, method) ? replayed : {}),
    ...(operation.scope === null ? {} : rates),
    ...requestId,
  })

/** The header fields of a refusal; who has no good credential is told of no limit. */
export const problemHeadersOf = ({ scope }: Operation, codes: readonly ProblemCode[]): Schemas =>
  textsOf({
    ...Object.assign({}, ...codes.map((code) => byCode[code])),
    ...(scope === null || codes.includes('unauthenticated') ? {} : rates),
    ...requestId,
  })

const textsOf = (descriptions: Readonly<Record<string, string>> = {}): Schemas =>
  Object.fromEntries(Object.entries(descriptions).map(([name, description]) => [name, { type: 'string', description }]))
