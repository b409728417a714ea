import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import { draft, leadTo, organisation, partnershipIn, pauseOf, stepOf } from './support/world.ts'

const codesOf = (body: Json): string[] => body.errors.map(({ code }: Json) => code)
const pathOf = ({ id }: Json): string => `/v1/partnerships/${id}`

const states = ['draft', 'proposed', 'declined', 'active', 'paused', 'ending', 'ended'] as const

/** The states that each may go to. */
const next: Record<string, string[]> = {
  draft: ['proposed'],
  proposed: ['draft', 'declined', 'active'],
  declined: [],
  active: ['paused', 'ending'],
  paused: ['active', 'ending'],
  ending: ['ended', 'active', 'paused'],
  ended: [],
}

/** Every step: a body with which it succeeds, where it is allowed, and what it leads to. */
const steps: Record<string, { from: string[]; to: string; body: (partnership: Json) => object }> = {
  propose: { from: ['draft'], to: 'proposed', body: () => ({}) },
  withdraw: { from: ['proposed'], to: 'draft', body: () => ({ reason: 'Not yet' }) },
  decline: { from: ['proposed'], to: 'declined', body: () => ({ reason: 'No budget' }) },
  assent: { from: ['proposed'], to: 'proposed', body: ({ parties }) => ({ party_id: parties[0].id }) },
  activate: { from: ['proposed'], to: 'active', body: () => ({ reciprocity_waiver: 'A pilot' }) },
  pause: { from: ['active'], to: 'paused', body: pauseOf },
  resume: { from: ['paused'], to: 'active', body: () => ({}) },
  'wind-down': {
    from: ['active', 'paused'],
    to: 'ending',
    body: () => ({ ends_on: '2026-12-31', end_reason: 'completed' }),
  },
  end: { from: ['ending'], to: 'ended', body: () => ({ exit_evaluation_waiver: 'Too small' }) },
  'keep-on': { from: ['ending'], to: 'active', body: () => ({}) },
}

t.test('every step from every state is allowed or refused as the table says', async (t) => {
  const service = await startService(t)
  for (const from of states) {
    for (const [verb, { from: allowedFrom, to, body }] of Object.entries(steps)) {
      const partnership = await partnershipIn(service, from)
      if (verb === 'activate' && from === 'proposed') await assentAll(service, partnership)
      const answer = await service.step(pathOf(partnership), verb, body(partnership))
      if (allowedFrom.includes(from)) {
        t.match(answer, { status: 200, body: { status: to } }, `${from} → ${verb}`)
        continue
      }
      t.match(
        answer,
        { status: 409, body: { code: 'transition_not_allowed', from, to, allowed: next[from] } },
        `${from} → ${verb} is refused`,
      )
      const { body: after, etag } = await service.get(pathOf(partnership))
      t.equal(after.status, from, 'and it stays where it was')
      t.equal(etag, `"${partnership.version}"`, 'in the version that it had')
    }
  }
})

async function assentAll(service: Service, partnership: Json): Promise<void> {
  for (const { id } of partnership.parties) await stepOf(service, pathOf(partnership), 'assent', { party_id: id })
}

t.test('the state speaks before the conditions', async (t) => {
  const service = await startService(t)
  const empty = await service.make('/v1/partnerships', { name: 'Nothing yet' })
  const answer = await service.step(pathOf(empty), 'activate')
  t.match(answer, { status: 409, body: { code: 'transition_not_allowed' } })
})

t.test('proposing names every condition that is not met', async (t) => {
  const service = await startService(t)
  const empty = await service.make('/v1/partnerships', { name: 'Nothing yet' })
  const answer = await service.step(pathOf(empty), 'propose')
  t.match(answer, { status: 422, body: { code: 'condition_unmet' } })
  t.same(codesOf(answer.body), ['two_parties', 'cross_sector'])
})

t.test('two parties of one side need a reason', async (t) => {
  const service = await startService(t)
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
  const service = await startService(t)
  const partnership = await partnershipIn(service, 'proposed', { starts_on: null })
  const answer = await service.step(pathOf(partnership), 'activate')
  t.match(answer, { status: 422, body: { code: 'condition_unmet' } })
  t.same(codesOf(answer.body), ['starts_on', 'assents', 'assents', 'reciprocity'])
  t.same(
    answer.body.errors.map(({ pointer }: Json) => pointer),
    ['/starts_on', '/parties/0', '/parties/1', '/reciprocity_waiver'],
  )
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
  const service = await startService(t)
  const partnership = await partnershipIn(service, 'proposed')
  const answer = await service.step(pathOf(partnership), 'activate', { starts_on: '2026-05-01' })
  t.match(answer, { status: 409, body: { code: 'agreed_terms', errors: [{ pointer: '/starts_on' }] } })
  const late = await partnershipIn(service, 'proposed', { starts_on: null, ends_on: '2026-03-01' })
  await assentAll(service, late)
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
  t.same(
    answer.body.errors.map(({ pointer }: Json) => pointer),
    ['/party_id', '/recorded_by_party_id', '/on'],
  )
})

