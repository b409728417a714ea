import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { carriersOf } from '../src/resources/disruption-impacts/rules.ts'
import { responses } from '../src/resources/disruption-impacts/schemas.ts'
import { disruptionLifecycle, disruptionSteps } from '../src/resources/disruptions/lifecycle.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import { agreed, allianceTakenOver, commitment } from './support/promises.ts'
import { conclusion, openRound, plan, respond, stepRound } from './support/rounds.ts'
import { organisation, pauseOf, stepOf } from './support/world.ts'

const nowhere = '01900000-0000-7000-8000-000000000000'
const codesOf = (body: Json): string[] => body.errors.map((fault: Json) => `${fault.pointer} ${fault.code}`).sort()
const pandemic = { title: 'Corona', type: 'pandemic', started_on: '2026-02-27' }
const assessment = {
  severity: 'high',
  effects: ['activity_impossible'],
  response: 'pause',
  response_due_on: '2026-04-01',
}

async function disruptionIn(service: Service, status: string): Promise<Json> {
  const disruption = await service.make('/v1/disruptions', pandemic)
  const path = `/v1/disruptions/${disruption.id}`
  const steps = { watch: [], active: ['activate'], recovering: ['activate', 'recover'], over: ['activate', 'recover'] }
  for (const step of steps[status as keyof typeof steps]) await service.step(path, step)
  if (status === 'over') await service.step(path, 'end', { ended_on: '2026-06-30' })
  return (await service.get(path)).body
}

t.test('the life of a disruption: every step from every state', async (t) => {
  const service = await startService(t)
  for (const from of ['watch', 'active', 'recovering', 'over'] as const) {
    for (const [step, { from: possible, to }] of Object.entries(disruptionSteps)) {
      const { id } = await disruptionIn(service, from)
      const body = step === 'end' ? { ended_on: '2026-07-01' } : {}
      const answer = await service.step(`/v1/disruptions/${id}`, step, body)
      if ((possible as readonly string[]).includes(from)) t.match(answer, { status: 200, body: { status: to } })
      else {
        const refused = { code: 'transition_not_allowed', from, to, allowed: disruptionLifecycle[from] }
        t.match(answer, { status: 409, body: refused }, `${step} from ${from}`)
      }
    }
  }
})

t.test('a disruption is changed, found, and kept while impacts depend on it', async (t) => {
  const service = await startService(t, { clock: fixedClock('2026-03-10T12:00:00Z') })
  const flood = await service.make('/v1/disruptions', {
    title: 'Hoogwater',
    type: 'natural_disaster',
    glide_number: 'FL-2021-000093-NLD',
    countries: ['NL'],
    sectors: ['non_profit'],
    started_on: '2026-03-01',
  })
  t.match(flood, { status: 'watch', ended_on: null })
  const found = await service.get('/v1/disruptions?country=NL&sector=non_profit&status=watch&q=hoog&sort=-started_on')
  t.equal(found.body.data[0].id, flood.id)
  const changed = await service.call('PATCH', `/v1/disruptions/${flood.id}`, { glide_number: null }, { ifMatch: '"1"' })
  t.match(changed.body, { glide_number: null, version: 2 })

  const { partnership } = await allianceTakenOver(service)
  const impact = await service.make('/v1/impacts', {
    disruption_id: flood.id,
    partnership_id: partnership.id,
    ...assessment,
  })
  const refused = await service.call('DELETE', `/v1/disruptions/${flood.id}`, undefined, { ifMatch: '*' })
  t.match(refused, { status: 409, body: { code: 'in_use', dependants: ['impacts'] } })
  const later = await service.call(
    'PATCH',
    `/v1/disruptions/${flood.id}`,
    { started_on: '2026-03-11' },
    { ifMatch: '*' },
  )
  t.same(codesOf(later.body), ['/started_on after_assessment'])
  await service.step(`/v1/disruptions/${flood.id}`, 'activate')
  await service.step(`/v1/disruptions/${flood.id}`, 'recover')
  const early = await service.step(`/v1/disruptions/${flood.id}`, 'end', { ended_on: '2026-02-01' })
  t.same(codesOf(early.body), ['/ended_on before_assessment', '/ended_on before_start'])
  t.equal((await service.call('DELETE', `/v1/impacts/${impact.id}`, undefined, { ifMatch: '*' })).status, 204)
  t.equal((await service.call('DELETE', `/v1/disruptions/${flood.id}`, undefined, { ifMatch: '*' })).status, 204)
})

