import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { judge, type RiskRule, type Risky, riskRules } from '../src/resources/portfolio/rules.ts'
import { standardThresholds } from '../src/resources/thresholds/schemas.ts'
import { type Json, startService } from './support/harness.ts'
import { managed as managedBy, portfolioOf } from './support/portfolios.ts'
import { type Alliance, agreed } from './support/promises.ts'
import { answersWith, conclusion, openRound, respond, stepRound } from './support/rounds.ts'
import { confirmed } from './support/schedules.ts'
import { organisation, stepOf } from './support/world.ts'

const clock = fixedClock('2026-01-01T12:00:00Z')
const service = await startService(t, { clock })
const on = (day: string) => clock.set(`${day}T12:00:00Z`)
t.beforeEach(() => on('2026-01-01'))

/** Nothing is wrong with it, and everything is known. */
const sound: Risky = {
  as_of: '2026-06-01',
  status: 'active',
  impacts: [{ severity: 'high', response_due_on: '2026-06-01' }],
  due: '1000.00',
  late: '200.00',
  dimension_scores: ['50', '100'],
  dimension_gaps: ['19.999999', '-19.999999'],
  evaluation_overdue_days: 90,
  impact_evaluation_due_on: '2026-06-01',
  pause_expected_on: '2026-06-01',
  fit: { best: 17, heaviest: 16 },
  ends_on: '2026-08-31',
  has_successor: false,
  sides: 2,
  unmanaged: 0,
}

// 17 · 100 / (3 · 16) is 35.4, just above 34; 16 · 100 / 48 is 33.3. The last of August is 91 days after the first of June.
const cases: Record<RiskRule, { fires: Partial<Risky>[]; not: Partial<Risky>[]; undefined: Partial<Risky>[] }> = {
  response_overdue: {
    fires: [
      { impacts: [{ severity: 'high', response_due_on: '2026-05-31' }] },
      { impacts: [{ severity: 'critical', response_due_on: '2026-05-31' }] },
    ],
    not: [
      {},
      {
        impacts: [
          { severity: 'high', response_due_on: null },
          { severity: 'medium', response_due_on: '2020-01-01' },
        ],
      },
    ],
    undefined: [{ impacts: [] }, { impacts: [{ severity: 'medium', response_due_on: '2026-05-31' }] }],
  },
  deliveries_late: { fires: [{ late: '200.01' }], not: [{}], undefined: [{ due: '0', late: '0' }] },
  low_score: {
    fires: [{ dimension_scores: ['49.999999', null] }],
    not: [{}, { dimension_scores: ['50', null] }],
    undefined: [{ dimension_scores: [] }, { dimension_scores: [null] }],
  },
  wide_gap: {
    fires: [{ dimension_gaps: ['20'] }, { dimension_gaps: [null, '-20'] }],
    not: [{}],
    undefined: [{ dimension_gaps: [] }, { dimension_gaps: [null, null] }],
  },
  evaluation_overdue: {
    fires: [{ evaluation_overdue_days: 91 }],
    not: [{}, { evaluation_overdue_days: 0 }],
    undefined: [{ evaluation_overdue_days: null }],
  },
  impact_evaluation_overdue: {
    fires: [{ impact_evaluation_due_on: '2026-05-31' }],
    not: [{}],
    undefined: [{ impact_evaluation_due_on: null }],
  },
  pause_overdue: {
    fires: [{ pause_expected_on: '2026-05-31' }],
    not: [{}],
    undefined: [{ pause_expected_on: null }],
  },
  low_fit: {
    fires: [{ fit: { best: 16, heaviest: 16 } }, { fit: { best: 0, heaviest: 1 } }],
    not: [{}, { fit: { best: 51, heaviest: 50 } }],
    undefined: [{ fit: null }],
  },
  ending_undecided: {
    fires: [{ ends_on: '2026-08-30' }, { ends_on: '2026-05-31' }, { ends_on: '2026-08-30', status: 'paused' }],
    not: [{}, { ends_on: '2026-06-02', status: 'ending' }, { ends_on: '2026-06-02', has_successor: true }],
    undefined: [{ ends_on: null }],
  },
  no_manager: { fires: [{ unmanaged: 1 }], not: [{}], undefined: [{ sides: 0 }] },
}

