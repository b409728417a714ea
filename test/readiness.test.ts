import { parse } from 'csv-parse/sync'
import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { partnerScopes } from '../src/platform/partners/operations.ts'
import { exported, fileOf, makeExports } from './support/exporting.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import { isProblem } from './support/problem.ts'
import {
  closedReadiness,
  conclusion,
  faults,
  nowhere,
  partnershipOf,
  plan,
  planReadiness,
  readinessAnswers,
  roundIn,
  stepRound,
} from './support/rounds.ts'
import { organisation } from './support/world.ts'

// Rounds in which an organisation judges itself: how ready it is for alliances.

const clock = fixedClock('2026-07-01T12:00:00.000000Z')
const shared = await startService(t, { clock })
const path = '/v1/evaluations'
const themes = ['reciprocity', 'flexibility', 'sensitivity', 'change_and_evaluate', 'strategic_anchoring']
const body = { kind: 'readiness', period_from: '2026-01-01', period_to: '2026-06-30' }
const idsOf = ({ body: page }: { body: Json }): string[] => page.data.map(({ id }: Json) => id)
const partnerKey = async (service: Service, ...of: Json[]): Promise<string> =>
  (
    await service.make('/v1/api-keys', {
      name: 'A portal',
      scopes: partnerScopes,
      organisation_ids: of.map(({ id }) => id),
    })
  ).key

/** An open round that so many persons are invited to, with their tokens. */
async function byPersons(service: Service, charity: Json, count: number, more: object = {}) {
  const planned = await planReadiness(service, charity, { response_mode: 'individual', ...more })
  const tokens: string[] = []
  for (let at = 0; at < count; at += 1) {
    tokens.push((await service.make(`${path}/${planned.id}/invitations`, {})).token)
  }
  return { round: await stepRound(service, planned, 'open'), tokens }
}

const submit = (service: Service, token: string, answers: Json[]) =>
  service.call('POST', `/v1/answers/${token}/submit`, { answers }, { key: null })

