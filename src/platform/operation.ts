import { type TObject, type TSchema, Type } from 'typebox'
import type { ProblemCode } from '../core/problem.ts'
import type { Scope } from './scopes.ts'

/** What an operation tells the contract about itself. Every route has one: the app does not start otherwise. */
export interface Operation {
  id: string
  /** `any` where any valid credential will do, `null` for the few operations that need none. */
  scope: Scope | 'any' | null
  tag: string
  summary: string
  description?: string
  /** The good answers: status and schema; null for an answer without a body. */
  answers: Record<number, Answer>
  /** What it may refuse beyond what every operation may. */
  refusals: readonly ProblemCode[]
  /** `required`: a write that needs the ETag of what it changes. */
  ifMatch: 'required' | 'optional' | 'none'
  /** The bodies it takes; none for an operation without one. */
  bodyTypes: readonly string[]
  /** What a body is, by media type, that is read as a stream, and so is not validated as a whole. */
  streamedBody?: Readonly<Record<string, TSchema>>
  /** Header fields of a request that it alone looks at, with what they say. */
  headers?: Readonly<Record<string, string>>
  /** True for a POST that only reads: repeating it does no harm. */
  changesNothing: boolean
  /** True where the answer shows a secret, this once. */
  answersSecret: boolean
}

/** True for what must not be done twice when it is sent twice. */
export const takesIdempotencyKey = (operation: Operation | undefined, method: string): boolean =>
  method === 'POST' && operation !== undefined && operation.scope !== null && !operation.changesNothing

export interface Answer {
  description: string
  schema: TSchema | null
  mediaType?: string
  /** Response headers by name, with what they say. */
  headers?: Record<string, string>
}

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: Operation
  }
}

type Empty = TObject<Record<never, never>>

interface Options<P extends TSchema, Q extends TSchema, B extends TSchema> {
  id: string
  scope: Operation['scope']
  tag: string
  summary: string
  description?: string
  params?: P
  query?: Q
  body?: B
  streamedBody?: Operation['streamedBody']
  headers?: Operation['headers']
  answers: Record<number, Answer>
  refusals?: readonly ProblemCode[]
  ifMatch?: Operation['ifMatch']
  bodyTypes?: readonly string[]
  changesNothing?: boolean
  answersSecret?: boolean
}

const empty: Empty = Type.Object({}, { additionalProperties: false })

/** The options of a Fastify route: schemas for validation and types, and the operation for contract and access. */
export function operation<P extends TSchema = Empty, Q extends TSchema = Empty, B extends TSchema = Empty>(
  options: Options<P, Q, B>,
) {
  const { params, query, body, id, scope, tag, summary, description, answers } = options
  return {
    // The types speak of all three; a schema that was not given is not there to validate with, but for the query:
    // parameters that an operation does not know are refused.
    schema: {
      querystring: (query ?? empty) as Q,
      ...(params ? { params } : {}),
      ...(body ? { body } : {}),
    } as { params: P; querystring: Q; body: B },
    config: {
      operation: {
        id,
        scope,
        tag,
        summary,
        ...(description === undefined ? {} : { description }),
        answers,
        refusals: options.refusals ?? [],
        ifMatch: options.ifMatch ?? 'none',
        changesNothing: options.changesNothing ?? false,
        answersSecret: options.answersSecret ?? false,
        ...(options.headers ? { headers: options.headers } : {}),
        ...(options.streamedBody ? { streamedBody: options.streamedBody } : {}),
        bodyTypes: body ? (options.bodyTypes ?? ['application/json']) : Object.keys(options.streamedBody ?? {}),
      } satisfies Operation,
    },
  }
}

/** PATCH bodies are JSON Merge Patches; plain JSON is taken as one, since many clients cannot set the media type. */
export const patchTypes = ['application/merge-patch+json', 'application/json'] as const

/** The answer to an operation that gives one record. */
export const gives = (schema: TSchema, description: string): Answer => ({
  description,
  schema,
  headers: { ETag: 'The version of the representation, for If-Match and If-None-Match' },
})

/** The answer to an operation that made a record. */
export const makes = (schema: TSchema, description: string): Answer => ({
  description,
  schema,
  headers: {
    ETag: 'The version of the representation, for If-Match and If-None-Match',
    Location: 'The address of the new record',
  },
})

/** The answer to a read of what was merged into another record. */
export const sentOn: Record<number, Answer> = {
  308: {
    description: 'The record was merged into another: the same question is answered there, for ever',
    schema: null,
    headers: { Location: 'The address of the record that is left' },
  },
}

export const noContent = (description: string): Answer => ({ description, schema: null })
