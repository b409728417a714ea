import { newId } from '../../src/core/ids.ts'
import { takeSnapshot } from '../../src/resources/portfolio-snapshots/commands.ts'
import type { Json, Service } from './harness.ts'
import { type Alliance, allianceTakenOver, commitment, deliver, entryPath, promise, takenOver } from './promises.ts'
import { closedReadiness, conclusion, roundIn, stepRound } from './rounds.ts'
import { confirmed, monthly } from './schedules.ts'
import { draft, organisation, pauseOf, stepOf } from './world.ts'

// What many clients do at once, each on records of its own: together they touch every kind of record.

/** A story, which begins afresh each time that it is told. */
export type Story = (service: Service, name: string) => Promise<unknown>

const euros = (amount: string) => ({ type: 'money', amount, currency: 'EUR' })
const valuation = (amount: string) => ({
  money: { amount, currency: 'EUR' },
  basis: 'agreed',
  declared_by: 'giver',
  valued_on: '2026-01-01',
})

const must = async (service: Service, method: string, path: string, body?: object): Promise<Json> => {
  const answer = await service.call(method, path, body, { ifMatch: '*' })
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
  return answer.body
}

const gift = (service: Service, seats: Alliance, title: string): Promise<Json> =>
  takenOver(service, seats, 'agreed', {
    title,
    agreed_on: '2026-01-01',
    schedule: monthly(),
    valuations: [valuation('1000.00'), valuation('900.10')],
  })

/** What is delivered on a gift in instalments, reported, confirmed and taken back. */
async function deliveries(service: Service, name: string): Promise<void> {
  const seats = await allianceTakenOver(service, { partnership: { name } })
  const made = await gift(service, seats, name)
  for (const amount of ['250.00', '99.99', '0.01']) await confirmed(service, seats, made, amount)
  const reported = await deliver(service, made, '12.34')
  const wrong = await confirmed(service, seats, made, '10.00')
  await stepOf(service, entryPath(wrong), 'reverse', { party_id: seats.company, reason: 'Twice' })
  await stepOf(service, entryPath(reported), 'dispute', { party_id: seats.charity, reason: 'Not here' })
  await deliver(service, made, '1.50')
}

/** A gift that is replaced in part, amended and paused. */
async function changes(service: Service, name: string): Promise<void> {
  const seats = await allianceTakenOver(service, { partnership: { name } })
  const path = `/v1/partnerships/${seats.partnership.id}`
  const old = await gift(service, seats, name)
  const next = await commitment(service, seats, { title: 'In kind', kind: 'goods', measure: euros('100.00') })
  const substitution = await service.make('/v1/substitutions', {
    replaces_commitment_id: old.id,
    replaced_measure: euros('100.00'),
    by_commitment_id: next.id,
    reason: 'The shop is closed',
    proposed_by_party_id: seats.company,
  })
  await stepOf(service, `/v1/substitutions/${substitution.id}`, 'accept', { party_id: seats.charity })
  await stepOf(service, path, 'pause', pauseOf(seats.partnership))
  await stepOf(service, path, 'resume', {})
  const amendment = await service.make(`${path}/amendments`, {
    cause: 'evaluation',
    proposed_by_party_id: seats.company,
    changes: { commitments: [{ commitment_id: old.id, terms: { measure: euros('1200.00') } }] },
  })
  await stepOf(service, `/v1/amendments/${amendment.id}`, 'accept', { party_id: seats.charity })
  await stepOf(service, path, 'pause', pauseOf(seats.partnership, { schedule_effect: 'skip' }))
}

/** Rounds of a partnership and of an organisation, and what was drawn from them. */
async function rounds(service: Service, name: string): Promise<void> {
  const { partnership, organisations } = await allianceTakenOver(service, { partnership: { name } })
  await roundIn(service, partnership, 'concluded', { title: name })
  await roundIn(service, partnership, 'closed', { period_to: '2026-09-30' })
  await stepRound(service, await closedReadiness(service, organisations.charity), 'conclude', conclusion)
}