t.test('a high impact on an active partnership asks for an evaluation, until it is waived', async (t) => {
  const service = await startService(t, { clock: fixedClock('2026-03-10T12:00:00Z') })
  const disruption = await service.make('/v1/disruptions', pandemic)
  const { partnership, company } = await allianceTakenOver(service)
  const impact = await service.make('/v1/impacts', {
    disruption_id: disruption.id,
    partnership_id: partnership.id,
    hit_party_id: company,
    ...assessment,
  })
  t.match(impact, { assessed_on: '2026-03-10', evaluation_obligation: 'open', evaluation_due_on: '2026-04-09' })
  const patch = (body: object) => service.call('PATCH', `/v1/impacts/${impact.id}`, body, { ifMatch: '*' })
  t.match((await patch({ evaluation_waiver: 'Het gesprek is al gevoerd' })).body, { evaluation_obligation: 'waived' })
  t.match((await patch({ evaluation_waiver: null })).body, { evaluation_obligation: 'open', evaluation_waiver: null })
  t.match((await patch({ severity: 'medium' })).body, { evaluation_obligation: 'none', evaluation_due_on: null })
  const open = await service.get('/v1/impacts?evaluation_obligation=none&severity=medium&has_responded=false')
  t.equal(open.body.data.length, 1)
  t.same((await patch({ partnership_id: nowhere })).body.errors.length, 2)

  const paused = await allianceTakenOver(service, { status: 'paused' })
  const calm = { disruption_id: disruption.id, partnership_id: paused.partnership.id, ...assessment }
  t.match(await service.make('/v1/impacts', calm), { evaluation_obligation: 'none' })
  const twice = await service.call('POST', '/v1/impacts', calm)
  t.match(twice, { status: 409, body: { code: 'duplicate' } })
  const draft = await allianceTakenOver(service, { status: 'draft' })
  const early = await service.call('POST', '/v1/impacts', { ...calm, partnership_id: draft.partnership.id })
  t.match(early, { status: 409, body: { code: 'state_forbids' } })
})

t.test('every fault of an impact is named at once', async (t) => {
  const service = await startService(t, { clock: fixedClock('2026-03-10T12:00:00Z') })
  const disruption = await service.make('/v1/disruptions', pandemic)
  const { partnership } = await allianceTakenOver(service)
  const faulty = await service.call('POST', '/v1/impacts', {
    disruption_id: disruption.id,
    partnership_id: partnership.id,
    hit_party_id: nowhere,
    severity: 'low',
    effects: ['opportunity'],
    assessed_on: '2026-02-01',
    response: 'extra_support',
    responded_on: '2026-01-01',
    response_pause_id: nowhere,
    response_commitment_id: nowhere,
    response_substitution_id: nowhere,
    response_amendment_id: nowhere,
    response_evaluation_id: nowhere,
  })
  t.equal(faulty.status, 422)
  t.same(codesOf(faulty.body), [
    '/assessed_on before_start',
    '/hit_party_id unknown_reference',
    '/responded_on out_of_range',
    '/response_amendment_id unknown_reference',
    '/response_amendment_id wrong_kind',
    '/response_commitment_id unknown_reference',
    '/response_due_on required',
    '/response_evaluation_id unknown_reference',
    '/response_pause_id unknown_reference',
    '/response_pause_id wrong_kind',
    '/response_substitution_id unknown_reference',
    '/response_substitution_id wrong_kind',
  ])
  const unknown = await service.call('POST', '/v1/impacts', { ...assessment, disruption_id: nowhere })
  t.same(codesOf(unknown.body), ['/disruption_id unknown_reference', '/partnership_id required'])
})

