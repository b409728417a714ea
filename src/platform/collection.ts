import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { type Static, type TSchema, Type } from 'typebox'
import type { Clock } from '../core/clock.ts'
import { type IfMatch, optionalIfMatch, requiredIfMatch } from '../core/etag.ts'
import type { ProblemCode } from '../core/problem.ts'
import { ref, strictObject, uuid } from '../core/schemas.ts'
import type { Database, Tx } from '../db/database.ts'
import { callerOf, principalOf } from './auth.ts'
import type { List } from './lists.ts'
import { gives, makes, noContent, operation, patchTypes } from './operation.ts'
import { idByRef } from './references.ts'
import { type AnyResource, type Outcome, sendCreated, sendOne, sendOutcome } from './resource.ts'
import type { Scope } from './scopes.ts'
import { patchRevision, type Revision, type Upsert } from './writes.ts'

/** What a slice is given. */
export interface SliceOptions {
  database: Database
  clock: Clock
}

export const idParams = strictObject({ id: uuid() })

const refParams = strictObject({
  system: Type.String({ minLength: 1, maxLength: 80, description: 'The other system' }),
  ref_id: Type.String({ minLength: 1, maxLength: 200, description: 'The id of the record there' }),
})

export interface Collection<Write extends TSchema> {
  resource: AnyResource
  tag: string
  /** The noun in operation ids and summaries: `organisation`, `organisations`. */
  one: string
  many: string
  scopes: { read: Scope; write: Scope }
  wire: TSchema
  write: Write
  patch: TSchema
  list: List
  /** What creating and changing may refuse. */
  refusals: readonly ProblemCode[]
  commands: {
    create(tx: Tx, write: Static<Write>): Promise<Outcome>
    revise(tx: Tx, id: string, ifMatch: IfMatch, revise: Revision<Static<Write>>): Promise<Outcome>
    upsert(tx: Tx, ref: { system: string; id: string }, write: Static<Write>, ifMatch: IfMatch): Promise<Upsert>
    remove?(tx: Tx, id: string, ifMatch: IfMatch): Promise<void>
  }
}

/** The operations that every collection of records has, alike for all: list, create, read, patch, delete, by-ref. */
export function collection<Write extends TSchema>(
  app: FastifyInstance,
  slice: SliceOptions,
  options: Collection<Write>,
): void {
  const register: FastifyPluginAsyncTypebox = async (typed) => {
    reads(typed, slice, options)
    writes(typed, slice, options)
  }
  void app.register(register)
}

type Typed = Parameters<FastifyPluginAsyncTypebox>[0]

function reads(app: Typed, { database }: SliceOptions, options: Collection<TSchema>): void {
  const { resource, tag, one, many, scopes, wire, list } = options
  const path = `/${resource.path}`

  app.get(
    path,
    operation({
      id: `list_${many}`,
      scope: scopes.read,
      tag,
      summary: `List ${many.replaceAll('_', ' ')}`,
      query: list.query,
      answers: {
        200: { description: 'A page', schema: ref(list.page), headers: { Link: 'The next page, as rel="next"' } },
      },
    }),
    (request, reply) => list.send(database, request, reply),
  )

  app.get(
    `${path}/:id`,
    operation({
      id: `get_${one}`,
      scope: scopes.read,
      tag,
      summary: `Read one ${one.replaceAll('_', ' ')}`,
      params: idParams,
      answers: { 200: gives(ref(wire), 'The record'), 304: noContent('The caller has this version already') },
    }),
    (request, reply) => sendOne(database, resource, request.params.id, request, reply),
  )

  app.get(
    `${path}/by-ref/:system/:ref_id`,
    operation({
      id: `get_${one}_by_ref`,
      scope: scopes.read,
      tag,
      summary: `Read one ${one.replaceAll('_', ' ')} by your own id`,
      params: refParams,
      answers: { 200: gives(ref(wire), 'The record'), 304: noContent('The caller has this version already') },
    }),
    async (request, reply) => {
      const { system, ref_id } = request.params
      const { tenantId } = principalOf(request)
      const id = await database.read(tenantId, (tx) => idByRef(tx, resource.type, system, ref_id))
      return sendOne(database, resource, id, request, reply)
    },
  )
}