t.test('each rule fires, just does not, and says nothing where it cannot', async (t) => {
  t.same(judge(sound, standardThresholds), { fired: [], undefined: [] })
  for (const rule of riskRules) {
    const { fires, not, undefined: cannot } = cases[rule]
    const told = (some: Partial<Risky>) => judge({ ...sound, ...some }, standardThresholds)
    for (const some of fires) t.same(told(some), { fired: [rule], undefined: [] }, JSON.stringify(some))
    for (const some of not) t.same(told(some), { fired: [], undefined: [] }, `${rule} ${JSON.stringify(some)}`)
    for (const some of cannot) t.same(told(some), { fired: [], undefined: [rule] }, `${rule} ${JSON.stringify(some)}`)
  }
  for (const status of ['draft', 'proposed', 'declined', 'ended']) {
    t.same(judge({ ...sound, status, unmanaged: 2 }, standardThresholds), { fired: [], undefined: [...riskRules] })
  }
})

const managed = (charity: Json, more: object = {}): Promise<Alliance> => managedBy(service, charity, more)
const charityOf = (): Promise<Json> => organisation(service, 'non_profit')
const portfolio = (charity: Json, query = ''): Promise<Json> => portfolioOf(service, charity, query)
const rowOf = async (charity: Json, query = ''): Promise<Json> => (await portfolio(charity, query)).data[0]
const fired = async (charity: Json, query = ''): Promise<string[]> => (await rowOf(charity, query)).rules_fired
const patch = (path: string, body: object) => service.call('PATCH', path, body, { ifMatch: '*' })

t.test('deliveries: late is what is still owed thirty days after it was due', async (t) => {
  const charity = await charityOf()
  const seats = await managed(charity)
  const once = (starts_on: string) => ({ frequency: 'once', starts_on })
  const euros = (amount: string) => ({ type: 'money', amount, currency: 'EUR' })
  const gift = await agreed(service, seats, { measure: euros('700.00'), schedule: once('2026-02-01') })
  await agreed(service, seats, { measure: euros('300.00'), schedule: once('2026-02-02') })
  t.match(await rowOf(charity), {
    fulfilment: { rate: null, late_share: null, due: { amount: '0.00' } },
    outstanding: { value: { amount: '1000.00' }, commitments: 2, coverage: '1.0000' },
    rules_fired: [],
  })
  t.ok((await rowOf(charity)).rules_undefined.includes('deliveries_late'))
  on('2026-02-10')
  await confirmed(service, seats, gift, '500.00', { delivered_on: '2026-02-10' })
  on('2026-03-03')
  t.match(await rowOf(charity), {
    fulfilment: { rate: '0.5000', late: { amount: '0.00' }, late_share: '0.0000' },
    outstanding: { value: { amount: '500.00' } },
    reciprocity: { promised: '1.0000', delivered: '1.0000' },
  })
  // On the 31st day after the first of February: 200 of 1,000 is not yet more than 20 %.
  on('2026-03-04')
  t.match(await rowOf(charity), { fulfilment: { late: { amount: '200.00' }, late_share: '0.2000' }, rules_fired: [] })
  on('2026-03-05')
  t.match(await rowOf(charity), { fulfilment: { late_share: '0.5000' }, rules_fired: ['deliveries_late'] })
  t.same(await fired(charity, '&as_of=2026-03-04'), [], 'the day before stays what it was')

  const set = await patch('/v1/thresholds', { late_percent: 50, late_days: 29 })
  t.match(set.body, { late_percent: 50, late_days: 29, fit: 34, version: 1 })
  t.same(await fired(charity), [])
  t.match(await portfolio(charity), { thresholds: { late_percent: 50, late_days: 29 } })
  t.match(await rowOf(charity, '&as_of=2026-03-03'), { fulfilment: { late: { amount: '200.00' } } })
  const back = await patch('/v1/thresholds', { late_percent: null, late_days: null })
  t.match(back.body, { late_percent: 20, late_days: 30, version: 2 })
})