/** An alliance with a record of every kind that may carry a response out, by the member that names it. */
async function withCarriers(service: Service): Promise<{ id: string; carriers: Record<string, string> }> {
  const seats = await allianceTakenOver(service)
  const { partnership, company, charity } = seats
  const path = `/v1/partnerships/${partnership.id}`
  const [gift, changed] = [await agreed(service, seats), await agreed(service, seats)]
  const extra = await commitment(service, seats)
  const substitution = await service.make('/v1/substitutions', {
    ...{
      replaces_commitment_id: gift.id,
      by_commitment_id: extra.id,
      reason: 'No cash',
      proposed_by_party_id: company,
    },
  })
  const amendment = await service.make(`${path}/amendments`, {
    ...{
      cause: 'disruption',
      proposed_by_party_id: charity,
      changes: { commitments: [{ commitment_id: changed.id, terms: { title: 'A gift when we can' } }] },
    },
  })
  const round = await plan(service, partnership)
  const { pause } = await stepOf(service, path, 'pause', pauseOf(partnership))
  const carriers = {
    response_pause_id: pause.id,
    response_commitment_id: extra.id,
    response_substitution_id: substitution.id,
    response_amendment_id: amendment.id,
    response_evaluation_id: round.id,
  }
  return { id: partnership.id, carriers }
}

t.test('each response is carried out by what can, and by records of the partnership alone', async (t) => {
  const service = await startService(t, { clock: fixedClock('2026-03-10T12:00:00Z') })
  const disruption = await service.make('/v1/disruptions', pandemic)
  const [ours, theirs] = [await withCarriers(service), await withCarriers(service)]
  const impact = await service.make('/v1/impacts', {
    ...{ disruption_id: disruption.id, partnership_id: ours.id, ...assessment },
  })
  const say = (body: object) => service.call('PATCH', `/v1/impacts/${impact.id}`, body, { ifMatch: '*' })
  const members = Object.keys(ours.carriers)
  const nothing = Object.fromEntries(members.map((member) => [member, null]))
  for (const response of responses) {
    for (const [member, id] of Object.entries(ours.carriers)) {
      const answer = await say({ ...nothing, response, [member]: id })
      const possible: readonly string[] = [...carriersOf[response], 'response_evaluation_id']
      if (possible.includes(member)) t.match(answer, { status: 200, body: { response, [member]: id } })
      else t.same([answer.status, codesOf(answer.body)], [422, [`/${member} wrong_kind`]], `${response} by ${member}`)
    }
  }
  for (const [member, id] of Object.entries(theirs.carriers)) {
    const response = responses.find((one) => (carriersOf[one] as readonly string[]).includes(member)) ?? 'pause'
    const answer = await say({ ...nothing, response, [member]: id })
    t.same([answer.status, codesOf(answer.body)], [422, [`/${member} unknown_reference`]], `${member} of another`)
    // Nor is a record found under the name of another kind.
    const mistaken = await say({
      ...nothing,
      response,
      [member]: ours.carriers[member === members[0] ? 'response_amendment_id' : 'response_pause_id'],
    })
    t.same(
      [mistaken.status, codesOf(mistaken.body)],
      [422, [`/${member} unknown_reference`]],
      `${member} of another kind`,
    )
  }
  await say({ ...nothing, response: 'pause', response_pause_id: ours.carriers['response_pause_id'] })
  const turned = await say({ response: 'substitute' })
  t.same(
    codesOf(turned.body),
    ['/response_pause_id wrong_kind'],
    'what carried out the former response does not this one',
  )
})

