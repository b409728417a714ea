import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { type Json, startService } from './support/harness.ts'
import { faults, nowhere, openRound, partnershipOf, plan, roundIn, stepRound } from './support/rounds.ts'

const shared = await startService(t)

const period = { period_from: '2026-01-01', period_to: '2026-06-30' }

t.test('a round is planned with its defaults', async (t) => {
  const clock = fixedClock('2026-06-15T10:00:00.250Z')
  const service = await startService(t, { clock })
  const partnership = await partnershipOf(service)
  const answer = await service.call('POST', '/v1/evaluations', {
    partnership_id: partnership.id.toUpperCase(),
    kind: 'periodic',
    ...period,
  })
  t.equal(answer.status, 201)
  t.equal(answer.etag, '"1"')
  t.equal(answer.headers['location'], `/v1/evaluations/${answer.body.id}`)
  const { id, ...round } = answer.body
  t.strictSame(round, {
    version: 1,
    created_at: '2026-06-15T10:00:00.25+00:00',
    updated_at: '2026-06-15T10:00:00.25+00:00',
    organisation_id: null,
    partnership_id: partnership.id,
    kind: 'periodic',
    disruption_id: null,
    template_code: 'partnership-review',
    template_version: 1,
    title: null,
    ...period,
    opens_at: null,
    closes_at: null,
    response_mode: 'organisation',
    minimum_per_side: null,
    status: 'planned',
    opened_at: null,
    closed_at: null,
    concluded_at: null,
    conclusion: null,
    statements: [],
    cancel_reason: null,
    external_refs: [],
    metadata: {},
  })
  const read = await service.get(`/v1/evaluations/${id}`)
  t.strictSame([read.body, read.etag], [answer.body, '"1"'])
  t.equal((await service.get(`/v1/evaluations/${id}`, { headers: { 'if-none-match': '"1"' } })).status, 304)
})

t.test('a partnership may be named by the id that a client gave it', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service, 'active', undefined, {
    external_refs: [{ system: 'crm', id: 'P-1' }],
  })
  const body = { partnership_ref: { system: 'crm', id: 'P-1' }, kind: 'baseline', ...period }
  t.equal((await service.make('/v1/evaluations', body)).partnership_id, partnership.id)
  const unknown = await service.call('POST', '/v1/evaluations', {
    ...body,
    partnership_ref: { system: 'crm', id: 'P-2' },
  })
  t.strictSame([unknown.status, faults(unknown)], [422, ['/partnership_ref unknown_reference']])
  const both = await service.call('POST', '/v1/evaluations', { ...body, partnership_id: partnership.id })
  t.strictSame([both.status, faults(both)], [422, ['/partnership_ref exclusive']])
})

t.test('every broken rule is named at once', async (t) => {
  const service = await shared.afresh()
  const answer = await service.call('POST', '/v1/evaluations', {
    partnership_id: nowhere,
    kind: 'periodic',
    template_code: 'somebody-elses',
    period_from: '2026-07-01',
    period_to: '2026-06-30',
    opens_at: '2026-07-01T09:00:00+02:00',
    closes_at: '2026-07-01T07:00:00Z',
    metadata: { much: 'x'.repeat(17_000) },
  })
  t.equal(answer.status, 422)
  t.strictSame(faults(answer), [
    '/partnership_id unknown_reference',
    '/template_code unknown_reference',
    '/period_to order',
    '/closes_at order',
    '/metadata too_large',
  ])
  const none = await service.call('POST', '/v1/evaluations', { kind: 'periodic', ...period })
  t.strictSame([none.status, faults(none)], [422, ['/partnership_id required']])
  const partnership = await partnershipOf(service)
  const about = { partnership_id: partnership.id, kind: 'periodic', template_code: 'alliance-readiness', ...period }
  const wrong = await service.call('POST', '/v1/evaluations', about)
  t.strictSame([wrong.status, faults(wrong)], [422, ['/template_code wrong_subject']])
})

t.test('what cannot be read is 400, fault by fault', async (t) => {
  const service = await shared.afresh()
  const answer = await service.call('POST', '/v1/evaluations', {
    kind: 'yearly',
    period_from: '2026-02-30',
    closes_at: '2026-03-01T12:00:00',
    response_mode: 'somehow',
    status: 'open',
  })
  t.equal(answer.status, 400)
  t.strictSame(faults(answer).sort(), [
    '/closes_at format',
    '/kind enum',
    '/period_from format',
    '/period_to required',
    '/response_mode enum',
    '/status unknown',
  ])
})

t.test('an upsert that says the same again changes nothing, in another spelling of its instants too', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const path = '/v1/evaluations/by-ref/crm/E-1'
  const body = { partnership_id: partnership.id, kind: 'periodic', ...period, closes_at: '2030-07-01T09:00:00.5+02:00' }
  const made = await service.call('PUT', path, body)
  t.strictSame([made.status, made.body.closes_at], [201, '2030-07-01T07:00:00.5+00:00'])
  const again = await service.call('PUT', path, { ...body, closes_at: '2030-07-01T07:00:00.500Z' })
  t.strictSame([again.status, again.body], [200, made.body])
  const changed = await service.call('PUT', path, { ...body, title: 'Mid-year' })
  t.strictSame([changed.status, changed.body.title, changed.etag], [200, 'Mid-year', '"2"'])
  t.strictSame((await service.get(path)).body, changed.body)
})

