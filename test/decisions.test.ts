import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { newId } from '../src/core/ids.ts'
import { type Answer, type Json, type Service, startService } from './support/harness.ts'
import { isProblem } from './support/problem.ts'
import { agreed, allianceTakenOver, faultsOf } from './support/promises.ts'
import { nowhere, roundIn, stepRound } from './support/rounds.ts'
import { stepOf } from './support/world.ts'

// What becomes of decisions after their round: followed up across rounds, or carried out by an amendment.

const clock = fixedClock('2026-03-10T12:00:00Z')
const first = await startService(t, { clock })
t.beforeEach(() => clock.set('2026-03-10T12:00:00Z'))

const pathOf = ({ id }: Json): string => `/v1/evaluation-decisions/${id}`

/** An alliance with an agreed gift, and a concluded round with these decisions. */
async function judged(service: Service, decisions: object[], more: object = {}) {
  const seats = await allianceTakenOver(service, { partnership: more })
  const gift = await agreed(service, seats)
  const closed = await roundIn(service, seats.partnership, 'closed')
  const round = await stepRound(service, closed, 'conclude', { conclusion: 'On.', decisions })
  const { data } = (await service.get(`/v1/evaluations/${round.id}/decisions`)).body
  return { seats, gift, round, decisions: data as Json[] }
}

const how = { aspect: 'how', decision: 'adapt' }

t.test('decisions are found across rounds, those past their day by themselves', async (t) => {
  const service = await first.afresh()
  const here = await judged(service, [
    { ...how, rationale: 'late', due_on: '2026-09-01' },
    { ...how, rationale: 'no day' },
    { aspect: 'why', decision: 'continue', rationale: 'done in time', due_on: '2026-09-01' },
  ])
  const there = await judged(service, [{ ...how, rationale: 'today in New York', due_on: '2026-09-01' }], {
    time_zone: 'America/New_York',
  })
  const owner = here.seats.company
  await service.call('PATCH', pathOf(here.decisions[0]), { owner_party_id: owner }, { ifMatch: '*' })
  await service.call('PATCH', pathOf(here.decisions[2]), { status: 'done' }, { ifMatch: '*' })
  const found = async (query: string, path = '/v1/evaluation-decisions'): Promise<string[]> => {
    const answer = await service.get(`${path}?${query}`)
    t.equal(answer.status, 200, answer.text)
    return answer.body.data.map(({ rationale }: Json) => rationale)
  }
  t.strictSame(await found('is_overdue=true'), [])
  // Where it is Amsterdam it is the second by now.
  clock.set('2026-09-01T22:30:00Z')
  t.strictSame(await found('is_overdue=true'), ['late'])
  t.strictSame(await found('is_overdue=true', `/v1/evaluations/${here.round.id}/decisions`), ['late'])
  t.strictSame(await found('is_overdue=false'), ['no day', 'done in time', 'today in New York'])
  clock.set('2026-09-02T12:00:00Z')
  t.strictSame(await found('is_overdue=true&include_total=true'), ['late', 'today in New York'])
  t.strictSame(await found(`is_overdue=true&partnership_id=${there.seats.partnership.id}`), ['today in New York'])
  t.strictSame(await found('status=open&sort=-due_on'), ['no day', 'today in New York', 'late'])
  t.strictSame(await found('due_before=2026-09-01'), [])
  t.strictSame(await found('due_from=2026-09-01&aspect=how&decision=adapt'), ['late', 'today in New York'])
  t.strictSame(await found(`owner_party_id=${owner}`), ['late'])
  t.strictSame(await found(`owner_organisation_id=${here.seats.organisations.company.id}`), ['late'])
  t.strictSame(await found(`organisation_id=${there.seats.organisations.charity.id}`), ['today in New York'])
  t.strictSame(await found(`evaluation_id=${there.round.id}&updated_since=2026-03-10T00:00:00Z`), ['today in New York'])
  const rounds = async (value: boolean): Promise<string[]> =>
    (await service.get(`/v1/evaluations?has_overdue_decisions=${value}`)).body.data.map(({ id }: Json) => id)
  t.strictSame(await rounds(true), [here.round.id, there.round.id])
  await service.call('PATCH', pathOf(here.decisions[0]), { status: 'dropped' }, { ifMatch: '*' })
  t.strictSame([await rounds(true), await rounds(false)], [[there.round.id], [here.round.id]])

  const { key } = await service.make('/v1/api-keys', {
    ...{ name: 'Portal', scopes: ['evaluations:read'], organisation_ids: [there.seats.organisations.company.id] },
  })
  const partners = await service.get('/v1/evaluation-decisions', { key })
  t.strictSame(
    partners.body.data.map(({ rationale }: Json) => rationale),
    ['today in New York'],
    'a partner sees those of its own partnerships',
  )
})

/** Proposes a smaller gift, to carry out a decision. */
const amend = (
  service: Service,
  { seats, gift }: Pick<Awaited<ReturnType<typeof judged>>, 'seats' | 'gift'>,
  decision: Json,
  more: object = {},
): Promise<Answer> =>
  service.call('POST', `/v1/partnerships/${seats.partnership.id}/amendments`, {
    cause: 'evaluation',
    proposed_by_party_id: seats.company,
    changes: { commitments: [{ commitment_id: gift.id, terms: { title: `A smaller gift ${newId()}` } }] },
    decision_id: decision.id,
    ...more,
  })