t.test('thresholds are changed with their ETag, kept in events, and bounded', async (t) => {
  const own = await service.afresh()
  const first = await own.get('/v1/thresholds')
  t.match(first, { etag: '"0"', body: { ...standardThresholds, id: null, updated_at: null } })
  t.equal((await own.get('/v1/thresholds', { headers: { 'if-none-match': '"0"' } })).status, 304)
  const path = '/v1/thresholds'
  t.equal((await own.call('PATCH', path, { fit: 50 })).status, 428)
  t.equal((await own.call('PATCH', path, { fit: 50 }, { ifMatch: '"1"' })).status, 412)
  const nothing = await own.call('PATCH', path, { fit: null }, { ifMatch: '"0"' })
  t.same(nothing.body, first.body, 'null is the standard: nothing changes')
  const set = await own.call('PATCH', path, { fit: 50 }, { ifMatch: '"0"' })
  t.match(set, { status: 200, etag: '"1"', body: { fit: 50, dimension_gap: 20 } })
  t.equal((await own.call('PATCH', path, { fit: 101, late_days: -1 }, { ifMatch: '*' })).body.errors.length, 2)
  const [event] = (await own.get('/v1/events')).body.data
  t.match(event, { type: 'thresholds.updated', changed: ['fit'], data: { fit: 50 } })
  t.match((await service.get(path)).body, { fit: 34 }, 'of the other tenant nothing changes')
})

t.test('scores, gaps and when both sides are to judge it next', async (t) => {
  const charity = await charityOf()
  const seats = await managed(charity, { evaluation_interval: 'P6M' })
  const { parties } = seats.partnership
  t.match(await rowOf(charity), { scores: null, evaluation: { due_on: '2026-07-01', overdue_days: 0 } })
  on('2026-09-29')
  t.match(await rowOf(charity), { evaluation: { overdue_days: 90 }, rules_fired: [] })
  on('2026-09-30')
  t.match(await rowOf(charity), { evaluation: { overdue_days: 91 }, rules_fired: ['evaluation_overdue'] })
  const round = await openRound(service, seats.partnership, { period_from: '2026-01-01', period_to: '2026-08-31' })
  await respond(service, round, parties[0], answersWith(2))
  t.match(await rowOf(charity), { scores: null }, 'it is blind until closed')
  await respond(service, round, parties[1], answersWith(3))
  t.same(await fired(charity), ['wide_gap', 'evaluation_overdue'], 'closed, and not yet concluded')
  await stepRound(service, round, 'conclude', conclusion)
  const told = (await service.get(`/v1/evaluations/${round.id}/scores`)).body
  const row = await rowOf(charity)
  t.match(row, { evaluation: { due_on: '2027-02-28', overdue_days: 0 }, rules_fired: ['wide_gap'] })
  const cell = (code: string, side: string) =>
    told.scores.find((score: Json) => score.level === 'dimension' && score.code === code && score.side === side).score
  t.equal(row.scores.dimensions.length, 6)
  for (const { code, sides, gap } of row.scores.dimensions) {
    for (const { side, score } of sides) t.equal(score, cell(code, side), `${code} ${side}`)
    t.equal(gap, told.gaps.find((one: Json) => one.level === 'dimension' && one.code === code).gap, code)
  }
  const wholes = told.scores.filter(({ level }: Json) => level === 'overall').map(({ score }: Json) => Number(score))
  t.ok(Math.abs(Number(row.scores.score) - (wholes[0] + wholes[1]) / 2) < 0.000001)
  t.match(await rowOf(charity, '&as_of=2026-09-29'), { scores: null, evaluation: { overdue_days: 90 } })
})

