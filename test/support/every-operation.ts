import { newId } from '../../src/core/ids.ts'
import { exampleOf } from '../../src/platform/examples.ts'
import type { Scope } from '../../src/platform/scopes.ts'
import type { Answer, CallOptions, Json, Service } from './harness.ts'
import { namesOfBodies } from './names-in-bodies.ts'
import { ourRef } from './one-of-each.ts'

// Tests over every operation of the document: how each is asked, and how its answers are compared.

export interface Operation {
  id: string
  method: string
  path: string
  /** Undefined where any credential will do, and where none is needed. */
  scope: Scope | undefined
  isGuarded: boolean
  body: Json
  parameters: Json[]
}

/** What a name in an address stands for: a record of ours, or one that nobody has. */
export interface Naming {
  id: string
  system: string
  ref_id: string
  delivery_id: string
  name: string
}
export const nobodys: Naming = {
  id: newId(),
  delivery_id: newId(),
  system: ourRef.system,
  ref_id: 'nobodys',
  name: 'datapackage.json',
}

/** A reference that no record has, not even one that an upsert of these tests makes. */
export const unused = 'unused'

/** True for a member that names a record as its client does, and not by id. */
export const isByRef = (name: string): boolean => /refs?(\[\])?$/.test(name)

/** An answer without what differs from request to request, and without the names that it was asked with. */
export function masked({ status, text, headers }: Answer, naming: Naming): string {
  const kept = Object.entries(headers).filter(
    ([name]) => !['x-request-id', 'date', 'ratelimit', 'content-length', 'location'].includes(name),
  )
  return (
    `${status} ${JSON.stringify(kept)} ${text}`
      .replaceAll(headers['x-request-id'] as string, 'REQUEST')
      .replaceAll(naming.id, 'ID')
      .replace(new RegExp(`("|${ourRef.system}:)(${ourRef.id}|${nobodys.ref_id}|${unused})(?!\\w)"?`, 'g'), 'REF')
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'MADE')
      .replace(/beide_\w+/g, 'KEY')
      .replace(/[\w-]{43}"/g, 'TOKEN"')
      // The ETag of an export stands for the filter too.
      .replace(/"\\"\d+-[\w-]+\\""/, 'ETAG')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)/g, 'NOW')
  )
}

/** Does something with each, several at once: most of the time of a request is spent waiting for Postgres. */
export async function forEach<T>(all: readonly T[], work: (one: T) => Promise<void>, atOnce = 6): Promise<void> {
  const waiting = [...all]
  const lane = async () => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) await work(one)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}

/** A body that names records of its sender's own wherever it names any, and one party wherever it names a party. */
export function namingOwn(
  value: unknown,
  records: Readonly<Record<string, string>>,
  party: string,
  member = '',
): unknown {
  if (Array.isArray(value)) return value.map((item) => namingOwn(item, records, party, member))
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
    return Object.fromEntries(members.map(([name, inner]) => [name, namingOwn(inner, records, party, name)]))
  }
  if (!/_ids?$/.test(member)) return value
  if (member.endsWith('party_id')) return party
  return records[`${member.replace(/^.*?(?=[a-z]+_id)/, '').replace(/_ids?$/, '')}s`] ?? value
}

/** Where a request can name a record, by id or by a reference of a client's. */
export interface Place {
  name: string
  options: (id: string, ref_id: string) => { query: string } | { body: Json }
}

const templateWrites = new Set(['create_evaluation_template', 'upsert_evaluation_template'])

