import { readFile } from 'node:fs/promises'
import t from 'tap'
import { newId } from '../src/core/ids.ts'
import { makeKey } from '../src/db/tenants.ts'
import { exampleOf } from '../src/platform/examples.ts'
import { type Scope, scopes } from '../src/platform/scopes.ts'
import type { Answer, CallOptions, Json, Service } from './support/harness.ts'
import { idsOf, oneOfEach, ourRef, startForAll } from './support/one-of-each.ts'
import { isProblem } from './support/problem.ts'

interface Operation {
  id: string
  method: string
  path: string
  scope: Scope | undefined
  body: Json
  parameters: Json[]
}

const service = await startForAll(t)
const stranger = await service.afresh()
const ours = await oneOfEach(service)
const ourIds = await idsOf(service)
const { schemas } = service.document.components

const operations: Operation[] = Object.entries<Json>(service.document.paths).flatMap(([path, methods]) =>
  Object.entries<Json>(methods).map(([method, operation]) => ({
    id: operation.operationId,
    method: method.toUpperCase(),
    path,
    scope: operation.security?.[0].api_key[0],
    body: Object.values<Json>(operation.requestBody?.content ?? {})[0]?.schema,
    parameters: operation.parameters ?? [],
  })),
)
const guarded = operations.filter(({ scope }) => scope !== undefined)

/** What a name in an address stands for: a record of ours, or one that nobody has. */
interface Naming {
  id: string
  system: string
  ref_id: string
  code: string
  delivery_id: string
}
const nobodys: Naming = {
  id: newId(),
  delivery_id: newId(),
  system: ourRef.system,
  ref_id: 'nobodys',
  code: 'partnership-review',
}

const kindOf = ({ path }: Operation): string => path.split('/')[2] ?? ''
const oursFor = (operation: Operation): Naming => ({
  id: ours[kindOf(operation)] ?? nobodys.id,
  delivery_id: ours['webhook-deliveries'] ?? '',
  system: ourRef.system,
  ref_id: ourRef.id,
  code: nobodys.code,
})

const addressOf = ({ path }: Operation, naming: Naming): string =>
  path.replace(/\{(\w+)\}/g, (_, name: keyof Naming) => naming[name])

/** The parameters without which an operation is not asked: the records that they name are ours, or nobody's. */
function neededBy({ parameters }: Operation, naming: Naming): string {
  const needed = parameters.filter((parameter) => parameter.in === 'query' && parameter.required)
  const values = needed.map(({ name }) => `${name}=${naming === nobodys ? nobodys.id : (ours[named(name)] ?? '')}`)
  return values.length > 0 ? `?${values.join('&')}` : ''
}
const named = (name: string): string => `${name.replace(/_id$/, '').replaceAll('_', '-')}s`

const bodyOf = ({ body }: Operation): unknown => (body ? exampleOf(body, { whole: false, schemas }) : undefined)

async function ask(
  as: Service,
  operation: Operation,
  naming: Naming,
  options: CallOptions & { body?: unknown; query?: string } = {},
): Promise<Answer> {
  const { body = bodyOf(operation), query = neededBy(operation, naming), ...rest } = options
  return as.call(operation.method, `${addressOf(operation, naming)}${query}`, body, { ifMatch: '*', ...rest })
}

/** An answer without what differs from request to request, and without the names that it was asked with. */
function masked({ status, text, headers }: Answer, naming: Naming): string {
  const kept = Object.entries(headers).filter(
    ([name]) => !['x-request-id', 'date', 'ratelimit', 'content-length', 'location'].includes(name),
  )
  return (
    `${status} ${JSON.stringify(kept)} ${text}`
      .replaceAll(headers['x-request-id'] as string, 'REQUEST')
      .replaceAll(naming.id, 'ID')
      .replace(new RegExp(`"(${ourRef.id}|${nobodys.ref_id})"`, 'g'), 'REF')
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'MADE')
      .replace(/beide_\w+/g, 'KEY')
      // The ETag of an export stands for the filter too.
      .replace(/"\\"\d+-[\w-]+\\""/, 'ETAG')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)/g, 'NOW')
  )
}

const showsOurs = (answer: Answer, asked: string[]): string[] =>
  [...ourIds].filter((id) => answer.text.includes(id) && !asked.includes(id))

t.test('no operation is left out of this test', async (t) => {
  const uncovered = guarded
    .filter((operation) => {
      const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
      return names.includes('id') ? !ours[kindOf(operation)] : names.some((name) => !(name in nobodys))
    })
    .map(({ id }) => id)
    .sort()
  const committed = await readFile(new URL('uncovered-operations.txt', import.meta.url), 'utf8')
  t.same(
    uncovered,
    committed.split('\n').filter(Boolean),
    'oneOfEach makes one record of each kind that has an address',
  )
})