t.test('while it is planned a round may change in all but its partnership', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service, 'proposed')
  const other = await partnershipOf(service, 'proposed')
  const round = await plan(service, partnership, { kind: 'baseline', title: 'Start' })
  const path = `/v1/evaluations/${round.id}`
  const patch = {
    title: null,
    period_to: '2026-09-30',
    opens_at: '2030-01-01T00:00:00Z',
    closes_at: '2030-02-01T00:00:00Z',
    metadata: { source: 'board' },
    external_refs: [{ system: 'crm', id: 'E-1' }],
  }
  const changed = await service.call('PATCH', path, patch, { ifMatch: '"1"' })
  t.equal(changed.status, 200)
  t.match(changed.body, { version: 2, title: null, period_to: '2026-09-30', metadata: { source: 'board' } })
  t.strictSame(changed.body.external_refs, [{ system: 'crm', id: 'E-1', url: null }])

  const moved = await service.call('PATCH', path, { partnership_id: other.id }, { ifMatch: '"2"' })
  t.strictSame([moved.status, moved.body.code, faults(moved)], [409, 'state_forbids', ['/partnership_id fixed']])
  const kind = await service.call('PATCH', path, { kind: 'periodic' }, { ifMatch: '"2"' })
  t.strictSame(
    [kind.status, kind.body.code],
    [409, 'state_forbids'],
    'the state of the partnership does not suit the kind',
  )
  const order = await service.call('PATCH', path, { period_from: '2027-01-01' }, { ifMatch: '"2"' })
  t.strictSame([order.status, faults(order)], [422, ['/period_to order']])
  t.equal((await service.call('PATCH', path, { title: 'x' })).status, 428)
  t.equal((await service.call('PATCH', path, { title: 'x' }, { ifMatch: '"1"' })).status, 412)
})

t.test('once it is open a round keeps what was asked, and its deadline may only be put off', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const round = await openRound(service, partnership, { closes_at: '2030-07-01T12:00:00Z' })
  const path = `/v1/evaluations/${round.id}`
  const patch = async (body: object) => service.call('PATCH', path, body, { ifMatch: (await service.get(path)).etag })

  const fixed = await patch({ kind: 'exit', period_from: '2025-01-01', opens_at: '2026-01-01T00:00:00Z', title: 'x' })
  t.strictSame([fixed.status, fixed.body.code], [409, 'state_forbids'])
  t.strictSame(faults(fixed), ['/kind fixed', '/period_from fixed', '/opens_at fixed'])
  t.equal((await patch({ title: 'Mid-year', metadata: { a: 1 } })).status, 200)
  const earlier = await patch({ closes_at: '2030-07-01T11:59:59.999999Z' })
  t.strictSame([earlier.status, faults(earlier)], [409, ['/closes_at earlier']])
  t.equal((await patch({ closes_at: '2030-07-01T12:00:00.000001Z' })).status, 200)
  t.equal((await patch({ closes_at: null })).status, 200)
  t.equal((await patch({ closes_at: '2031-07-01T12:00:00Z' })).status, 409, 'where there was none, any is earlier')
})

t.test('after that only its title, references and metadata change', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  for (const status of ['closed', 'concluded', 'cancelled']) {
    const round = await roundIn(service, partnership, status)
    const path = `/v1/evaluations/${round.id}`
    const late = await service.call(
      'PATCH',
      path,
      { closes_at: '2031-01-01T00:00:00Z' },
      { ifMatch: `"${round.version}"` },
    )
    t.strictSame([late.status, faults(late)], [409, ['/closes_at fixed']], status)
    const named = await service.call('PATCH', path, { title: 'For the file' }, { ifMatch: `"${round.version}"` })
    t.strictSame([named.status, named.body.title], [200, 'For the file'], status)
  }
})

t.test('rounds are listed by partnership, organisation, state, kind, reference and time', async (t) => {
  const clock = fixedClock('2026-06-15T10:00:00Z')
  const service = await startService(t, { clock })
  const [first, second] = [await partnershipOf(service), await partnershipOf(service)]
  const a = await plan(service, first, { period_to: '2026-03-31', external_refs: [{ system: 'crm', id: 'a:1' }] })
  const b = await plan(service, first, { kind: 'renewal', period_to: '2026-12-31' })
  const c = await plan(service, second, { kind: 'exit', period_to: '2026-06-30' })
  clock.advance(1000)
  await stepRound(service, b, 'cancel', { reason: 'Too soon' })
  const ids = async (query: string): Promise<string[]> =>
    (await service.get(`/v1/evaluations?${query}`)).body.data.map(({ id }: Json) => id)
  t.strictSame(await ids(''), [a.id, b.id, c.id])
  t.strictSame(await ids('sort=-created_at'), [c.id, b.id, a.id])
  t.strictSame(await ids('sort=period_to'), [a.id, c.id, b.id])
  t.strictSame(await ids('sort=-updated_at&limit=1'), [b.id])
  t.strictSame(await ids(`partnership_id=${first.id}`), [a.id, b.id])
  t.strictSame(await ids(`organisation_id=${second.parties[1].organisation_id}`), [c.id])
  t.strictSame(await ids('status=planned'), [a.id, c.id])
  t.strictSame(await ids('status=cancelled,open'), [b.id])
  t.strictSame(await ids('kind=exit,periodic'), [a.id, c.id])
  t.strictSame(await ids('external_ref=crm:a:1'), [a.id])
  t.strictSame(await ids('updated_since=2026-06-15T10:00:01Z'), [b.id])
  const page = await service.get('/v1/evaluations?sort=period_to&limit=2&include_total=true')
  t.strictSame([page.body.data.length, page.body.total], [2, 3])
  t.strictSame(await ids(`sort=period_to&limit=2&cursor=${page.body.next_cursor}`), [b.id])
  t.equal((await service.get('/v1/evaluations?status=running')).status, 400)
})
