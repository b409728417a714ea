import t from 'tap'
import { everyOperation, type Operation } from './support/every-operation.ts'
import type { Json } from './support/harness.ts'
import { oneOfEach, startForAll } from './support/one-of-each.ts'
import { isProblem } from './support/problem.ts'
import { allianceTakenOver } from './support/promises.ts'

// What the contract says of merge patches is what the service does with them.

const service = await startForAll(t)
const ours = await oneOfEach(service)
const { operations, oursFor, ask } = everyOperation(service, ours)
const { schemas } = service.document.components
const patches = operations.filter(({ method }) => method === 'PATCH')

const resolved = (schema: Json): Json => (schema.$ref ? schemas[schema.$ref.split('/').at(-1)] : schema)
const takesNull = ({ type, anyOf = [] }: Json): boolean =>
  [type].flat().includes('null') || anyOf.some((one: Json) => one.type === 'null')

interface Cleared {
  path: string[]
  isNullable: boolean
}

/** Every member of a patch, however deep, and whether null is among what it may be. */
function membersOf(schema: Json, within: string[] = []): Cleared[] {
  const forms = [schema, ...(schema.anyOf ?? [])].map(resolved)
  return forms.flatMap(({ type, properties = {}, additionalProperties }) => {
    if (![type].flat().includes('object')) return []
    const map: Json = typeof additionalProperties === 'object' ? { fr: additionalProperties } : {}
    return Object.entries<Json>({ ...properties, ...map }).flatMap(([name, member]) => [
      { path: [...within, name], isNullable: takesNull(member) },
      ...membersOf(member, [...within, name]),
    ])
  })
}

const clearing = (path: string[]): Json => path.reduceRight<Json>((inner, name) => ({ [name]: inner }), null)
const patch = (operation: Operation, body: Json) => ask(service, operation, oursFor(operation), { body })

/** What the commitment here has to have as long as it is of money. */
const ofMoney = new Set(['/measure/amount', '/measure/currency'])

t.test('null is taken where the contract says so, and nowhere else', async (t) => {
  t.ok(patches.length > 11)
  const seen = new Map<boolean, Set<string>>([
    [true, new Set()],
    [false, new Set()],
  ])
  for (const operation of patches) {
    for (const { path, isNullable } of membersOf(operation.body)) {
      const pointer = `/${path.join('/')}`
      const answer = await patch(operation, clearing(path))
      const named = answer.status === 400 && answer.body.errors.some((fault: Json) => fault.pointer === pointer)
      const what = `${operation.id} ${pointer}: ${answer.text}`
      seen.get(isNullable)?.add(`${operation.id} ${pointer}`)
      if (!isNullable) {
        t.ok(named, what)
        isProblem(t, answer, 'invalid_request')
      } else if (ofMoney.has(pointer))
        t.match(answer, { status: 400, body: { errors: [{ pointer, code: 'required' }] } })
      else if (path.length === 1) t.not(answer.status, 400, what)
      else t.notOk(named, what)
      t.ok(answer.status < 500, what)
    }
  }
  for (const member of [
    'update_organisation /name',
    'update_organisation /industry/scheme',
    'update_commitment /measure',
    'update_commitment /measure/type',
    'update_commitment /from_organisation_ref/id',
    'update_evaluation_decision /status',
  ])
    t.ok(seen.get(false)?.has(member), member)
  for (const member of [
    'update_organisation /status',
    'update_organisation /industry',
    'update_commitment /measure/unit',
    'update_partnership /purpose/why/fr',
    'update_evaluation_template /title/fr',
  ])
    t.ok(seen.get(true)?.has(member), member)
})

t.test('no member of a patch has to be there, but what stands in the place of another is whole', async (t) => {
  const needed = new Set<string>()
  const gather = (schema: Json): void => {
    const { required = [], properties = {}, anyOf = [] } = resolved(schema)
    for (const name of required) needed.add(`${schema.$ref?.split('/').at(-1)} ${name}`)
    for (const part of [...Object.values<Json>(properties), ...anyOf]) gather(part)
  }
  for (const { body } of patches) gather(body)
  t.same([...needed].sort(), ['Ref id', 'Ref system'])
})

t.test('objects are merged, and every fault is told at once', async (t) => {
  const path = `/v1/organisations/${ours['organisations']}`
  const change = (address: string, body: Json) => service.call('PATCH', address, body, { ifMatch: '*' })
  const industry = { scheme: 'sbi', code: '94.99' }
  t.same((await change(path, { industry })).body.industry, industry)
  t.same((await change(path, { industry: { code: '88.99' } })).body.industry, { ...industry, code: '88.99' })
  const bad = await change(path, { name: null, sector: 'club', industry: { scheme: 'own', kind: 'x' }, parent_ref: {} })
  isProblem(t, bad, 'invalid_request')
  t.same(bad.body.errors.map(({ pointer, code }: Json) => `${pointer} ${code}`).sort(), [
    '/industry/kind unknown',
    '/industry/scheme enum',
    '/name type',
    '/parent_ref/id required',
    '/parent_ref/system required',
    '/sector enum',
  ])
  t.match(bad.body.errors.find(({ pointer }: Json) => pointer === '/name').detail, /not null/)
  t.equal((await change(path, { industry: null })).body.industry, null)
  const half = await change(path, { industry: { code: '88.99' } })
  t.match(half, { status: 400, body: { errors: [{ pointer: '/industry/scheme', code: 'required' }] } })
})

t.test('a measure of one kind becomes one of the other by clearing what that had', async (t) => {
  const seats = await allianceTakenOver(service)
  const draft = await service.make('/v1/commitments', {
    partnership_id: seats.partnership.id,
    from_party_id: seats.company,
    to_party_id: seats.charity,
    kind: 'pro_bono_services',
    title: 'Legal advice',
    measure: { type: 'money', amount: '1000.00', currency: 'EUR' },
    schedule: { frequency: 'monthly', starts_on: '2026-01-01', count: 12 },
  })
  const change = (body: Json) => service.call('PATCH', `/v1/commitments/${draft.id}`, body, { ifMatch: '*' })
  const more = await change({ measure: { amount: '2000' }, schedule: { count: null, ends_on: '2026-06-30' } })
  t.match(more.body, {
    measure: { type: 'money', amount: '2000.00', currency: 'EUR' },
    schedule: { frequency: 'monthly', starts_on: '2026-01-01', count: null, ends_on: '2026-06-30' },
  })
  const hours = { type: 'quantity', quantity: '40', unit: 'hour' }
  const both = await change({ measure: hours })
  isProblem(t, both, 'invalid_request')
  t.same(both.body.errors.map(({ pointer, code }: Json) => `${pointer} ${code}`).sort(), [
    '/measure/amount unknown',
    '/measure/currency unknown',
  ])
  t.same((await change({ measure: { ...hours, amount: null, currency: null } })).body.measure, hours)
})
