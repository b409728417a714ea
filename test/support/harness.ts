import { randomUUID } from 'node:crypto'
import type { FastifyInstance, InjectOptions } from 'fastify'
import type { Test } from 'tap'
import { buildApp, type Deps } from '../../src/app.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import { connectDatabase, type Database } from '../../src/db/database.ts'
import { asOwner, createKey, createTenant } from '../../src/db/tenants.ts'
import { makeOutbound } from '../../src/platform/outbound.ts'
import { secretBox } from '../../src/platform/secrets.ts'
import { eventSignals } from '../../src/platform/signals.ts'
import { type Answer, type Check, contract, type Json } from './contract.ts'
import { cloneDatabase } from './database.ts'
import { untold } from './told.ts'

export type { Answer, Json } from './contract.ts'

export interface CallOptions {
  key?: string | null
  ifMatch?: string
  headers?: Record<string, string>
  /** The media type of the body, where it is not application/json. */
  type?: string
}

/** One client of the service: every answer it gets is checked against the published contract. */
export interface Client {
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Answer>
  get(path: string, options?: CallOptions): Promise<Answer>
  /** POST that must answer 200 or 201; returns the body. */
  make(path: string, body: unknown, options?: CallOptions): Promise<Json>
  /** A step on a record as it is now: reads its ETag first. */
  step(path: string, verb: string, body?: unknown, options?: CallOptions): Promise<Answer>
}

export interface Service extends Client {
  app: FastifyInstance
  database: Database
  url: string
  tenantId: string
  /** The sight of a service in tests: all of its tenant. */
  organisations: null
  key: string
  document: Json
  /** A further API key of the first tenant. */
  keyWith(scopes: readonly string[]): Promise<string>
  /** A further tenant with an admin key. */
  otherTenant(name: string): Promise<{ tenantId: string; key: string }>
  /** The same service for a tenant of its own: a test that needs a clean slate, but no other settings. */
  afresh(): Promise<Service>
}

/** The service on a database of its own, reached through its public interface. */
export async function startService(
  t: Test,
  // A database of the test's own comes with the address at which its owner reaches it.
  {
    url: given,
    connectTimeoutMs = 20_000,
    // Each read comes from Postgres, where nothing else is asked for: what is answered by one ETag is compared.
    keptBytes = 0,
    // True where the test writes what no command does: then no event tells of it.
    isWrittenBeneath = false,
    ...options
  }: {
    clock?: Clock
    url?: string
    connectTimeoutMs?: number
    keptBytes?: number
    isWrittenBeneath?: boolean
  } & Partial<Deps> = {},
): Promise<Service> {
  const url = given ?? (await cloneDatabase(t))
  const clock = options.clock ?? systemClock
  const faults: Error[] = []
  const database =
    options.database ??
    connectDatabase({
      url,
      size: 10,
      statementTimeoutMs: 20_000,
      keptBytes,
      connectTimeoutMs,
      onError: (error) => faults.push(error),
    })
  const signals = eventSignals({ url, onError: (error) => faults.push(error) })
  const app = await buildApp({
    database,
    signals,
    webhooks: { outbound: makeOutbound({ allowPrivate: false }), box: secretBox([]) },
    clock,
    logger: undefined,
    publicUrl: 'http://127.0.0.1:3000',
    bodyLimitBytes: 1_048_576,
    requestsPerMinute: 1_000_000,
    corsOrigins: true,
    trustProxy: false,
    // On a busy machine a service that is just being built is behind for seconds.
    eventLoopDelayMaxMs: 60_000,
    ...options,
  })
  await app.ready()
  t.teardown(async () => {
    await app.close()
    await signals.close()
    await database.close()
    // Of a database of the test's own only what the service wrote there, whatever the test is about.
    const left = given === undefined && !isWrittenBeneath ? await asOwner(url, untold) : []
    if (left.length > 0) throw new Error(`Events do not name all that changed:\n${left.join('\n')}`)
  })
  const { document, check } = contract()
  const makeTenant = (name: string) =>
    asOwner(url, (owner) => createTenant(owner, clock, { name, keyName: 'tests', scopes: ['admin'] }))
  const serviceFor = ({ tenantId, key }: { tenantId: string; key: string }): Service => ({
    app,
    database,
    url,
    tenantId,
    organisations: null,
    key,
    document,
    ...clientOver(injecting(app), check, key),
    keyWith: (scopes) =>
      asOwner(url, async (owner) => {
        const made = await createKey(owner, clock, tenantId, { keyName: 'narrow', scopes })
        return made.key
      }),
    otherTenant: makeTenant,
    afresh: async () => serviceFor(await makeTenant(`afresh ${randomUUID()}`)),
  })
  return serviceFor(await makeTenant('first'))
}

/** How a request reaches the service, and its answer as it came. */
export type Send = (request: {
  method: string
  path: string
  headers: Record<string, string>
  payload?: string
}) => Promise<{ status: number; headers: Record<string, string>; text: string }>

const injecting =
  (app: FastifyInstance): Send =>
  async ({ path, ...request }) => {
    const { statusCode, headers, payload } = await app.inject({ url: path, ...request } as InjectOptions)
    return { status: statusCode, headers: headers as Record<string, string>, text: payload }
  }

/** A client whose every answer is checked against the contract. */
export function clientOver(send: Send, check: Check, key: string): Client {
  const known = new Map<string, Answer>()

  /** A strong ETag stands for one representation: whoever keeps that by it must never meet another (RFC 9110, 8.8.3). */
  function checkEtag(path: string, asked: Record<string, string>, answer: Answer): void {
    if (answer.status !== 200 || answer.headers['etag'] === undefined) return
    const { authorization, ...others } = asked
    const name = JSON.stringify([path, authorization, others['accept'], others['accept-language'], answer.etag])
    const before = known.get(name)
    if (before && before.text !== answer.text) {
      throw new Error(`GET ${path} shows two representations as ${answer.etag}:\n${before.text}\n${answer.text}`)
    }
    known.set(name, answer)
  }

  async function call(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> {
    const credential = options.key === undefined ? key : options.key
    const headers: Record<string, string> = {
      ...(credential === null ? {} : { authorization: `Bearer ${credential}` }),
      ...(body === undefined ? {} : { 'content-type': options.type ?? 'application/json' }),
      ...(options.ifMatch === undefined ? {} : { 'if-match': options.ifMatch }),
      ...options.headers,
    }
    const payload = body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }
    const response = await send({ method, path, headers, ...payload })
    const type = String(response.headers['content-type'])
    const isJson = type.includes('json') && !type.includes('ndjson')
    const answer: Answer = {
      ...response,
      body: isJson && response.text !== '' ? JSON.parse(response.text) : undefined,
      etag: String(response.headers['etag']),
    }
    check(method, path, answer)
    if (method === 'GET') checkEtag(path, headers, answer)
    return answer
  }
  return {
    call,
    get: (path, options) => call('GET', path, undefined, options),
    async make(path, body, options) {
      const answer = await call('POST', path, body, options)
      if (answer.status !== 201 && answer.status !== 200)
        throw new Error(`POST ${path}: ${answer.status} ${answer.text}`)
      return answer.body
    },
    async step(path, verb, body = {}, options = {}) {
      const { etag } = await call('GET', path)
      return call('POST', `${path}/${verb}`, body, { ifMatch: etag, ...options })
    },
  }
}
