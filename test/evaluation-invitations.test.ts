import t from 'tap'
import { startService } from './support/harness.ts'
import { answersWith, faults, partnershipOf, plan, respond, roundIn, stepRound, untold } from './support/rounds.ts'

const shared = await startService(t)

t.test('a party is invited by its id, its organisation or its reference, with a contact of its own', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service, 'active', ['company', 'non_profit', 'public'])
  const [company, charity, authority] = partnership.parties
  const contacts = `/v1/organisations/${charity.organisation_id}/contacts`
  const contact = await service.make(contacts, { name: 'Noor de Vries', function: 'alliance_manager' })
  const organisation = `/v1/organisations/${authority.organisation_id}`
  const refs = { external_refs: [{ system: 'crm', id: 'O-3' }] }
  t.equal((await service.call('PATCH', organisation, refs, { ifMatch: '"1"' })).status, 200)

  const round = await plan(service, partnership)
  const path = `/v1/evaluations/${round.id}/invitations`
  const first = await service.call('POST', path, { party_id: company.id.toUpperCase(), function: 'executive_sponsor' })
  t.equal(first.status, 201)
  t.equal(first.headers['location'], `/v1/evaluation-invitations/${first.body.id}`)
  t.match(first.body, {
    evaluation_id: round.id,
    party_id: company.id,
    contact_id: null,
    status: 'pending',
    version: 1,
  })
  const second = await service.make(path, { organisation_id: charity.organisation_id, contact_id: contact.id })
  t.match(second, { party_id: charity.id, contact_id: contact.id, function: null })
  const third = await service.make(path, { organisation_ref: { system: 'crm', id: 'O-3' } })
  t.equal(third.party_id, authority.id)

  t.strictSame((await service.get(path)).body.data, [first.body, second, third].map(untold))
  t.strictSame((await service.get(`${path}?party_id=${charity.id}`)).body.data, [untold(second)])
  t.strictSame((await service.get(`/v1/evaluation-invitations/${second.id}`)).body, untold(second))
})

t.test('an invitation that is wrong is refused with each reason', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const other = await partnershipOf(service)
  const [company, charity] = partnership.parties
  const contacts = `/v1/organisations/${charity.organisation_id}/contacts`
  const contact = await service.make(contacts, { name: 'Noor de Vries', function: 'alliance_manager' })
  const round = await plan(service, partnership)
  const path = `/v1/evaluations/${round.id}/invitations`
  const refused = async (body: object) => {
    const answer = await service.call('POST', path, body)
    return [answer.status, ...faults(answer)]
  }
  t.strictSame(await refused({}), [422, '/party_id required'])
  t.strictSame(await refused({ party_id: other.parties[0].id }), [422, '/party_id unknown_reference'])
  const { organisation_id } = other.parties[0]
  t.strictSame(await refused({ organisation_id }), [422, '/organisation_id unknown_reference'])
  const organisation_ref = { system: 'crm', id: 'none' }
  t.strictSame(await refused({ organisation_ref }), [422, '/organisation_ref unknown_reference'])
  t.strictSame(await refused({ party_id: company.id, organisation_ref }), [422, '/party_id exclusive'])
  t.strictSame(await refused({ party_id: company.id, contact_id: contact.id }), [422, '/contact_id unknown_reference'])
  t.strictSame(await refused({ party_id: company.id, function: 'boss' }), [400, '/function enum'])

  await service.make(path, { party_id: company.id })
  const twice = await service.call('POST', path, { party_id: company.id })
  t.strictSame([twice.status, twice.body.code], [409, 'duplicate'])
  for (const status of ['closed', 'concluded', 'cancelled']) {
    const { id } = await roundIn(service, partnership, status)
    const late = await service.call('POST', `/v1/evaluations/${id}/invitations`, { party_id: company.id })
    t.strictSame([late.status, late.body.code], [409, 'state_forbids'], status)
  }
})

t.test('an invitation is taken back while the round is planned, and when it was declined', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const round = await plan(service, partnership)
  const path = `/v1/evaluations/${round.id}/invitations`
  const { id } = await service.make(path, { party_id: partnership.parties[0].id })
  const early = await service.step(`/v1/evaluation-invitations/${id}`, 'decline')
  t.strictSame([early.status, early.body.code], [409, 'state_forbids'], 'nobody is asked yet')
  t.equal((await service.call('DELETE', `/v1/evaluation-invitations/${id}`)).status, 428)
  t.equal((await service.call('DELETE', `/v1/evaluation-invitations/${id}`, undefined, { ifMatch: '"2"' })).status, 412)
  t.equal((await service.call('DELETE', `/v1/evaluation-invitations/${id}`, undefined, { ifMatch: '"1"' })).status, 204)
  t.equal((await service.get(`/v1/evaluation-invitations/${id}`)).status, 404)

  await stepRound(service, round, 'open', { invite_all_parties: true })
  const [pending] = (await service.get(path)).body.data
  const one = `/v1/evaluation-invitations/${pending.id}`
  const held = await service.call('DELETE', one, undefined, { ifMatch: '*' })
  t.strictSame([held.status, held.body.code], [409, 'state_forbids'])
  await service.step(one, 'decline')
  const answered = await service.call('POST', `/v1/evaluations/${round.id}/responses`, {
    party_id: pending.party_id,
    answers: answersWith(3),
  })
  t.strictSame([answered.status, answered.body.code], [409, 'state_forbids'])
  t.equal((await service.call('DELETE', one, undefined, { ifMatch: '"2"' })).status, 204)
  await service.make(path, { party_id: pending.party_id })
  await respond(service, round, { id: pending.party_id })
})