t.test('a request without a good credential is refused', async (t) => {
  const { key } = service
  const expired = await service.make('/v1/api-keys', { name: 'Revoked', scopes: ['admin'] })
  await service.call('POST', `/v1/api-keys/${expired.id}/revoke`)
  const bad: Record<string, string | null> = {
    none: null,
    'of no form': 'hello',
    unknown: makeKey().key,
    'with another secret': `${key.slice(0, -4)}${key.endsWith('0000') ? '1111' : '0000'}`,
    revoked: expired.key,
  }
  for (const operation of guarded) {
    for (const [what, credential] of Object.entries(bad)) {
      const answer = await ask(service, operation, oursFor(operation), { key: credential })
      if (answer.status !== 401) t.fail(`${operation.id} takes a credential ${what}: ${answer.status}`)
    }
    const answer = await ask(service, operation, oursFor(operation), { key: null })
    isProblem(t, answer, 'unauthenticated')
    t.equal(answer.headers['www-authenticate'], 'Bearer realm="beide"', operation.id)
  }
})

t.test('a key without the scope is refused, and told which', async (t) => {
  const keys = new Map<string, string>()
  for (const scope of scopes) {
    const others = scopes.filter((held) => held !== scope && held !== 'admin')
    keys.set(scope, await service.keyWith(others))
  }
  for (const operation of guarded) {
    const scope = operation.scope as Scope
    const answer = await ask(service, operation, oursFor(operation), { key: keys.get(scope) as string })
    isProblem(t, answer, 'forbidden')
    t.equal(answer.body.scope, scope, operation.id)
    t.match(answer.body.detail, scope)
  }
})

t.test('what is another tenant’s is as what is not there', async (t) => {
  for (const operation of guarded) {
    await t.test(operation.id, async (t) => {
      const naming = oursFor(operation)
      const [theirs, nothing] = [await ask(stranger, operation, naming), await ask(stranger, operation, nobodys)]
      t.equal(masked(theirs, naming), masked(nothing, nobodys))
      t.same(showsOurs(theirs, [naming.id]), [])
      if (operation.path.includes('{id}')) isProblem(t, theirs, 'not_found')
      else if (operation.path.includes('{ref_id}') && operation.method === 'GET') isProblem(t, theirs, 'not_found')
    })
  }
})

t.test('filters and bodies that name records of another tenant find nothing', async (t) => {
  for (const operation of guarded) {
    const { parameters, body } = operation
    const naming = nobodys
    const filters = parameters.filter((parameter) => parameter.in === 'query' && parameter.schema.format === 'uuid')
    for (const { name } of filters) {
      const nothing = await ask(stranger, operation, naming, { query: `?${name}=${nobodys.id}` })
      for (const id of oursNamed(name, operation)) {
        const theirs = await ask(stranger, operation, naming, { query: `?${name}=${id}` })
        t.equal(masked(theirs, { ...naming, id }), masked(nothing, nobodys), `${operation.id}?${name}`)
      }
    }
    if (!body || operation.path.includes('{id}')) continue
    const example = bodyOf(operation) as Json
    for (const name of namesIn(body)) {
      const nothing = await ask(stranger, operation, naming, { body: withName(example, body, name, nobodys.id) })
      for (const id of oursNamed(name, operation)) {
        const theirs = await ask(stranger, operation, naming, { body: withName(example, body, name, id) })
        t.equal(masked(theirs, { ...naming, id }), masked(nothing, nobodys), `${operation.id} ${name}`)
        t.same(showsOurs(theirs, [id]), [])
      }
    }
  }
})

/** The records of ours that a member may name: those of the kind that its name ends in, of its own kind, or any. */
function oursNamed(name: string, operation: Operation): string[] {
  const noun = name.replace(/^.*\./, '').replace(/_ids?$/, '')
  const kinds = Object.keys(ours).filter((kind) => noun.endsWith(kind.replaceAll('-', '_').replace(/s$/, '')))
  const own = ['parent', 'predecessor'].includes(noun) && kindOf(operation) in ours ? [kindOf(operation)] : []
  const named = [...kinds, ...own]
  return (named.length > 0 ? named : Object.keys(ours)).map((kind) => ours[kind] as string)
}

const resolved = (schema: Json): Json => (schema.$ref ? schemas[schema.$ref.split('/').at(-1)] : schema)
const isId = (schema: Json): boolean => schema?.format === 'uuid'

/** The members of a body that name a record: `parent_id`, `in_return_for[]`, `parties[].organisation_id`. */
function namesIn(body: Json): string[] {
  return Object.entries<Json>(resolved(body).properties ?? {}).flatMap(([name, member]) => {
    if (isId(member)) return [name]
    if (member.type !== 'array') return []
    const items = resolved(member.items)
    if (isId(items)) return [`${name}[]`]
    return Object.entries<Json>(items.properties ?? {}).flatMap(([inner, part]) =>
      isId(part) ? [`${name}[].${inner}`] : [],
    )
  })
}

function withName(example: Json, body: Json, name: string, id: string): Json {
  const [member = '', inner] = name.split('[]')
  if (!name.includes('[]')) return { ...example, [member]: id }
  if (!inner) return { ...example, [member]: [id] }
  const item = exampleOf(resolved(body).properties[member].items, { whole: false, schemas }) as Json
  return { ...example, [member]: [{ ...item, [inner.slice(1)]: id }] }
}

t.test('what is asked for here is there for us: nothing above is 404 for want of a record', async (t) => {
  for (const operation of guarded) {
    const naming = oursFor(operation)
    const answer = await ask(service, operation, naming, { ifMatch: '"999999"' })
    t.not(answer.status, 404, `${operation.id}: ${answer.text}`)
    if (operation.method === 'GET') t.equal(answer.status, 200, operation.id)
  }
})
