import swagger from '@fastify/swagger'
import type { FastifyInstance, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { type ProblemCode, problems } from '../core/problem.ts'
import { addExamples } from './examples.ts'
import { answerHeadersOf, problemHeadersOf, requestHeadersOf } from './headers.ts'
import { type Operation, takesIdempotencyKey } from './operation.ts'
import { shareParts } from './shared-parts.ts'

type Json = Record<string, unknown>

/** What every operation behind a credential may refuse. */
const always: readonly ProblemCode[] = [
  'invalid_request',
  'unauthenticated',
  'forbidden',
  'rate_limited',
  'internal',
  'unavailable',
]

/** The OpenAPI 3.1 document, made from the routes. */
export const openapi = fp(
  async (
    app: FastifyInstance,
    options: { publicUrl: string; version: string; tags: readonly Json[]; webhooks: Json },
  ) => {
    await app.register(swagger, {
      convertConstToEnum: false,
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Beide',
          version: options.version,
          summary: 'The system of record for alliances between companies and charities',
          description: introduction,
          license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } as never,
        },
        servers: [{ url: options.publicUrl }],
        tags: options.tags as never,
        webhooks: options.webhooks as never,
        components: {
          securitySchemes: {
            api_key: { type: 'http', scheme: 'bearer', description: 'An API key: `Authorization: Bearer beide_…`' },
            access_token: {
              type: 'http',
              scheme: 'bearer',
              bearerFormat: 'JWT',
              description: 'An access token (RFC 9068) of an issuer that the tenant has named',
            },
          },
        },
      },
      // Called with each component before it is converted.
      refResolver: { buildLocalReference: (json) => String(wrapRefs(json as Json)['$id']) },
      transform: ({ schema, url, route }) => ({
        schema: describe(schema as Json, route as RouteOptions) as never,
        url,
      }),
      transformObject: (document) => finish((document as { openapiObject: Json }).openapiObject) as never,
    })
  },
  { name: 'openapi' },
)

/** A route's operation as @fastify/swagger takes it: what validation does not need is added here. */
function describe(schema: Json | undefined, route: RouteOptions): Json {
  const operation = (route.config as { operation?: Operation } | undefined)?.operation
  if (!operation) return { hide: true }
  const { id, tag, summary, description, scope, bodyTypes, streamedBody } = operation
  const method = String(route.method)
  return {
    ...schema,
    operationId: id,
    tags: [tag],
    summary,
    security: securityOf(scope),
    description: [description, needOf(scope)].filter(Boolean).join('\n\n'),
    ...(bodyTypes.length > 0 ? { consumes: [...bodyTypes] } : {}),
    ...(streamedBody ? { body: { content: mapValues(streamedBody, (schema) => ({ schema })) } } : {}),
    ...requestHeadersOf(operation, method),
    response: answersOf(operation, schema, method),
  }
}

function securityOf(scope: Operation['scope']): Json[] {
  if (scope === null) return []
  const needed = scope === 'any' ? [] : [scope]
  return [{ api_key: needed }, { access_token: needed }]
}

function needOf(scope: Operation['scope']): string | undefined {
  if (scope === null) return undefined
  return scope === 'any' ? 'Any valid credential will do, whatever its scopes.' : `Needs the scope \`${scope}\`.`
}

function answersOf(operation: Operation, schema: Json | undefined, method: string): Json {
  const answers: Json = {}
  for (const [status, { description, schema: body, mediaType, headers }] of Object.entries(operation.answers)) {
    answers[status] = {
      description,
      headers: answerHeadersOf(operation, method, headers),
      ...(body ? { content: { [mediaType ?? 'application/json']: { schema: body } } } : { type: 'null' }),
    }
  }
  const byStatus = new Map<number, ProblemCode[]>()
  for (const code of refusalsOf(operation, schema, method)) {
    const { status } = problems[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  for (const [status, codes] of [...byStatus].sort(([a], [b]) => a - b)) {
    answers[String(status)] = {
      description: codes.map((code) => `\`${code}\`: ${problems[code].title}.`).join(' '),
      headers: problemHeadersOf(operation, codes),
      content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
    }
  }
  return answers
}

function refusalsOf(operation: Operation, schema: Json | undefined, method: string): Set<ProblemCode> {
  const codes = new Set<ProblemCode>(operation.scope === null ? ['invalid_request', 'internal', 'unavailable'] : always)
  if (schema?.['params']) for (const code of ['not_found', 'uri_too_long'] as const) codes.add(code)
  if (operation.bodyTypes.length > 0)
    for (const code of ['bad_json', 'too_large', 'unsupported_media_type'] as const) codes.add(code)
  if (operation.ifMatch !== 'none') codes.add('stale')
  if (operation.ifMatch === 'required') codes.add('precondition_required')
  const cursor = (schema?.['querystring'] as { properties?: Json } | undefined)?.properties?.['cursor']
  if (cursor) codes.add('invalid_cursor')
  if (takesIdempotencyKey(operation, method)) {
    for (const code of ['key_in_flight', 'key_reused'] as const) codes.add(code)
    if (operation.answersSecret) codes.add('answer_sealed')
  }
  for (const code of operation.refusals) codes.add(code)
  return codes
}

const mapValues = <T, R>(record: Record<string, T>, to: (value: T) => R): Record<string, R> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, to(value)]))

