import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { type Json, startService } from './support/harness.ts'
import { draft, organisation, partnershipIn, stepOf } from './support/world.ts'

const codesOf = (body: Json): string[] => body.errors.map(({ code }: Json) => code)
const pointersOf = (body: Json): string[] => body.errors.map(({ pointer }: Json) => pointer)
const pathOf = ({ id }: Json): string => `/v1/partnerships/${id}`

async function assentAll(partnership: Json): Promise<void> {
  for (const { id } of partnership.parties) await stepOf(service, pathOf(partnership), 'assent', { party_id: id })
}

const service = await startService(t)

t.test('proposing names every condition that is not met', async (t) => {
  const empty = await service.make('/v1/partnerships', { name: 'Nothing yet' })
  const answer = await service.step(pathOf(empty), 'propose')
  t.match(answer, { status: 422, body: { code: 'condition_unmet' } })
  t.same(codesOf(answer.body), ['two_parties', 'cross_sector'])
})

t.test('two parties of one side need a reason', async (t) => {
  const [one, two] = [await organisation(service, 'non_profit'), await organisation(service, 'non_profit')]
  const parties = [one, two].map(({ id }) => ({ organisation_id: id, side: 'non_profit' }))
  const same = await service.make('/v1/partnerships', { name: 'Two charities', parties })
  const refused = await service.step(pathOf(same), 'propose')
  t.equal(refused.status, 422)
  t.same(codesOf(refused.body), ['cross_sector'])
  await service.call('PATCH', pathOf(same), { cross_sector_exception: 'They serve companies' }, { ifMatch: '"1"' })
  t.match(await service.step(pathOf(same), 'propose'), { status: 200, body: { status: 'proposed' } })
})

t.test('a party that has left does not count', async (t) => {
  const service = await startService(t, { clock: fixedClock('2026-03-01T12:00:00Z') })
  const { id, parties } = await draft(service)
  const left = [parties[0], { ...parties[1], left_on: '2026-03-01' }].map(({ assent: _a, ...party }) => party)
  await service.call('PATCH', `/v1/partnerships/${id}`, { parties: left }, { ifMatch: '"1"' })
  const answer = await service.step(`/v1/partnerships/${id}`, 'propose')
  t.same(codesOf(answer.body), ['two_parties', 'cross_sector'])
})

t.test('activating names every condition that is not met, and each party that has not assented', async (t) => {
  const partnership = await partnershipIn(service, 'proposed', { starts_on: null })
  const answer = await service.step(pathOf(partnership), 'activate')
  t.match(answer, { status: 422, body: { code: 'condition_unmet' } })
  t.same(codesOf(answer.body), ['starts_on', 'assents', 'assents', 'reciprocity'])
  t.same(pointersOf(answer.body), ['/starts_on', '/parties/0', '/parties/1', '/reciprocity_waiver'])
  await stepOf(service, pathOf(partnership), 'assent', { party_id: partnership.parties[0].id })
  const again = await service.step(pathOf(partnership), 'activate', { starts_on: '2026-02-01' })
  t.same(codesOf(again.body), ['assents', 'reciprocity'])
  t.match(again.body.errors[0].detail, partnership.parties[1].id)
  await stepOf(service, pathOf(partnership), 'assent', { party_id: partnership.parties[1].id })
  const body = { starts_on: '2026-02-01', reciprocity_waiver: 'A pilot' }
  const active = await stepOf(service, pathOf(partnership), 'activate', body)
  t.match(active, { status: 'active', starts_on: '2026-02-01', reciprocity_waiver: 'A pilot' })
})

t.test('the start that was agreed is not changed by activating', async (t) => {
  const partnership = await partnershipIn(service, 'proposed')
  const answer = await service.step(pathOf(partnership), 'activate', { starts_on: '2026-05-01' })
  t.match(answer, { status: 409, body: { code: 'agreed_terms', errors: [{ pointer: '/starts_on' }] } })
  const late = await partnershipIn(service, 'proposed', { starts_on: null, ends_on: '2026-03-01' })
  await assentAll(late)
  const tooLate = { starts_on: '2026-05-01', reciprocity_waiver: 'A pilot' }
  const refused = await service.step(pathOf(late), 'activate', tooLate)
  t.match(refused, { status: 422, body: { code: 'condition_unmet', errors: [{ code: 'before_start' }] } })
})

