import t from 'tap'
import { exampleOf } from '../src/platform/examples.ts'
import { everyOperation, type Naming } from './support/every-operation.ts'
import type { Json } from './support/harness.ts'
import { oneOfEach, startForAll } from './support/one-of-each.ts'
import { isProblem } from './support/problem.ts'

// What the service says of a record is not what a client may write: every member of every answer, in every write.

const service = await startForAll(t)
const ours = await oneOfEach(service)
const { operations, oursFor, ask } = everyOperation(service, ours)
const { schemas } = service.document.components
const resolved = (schema: Json): Json => (schema?.$ref ? schemas[schema.$ref.split('/').at(-1)] : schema) ?? {}

/** The names of all members of everything that is answered, however deep they stand. */
const answered = new Set<string>()
const reached = new Set<string>()
function gather(schema: Json): void {
  if (schema?.$ref) {
    if (reached.has(schema.$ref)) return
    reached.add(schema.$ref)
  }
  const { properties = {}, items, anyOf = [], oneOf = [], allOf = [] } = resolved(schema)
  for (const [name, property] of Object.entries<Json>(properties)) {
    answered.add(name)
    gather(property)
  }
  for (const part of [items, ...anyOf, ...oneOf, ...allOf]) if (part) gather(part)
}
for (const methods of Object.values<Json>(service.document.paths)) {
  for (const { responses } of Object.values<Json>(methods)) {
    for (const [status, { content = {} }] of Object.entries<Json>(responses)) {
      if (Number(status) < 300) for (const { schema } of Object.values<Json>(content)) gather(schema)
    }
  }
}

/** The value with every answered member that its schema does not take, in each of its closed objects, and where they stand. */
function overfull(value: Json, schema: Json, pointer = ''): { value: Json; added: string[] } {
  const { properties, items, additionalProperties } = resolved(schema)
  if (Array.isArray(value) && items) {
    const parts = value.map((item, at) => overfull(item, items, `${pointer}/${at}`))
    return { value: parts.map((part) => part.value), added: parts.flatMap(({ added }) => added) }
  }
  if (typeof value !== 'object' || value === null || !properties) return { value, added: [] }
  const made: Json = {}
  const added: string[] = []
  for (const [name, inner] of Object.entries<Json>(value)) {
    const part = overfull(inner, properties[name], `${pointer}/${name}`)
    made[name] = part.value
    added.push(...part.added)
  }
  if (additionalProperties !== false) return { value: made, added }
  for (const name of answered) {
    if (name in properties) continue
    made[name] = 'set by a client'
    added.push(`${pointer}/${name}`)
  }
  return { value: made, added }
}

t.test('no write takes a member that only answers have', async (t) => {
  t.ok(answered.size > 200)
  for (const name of ['id', 'version', 'created_at', 'updated_at', 'status', 'merged_into_id', 'outstanding', 'secret'])
    t.ok(answered.has(name), name)
  const writes = operations.filter(({ method, body }) => method !== 'GET' && resolved(body).properties)
  t.ok(writes.length > 60)
  for (const operation of writes) {
    const whole = exampleOf(operation.body, { whole: true, schemas })
    const { value, added } = overfull(whole, operation.body)
    t.ok(added.length > 100, operation.id)
    const naming = { ...oursFor(operation), token: 'A'.repeat(43) } as Naming
    const answer = await ask(service, operation, naming, { body: value })
    isProblem(t, answer, 'invalid_request')
    const unknown = new Set(
      answer.body.errors.filter(({ code }: Json) => code === 'unknown').map(({ pointer }: Json) => pointer),
    )
    t.same(
      added.filter((pointer) => !unknown.has(pointer)),
      [],
      `${operation.id} names each`,
    )
  }
})