t.test('a round names the disruption that it is about, and meets what that one asks for', async (t) => {
  const clock = fixedClock('2026-03-10T12:00:00Z')
  const service = await startService(t, { clock })
  const [corona, flood] = [await disruptionIn(service, 'active'), await disruptionIn(service, 'active')]
  const { partnership } = await allianceTakenOver(service)
  const hit = (disruption: Json): Promise<Json> =>
    service.make('/v1/impacts', { disruption_id: disruption.id, partnership_id: partnership.id, ...assessment })
  const [first, second] = [await hit(corona), await hit(flood)]
  const obligations = async () =>
    Promise.all(
      [first, second].map(async ({ id }) => (await service.get(`/v1/impacts/${id}`)).body.evaluation_obligation),
    )
  const held = async (more: object): Promise<Json> => {
    const round = await openRound(service, partnership, { kind: 'disruption', ...more })
    for (const party of partnership.parties) await respond(service, round, party)
    return stepRound(service, round, 'conclude', conclusion)
  }
  const round = await held({ disruption_id: flood.id })
  t.match(round, { kind: 'disruption', disruption_id: flood.id })
  t.same(await obligations(), ['open', 'met'])
  // One that is assessed again still has had its round; the other has not.
  const again = async ({ id }: Json) =>
    (await service.call('PATCH', `/v1/impacts/${id}`, { note: 'Looked at again' }, { ifMatch: '*' })).body
  t.same([(await again(first)).evaluation_obligation, (await again(second)).evaluation_obligation], ['open', 'met'])
  const found = await service.get(`/v1/evaluations?disruption_id=${flood.id}`)
  t.same(
    found.body.data.map(({ id }: Json) => id),
    [round.id],
  )
  t.same((await service.get(`/v1/evaluations?disruption_id=${corona.id}`)).body.data, [])
  const unnamed = await held({})
  t.match(unnamed, { disruption_id: null })
  t.same(await obligations(), ['met', 'met'], 'a round that names none is about all of them')

  const write = { partnership_id: partnership.id, period_from: '2026-01-01', period_to: '2026-03-01' }
  const refused = async (body: object) =>
    codesOf((await service.call('POST', '/v1/evaluations', { ...write, ...body })).body)
  t.same(await refused({ kind: 'periodic', disruption_id: flood.id }), ['/disruption_id exclusive'])
  t.same(await refused({ kind: 'disruption', disruption_id: nowhere }), ['/disruption_id unknown_reference'])
  const other = await service.otherTenant('rounds elsewhere')
  const elsewhere = await service.make('/v1/disruptions', pandemic, { key: other.key })
  t.same(await refused({ kind: 'disruption', disruption_id: elsewhere.id }), ['/disruption_id unknown_reference'])
  const planned = await plan(service, partnership, { kind: 'disruption', disruption_id: flood.id })
  const patch = (body: object) => service.call('PATCH', `/v1/evaluations/${planned.id}`, body, { ifMatch: '*' })
  t.same(codesOf((await patch({ kind: 'periodic' })).body), ['/disruption_id exclusive'])
  t.match((await patch({ kind: 'periodic', disruption_id: null })).body, { disruption_id: null })
  t.match((await patch({ kind: 'disruption', disruption_id: corona.id })).body, { disruption_id: corona.id })
  await stepRound(service, planned, 'open', { invite_all_parties: true })
  t.match(await patch({ disruption_id: flood.id }), { status: 409, body: { errors: [{ pointer: '/disruption_id' }] } })
  for (const { id } of [first, second]) await service.call('DELETE', `/v1/impacts/${id}`, undefined, { ifMatch: '*' })
  const gone = await service.call('DELETE', `/v1/disruptions/${corona.id}`, undefined, { ifMatch: '*' })
  t.match(gone, { status: 409, body: { code: 'in_use', dependants: ['evaluations'] } })
})

