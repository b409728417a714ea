import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import t from 'tap'
import { scopes } from '../src/platform/scopes.ts'
import { followed } from './support/contract.ts'
import { type Json, startService } from './support/harness.ts'

const service = await startService(t)
const { document } = service
const published: Json = (await service.get('/openapi.json', { key: null })).body

interface Found {
  name: string
  operation: Json
}
const operations: Found[] = Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
  Object.entries<Json>(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
)

/** Every schema in a part of the document, with where it stands. */
function* schemasIn(part: Json, pointer = ''): Generator<[string, Json]> {
  if (typeof part !== 'object' || part === null) return
  if (!Array.isArray(part)) yield [pointer, part]
  for (const [key, member] of Object.entries(part)) yield* schemasIn(member, `${pointer}/${key}`)
}

t.test('the document is valid OpenAPI 3.1', async (t) => {
  const result = await new Validator().validate(structuredClone(published))
  t.same(result.errors ?? [], [])
  t.ok(result.valid)
  t.equal(document.openapi, '3.1.0')
})

t.test('every operation is named, tagged, summed up and guarded', async (t) => {
  const tags = document.tags.map((tag: { name: string }) => tag.name)
  const anyones: string[] = []
  for (const { name, operation } of operations) {
    t.match(operation.operationId, /^[a-z][a-z0-9_]*$/, name)
    t.equal(operation.tags.length, 1, name)
    t.ok(tags.includes(operation.tags[0]), `${name}: ${operation.tags[0]} is described`)
    t.match(operation.summary, /\S/, name)
    if (operation.security.length === 0) continue
    const [scope] = operation.security[0].api_key
    t.same(operation.security, [{ api_key: [scope ?? []].flat() }, { access_token: [scope ?? []].flat() }])
    if (scope === undefined) anyones.push(operation.operationId)
    else t.ok(scopes.includes(scope), `${name}: ${scope}`)
    for (const status of [401, 403, 429, 500, 503]) t.ok(operation.responses[status], `${name} documents ${status}`)
  }
  t.same(anyones, ['get_me'], 'nothing else asks for no scope')
  t.same(
    operations.filter(({ operation }) => operation.security.length === 0).map(({ operation }) => operation.operationId),
    [
      'get_liveness',
      'get_readiness',
      'get_problem_type',
      'get_protected_resource',
      'get_answer_form',
      'save_answer_draft',
      'submit_answers',
      'decline_answers',
    ],
    'nothing else is open to everyone',
  )
  t.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, operations.length)
})

t.test('every JSON body has an example that is as the schema says', async (t) => {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  ;(addFormats as unknown as (ajv: Ajv2020) => void)(ajv)
  ajv.addSchema({ $id: 'contract', components: { schemas: document.components.schemas } })
  const bodies = operations.flatMap(({ name, operation }) => [
    ...Object.values<Json>(operation.requestBody?.content ?? {}).map((media) => ({ name: `${name} asked`, media })),
    ...Object.entries<Json>(operation.responses).flatMap(([status, answer]) =>
      Object.entries<Json>(answer.content ?? {}).flatMap(([type, media]) =>
        type === 'application/json' ? [{ name: `${name} ${status}`, media }] : [],
      ),
    ),
  ])
  t.ok(bodies.length > operations.length)
  for (const { name, media } of bodies) {
    const { $ref, value } = media.examples?.example ?? {}
    const example = $ref ? document.components.examples[$ref.split('/').at(-1)].value : value
    const schema = JSON.parse(JSON.stringify(media.schema).replaceAll('"#/components/', '"contract#/components/'))
    if (example === undefined) t.fail(`${name} has no example`)
    else if (!ajv.validate(schema, example)) t.fail(`${name}: ${ajv.errorsText()} ${JSON.stringify(example)}`)
  }
})

t.test('schemas are written as OpenAPI 3.1 has them', async (t) => {
  const seen = new Map<string, string>()
  const faults: string[] = []
  for (const [pointer, schema] of schemasIn({ paths: document.paths, schemas: document.components.schemas })) {
    if (typeof schema.nullable === 'boolean') faults.push(`${pointer} is not nullable by type`)
    if (schema.discriminator?.propertyName === undefined) continue
    const { mapping, propertyName } = schema.discriminator
    t.equal(Object.keys(mapping).length >= schema.oneOf.length, true, `${pointer} maps ${propertyName}`)
    for (const target of Object.values<string>(mapping)) {
      t.ok(document.components.schemas[target.split('/').at(-1) as string], target)
    }
  }
  for (const [pointer, schema] of schemasIn(document.paths)) {
    if (schema.type !== 'object' || Object.keys(schema.properties ?? {}).length < 2) continue
    if (pointer.includes('/parameters/')) continue
    const text = JSON.stringify(schema)
    if (seen.has(text)) faults.push(`${pointer} stands also at ${seen.get(text)}: make it a component`)
    seen.set(text, pointer)
  }
  t.same(faults, [])
})

