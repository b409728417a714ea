import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { type Answer, type Json, startService } from './support/harness.ts'
import {
  answersWith,
  conclusion,
  openRound,
  partnershipOf,
  plan,
  respond,
  review,
  roundIn,
  stepRound,
} from './support/rounds.ts'

const shared = await startService(t)

const nowhere = '01990000-0000-7000-8000-000000000000'

/** Pointer and code of every fault. */
const faults = ({ body }: Answer) => body.errors.map(({ pointer, code }: Json) => `${pointer} ${code}`)

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

  t.strictSame((await service.get(path)).body.data, [first.body, second, third])
  t.strictSame((await service.get(`${path}?party_id=${charity.id}`)).body.data, [second])
  t.strictSame((await service.get(`/v1/evaluation-invitations/${second.id}`)).body, second)
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

t.test('a response is taken with a receipt that holds none of the answers', async (t) => {
  const clock = fixedClock('2026-06-15T10:00:00Z')
  const service = await startService(t, { clock })
  const partnership = await partnershipOf(service)
  const round = await openRound(service, partnership)
  const path = `/v1/evaluations/${round.id}/responses`
  const [, charity] = partnership.parties
  const body = { organisation_id: charity.organisation_id, answers: answersWith(1, 'Een geheim') }
  const answer = await service.call('POST', path, body)
  t.equal(answer.status, 201)
  t.equal(answer.headers['location'], path)
  const { id: _, ...receipt } = answer.body
  t.strictSame(receipt, {
    evaluation_id: round.id,
    party_id: charity.id,
    submitted_at: '2026-06-15T10:00:00.000000Z',
    evaluation_status: 'open',
  })
  const again = await service.call('POST', path, { party_id: charity.id, answers: [] })
  t.strictSame([again.status, again.body.code], [409, 'duplicate'])
})

t.test('every fault of a response is named at once', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const round = await openRound(service, partnership)
  const path = `/v1/evaluations/${round.id}/responses`
  const rest = answersWith(2).filter(({ item_code }) => !item_code.startsWith('why') && !item_code.startsWith('impact'))
  const answers = [
    { item_code: 'why_goal_clear', score: 6 },
    { item_code: 'why_fits_strategy', text: 'Ja' },
    { item_code: 'why_leans_on_one_person' },
    { item_code: 'why_goal_clear', score: 3 },
    { item_code: 'made_up', score: 3 },
    { item_code: 'impact_visible', score: 3, not_applicable: true },
    { item_code: 'impact_more_than_alone', not_applicable: true },
    { item_code: 'impact_first_change', score: 3 },
    ...rest,
  ]
  const answer = await service.call('POST', path, { answers })
  t.equal(answer.status, 422)
  t.strictSame(faults(answer), [
    '/party_id required',
    '/answers/0/score out_of_range',
    '/answers/1/text not_a_text',
    '/answers/2/score required',
    '/answers/3/item_code answered_twice',
    '/answers/4/item_code unknown_item',
    '/answers/5/score exclusive',
    '/answers/7/score not_scored',
    '/answers missing_item',
  ])
  t.match(answer.body.errors.at(-1).detail, /impact_learning/)
  const empty = await service.call('POST', path, {
    party_id: partnership.parties[0].id,
    answers: [{ item_code: 'impact_first_change' }],
  })
  const required = review.items.filter((item) => item.required).length
  t.strictSame(faults(empty), ['/answers/0/text required', ...Array(required).fill('/answers missing_item')])
  const zero = answersWith(0).map((one) =>
    one.item_code === 'organisation_agreements_written' ? { ...one, score: -1 } : one,
  )
  const below = await service.call('POST', path, { party_id: partnership.parties[0].id, answers: zero })
  t.strictSame(faults(below), ['/answers/11/score out_of_range'])
  const half = await service.call('POST', path, { answers: [{ item_code: 'why_goal_clear', score: 2.5 }] })
  t.strictSame([half.status, faults(half)], [400, ['/answers/0/score type']])
  t.equal((await service.get(`/v1/evaluations/${round.id}/invitations?status=pending`)).body.data.length, 2)
})

t.test('only who was invited answers, while the round is open and its deadline has not come', async (t) => {
  const clock = fixedClock('2026-06-01T12:00:00Z')
  const service = await startService(t, { clock })
  const partnership = await partnershipOf(service, 'active', ['company', 'non_profit', 'non_profit'])
  const [company, charity, uninvited] = partnership.parties
  const round = await plan(service, partnership, { closes_at: '2026-06-30T22:00:00Z' })
  const path = `/v1/evaluations/${round.id}`
  const answer = (party: Json) =>
    service.call('POST', `${path}/responses`, { party_id: party.id, answers: answersWith(2) })

  const planned = await answer(company)
  t.strictSame([planned.status, planned.body.code], [409, 'state_forbids'])
  for (const { id } of [company, charity]) await service.make(`${path}/invitations`, { party_id: id })
  await stepRound(service, round, 'open')
  t.strictSame(faults(await answer(uninvited)), ['/party_id not_invited'])
  clock.set('2026-06-30T21:59:59.999Z')
  t.equal((await answer(company)).status, 201)
  clock.set('2026-06-30T22:00:00Z')
  const late = await answer(charity)
  t.strictSame([late.status, late.body.code], [409, 'state_forbids'])
  const { version } = (await service.get(path)).body
  const off = await service.call('PATCH', path, { closes_at: '2026-07-05T22:00:00Z' }, { ifMatch: `"${version}"` })
  t.equal(off.status, 200)
  t.equal((await answer(charity)).status, 201, 'the deadline was put off')
  const closed = await answer(uninvited)
  t.strictSame([closed.status, closed.body.code], [409, 'state_forbids'])
})

