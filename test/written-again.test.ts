import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { type Json, startService } from './support/harness.ts'
import { agreed, alliance, allianceTakenOver, faultsOf, pathOf, promise } from './support/promises.ts'
import { conclusion, openRound, plan, respond, stepRound } from './support/rounds.ts'
import { organisation, stepOf, waived } from './support/world.ts'

// What was written once can be written again, and then changes nothing, whatever has become of what it names.

const clock = fixedClock('2026-03-01T12:00:00Z')
const whole = await startService(t, { clock })
const any = { ifMatch: '*' }
const flood = { title: 'A flood', type: 'natural_disaster', started_on: '2026-02-01' }
const hit = { severity: 'high', effects: ['income_down'], response: 'pause', response_due_on: '2026-04-01' }

t.test('a promise of a party that has left', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const ref = '/v1/commitments/by-ref/crm/1'
  const made = (await service.call('PUT', ref, promise(seats))).body
  const other = await agreed(service, seats)
  await stepOf(service, pathOf(made), 'propose')
  await stepOf(service, pathOf(made), 'agree', { party_id: seats.charity })
  const path = `/v1/partnerships/${seats.partnership.id}`
  const parties = seats.partnership.parties.map(({ assent: _, ...party }: Json) => ({
    ...party,
    ...(party.id === seats.charity ? { left_on: '2026-03-01' } : {}),
  }))
  t.equal((await service.call('PATCH', path, { parties }, any)).status, 200)
  const again = await service.call('PUT', ref, promise(seats))
  t.match(again, { status: 200, body: { status: 'agreed' } })
  t.match(await service.call('PUT', ref, promise(seats)), { status: 200, etag: again.etag })
  t.equal((await service.call('PATCH', pathOf(other), { metadata: { a: 1 } }, any)).status, 200)
  const late = await service.call('POST', '/v1/commitments', promise(seats))
  t.same(faultsOf(late), ['/to_party_id party_left'], 'new ones are still refused')
})

t.test('a promise in return for one of its own side, made while there was no other', async (t) => {
  const service = await whole.afresh()
  const one = await alliance(service, 'draft')
  const companies = [await organisation(service, 'company'), await organisation(service, 'company')]
  const partnership = await service.make('/v1/partnerships', {
    name: 'Two companies',
    purpose: one.partnership.purpose,
    cross_sector_exception: 'They serve companies',
    parties: companies.map(({ id }) => ({ organisation_id: id, side: 'company' })),
  })
  const [company, charity] = partnership.parties.map(({ id }: Json) => id)
  const seats = { ...one, partnership, company, charity }
  const back = await service.make('/v1/commitments', promise({ ...seats, company: charity, charity: company }))
  const gift = await service.make('/v1/commitments', promise(seats, { to_party_id: null, in_return_for: [back.id] }))
  const joins = await organisation(service, 'non_profit')
  const parties = [...partnership.parties, { organisation_id: joins.id, side: 'non_profit' }]
  const joined = await service.call(
    'PATCH',
    `/v1/partnerships/${partnership.id}`,
    { parties: parties.map(({ assent: _, ...party }: Json) => party) },
    any,
  )
  t.equal(joined.status, 200)
  t.equal((await service.call('PATCH', pathOf(gift), { metadata: { a: 1 } }, any)).status, 200)
})

t.test('a correction to nothing is refused, for nothing could be written of it any more', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const gift = await agreed(service, seats)
  const amendment = await service.call('POST', `/v1/partnerships/${seats.partnership.id}/amendments`, {
    cause: 'correction',
    proposed_by_party_id: seats.company,
    changes: {
      commitments: [{ commitment_id: gift.id, terms: { measure: { type: 'money', amount: '0', currency: 'EUR' } } }],
    },
  })
  t.equal(amendment.status, 422)
  t.ok(amendment.body.errors.some(({ code }: Json) => code === 'nothing'))
})

t.test('a partnership whose days its steps gave it', async (t) => {
  const service = await whole.afresh()
  const { id: company } = await organisation(service, 'company')
  const { id: charity } = await organisation(service, 'non_profit')
  const body = {
    name: 'Without days',
    parties: [
      { organisation_id: company, side: 'company' },
      { organisation_id: charity, side: 'non_profit' },
    ],
  }
  const ref = '/v1/partnerships/by-ref/crm/1'
  const { body: made } = await service.call('PUT', ref, body)
  const path = `/v1/partnerships/${made.id}`
  await stepOf(service, path, 'propose')
  for (const { id } of made.parties) await stepOf(service, path, 'assent', { party_id: id })
  await stepOf(service, path, 'activate', { starts_on: '2026-02-01', ...waived })
  const active = await service.call('PUT', ref, body)
  t.match(active, { status: 200, body: { status: 'active', starts_on: '2026-02-01' } })
  t.match(await service.call('PUT', ref, body), { status: 200, etag: active.etag })
  await stepOf(service, path, 'wind-down', { ends_on: '2027-12-31', end_reason: 'completed' })
  const ending = await service.call('PUT', ref, body)
  t.match(ending, { status: 200, body: { status: 'ending', ends_on: '2027-12-31' } })
  const endless = await service.call('PATCH', path, { ends_on: null }, any)
  t.same(faultsOf(endless), ['/ends_on agreed_terms'])
  t.match(await service.call('PATCH', path, { ends_on: '2027-06-30' }, any), { status: 200 })
})