t.test('a decline needs a reason, and may say whose decision it was', async (t) => {
  const service = await startService(t)
  const partnership = await partnershipIn(service, 'proposed')
  const bare = await service.step(pathOf(partnership), 'decline', {})
  t.match(bare, { status: 400, body: { errors: [{ pointer: '/reason', code: 'required' }] } })
  const stranger = { reason: 'No', decided_by_party_id: '01990000-0000-7000-8000-000000000000' }
  t.equal((await service.step(pathOf(partnership), 'decline', stranger)).status, 422)
  const decidedBy = partnership.parties[1].id
  const declined = await stepOf(service, pathOf(partnership), 'decline', {
    reason: 'No budget',
    decided_by_party_id: decidedBy,
  })
  t.match(declined, { status: 'declined', decline_reason: 'No budget' })
  const { body } = await service.get(`${pathOf(partnership)}/history?sort=-changed_at&limit=1`)
  t.match(body.data[0], { to_status: 'declined', reason: 'No budget', decided_by_party_id: decidedBy })
})

t.test('winding down takes the last day that was agreed, or asks for one', async (t) => {
  const service = await startService(t)
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
  const service = await startService(t)
  const partnership = await partnershipIn(service, 'ending')
  const answer = await service.step(pathOf(partnership), 'end')
  t.match(answer, { status: 422, body: { code: 'condition_unmet', errors: [{ code: 'exit_evaluation' }] } })
  const ended = await stepOf(service, pathOf(partnership), 'end', { exit_evaluation_waiver: 'Too small' })
  t.match(ended, { status: 'ended', exit_evaluation_waiver: 'Too small', end_reason: 'completed' })
})

t.test('what was wound down in a pause is kept on into that pause', async (t) => {
  const service = await startService(t)
  const partnership = await partnershipIn(service, 'paused')
  await stepOf(service, pathOf(partnership), 'wind-down', { end_reason: 'disruption', ends_on: '2027-01-31' })
  const kept = await stepOf(service, pathOf(partnership), 'keep-on')
  t.match(kept, { status: 'paused', end_reason: null, ends_on: null, pause: { reason: 'solidarity' } })
  const resumed = await stepOf(service, pathOf(partnership), 'resume')
  t.match(resumed, { status: 'active', pause: null })
})

t.test('keeping on may set another last day', async (t) => {
  const service = await startService(t)
  const partnership = await partnershipIn(service, 'ending')
  const early = await service.step(pathOf(partnership), 'keep-on', { ends_on: '2025-01-01' })
  t.match(early, { status: 422, body: { errors: [{ pointer: '/ends_on' }] } })
  const kept = await stepOf(service, pathOf(partnership), 'keep-on', { ends_on: '2029-12-31' })
  t.match(kept, { status: 'active', ends_on: '2029-12-31', end_reason: null })
})

t.test('a step needs the ETag of what it changes', async (t) => {
  const service = await startService(t)
  const partnership = await draft(service)
  const path = `${pathOf(partnership)}/propose`
  t.equal((await service.call('POST', path, {})).status, 428)
  t.equal((await service.call('POST', path, {}, { ifMatch: '"7"' })).status, 412)
  t.match(await service.call('POST', path, undefined, { ifMatch: '"1"' }), { status: 200, etag: '"2"' })
  t.equal((await service.call('POST', path, {}, { ifMatch: '"1"' })).status, 412, 'stale before anything else')
})

t.test('the history tells every state, oldest first, and whose decision it was', async (t) => {
  const clock = fixedClock('2026-03-01T23:30:00Z')
  const service = await startService(t, { clock })
  const partnership = await leadTo(service, await draft(service), 'paused')
  await stepOf(service, pathOf(partnership), 'resume')
  await stepOf(service, pathOf(partnership), 'wind-down', { ends_on: '2026-03-31', end_reason: 'completed' })
  clock.set('2026-04-10T12:00:00Z')
  await stepOf(service, pathOf(partnership), 'end', { exit_evaluation_waiver: 'Too small' })
  const { body } = await service.get(`${pathOf(partnership)}/history`)
  t.same(
    body.data.map(({ from_status, to_status, changed_on }: Json) => [from_status, to_status, changed_on]),
    [
      [null, 'draft', '2026-03-02'],
      ['draft', 'proposed', '2026-03-02'],
      ['proposed', 'active', '2026-01-01'],
      ['active', 'paused', '2026-03-02'],
      ['paused', 'active', '2026-03-02'],
      ['active', 'ending', '2026-03-02'],
      ['ending', 'ended', '2026-03-31'],
    ],
    'days are those of Amsterdam; activity counts from its start, the end from the last day',
  )
  t.equal(body.data[3].decided_by_party_id, partnership.parties[0].id)
  t.match(body.data[0].actor, { type: 'api_key' })
  const page = await service.get(`${pathOf(partnership)}/history?limit=3`)
  const rest = await service.get(`${pathOf(partnership)}/history?limit=200&cursor=${page.body.next_cursor}`)
  t.same([...page.body.data, ...rest.body.data], body.data, 'in pages too')
  t.equal((await service.get('/v1/partnerships/01990000-0000-7000-8000-000000000000/history')).status, 404)
})
