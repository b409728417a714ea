import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { type Json, startService } from './support/harness.ts'
import { type Alliance, agreed, allianceTakenOver, commitment } from './support/promises.ts'
import { answersWith, conclusion, openRound, respond, stepRound } from './support/rounds.ts'
import { confirmed } from './support/schedules.ts'
import { organisation, stepOf } from './support/world.ts'

// A charity with twelve alliances goes through a pandemic and changes its strategy. Each company gives 1,000 euro, due on
// 1 July 2026. Of the twelve companies the last four are public. What the portfolio then says is reckoned by hand, here.
//
//   objectives, with their importance      1 to 4   5 to 8   9, 10   11, 12
//     Reading  5                              3        1       –        –
//     Music    3                              –        –       2        –
//     Sport    1                              –        –       –        –
//     fit, of 3 · 5 = 15                    15/15     5/15    6/15    none: it is not assessed
//                                             100    33.33     40     null
//     supports an objective                   yes      no      yes      no

const clock = fixedClock('2026-01-01T12:00:00Z')
const service = await startService(t, { clock })
const on = (day: string) => clock.set(`${day}T12:00:00Z`)
const euros = (amount: string) => ({ type: 'money', amount, currency: 'EUR' })
const once = (day: string) => ({ frequency: 'once', starts_on: day })
const patch = async (path: string, body: object): Promise<Json> => {
  const answer = await service.call('PATCH', path, body, { ifMatch: '*' })
  if (answer.status !== 200) throw new Error(answer.text)
  return answer.body
}

const charity = await organisation(service, 'non_profit', 'Ons Doel')
const manager = (organisation_id: string): Promise<Json> =>
  service.make(`/v1/organisations/${organisation_id}/contacts`, { name: 'Noor', function: 'alliance_manager' })

/** The alliances by their number, from 1 on, with the gift of each. */
const alliances: (Alliance & { gift: Json; path: string })[] = []
async function begin(): Promise<void> {
  const ours = await manager(charity.id)
  for (let n = 1; n <= 12; n += 1) {
    const company = await organisation(service, n <= 8 ? 'company' : 'public', `Company ${n}`)
    const theirs = await manager(company.id)
    const managers = [
      { organisation_id: company.id, contact_id: theirs.id },
      { organisation_id: charity.id, contact_id: ours.id },
    ]
    const name = `Alliance ${String(n).padStart(2, '0')}`
    const seats = await allianceTakenOver(service, { charity, company, partnership: { name, managers } })
    const gift = await agreed(service, seats, { schedule: once('2026-07-01') })
    alliances.push({ ...seats, gift, path: `/v1/partnerships/${seats.partnership.id}` })
  }
}
const alliance = (n: number) => alliances[n - 1] as (typeof alliances)[number]
const objective = (title: string, importance: number): Promise<Json> =>
  service.make('/v1/objectives', {
    ...{ organisation_id: charity.id, level: 'outcome', title, importance, active_from: '2026-01-01' },
  })
const link = (n: number, to: Json, contribution: number): Promise<Json> =>
  service.make('/v1/objective-links', {
    ...{ partnership_id: alliance(n).partnership.id, objective_id: to.id, contribution },
  })

let chart = ''
const questions = (): string[] => [
  `/v1/portfolio?organisation_id=${charity.id}`,
  `/v1/portfolio?organisation_id=${charity.id}&is_at_risk=true&sort=-outstanding&currency=EUR`,
  `/v1/portfolio/summary?organisation_id=${charity.id}`,
  `/v1/portfolio/objectives?organisation_id=${charity.id}`,
  `/v1/portfolio/chart.svg?organisation_id=${charity.id}`,
  ...(chart ? [`${chart}?language=en`] : []),
]
const kept = new Map<string, string>()

