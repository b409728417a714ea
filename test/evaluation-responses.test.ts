import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { type Json, startService } from './support/harness.ts'
import { answersWith, faults, openRound, partnershipOf, plan, respond, review, stepRound } from './support/rounds.ts'

const shared = await startService(t)

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
    gaps_reason: null,
    template_code: 'partnership-review',
    template_version: 1,
    as_of: closed.closed_at,
    thresholds: { gap: '20', minimum_per_side: null, spread_from: 2 },
    understanding: [],
    previous: [],
    changes: [],
  })
  const row = (side: string, code: string) => scores.find((one: Json) => one.side === side && one.code === code)
  t.strictSame(row('company', 'why'), {
    side: 'company',
    level: 'dimension',
    code: 'why',
    dimension: 'why',
    n: 1,
    score: '66.666667',
    spread: null,
    suppression_reason: null,
  })
  t.equal(row('company', 'reciprocity').score, '75')
  t.equal(row('company', 'organisation').score, '100')
  // (2 × 66⅔ + 2 × 75 + 2 × 66⅔ + 100 + 100 + 2 × 100) / 10
  t.equal(row('company', 'overall').score, '81.666667')
  t.equal(row('non_profit', 'overall').score, '18.333333')
  t.equal(row('company', 'why_leans_on_one_person').score, '0')
  t.strictSame(row('public', 'overall'), {
    side: 'public',
    level: 'overall',
    code: 'overall',
    dimension: null,
    n: 0,
    score: null,
    spread: null,
    suppression_reason: null,
  })
  t.equal(scores.length, 3 * (1 + 6 + 19), 'the text has no score')
  t.strictSame(
    gaps.slice(0, 3),
    [
      { sides: ['company', 'non_profit'], gap: '63.333334', is_flagged: true },
      { sides: ['company', 'public'], gap: null, is_flagged: false },
      { sides: ['non_profit', 'public'], gap: null, is_flagged: false },
    ].map((gap) => ({ level: 'overall', code: 'overall', ...gap, suppression_reason: null })),
  )
  const stored = await service.database.read(service, (tx) =>
    tx.db
      .selectFrom('evaluation_scores')
      .select(['side', 'level', 'code', 'dimension', 'n', 'score', 'spread', 'suppression_reason'])
      .where('tenant_id', '=', service.tenantId)
      .where('evaluation_id', '=', round.id)
      .orderBy('position')
      .execute(),
  )
  t.strictSame(stored, scores, 'the table holds what is published')
})