t.test('after closing each answer is shown in the name of its party, in the order of the template', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const round = await openRound(service, partnership)
  const [company, charity] = partnership.parties
  await respond(service, round, charity, answersWith(1, 'Meer tijd').reverse())
  const some = answersWith(4).filter(({ item_code }) => item_code !== 'impact_first_change')
  await respond(service, round, company, [{ item_code: 'why_goal_clear', not_applicable: true }, ...some.slice(1)])
  const { body } = await service.get(`/v1/evaluations/${round.id}/responses`)
  t.strictSame(
    body.data.map(({ party_id, side }: Json) => [party_id, side]),
    [
      [charity.id, 'non_profit'],
      [company.id, 'company'],
    ],
  )
  const full = answersWith(1, 'Meer tijd').map(({ item_code, score = null, text = null }) => ({
    item_code,
    score,
    text,
    not_applicable: false,
  }))
  t.strictSame(body.data[0].answers, full)
  t.strictSame(body.data[1].answers[0], { item_code: 'why_goal_clear', score: null, text: null, not_applicable: true })
  t.equal(body.data[1].answers.length, 19, 'what was left out stays out')
  const filtered = await service.get(`/v1/evaluations/${round.id}/responses?party_id=${company.id}`)
  t.strictSame(filtered.body.data, [body.data[1]])
})

t.test('scores are frozen at closing, with the gaps between the sides', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service, 'active', ['non_profit', 'company', 'public'])
  const round = await openRound(service, partnership)
  const [charity, company] = partnership.parties
  // All agree fully: what is reverse counts 0. Of the six dimensions three have a reverse item, one of 3, of 3 and of 4.
  await respond(service, round, company, answersWith(4))
  await respond(service, round, charity, answersWith(0))
  await stepRound(service, round, 'close')
  const answer = await service.get(`/v1/evaluations/${round.id}/scores`)
  t.equal(answer.status, 200)
  const closed = (await service.get(`/v1/evaluations/${round.id}`)).body
  const { scores, gaps, ...head } = answer.body
  t.strictSame(head, {
    evaluation_id: round.id,
    template_code: 'partnership-review',
    template_version: 1,
    as_of: closed.closed_at,
    thresholds: { gap: '20' },
  })
  const row = (side: string, code: string) => scores.find((one: Json) => one.side === side && one.code === code)
  t.strictSame(row('company', 'why'), { side: 'company', level: 'dimension', code: 'why', n: 1, score: '66.666667' })
  t.equal(row('company', 'reciprocity').score, '75')
  t.equal(row('company', 'organisation').score, '100')
  // (2 × 66⅔ + 2 × 75 + 2 × 66⅔ + 100 + 100 + 2 × 100) / 10
  t.equal(row('company', 'overall').score, '81.666667')
  t.equal(row('non_profit', 'overall').score, '18.333333')
  t.equal(row('company', 'why_leans_on_one_person').score, '0')
  t.strictSame(row('public', 'overall'), { side: 'public', level: 'overall', code: 'overall', n: 0, score: null })
  t.equal(scores.length, 3 * (1 + 6 + 19), 'the text has no score')
  t.strictSame(
    gaps.slice(0, 3),
    [
      { sides: ['company', 'non_profit'], gap: '63.333334', flagged: true },
      { sides: ['company', 'public'], gap: null, flagged: false },
      { sides: ['non_profit', 'public'], gap: null, flagged: false },
    ].map((gap) => ({ level: 'overall', code: 'overall', ...gap })),
  )
  const stored = await service.database.read(service.tenantId, (tx) =>
    tx.db
      .selectFrom('evaluation_scores')
      .select(['side', 'level', 'code', 'n', 'score'])
      .where('tenant_id', '=', service.tenantId)
      .where('evaluation_id', '=', round.id)
      .orderBy('position')
      .execute(),
  )
  t.strictSame(stored, scores, 'the table holds what is published')
})

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
  t.strictSame([none.status, faults(none)], [400, ['/decisions minItems']])
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
  t.strictSame([fixed.status, faults(fixed)], [400, ['/decision unknown']])
  t.strictSame(faults(await patch({ status: null })), ['/status required'])
  t.equal((await service.call('PATCH', path, { status: 'open' })).status, 428)
})
