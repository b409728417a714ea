import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { type Json, startService } from './support/harness.ts'
import { draft, leadTo, partnershipIn, pauseOf, stepOf } from './support/world.ts'

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

const service = await startService(t)

t.test('every step from every state is allowed or refused as the table says', async (t) => {
  for (const from of states) {
    for (const [verb, { from: allowedFrom, to, body }] of Object.entries(steps)) {
      const partnership = await partnershipIn(service, from)
      if (verb === 'activate' && from === 'proposed') await assentAll(partnership)
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

async function assentAll(partnership: Json): Promise<void> {
  for (const { id } of partnership.parties) await stepOf(service, pathOf(partnership), 'assent', { party_id: id })
}

t.test('the state speaks before the conditions', async (t) => {
  const empty = await service.make('/v1/partnerships', { name: 'Nothing yet' })
  const answer = await service.step(pathOf(empty), 'activate')
  t.match(answer, { status: 409, body: { code: 'transition_not_allowed' } })
})

t.test('what was wound down in a pause is kept on into that pause', async (t) => {
  const partnership = await partnershipIn(service, 'paused')
  await stepOf(service, pathOf(partnership), 'wind-down', { end_reason: 'disruption', ends_on: '2027-01-31' })
  const kept = await stepOf(service, pathOf(partnership), 'keep-on')
  t.match(kept, { status: 'paused', end_reason: null, ends_on: null, pause: { reason: 'solidarity' } })
  const resumed = await stepOf(service, pathOf(partnership), 'resume')
  t.match(resumed, { status: 'active', pause: null })
})

t.test('keeping on may set another last day', async (t) => {
  const partnership = await partnershipIn(service, 'ending')
  const early = await service.step(pathOf(partnership), 'keep-on', { ends_on: '2025-01-01' })
  t.match(early, { status: 422, body: { errors: [{ pointer: '/ends_on' }] } })
  const kept = await stepOf(service, pathOf(partnership), 'keep-on', { ends_on: '2029-12-31' })
  t.match(kept, { status: 'active', ends_on: '2029-12-31', end_reason: null })
})

t.test('a step needs the ETag of what it changes', async (t) => {
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