t.test('strategic fit, breadth and change; what is not covered and not anchored', async (t) => {
  const charity = await charityOf()
  const objective = (title: string, importance: number, more: object = {}) =>
    service.make('/v1/objectives', {
      ...{ organisation_id: charity.id, level: 'outcome', title, importance, active_from: '2026-01-01' },
      ...more,
    })
  const [reading, music] = [await objective('Reading', 5), await objective('Music', 4)]
  const seats = await managed(charity)
  const link = (to: Json, contribution: number) =>
    service.make('/v1/objective-links', {
      ...{ partnership_id: seats.partnership.id, objective_id: to.id, contribution },
    })
  t.match(await rowOf(charity), { strategy: { fit: null, breadth: 0, change: null, is_anchored: false } })
  t.ok((await rowOf(charity)).rules_undefined.includes('low_fit'))
  // 5 · 1 against 3 · 5.
  on('2026-02-01')
  await link(reading, 1)
  t.match(await rowOf(charity), { strategy: { fit: '33.33', breadth: 0, change: null }, rules_fired: ['low_fit'] })
  // 4 · 2 against 3 · 5; before it was 5 of 15.
  on('2026-03-01')
  await link(music, 2)
  t.match(await rowOf(charity), { strategy: { fit: '53.33', breadth: 1, change: '20', is_anchored: true } })
  // The strategy changes: music matters most, and reading hardly.
  on('2026-04-01')
  await patch(`/v1/objectives/${music.id}`, { importance: 5 })
  await patch(`/v1/objectives/${reading.id}`, { importance: 1 })
  t.match(await rowOf(charity), { strategy: { fit: '66.66', change: '33.33', assessed_on: '2026-03-01' } })
  on('2026-05-01')
  await link(music, 3)
  t.match(await rowOf(charity), { strategy: { fit: '100', change: '33.34', breadth: 1 } })
  const past = async (day: string) => (await rowOf(charity, `&as_of=${day}`)).strategy.fit
  t.same(await Promise.all(['2026-01-31', '2026-02-01', '2026-03-31', '2026-04-30', '2026-05-01'].map(past)), [
    null,
    '33.33',
    '53.33',
    '66.66',
    '100',
  ])
  const objectives = async (query: string) =>
    (await service.get(`/v1/portfolio/objectives?organisation_id=${charity.id}${query}`)).body.data
  t.match(await objectives(''), [
    { title: 'Music', importance: 5, supporting: 1, contributing: 1, best_contribution: 3, is_covered: true },
    { title: 'Reading', importance: 1, supporting: 0, contributing: 1, best_contribution: 1, is_covered: false },
  ])
  t.match(await objectives('&is_covered=false'), [{ title: 'Reading' }])
  t.match(await objectives('&is_covered=false&as_of=2026-02-01'), [{ title: 'Music', importance: 4 }, {}])
  const other = await managed(charity)
  const unanchored = await portfolio(charity, '&is_anchored=false')
  t.same(
    unanchored.data.map((row: Json) => row.partnership_id),
    [other.partnership.id],
  )
  const summary = (await service.get(`/v1/portfolio/summary?organisation_id=${charity.id}`)).body
  t.match(summary, { partnerships: 2, anchored: 1, unanchored: 1, as_of: '2026-05-01' })
})

t.test('what was written last counts, also where its time zone went back by a day', async (t) => {
  const charity = await charityOf()
  on('2026-02-01')
  const { partnership } = await managed(charity)
  const path = `/v1/partnerships/${partnership.id}`
  const { managers } = (await service.get(path)).body
  const given = { title: 'A flood', type: 'natural_disaster', started_on: '2026-02-01' }
  const { id: disruption_id } = await service.make('/v1/disruptions', given)
  // 00:30 on the 2nd in Amsterdam, still the 1st in New York.
  clock.set('2026-03-01T23:30:00Z')
  await patch(path, { managers: [] })
  const impact = await service.make('/v1/impacts', {
    ...{ disruption_id, partnership_id: partnership.id, severity: 'medium', effects: ['income_down'] },
    ...{ response: 'step_back', response_due_on: '2026-04-01' },
  })
  clock.set('2026-03-01T23:40:00Z')
  await patch(path, { time_zone: 'America/New_York', managers })
  await patch(`/v1/impacts/${impact.id}`, { severity: 'low' })
  on('2026-03-03')
  t.match(await rowOf(charity), { sides_without_manager: [], rules_fired: [], worst_impact: 'low' })
})

t.test('the importance that was written last counts, also where the clock went back past midnight', async (t) => {
  const charity = await charityOf()
  const given = { organisation_id: charity.id, level: 'outcome', title: 'Reading', active_from: '2026-01-01' }
  const { id } = await service.make('/v1/objectives', { ...given, importance: 3 })
  clock.set('2026-03-02T00:00:10Z')
  await patch(`/v1/objectives/${id}`, { importance: 5 })
  clock.set('2026-03-01T23:59:50Z')
  await patch(`/v1/objectives/${id}`, { importance: 1 })
  on('2026-03-03')
  const { data } = (await service.get(`/v1/portfolio/objectives?organisation_id=${charity.id}&as_of=2026-03-02`)).body
  t.match(data, [{ importance: 1 }])
})