t.test('a decision opens an amendment, and is done when that is accepted', async (t) => {
  const service = await first.afresh()
  const world = await judged(service, [how])
  const [decision] = world.decisions
  t.equal(decision?.amendment_id, null)
  const opened = await amend(service, world, decision)
  t.match(opened, {
    status: 201,
    body: { decision_id: decision?.id, evaluation_id: world.round.id, status: 'proposed' },
  })
  const linked = (await service.get(pathOf(decision))).body
  t.match(linked, { version: 2, status: 'open', amendment_id: opened.body.id })
  const [listed] = (await service.get(`/v1/amendments?decision_id=${decision?.id}`)).body.data
  t.strictSame(listed, opened.body)

  for (const status of ['done', 'dropped']) {
    const byHand = await service.call('PATCH', pathOf(decision), { status }, { ifMatch: '*' })
    isProblem(t, byHand, 'state_forbids')
    t.strictSame(faultsOf(byHand), ['/status follows_amendment'])
  }
  const later = await service.call('PATCH', pathOf(decision), { due_on: '2026-12-01' }, { ifMatch: '*' })
  t.equal(later.body.due_on, '2026-12-01', 'what else may change still does')
  const second = await amend(service, world, decision)
  isProblem(t, second, 'state_forbids')
  t.strictSame(faultsOf(second), ['/decision_id amendment_proposed'])

  await stepOf(service, `/v1/amendments/${opened.body.id}`, 'accept', { party_id: world.seats.charity })
  const done = (await service.get(pathOf(decision))).body
  t.match(done, { version: 4, status: 'done', amendment_id: opened.body.id })
  const { data: events } = (await service.get('/v1/events?limit=200')).body
  t.strictSame(
    events
      .filter(({ resource_id }: Json) => resource_id === decision?.id)
      .map(({ type, changed }: Json) => [type, changed])
      .slice(1),
    [
      ['evaluation_decision.updated', ['amendment_id']],
      ['evaluation_decision.updated', ['due_on']],
      ['evaluation_decision.updated', ['status']],
    ],
  )
  const reopened = await service.call('PATCH', pathOf(decision), { status: 'open' }, { ifMatch: '*' })
  t.strictSame(faultsOf(reopened), ['/status follows_amendment'], 'what was carried out is not undone by hand')
  const again = await amend(service, world, decision)
  isProblem(t, again, 'state_forbids')
  t.strictSame(faultsOf(again), ['/decision_id not_open'])
  const row = (await service.get('/v1/exports/evaluation_decisions.ndjson')).text
  t.equal(JSON.parse(row).amendment_id, opened.body.id)
  t.equal(JSON.parse((await service.get('/v1/exports/amendments.ndjson')).text).decision_id, decision?.id)
})

t.test(
  'an amendment that comes to nothing leaves its decision open, for another or to be settled by hand',
  async (t) => {
    const service = await first.afresh()
    const world = await judged(service, [how])
    const [decision] = world.decisions
    const endings = [
      ['reject', world.seats.charity],
      ['withdraw', world.seats.company],
    ] as const
    for (const [verb, party_id] of endings) {
      const { body } = await amend(service, world, decision)
      await stepOf(service, `/v1/amendments/${body.id}`, verb, { party_id })
      t.match((await service.get(pathOf(decision))).body, { status: 'open', amendment_id: body.id }, verb)
    }
    const dropped = await service.call('PATCH', pathOf(decision), { status: 'dropped' }, { ifMatch: '*' })
    t.equal(dropped.body.status, 'dropped')
  },
)

t.test('an amendment that counts at once carries its decision out at once', async (t) => {
  const service = await first.afresh()
  const world = await judged(service, [{ aspect: 'why', decision: 'adapt' }])
  const { partnership, company } = world.seats
  const [, charity] = partnership.parties
  // The charity has left, so that nobody else is asked.
  const parties = partnership.parties.map(({ id, organisation_id, side }: Json) => ({
    ...{ id, organisation_id, side, left_on: id === charity.id ? '2026-03-01' : null },
  }))
  const left = await service.call('PATCH', `/v1/partnerships/${partnership.id}`, { parties }, { ifMatch: '*' })
  t.equal(left.status, 200, left.text)
  const changes = { partnership: { purpose: { why: { nl: 'Meer lezen', en: 'More reading' } } } }
  const counted = await amend(service, world, world.decisions[0], { changes, proposed_by_party_id: company })
  t.match(counted, { status: 201, body: { status: 'accepted' } })
  t.match((await service.get(pathOf(world.decisions[0]))).body, {
    ...{ version: 2, status: 'done', amendment_id: counted.body.id },
  })
})

t.test('an amendment carries out a decision of its own partnership and evaluation alone', async (t) => {
  const service = await first.afresh()
  const world = await judged(service, [how])
  const [decision] = world.decisions
  const other = await judged(service, [how])
  const older = await roundIn(service, world.seats.partnership, 'closed')
  const wrong = await amend(service, world, decision, { cause: 'renewal', evaluation_id: older.id })
  isProblem(t, wrong, 'rule_violated')
  t.strictSame(faultsOf(wrong), ['/cause of_decision', '/evaluation_id other_evaluation'])
  for (const id of [nowhere, other.decisions[0]?.id]) {
    t.strictSame(faultsOf(await amend(service, world, { id })), ['/decision_id unknown_reference'])
  }
  const named = await amend(service, world, decision, { evaluation_id: world.round.id })
  t.equal(named.status, 201, 'its own evaluation may be named')
  const both = await Promise.all([1, 2, 3].map(() => amend(service, other, other.decisions[0])))
  t.strictSame(both.map(({ status }) => status).sort(), [201, 409, 409], 'of three at once one is made')
})
