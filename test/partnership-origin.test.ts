import t from 'tap'
import { type Json, startService } from './support/harness.ts'
import { draft, pair, pauseOf, stepOf } from './support/world.ts'

const service = await startService(t)
const pathOf = ({ id }: Json): string => `/v1/partnerships/${id}`
const taken_over = { on: '2026-03-31', from_system: '360giving' }
const put = (id: string, body: object, key?: string) =>
  service.call('PUT', `/v1/partnerships/by-ref/360giving/${id}`, body, key === undefined ? {} : { key })

const toActive = ['two_parties', 'cross_sector', 'starts_on', 'assents', 'reciprocity']

t.test('a record from another system begins in the state it reached there, and says what it skipped', async (t) => {
  const expected: Record<string, string[]> = {
    draft: [],
    proposed: ['two_parties', 'cross_sector'],
    declined: ['two_parties', 'cross_sector', 'decline_reason'],
    active: toActive,
    paused: [...toActive, 'pause'],
    ending: [...toActive, 'ends_on', 'end_reason'],
    ended: [...toActive, 'ends_on', 'end_reason', 'commitments_open', 'exit_evaluation'],
  }
  for (const [status, waived_conditions] of Object.entries(expected)) {
    const made = await service.make('/v1/partnerships', { name: `Old, ${status}`, status, taken_over })
    t.match(made, { status, taken_over: { ...taken_over, note: null, status } })
    t.same(made.taken_over.waived_conditions, waived_conditions)
    const { body } = await service.get(`${pathOf(made)}/history`)
    t.match(body.data, [{ from_status: null, to_status: status, changed_on: '2026-03-31' }])
  }
})

t.test('taking over needs a scope of its own', async (t) => {
  const key = await service.keyWith(['partnerships:write'])
  const body = { name: 'Old', status: 'active', taken_over }
  const refused = await service.call('POST', '/v1/partnerships', body, { key })
  t.match(refused, { status: 403, body: { code: 'forbidden', scope: 'history:take_over' } })
  t.equal((await put('scoped', body, key)).status, 403)
  const both = await service.keyWith(['partnerships:write', 'history:take_over'])
  t.equal((await put('scoped', body, both)).status, 201)
  t.equal((await put('scoped', body, key)).status, 200, 'what repeats it takes nothing over')
})

t.test('the state is told only of what is taken over, and its reasons only of their states', async (t) => {
  const create = (body: object) => service.call('POST', '/v1/partnerships', { name: 'X', ...body })
  t.equal((await create({ status: 'draft' })).status, 201)
  const active = await create({ status: 'active' })
  t.match(active, { status: 422, body: { errors: [{ pointer: '/status', code: 'taken_over' }] } })
  const reasons = await create({ status: 'active', taken_over, end_reason: 'completed', decline_reason: 'No' })
  t.match(reasons, { status: 422, body: { errors: [{ pointer: '/end_reason' }, { pointer: '/decline_reason' }] } })
  t.match(await create({ status: 'ended', taken_over, end_reason: 'breach' }), {
    status: 201,
    body: { end_reason: 'breach' },
  })
  t.match(await create({ status: 'declined', taken_over, decline_reason: 'No' }), {
    status: 201,
    body: { decline_reason: 'No' },
  })
})

t.test('a second, identical load changes nothing', async (t) => {
  const { company, charity } = await pair(service)
  const write = {
    name: 'Funder – Charity',
    parties: [
      { organisation_id: company.id, side: 'company', role: 'lead' },
      { organisation_id: charity.id, side: 'non_profit' },
    ],
    relationship_type: 'philanthropic',
    starts_on: '2024-01-01',
    ends_on: '2025-12-31',
    base_currency: 'GBP',
    time_zone: 'Europe/London',
    status: 'ended',
    end_reason: 'completed',
    taken_over,
  }
  const first = await put('GB-1/GB-2'.replace('/', '%2F'), write)
  t.match(first, { status: 201, etag: '"1"', body: { status: 'ended', taken_over: { status: 'ended' } } })
  const second = await put('GB-1%2FGB-2', write)
  t.match(second, { status: 200, etag: '"1"' })
  t.same(second.body, first.body)
  const renamed = await put('GB-1%2FGB-2', { ...write, name: 'Renamed' })
  t.match(renamed, { status: 200, etag: '"2"', body: { name: 'Renamed', taken_over: { status: 'ended' } } })
  t.same(
    renamed.body.parties.map(({ id }: Json) => id),
    first.body.parties.map(({ id }: Json) => id),
  )
})

t.test('a repeated load leaves the life alone that a record has led here', async (t) => {
  const { company, charity } = await pair(service)
  const write = {
    name: 'Goes on',
    parties: [
      { organisation_id: company.id, side: 'company' },
      { organisation_id: charity.id, side: 'non_profit' },
    ],
    status: 'active',
    taken_over,
  }
  const { body } = await put('goes-on', write)
  await stepOf(service, pathOf(body), 'pause', pauseOf(body))
  const again = await put('goes-on', write)
  t.match(again, { status: 200, etag: '"2"', body: { status: 'paused' } })
  const bare = await put('goes-on', { name: 'Goes on', parties: write.parties })
  t.match(bare, { status: 200, etag: '"2"', body: { taken_over: { from_system: '360giving' } } })
})

t.test('where a record came from is kept for ever as it was told', async (t) => {
  const { body } = await put('kept', { name: 'Kept', status: 'active', taken_over: { ...taken_over, note: 'By hand' } })
  const patch = (change: object) => service.call('PATCH', pathOf(body), change, { ifMatch: '"1"' })
  for (const change of [
    { taken_over: null },
    { taken_over: { on: '2026-04-01' } },
    { taken_over: { from_system: 'crm' } },
    { taken_over: { note: null } },
  ]) {
    const answer = await patch(change)
    t.match(answer, { status: 409, body: { code: 'state_forbids', errors: [{ pointer: '/taken_over' }] } })
  }
  t.match(await patch({ taken_over: { ...taken_over, note: 'By hand' } }), { status: 200, etag: '"1"' })
  const otherwise = await put('kept', { name: 'Kept', status: 'ended', end_reason: 'completed', taken_over })
  t.match(otherwise, { status: 409 })
  t.same(
    otherwise.body.errors.map(({ pointer }: Json) => pointer),
    ['/taken_over', '/status', '/end_reason'],
  )
})

t.test('the state of a record that began here changes by steps alone', async (t) => {
  const made = await draft(service, { external_refs: [{ system: '360giving', id: 'here' }] })
  const patch = (change: object) => service.call('PATCH', pathOf(made), change, { ifMatch: '"1"' })
  t.match(await patch({ status: 'draft' }), { status: 200, etag: '"1"' }, 'an echo of it is no change')
  const answer = await patch({ status: 'active', end_reason: 'other', decline_reason: 'No', taken_over })
  t.match(answer, { status: 409, body: { code: 'state_forbids' } })
  t.same(
    answer.body.errors.map(({ pointer }: Json) => pointer),
    ['/taken_over', '/status', '/end_reason', '/decline_reason'],
  )
  t.match(await put('here', { name: 'Here', taken_over }), { status: 409 })
})

t.test('what was taken over as paused goes on without a pause of its own', async (t) => {
  const { body } = await put('paused', { name: 'Paused', status: 'paused', taken_over })
  t.equal(body.pause, null)
  t.match(await stepOf(service, pathOf(body), 'resume'), { status: 'active', version: 2 })
})
