import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { canonicalJson } from '../core/canonical.ts'
import type { Clock } from '../core/clock.ts'
import { Problem } from '../core/problem.ts'
import type { Guard, HeldTx, Tx } from '../db/database.ts'
import { principalOf, requireScope } from './auth.ts'
import { claimKey, type KeyName, keepAnswer, openAnswer, type StoredAnswer, sealAnswer } from './idempotency-store.ts'
import { takesIdempotencyKey } from './operation.ts'
import type { Scope } from './scopes.ts'

/** How long a key is kept. */
const keptForHours = 48
const kept = ['content-type', 'etag', 'location', 'cache-control'] as const

/** Ends a transaction whose answer was given before. */
class Replay extends Error {
  readonly answer: StoredAnswer
  constructor(answer: StoredAnswer) {
    super('This request was answered before')
    this.answer = answer
  }
}

/** Guards the one transaction of a request by its key: claims the key first, keeps the answer last. */
class KeyGuard implements Guard {
  readonly name: KeyName
  fingerprint: Buffer
  /** What it needed beyond the scope of its operation. */
  readonly scopes = new Set<string>()
  private held: HeldTx | undefined
  constructor(name: KeyName, fingerprint: Buffer) {
    this.name = name
    this.fingerprint = fingerprint
  }

  async enter(tx: Tx): Promise<void> {
    if (this.held) throw new Error('A request with an Idempotency-Key has one transaction')
    const claim = await claimKey(tx, this.name)
    if (!claim.isOurs) {
      throw new Problem('key_in_flight', 'The first request with this Idempotency-Key is still being worked on.', {
        headers: { 'retry-after': '1' },
      })
    }
    if (!claim.answer) return
    if (!claim.answer.fingerprint.equals(this.fingerprint)) {
      const detail = 'Another request was sent under this Idempotency-Key: take a new key for each new request.'
      throw new Problem('key_reused', detail, {
        errors: [{ pointer: 'Idempotency-Key', code: 'key_reused', detail }],
      })
    }
    // A credential that has lost what the request needed does not see its answer again.
    for (const scope of claim.answer.scopes) requireScope(tx, scope as Scope, 'This request')
    throw new Replay(claim.answer)
  }

  hold(held: HeldTx): void {
    this.held = held
  }

  needed(scope: string): void {
    this.scopes.add(scope)
  }

  addContent(digest: Buffer): void {
    this.fingerprint = createHash('sha256').update(this.fingerprint).update(digest).digest()
  }

  /** Hands over the transaction, once. */
  release(): HeldTx | undefined {
    const held = this.held
    this.held = undefined
    return held
  }
}

/**
 * Idempotency-Key on every POST that changes something. The transaction of such a request stays open until its answer
 * is known; effect and answer are committed together. Refusals change nothing, and so are not kept: the same request
 * is judged anew.
 */
export const idempotency = fp(
  async (app: FastifyInstance, { clock }: { clock: Clock }) => {
    app.addHook('onRoute', (route: RouteOptions) => {
      if (!takesIdempotencyKey(route.config?.operation, String(route.method))) return
      route.preValidation = [...[route.preValidation ?? []].flat(), startGuard]
      route.onSend = [
        ...[route.onSend ?? []].flat(),
        (request, reply, payload) => finish(clock, request, reply, payload),
      ]
      route.errorHandler = async (error, request, reply) => {
        if (!(error instanceof Replay)) throw error
        return replay(error.answer, request, reply)
      }
    })
  },
  { name: 'idempotency', dependencies: ['authentication'] },
)

/** The key of the header: a text of RFC 8941, or bare as most clients send it. */
export function keyOf(header: string): string {
  const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/.exec(header.trim())?.[1]
  const key = quoted === undefined ? header.trim() : quoted.replace(/\\(["\\])/g, '$1')
  if (/^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(key) && (quoted !== undefined || !key.includes('"')))
    return key
  const detail =
    'An Idempotency-Key is 1 to 255 printable ASCII characters, bare or in double quotes: a UUID serves well.'
  throw new Problem('invalid_request', detail, { errors: [{ pointer: 'Idempotency-Key', code: 'form', detail }] })
}

async function startGuard(request: FastifyRequest): Promise<void> {
  const header = request.headers['idempotency-key']
  if (header === undefined) return
  const { tenantId, keyId } = principalOf(request)
  const route = request.routeOptions.url ?? ''
  const asked = [
    request.method,
    route,
    request.params,
    request.query,
    request.headers['if-match'] ?? null,
    // What is read as a stream is added when it was read.
    request.body instanceof Readable ? null : request.body,
  ]
  // Before validation fills in defaults: a new default must not make another request of a repeated one.
  const fingerprint = createHash('sha256').update(canonicalJson(asked)).digest()
  request.guard = new KeyGuard(
    { tenantId, credentialId: keyId, route, key: keyOf([header].flat().join()) },
    fingerprint,
  )
}

async function finish(clock: Clock, request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  const guard = request.guard as KeyGuard | null
  const held = guard?.release()
  if (!guard || !held) return payload
  if (reply.statusCode >= 400) {
    await held.rollback()
    return payload
  }
  const text = payload ?? ''
  if (typeof text !== 'string') {
    await held.rollback()
    throw new Error('Only an answer of text can be kept under an Idempotency-Key')
  }
  const isSealed = request.routeOptions.config.operation?.answersSecret === true
  const body = isSealed ? sealAnswer(credentialOf(request), guard.name.key, text) : Buffer.from(text)
  const headers = Object.fromEntries(
    kept.flatMap((name) => (reply.hasHeader(name) ? [[name, reply.getHeader(name)]] : [])),
  )
  const expiresAt = new Date(clock.millis() + keptForHours * 3_600_000).toISOString()
  await held.commit((tx) =>
    keepAnswer(tx, guard.name, expiresAt, {
      fingerprint: guard.fingerprint,
      status: reply.statusCode,
      headers: headers as Record<string, string>,
      body,
      isSealed,
      scopes: [...guard.scopes],
    }),
  )
  return payload
}

function replay(answer: StoredAnswer, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const guard = request.guard as KeyGuard
  const text = answer.isSealed ? opened(answer, request, guard) : answer.body.toString()
  reply.code(answer.status).headers(answer.headers).header('idempotent-replayed', 'true')
  return text === '' ? reply.send() : reply.send(text)
}

/** @throws Problem `answer_sealed` */
function opened({ headers: { location }, body }: StoredAnswer, request: FastifyRequest, guard: KeyGuard): string {
  try {
    return openAnswer(credentialOf(request), guard.name.key, body)
  } catch (cause) {
    const detail =
      'This request was done before. Its answer holds a secret, and is shown to the API key or token alone that was sent then' +
      (location ? `; what it made is at ${location}.` : '.')
    throw new Problem('answer_sealed', detail, { members: location ? { location } : {}, cause })
  }
}

/** What the caller presented: known to the caller alone, and stored nowhere. */
const credentialOf = (request: FastifyRequest): string => request.headers.authorization ?? ''
