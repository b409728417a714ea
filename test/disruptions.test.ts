import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { disruptionLifecycle, disruptionSteps } from '../src/resources/disruptions/lifecycle.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import { allianceTakenOver } from './support/promises.ts'
import { organisation } from './support/world.ts'

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
    '/response_commitment_id unknown_reference',
    '/response_due_on required',
    '/response_evaluation_id unknown_reference',
    '/response_pause_id unknown_reference',
    '/response_substitution_id unknown_reference',
  ])
  const unknown = await service.call('POST', '/v1/impacts', { ...assessment, disruption_id: nowhere })
  t.same(codesOf(unknown.body), ['/disruption_id unknown_reference', '/partnership_id required'])
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

    t.same(codesOf((await assess({ ...assessment, assessed_on: '2026-03-12' })).body), ['/assessed_on future'])
    t.same(codesOf((await assess({ ...assessment, response_due_on: null })).body), ['/response_due_on required'])
  },
)
