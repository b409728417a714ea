import t from 'tap'
import { startService } from './support/harness.ts'
import { faults, nowhere, openRound, partnershipOf, roundIn } from './support/rounds.ts'

const shared = await startService(t)

const period = { period_from: '2026-01-01', period_to: '2026-06-30' }

t.test('reading, planning and answering need scopes of their own', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const round = await openRound(service, partnership)
  const path = `/v1/evaluations/${round.id}`
  const [read, write, answer] = await Promise.all([
    service.keyWith(['evaluations:read']),
    service.keyWith(['evaluations:write']),
    service.keyWith(['evaluations:answer']),
  ])
  const needed = async (key: string, method: string, address: string, body?: object) =>
    (await service.call(method, address, body, { key, ifMatch: '"1"' })).body?.scope
  t.equal(await needed(answer, 'GET', path), 'evaluations:read')
  t.equal(await needed(write, 'GET', `${path}/scores`), 'evaluations:read')
  t.equal(await needed(write, 'GET', `${path}/responses`), 'evaluations:read')
  t.equal(await needed(read, 'POST', `${path}/invitations`, { party_id: nowhere }), 'evaluations:write')
  t.equal(await needed(answer, 'POST', `${path}/close`, {}), 'evaluations:write')
  t.equal(await needed(write, 'POST', `${path}/responses`, { answers: [] }), 'evaluations:answer')
  t.equal(await needed(write, 'POST', `${path}/statements`, { text: 'x' }), 'evaluations:answer')
  t.equal(await needed(write, 'POST', `/v1/evaluation-invitations/${nowhere}/decline`, {}), 'evaluations:answer')
})

t.test('of another tenant there is nothing to see or to write', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const round = await roundIn(service, partnership, 'concluded')
  const [invitation] = (await service.get(`/v1/evaluations/${round.id}/invitations`)).body.data
  const [decision] = (await service.get(`/v1/evaluations/${round.id}/decisions`)).body.data
  const { key } = await service.otherTenant('second')
  const path = `/v1/evaluations/${round.id}`
  const asked: [string, string, object?][] = [
    ['GET', path],
    ['PATCH', path, { title: 'x' }],
    ['GET', `${path}/invitations`],
    ['POST', `${path}/invitations`, { party_id: partnership.parties[0].id }],
    ['GET', `${path}/responses`],
    ['POST', `${path}/responses`, { party_id: partnership.parties[0].id, answers: [] }],
    ['GET', `${path}/scores`],
    ['GET', `${path}/decisions`],
    ['POST', `${path}/statements`, { party_id: partnership.parties[0].id, text: 'x' }],
    ['POST', `${path}/open`, {}],
    ['POST', `${path}/close`, {}],
    ['POST', `${path}/cancel`, { reason: 'x' }],
    ['GET', `/v1/evaluation-invitations/${invitation.id}`],
    ['DELETE', `/v1/evaluation-invitations/${invitation.id}`],
    ['POST', `/v1/evaluation-invitations/${invitation.id}/decline`, {}],
    ['GET', `/v1/evaluation-decisions/${decision.id}`],
    ['PATCH', `/v1/evaluation-decisions/${decision.id}`, { status: 'done' }],
  ]
  for (const [method, address, body] of asked) {
    const foreign = await service.call(method, address, body, { key, ifMatch: '*' })
    const missing = await service.call(method, address.replace(/[0-9a-f-]{36}/, nowhere), body, { key, ifMatch: '*' })
    const { instance: _a, ...told } = foreign.body
    const { instance: _b, ...nothing } = missing.body
    t.strictSame([foreign.status, told], [404, nothing], `${method} ${address}`)
  }
  const foreign = { partnership_id: partnership.id, kind: 'periodic', ...period }
  const planned = await service.call('POST', '/v1/evaluations', foreign, { key })
  t.strictSame([planned.status, faults(planned)], [422, ['/partnership_id unknown_reference']])
})
