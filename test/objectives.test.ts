import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { type Json, startService } from './support/harness.ts'
import { allianceTakenOver } from './support/promises.ts'
import { organisation } from './support/world.ts'

const nowhere = '01900000-0000-7000-8000-000000000000'
const codesOf = (body: Json): string[] => body.errors.map((fault: Json) => `${fault.pointer} ${fault.code}`).sort()

t.test('an objective is created, read, changed with true nulls, found and deleted', async (t) => {
  const service = await startService(t)
  const charity = await organisation(service, 'non_profit')
  const impact = await service.make('/v1/objectives', {
    organisation_id: charity.id,
    level: 'impact',
    title: 'Ieder kind zwemt',
    importance: 5,
    active_from: '2026-01-01',
    sdg_goals: [3, 4],
    sdg_targets: ['4.1', '17.19'],
    indicator_refs: ['https://example.org/indicators/swimming'],
    metadata: { cost_centre: '42' },
  })
  t.match(impact, { version: 1, parent_id: null, active_until: null, description: null, sdg_goals: [3, 4] })

  const outcome = await service.make('/v1/objectives', {
    organisation_id: charity.id,
    parent_id: impact.id,
    level: 'outcome',
    title: 'Zwemles voor wie het niet betalen kan',
    description: 'Per jaar 500 kinderen',
    importance: 4,
    active_from: '2026-01-01',
    active_until: '2026-12-31',
  })
  const patched = await service.call(
    'PATCH',
    `/v1/objectives/${outcome.id}`,
    { active_until: null, description: null },
    { ifMatch: '"1"' },
  )
  t.match(patched.body, { version: 2, active_until: null, description: null, parent_id: impact.id })

  const found = await service.get(
    `/v1/objectives?q=ZWEMLES&level=outcome&active_on=2027-06-01&organisation_id=${charity.id}`,
  )
  t.same(
    found.body.data.map((objective: Json) => objective.id),
    [outcome.id],
  )
  t.same((await service.get('/v1/objectives?active_on=2025-12-31')).body.data, [])
  t.same((await service.get('/v1/objectives?sdg_goal=4')).body.data.length, 1)
  t.same((await service.get(`/v1/objectives?parent_id=${impact.id}&sort=-title`)).body.data.length, 1)

  const refused = await service.call('DELETE', `/v1/objectives/${impact.id}`, undefined, { ifMatch: '"1"' })
  t.match(refused, { status: 409, body: { code: 'in_use', dependants: ['objectives'] } })
  t.equal((await service.call('DELETE', `/v1/objectives/${outcome.id}`, undefined, { ifMatch: '"2"' })).status, 204)
  t.equal((await service.call('DELETE', `/v1/objectives/${impact.id}`, undefined, { ifMatch: '"1"' })).status, 204)
})

t.test('every fault of an objective is named at once', async (t) => {
  const service = await startService(t)
  const charity = await organisation(service, 'non_profit')
  const other = await organisation(service, 'non_profit')
  const base = { level: 'output', title: 'Zwembad', importance: 1, active_from: '2026-02-01' }
  const faulty = await service.call('POST', '/v1/objectives', {
    ...base,
    organisation_id: nowhere,
    active_until: '2026-01-31',
    sdg_targets: ['18.1', '4.d'],
    metadata: { big: 'x'.repeat(17_000) },
  })
  t.equal(faulty.status, 422)
  t.same(codesOf(faulty.body), [
    '/active_until before_start',
    '/metadata too_large',
    '/organisation_id unknown_reference',
    '/sdg_targets/0 unknown_sdg_target',
    '/sdg_targets/1 unknown_sdg_target',
  ])

  const impact = await service.make('/v1/objectives', { ...base, level: 'impact', organisation_id: charity.id })
  const output = await service.make('/v1/objectives', { ...base, parent_id: impact.id, organisation_id: charity.id })
  const refusal = async (body: object) => codesOf((await service.call('POST', '/v1/objectives', body)).body)
  t.same(await refusal({ ...base, organisation_id: other.id, parent_id: impact.id }), ['/parent_id other_organisation'])
  t.same(await refusal({ ...base, organisation_id: other.id, parent_id: nowhere }), ['/parent_id unknown_reference'])
  t.same(await refusal({ ...base, level: 'outcome', organisation_id: charity.id, parent_id: output.id }), [
    '/parent_id level',
  ])
  t.same(await refusal({ ...base }), ['/organisation_id required'])

  const change = async (id: string, patch: object) =>
    codesOf((await service.call('PATCH', `/v1/objectives/${id}`, patch, { ifMatch: '*' })).body)
  t.same(await change(impact.id, { parent_id: output.id, level: 'output' }), ['/parent_id circle'])
  t.same(await change(output.id, { organisation_id: other.id }), ['/organisation_id fixed'])
  await service.make('/v1/objectives', { ...base, level: 'outcome', parent_id: impact.id, organisation_id: charity.id })
  t.same(await change(impact.id, { level: 'output' }), ['/level level'])
})