t.test('an organisation answers in its own name, and its scores are frozen and concluded upon', async (t) => {
  const service = await shared.afresh()
  const charity = await organisation(service, 'non_profit')
  const planned = await planReadiness(service, charity)
  t.match(planned, { partnership_id: null, organisation_id: charity.id, template_code: 'alliance-readiness' })
  const at = `${path}/${planned.id}`
  const open = await stepRound(service, planned, 'open', { invite_all_parties: true })
  const [invitation] = (await service.get(`${at}/invitations`)).body.data
  t.match(invitation, { partnership_id: null, party_id: null, organisation_id: charity.id, status: 'pending' })
  for (const read of ['scores', 'texts', 'chart.svg', 'responses']) {
    isProblem(t, await service.get(`${at}/${read}`), 'state_forbids')
  }
  const receipt = await service.make(`${at}/responses`, { organisation_id: charity.id, answers: readinessAnswers(3) })
  t.match(receipt, { party_id: null, evaluation_status: 'closed' })

  const { scores, gaps, gaps_reason, understanding, previous } = (await service.get(`${at}/scores`)).body
  t.strictSame([gaps, gaps_reason, understanding, previous], [null, 'one_side_only', [], []])
  t.same([...new Set(scores.map(({ side }: Json) => side))], ['non_profit'], 'there is one side')
  t.same(
    scores.filter(({ level }: Json) => level === 'dimension').map(({ code }: Json) => code),
    themes,
  )
  const { items } = (await service.get('/v1/evaluation-templates/alliance-readiness')).body
  const expected = items
    .filter(({ minimum }: Json) => minimum !== null)
    .map(({ code, minimum, maximum, reverse }: Json) => {
      const points = (100 * Math.min(3, maximum - minimum)) / (maximum - minimum)
      return [code, 1, reverse ? 100 - points : points]
    })
  t.same(
    scores.filter(({ level }: Json) => level === 'item').map(({ code, n, score }: Json) => [code, n, Number(score)]),
    expected,
  )
  const [response] = (await service.get(`${at}/responses`)).body.data
  t.match(response, { party_id: null, organisation_id: charity.id, side: 'non_profit' })
  const texts = (await service.get(`${at}/texts`)).body.texts
  t.ok(texts.length > 0 && texts.every((one: Json) => one.texts.length === 1 && one.side === 'non_profit'))
  const drawn = await service.get(`${at}/chart.svg?language=nl`)
  t.match(drawn.text, 'Klaar om samen te werken')
  t.match(drawn.text, 'Goed doel')
  t.notMatch(drawn.text, 'Bedrijf')

  const statements = [{ text: 'Het bestuur herkent dit beeld.' }]
  const [decision] = conclusion.decisions
  const decisions = [{ ...decision, due_on: '2026-06-30', owner_organisation_id: charity.id }]
  const closed = (await service.get(at)).body
  const concluded = await stepRound(service, closed, 'conclude', {
    conclusion: 'Meer evalueren',
    decisions,
    statements,
  })
  t.match(concluded, { status: 'concluded', statements: [{ party_id: null, text: statements[0]?.text }] })
  const again = await service.call('POST', `${at}/statements`, { text: 'Toch niet' })
  isProblem(t, again, 'duplicate')
  const [taken] = (await service.get(`${at}/decisions`)).body.data
  t.match(taken, { partnership_id: null, organisation_id: charity.id, owner_party_id: null, amendment_id: null })
  for (const query of [
    `organisation_id=${charity.id}`,
    `owner_organisation_id=${charity.id}`,
    `is_overdue=true&organisation_id=${charity.id}`,
  ]) {
    t.same(idsOf(await service.get(`/v1/evaluation-decisions?${query}`)), [taken.id], query)
  }
  t.same(idsOf(await service.get(`${path}?has_overdue_decisions=true`)), [open.id])
  const done = await service.call('PATCH', `/v1/evaluation-decisions/${taken.id}`, { status: 'done' }, { ifMatch: '*' })
  t.equal(done.body.status, 'done', done.text)
  t.same(idsOf(await service.get(`${path}?organisation_id=${charity.id}&kind=readiness`)), [open.id])
  t.same(idsOf(await service.get(`${path}?organisation_id=${nowhere}`)), [])
  const history = (await service.get(`${at}/history`)).body.data.map((one: Json) => [one.to_status, one.changed_on])
  t.same(
    history.toSorted(),
    ['closed', 'concluded', 'open', 'planned'].map((status) => [status, '2026-07-01']),
  )
  const events = (await service.get('/v1/events?limit=200')).body.data.map(({ type }: Json) => type)
  for (const type of [
    'evaluation.opened',
    'evaluation_invitation.answered',
    'evaluation.closed',
    'evaluation.concluded',
  ]) {
    t.ok(events.includes(type), type)
  }
})

