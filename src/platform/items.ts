import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { type Static, type TSchema, Type } from 'typebox'
import type { Clock } from '../core/clock.ts'
import { type IfMatch, requiredIfMatch } from '../core/etag.ts'
import type { ProblemCode } from '../core/problem.ts'
import { ref, strictObject, uuid } from '../core/schemas.ts'
import type { Database, Tx } from '../db/database.ts'
import { callerOf, principalOf } from './auth.ts'
import { lookUp } from './lookup.ts'
import { gives, noContent, operation, patchTypes, sentOn } from './operation.ts'
import { idByRef } from './references.ts'
import { type AnyResource, type Outcome, sendOne, sendOutcome } from './resource.ts'
import type { Scope } from './scopes.ts'
import { patchRevision, type Revision } from './writes.ts'

/** What a slice is given. */
export interface SliceOptions {
  database: Database
  clock: Clock
}

export const idParams = strictObject({ id: uuid() })

export const refParams = strictObject({
  system: Type.String({ minLength: 1, maxLength: 80, description: 'The other system' }),
  ref_id: Type.String({ minLength: 1, maxLength: 200, description: 'The id of the record there' }),
})

/** An app whose handlers are typed by their schemas. */
export type Typed = Parameters<FastifyPluginAsyncTypebox>[0]

/** The operations on single records of one kind. */
export interface Items<Write extends TSchema> {
  resource: AnyResource
  tag: string
  /** The noun in operation ids and summaries: `organisation`. */
  one: string
  scopes: { read: Scope; write: Scope }
  wire: TSchema
  write: Write
  patch: TSchema
  /** What creating and changing may refuse. */
  refusals: readonly ProblemCode[]
  /** True where the slice has an operation of its own that reads one by its id. */
  readsOneItself?: boolean
  commands: {
    revise(tx: Tx, id: string, ifMatch: IfMatch, revise: Revision<Static<Write>>): Promise<Outcome>
    remove?(tx: Tx, id: string, ifMatch: IfMatch): Promise<void>
  }
}

/** The operations on single records alone, for collections that are listed and added to below another record. */
export function items<Write extends TSchema>(app: FastifyInstance, slice: SliceOptions, options: Items<Write>): void {
  const register: FastifyPluginAsyncTypebox = async (typed) => {
    readOne(typed, slice, options)
    changeOne(typed, slice, options)
    removeOne(typed, slice, options)
  }
  void app.register(register)
}

/** What reading one needs to know of its kind. */
export type ItemReads = Pick<Items<TSchema>, 'resource' | 'tag' | 'one' | 'scopes' | 'wire' | 'readsOneItself'>

/** Reads one, by its id and by the client's own, and many at once. */
export function readOne(app: Typed, slice: SliceOptions, options: ItemReads): void {
  if (!options.readsOneItself) readById(app, slice, options)
  readByRef(app, slice, options)
  lookUp(app, slice, options)
}

/** Reads one by its id. */
export function readById(app: Typed, { database }: SliceOptions, options: ItemReads): void {
  const { resource, tag, one, scopes, wire } = options

  app.get(
    `/${resource.path}/:id`,
    operation({
      id: `get_${one}`,
      scope: scopes.read,
      tag,
      summary: `Read one ${one.replaceAll('_', ' ')}`,
      params: idParams,
      answers: {
        200: gives(ref(wire), 'The record'),
        304: noContent('The caller has this version already'),
        ...(resource.survivor ? sentOn : {}),
      },
    }),
    (request, reply) => sendOne(database, resource, request.params.id, request, reply),
  )
}

/** Reads one by the client's own id. */
function readByRef(app: Typed, { database }: SliceOptions, options: ItemReads): void {
  const { resource, tag, one, scopes, wire } = options

  app.get(
    `/${resource.path}/by-ref/:system/:ref_id`,
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
      const id = await database.read(principalOf(request), (tx) => idByRef(tx, resource.type, system, ref_id))
      return sendOne(database, resource, id, request, reply)
    },
  )
}

/** Changes one by a merge patch. */
export function changeOne(app: Typed, { database, clock }: SliceOptions, options: Items<TSchema>): void {
  const { resource, tag, one, scopes, wire, commands } = options
  const name = one.replaceAll('_', ' ')
  const write = ref(options.write)

  app.patch(
    `/${resource.path}/:id`,
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
}

type Removes = Pick<Items<TSchema>, 'resource' | 'tag' | 'one' | 'scopes'> & {
  description?: string
  /** What deleting may refuse; that others depend on it, or its state, where it is not given. */
  refusesRemoval?: readonly ProblemCode[]
  commands: Pick<Items<TSchema>['commands'], 'remove'>
}

/** Deletes one, where its kind can be deleted. */
export function removeOne(app: Typed, { database, clock }: SliceOptions, options: Removes): void {
  const { resource, tag, one, scopes, commands } = options
  const { remove } = commands
  if (!remove) return
  app.delete(
    `/${resource.path}/:id`,
    operation({
      id: `delete_${one}`,
      scope: scopes.write,
      tag,
      summary: `Delete one ${one.replaceAll('_', ' ')}`,
      ...(options.description === undefined ? {} : { description: options.description }),
      params: idParams,
      answers: { 204: noContent('It is gone') },
      refusals: options.refusesRemoval ?? ['in_use', 'state_forbids'],
      ifMatch: 'required',
    }),
    async (request, reply) => {
      const ifMatch = requiredIfMatch(request.headers['if-match'])
      await database.write(callerOf(request, clock), (tx) => remove(tx, request.params.id, ifMatch))
      return reply.code(204).send()
    },
  )
}