t.test('header fields that operations look at, and those of answers, are described', async (t) => {
  const fieldsOf = ({ parameters = [] }: Json) =>
    parameters.flatMap(({ in: place, name }: Json) => (place === 'header' ? [name] : []))
  for (const { name, operation } of operations) {
    const isGuarded = operation.security.length > 0
    t.equal(fieldsOf(operation).includes('If-None-Match'), 304 in operation.responses, name)
    for (const [status, { headers }] of Object.entries<Json>(operation.responses)) {
      t.ok(headers['X-Request-Id'], `${name} ${status}`)
      for (const field of ['RateLimit', 'RateLimit-Policy'])
        t.equal(field in headers, isGuarded && status !== '401', `${name} ${status} ${field}`)
      if (['429', '503'].includes(status)) t.ok(headers['Retry-After'], `${name} ${status}`)
      if (['401', '403'].includes(status)) t.ok(headers['WWW-Authenticate'], `${name} ${status}`)
    }
  }
  const file = document.paths['/v1/exports/{id}/files/{name}'].get
  t.strictSame(fieldsOf(file), ['If-None-Match', 'Range', 'If-Range'])
  t.match(file.responses['416'].headers, { 'Content-Range': {} })
  t.strictSame(fieldsOf(document.paths['/v1/answers/{token}'].get), ['Draft-Key'])
})

t.test('what endpoints are sent is described', async (t) => {
  const { post } = published.webhooks.event
  t.strictSame(
    post.parameters.map(({ name }: Json) => name),
    ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
  )
  t.match(post.requestBody.content['application/json'].schema, { $ref: '#/components/schemas/WebhookMessage' })
  const listed: string[] = published.components.schemas.EventTypeFilter.enum
  for (const type of ['partnership.*', 'partnership.activated', 'pause.resumption_due']) t.ok(listed.includes(type))
})

t.test('a reader meets a collection before its records, and these before their steps', async (t) => {
  const depth = (path: string) => path.split('/').length
  const collections = Map.groupBy(Object.keys(document.paths), (path) => path.split('/').slice(0, 3).join('/'))
  t.strictSame(Object.keys(document.paths), [...collections.values()].flat(), 'each stands together')
  for (const [collection, within] of collections) {
    t.strictSame(
      within,
      within.toSorted((a, b) => depth(a) - depth(b)),
      collection,
    )
  }
})

t.test('a range in a query ends before its end', (t) => {
  const parameters = operations.flatMap(({ operation }) => operation.parameters ?? [])
  const ends = new Map<string, string>(
    parameters
      .filter(({ in: place, name }: Json) => place === 'query' && /(^|_)(before|until)$/.test(name))
      .map(({ name, description, schema }: Json) => [name, description ?? schema.description]),
  )
  t.ok(ends.has('due_before'))
  for (const [name, description] of ends) t.match(`${name}: ${description}`, /_before: .*before/i)
  t.end()
})

t.test('what operations share is said once', async (t) => {
  const { parameters, responses, headers } = published.components
  t.ok(parameters['If-Match'].required)
  t.ok(headers['X-Request-Id'])
  t.match(responses.NotFound, { content: { 'application/problem+json': {} } })
  const { patch } = published.paths['/v1/organisations/{id}']
  t.strictSame(patch.responses['404'], { $ref: '#/components/responses/NotFound' })
  t.ok(JSON.stringify(published).length < 0.9 * JSON.stringify(document).length)
})

t.test('what a member means stands beside the component that it is', async (t) => {
  const { Commitment, CommitmentFulfilment } = document.components.schemas
  t.strictSame(Commitment.properties.delivered, {
    $ref: '#/components/schemas/MeasureSum',
    description: 'Confirmed fulfilments less those that were reversed',
  })
  t.match(CommitmentFulfilment.properties.due.description, /^What was due by then/)
})

t.test('the committed and the served document are the same', async (t) => {
  t.same(followed(published), document)
})

t.test('what is written with commas is a parameter, and no member of a body', async (t) => {
  for (const [pointer, { description }] of schemasIn(document.components.schemas)) {
    t.notMatch(String(description ?? ''), /with commas/, pointer)
  }
})