t.test('what is about a partnership is refused to an organisation, and the other way round', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const [company, charity] = partnership.parties.map(({ organisation_id }: Json) => ({ id: organisation_id }))
  const asks = async (write: object, ...expected: string[]) => {
    const answer = await service.call('POST', path, { ...body, ...write })
    isProblem(t, answer, 'rule_violated')
    t.same(faults(answer), expected, JSON.stringify(write))
  }
  const of = { organisation_id: charity.id }
  const together = { partnership_id: partnership.id }
  await asks({}, '/organisation_id required')
  await asks({ kind: 'periodic' }, '/partnership_id required')
  await asks({ ...of, ...together }, '/organisation_id exclusive')
  await asks({ organisation_ref: { system: 'crm', id: 'x' }, ...together }, '/organisation_ref exclusive')
  await asks(together, '/kind wrong_subject')
  await asks({ ...of, kind: 'periodic' }, '/kind wrong_subject')
  await asks({ ...of, template_code: 'partnership-review' }, '/template_code wrong_subject')
  await asks({ ...together, kind: 'exit', template_code: 'alliance-readiness' }, '/template_code wrong_subject')
  await asks({ organisation_id: nowhere }, '/organisation_id unknown_reference')
  await asks({ organisation_ref: { system: 'crm', id: 'x' } }, '/organisation_ref unknown_reference')
  await asks(
    { ...of, kind: 'periodic', template_code: 'partnership-review', period_to: '2025-01-01' },
    ...['/kind wrong_subject', '/template_code wrong_subject', '/period_to order'],
  )

  const planned = await planReadiness(service, charity)
  const at = `${path}/${planned.id}`
  const patch = (change: object) => service.call('PATCH', at, change, { ifMatch: '*' })
  isProblem(t, await patch({ organisation_id: company.id }), 'state_forbids')
  t.same(
    faults(await patch({ organisation_id: null, ...together, kind: 'periodic', template_code: 'partnership-review' })),
    [...['/partnership_id fixed', '/organisation_id fixed']],
  )
  t.same(faults(await patch({ kind: 'periodic' })), ['/kind wrong_subject'])
  t.same(faults(await patch({ template_code: 'partnership-review' })), ['/template_code wrong_subject'])
  t.equal((await patch({ title: 'Klaar?' })).status, 200)

  const uninvited = await service.step(at, 'open')
  t.same([uninvited.status, faults(uninvited)], [422, [' not_invited']])
  const [party] = partnership.parties
  const invite = (write: object) => service.call('POST', `${at}/invitations`, write)
  t.same(faults(await invite({ party_id: party.id })), ['/party_id wrong_subject'])
  t.same(faults(await invite({ organisation_id: company.id })), ['/organisation_id unknown_reference'])
  const stranger = await service.make(`/v1/organisations/${company.id}/contacts`, { name: 'A', function: 'other' })
  t.same(faults(await invite({ contact_id: stranger.id })), ['/contact_id unknown_reference'])
  t.equal((await invite({})).status, 201)
  isProblem(t, await invite({ organisation_id: charity.id }), 'duplicate')
  const respond = (write: object) => service.call('POST', `${at}/responses`, { answers: readinessAnswers(2), ...write })
  isProblem(t, await respond({}), 'state_forbids')
  await stepRound(service, (await service.get(at)).body, 'open')
  t.same(faults(await respond({ party_id: party.id })), ['/party_id wrong_subject'])
  t.same(faults(await respond({ organisation_id: company.id })), ['/organisation_id unknown_reference'])
  t.equal((await respond({})).status, 201)
  isProblem(t, await respond({}), 'state_forbids')

  const [decision] = conclusion.decisions
  const conclude = (owner: object) =>
    service.step(at, 'conclude', { conclusion: 'So', decisions: [{ ...decision, ...owner }] })
  t.same(faults(await conclude({ owner_party_id: party.id })), ['/decisions/0/owner_party_id wrong_subject'])
  t.same(faults(await conclude({ owner_organisation_id: company.id })), [
    '/decisions/0/owner_organisation_id unknown_reference',
  ])
  const concluded = await conclude({})
  t.equal(concluded.status, 200, concluded.text)
  const [taken] = (await service.get(`${at}/decisions`)).body.data
  const owned = await service.call(
    'PATCH',
    `/v1/evaluation-decisions/${taken.id}`,
    { owner_party_id: party.id },
    { ifMatch: '*' },
  )
  t.same(faults(owned), ['/owner_party_id wrong_subject'])

  // Nothing of a partnership rests on it.
  const amend = await service.call('POST', `/v1/partnerships/${partnership.id}/amendments`, {
    ...{ cause: 'evaluation', proposed_by_party_id: party.id, decision_id: taken.id, evaluation_id: planned.id },
    changes: { partnership: { purpose: { why: { nl: 'Meer lezen' } } } },
  })
  t.same(faults(amend), ['/decision_id unknown_reference', '/evaluation_id unknown_reference'])
})

