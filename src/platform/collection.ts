import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import type { Static, TSchema } from 'typebox'
import { type IfMatch, optionalIfMatch, requiredIfMatch } from '../core/etag.ts'
import type { ProblemCode } from '../core/problem.ts'
import { ref } from '../core/schemas.ts'
import type { Tx } from '../db/database.ts'
import { callerOf } from './auth.ts'
import { recordAndAnswer } from './events.ts'
import {
  changeOne,
  type Items,
  idParams,
  readOne,
  refParams,
  removeOne,
  type SliceOptions,
  type Typed,
} from './items.ts'
import type { List } from './lists.ts'
import { gives, makes, operation } from './operation.ts'
import { type AnyResource, type Outcome, sendCreated, sendOutcome } from './resource.ts'
import type { Scope } from './scopes.ts'
import type { Upsert } from './writes.ts'

export { idParams, refParams, type SliceOptions } from './items.ts'

export interface Collection<Write extends TSchema> extends Items<Write> {
  /** The plural noun in operation ids and summaries: `organisations`. */
  many: string
  list: List
  /** True where records may be made beside each other in one transaction, as the rows of imports are. */
  makesBeside?: boolean
  commands: Items<Write>['commands'] & {
    create(tx: Tx, write: Static<Write>): Promise<Outcome>
    upsert(tx: Tx, ref: { system: string; id: string }, write: Static<Write>, ifMatch: IfMatch): Promise<Upsert>
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

function reads(app: Typed, slice: SliceOptions, options: Collection<TSchema>): void {
  const { resource, tag, many, scopes, list } = options

  app.get(
    `/${resource.path}`,
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
    (request, reply) => list.send(slice.database, request, reply, {}, { now: slice.clock.now() }),
  )
  readOne(app, slice, options)
}

function writes(app: Typed, slice: SliceOptions, options: Collection<TSchema>): void {
  const { resource, tag, one, scopes, wire, commands } = options
  const { database, clock } = slice
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
      const caller = callerOf(request, clock)
      const create = (tx: Tx) => commands.create(tx, request.body)
      const outcome = options.makesBeside
        ? await database.writeBeside(caller, name, recordAndAnswer, create)
        : await database.write(caller, create)
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
  changeOne(app, slice, options)
  removeOne(app, slice, options)
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
  /** False for an action that every state allows. */
  isStep?: boolean
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
      refusals: [...(options.isStep === false ? [] : (['transition_not_allowed'] as const)), ...options.refusals],
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