t.test('a round counts from the day that it was for the partnership, not for UTC', async (t) => {
  const clock = fixedClock('2026-03-10T12:00:00Z')
  const service = await startService(t, { clock })
  const disruption = await disruptionIn(service, 'active')
  const later = (minutes: number) => clock.advance(minutes * 60_000)
  /** What the obligation of an impact becomes when a round is closed, and when one is concluded, some minutes off. */
  const met = async (time_zone: string, assessedAt: string, minutes: number) => {
    const found: string[] = []
    for (const isConcluded of [false, true]) {
      clock.set('2026-03-10T12:00:00Z')
      const { partnership } = await allianceTakenOver(service, { partnership: { time_zone } })
      const round = await openRound(service, partnership, { kind: 'disruption' })
      clock.set(assessedAt)
      const assess = async (): Promise<Json> =>
        service.make('/v1/impacts', { disruption_id: disruption.id, partnership_id: partnership.id, ...assessment })
      const before = minutes < 0 ? undefined : await assess()
      later(minutes)
      for (const party of partnership.parties) await respond(service, round, party)
      if (isConcluded) await stepRound(service, { ...round, version: '*' }, 'conclude', conclusion)
      if (minutes < 0) clock.set(assessedAt)
      const { id } = before ?? (await assess())
      const given = isConcluded ? { note: 'Looked at again' } : { response_evaluation_id: round.id }
      const { body } = await service.call('PATCH', `/v1/impacts/${id}`, given, { ifMatch: '*' })
      found.push(body.evaluation_obligation)
    }
    return found
  }
  // 00:30 and 00:40 on the 12th in Amsterdam, still the 11th in UTC.
  t.same(await met('Europe/Amsterdam', '2026-03-11T23:30:00Z', 10), ['met', 'met'])
  t.same(await met('Europe/Amsterdam', '2026-03-11T23:30:00Z', -10), ['met', 'met'])
  // 23:50 on the 11th and 00:10 on the 12th there, both on the 11th in UTC.
  t.same(await met('Europe/Amsterdam', '2026-03-11T23:10:00Z', -20), ['open', 'open'])
  // 23:50 on the 11th and 00:10 on the 12th in New York, both on the 12th in UTC.
  t.same(await met('America/New_York', '2026-03-12T04:10:00Z', -20), ['open', 'open'])
  t.same(await met('America/New_York', '2026-03-12T01:00:00Z', 60), ['met', 'met'])
})

t.test('a disruption of today hits partnerships where the day has yet to begin', async (t) => {
  const service = await startService(t, { clock: fixedClock('2026-03-12T01:00:00Z') })
  const { partnership } = await allianceTakenOver(service, { partnership: { time_zone: 'America/New_York' } })
  const disruption = await service.make('/v1/disruptions', { ...pandemic, started_on: '2026-03-12' })
  const { body } = await service.call('POST', `/v1/disruptions/${disruption.id}/assess-impacts`, assessment)
  const path = `/v1/impacts/${body.data[0].impact_id}`
  t.match((await service.get(path)).body, { partnership_id: partnership.id, assessed_on: '2026-03-12' })
  const changed = await service.call('PATCH', path, { note: 'Looked at again' }, { ifMatch: '*' })
  t.match(changed, { status: 200, body: { assessed_on: '2026-03-12', note: 'Looked at again' } })
  const hit = { disruption_id: disruption.id, partnership_id: partnership.id, ...assessment }
  t.match(await service.make('/v1/impacts', hit), { assessed_on: '2026-03-12' })
  // It still is the 11th there.
  const round = await openRound(service, partnership, { kind: 'disruption', disruption_id: disruption.id })
  for (const party of partnership.parties) await respond(service, round, party)
  await stepRound(service, round, 'conclude', conclusion)
  const met = await service.call('PATCH', path, { note: 'The round was held' }, { ifMatch: '*' })
  t.match(met, { status: 200, body: { evaluation_obligation: 'met', note: 'The round was held' } })
  const again = await service.call('PATCH', path, { assessed_on: '2026-03-13' }, { ifMatch: '*' })
  t.same(codesOf(again.body), ['/assessed_on in_future'])
  const older = await service.make('/v1/disruptions', pandemic)
  t.match(await service.make('/v1/impacts', { ...hit, disruption_id: older.id }), { assessed_on: '2026-03-11' })
  const tomorrow = await service.call('POST', '/v1/impacts', { ...hit, assessed_on: '2026-03-13' })
  t.same(codesOf(tomorrow.body), ['/assessed_on in_future'])
})