t.test('by the client’s own id: created once, unchanged the second time', async (t) => {
  const service = await startService(t)
  await organisation(service, 'non_profit', 'An organisation', { external_refs: [{ system: 'crm', id: 'org-1' }] })
  const body = {
    organisation_ref: { system: 'crm', id: 'org-1' },
    level: 'impact',
    title: 'Schoon water',
    importance: 3,
    active_from: '2026-01-01',
  }
  const path = '/v1/objectives/by-ref/strategy/o-1'
  const first = await service.call('PUT', path, body)
  t.equal(first.status, 201)
  const second = await service.call('PUT', path, body)
  t.match(second, { status: 200, etag: '"1"' })
  const third = await service.call('PUT', path, { ...body, importance: 5 })
  t.match(third, { status: 200, etag: '"2"', body: { importance: 5, id: first.body.id } })
})

t.test('an objective of today is served where the day has yet to begin', async (t) => {
  // 05:00 on the 2nd in Amsterdam, the evening of the 1st in New York.
  const service = await startService(t, { clock: fixedClock('2026-03-02T04:00:00Z') })
  const there = await allianceTakenOver(service, { partnership: { time_zone: 'America/New_York' } })
  const started = async (active_from: string, more: object = {}) => {
    const organisation_id = there.organisations.charity.id
    const { id } = await service.make('/v1/objectives', {
      organisation_id,
      level: 'outcome',
      title: 'Now',
      importance: 3,
      active_from,
    })
    const to = { partnership_id: there.partnership.id, objective_id: id, contribution: 1, ...more }
    return service.call('POST', '/v1/objective-links', to)
  }
  t.match(await started('2026-02-01'), { status: 201, body: { assessed_on: '2026-03-01' } })
  t.match(await started('2026-03-02'), { status: 201, body: { assessed_on: '2026-03-02' } })
  t.match(await started('2026-03-02', { assessed_on: '2026-03-02' }), { status: 201 })
  t.same(codesOf((await started('2026-02-01', { assessed_on: '2026-03-02' })).body), ['/assessed_on in_future'])
  t.same(codesOf((await started('2026-03-03')).body), ['/assessed_on inactive'])
})

