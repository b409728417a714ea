import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { partnerScopes } from '../src/platform/partners/operations.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import { type Alliance, agreed, allianceTakenOver, commitment, deliver, faultsOf } from './support/promises.ts'
import { openRound, respond, roundIn } from './support/rounds.ts'
import { organisation, pauseOf, stepOf } from './support/world.ts'

// What a partner that has left a partnership still learns, and what it may still do there.

const clock = fixedClock('2026-03-01T12:00:00.000000Z')
const service = await startService(t, { clock })
t.beforeEach(() => clock.set('2026-03-01T12:00:00.000000Z'))

const portalKey = async (as: Service, ...organisations: Json[]): Promise<string> => {
  const organisation_ids = organisations.map(({ id }) => id)
  return (await as.make('/v1/api-keys', { name: 'A portal', scopes: partnerScopes, organisation_ids })).key
}

const patch = async (as: Service, path: string, changes: object): Promise<Json> => {
  const answer = await as.call('PATCH', path, changes, { ifMatch: '*' })
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`)
  return answer.body
}

/** The parties of a partnership as they are written, one of them changed and others added. */
const partiesOf = async (as: Service, { id }: Json, organisationId: string, changes: object, ...added: object[]) => {
  const { parties } = (await as.get(`/v1/partnerships/${id}`)).body
  return [
    ...parties.map(({ id: _id, assent: _a, ...party }: Json) =>
      party.organisation_id === organisationId ? { ...party, ...changes } : party,
    ),
    ...added,
  ]
}

/** An alliance whose charity is to leave it at the end of today, and the key of its portal. */
async function world(given: object = {}) {
  const as = await service.afresh()
  const alliance = await allianceTakenOver(as, given)
  const { partnership, organisations } = alliance
  const path = `/v1/partnerships/${partnership.id}`
  const key = await portalKey(as, organisations.charity)
  const leave = async (left_on = '2026-03-01') => {
    const parties = await partiesOf(as, partnership, organisations.charity.id, { left_on })
    return patch(as, path, { parties })
  }
  /** What the portal finds. */
  const find = async (question: string): Promise<string[]> =>
    (await as.get(`/v1/${question}`, { key })).body.data.map(({ id }: Json) => id)
  return { ...alliance, as, path, key, leave, find }
}

const later = () => clock.set('2026-03-05T12:00:00.000000Z')

t.test('who left finds nothing by what became of it, and all as it was', async (t) => {
  const { as, partnership, organisations, path, key, leave, find, ...seats } = await world()
  const alliance: Alliance = { partnership, ...seats }
  const [kept, gone] = [await agreed(as, alliance), await agreed(as, alliance, { title: 'As it was' })]
  const entry = await deliver(as, kept, '10.00', { reported_by_party_id: seats.company })
  const untouched = await deliver(as, kept, '20.00', { reported_by_party_id: seats.company })
  const round = await openRound(as, partnership)
  await leave()
  later()
  const newcomer = await organisation(as, 'non_profit', 'Later')
  await patch(as, path, {
    reference: 'Secret',
    parties: await partiesOf(
      as,
      partnership,
      '',
      {},
      { organisation_id: newcomer.id, side: 'non_profit', joined_on: '2026-03-05' },
    ),
  })
  await stepOf(as, path, 'wind-down', { ends_on: '2026-08-17', end_reason: 'completed' })
  await stepOf(as, `/v1/commitments/${gone.id}`, 'lapse', { party_id: seats.company, reason: 'No money' })
  await stepOf(as, `/v1/fulfilments/${entry.id}`, 'confirm', { party_id: seats.charity })
  await stepOf(as, `/v1/evaluations/${round.id}`, 'cancel', { reason: 'Too few' })

  for (const question of [
    'partnerships?q=secret',
    'partnerships?ends_before=2026-09-01',
    'partnerships?status=ending',
    'partnerships?status=active',
    `partnerships?organisation_id=${newcomer.id}`,
    'partnerships?updated_since=2026-03-02T00:00:00Z',
    'partnerships?sort=ends_on',
    `commitments?status=lapsed&partnership_id=${partnership.id}`,
    'commitments?updated_since=2026-03-05T00:00:00Z',
    'fulfilments?confirmation=confirmed',
    'evaluations?status=cancelled',
    `evaluations/${round.id}/invitations?status=expired`,
  ]) {
    t.same(await find(question), [], question)
  }
  const counted = await as.get('/v1/partnerships?q=secret&include_total=true', { key })
  t.equal(counted.body.total, 0)
  t.same(await find('fulfilments?confirmation=reported'), [untouched.id], 'what has not changed is found by all')
  const sorted = (await as.get('/v1/commitments?sort=-updated_at&limit=1', { key })).body
  t.notMatch(Buffer.from(sorted.next_cursor ?? '', 'base64url').toString(), '2026-03-05')

  for (const question of [
    'commitments',
    `commitments?partnership_id=${partnership.id}`,
    'commitments?sort=created_at',
  ]) {
    t.same(await find(question), [kept.id, gone.id], question)
  }
  t.same(await find('partnerships?sort=-created_at'), [partnership.id])
  t.same(await find(`fulfilments?commitment_id=${kept.id}`), [entry.id, untouched.id])
  t.same(await find(`fulfilments?partnership_id=${partnership.id}`), [entry.id, untouched.id])
  t.same(await find(`evaluations?partnership_id=${partnership.id}`), [round.id])
})

t.test('who left finds nothing by what became of other records', async (t) => {
  const { as, partnership, find, leave } = await world({ partnership: { evaluation_interval: 'P1M' } })
  const [decided] = [await roundIn(as, partnership, 'concluded')]
  const [decision] = (await as.get(`/v1/evaluations/${decided.id}/decisions`)).body.data
  await patch(as, `/v1/evaluation-decisions/${decision.id}`, { due_on: '2026-03-02' })
  await leave()
  later()
  t.same(await find('evaluations?has_overdue_decisions=true'), [])
  t.same(await find('evaluations?has_overdue_decisions=false'), [])
  t.same(await find('partnerships?is_evaluation_overdue=false'), [])
  t.same(await find('partnerships?evaluation_due_before=2027-01-01'), [])
})

t.test('an ETag of a partner is answered with 304, and stands for what it was shown', async (t) => {
  const { as, partnership, organisations, path, key, leave, ...seats } = await world()
  const gift = await agreed(as, { partnership, ...seats })
  const ask = (etag: string, options: object = {}) =>
    as.get(`/v1/commitments/${gift.id}`, { key, ...options, headers: { 'if-none-match': etag } })
  const shown = (await as.get(`/v1/commitments/${gift.id}`, { key })).etag
  t.match(await ask(shown), { status: 304, text: '', etag: shown }, 'of who takes part')
  await leave()
  later()
  const lapse = { party_id: seats.company, reason: 'No money' }
  const lapsed = await as.step(`/v1/commitments/${gift.id}`, 'lapse', lapse)
  t.match(await ask(shown), { status: 304, text: '', etag: shown }, 'and of who left')
  t.match(await ask(lapsed.etag), { status: 200, etag: shown }, 'what came later is not had')
  t.match(await ask('*'), { status: 304, etag: shown })
  t.equal((await ask(lapsed.etag, { key: as.key })).status, 304, 'as it is for others')
  const head = { method: 'HEAD', url: `/v1/commitments/${gift.id}` } as const
  const headers = { authorization: `Bearer ${key}`, 'if-none-match': shown }
  t.equal((await as.app.inject({ ...head, headers })).statusCode, 304)
})

t.test('who left knows neither who joined later nor what became of organisations', async (t) => {
  const { as, partnership, organisations, path, key, leave, find } = await world()
  const { company, charity } = organisations
  const other = await organisation(as, 'non_profit', 'Early')
  await patch(as, path, {
    parties: await partiesOf(
      as,
      partnership,
      '',
      {},
      { organisation_id: other.id, side: 'non_profit', joined_on: '2026-02-01' },
    ),
  })
  await leave()
  later()
  const newcomer = await organisation(as, 'non_profit', 'Later')
  const more = { organisation_id: newcomer.id, side: 'non_profit', joined_on: '2026-02-01' }
  const { parties } = await patch(as, path, { parties: await partiesOf(as, partnership, '', {}, more) })
  const renamed = await patch(as, `/v1/organisations/${company.id}`, { name: 'Renamed' })

  t.same((await find('organisations')).sort(), [company.id, charity.id, other.id].sort())
  t.equal((await as.get(`/v1/organisations/${newcomer.id}`, { key })).status, 404)
  const seen = await as.get(`/v1/organisations/${company.id}`, { key })
  t.match(seen, { status: 200, etag: company.etag ?? '"1"', body: { name: company.name, version: company.version } })
  t.same(await find('organisations?q=renamed'), [])
  const looked = await as.call('POST', '/v1/organisations/lookup', { ids: [company.id, newcomer.id] }, { key })
  t.match(looked.body, { data: [{ name: company.name }], not_found: { ids: [newcomer.id] } })
  const feed = (await as.get('/v1/events?limit=500', { key })).text
  t.match(feed, company.name)
  t.notMatch(feed, 'Renamed')
  t.notMatch(feed, newcomer.id)
  const seat = parties.find(({ organisation_id }: Json) => organisation_id === newcomer.id).id
  t.same(await find(`commitments?to_party_id=${seat}`), [])

  await allianceTakenOver(as, { company, charity })
  t.equal((await as.get(`/v1/organisations/${company.id}`, { key })).body.name, renamed.name, 'partners again')
  t.match((await as.get('/v1/events?limit=500', { key })).text, 'Renamed')
  t.equal((await as.get(`/v1/organisations/${newcomer.id}`, { key })).status, 404)
})

t.test('who left writes nothing there, though it takes part elsewhere', async (t) => {
  const { as, partnership, organisations, path, key, leave, ...seats } = await world()
  const { charity } = organisations
  const gift = await agreed(as, { partnership, ...seats })
  const round = await openRound(as, partnership)
  const [invitation] = (await as.get(`/v1/evaluations/${round.id}/invitations`, { key })).body.data
  const objective = await as.make('/v1/objectives', {
    organisation_id: charity.id,
    level: 'outcome',
    title: 'More',
    importance: 3,
    active_from: '2026-01-01',
  })
  const elsewhere = await allianceTakenOver(as, { charity })
  await leave()
  later()
  const write = (where: string, body: object | undefined, as_ = key) =>
    as.call('POST', `/v1/${where}`, body, { key: as_, ifMatch: '*' })
  const decline = (as_: string) => write(`evaluation-invitations/${invitation.id}/decline`, undefined, as_)
  const link = (partnership_id: string, as_ = key) =>
    write(
      'objective-links',
      { partnership_id, objective_id: objective.id, contribution: 2, assessed_on: '2026-02-10' },
      as_,
    )
  const report = (member: string, id: string) =>
    write(`commitments/${gift.id}/fulfilments`, {
      delivered_on: '2026-02-01',
      measure: { ...gift.measure, amount: '1.00' },
      [member]: id,
    })
  t.equal((await decline(key)).status, 404)
  t.equal((await as.get(`/v1/evaluation-invitations/${invitation.id}`)).body.status, 'pending')
  t.same(faultsOf(await link(partnership.id)), ['/partnership_id not_own_party'])
  for (const [member, id] of [
    ['reported_by_organisation_id', charity.id],
    ['reported_by_party_id', seats.charity],
    ['reported_by_party_id', elsewhere.charity],
  ] as const) {
    t.same(faultsOf(await report(member, id)), [`/${member} not_own_party`], `${member} ${id}`)
  }
  t.equal((await link(elsewhere.partnership.id)).status, 201)
  const both = await portalKey(as, charity, organisations.company)
  t.equal((await decline(both)).status, 404, 'nor by a key of another that stays')
  t.same(faultsOf(await link(partnership.id, both)), ['/partnership_id not_own_party'])
})

t.test('from the day on which it leaves an organisation has no say, whoever shares its key', async (t) => {
  const { as, partnership, organisations, key, leave, ...seats } = await world({
    partnership: { time_zone: 'America/Los_Angeles' },
  })
  const promise = async () => {
    const { id } = await commitment(as, { partnership, ...seats })
    return stepOf(as, `/v1/commitments/${id}`, 'propose')
  }
  const [first, second] = [await promise(), await promise()]
  const both = await portalKey(as, organisations.charity, organisations.company)
  await leave('2026-03-02')
  const agree = ({ id }: Json, as_ = key) =>
    as.call('POST', `/v1/commitments/${id}/agree`, { party_id: seats.charity }, { key: as_, ifMatch: '*' })
  clock.set('2026-03-02T07:30:00.000000Z')
  t.equal((await agree(first)).status, 200, 'where they are it is still the first of March')
  clock.set('2026-03-02T08:30:00.000000Z')
  for (const as_ of [key, both]) t.same(faultsOf(await agree(second, as_)), ['/party_id not_own_party'])
  clock.set('2026-03-03T07:30:00.000000Z')
  const figures = `/v1/partnerships/${partnership.id}/fulfilment`
  t.equal((await as.get(figures, { key })).status, 200, 'it sees that day to its end')
  clock.set('2026-03-03T08:30:00.000000Z')
  t.equal((await as.get(figures, { key })).status, 404)
  t.equal((await as.get(figures, { key: both })).status, 200)
})

t.test('a round that was not closed while it took part stays blind for who left', async (t) => {
  const { as, partnership, key, leave, ...seats } = await world()
  const closed = await roundIn(as, partnership, 'closed')
  const [round, cancelled] = [
    await openRound(as, partnership),
    await openRound(as, partnership, { kind: 'disruption' }),
  ]
  await leave()
  later()
  const ask = async ({ id }: Json, what: string) => as.get(`/v1/evaluations/${id}/${what}`, { key })
  const whats = ['scores', 'texts', 'responses', 'chart.svg']
  const before = new Map<string, string>()
  for (const what of whats) {
    const answer = await ask(round, what)
    t.match(answer, { status: 409, body: { code: 'state_forbids' } }, what)
    before.set(what, answer.body.detail)
  }
  for (const party of [{ id: seats.company }, { id: seats.charity }]) await respond(as, round, party)
  await stepOf(as, `/v1/evaluations/${cancelled.id}`, 'cancel', { reason: 'Too few' })
  t.equal((await as.get(`/v1/evaluations/${round.id}`)).body.status, 'closed')
  for (const what of whats) {
    for (const each of [round, cancelled]) {
      t.match(await ask(each, what), { status: 409, body: { detail: before.get(what) } }, what)
    }
    t.equal((await ask(closed, what)).status, 200, `${what} of what was closed before`)
  }
})

t.test('a pause that ended later is shown as it was', async (t) => {
  const { as, partnership, path, key, leave } = await world()
  await stepOf(as, path, 'pause', pauseOf(partnership))
  await leave()
  const seen = () => as.get(`${path}/pauses?include_total=true`, { key })
  const before = await seen()
  later()
  await stepOf(as, path, 'resume', { resumed_on: '2026-03-05' })
  t.equal((await seen()).text, before.text)
  t.match(before.body, { data: [{ resumed_on: null, version: 1 }], total: 1 })
  for (const isOpen of [true, false]) {
    t.same((await as.get(`${path}/pauses?is_open=${isOpen}`, { key })).body.data, [])
  }
})