t.test('it needs an organisation that lives, when it is planned and when it opens', async (t) => {
  const service = await shared.afresh()
  const charity = await organisation(service, 'non_profit')
  const planned = await planReadiness(service, charity)
  await service.call('PATCH', `/v1/organisations/${charity.id}`, { status: 'dissolved' }, { ifMatch: '*' })
  const opened = await service.step(`${path}/${planned.id}`, 'open', { invite_all_parties: true })
  isProblem(t, opened, 'state_forbids')
  t.equal(opened.body.organisation_status, 'dissolved')
  isProblem(t, await service.call('POST', path, { ...body, organisation_id: charity.id }), 'state_forbids')
  const used = await service.call('DELETE', `/v1/organisations/${charity.id}`, undefined, { ifMatch: '*' })
  isProblem(t, used, 'in_use')
  t.same(used.body.dependants, ['evaluations'])
  await stepRound(service, planned, 'cancel', { reason: 'It is gone' })
  isProblem(t, await service.get(`${path}/${planned.id}/scores`), 'state_forbids')
})

t.test('persons answer with tokens, and of fewer than k nothing is shown', async (t) => {
  const service = await shared.afresh()
  const charity = await organisation(service, 'non_profit', 'Stichting Samen', { preferred_language: 'nl' })
  const planned = await planReadiness(service, charity, { response_mode: 'individual' })
  const at = `${path}/${planned.id}`
  await service.make(`${at}/invitations`, {})
  const few = await service.step(at, 'open')
  t.same([few.status, faults(few)], [422, [' too_few_invited']])
  t.same(faults(await service.step(at, 'open', { invite_all_parties: true })), [
    ...['/invite_all_parties individual', ' too_few_invited'],
  ])

  const { round, tokens } = await byPersons(service, charity, 4, { closes_at: '2026-07-31T20:00:00Z' })
  const form = (await service.get(`/v1/answers/${tokens[0]}`, { key: null })).body
  t.match(form, {
    partnership: null,
    organisation: 'Stichting Samen',
    kind: 'readiness',
    time_zone: 'UTC',
    status: 'open',
  })
  const page = await service.app.inject({ url: `/answer/${tokens[0]}` })
  t.match(page.payload, 'Vragen aan Stichting Samen over de eigen organisatie')
  t.match(page.payload, 'in het geheel van uw organisatie')
  t.match(page.payload, 'vrijdag 31 juli 2026 om 20:00 (UTC)')
  for (const [at, token] of tokens.entries()) t.equal((await submit(service, token, readinessAnswers(at))).status, 200)
  const shown = (await service.get(`${path}/${round.id}/scores`)).body
  t.equal(shown.thresholds.minimum_per_side, 3)
  t.ok(shown.scores.every((row: Json) => row.n === 4 && row.suppression_reason === null && row.spread === null))
  t.same((await service.get(`${path}/${round.id}/texts`)).body.texts[0].texts.length, 4)
  isProblem(t, await service.get(`${path}/${round.id}/responses`), 'state_forbids')

  const silent = await byPersons(service, charity, 3)
  for (const token of silent.tokens.slice(1)) await submit(service, token, readinessAnswers(4))
  await service.call('POST', `/v1/answers/${silent.tokens[0]}/decline`, {}, { key: null })
  const withheld = (await service.get(`${path}/${silent.round.id}/scores`)).body
  t.ok(withheld.scores.length > 0)
  t.ok(
    withheld.scores.every((row: Json) => row.score === null && row.n === null && row.suppression_reason === 'too_few'),
  )
  t.ok((await service.get(`${path}/${silent.round.id}/texts`)).body.texts.every((one: Json) => one.texts === null))
  t.match((await service.get(`${path}/${silent.round.id}/chart.svg`)).text, 'withheld')

  // Where two of five left out one item of a theme, the others of that theme would give them away.
  const partly = await byPersons(service, charity, 5)
  for (const [at, token] of partly.tokens.entries()) {
    const answers = readinessAnswers(3).map((one) =>
      at < 2 && one.item_code === 'reciprocity_know_return' ? { item_code: one.item_code, not_applicable: true } : one,
    )
    await submit(service, token, answers)
  }
  const { scores } = (await service.get(`${path}/${partly.round.id}/scores`)).body
  const left = scores.find(({ code }: Json) => code === 'reciprocity_know_return')
  t.match(left, { n: null, score: null, suppression_reason: 'complementary' })
  t.match(
    scores.find(({ code }: Json) => code === 'reciprocity'),
    { n: 5, suppression_reason: null },
  )
})

