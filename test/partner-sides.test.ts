import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { type Json, startService } from './support/harness.ts'
import { allianceOfPartners, portalKey } from './support/partners.ts'
import { agreed, allianceOfThree, commitment, faultsOf, pathOf } from './support/promises.ts'
import { individualRound } from './support/rounds.ts'
import { draft, leadTo, organisation, stepOf } from './support/world.ts'

// A partner neither decides for the other side nor learns what that has not told yet.

const clock = fixedClock('2026-03-01T12:00:00.000000Z')
const service = await startService(t, { clock })

const euros = (amount: string) => ({ type: 'money', amount, currency: 'EUR' })
const ofCommitment = ({ id }: Json, terms: object) => ({ commitments: [{ commitment_id: id, terms }] })

t.test('a correction that a partner proposes waits for those concerned', async (t) => {
  const { as, seats, companyKey, charityKey } = await allianceOfPartners(service)
  const gift = await agreed(as, seats)
  const correct = (proposed_by_party_id: string, changes: object, key: string) =>
    as.call(
      'POST',
      `/v1/partnerships/${seats.partnership.id}/amendments`,
      { cause: 'correction', proposed_by_party_id, changes },
      { key },
    )
  const lower = ofCommitment(gift, { measure: euros('1.00') })
  const both = [{ any_of: [seats.company] }, { any_of: [seats.charity] }]
  const own = await correct(seats.company, lower, companyKey)
  t.match(own, { status: 201, body: { status: 'proposed', cause: 'correction', required_assents: both } })
  const theirs = await correct(seats.charity, ofCommitment(gift, { title: 'Another' }), charityKey)
  t.match(theirs, { status: 201, body: { status: 'proposed', required_assents: both } })
  const purpose = { partnership: { purpose: { why: { en: 'Another' } } } }
  t.match(await correct(seats.charity, purpose, charityKey), { status: 201, body: { status: 'proposed' } })
  t.match((await as.get(pathOf(gift))).body, { title: gift.title, measure: gift.measure, version: gift.version })
  const accept = { party_id: seats.charity }
  const accepted = await as.call('POST', `/v1/amendments/${own.body.id}/accept`, accept, {
    key: charityKey,
    ifMatch: '*',
  })
  t.match(accepted, { status: 200, body: { status: 'accepted', cause: 'correction' } })
  t.match((await as.get(pathOf(gift))).body, { measure: euros('1.00') })
})

t.test('a third party corrects nobody’s promise by itself', async (t) => {
  const as = await service.afresh()
  const { other, ...seats } = await allianceOfThree(as)
  await leadTo(as, seats.partnership, 'active')
  const { organisation_id } = seats.partnership.parties.find(({ id }: Json) => id === other)
  const key = await portalKey(as, [{ id: organisation_id }])
  const gift = await agreed(as, seats)
  const write = { cause: 'correction', proposed_by_party_id: other, changes: ofCommitment(gift, { title: 'x' }) }
  const answer = await as.call('POST', `/v1/partnerships/${seats.partnership.id}/amendments`, write, { key })
  t.match(answer, { status: 201, body: { status: 'proposed' } })
  t.same(answer.body.required_assents, [{ any_of: [seats.company] }, { any_of: [seats.charity] }])
})

t.test('a partner that may not write commitments does not change them by amendment', async (t) => {
  const { as, seats, organisations, companyKey } = await allianceOfPartners(service)
  const narrow = await portalKey(as, [organisations.charity], ['partnerships:read', 'partnerships:write'])
  const gift = await agreed(as, seats)
  const at = `/v1/partnerships/${seats.partnership.id}/amendments`
  const write = { cause: 'renewal', changes: ofCommitment(gift, { title: 'Anders' }) }
  const refusal = { status: 403, body: { code: 'forbidden', scope: 'commitments:write' } }
  t.match(await as.call('POST', at, { ...write, proposed_by_party_id: seats.charity }, { key: narrow }), refusal)
  const proposed = await as.make(at, { ...write, proposed_by_party_id: seats.company }, { key: companyKey })
  const path = `/v1/amendments/${proposed.id}`
  const answer = { party_id: seats.charity }
  t.match(await as.call('POST', `${path}/accept`, answer, { key: narrow, ifMatch: '*' }), refusal)
  t.equal((await as.get(path)).body.status, 'proposed')
  t.equal((await as.call('POST', `${path}/reject`, answer, { key: narrow, ifMatch: '*' })).status, 200, 'it says no')
  const purpose = { cause: 'renewal', changes: { partnership: { purpose: { why: { en: 'Another' } } } } }
  const ofAll = await as.call('POST', at, { ...purpose, proposed_by_party_id: seats.charity }, { key: narrow })
  t.equal(ofAll.status, 201, 'and the partnership is its own to amend')
})