t.test('an impact asks for what it asked for, and is met by the round that it names', async (t) => {
  const service = await whole.afresh()
  const disruption = await service.make('/v1/disruptions', flood)
  const { partnership } = await allianceTakenOver(service)
  const upper = (id: string) => id.toUpperCase()
  const round = await plan(service, partnership)
  const body = {
    ...{ disruption_id: upper(disruption.id), partnership_id: upper(partnership.id), ...hit },
    ...{ hit_party_id: upper(partnership.parties[0].id), response_evaluation_id: upper(round.id) },
  }
  const ref = '/v1/impacts/by-ref/crm/1'
  const made = await service.call('PUT', ref, body)
  t.match(made, { status: 201, body: { evaluation_obligation: 'open', response_evaluation_id: round.id } })
  t.match(await service.call('PUT', ref, body), { status: 200, etag: '"1"' }, 'ids in capitals are the same ids')
  const open = await stepRound(service, round, 'open', { invite_all_parties: true })
  for (const party of partnership.parties) await respond(service, open, party)
  const met = await service.get(ref)
  t.match(met, { etag: '"2"', body: { evaluation_obligation: 'met' } }, 'once it is closed')
  t.match(await service.call('PUT', ref, body), { status: 200, etag: '"2"' })
  const without = { ...body, response_evaluation_id: null }
  t.match(await service.call('PUT', ref, without), { body: { evaluation_obligation: 'open' } })

  const paused = await allianceTakenOver(service, { status: 'paused' })
  const calm = { disruption_id: disruption.id, partnership_id: paused.partnership.id, ...hit }
  const calmRef = '/v1/impacts/by-ref/crm/2'
  t.match(await service.call('PUT', calmRef, calm), { body: { evaluation_obligation: 'none' } })
  await stepOf(service, `/v1/partnerships/${paused.partnership.id}`, 'resume')
  t.match(await service.call('PUT', calmRef, calm), { etag: '"1"', body: { evaluation_obligation: 'none' } })
  const worse = { ...calm, severity: 'critical', evaluation_waiver: 'We talk each week' }
  t.match(await service.call('PUT', calmRef, worse), { body: { evaluation_obligation: 'waived' } })
  const held = await openRound(service, paused.partnership, { kind: 'disruption' })
  for (const party of paused.partnership.parties) await respond(service, held, party)
  await stepRound(service, held, 'conclude', conclusion)
  t.match(await service.call('PUT', calmRef, worse), { etag: '"2"', body: { evaluation_obligation: 'waived' } })
})

t.test('a response that was carried out on a day that came to lie ahead', async (t) => {
  const service = await whole.afresh()
  clock.set('2026-03-02T00:30:00Z')
  const disruption = await service.make('/v1/disruptions', flood)
  const { partnership } = await allianceTakenOver(service)
  const given = { ...hit, assessed_on: '2026-03-01', responded_on: '2026-03-02' }
  const impact = await service.make('/v1/impacts', {
    disruption_id: disruption.id,
    partnership_id: partnership.id,
    ...given,
  })
  await service.call('PATCH', `/v1/partnerships/${partnership.id}`, { time_zone: 'America/New_York' }, any)
  const path = `/v1/impacts/${impact.id}`
  t.equal((await service.call('PATCH', path, { note: 'Seen' }, any)).status, 200)
  t.same(faultsOf(await service.call('PATCH', path, { responded_on: '2026-03-03' }, any)), [
    '/responded_on out_of_range',
  ])
  clock.set('2026-03-01T12:00:00Z')
})

t.test('ids in capitals, a state that it began in, and as many references as a record may have', async (t) => {
  const service = await whole.afresh()
  const charity = await organisation(service, 'non_profit')
  const objective = { level: 'outcome', title: 'Reading', importance: 3, active_from: '2026-01-01' }
  const ref = '/v1/objectives/by-ref/crm/1'
  const body = { ...objective, organisation_id: charity.id.toUpperCase() }
  t.match(await service.call('PUT', ref, body), { status: 201 })
  t.match(await service.call('PUT', ref, body), { status: 200, etag: '"1"' })

  const seats = await alliance(service)
  const draft = promise(seats, { status: 'draft' })
  const { body: made } = await service.call('PUT', '/v1/commitments/by-ref/crm/1', draft)
  await stepOf(service, pathOf(made), 'propose')
  t.match(await service.call('PUT', '/v1/commitments/by-ref/crm/1', draft), {
    status: 200,
    body: { status: 'proposed' },
  })

  const refs = (count: number) => Array.from({ length: count }, (_, at) => ({ system: 'other', id: `${at}` }))
  const many = { name: 'Known everywhere', sector: 'company', external_refs: refs(50) }
  const full = await service.call('PUT', '/v1/organisations/by-ref/crm/1', many)
  t.match(full, { status: 422, body: { errors: [{ pointer: '/external_refs', code: 'too_many' }] } })
  const fits = await service.call('PUT', '/v1/organisations/by-ref/crm/1', { ...many, external_refs: refs(49) })
  t.match(fits, { status: 201 })
  t.equal(fits.body.external_refs.length, 50)
  t.equal((await service.call('PATCH', `/v1/organisations/${fits.body.id}`, { name: 'Known' }, any)).status, 200)
})