t.test('whatever fewer than k answered, every read of the round is the same', async (t) => {
  const service = await shared.afresh()
  const charity = await organisation(service, 'non_profit')
  const worlds: string[][] = []
  for (const [points, text] of [
    [0, 'Niets gaat goed'],
    [4, 'Alles gaat goed'],
  ] as const) {
    const { round, tokens } = await byPersons(service, charity, 3)
    for (const token of tokens.slice(1)) await submit(service, token, readinessAnswers(points, text))
    await service.call('POST', `/v1/answers/${tokens[0]}/decline`, {}, { key: null })
    const after = (await service.get('/v1/events?limit=200')).body.data.filter(
      ({ data }: Json) => data?.id === round.id,
    )
    const reads = await Promise.all([
      ...['', '/scores', '/texts', '/chart.svg', '/history', '/decisions'].map((part) =>
        service.get(`${path}/${round.id}${part}`),
      ),
      ...['csv', 'ndjson'].map((format) => service.get(`/v1/exports/evaluation_scores.${format}`)),
    ])
    const told = reads.map(({ text: answer, headers }) => [headers['etag'], ...answer.split('\n')].join('\n'))
    worlds.push(
      [...told, JSON.stringify(after.map(({ type, changed, data }: Json) => [type, changed, data]))].map((answer) =>
        // The earlier world stands beside the later one in its comparison and in the exports.
        answer.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'an id').replaceAll(/"previous":\[.*\]/g, ''),
      ),
    )
    t.notOk(told.some((answer) => answer.includes(text)))
  }
  const [one = [], other = []] = worlds
  t.strictSame(one.slice(0, 6), other.slice(0, 6))
  t.strictSame(one.at(-1), other.at(-1))
  for (const at of [6, 7]) {
    const lines = (answer: string | undefined) => new Set(answer?.split('\n').slice(1))
    t.strictSame(lines(one[at]), lines(other[at]))
  }
})

t.test('it is compared with earlier rounds of the same organisation, whatever its sector was then', async (t) => {
  const service = await shared.afresh()
  const charity = await organisation(service, 'education_research')
  const other = await organisation(service, 'non_profit')
  const first = await closedReadiness(service, charity, 1)
  await closedReadiness(service, other, 4)
  t.equal((await service.get(`${path}/${first.id}/scores`)).body.scores[0].side, 'other')
  await service.call('PATCH', `/v1/organisations/${charity.id}`, { sector: 'non_profit' }, { ifMatch: '*' })
  clock.advance(60_000)
  const second = await closedReadiness(service, charity, 3)
  const { scores, previous, changes } = (await service.get(`${path}/${second.id}/scores`)).body
  t.same(
    previous.map((one: Json) => [one.evaluation_id, one.kind, one.scores[0].side]),
    [[first.id, 'readiness', 'other']],
    'and with no other organisation',
  )
  t.equal(scores[0].side, 'non_profit')
  t.equal(changes.length, scores.length)
  const flexible = changes.find(({ code }: Json) => code === 'flexibility_alternatives')
  t.match(flexible, { side: 'non_profit', previous: '25', change: '50' })
})

