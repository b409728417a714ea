import type { FaultCode } from './fault-codes.ts'

/**
 * The closed table of everything the service refuses (RFC 9457).
 * `code` is stable and public, `detail` is written for the person who calls, `cause` is for the log alone.
 */
export const problems = {
  // 400: the request cannot be read
  bad_json: { status: 400, title: 'The body is not valid JSON' },
  invalid_request: { status: 400, title: 'The request does not fit the contract' },
  invalid_cursor: { status: 400, title: 'The cursor cannot be used here' },
  malformed_http: { status: 400, title: 'The HTTP message cannot be read' },
  // 401, 403: who is calling
  unauthenticated: { status: 401, title: 'A valid credential is needed' },
  forbidden: { status: 403, title: 'The credential lacks a scope' },
  // 404, 405
  not_found: { status: 404, title: 'There is no such record' },
  unknown_route: { status: 404, title: 'There is no such address' },
  method_not_allowed: { status: 405, title: 'The address does not know this method' },
  not_acceptable: { status: 406, title: 'The answer cannot be given in that form' },
  request_timeout: { status: 408, title: 'The request did not arrive in time' },
  // 409: the state forbids it now
  transition_not_allowed: { status: 409, title: 'The state does not allow this step' },
  duplicate: { status: 409, title: 'Another record already has this value' },
  ambiguous_ref: { status: 409, title: 'Several records have this reference' },
  in_use: { status: 409, title: 'Other records depend on this one' },
  state_forbids: { status: 409, title: 'The state of the record forbids this now' },
  key_in_flight: { status: 409, title: 'The first request with this key is still running' },
  answer_sealed: { status: 409, title: 'The answer is shown to the secret alone that asked first' },
  agreed_terms: { status: 409, title: 'What was agreed is not overwritten' },
  // 410
  gone: { status: 410, title: 'What was asked for is no longer kept' },
  // 412, 413, 415, 416, 428
  stale: { status: 412, title: 'The record has changed since it was read' },
  too_large: { status: 413, title: 'The request is too large' },
  uri_too_long: { status: 414, title: 'The address is too long' },
  unsupported_media_type: { status: 415, title: 'The body is not in a known format' },
  range_not_satisfiable: { status: 416, title: 'The file has no such part' },
  precondition_required: { status: 428, title: 'The If-Match header is needed' },
  // 422: well-formed, but a rule of the domain refuses it
  rule_violated: { status: 422, title: 'A rule refuses this' },
  condition_unmet: { status: 422, title: 'A condition of this step is not met' },
  key_reused: { status: 422, title: 'The key belongs to another request' },
  wrong_party: { status: 422, title: 'This is for another party to decide' },
  // 429, 431, 5xx
  rate_limited: { status: 429, title: 'Too many requests' },
  header_too_large: { status: 431, title: 'The header fields are too large' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  unavailable: { status: 503, title: 'The service cannot answer just now' },
} as const satisfies Record<string, { status: number; title: string }>

export type ProblemCode = keyof typeof problems

/** One fault of the input: a JSON Pointer (RFC 6901) into the body, or `?name` for a parameter, `Name` for a header. */
export interface Fault {
  pointer: string
  code: FaultCode
  detail: string
}

export interface ProblemOptions {
  errors?: readonly Fault[]
  /** Extension members of the problem document, such as `from`, `to` and `allowed` of a refused transition. */
  members?: Readonly<Record<string, unknown>>
  headers?: Readonly<Record<string, string>>
  cause?: unknown
}

export class Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  readonly errors: readonly Fault[] | undefined
  readonly members: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, { cause: options.cause })
    this.name = 'Problem'
    this.code = code
    this.status = problems[code].status
    this.errors = options.errors
    this.members = options.members ?? {}
    this.headers = options.headers ?? {}
  }

  /** The problem document as it is sent; `instance` is the request id, so that a report can be found in the log. */
  toDocument(requestId: string): Record<string, unknown> {
    return {
      type: `/problems/${this.code}`,
      title: problems[this.code].title,
      status: this.status,
      detail: this.message,
      instance: requestId,
      code: this.code,
      ...(this.errors ? { errors: this.errors } : {}),
      ...this.members,
    }
  }
}

/** The record was merged into another. A read is sent on to that one (308); a write is refused, and told of it. */
export class Moved extends Problem {
  readonly from: string
  readonly to: string

  constructor(from: string, to: string) {
    super('state_forbids', `This record was merged into ${to}: write to that one.`, { members: { merged_into_id: to } })
    this.from = from
    this.to = to
  }
}

/** The one answer for what is not there and for what is not yours, so that neither gives the other away. */
export const notFound = () => new Problem('not_found', 'There is no such record, or it is not yours to see.')

/** Gathers faults, so that a caller sees all of them at once. */
export class Faults {
  readonly list: Fault[] = []

  add(pointer: string, code: FaultCode, detail: string): void {
    this.list.push({ pointer, code, detail })
  }

  /** Throws one problem that names every fault gathered so far, if there are any. */
  refuse(code: ProblemCode = 'rule_violated', members: Readonly<Record<string, unknown>> = {}): void {
    const [first] = this.list
    if (!first) return
    const detail = this.list.length === 1 ? first.detail : `${this.list.length} faults; each is named in errors.`
    throw new Problem(code, detail, { errors: this.list, members })
  }
}