/**
 * A member that may be left out, with its default in words: generated clients take a member that has a `default` for one
 * that is always there, and would demand it of those who write.
 */
function withDefaultsTold(schema: Json): Json {
  const { properties } = schema as { properties?: Record<string, Json> }
  if (!properties) return schema
  const told = mapValues(properties, ({ default: value, ...member }) => {
    if (value === undefined) return withDefaultsTold(member)
    const description = [member['description'], `Left out: ${JSON.stringify(value)}.`].filter(Boolean).join('. ')
    return withDefaultsTold({ ...member, description })
  })
  return { ...schema, properties: told }
}

/** Parts of a schema or a document that are objects or lists. */
const partsOf = (part: Json): Json[] =>
  Object.values(part).filter((inner) => typeof inner === 'object' && inner !== null) as Json[]

/** @fastify/swagger drops what stands beside a `$ref`, such as what the member means: there it is put into `allOf`. */
function wrapRefs(schema: Json): Json {
  partsOf(schema).forEach(wrapRefs)
  const { $ref } = schema
  if (typeof $ref !== 'string' || Object.keys(schema).length === 1) return schema
  delete schema['$ref']
  return Object.assign(schema, { allOf: [{ $ref }] })
}

/** In the document it stands beside the `$ref` again: OpenAPI 3.1 lets it. */
function unwrapRefs(part: Json): void {
  partsOf(part).forEach(unwrapRefs)
  const { allOf } = part as { allOf?: Json[] }
  if (allOf?.length !== 1 || allOf[0]?.['$ref'] === undefined) return
  delete part['allOf']
  Object.assign(part, allOf[0])
}

/** Of each collection first the operations on it, then those on one record, then the steps of that. */
function inReadingOrder(paths: Json): Json {
  const collectionOf = (path: string) => path.split('/').slice(0, 3).join('/')
  const groups = Map.groupBy(Object.entries(paths), ([path]) => collectionOf(path))
  const depth = ([path]: [string, unknown]) => path.split('/').length
  return Object.fromEntries([...groups.values()].flatMap((group) => group.toSorted((a, b) => depth(a) - depth(b))))
}

/** The last touches: components in alphabetical order, lists in queries written with commas, no empty bodies, examples. */
function finish(document: Json): Json {
  const components = document['components'] as { schemas: Json }
  unwrapRefs(components.schemas)
  components.schemas = Object.fromEntries(Object.entries(components.schemas).sort(([a], [b]) => (a < b ? -1 : 1)))
  components.schemas = mapValues(components.schemas, (schema) => withDefaultsTold(schema as Json))
  for (const schema of Object.values(components.schemas)) mapDiscriminator(schema as Union, components.schemas)
  for (const path of Object.values(document['paths'] as Record<string, Record<string, Json>>)) {
    for (const operation of Object.values(path)) {
      for (const parameter of (operation['parameters'] ?? []) as Json[]) {
        const schema = parameter['schema'] as { type?: string; default?: unknown }
        const { type } = schema
        // A handler can count on it; a caller may leave it out.
        if (schema.default !== undefined) delete parameter['required']
        if (parameter['in'] === 'query' && type === 'array') Object.assign(parameter, { style: 'form', explode: false })
      }
      for (const answer of Object.values(operation['responses'] as Record<string, Json>)) {
        const content = answer['content'] as Record<string, { schema?: { type?: string } }> | undefined
        if (content?.['application/json']?.schema?.type === 'null') delete answer['content']
      }
    }
  }
  document['paths'] = inReadingOrder(document['paths'] as Json)
  addExamples(document)
  shareParts(document)
  return document
}

interface Union {
  discriminator?: { propertyName: string; mapping?: Record<string, string> }
  oneOf?: { $ref: string }[]
}

/** Says which component belongs to which value. The validator of bodies knows no mapping, so it is added here. */
function mapDiscriminator({ discriminator, oneOf = [] }: Union, schemas: Json): void {
  if (!discriminator) return
  const branches = oneOf.flatMap(({ $ref }) => {
    const { properties } = schemas[$ref.replace('#/components/schemas/', '')] as { properties: Record<string, Json> }
    const values = properties[discriminator.propertyName]?.['enum'] as string[]
    return values.map((value): [string, string] => [value, $ref])
  })
  discriminator.mapping = Object.fromEntries(branches)
}

const introduction = `Beide keeps what both sides of an alliance promised, whether both kept it, what a crisis did to the
promises, how both sides judge the collaboration, and which goals it serves.

**Clients must accept** members and codes that they do not know: additions are made without notice within \`/v1\`.

**Writes** that change a record need \`If-Match\` with its ETag. PATCH is JSON Merge Patch (RFC 7396): absent leaves
alone, null clears. **Errors** are problem documents (RFC 9457); branch on \`code\`, show \`detail\`. **Lists** give pages:
follow \`next_cursor\` until it is null. **Money** is a decimal string with an ISO 4217 code; **dates** are calendar dates
without a time zone; **instants** carry an offset.`
