import t from 'tap'
import { partnerFields } from '../src/platform/partners/fields.ts'
import { partnerOperations, partnerScopes } from '../src/platform/partners/operations.ts'
import { importTypes } from '../src/transfer/imports/schemas.ts'
import { everyOperation, type Naming, namingOwn, type Operation } from './support/every-operation.ts'
import type { Json } from './support/harness.ts'
import { importFile, rowsOf, startImports } from './support/imports.ts'
import { oneOfEach, startForAll } from './support/one-of-each.ts'
import { isProblem } from './support/problem.ts'
import { wholeBodies } from './support/whole-bodies.ts'

// What the service says of a record is not what a client may write, and what is the tenant's own not what its partner may:
// every member of every answer, in every write, in each shape that a body can have.

const service = await startForAll(t)
const ours = await oneOfEach(service)
const { operations, oursFor, ask } = everyOperation(service, ours)
const { schemas } = service.document.components
const { bodiesOf, resolved, branchesOf } = wholeBodies(schemas)

/** The names of all members of everything that is answered, however deep they stand. */
const answered = new Set<string>()
const reached = new Set<string>()
function gather(schema: Json): void {
  if (schema?.$ref) {
    if (reached.has(schema.$ref)) return
    reached.add(schema.$ref)
  }
  const { properties = {}, items } = resolved(schema)
  for (const [name, property] of Object.entries<Json>(properties)) {
    answered.add(name)
    gather(property)
  }
  for (const part of [items, ...branchesOf(schema)]) if (part) gather(part)
}
const answersOf = ({ path, method }: Operation): Json[] =>
  Object.entries<Json>(service.document.paths[path][method.toLowerCase()].responses)
    .filter(([status]) => Number(status) < 300)
    .flatMap(([, { content = {} }]) => Object.values<Json>(content).map(({ schema }) => schema))
for (const operation of operations) for (const schema of answersOf(operation)) gather(schema)

const unknownTo = (properties: Json): string[] => [...answered].filter((name) => !(name in properties))
const writes = operations.filter(({ method, body }) => method !== 'GET' && resolved(body).properties)
const namingFor = (operation: Operation) => ({ ...oursFor(operation), token: 'A'.repeat(43) }) as Naming
const pointersOf = (errors: Json[], code: string): Set<string> =>
  new Set(errors.filter((each) => each['code'] === code).map(({ pointer }) => pointer))

t.test('no write takes a member that only answers have', async (t) => {
  t.ok(answered.size > 200)
  for (const name of ['id', 'version', 'created_at', 'updated_at', 'status', 'merged_into_id', 'outstanding', 'secret'])
    t.ok(answered.has(name), name)
  t.ok(writes.length > 60)
  const shapes = new Set<string>()
  for (const operation of writes) {
    for (const { value, added, chosen } of bodiesOf(operation.body, unknownTo)) {
      t.ok(added.length > 100, operation.id)
      const answer = await ask(service, operation, namingFor(operation), { body: value })
      isProblem(t, answer, 'invalid_request')
      const unknown = pointersOf(answer.body.errors, 'unknown')
      t.same(
        added.filter((pointer) => !unknown.has(pointer)),
        [],
        `${operation.id} names each, with ${chosen.join(', ')}`,
      )
      for (const name of chosen) shapes.add(name)
    }
  }
  for (const name of ['MoneyMeasure', 'QuantityMeasure', 'Ref', 'PurposeWrite', 'ScheduleWrite', 'Reach'])
    t.ok(shapes.has(name), name)
})

t.test('nor does a row of an import', async (t) => {
  await startImports(t, service)
  const rows = importTypes.flatMap((type) => {
    const component = `${type[0]?.toUpperCase()}${type.slice(1)}Row`
    return bodiesOf({ $ref: `#/components/schemas/${component}` }, unknownTo).map(({ value, added }) => ({
      row: { ...value, type },
      added: added.filter((pointer) => pointer !== '/type'),
    }))
  })
  const made = await importFile(
    service,
    rows.map(({ row }) => row),
    { query: '?dry_run=true' },
  )
  for (const [at, { outcome, faults }] of (await rowsOf(service, made)).entries()) {
    t.equal(outcome, 'invalid')
    const unknown = pointersOf(faults, 'unknown')
    t.ok((rows[at]?.added.length ?? 0) > 100)
    t.same(
      rows[at]?.added.filter((pointer) => !unknown.has(pointer)),
      [],
      rows[at]?.row.type,
    )
  }
})

/** What of the contract speaks of the tenant's own systems. */
const ofTenant = new Set(['Ref', 'ExternalRef', 'Metadata'])

t.test('no partner writes what is the tenant’s own, or what it is not shown', async (t) => {
  const { parties } = (await service.get(`/v1/partnerships/${ours['partnerships']}`)).body
  const organisation_ids = parties.map(({ organisation_id }: Json) => organisation_id)
  const { key } = await service.make('/v1/api-keys', { name: 'A portal', scopes: partnerScopes, organisation_ids })
  const seen = new Set<string>()
  for (const operation of writes.filter(({ id }) => id in partnerOperations)) {
    const [answer] = answersOf(operation).map(({ $ref }) => $ref.split('/').at(-1))
    const hidden = partnerFields[answer]?.hidden?.split(' ') ?? []
    for (const { value, parts } of bodiesOf(operation.body)) {
      const body = namingOwn(value, ours, parties[0].id)
      const refused = await ask(service, operation, oursFor(operation), { key, body })
      const { errors = [] } = refused.body
      const named = new Set(errors.map(({ pointer }: Json) => pointer))
      const isRefused = (pointer: string): boolean =>
        named.has(pointer) || (pointer !== '' && isRefused(pointer.slice(0, pointer.lastIndexOf('/'))))
      const theirs = parts.filter(
        ({ pointer, component }) => ofTenant.has(component ?? '') || hidden.includes(pointer.slice(1)),
      )
      for (const { pointer } of theirs) {
        t.ok(isRefused(pointer), `${operation.id} ${pointer}`)
        seen.add(pointer)
      }
      if (theirs.length > 0) t.match(refused, { status: 422, body: { code: 'rule_violated' } }, operation.id)
    }
  }
  for (const pointer of [
    '/external_refs/0',
    '/metadata',
    '/disruption_id',
    '/changes/commitments/0/terms/in_return_for/0',
  ])
    t.ok(seen.has(pointer), pointer)
})