/** What the portfolio says today; each answer is kept as it was given. */
async function told(day: string): Promise<{ rows: Json[]; atRisk: number[]; summary: Json; objectives: Json[] }> {
  on(day)
  const texts: string[] = []
  for (const question of questions()) {
    const answer = await service.get(question)
    if (answer.status !== 200) throw new Error(answer.text)
    kept.set(`${question}&as_of=${day}`, answer.text)
    texts.push(answer.text)
  }
  const [page, risky, summary, objectives] = texts.slice(0, 4).map((text) => JSON.parse(text))
  const number = ({ name }: Json) => Number(name.slice(-2))
  const atRisk = risky.data.map(number).sort((a: number, b: number) => a - b)
  return { rows: page.data, atRisk, summary, objectives: objectives.data }
}
const fits = (rows: Json[]) => rows.map(({ strategy }) => strategy.fit)
const covered = (objectives: Json[]) =>
  objectives.map(({ title, importance, supporting, contributing, is_covered }) => [
    ...[title, importance, supporting, contributing, is_covered],
  ])
const firing = ({ rules }: Json) => rules.flatMap(({ rule, fires }: Json) => (fires > 0 ? [`${rule} ${fires}`] : []))

t.test('a portfolio of twelve before, during and after a pandemic and a change of strategy', async (t) => {
  await begin()
  on('2026-01-05')
  const [reading, music] = [await objective('Reading', 5), await objective('Music', 3)]
  await objective('Sport', 1)
  for (const n of [1, 2, 3, 4]) await link(n, reading, 3)
  for (const n of [5, 6, 7, 8]) await link(n, reading, 1)
  for (const n of [9, 10]) await link(n, music, 2)

  // Before. Below 34 are 5 to 8, each of which is still to be given 1,000: 4,000 of 12,000.
  const before = await told('2026-02-01')
  t.same(fits(before.rows), [
    ...['100', '100', '100', '100', '33.33', '33.33', '33.33', '33.33', '40', '40', null, null],
  ])
  t.same(before.atRisk, [5, 6, 7, 8])
  t.same(firing(before.summary), ['low_fit 4'])
  t.match(before.summary, {
    ...{
      partnerships: 12,
      by_status: [{ status: 'active', partnerships: 12 }],
      partnerships_at_risk: 4,
      open_impacts: 0,
    },
    ...{ anchored: 6, unanchored: 6, evaluations_overdue: 0 },
    values: [
      {
        ...{ outstanding: { amount: '12000.00' }, outstanding_at_risk: { amount: '4000.00' }, share_at_risk: '0.3333' },
        ...{ due: { amount: '0.00' }, fulfilment_rate: null },
      },
    ],
  })
  t.same(covered(before.objectives), [
    ['Music', 3, 2, 2, true],
    ['Reading', 5, 4, 8, true],
    ['Sport', 1, 0, 0, false],
  ])

  // A pandemic: it hits the eight companies, as a dry run says first.
  on('2026-03-12')
  const pandemic = await service.make('/v1/disruptions', {
    ...{ title: 'Corona', type: 'pandemic', started_on: '2026-03-12', sectors: ['company'] },
  })
  const crisis = `/v1/disruptions/${pandemic.id}`
  await stepOf(service, crisis, 'activate')
  const assessment = {
    ...{ severity: 'high', effects: ['income_down'], response: 'pause', response_due_on: '2026-04-01' },
  }
  const assess = (more: object): Promise<Json> => service.make(`${crisis}/assess-impacts`, { ...assessment, ...more })
  t.match(await assess({ dry_run: true }), { matched: 8, created: 0 })
  t.match(await assess({}), { matched: 8, created: 8 })
  const impacts: Json[] = (await service.get(`/v1/impacts?disruption_id=${pandemic.id}`)).body.data
  const answer = (n: number, body: object) => {
    const impact = impacts.find(({ partnership_id }) => partnership_id === alliance(n).partnership.id)
    return patch(`/v1/impacts/${impact.id}`, { responded_on: clock.now().slice(0, 10), ...body })
  }
  chart = `${crisis}/chart.svg`

  // 1, 2 and 3 pause in solidarity.
  on('2026-03-15')
  for (const n of [1, 2, 3]) {
    const { path, company, charity: hit } = alliance(n)
    const { pause } = await stepOf(service, path, 'pause', {
      ...{ reason: 'solidarity', initiated_by_party_id: hit, on_behalf_of_party_id: company },
      ...{ disruption_id: pandemic.id, planned_resume_on: '2026-06-01', schedule_effect: 'skip' },
    })
    t.match(await answer(n, { response_pause_id: pause.id }), { evaluation_obligation: 'open' })
  }
  // 4 and 5 give goods worth 800 in place of 1,000.
  on('2026-03-16')
  for (const n of [4, 5]) {
    const seats = alliance(n)
    const goods = await commitment(service, seats, {
      ...{ kind: 'goods', title: 'Books', measure: euros('800.00'), schedule: once('2026-07-01') },
    })
    const substitution = await service.make('/v1/substitutions', {
      ...{ replaces_commitment_id: seats.gift.id, by_commitment_id: goods.id, disruption_id: pandemic.id },
      ...{ reason: 'Cash is short', proposed_by_party_id: seats.company },
    })
    await stepOf(service, `/v1/substitutions/${substitution.id}`, 'accept', { party_id: seats.charity })
    await answer(n, { response: 'substitute', response_substitution_id: substitution.id })
  }
  // 6 gives 500 extra.
  on('2026-03-17')
  const extra = await agreed(service, alliance(6), {
    ...{ title: 'Extra', reciprocity: 'additional', measure: euros('500.00'), schedule: once('2026-05-15') },
  })
  await answer(6, { response: 'extra_support', response_commitment_id: extra.id })

  // During, on the day after the responses of 7 and 8 were due. 12,000 less twice 200 and 500 more is owed, 12,100; at risk
  // are 800 of 5, 1,500 of 6, and 1,000 each of 7 and 8: 4,300.
  const during = await told('2026-04-02')
  t.same(during.atRisk, [5, 6, 7, 8])
  t.same(firing(during.summary), ['response_overdue 2', 'low_fit 4'])
  t.match(during.summary, {
    by_status: [
      { status: 'active', partnerships: 9 },
      { status: 'paused', partnerships: 3 },
    ],
    ...{ open_impacts: 2, anchored: 6 },
    values: [
      {
        outstanding: { amount: '12100.00' },
        outstanding_at_risk: { amount: '4300.00' },
        share_at_risk: '0.3553',
        fulfilment_rate: null,
      },
    ],
  })
  t.same(fits(during.rows), fits(before.rows))
  t.same(
    during.rows.map(({ pause }) => pause?.expected_on ?? null),
    [...Array(3).fill('2026-06-01'), ...Array(9).fill(null)],
  )
  const fates = async (query = '') => /<desc[^>]*>([^<]*)/.exec((await service.get(`${chart}${query}`)).text)?.[1]
  const inApril = 'kept: 3, paused: 3, substituted: 2, lapsed: 0, released: 0, cancelled: 0, given extra: 1.'
  t.equal(await fates(), inApril)

  // The strategy changes: music matters most, and reading hardly. 1 turns to music; 7 and 8 contribute nothing any more.
  on('2026-04-10')
  await patch(`/v1/objectives/${reading.id}`, { importance: 1 })
  await patch(`/v1/objectives/${music.id}`, { importance: 5 })
  for (const n of [1, 2]) await link(n, reading, 1)
  for (const n of [7, 8]) await link(n, reading, 0)
  await link(1, music, 3)
  // Of 15: 15 of 1 by music, 1 of 2, 3 of 3 and 4, 1 of 5 and 6, 0 of 7 and 8, 10 of 9 and 10. At risk are 2 to 8: 1,000
  // each of 2, 3, 7 and 8, 800 of 4 and of 5, 1,500 of 6: 7,100.
  const changed = await told('2026-04-11')
  t.same(fits(changed.rows), [...['100', '6.66', '20', '20', '6.66', '6.66', '0', '0', '66.66', '66.66', null, null]])
  t.same(changed.atRisk, [2, 3, 4, 5, 6, 7, 8])
  t.match(changed.summary, {
    ...{ anchored: 5, unanchored: 7 },
    values: [{ outstanding_at_risk: { amount: '7100.00' }, share_at_risk: '0.5867' }],
  })
  t.same(covered(changed.objectives), [
    ['Music', 5, 3, 3, true],
    ['Reading', 1, 2, 6, true],
    ['Sport', 1, 0, 0, false],
  ])

  // 7 is evaluated, 8 is given other terms and waives an evaluation; the extra gift comes; 1, 2 and 3 go on.
  on('2026-05-01')
  const judged = await openRound(service, alliance(7).partnership, {
    ...{ kind: 'disruption', period_from: '2026-01-01', period_to: '2026-04-30' },
  })
  for (const party of alliance(7).partnership.parties) await respond(service, judged, party, answersWith(3))
  await stepRound(service, judged, 'conclude', conclusion)
  t.match(await answer(7, { response: 'renegotiate', response_evaluation_id: judged.id }), {
    evaluation_obligation: 'met',
  })
  const amendment = await service.make(`${alliance(8).path}/amendments`, {
    ...{ cause: 'disruption', proposed_by_party_id: alliance(8).company },
    changes: { commitments: [{ commitment_id: alliance(8).gift.id, terms: { title: 'A gift when we can' } }] },
  })
  await stepOf(service, `/v1/amendments/${amendment.id}`, 'accept', { party_id: alliance(8).charity })
  const waived = { response_amendment_id: amendment.id, evaluation_waiver: 'We spoke at length' }
  t.match(await answer(8, { response: 'renegotiate', ...waived }), { evaluation_obligation: 'waived' })
  on('2026-05-20')
  await confirmed(service, alliance(6), extra, '500.00', { delivered_on: '2026-05-20' })
  on('2026-06-01')
  for (const n of [1, 2, 3]) await stepOf(service, alliance(n).path, 'resume')

  // After. 500 was due and came: 11,600 is owed. The evaluations of 1 to 6 were due by 11 April, and none was held or
  // waived, so that 1 is at risk too: 7,600.
  const after = await told('2026-06-02')
  t.same(after.atRisk, [1, 2, 3, 4, 5, 6, 7, 8])
  t.same(firing(after.summary), ['impact_evaluation_overdue 6', 'low_fit 7'])
  t.match(after.summary, {
    ...{ by_status: [{ status: 'active', partnerships: 12 }], open_impacts: 0 },
    values: [
      {
        ...{ outstanding: { amount: '11600.00' }, outstanding_at_risk: { amount: '7600.00' }, share_at_risk: '0.6551' },
        ...{ due: { amount: '500.00' }, met: { amount: '500.00' }, fulfilment_rate: '1.0000' },
      },
    ],
  })
  t.match(after.rows[6].scores, { evaluation_id: judged.id, closed_on: '2026-05-01', gap: '0' })
  t.equal(await fates(), 'kept: 6, paused: 0, substituted: 2, lapsed: 0, released: 0, cancelled: 0, given extra: 1.')
  t.equal(await fates('?as_of=2026-04-02'), inApril)
  t.match(await service.get(`${chart}?as_of=2026-03-11`), {
    ...{ status: 422, body: { errors: [{ pointer: '?as_of', code: 'before_start' }] } },
  })

  // Half a year later each answer about a day is, to the byte, the one that was given on it.
  on('2026-12-01')
  t.equal(kept.size, 5 + 6 * 3)
  for (const [question, text] of kept) t.equal((await service.get(question)).text, text, question)
  for (const path of ['portfolio', 'portfolio/summary', 'portfolio/objectives', 'portfolio/chart.svg']) {
    const early = await service.get(`/v1/${path}?organisation_id=${charity.id}&as_of=2025-12-31`)
    t.match(early, { status: 422, body: { errors: [{ pointer: '?as_of', code: 'before_record' }] } }, path)
    t.equal((await service.get(`/v1/${path}?organisation_id=${charity.id}&as_of=2026-01-01`)).status, 200, path)
  }
})
