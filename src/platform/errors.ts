import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { newId } from '../core/ids.ts'
import { type Fault, Moved, Problem, type ProblemCode } from '../core/problem.ts'
import { isPartner } from '../db/database.ts'

/** Turns whatever was thrown into one problem document; what it was stays in the log. */
export const errors = fp(
  async (app: FastifyInstance) => {
    app.setErrorHandler((error, request, reply) => {
      if (error instanceof Moved && ['GET', 'HEAD'].includes(request.method)) return sendOn(error, request, reply)
      return send(problemFrom(error, request), request, reply)
    })
    app.setNotFoundHandler((request, reply) => send(unknownRoute(request), request, reply))
  },
  { name: 'errors' },
)

export function unknownRoute({ method, url }: Pick<FastifyRequest, 'method' | 'url'>): Problem {
  const detail = `There is no ${method} ${url.split('?')[0]}. The contract is at /openapi.json.`
  return new Problem('unknown_route', detail)
}

/** Answers what Fastify refuses before it has a route, such as an address that cannot be decoded. */
export function answerFrameworkError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  void send(problemFrom(error, request), request, reply)
}

/** The same question, asked of the record that survived a merge. */
const sendOn = ({ from, to }: Moved, request: FastifyRequest, reply: FastifyReply): FastifyReply =>
  reply.code(308).header('location', request.url.replace(from, to)).send()

function send(problem: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { code, cause } = problem
  if (problem.status >= 500) request.log.error({ err: cause ?? problem, code }, problem.message)
  // The detail of a refusal repeats what the caller sent, which may be about people: it stays out of the log.
  else request.log.debug({ code, faults: problem.errors?.map(faultOf) }, 'refused')
  if (problem.status === 503) reply.header('retry-after', '2')
  return reply
    .code(problem.status)
    .header('x-request-id', request.id)
    .headers(problem.headers)
    .type('application/problem+json')
    .send(JSON.stringify(problem.toDocument(request.id)))
}

const faultOf = ({ pointer, code }: Fault): string => `${pointer} ${code}`

/** What Fastify refuses by itself, by its code. */
const fromFastify: Record<string, [ProblemCode, string]> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported_media_type',
    'Send the body as application/json (a PATCH also as application/merge-patch+json).',
  ],
  FST_ERR_CTP_BODY_TOO_LARGE: ['too_large', 'The body is larger than this operation takes.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['bad_json', 'The body is empty; it should be JSON.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['bad_json', 'The body cannot be read as JSON.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['malformed_http', 'The body is not as long as Content-Length says.'],
  FST_ERR_BAD_URL: ['malformed_http', 'The address cannot be decoded.'],
  FST_ERR_MAX_PARAM_LENGTH: ['uri_too_long', 'A part of the address is too long.'],
}

/** SQLSTATEs and socket errors which say that the database is away or overloaded, not that the statement is wrong. */
const awayCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EAI_AGAIN',
  'ENOENT',
  '57P01',
  '57P02',
  '57P03',
  '57014',
  '53300',
  '53200',
  '40001',
  '40P01',
  '55P03',
  '25006',
  '08000',
  '08003',
  '08006',
])
const awayMessages =
  /timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error|Client was closed|Query read timeout|Cannot use a pool after/

/** True for a fault of the connection to the database, or of a database that cannot take more work. */
export function isDatabaseAway(error: unknown): boolean {
  const { code, message, errors } = error as { code?: string; message?: string; errors?: unknown[] }
  if (Array.isArray(errors) && errors.length > 0) return errors.every(isDatabaseAway)
  return (code !== undefined && awayCodes.has(code)) || awayMessages.test(message ?? '')
}

export function problemFrom(error: unknown, request: FastifyRequest): Problem {
  if (error instanceof Problem) return error
  const { code = '', statusCode } = error as FastifyError
  const known = fromFastify[code]
  if (known) return new Problem(known[0], known[1], { cause: error })
  // Nobody is there to read it any more; and it is no fault of the database, whose codes are the same.
  if (request.raw.destroyed && !request.raw.complete) {
    return new Problem('malformed_http', 'The connection ended before the request did.', { cause: error })
  }
  if (isDatabaseAway(error)) {
    return new Problem('unavailable', 'The database does not answer just now. Try again in a moment.', { cause: error })
  }
  // Under the role of partners: a filter that looks at what is not open to them.
  if (code === '42501' && request.principal && isPartner(request.principal)) {
    return new Problem('forbidden', 'This is not open to partners.', { cause: error })
  }
  const refused = fromPostgres(error)
  if (refused) return refused
  if (statusCode === 503)
    return new Problem('unavailable', 'The service has too much to do. Try again in a moment.', { cause: error })
  if (statusCode !== undefined && statusCode < 500) {
    return new Problem('invalid_request', 'The request cannot be read.', { cause: error })
  }
  const detail = `We have logged this. Name the request id ${request.id} when you ask about it.`
  return new Problem('internal', detail, { cause: error })
}

/** The constraints of the database are the last wall; rules speak first, so their words are the better ones. */
function fromPostgres(error: unknown): Problem | undefined {
  const { code } = error as { code?: string }
  switch (code) {
    case '23505':
      return new Problem('duplicate', 'Another record already has one of these unique values.', { cause: error })
    case '23503':
      return new Problem('in_use', 'A record named here does not exist any more, or others still depend on this one.', {
        cause: error,
      })
    case '22007':
    case '22008':
    case '22P02':
    case '22003':
    case '22021':
      return new Problem('invalid_request', 'A value cannot be stored in the form given.', { cause: error })
    default:
      return undefined
  }
}

/** What Node refuses by itself, by its code. */
const fromNode: Record<string, [ProblemCode, string]> = {
  HPE_HEADER_OVERFLOW: ['header_too_large', 'The header fields together are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request did not arrive in time.'],
}

/** Answers what cannot even be read as HTTP: it never reaches a handler. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const [code, detail] = fromNode[error.code ?? ''] ?? (['malformed_http', 'The HTTP message is malformed.'] as const)
  const requestId = newId()
  const problem = new Problem(code, detail)
  const body = JSON.stringify(problem.toDocument(requestId))
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n` +
      'content-type: application/problem+json\r\n' +
      `content-length: ${Buffer.byteLength(body)}\r\nx-request-id: ${requestId}\r\nconnection: close\r\n\r\n${body}`,
  )
}