t.test('an assent may be recorded by the other side; the same again changes nothing', async (t) => {
  const service = await startService(t, { clock: fixedClock('2026-03-01T12:00:00Z') })
  const partnership = await partnershipIn(service, 'proposed')
  const [company, charity] = partnership.parties
  const assent = { party_id: charity.id, recorded_by_party_id: company.id, on: '2026-02-20', note: 'By e-mail' }
  const assented = await stepOf(service, pathOf(partnership), 'assent', assent)
  t.same(assented.parties[1].assent, { on: '2026-02-20', recorded_by_party_id: company.id, note: 'By e-mail' })
  t.equal(assented.parties[0].assent, null)
  t.equal(assented.version, partnership.version + 1)

  const again = await stepOf(service, pathOf(partnership), 'assent', assent)
  t.equal(again.version, assented.version, 'the same again keeps the version')
  const other = await service.step(pathOf(partnership), 'assent', { ...assent, on: '2026-02-21' })
  t.match(other, { status: 409, body: { code: 'state_forbids' } }, 'another in its place is refused')

  const draftAgain = await stepOf(service, pathOf(partnership), 'withdraw', { reason: 'Terms change' })
  t.same(
    draftAgain.parties.map((party: Json) => party.assent),
    [null, null],
    'withdrawing clears them',
  )
})

t.test('an assent of a stranger, by a stranger, on a day to come: all faults at once', async (t) => {
  const service = await startService(t, { clock: fixedClock('2026-03-01T12:00:00Z') })
  const partnership = await partnershipIn(service, 'proposed')
  const stranger = '01990000-0000-7000-8000-000000000000'
  const body = { party_id: stranger, recorded_by_party_id: stranger, on: '2026-03-02' }
  const answer = await service.step(pathOf(partnership), 'assent', body)
  t.match(answer, { status: 422, body: { code: 'rule_violated' } })
  t.same(pointersOf(answer.body), ['/party_id', '/recorded_by_party_id', '/on'])
})

t.test('a decline needs a reason, and may say whose decision it was', async (t) => {
  const partnership = await partnershipIn(service, 'proposed')
  const bare = await service.step(pathOf(partnership), 'decline', {})
  t.match(bare, { status: 400, body: { errors: [{ pointer: '/reason', code: 'required' }] } })
  const stranger = { reason: 'No', party_id: '01990000-0000-7000-8000-000000000000' }
  const foreign = await service.step(pathOf(partnership), 'decline', stranger)
  t.match(foreign, { status: 422, body: { errors: [{ pointer: '/party_id', code: 'unknown_reference' }] } })
  const decidedBy = partnership.parties[1].id
  const declined = await stepOf(service, pathOf(partnership), 'decline', {
    reason: 'No budget',
    party_id: decidedBy,
  })
  t.match(declined, { status: 'declined', decline_reason: 'No budget' })
  const { body } = await service.get(`${pathOf(partnership)}/history?sort=-changed_at&limit=1`)
  t.match(body.data[0], { to_status: 'declined', reason: 'No budget', decided_by_party_id: decidedBy })
})

t.test('winding down takes the last day that was agreed, or asks for one', async (t) => {
  const open = await partnershipIn(service, 'active')
  const bare = await service.step(pathOf(open), 'wind-down', {})
  t.match(bare, { status: 400, body: { errors: [{ pointer: '/end_reason' }] } })
  const refused = await service.step(pathOf(open), 'wind-down', { end_reason: 'completed' })
  t.match(refused, { status: 422, body: { code: 'condition_unmet', errors: [{ code: 'ends_on' }] } })
  const early = await service.step(pathOf(open), 'wind-down', { end_reason: 'completed', ends_on: '2025-12-31' })
  t.match(early, { status: 422, body: { errors: [{ pointer: '/ends_on', code: 'before_start' }] } })
  const fixed = await partnershipIn(service, 'active', { ends_on: '2027-06-30' })
  const ending = await stepOf(service, pathOf(fixed), 'wind-down', { end_reason: 'not_renewed' })
  t.match(ending, { status: 'ending', ends_on: '2027-06-30', end_reason: 'not_renewed' })
})

t.test('ending needs an exit evaluation or a waiver', async (t) => {
  const partnership = await partnershipIn(service, 'ending')
  const answer = await service.step(pathOf(partnership), 'end')
  t.match(answer, { status: 422, body: { code: 'condition_unmet', errors: [{ code: 'exit_evaluation' }] } })
  const ended = await stepOf(service, pathOf(partnership), 'end', { exit_evaluation_waiver: 'Too small' })
  t.match(ended, { status: 'ended', exit_evaluation_waiver: 'Too small', end_reason: 'completed' })
})
