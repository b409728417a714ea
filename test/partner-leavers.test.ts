import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { partnerScopes } from '../src/platform/partners/operations.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import { type Alliance, agreed, allianceTakenOver, commitment, faultsOf } from './support/promises.ts'
import { openRound } from './support/rounds.ts'
import { stepOf } from './support/world.ts'

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