t.test('a partner declines no invitation of a person', async (t) => {
  const { as, seats, charityKey: key } = await allianceOfPartners(service)
  const { round } = await individualRound(as, seats.partnership, { company: 3, non_profit: 3 })
  const [invited] = (await as.get(`/v1/evaluations/${round.id}/invitations`, { key })).body.data
  const path = `/v1/evaluation-invitations/${invited.id}`
  const declined = await as.call('POST', `${path}/decline`, undefined, { key, ifMatch: '*' })
  t.match(declined, { status: 409, body: { code: 'state_forbids' } })
  t.equal((await as.get(path)).body.status, 'pending')
  t.equal(
    (await as.call('POST', `${path}/decline`, undefined, { ifMatch: '*' })).status,
    200,
    'the tenant’s people may',
  )
})

t.test('a draft is not told of by what is given in return for it', async (t) => {
  const { as, seats, charityKey, companyKey: key } = await allianceOfPartners(service)
  const draft = await commitment(as, seats, { from_party_id: seats.charity, to_party_id: seats.company })
  const gift = await commitment(as, seats, { in_return_for: [draft.id] })
  await stepOf(as, pathOf(gift), 'propose')
  const agree = { party_id: seats.charity }
  const answer = await as.call('POST', `${pathOf(gift)}/agree`, agree, { key: charityKey, ifMatch: '*' })
  t.same(answer.body.in_return_for, [], 'the answer to a write')
  const hers = await as.get(pathOf(gift), { key: charityKey })
  t.same([hers.etag, hers.body], [answer.etag, answer.body], 'one representation')
  const feed = async () => (await as.get('/v1/events?limit=500', { key })).body.data
  const last = async () => (await feed()).findLast(({ resource_id }: Json) => resource_id === gift.id)
  t.notMatch(JSON.stringify(await feed()), draft.id)
  t.notMatch((await as.get(`${pathOf(gift)}/terms`, { key })).text, draft.id)
  t.same((await as.get(pathOf(gift))).body.in_return_for, [draft.id], 'for its author it stands there')

  // The harness refuses two bodies under one ETag.
  const seen = async () => (await as.get(pathOf(gift), { key })).body
  const unproposed = await seen()
  await stepOf(as, pathOf(draft), 'propose')
  const proposed = await seen()
  t.same(proposed.in_return_for, [draft.id])
  t.match(await last(), { type: 'commitment.updated', changed: ['in_return_for'], data: proposed })
  await stepOf(as, pathOf(draft), 'withdraw')
  const withdrawn = await seen()
  t.same(withdrawn.in_return_for, [])
  t.same([proposed.version, withdrawn.version], [unproposed.version + 1, unproposed.version + 2])
  t.match((await last()).data, { version: withdrawn.version, in_return_for: [] })
})

t.test('what is offered in the place of a promise is shown as long as it is offered', async (t) => {
  const { as, seats, charityKey: key, companyKey } = await allianceOfPartners(service)
  const returns = { from_party_id: seats.charity, to_party_id: seats.company }
  for (const verb of ['withdraw', 'reject']) {
    const gift = await agreed(as, seats)
    const draft = await commitment(as, seats, { title: 'Offered' })
    const answering = await agreed(as, seats, { ...returns, in_return_for: [draft.id] })
    const seen = async () => (await as.get(pathOf(draft), { key })).status
    const named = async () => (await as.get(pathOf(answering), { key: companyKey })).body.in_return_for
    t.same([await seen(), await named()], [404, []])
    const offer = { reason: 'It rains', proposed_by_party_id: seats.company }
    const ids = { replaces_commitment_id: gift.id, by_commitment_id: draft.id }
    const substitution = await as.make('/v1/substitutions', { ...ids, ...offer })
    t.same([await seen(), await named()], [200, [draft.id]])
    const party_id = verb === 'withdraw' ? seats.company : seats.charity
    await stepOf(as, `/v1/substitutions/${substitution.id}`, verb, { party_id })
    t.same([await seen(), await named()], [404, []], verb)
    const open = (await as.get('/v1/commitments?status=draft', { key })).body.data
    t.same(open, [], 'what is a draft again is its author’s alone')
  }
})