t.test('links are superseded, never edited: what counted on any day stays known', async (t) => {
  const clock = fixedClock('2026-03-01T12:00:00Z')
  const service = await startService(t, { clock })
  const { partnership, organisations } = await allianceTakenOver(service)
  const objective = await service.make('/v1/objectives', {
    organisation_id: organisations.charity.id,
    level: 'outcome',
    title: 'Meer vrijwilligers',
    importance: 4,
    active_from: '2026-01-01',
    active_until: '2026-12-31',
  })
  const link = (body: object) =>
    service.call('POST', '/v1/objective-links', {
      partnership_id: partnership.id,
      objective_id: objective.id,
      ...body,
    })
  const first = await link({ contribution: 1, rationale: 'Nog maar net begonnen' })
  t.match(first, { status: 201, body: { assessed_on: '2026-03-01', superseded_by_id: null, contribution: 1 } })
  clock.set('2026-06-01T12:00:00Z')
  const second = await link({ contribution: 3 })
  const former = await service.get(`/v1/objective-links/${first.body.id}`)
  t.match(former, {
    etag: '"2"',
    body: { contribution: 1, superseded_on: '2026-06-01', superseded_by_id: second.body.id },
  })
  const asOf = async (day: string) =>
    (await service.get(`/v1/objective-links?partnership_id=${partnership.id}&as_of=${day}`)).body.data.map(
      (row: Json) => row.contribution,
    )
  t.same(await asOf('2026-02-28'), [])
  t.same(await asOf('2026-05-31'), [1])
  t.same(await asOf('2026-06-01'), [3])
  t.same((await service.get('/v1/objective-links?is_current=false')).body.data.length, 1)
  t.same(
    (await service.get(`/v1/objective-links?organisation_id=${organisations.charity.id}&is_current=true`)).body.data
      .length,
    1,
  )

  t.same(codesOf((await link({ contribution: 2, assessed_on: '2026-05-31' })).body), ['/assessed_on before_former'])
  t.same(codesOf((await link({ contribution: 2, assessed_on: '2026-06-02' })).body), ['/assessed_on in_future'])
  clock.set('2027-06-01T12:00:00Z')
  t.same(codesOf((await link({ contribution: 2 })).body), ['/assessed_on inactive'])
  t.same(codesOf((await link({ contribution: 2, assessed_on: '2026-07-01', evaluation_id: nowhere })).body), [
    '/evaluation_id unknown_reference',
  ])
  const linked = await service.call('DELETE', `/v1/objectives/${objective.id}`, undefined, { ifMatch: '*' })
  t.match(linked, { status: 409, body: { dependants: ['objective_links'] } })
})

t.test('each side links its own objectives, and those of others are refused', async (t) => {
  const service = await startService(t, { clock: fixedClock('2026-03-01T12:00:00Z') })
  const { partnership } = await allianceTakenOver(service)
  const stranger = await organisation(service, 'non_profit')
  const objective = await service.make('/v1/objectives', {
    organisation_id: stranger.id,
    level: 'impact',
    title: 'Elders',
    importance: 1,
    active_from: '2026-01-01',
  })
  const link = (body: object) => service.call('POST', '/v1/objective-links', { contribution: 1, ...body })
  const refused = await link({ partnership_id: partnership.id, objective_id: objective.id })
  t.match(refused, { status: 422, body: { errors: [{ pointer: '/objective_id', code: 'no_party' }] } })
  const unknown = await link({ partnership_id: nowhere, objective_id: nowhere })
  t.match(unknown, { status: 422, body: { code: 'rule_violated' } })
  t.same(codesOf(unknown.body), ['/objective_id unknown_reference', '/partnership_id unknown_reference'])
})

t.test('of assessments at once each supersedes the one before: one counts', async (t) => {
  const service = await startService(t, { clock: fixedClock('2026-03-01T12:00:00Z') })
  const { partnership, organisations } = await allianceTakenOver(service)
  const objective = await service.make('/v1/objectives', {
    organisation_id: organisations.company.id,
    level: 'impact',
    title: 'Betrokken buurten',
    importance: 2,
    active_from: '2026-01-01',
  })
  const body = { partnership_id: partnership.id, objective_id: objective.id }
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, at) =>
      service.call('POST', '/v1/objective-links', { ...body, contribution: at % 4 }),
    ),
  )
  t.same(
    answers.map(({ status }) => status),
    answers.map(() => 201),
  )
  const links = (await service.get(`/v1/objective-links?objective_id=${objective.id}`)).body.data
  t.equal(links.length, 12)
  t.equal(links.filter((link: Json) => link.superseded_by_id === null).length, 1)
  t.equal(new Set(links.map((link: Json) => link.superseded_by_id)).size, 12, 'a chain without a fork')
})