/** How the operations of a service are asked about the records of one, by the kind that stands first in their address. */
export function everyOperation(service: Service, ours: Readonly<Record<string, string>>) {
  const { schemas } = service.document.components

  const operations: Operation[] = Object.entries<Json>(service.document.paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).map(([method, operation]) => ({
      id: operation.operationId,
      method: method.toUpperCase(),
      path,
      scope: operation.security[0]?.api_key[0],
      isGuarded: operation.security.length > 0,
      body: Object.values<Json>(operation.requestBody?.content ?? {})[0]?.schema,
      parameters: operation.parameters ?? [],
    })),
  )
  const guarded = operations.filter(({ isGuarded }) => isGuarded)

  const kindOf = ({ path }: Operation): string => path.split('/')[2] ?? ''
  const oursFor = (operation: Operation): Naming => ({
    id: ours[kindOf(operation)] ?? nobodys.id,
    delivery_id: ours['webhook-deliveries'] ?? '',
    system: ourRef.system,
    ref_id: ourRef.id,
    name: nobodys.name,
  })

  const addressOf = ({ path }: Operation, naming: Naming): string =>
    path.replace(/\{(\w+)\}/g, (_, name: keyof Naming) => naming[name])

  function bodyOf({ id, body }: Operation): unknown {
    const made = body ? exampleOf(body, { whole: false, schemas }) : undefined
    // One issuer and audience belong to one tenant, and are made once; so is a template of one code.
    if (id === 'create_oidc_issuer') return { ...(made as object), audience: `https://${newId()}.example.org` }
    return templateWrites.has(id) ? { ...(made as object), code: `scan-${newId()}` } : made
  }

  /** The parameters without which an operation is not asked: the records that they name are ours, or nobody's. */
  function neededBy({ parameters }: Operation, naming: Naming): string {
    const needed = parameters.filter((parameter) => parameter.in === 'query' && parameter.required)
    const recordOf = (name: string) => ours[`${name.replace(/_id$/, '').replaceAll('_', '-')}s`]
    const values = needed.map(({ name }) => `${name}=${naming === nobodys ? nobodys.id : recordOf(name)}`)
    return values.length > 0 ? `?${values.join('&')}` : ''
  }

  async function ask(
    as: Service,
    operation: Operation,
    naming: Naming,
    options: CallOptions & { body?: unknown; query?: string } = {},
  ): Promise<Answer> {
    const { body = bodyOf(operation), query = neededBy(operation, naming), ...rest } = options
    // With it an upsert would not create.
    const precondition = operation.path.includes('/by-ref/') ? {} : { ifMatch: '*' }
    return as.call(operation.method, `${addressOf(operation, naming)}${query}`, body, { ...precondition, ...rest })
  }

  /** The records of ours that a member may name: those of the kind that its name ends in, of its own kind, or any. */
  function oursNamed(name: string, operation: Operation): string[] {
    const noun = name
      .replace(/^.*\./, '')
      .replace('[]', '')
      .replace(/_ids?$/, '')
    // By reference they are called alike, whatever their kind.
    if (isByRef(name)) return [nobodys.id]
    const kinds = Object.keys(ours).filter((kind) => noun.endsWith(kind.replaceAll('-', '_').replace(/s$/, '')))
    const own = ['parent', 'predecessor'].includes(noun) && kindOf(operation) in ours ? [kindOf(operation)] : []
    const named = [...kinds, ...own]
    return (named.length > 0 ? named : Object.keys(ours)).map((kind) => ours[kind] as string)
  }

  const { namesIn, withName } = namesOfBodies(schemas)

  /** The places beside the address where a request can name a record, and how it does: by a filter, or within a body. */
  function placesOf({ parameters, body }: Operation, example: Json | undefined): Place[] {
    const filters = parameters.flatMap(({ in: place, name, schema }): Place[] => {
      if (place !== 'query') return []
      if (schema.format === 'uuid') return [{ name, options: (id) => ({ query: `?${name}=${id}` }) }]
      if (name !== 'external_ref') return []
      return [{ name, options: (_id, ref_id) => ({ query: `?${name}=${ourRef.system}:${ref_id}` }) }]
    })
    const members = example === undefined || body === undefined ? [] : namesIn(body)
    return [
      ...filters,
      ...members.map((name): Place => {
        const leaf = (id: string, ref_id: string) => (isByRef(name) ? { system: ourRef.system, id: ref_id } : id)
        return { name, options: (id, ref_id) => ({ body: withName(example as Json, body, name, leaf(id, ref_id)) }) }
      }),
    ]
  }

  return { operations, guarded, kindOf, oursFor, bodyOf, ask, oursNamed, namesIn, placesOf, withName }
}
