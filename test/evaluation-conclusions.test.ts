import t from 'tap'
import { type Json, startService } from './support/harness.ts'
import { conclusion, faults, nowhere, partnershipOf, roundIn, stepRound } from './support/rounds.ts'

const shared = await startService(t)

t.test('a round is concluded with decisions, and each side may have its say', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const [company, charity] = partnership.parties
  const round = await roundIn(service, partnership, 'closed')
  const path = `/v1/evaluations/${round.id}`
  const stated = await service.call('POST', `${path}/statements`, { party_id: charity.id, text: 'Wij blijven.' })
  t.strictSame([stated.status, stated.etag], [200, `"${round.version + 1}"`])
  const concluded = await stepRound(service, round, 'conclude', {
    conclusion: 'On, with fewer meetings.',
    decisions: [
      { aspect: 'how', decision: 'adapt', owner_organisation_id: company.organisation_id, due_on: '2026-09-01' },
      { aspect: 'why', decision: 'continue' },
    ],
    statements: [{ party_id: company.id, text: 'So do we.' }],
  })
  t.match(concluded, {
    status: 'concluded',
    conclusion: 'On, with fewer meetings.',
    concluded_at: concluded.updated_at,
  })
  t.strictSame(
    concluded.statements.map(({ party_id, text }: Json) => [party_id, text]),
    [
      [charity.id, 'Wij blijven.'],
      [company.id, 'So do we.'],
    ],
  )
  const { data } = (await service.get(`${path}/decisions`)).body
  t.strictSame(
    data.map(({ aspect, decision, rationale, due_on, owner_party_id, status }: Json) => ({
      aspect,
      decision,
      rationale,
      due_on,
      owner_party_id,
      status,
    })),
    [
      {
        aspect: 'how',
        decision: 'adapt',
        rationale: null,
        due_on: '2026-09-01',
        owner_party_id: company.id,
        status: 'open',
      },
      { aspect: 'why', decision: 'continue', rationale: null, due_on: null, owner_party_id: null, status: 'open' },
    ],
  )
  t.strictSame((await service.get(`/v1/evaluation-decisions/${data[0].id}`)).body, data[0])
  t.strictSame((await service.get(`${path}/decisions?status=done`)).body.data, [])
})

t.test('a conclusion needs a decision, and owners and speakers that take part', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const [company] = partnership.parties
  const round = await roundIn(service, partnership, 'closed')
  const path = `/v1/evaluations/${round.id}`
  const none = await service.step(path, 'conclude', { conclusion: 'On.', decisions: [] })
  t.strictSame([none.status, faults(none)], [400, ['/decisions min_items']])
  const wrong = await service.step(path, 'conclude', {
    conclusion: 'On.',
    decisions: [
      { aspect: 'how', decision: 'adapt', owner_party_id: nowhere },
      { aspect: 'what', decision: 'end', owner_organisation_ref: { system: 'crm', id: 'x' } },
    ],
    statements: [{ text: 'From nobody' }],
  })
  t.strictSame(
    [wrong.status, faults(wrong)],
    [
      422,
      [
        '/decisions/0/owner_party_id unknown_reference',
        '/decisions/1/owner_organisation_ref unknown_reference',
        '/statements/0/party_id required',
      ],
    ],
  )
  const statement = { party_id: company.id, text: 'Twice' }
  const twice = await service.step(path, 'conclude', { ...conclusion, statements: [statement, statement] })
  t.strictSame([twice.status, twice.body.code, faults(twice)], [409, 'duplicate', ['/statements/1/party_id taken']])
  t.equal((await service.get(path)).body.status, 'closed')
  t.strictSame((await service.get(`${path}/decisions`)).body.data, [], 'nothing of it stays')

  t.equal((await service.call('POST', `${path}/statements`, statement)).status, 200)
  const again = await service.call('POST', `${path}/statements`, statement)
  t.strictSame([again.status, again.body.code], [409, 'duplicate'])
  t.equal((await service.call('POST', `${path}/statements`, statement, { ifMatch: '"1"' })).status, 412)
  for (const status of ['planned', 'open', 'cancelled']) {
    const { id } = await roundIn(service, partnership, status)
    const early = await service.call('POST', `/v1/evaluations/${id}/statements`, statement)
    t.strictSame([early.status, early.body.code], [409, 'state_forbids'], status)
  }
})

t.test('a decision is followed up: its status, date and owner', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const [company, charity] = partnership.parties
  const round = await roundIn(service, partnership, 'concluded')
  const [decision] = (await service.get(`/v1/evaluations/${round.id}/decisions`)).body.data
  const path = `/v1/evaluation-decisions/${decision.id}`
  const patch = async (body: object) => service.call('PATCH', path, body, { ifMatch: (await service.get(path)).etag })

  const owned = await patch({ owner_party_id: company.id })
  t.match(owned.body, { version: 2, owner_party_id: company.id, due_on: '2026-09-01', status: 'open' })
  const passed = await patch({ owner_organisation_id: charity.organisation_id })
  t.equal(passed.body.owner_party_id, charity.id, 'named by its organisation, it takes the place of the owner before')
  const both = await patch({ owner_party_id: company.id, owner_organisation_id: charity.organisation_id })
  t.strictSame([both.status, faults(both)], [422, ['/owner_party_id exclusive']])
  const stranger = await patch({ owner_party_id: nowhere })
  t.strictSame([stranger.status, faults(stranger)], [422, ['/owner_party_id unknown_reference']])
  const done = await patch({ status: 'done', due_on: null, owner_party_id: null })
  t.match(done.body, { version: 4, status: 'done', due_on: null, owner_party_id: null })
  t.equal((await patch({ status: 'done' })).etag, '"4"', 'the same again changes nothing')
  const fixed = await patch({ decision: 'end', status: null })
  t.strictSame([fixed.status, faults(fixed)], [400, ['/decision unknown', '/status type']])
  t.strictSame(faults(await patch({ status: null })), ['/status type'])
  t.equal((await service.call('PATCH', path, { status: 'open' })).status, 428)
})