t.test('no measure of a partnership or portfolio changes by it', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  await roundIn(service, partnership, 'closed', { period_from: '2025-01-01', period_to: '2025-06-30' })
  const measures = async () => {
    const [company, charity] = partnership.parties.map(({ organisation_id }: Json) => organisation_id)
    const reads = [
      ...['reciprocity', 'fulfilment', 'history'].map((read) => `/v1/partnerships/${partnership.id}/${read}`),
      ...[company, charity].flatMap((id) => [
        ...[`/v1/portfolio?organisation_id=${id}`, `/v1/portfolio/summary?organisation_id=${id}`],
        `/v1/portfolio/chart.svg?organisation_id=${id}`,
      ]),
      ...['true', 'false'].map((is) => `/v1/partnerships?is_evaluation_overdue=${is}`),
      `/v1/evaluations?partnership_id=${partnership.id}`,
      '/v1/exports/evaluation_gaps.csv',
    ]
    const answers: string[] = []
    for (const read of reads) {
      const answer = await service.get(read)
      t.equal(answer.status, 200, `${read}: ${answer.text}`)
      answers.push(answer.text)
    }
    return answers
  }
  const before = await measures()
  t.ok(before.at(-1)?.includes('reciprocity'))
  for (const { organisation_id } of partnership.parties) {
    await stepRound(service, await closedReadiness(service, { id: organisation_id }, 0), 'conclude', conclusion)
  }
  t.strictSame(await measures(), before)
})

t.test('a partner sees the rounds of its own organisation alone, and answers them in its name', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const [company, charity] = partnership.parties.map(({ organisation_id }: Json) => ({ id: organisation_id }))
  // One that is in no partnership at all has rounds of its own as well.
  const loner = await organisation(service, 'public')
  const keys = {
    charity: await partnerKey(service, charity),
    company: await partnerKey(service, company),
    loner: await partnerKey(service, loner),
  }
  const mine = await stepRound(service, await planReadiness(service, charity), 'open', { invite_all_parties: true })
  const theirs = await stepRound(service, await planReadiness(service, company), 'open', { invite_all_parties: true })
  const lonely = await stepRound(service, await planReadiness(service, loner), 'open', { invite_all_parties: true })
  const answers = readinessAnswers(2)
  const respond = (round: Json, write: object, key: string) =>
    service.call('POST', `${path}/${round.id}/responses`, { answers, ...write }, { key })

  t.same(faults(await respond(mine, {}, keys.charity)), ['/party_id required'], 'a partner says in whose name it acts')
  t.same(faults(await respond(mine, { organisation_id: company.id }, keys.charity)), ['/organisation_id not_own_party'])
  isProblem(t, await respond(theirs, { organisation_id: charity.id }, keys.charity), 'not_found')
  isProblem(t, await respond(mine, { organisation_id: charity.id }, keys.company), 'not_found')
  t.equal((await respond(mine, { organisation_id: charity.id }, keys.charity)).status, 201)
  t.equal((await respond(lonely, { organisation_id: loner.id }, keys.loner)).status, 201)
  const speak = { organisation_id: charity.id, text: 'Wij herkennen dit.' }
  const spoken = await service.call('POST', `${path}/${mine.id}/statements`, speak, { key: keys.charity })
  t.equal(spoken.status, 200, spoken.text)
  await stepRound(service, (await service.get(`${path}/${mine.id}`)).body, 'conclude', conclusion)
  const [decision] = (await service.get(`${path}/${mine.id}/decisions`)).body.data
  const [invitation] = (await service.get(`${path}/${mine.id}/invitations`)).body.data

  for (const [who, expected] of Object.entries({ charity: [mine.id], company: [theirs.id], loner: [lonely.id] })) {
    const key = keys[who as keyof typeof keys]
    t.same(idsOf(await service.get(path, { key })), expected, who)
    t.same(
      idsOf(await service.get(`${path}?organisation_id=${charity.id}`, { key })),
      who === 'charity' ? [mine.id] : [],
    )
    t.same(idsOf(await service.get('/v1/evaluation-decisions', { key })), who === 'charity' ? [decision.id] : [])
    const reads = ['', '/history', '/invitations', '/decisions', '/scores', '/texts', '/responses', '/chart.svg']
    const records = [`/v1/evaluation-decisions/${decision.id}`, `/v1/evaluation-invitations/${invitation.id}`]
    for (const read of [...reads.map((part) => `${path}/${mine.id}${part}`), ...records]) {
      const answer = await service.get(read, { key })
      if (who === 'charity') t.equal(answer.status, 200, `${read}: ${answer.text}`)
      else isProblem(t, answer, 'not_found')
    }
    const feed = await service.get('/v1/events?limit=200', { key })
    const told = new Set(feed.body.data.map(({ data }: Json) => data?.organisation_id).filter(Boolean))
    const own = { charity, company, loner }[who as keyof typeof keys]
    t.same([...told], [own.id], `${who} is told of its own`)
  }
  const shown = (await service.get(`${path}/${mine.id}/scores`, { key: keys.charity })).body
  t.same([shown.gaps, shown.gaps_reason], [null, 'one_side_only'])
  t.ok(shown.scores.length > 5)
  t.equal((await service.get('/v1/evaluation-templates/alliance-readiness', { key: keys.loner })).status, 200)
})