t.test('a disruption that began today in Amsterdam hits partnerships in London an hour before midnight', async (t) => {
  const service = await startService(t, { clock: fixedClock('2026-03-11T23:30:00Z') })
  const { partnership } = await allianceTakenOver(service, { partnership: { time_zone: 'Europe/London' } })
  await allianceTakenOver(service)
  const disruption = await service.make('/v1/disruptions', { ...pandemic, started_on: '2026-03-12' })
  const { status, body } = await service.call('POST', `/v1/disruptions/${disruption.id}/assess-impacts`, assessment)
  t.strictSame([status, body.created], [200, 4])
  for (const { impact_id } of body.data) {
    const changed = await service.call('PATCH', `/v1/impacts/${impact_id}`, { note: 'Seen' }, { ifMatch: '*' })
    t.match(changed, { status: 200, body: { assessed_on: '2026-03-12' } })
  }
  const hit = { disruption_id: disruption.id, partnership_id: partnership.id, ...assessment }
  t.match(await service.make('/v1/impacts', hit), { assessed_on: '2026-03-12' })
  const next = await service.make('/v1/disruptions', { ...pandemic, started_on: '2026-03-13' })
  const early = await service.call('POST', '/v1/impacts', { ...hit, disruption_id: next.id })
  t.same(codesOf(early.body), ['/assessed_on before_start'])
  const all = await service.call('POST', `/v1/disruptions/${next.id}/assess-impacts`, assessment)
  t.same(codesOf(all.body), ['/assessed_on before_start'])
})

t.test(
  'assessed in bulk over sector and country: a dry run lists, a run writes, a second run doubles nothing',
  async (t) => {
    const service = await startService(t, { clock: fixedClock('2026-03-10T12:00:00Z') })
    const hotel = await organisation(service, 'company', 'An organisation', { country: 'NL' })
    const belgian = await organisation(service, 'company', 'An organisation', { country: 'BE' })
    const first = await allianceTakenOver(service, { company: hotel })
    await allianceTakenOver(service, { company: hotel, status: 'ended' })
    await allianceTakenOver(service, { company: belgian })
    const paused = await allianceTakenOver(service, { company: hotel, status: 'paused' })
    const disruption = await service.make('/v1/disruptions', { ...pandemic, countries: ['NL'], sectors: ['company'] })
    const assess = (body: object) => service.call('POST', `/v1/disruptions/${disruption.id}/assess-impacts`, body)

    const dry = await assess({ ...assessment, dry_run: true })
    t.match(dry, { status: 200, body: { dry_run: true, matched: 2, created: 0 } })
    t.same(
      dry.body.data.map((row: Json) => [row.partnership_id, row.hit_party_id, row.outcome]).sort(),
      [
        [first.partnership.id, first.company, 'would_create'],
        [paused.partnership.id, paused.company, 'would_create'],
      ].sort(),
    )
    t.same((await service.get('/v1/impacts')).body.data, [], 'nothing was written')

    const run = await assess({ ...assessment, filter: { partnership_statuses: ['active'] } })
    t.match(run.body, { matched: 1, created: 1, data: [{ outcome: 'created', organisation_id: hotel.id }] })
    const impact = await service.get(`/v1/impacts/${run.body.data[0].impact_id}`)
    t.match(impact.body, { evaluation_obligation: 'open', hit_party_id: first.company, response: 'pause' })
    const again = await assess(assessment)
    t.match(again.body, { matched: 2, created: 1 })
    t.equal(again.body.data.find((row: Json) => row.outcome === 'exists').impact_id, impact.body.id)
    t.equal(
      (await service.get(`/v1/impacts?organisation_id=${hotel.id}&response_due_before=2026-04-02`)).body.data.length,
      2,
    )
    const wider = await assess({
      ...assessment,
      dry_run: true,
      filter: { countries: ['BE'], organisation_id: belgian.id },
    })
    t.match(wider.body, { matched: 1 })

    t.same(codesOf((await assess({ ...assessment, assessed_on: '2026-03-12' })).body), ['/assessed_on in_future'])
    t.same(codesOf((await assess({ ...assessment, response_due_on: null })).body), ['/response_due_on required'])
  },
)