t.test('the feed tells that a proposal was taken back, and no more of it', async (t) => {
  const { as, seats, organisations, charityKey: key } = await allianceOfPartners(service)
  const stranger = await portalKey(as, [await organisation(as, 'company', 'Nobody’s')])
  const feed = async (id: string, reader = key): Promise<Json[]> =>
    (await as.get('/v1/events?limit=500', { key: reader })).body.data.filter(
      ({ resource_id }: Json) => resource_id === id,
    )
  const typesOf = async (id: string, reader = key) => (await feed(id, reader)).map(({ type }) => type)
  const gift = await commitment(as, seats)
  await stepOf(as, pathOf(gift), 'propose')
  const before = await typesOf(gift.id)
  await stepOf(as, pathOf(gift), 'withdraw')
  await as.call('PATCH', pathOf(gift), { title: 'Thought of anew' }, { ifMatch: '*' })
  t.same(before, ['commitment.proposed'])
  t.equal((await as.get(pathOf(gift), { key })).status, 404)
  const told = (await feed(gift.id)).at(-1)
  t.match(told, { type: 'commitment.withdrawn', data: null, needs_scope: null })
  t.same(await feed(gift.id, stranger), [])

  const later = await organisation(as, 'non_profit', 'Asked later')
  const other = await draft(as, {
    parties: [
      { organisation_id: organisations.company.id, side: 'company' },
      { organisation_id: organisations.charity.id, side: 'non_profit' },
    ],
  })
  const path = `/v1/partnerships/${other.id}`
  await stepOf(as, path, 'propose')
  await stepOf(as, path, 'withdraw')
  const parties = [
    { organisation_id: organisations.company.id, side: 'company' },
    { organisation_id: later.id, side: 'non_profit' },
  ]
  t.equal((await as.call('PATCH', path, { parties }, { ifMatch: '*' })).status, 200)
  t.equal((await as.get(path, { key })).status, 404)
  t.match((await feed(other.id)).at(-1), { type: 'partnership.withdrawn', data: null })
  t.same(await feed(other.id, await portalKey(as, [later])), [], 'who is asked later never saw it')
  t.same(await feed(other.id, stranger), [])
})

t.test('a refusal tells a partner’s program what it tells every other', async (t) => {
  const { as, seats, companyKey: key } = await allianceOfPartners(service)
  const gift = await commitment(as, seats)
  await stepOf(as, pathOf(gift), 'propose')
  const agree = { party_id: seats.company }
  const wrong = await as.call('POST', `${pathOf(gift)}/agree`, agree, { key, ifMatch: '*' })
  t.match(wrong.body, { code: 'wrong_party', may_decide: [seats.charity] })
  const gone = await as.get('/v1/events?after=99999', { key })
  const { latest } = (await as.get('/v1/events', { key })).body
  t.match(gone.body, { code: 'gone', oldest_after: 0, latest })
})

t.test('a partner declares what a delivery is worth for its own side alone', async (t) => {
  const { as, seats, companyKey, charityKey } = await allianceOfPartners(service)
  const gift = await agreed(as, seats)
  const report = (reported_by_party_id: string, declared: readonly string[], key: string) => {
    const valuations = declared.map((declared_by, at) => ({
      money: { amount: '900.00', currency: 'EUR' },
      basis: at === 0 ? 'fair_value' : 'nominal',
      declared_by,
      valued_on: '2026-02-01',
    }))
    const body = { delivered_on: '2026-02-01', measure: euros('10.00'), reported_by_party_id, valuations }
    return as.call('POST', `${pathOf(gift)}/fulfilments`, body, { key })
  }
  t.same(faultsOf(await report(seats.company, ['giver', 'receiver'], companyKey)), [
    '/valuations/1/declared_by not_own_side',
  ])
  t.same(faultsOf(await report(seats.company, ['independent'], companyKey)), ['/valuations/0/declared_by not_own_side'])
  t.same(faultsOf(await report(seats.charity, ['giver'], charityKey)), ['/valuations/0/declared_by not_own_side'])
  t.equal((await report(seats.company, ['giver', 'giver'], companyKey)).status, 201)
  t.equal((await report(seats.charity, ['receiver'], charityKey)).status, 201)
  t.equal(
    (await report(seats.company, ['independent'], as.key)).status,
    201,
    'the tenant’s people record what others said',
  )
})

t.test('a partner whose organisation was merged is told into which, and acts by either id', async (t) => {
  const { as, seats, organisations } = await allianceOfPartners(service)
  const { charity } = organisations
  const merged = await organisation(as, 'non_profit', 'Dubbel')
  const key = await portalKey(as, [merged])
  const duplicate = { duplicate_id: merged.id, duplicate_version: 1 }
  const answer = await as.call('POST', `/v1/organisations/${charity.id}/merge`, duplicate, { ifMatch: '*' })
  t.equal(answer.status, 200, answer.text)
  const seen = (await as.call('POST', '/v1/organisations/lookup', { ids: [merged.id] }, { key })).body.data
  t.match(seen, [{ id: merged.id, merged_into_id: charity.id }])
  const feed = (await as.get('/v1/events?limit=500&types=organisation.merged', { key })).body.data
  t.match(feed, [
    { resource_id: merged.id, data: { merged_into_id: charity.id }, changed: ['merged_into_id', 'identifiers'] },
  ])
  const gift = await agreed(as, seats)
  const report = (reported_by_organisation_id: string) => {
    const body = { delivered_on: '2026-02-01', measure: euros('10.00'), reported_by_organisation_id }
    return as.call('POST', `${pathOf(gift)}/fulfilments`, body, { key })
  }
  for (const id of [merged.id, charity.id, merged.id.toUpperCase()])
    t.match(await report(id), { status: 201, body: { reported_by_party_id: seats.charity } })
  t.same(faultsOf(await report(organisations.company.id)), ['/reported_by_organisation_id not_own_party'])
})