t.test('impacts, pauses, the end and managers are risks from their day on', async (t) => {
  const charity = await charityOf()
  const seats = await managed(charity, { ends_on: '2026-12-31' })
  const path = `/v1/partnerships/${seats.partnership.id}`
  on('2026-02-01')
  const flood = await service.make('/v1/disruptions', {
    title: 'A flood',
    type: 'natural_disaster',
    started_on: '2026-02-01',
  })
  const impact = await service.make('/v1/impacts', {
    ...{ disruption_id: flood.id, partnership_id: seats.partnership.id, severity: 'medium' },
    ...{ effects: ['income_down'], response: 'step_back', response_due_on: '2026-02-10' },
  })
  on('2026-02-12')
  t.match(await rowOf(charity), { open_impacts: 1, worst_impact: 'medium', rules_fired: [] })
  on('2026-02-13')
  await patch(`/v1/impacts/${impact.id}`, { severity: 'critical', evaluation_waiver: 'We talk each week' })
  t.match(await rowOf(charity), { worst_impact: 'critical', rules_fired: ['response_overdue'] })
  on('2026-02-14')
  await patch(`/v1/impacts/${impact.id}`, { responded_on: '2026-02-14' })
  t.match(await rowOf(charity), { open_impacts: 0, worst_impact: null, rules_fired: [] })
  t.match(await rowOf(charity, '&as_of=2026-02-12'), { worst_impact: 'medium', rules_fired: [] })
  t.match(await rowOf(charity, '&as_of=2026-02-13'), { worst_impact: 'critical', rules_fired: ['response_overdue'] })

  await stepOf(service, path, 'pause', {
    ...{ reason: 'solidarity', initiated_by_party_id: seats.company, planned_resume_on: '2026-03-01' },
  })
  on('2026-03-01')
  t.match(await rowOf(charity), { status: 'paused', pause: { expected_on: '2026-03-01' }, rules_fired: [] })
  on('2026-03-02')
  t.same(await fired(charity), ['pause_overdue'])
  await stepOf(service, path, 'resume')
  t.match(await rowOf(charity), { status: 'active', pause: null, rules_fired: [] })

  on('2026-03-10')
  const { managers } = (await service.get(path)).body
  await patch(path, { managers: managers.filter(({ party_id }: Json) => party_id === seats.company) })
  t.match(await rowOf(charity), { sides_without_manager: ['non_profit'], rules_fired: ['no_manager'] })
  on('2026-03-11')
  await patch(path, { managers })
  t.same(await fired(charity), [])
  t.same(await fired(charity, '&as_of=2026-03-10'), ['no_manager'])

  on('2026-06-10')
  const round = await openRound(service, seats.partnership, { period_from: '2026-01-01', period_to: '2026-06-01' })
  for (const party of seats.partnership.parties) await respond(service, round, party, answersWith(3))
  await stepRound(service, round, 'conclude', conclusion)
  on('2026-10-01')
  t.same(await fired(charity), [])
  on('2026-10-02')
  t.same(await fired(charity), ['ending_undecided'])
  on('2026-10-03')
  await stepOf(service, path, 'wind-down', { end_reason: 'completed', ends_on: '2026-12-31' })
  t.match(await rowOf(charity), { status: 'ending', rules_fired: [] })
  on('2026-10-04')
  await stepOf(service, path, 'end', { exit_evaluation_waiver: 'Judged in June' })
  t.same((await portfolio(charity)).data, [], 'what has ended is no part of it')
  t.match(await rowOf(charity, '&status=ended'), { status: 'ended', rules_fired: [], rules_undefined: [...riskRules] })
  t.match(await rowOf(charity, '&as_of=2026-10-02'), { status: 'active', rules_fired: ['ending_undecided'] })
})

t.test('a renewal that is on its way decides the end', async (t) => {
  const charity = await charityOf()
  const seats = await managed(charity, { ends_on: '2026-03-31' })
  t.same(await fired(charity), ['ending_undecided'])
  on('2026-01-10')
  await managed(charity, { predecessor_id: seats.partnership.id, status: 'proposed', name: 'The next' })
  t.same(await fired(charity), [])
  t.same(await fired(charity, '&as_of=2026-01-09'), [], 'the renewal was taken over as of the first of January')
})