t.test('where an organisation is merged its rounds move along, with what belongs to them', async (t) => {
  const service = await shared.afresh()
  const survivor = await organisation(service, 'non_profit', 'Samen')
  const duplicate = await organisation(service, 'company', 'Samen (dubbel)')
  const old = await closedReadiness(service, duplicate, 1)
  await stepRound(service, old, 'conclude', conclusion)
  const open = await stepRound(service, await planReadiness(service, duplicate), 'open', { invite_all_parties: true })
  const ofSurvivor = await closedReadiness(service, survivor, 2)
  const before = (await service.get('/v1/events?limit=200')).body.latest
  const merging = { duplicate_id: duplicate.id }
  const preview = await service.call('POST', `/v1/organisations/${survivor.id}/merge-preview`, merging)
  t.equal(preview.body.moves.evaluations_count, 2)
  const merge = (key?: string) =>
    service.call('POST', `/v1/organisations/${survivor.id}/merge`, merging, { ifMatch: '*', ...(key ? { key } : {}) })
  isProblem(t, await merge(await service.keyWith(['organisations:write'])), 'forbidden')
  t.equal((await merge()).status, 200)

  const moved = await service.get(`${path}?organisation_id=${survivor.id}`)
  t.same(idsOf(moved).sort(), [old.id, open.id, ofSurvivor.id].sort())
  const byOldId = await service.get(`${path}?organisation_id=${duplicate.id}`)
  t.same(idsOf(byOldId), idsOf(moved), 'the id of the one that went leads to the survivor')
  t.equal((await service.get(`${path}/${open.id}`)).body.version, open.version + 1)
  for (const part of ['invitations', 'decisions']) {
    const { data } = (await service.get(`${path}/${old.id}/${part}`)).body
    t.ok(data.length > 0 && data.every((one: Json) => one.organisation_id === survivor.id), part)
  }
  const events = (await service.get(`/v1/events?limit=200&after=${before}`)).body.data
  t.same(
    events
      .filter(({ type }: Json) => type.startsWith('evaluation'))
      .map(({ type }: Json) => type)
      .sort(),
    [
      ...['evaluation.updated', 'evaluation.updated', 'evaluation_decision.updated'],
      ...['evaluation_invitation.updated', 'evaluation_invitation.updated'],
    ],
  )
  t.ok(events.every((one: Json) => one.data?.organisation_id !== duplicate.id))
  clock.advance(60_000)
  const answered = await service.call('POST', `${path}/${open.id}/responses`, { answers: readinessAnswers(2) })
  t.equal(answered.body.evaluation_status, 'closed', answered.text)
  const { previous, scores } = (await service.get(`${path}/${open.id}/scores`)).body
  t.same(previous.map(({ evaluation_id }: Json) => evaluation_id).sort(), [old.id, ofSurvivor.id].sort())
  t.equal(scores[0].side, 'company', 'as it was when the round opened')
  const named = await service.call('POST', path, { ...body, organisation_id: duplicate.id })
  t.same(faults(named), ['/organisation_id merged'])
})

