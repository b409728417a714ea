import t from 'tap'
import type { Json } from './support/harness.ts'
import { over, send, startImports } from './support/imports.ts'
import { oneOfEach, ourRef, startForAll } from './support/one-of-each.ts'

// What the contract shows as a request is a request that the service takes, where the records that it names are there.

const service = await startForAll(t)
const ours = await oneOfEach(service)
const { components, paths } = service.document
const partnership = (await service.get(`/v1/partnerships/${ours['partnerships']}`)).body
const bodyOf = (path: string, method = 'post'): Json => paths[path][method].requestBody.content
const exampleOf = (path: string, method = 'post'): Json =>
  components.examples[bodyOf(path, method)['application/json'].examples.example.$ref.split('/').at(-1)].value

/** Sends the example of an operation, with what it names replaced by what is there. */
async function take(path: string, there: Json = {}, { method = 'post', id = '' } = {}) {
  const body = { ...exampleOf(path, method), ...there }
  const address = path.replace('{id}', id).replace('{system}', 'examples').replace('{ref_id}', 'one')
  const options = method === 'put' ? {} : { ifMatch: '*' }
  const answer = await service.call(method.toUpperCase(), address, body, options)
  t.ok(answer.status < 300, `${method} ${path}: ${answer.text}`)
}

t.test('a file of each media type', async (t) => {
  await startImports(t, service)
  const content = bodyOf('/v1/imports')
  t.same(Object.keys(content).length, 4)
  for (const [type, { examples }] of Object.entries<Json>(content)) {
    const { value } = examples.example
    const answer = await send(service, typeof value === 'string' ? value : JSON.stringify(value), { type })
    t.equal(answer.status, 201, type)
    const done = await over(service, answer.body.id)
    t.match(done, { status: 'finished', invalid: 0, ambiguous: 0, waiting: 0 }, type)
    t.ok(done.created + done.unchanged > 1, type)
  }
})

t.test('pauses', async () => {
  const [{ id: initiated_by_party_id }] = partnership.parties
  await take('/v1/commitments/{id}/pause', { initiated_by_party_id }, { id: ours['commitments'] as string })
  await take('/v1/partnerships/{id}/pause', { initiated_by_party_id }, { id: partnership.id })
})

t.test('what a partnership contributes to an objective', async () => {
  const objective_ref = { system: 'examples', id: 'objective' }
  await service.make('/v1/objectives', {
    organisation_id: ours['organisations'],
    level: 'outcome',
    title: 'More children can swim',
    importance: 4,
    active_from: '2026-01-01',
    external_refs: [objective_ref],
  })
  await take('/v1/objective-links', { partnership_ref: ourRef, objective_ref })
})

t.test('what a disruption does to a partnership', async () => {
  for (const [id, path, method] of [
    ['first', '/v1/impacts', 'post'],
    ['second', '/v1/impacts/by-ref/{system}/{ref_id}', 'put'],
  ] as const) {
    const disruption_ref = { system: 'examples', id }
    await service.make('/v1/disruptions', {
      title: 'A fire',
      type: 'natural_disaster',
      started_on: '2026-02-01',
      external_refs: [disruption_ref],
    })
    await take(path, { disruption_ref, partnership_ref: ourRef }, { method })
  }
})

t.test('a new secret', async () => {
  await take('/v1/api-keys/{id}/rotate', {}, { id: ours['api-keys'] as string })
  await take('/v1/webhook-endpoints/{id}/rotate-secret', {}, { id: ours['webhook-endpoints'] as string })
})

t.test('a change of a template', () =>
  take('/v1/evaluation-templates/{id}', {}, { method: 'patch', id: ours['evaluation-templates'] as string }),
)

t.test('answers show what could be', async (t) => {
  const shown = (name: string): Json => components.examples[name].value
  t.match(shown('Import'), { status: 'queued', failure: null, started_at: null, finished_at: null })
  t.match(shown('EventPage').data[0], { type: 'objective.updated', changed: ['importance'], data: { importance: 5 } })
  t.match(shown('HistoryEntryPage').data[0], { from_status: 'proposed', to_status: 'active' })
  t.match(shown('OrganisationPage').next_cursor, /^[\w-]+$/)
})