t.test('pages, sorts and filters: each partnership once, whatever it is sorted by', async (t) => {
  const charity = await charityOf()
  const objective = await service.make('/v1/objectives', {
    ...{ organisation_id: charity.id, level: 'impact', title: 'Reading', importance: 3, active_from: '2026-01-01' },
  })
  const made: Json[] = []
  for (const [at, contribution] of [3, 0, null, 1, 2].entries()) {
    const seats = await managed(charity, { name: `Alliance ${at}`, ends_on: at === 4 ? '2026-02-01' : null })
    made.push(seats.partnership)
    if (contribution !== null) {
      await service.make('/v1/objective-links', {
        ...{ partnership_id: seats.partnership.id, objective_id: objective.id, contribution },
      })
    }
    if (at < 2) {
      const measure = { type: 'money', amount: `${1000 - at}.00`, currency: 'EUR' }
      await agreed(service, seats, { measure, schedule: { frequency: 'once', starts_on: '2026-03-01' } })
    }
  }
  const walk = async (query: string): Promise<string> => {
    const names: string[] = []
    let cursor = ''
    do {
      const page = await portfolio(charity, `&limit=2&include_total=true${query}${cursor}`)
      names.push(...page.data.map(({ name }: Json) => name.at(-1)))
      t.ok(page.total >= page.data.length)
      cursor = page.next_cursor === null ? '' : `&cursor=${page.next_cursor}`
    } while (cursor !== '')
    return names.join('')
  }
  t.equal(await walk(''), '01234')
  t.equal(await walk('&sort=-name'), '43210')
  t.equal(await walk('&sort=-created_at&is_anchored=true'), '40')
  t.equal(await walk('&sort=fit'), '13402', 'what is undefined comes last')
  t.equal(await walk('&sort=-fit'), '04312')
  t.equal(await walk('&sort=outstanding&currency=EUR&outstanding_from=0.01'), '10')
  t.equal(await walk('&sort=-fit&fit_from=33.33&fit_below=100'), '43')
  t.equal(await walk('&rule=low_fit,ending_undecided'), '134')
  t.equal(await walk('&is_at_risk=false'), '02')
  t.equal(await walk('&is_at_risk=true&sort=-breadth'), '431')
  t.equal(await walk('&q=alliance+3'), '3')
  t.match(await portfolio(charity, '&is_at_risk=true&limit=1&include_total=true'), { total: 3 })
  for (const sort of ['fulfilment', 'reciprocity', 'score', 'lowest_score', 'widest_gap', 'fit_change']) {
    t.equal((await walk(`&sort=${sort}`)).length, 5, sort)
  }
  for (const sort of ['breadth', 'overdue_days', 'open_impacts'])
    t.equal((await walk(`&sort=-${sort}`)).length, 5, sort)

  const summary = (await service.get(`/v1/portfolio/summary?organisation_id=${charity.id}`)).body
  // At risk are the second (fit 0), the fourth (33.33) and the last, which ends; of them the second is owed 999.
  t.match(summary, {
    partnerships: 5,
    by_status: [{ status: 'active', partnerships: 5 }],
    partnerships_at_risk: 3,
    values: [
      {
        currency: 'EUR',
        outstanding: { amount: '1999.00' },
        outstanding_at_risk: { amount: '999.00' },
        share_at_risk: '0.4997',
        fulfilment_rate: null,
      },
    ],
  })
  const rule = (code: string) => summary.rules.find((one: Json) => one.rule === code)
  t.match(rule('low_fit'), { fires: 2, undefined: 1, outstanding: [{ amount: '999.00', currency: 'EUR' }] })
  t.match(rule('no_manager'), { fires: 0, undefined: 0 })

  const refused = async (query: string) => service.get(`/v1/portfolio?organisation_id=${charity.id}${query}`)
  const mixed = await refused('&sort=outstanding')
  t.match(mixed, { status: 400, body: { errors: [{ pointer: '?currency', code: 'required' }] } })
  const faulty = await refused('&time_zone=Mars/Base&sort=-outstanding')
  t.same(
    faulty.body.errors.map(({ pointer }: Json) => pointer),
    ['?time_zone', '?currency'],
  )
  clock.set('2026-01-01T12:00:00Z')
  t.equal((await portfolio(charity, '&time_zone=Pacific/Kiritimati')).as_of, '2026-01-02')
  t.match(await refused('&currency=XXQ'), { status: 400, body: { errors: [{ pointer: '?currency' }] } })
  const { next_cursor } = await portfolio(charity, '&sort=fit&limit=1')
  t.match(await refused(`&sort=fit&limit=1&fit_from=1&cursor=${next_cursor}`), { status: 400 })
  const atRisk = (await portfolio(charity, '&is_at_risk=true&limit=1')).next_cursor
  t.match(await refused(`&is_at_risk=false&limit=1&cursor=${atRisk}`), { status: 400 })
  const nobody = '01900000-0000-7000-8000-000000000000'
  for (const path of ['portfolio', 'portfolio/summary', 'portfolio/objectives']) {
    t.match(await service.get(`/v1/${path}?organisation_id=${nobody}`), { status: 404 })
    t.match(await service.get(`/v1/${path}`), { status: 400 })
  }
  t.ok(made.length === 5)
})