function writes(app: Typed, { database, clock }: SliceOptions, options: Collection<TSchema>): void {
  const { resource, tag, one, scopes, wire, commands } = options
  const path = `/${resource.path}`
  const name = one.replaceAll('_', ' ')
  const write = ref(options.write)

  app.post(
    path,
    operation({
      id: `create_${one}`,
      scope: scopes.write,
      tag,
      summary: `Create one ${name}`,
      body: write,
      answers: { 201: makes(ref(wire), 'The new record') },
      refusals: options.refusals,
    }),
    async (request, reply) => {
      const outcome = await database.write(callerOf(request, clock), (tx) => commands.create(tx, request.body))
      return sendCreated(reply, resource.path, outcome)
    },
  )

  app.put(
    `${path}/by-ref/:system/:ref_id`,
    operation({
      id: `upsert_${one}`,
      scope: scopes.write,
      tag,
      summary: `Create or replace one ${name} by your own id`,
      description:
        'Creates the record (201), or replaces its writable members (200); an identical body changes nothing and keeps ' +
        'the version. external_refs that the body leaves out stay.',
      params: refParams,
      body: write,
      answers: { 200: gives(ref(wire), 'The record, replaced or as it was'), 201: makes(ref(wire), 'The new record') },
      refusals: options.refusals,
      ifMatch: 'optional',
    }),
    async (request, reply) => {
      const { system, ref_id } = request.params
      const ifMatch = optionalIfMatch(request.headers['if-match'])
      const { created, outcome } = await database.write(callerOf(request, clock), (tx) =>
        commands.upsert(tx, { system, id: ref_id }, request.body, ifMatch),
      )
      return created ? sendCreated(reply, resource.path, outcome) : sendOutcome(reply, outcome)
    },
  )

  app.patch(
    `${path}/:id`,
    operation({
      id: `update_${one}`,
      scope: scopes.write,
      tag,
      summary: `Change one ${name}`,
      params: idParams,
      body: ref(options.patch),
      bodyTypes: patchTypes,
      answers: { 200: gives(ref(wire), 'The record as it is now') },
      refusals: options.refusals,
      ifMatch: 'required',
    }),
    async (request, reply) => {
      const ifMatch = requiredIfMatch(request.headers['if-match'])
      const revise = patchRevision<unknown>(request, write, request.body)
      const outcome = await database.write(callerOf(request, clock), (tx) =>
        commands.revise(tx, request.params.id, ifMatch, revise),
      )
      return sendOutcome(reply, outcome)
    },
  )

  const { remove } = commands
  if (!remove) return
  app.delete(
    `${path}/:id`,
    operation({
      id: `delete_${one}`,
      scope: scopes.write,
      tag,
      summary: `Delete one ${name}`,
      params: idParams,
      answers: { 204: noContent('It is gone') },
      refusals: ['in_use', 'state_forbids'],
      ifMatch: 'required',
    }),
    async (request, reply) => {
      const ifMatch = requiredIfMatch(request.headers['if-match'])
      await database.write(callerOf(request, clock), (tx) => remove(tx, request.params.id, ifMatch))
      return reply.code(204).send()
    },
  )
}

export interface Action<Body extends TSchema> {
  resource: AnyResource
  tag: string
  /** The noun in the operation id: `partnership`. */
  one: string
  /** The verb in the address: `wind-down`. */
  verb: string
  scope: Scope
  summary: string
  description?: string
  body: Body
  wire: TSchema
  refusals: readonly ProblemCode[]
  command(tx: Tx, id: string, ifMatch: IfMatch, body: Static<Body>): Promise<Outcome>
}

/** A step in the life of a record: `POST /v1/partnerships/{id}/activate`, with the ETag of what it changes. */
export function action<Body extends TSchema>(app: FastifyInstance, slice: SliceOptions, options: Action<Body>): void {
  const { resource, one, verb, scope, tag, summary, description, wire, command } = options
  app.post(
    `/${resource.path}/:id/${verb}`,
    operation({
      id: `${verb.replaceAll('-', '_')}_${one}`,
      scope,
      tag,
      summary,
      ...(description === undefined ? {} : { description }),
      params: idParams,
      body: options.body,
      answers: { 200: gives(ref(wire), 'The record after the step') },
      refusals: ['transition_not_allowed', ...options.refusals],
      ifMatch: 'required',
    }),
    async (request, reply) => {
      const { id } = request.params as { id: string }
      const ifMatch = requiredIfMatch(request.headers['if-match'])
      const outcome = await slice.database.write(callerOf(request, slice.clock), (tx) =>
        command(tx, id, ifMatch, request.body as Static<Body>),
      )
      return sendOutcome(reply, outcome)
    },
  )
}