t.test('a person who was asked is forgotten, and what was published stays', async (t) => {
  const service = await shared.afresh()
  const charity = await organisation(service, 'non_profit')
  const contact = await service.make(`/v1/organisations/${charity.id}/contacts`, { name: 'Fatima', function: 'other' })
  const { round, tokens } = await byPersons(service, charity, 4)
  const asked = await service.make(`${path}/${round.id}/invitations`, { contact_id: contact.id, function: 'finance' })
  for (const token of tokens) await submit(service, token, readinessAnswers(3))
  t.equal((await service.get(`${path}/${round.id}`)).body.status, 'open', 'it waits for the fifth')
  const erased = await service.call('POST', `/v1/contacts/${contact.id}/erase`, {}, { ifMatch: '*' })
  t.equal(erased.status, 200, erased.text)
  const { body: invitation } = await service.get(`/v1/evaluation-invitations/${asked.id}`)
  t.match(invitation, { function: null, status: 'expired', organisation_id: charity.id })
  t.equal((await service.get(`${path}/${round.id}`)).body.status, 'closed')
  const { scores } = (await service.get(`${path}/${round.id}/scores`)).body
  t.ok(scores.every((row: Json) => row.n === 4))
})

t.test('exports tell whose round it is, and what changed since', async (t) => {
  const service = await shared.afresh()
  await makeExports(t, service)
  const partnership = await partnershipOf(service)
  await roundIn(service, partnership, 'concluded')
  const charity = await organisation(service, 'non_profit')
  const round = await closedReadiness(service, charity)
  await stepRound(service, round, 'conclude', conclusion)
  const read = async (name: string): Promise<Json[]> =>
    parse((await service.get(`/v1/exports/${name}`)).text, { columns: true })
  for (const table of ['evaluations', 'evaluation_scores', 'evaluation_decisions']) {
    const rows = await read(`${table}.csv`)
    const own = rows.filter((row) => (row.evaluation_id ?? row.id) === round.id)
    t.ok(own.length > 0 && own.length < rows.length, table)
    t.ok(own.every((row) => row.organisation_id === charity.id && row.partnership_id === ''))
    t.ok(
      rows.filter((row) => !own.includes(row)).every((row) => row.organisation_id === '' && row.partnership_id !== ''),
    )
    t.same(await read(`${table}.csv?organisation_id=${charity.id}`), own, `${table}, of the organisation alone`)
    t.equal((await service.get(`/v1/exports/${table}.parquet`)).status, 200)
  }
  t.ok((await read('evaluation_gaps.csv')).every((row) => row.evaluation_id !== round.id))
  const whole = await exported(service, { format: 'csv', tables: ['evaluations', 'evaluation_scores'] })
  const other = await organisation(service, 'non_profit', 'The survivor')
  await service.call('POST', `/v1/organisations/${other.id}/merge`, { duplicate_id: charity.id }, { ifMatch: '*' })
  const order = { format: 'csv', tables: ['evaluations', 'evaluation_scores'], changed_after_sequence: whole.sequence }
  const since = await exported(service, order)
  for (const name of ['evaluations', 'evaluation_scores']) {
    const rows: Json[] = parse(await fileOf(service, since, `${name}.csv`), { columns: true })
    t.ok(rows.length > 0 && rows.every((row) => row.organisation_id === other.id), `${name}: ${rows.length} moved`)
  }
})

t.test(
  'rounds of partnerships and of organisations are told apart wherever a round is planned anew by its reference',
  async (t) => {
    const service = await shared.afresh()
    const partnership = await partnershipOf(service)
    const charity = await organisation(service, 'non_profit')
    const ref = { external_refs: [{ system: 'crm', id: 'r-1' }] }
    const planned = await plan(service, partnership, ref)
    const at = `${path}/by-ref/crm/r-1`
    const replaced = await service.call('PUT', at, { ...body, organisation_id: charity.id })
    t.same([replaced.status, faults(replaced)], [409, ['/partnership_id fixed', '/organisation_id fixed']])
    t.equal((await service.get(`${path}/${planned.id}`)).body.kind, 'periodic')
    const made = await service.call('PUT', `${path}/by-ref/crm/r-2`, { ...body, organisation_id: charity.id })
    t.equal(made.status, 201, made.text)
    const same = await service.call('PUT', `${path}/by-ref/crm/r-2`, { ...body, organisation_id: charity.id })
    t.same([same.status, same.body.version], [200, 1])
  },
)