/** What an alliance contributes to objectives, as it was found twice, and what a month's end kept of it. */
async function strategy(service: Service, name: string): Promise<void> {
  const { partnership, organisations } = await allianceTakenOver(service, { partnership: { name } })
  const round = await roundIn(service, partnership, 'closed')
  const organisation_id = organisations.charity.id
  const aim = (level: string, more: object = {}) =>
    service.make('/v1/objectives', {
      ...{ organisation_id, level, title: name, importance: 3, active_from: '2026-01-01', ...more },
    })
  const outcome = await aim('outcome')
  const output = await aim('output', { parent_id: outcome.id })
  const found = { partnership_id: partnership.id, objective_id: output.id }
  await service.make('/v1/objective-links', { ...found, contribution: 1, assessed_on: '2026-02-01' })
  const again = { ...found, contribution: 3, assessed_on: '2026-03-01', evaluation_id: round.id }
  await service.make('/v1/objective-links', again)
  await must(service, 'PATCH', `/v1/objectives/${outcome.id}`, { importance: 5 })
  await must(service, 'DELETE', `/v1/objectives/${(await aim('output')).id}`)
  const caller = { ...service, actor: { type: 'system', id: null }, scopes: ['admin'], requestId: newId() } as const
  const now = new Date().toISOString()
  await takeSnapshot(service.database, { ...caller, now }, { organisation_id, as_of: '2026-03-31' })
}

/** A disruption that hits an alliance, which answers by a pause. */
async function crises(service: Service, name: string): Promise<void> {
  const seats = await allianceTakenOver(service, { partnership: { name } })
  const path = `/v1/partnerships/${seats.partnership.id}`
  const made = await commitment(service, seats)
  const given = { title: name, type: 'natural_disaster', started_on: '2026-02-01' }
  const disruption = await service.make('/v1/disruptions', given)
  const hit = { disruption_id: disruption.id, partnership_id: seats.partnership.id, hit_party_id: seats.charity }
  const means = { severity: 'high', effects: ['demand_up'], response: 'pause', response_due_on: '2099-01-01' }
  const impact = await service.make('/v1/impacts', { ...hit, ...means })
  const { pause } = await stepOf(service, path, 'pause', pauseOf(seats.partnership, { disruption_id: disruption.id }))
  const round = await roundIn(service, seats.partnership, 'closed', {
    kind: 'disruption',
    disruption_id: disruption.id,
  })
  const answered = { response_pause_id: pause.id, response_evaluation_id: round.id }
  await must(service, 'PATCH', `/v1/impacts/${impact.id}`, answered)
  await must(service, 'PATCH', `/v1/commitments/${made.id}`, { title: 'A gift in hard times' })
}

/** Organisations that are found to be one, and drafts that come to nothing. */
async function register(service: Service, name: string): Promise<void> {
  const registered = (value: string) => ({ identifiers: [{ scheme: 'XX-REG', value }] })
  const kept = await organisation(service, 'company', name, registered(`${name} 1`))
  const twin = await organisation(service, 'company', `${name}, its twin`, registered(`${name} 2`))
  await service.make(`/v1/organisations/${twin.id}/contacts`, { name: 'Noor', function: 'operations' })
  const seats = await allianceTakenOver(service, { company: twin, partnership: { name } })
  await gift(service, seats, name)
  await must(service, 'POST', `/v1/organisations/${kept.id}/merge`, { duplicate_id: twin.id })
  const nothing = await draft(service, { name })
  const [company, charity] = nothing.parties
  const ours = { partnership: nothing, company: company.id, charity: charity.id }
  const promised = await service.make('/v1/commitments', { ...promise(ours), valuations: [valuation('5.00')] })
  await must(service, 'DELETE', `/v1/commitments/${promised.id}`)
  await must(service, 'DELETE', `/v1/partnerships/${nothing.id}`)
  await must(service, 'DELETE', `/v1/organisations/${company.organisation_id}`)
}

export const stories: Readonly<Record<string, Story>> = { deliveries, changes, rounds, strategy, crises, register }
