import pg from 'pg'
import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { sumOf } from '../src/core/measures.ts'
import { asOwner } from '../src/db/tenants.ts'
import { type Json, startService } from './support/harness.ts'
import { managed, portfolioOf } from './support/portfolios.ts'
import { type Alliance, agreed, allianceTakenOver, commitment, pathOf } from './support/promises.ts'
import { answersWith, conclusion, individualRound, openRound, respond, stepRound } from './support/rounds.ts'
import { confirmed } from './support/schedules.ts'
import { organisation, pauseOf, stepOf } from './support/world.ts'

// Each measure of a partnership in a portfolio where it is as expected, where it just is not yet, and where it is undefined.
// The rules of risk, and when something is late, are in portfolio.test.ts.
//
//   measure                        as expected               just not                      undefined
//   status, side                   on its day                the day before                not in it before it takes part
//   fulfilment.rate                all of it: 1.0000         a cent less: 0.9999           nothing is due yet
//   fulfilment.kept_as_promised    what lapsed was due       the day before                nothing was promised by then
//   fulfilment.coverage            half carries a value      the day before: all           nothing is due yet
//   reciprocity.promised           four of five are valued   four of six: withheld         nothing given, one side only
//   reciprocity.delivered          on the day it comes       the day before                nothing delivered
//   outstanding                    a cent is owed            nothing is                    coverage of nothing
//   scores (score, gap, lowest,    closed                    the day before, and while     a side below its minimum
//     widest, sides, dimensions)                             one has not answered
//   strategy.fit, breadth          its last active day       the day after                 nothing is assessed
//   strategy.change                assessed otherwise        assessed the same: 0          undefined before
//   evaluation.due_on, overdue     a day late: 1             on its day: 0                 it does not live
//   evaluation.impact_due_on       a high impact             a medium one                  none, or waived
//   open_impacts, worst_impact     open                      answered, or none needed      no impact
//   pause                          the first to end          the day before, and after     no pause
//   each filter                    from what it is           from more, below what it is   found by none
//   sums of the summary            something is owed         nothing is                    nothing is due

let statements: string[] = []
const query = pg.Client.prototype.query as (...given: unknown[]) => unknown
pg.Client.prototype.query = function counted(this: pg.Client, ...given: unknown[]): unknown {
  const [asked] = given as [string | { text?: string }]
  statements.push(typeof asked === 'string' ? asked : (asked.text ?? ''))
  return query.apply(this, given)
} as typeof pg.Client.prototype.query

const clock = fixedClock('2026-01-01T12:00:00Z')
const service = await startService(t, { clock })
const on = (day: string) => clock.set(`${day}T12:00:00Z`)
t.beforeEach(() => on('2026-01-01'))

const charityOf = (): Promise<Json> => organisation(service, 'non_profit')
const rowOf = async (of: Json, query = ''): Promise<Json> => (await portfolioOf(service, of, query)).data[0]
/** The row as it was on a day. */
const onDay = (of: Json, day: string): Promise<Json> => rowOf(of, `&as_of=${day}`)
const patch = async (path: string, body: object): Promise<Json> => {
  const answer = await service.call('PATCH', path, body, { ifMatch: '*' })
  if (answer.status !== 200) throw new Error(answer.text)
  return answer.body
}
const euros = (amount: string) => ({ type: 'money', amount, currency: 'EUR' })
const once = (starts_on: string) => ({ frequency: 'once', starts_on })
const gift = (seats: Alliance, amount: string, day: string): Promise<Json> =>
  agreed(service, seats, { measure: euros(amount), schedule: once(day) })
/** An evening that the charity gives: worth 100 euro, or with no value. */
const evening = (seats: Alliance, isValued: boolean, more: object = {}): Promise<Json> =>
  agreed(service, seats, {
    ...{ from_party_id: seats.charity, to_party_id: seats.company, kind: 'access', title: 'An evening' },
    measure: { type: 'quantity', quantity: '1', unit: 'event' },
    valuations: isValued
      ? [{ money: { amount: '100.00', currency: 'EUR' }, basis: 'fair_value', declared_by: 'receiver' }].map((one) => ({
          ...one,
          valued_on: '2026-01-01',
        }))
      : [],
    ...more,
  })
const objective = (of: Json, title: string, more: object = {}): Promise<Json> =>
  service.make('/v1/objectives', {
    ...{ organisation_id: of.id, level: 'outcome', title, importance: 5, active_from: '2026-01-01' },
    ...more,
  })
const link = (seats: Alliance, to: Json, contribution: number): Promise<Json> =>
  service.make('/v1/objective-links', {
    ...{ partnership_id: seats.partnership.id, objective_id: to.id, contribution },
  })

t.test(
  'a partnership is in a portfolio from the day on which the organisation takes part, in the state of the day',
  async (t) => {
    const [charity, company] = [await charityOf(), await organisation(service, 'company')]
    const seats = await allianceTakenOver(service, {
      ...{ charity, company },
      partnership: {
        parties: [
          { organisation_id: company.id, side: 'company' },
          { organisation_id: charity.id, side: 'non_profit', joined_on: '2026-01-10' },
        ],
      },
    })
    on('2026-02-01')
    const path = `/v1/partnerships/${seats.partnership.id}`
    await stepOf(service, path, 'pause', pauseOf(seats.partnership, { planned_resume_on: '2026-03-01' }))
    t.equal(await onDay(charity, '2026-01-09'), undefined)
    t.match(await onDay(company, '2026-01-09'), { status: 'active', side: 'company' })
    t.match(await onDay(charity, '2026-01-10'), { status: 'active', side: 'non_profit', as_of: '2026-01-10' })
    t.match(await onDay(charity, '2026-01-31'), { status: 'active', pause: null })
    t.match(await onDay(charity, '2026-02-01'), { status: 'paused', pause: { commitment_id: null } })
  },
)

t.test('fulfilment: all of it, a cent less than all, and nothing due', async (t) => {
  const charity = await charityOf()
  const seats = await managed(service, charity)
  const paid = await gift(seats, '1000.00', '2026-02-01')
  const gone = await gift(seats, '1000.00', '2026-02-20')
  await evening(seats, false, { schedule: once('2026-02-25') })
  on('2026-02-01')
  await confirmed(service, seats, paid, '999.99', { delivered_on: '2026-02-01' })
  on('2026-02-02')
  await confirmed(service, seats, paid, '0.01', { delivered_on: '2026-02-02' })
  on('2026-02-19')
  await stepOf(service, pathOf(gone), 'lapse', { party_id: seats.company, reason: 'A pandemic' })
  on('2026-03-01')
  const told = async (day: string) => {
    const { rate, kept_as_promised, coverage, due } = (await onDay(charity, day)).fulfilment
    return [rate, kept_as_promised, coverage, due.amount]
  }
  t.same(await told('2026-01-31'), [null, null, null, '0.00'])
  t.same(await told('2026-02-01'), ['0.9999', '0.9999', '1.0000', '1000.00'])
  t.same(await told('2026-02-02'), ['1.0000', '1.0000', '1.0000', '1000.00'])
  t.same(await told('2026-02-19'), ['1.0000', '1.0000', '1.0000', '1000.00'])
  // What lapsed was promised by the 20th, and was not due any more; of the evening nobody says what it is worth.
  t.same(await told('2026-02-20'), ['1.0000', '0.5000', '1.0000', '1000.00'])
  t.same(await told('2026-02-25'), ['1.0000', '0.5000', '0.6666', '1000.00'])
})

t.test(
  'reciprocity: given at four fifths of coverage, withheld below it, and undefined where nothing is given',
  async (t) => {
    const charity = await charityOf()
    const seats = await managed(service, charity)
    t.match((await rowOf(charity)).reciprocity, {
      ...{ compared: ['company', 'non_profit'], promised: null, delivered: null, withheld: 'nothing_given' },
    })
    on('2026-01-02')
    const cash = await agreed(service, seats, { measure: euros('800.00') })
    for (const isValued of [true, true, true, true, false]) await evening(seats, isValued)
    on('2026-01-03')
    await confirmed(service, seats, cash, '800.00', { delivered_on: '2026-01-03' })
    on('2026-01-04')
    await evening(seats, false)
    const told = async (day: string) => (await onDay(charity, day)).reciprocity
    // (800 − 400) / 1200, of one commitment and of four in five.
    t.match(await told('2026-01-02'), { promised: '0.3333', delivered: null, withheld: 'nothing_given' })
    t.match(await told('2026-01-03'), { promised: '0.3333', delivered: '1.0000', withheld: null })
    t.match(await told('2026-01-04'), { promised: null, withheld: 'coverage_below_threshold' })

    const [one, other] = [await organisation(service, 'company'), await organisation(service, 'company', 'Another')]
    await service.make('/v1/partnerships', {
      ...{ name: 'Two companies', starts_on: '2026-01-01', status: 'active', cross_sector_exception: 'Siblings' },
      parties: [one, other].map(({ id }) => ({ organisation_id: id, side: 'company' })),
      taken_over: { on: '2026-01-01', from_system: 'tests' },
    })
    t.match((await rowOf(one)).reciprocity, {
      compared: null,
      promised: null,
      delivered: null,
      withheld: 'one_side_only',
    })
  },
)

t.test('outstanding: a cent, nothing, and no share of nothing', async (t) => {
  const charity = await charityOf()
  const seats = await managed(service, charity)
  const told = async () => {
    const { value, commitments, coverage } = (await rowOf(charity)).outstanding
    return [value.amount, commitments, coverage]
  }
  const sums = async () =>
    (await service.get(`/v1/portfolio/summary?organisation_id=${charity.id}`)).body.values.map((one: Json) => [
      ...[one.outstanding.amount, one.share_at_risk, one.fulfilment_rate],
    ])
  t.same(await told(), ['0.00', 0, null])
  t.same(await sums(), [['0.00', null, null]])
  const owed = await gift(seats, '1000.00', '2026-01-01')
  t.same(await told(), ['1000.00', 1, '1.0000'])
  await confirmed(service, seats, owed, '999.99', { delivered_on: '2026-01-01' })
  t.same(await told(), ['0.01', 1, '1.0000'])
  t.same(await sums(), [['0.01', '0.0000', '0.9999']])
  const unvalued = await evening(seats, false)
  t.same(await told(), ['0.01', 2, '0.5000'])
  await confirmed(service, seats, owed, '0.01', { delivered_on: '2026-01-01' })
  t.same(await told(), ['0.00', 1, '0.0000'])
  await stepOf(service, pathOf(unvalued), 'release', { party_id: seats.company })
  t.same(await told(), ['0.00', 0, null])
  t.same(await sums(), [['0.00', null, '1.0000']])
})

t.test('scores: from the day of closing on, of sides of which enough have answered', async (t) => {
  const charity = await charityOf()
  const { partnership } = await managed(service, charity)
  on('2026-01-31')
  const round = await openRound(service, partnership)
  await respond(service, round, partnership.parties[0], answersWith(2))
  t.equal((await rowOf(charity)).scores, null, 'blind while one has not answered')
  on('2026-02-01')
  await respond(service, round, partnership.parties[1], answersWith(3))
  t.equal((await onDay(charity, '2026-01-31')).scores, null)
  const { scores } = await onDay(charity, '2026-02-01')
  const { sides, dimensions } = scores
  t.match(scores, { evaluation_id: round.id, closed_on: '2026-02-01' })
  const [ours, theirs] = sides.map(({ score }: Json) => Number(score))
  const near = (a: string, b: number, what: string) => t.ok(Math.abs(Number(a) - b) < 0.00001, `${what}: ${a}, ${b}`)
  near(scores.score, (ours + theirs) / 2, 'score')
  near(scores.gap, ours - theirs, 'gap')
  t.ok(ours < theirs)
  const cells = dimensions.flatMap((one: Json) => one.sides.map(({ score }: Json) => Number(score)))
  near(scores.lowest_score, Math.min(...cells), 'lowest score')
  near(scores.widest_gap, Math.max(...dimensions.map(({ gap }: Json) => Math.abs(Number(gap)))), 'widest gap')

  // The sides' own cells, and what needs both of them.
  for (const { persons, cells, whole } of [
    { persons: [3, 3], cells: [true, true], whole: true },
    { persons: [3, 2], cells: [true, false], whole: false },
    { persons: [2, 2], cells: [false, false], whole: false },
  ]) {
    const other = await charityOf()
    const asked = await managed(service, other)
    const { round: open, tokens } = await individualRound(service, asked.partnership, { company: 3, non_profit: 3 })
    const answering = ['company', 'non_profit'].flatMap((side, at) => tokens[side]?.slice(0, persons[at]) ?? [])
    for (const token of answering) {
      const answers = { answers: answersWith(3) }
      const sent = await service.call('POST', `/v1/answers/${token}/submit`, answers, { key: null })
      t.equal(sent.status, 200)
    }
    if (answering.length < 6) await stepRound(service, open, 'close')
    const told = (await rowOf(other)).scores
    for (const name of ['score', 'gap', 'widest_gap']) t.equal(told[name] !== null, whole, `${name} of ${persons}`)
    t.equal(told.lowest_score !== null, cells.includes(true), `lowest_score of ${persons}`)
    t.same(
      told.sides.map(({ score }: Json) => score !== null),
      cells,
    )
  }
})

t.test(
  'strategy: to the last active day of an objective; a change of nothing is 0, and of the undefined none',
  async (t) => {
    const charity = await charityOf()
    const seats = await managed(service, charity)
    const reading = await objective(charity, 'Reading', { active_until: '2026-03-31' })
    const music = await objective(charity, 'Music')
    on('2026-01-10')
    await link(seats, music, 1)
    on('2026-01-20')
    await link(seats, reading, 2)
    on('2026-04-10')
    await link(seats, music, 1)
    const told = async (day: string) => {
      const { fit, breadth, change, assessed_on, is_anchored } = (await onDay(charity, day)).strategy
      return [fit, breadth, change, assessed_on, is_anchored]
    }
    t.same(await told('2026-01-09'), [null, 0, null, null, false])
    t.same(await told('2026-01-10'), ['33.33', 0, null, '2026-01-10', false], 'undefined before')
    t.same(await told('2026-01-20'), ['66.66', 1, '33.33', '2026-01-20', true])
    t.same(await told('2026-03-31'), ['66.66', 1, '33.33', '2026-01-20', true])
    t.same(await told('2026-04-01'), ['33.33', 0, null, '2026-01-10', false])
    t.same(await told('2026-04-10'), ['33.33', 0, '0', '2026-04-10', false], 'said again, and nothing else')
    const objectives = async (day: string) =>
      (await service.get(`/v1/portfolio/objectives?organisation_id=${charity.id}&as_of=${day}`)).body.data
    t.match(await objectives('2026-01-09'), [
      { title: 'Music', best_contribution: null, contributing: 0, supporting: 0, is_covered: false },
      { title: 'Reading', best_contribution: null },
    ])
    t.match(await objectives('2026-01-20'), [
      { title: 'Music', best_contribution: 1, contributing: 1, supporting: 0, is_covered: false },
      { title: 'Reading', best_contribution: 2, contributing: 1, supporting: 1, is_covered: true },
    ])
    t.equal((await objectives('2026-04-01')).length, 1)
  },
)

t.test(
  'an evaluation is due on a day, overdue on the next, and neither where the partnership does not live',
  async (t) => {
    const charity = await charityOf()
    const seats = await managed(service, charity, { evaluation_interval: 'P6M' })
    on('2026-07-02')
    t.match((await onDay(charity, '2026-06-30')).evaluation, { due_on: '2026-07-01', overdue_days: 0 })
    t.match((await onDay(charity, '2026-07-01')).evaluation, { due_on: '2026-07-01', overdue_days: 0 })
    t.match((await onDay(charity, '2026-07-02')).evaluation, { due_on: '2026-07-01', overdue_days: 1 })
    const undefinedIn = async (query: string) => {
      const { evaluation, rules_undefined } = await rowOf(charity, query)
      t.match(evaluation, { due_on: null, overdue_days: null }, query)
      t.ok(rules_undefined.includes('evaluation_overdue'), query)
    }
    await managed(service, charity, { status: 'proposed', name: 'Not yet agreed' })
    await undefinedIn('&status=proposed')
    const path = `/v1/partnerships/${seats.partnership.id}`
    await stepOf(service, path, 'wind-down', { end_reason: 'completed', ends_on: '2026-12-31' })
    t.match((await rowOf(charity, '&status=ending')).evaluation, { overdue_days: 1 })
    await stepOf(service, path, 'end', { exit_evaluation_waiver: 'Judged in June' })
    await undefinedIn('&status=ended')
  },
)

t.test('impacts: open until they are answered, and an evaluation asked for until it is held or waived', async (t) => {
  const charity = await charityOf()
  const seats = await managed(service, charity)
  const told = async (day: string) => {
    const { open_impacts, worst_impact, evaluation, rules_fired } = await onDay(charity, day)
    return [open_impacts, worst_impact, evaluation.impact_due_on, rules_fired]
  }
  on('2026-02-01')
  const disruption = { title: 'A flood', type: 'natural_disaster', started_on: '2026-01-15' }
  const impact = async (severity: string, more: object): Promise<Json> =>
    service.make('/v1/impacts', {
      disruption_id: (await service.make('/v1/disruptions', disruption)).id,
      ...{ partnership_id: seats.partnership.id, severity, effects: ['income_down'] },
      ...more,
    })
  await impact('high', { response: 'none_needed', evaluation_waiver: 'We speak every week' })
  t.same(await told('2026-02-01'), [0, null, null, []], 'it asks for no response, and is waived')
  on('2026-02-02')
  const medium = await impact('medium', { response: 'step_back', response_due_on: '2026-12-31' })
  t.same(await told('2026-02-02'), [1, 'medium', null, []], 'a medium one asks for no evaluation')
  on('2026-02-03')
  const high = await impact('high', { response: 'renegotiate', response_due_on: '2026-12-31' })
  t.same(await told('2026-02-03'), [2, 'high', '2026-03-05', []])
  t.ok((await onDay(charity, '2026-02-02')).rules_undefined.includes('impact_evaluation_overdue'))
  on('2026-02-04')
  await patch(`/v1/impacts/${medium.id}`, { severity: 'critical' })
  t.same(await told('2026-02-04'), [2, 'critical', '2026-03-04', []], 'the first to be due counts')
  on('2026-02-05')
  await patch(`/v1/impacts/${medium.id}`, { severity: 'low', responded_on: '2026-02-05' })
  t.same(await told('2026-02-05'), [1, 'high', '2026-03-05', []])
  // That it was answered does not judge it.
  on('2026-03-05')
  await patch(`/v1/impacts/${high.id}`, { responded_on: '2026-03-05' })
  t.same(await told('2026-03-05'), [0, null, '2026-03-05', []])
  on('2026-03-06')
  t.same(await told('2026-03-06'), [0, null, '2026-03-05', ['impact_evaluation_overdue']])
  const found = async (day: string) =>
    (await portfolioOf(service, charity, `&rule=impact_evaluation_overdue&as_of=${day}`)).data.length
  t.same(await Promise.all(['2026-03-05', '2026-03-06'].map(found)), [0, 1])
  on('2026-03-07')
  const round = await openRound(service, seats.partnership, { kind: 'disruption', period_to: '2026-03-01' })
  for (const party of seats.partnership.parties) await respond(service, round, party, answersWith(3))
  t.same((await rowOf(charity)).rules_fired, ['impact_evaluation_overdue'], 'closed, and not yet concluded')
  on('2026-03-08')
  await stepRound(service, round, 'conclude', conclusion)
  t.same(await told('2026-03-08'), [0, null, null, []])
  t.same(await told('2026-03-07'), [0, null, '2026-03-05', ['impact_evaluation_overdue']])
  t.same(await told('2026-02-04'), [2, 'critical', '2026-03-04', []], 'and each day stays what it was')
})

t.test('pauses: the one that is to end first, from its day until it is over', async (t) => {
  const charity = await charityOf()
  const seats = await managed(service, charity)
  const [first, second] = [await agreed(service, seats), await agreed(service, seats)]
  const pause = async ({ id }: Json, more: object) => {
    const body = { reason: 'capacity', initiated_by_party_id: seats.company, ...more }
    await stepOf(service, `/v1/commitments/${id}`, 'pause', body)
  }
  on('2026-02-01')
  await pause(first, { planned_resume_on: '2026-04-01' })
  on('2026-02-02')
  await pause(second, { review_on: '2026-03-01' })
  on('2026-02-10')
  await stepOf(service, pathOf(second), 'resume')
  const told = async (day: string) => {
    const { pause, status } = await onDay(charity, day)
    return [status, pause?.commitment_id ?? null, pause?.expected_on ?? null]
  }
  t.same(await told('2026-01-31'), ['active', null, null])
  t.same(await told('2026-02-01'), ['active', first.id, '2026-04-01'])
  t.same(await told('2026-02-02'), ['active', second.id, '2026-03-01'], 'to be looked at again sooner')
  t.same(await told('2026-02-09'), ['active', second.id, '2026-03-01'])
  t.same(await told('2026-02-10'), ['active', first.id, '2026-04-01'])
})

t.test('each filter finds what is as much as its bound, not what is less, and never what is undefined', async (t) => {
  const charity = await charityOf()
  const [full, bare] = [await managed(service, charity), await managed(service, charity)]
  const cash = await gift(full, '1000.00', '2026-01-01')
  await confirmed(service, full, cash, '400.00', { delivered_on: '2026-01-01' })
  const music = await objective(charity, 'Music')
  await link(full, music, 1)
  on('2026-01-02')
  await link(full, music, 2)
  const round = await openRound(service, full.partnership, { period_to: '2026-01-01' })
  for (const [at, party] of full.partnership.parties.entries())
    await respond(service, round, party, answersWith(2 + at))
  const flood = await service.make('/v1/disruptions', { title: 'A flood', type: 'other', started_on: '2026-01-01' })
  await service.make('/v1/impacts', {
    ...{ disruption_id: flood.id, partnership_id: full.partnership.id, severity: 'low', effects: ['opportunity'] },
    ...{ response: 'step_back', response_due_on: '2026-02-01' },
  })
  await stepOf(service, `/v1/partnerships/${bare.partnership.id}`, 'wind-down', {
    ...{ end_reason: 'completed', ends_on: '2026-12-31' },
  })
  on('2026-01-03')
  await stepOf(service, `/v1/partnerships/${bare.partnership.id}`, 'end', { exit_evaluation_waiver: 'Too short' })
  on('2026-07-03')
  const states = '&status=active,ended&currency=EUR'
  const rows = (await portfolioOf(service, charity, states)).data
  const row = rows.find(({ partnership_id }: Json) => partnership_id === full.partnership.id)
  const measures: Record<string, [value: string | number, isZeroOfNothing?: true]> = {
    fulfilment: [row.fulfilment.rate],
    reciprocity: [row.reciprocity.delivered],
    score: [row.scores.score],
    lowest_score: [row.scores.lowest_score],
    widest_gap: [row.scores.widest_gap],
    fit: [row.strategy.fit],
    fit_change: [row.strategy.change],
    overdue_days: [row.evaluation.overdue_days],
    breadth: [row.strategy.breadth, true],
    open_impacts: [row.open_impacts, true],
    outstanding: [row.outstanding.value.amount, true],
  }
  t.same(
    [row.fulfilment.rate, row.strategy.fit, row.strategy.change, row.evaluation.overdue_days, row.open_impacts],
    ['0.4000', '66.66', '33.33', 183 - 181, 1],
  )
  const offered = service.document.paths['/v1/portfolio'].get.parameters.map(({ name }: Json) => name)
  t.same(
    offered.flatMap((name: string) => (name.endsWith('_below') ? [name.slice(0, -6)] : [])).sort(),
    Object.keys(measures).sort(),
    'these are all',
  )
  const found = async (query: string) =>
    (await portfolioOf(service, charity, `${states}${query}`)).data.map((one: Json) =>
      one.partnership_id === full.partnership.id ? 'full' : 'bare',
    )
  for (const [name, [told, isZero]] of Object.entries(measures)) {
    const value = String(told)
    const more = sumOf([value, '0.000001'])
    t.same(await found(`&${name}_from=${value}`), ['full'], `${name} is ${value} or more`)
    t.same(await found(`&${name}_from=${more}`), [], `${name} is not ${more}`)
    t.same(await found(`&${name}_below=${value}`), isZero ? ['bare'] : [], `${name} is not below ${value}`)
    t.ok((await found(`&${name}_below=${more}`)).includes('full'), `${name} is below ${more}`)
    t.equal((await found(`&${name}_from=-999`)).length, isZero ? 2 : 1, `the undefined has no ${name}`)
  }
})

t.test('a page takes as many statements for fifty partnerships as for five', async (t) => {
  const sizes = new Map<number, Json>()
  for (const size of [5, 50]) {
    const [charity, company] = [await charityOf(), await organisation(service, 'company')]
    const music = await objective(charity, 'Music')
    for (let at = 0; at < size; at += 1) {
      const seats = await allianceTakenOver(service, { charity, company, partnership: { name: `Alliance ${at}` } })
      await link(seats, music, at % 4)
      await commitment(service, seats, {
        ...{ status: 'agreed', measure: euros(`${100 + at}.00`), schedule: once('2026-01-01') },
        taken_over: { on: '2026-01-01', from_system: 'tests' },
      })
    }
    sizes.set(size, charity)
  }
  on('2026-02-01')
  const counted = async (path: string, size: number) => {
    const asked = `/v1/${path}${path.includes('?') ? '&' : '?'}organisation_id=${sizes.get(size)?.id}`
    await service.get(asked)
    statements = []
    const answer = await service.get(asked)
    t.equal(answer.status, 200, path)
    if (path.startsWith('portfolio?')) t.equal(answer.body.data.length, size, path)
    // Now and then a credential is looked at again, or another connection is taken.
    return statements.filter((text) => !/api_key|set_config|^begin |^commit$/.test(text)).length
  }
  // The thresholds, the organisation, the ids of the page and its facts; with a day, where the record begins.
  const expected = {
    'portfolio?limit=50': 4,
    'portfolio?limit=50&as_of=2026-01-31': 5,
    'portfolio?limit=50&include_total=true': 5,
    'portfolio?limit=50&sort=-fit': 4,
    'portfolio?limit=50&sort=outstanding&currency=EUR&breadth_from=0': 4,
    'portfolio/summary': 4,
    'portfolio/chart.svg': 4,
    'portfolio/objectives': 3,
  }
  for (const [path, count] of Object.entries(expected)) {
    t.same([await counted(path, 5), await counted(path, 50)], [count, count], path)
  }
})

t.test(
  'of hundreds only what a sort or filter needs is reckoned, and the page says all that it says by itself',
  async (t) => {
    const [charity, company] = [await charityOf(), await organisation(service, 'company')]
    const music = await objective(charity, 'Music')
    const made: Alliance[] = []
    for (let at = 0; at < 6; at += 1) {
      const seats = await allianceTakenOver(service, { charity, company, partnership: { name: `Alliance ${at}` } })
      made.push(seats)
      await link(seats, music, at % 3)
      const cash = await gift(seats, `${100 + at}.00`, '2026-01-01')
      if (at > 2) await confirmed(service, seats, cash, '50.00', { delivered_on: '2026-01-01' })
    }
    const [first, second, third, fourth] = made as [Alliance, Alliance, Alliance, Alliance]
    on('2026-01-02')
    await link(second, music, 3)
    await evening(fourth, true)
    const round = await openRound(service, third.partnership, { period_to: '2026-01-01' })
    for (const [at, party] of third.partnership.parties.entries()) {
      await respond(service, round, party, answersWith(1 + at))
    }
    const flood = await service.make('/v1/disruptions', { title: 'A flood', type: 'other', started_on: '2026-01-01' })
    await service.make('/v1/impacts', {
      ...{ disruption_id: flood.id, partnership_id: fourth.partnership.id, severity: 'high', effects: ['income_down'] },
      ...{ response: 'step_back', response_due_on: '2026-02-01' },
    })
    await stepOf(service, `/v1/partnerships/${first.partnership.id}`, 'pause', {
      ...pauseOf(first.partnership, { planned_resume_on: '2026-01-20', review_on: null }),
    })
    await copied(first, 120)
    await copied(second, 120)
    on('2026-07-10')

    const full = new Map<string, Json>()
    let cursor = ''
    do {
      const page = await portfolioOf(service, charity, `&limit=200${cursor}`)
      for (const row of page.data) full.set(row.partnership_id, row)
      cursor = page.next_cursor === null ? '' : `&cursor=${page.next_cursor}`
    } while (cursor !== '')
    t.equal(full.size, 246)
    const all = [...full.values()]
    const same = (rows: Json[], what: string) => {
      t.ok(rows.length > 0, what)
      t.same(
        rows,
        rows.map(({ partnership_id }) => full.get(partnership_id)),
        what,
      )
    }
    const of: Record<string, (row: Json) => string | number | null> = {
      fulfilment: (row) => row.fulfilment.rate,
      reciprocity: (row) => row.reciprocity.delivered,
      score: (row) => row.scores?.score ?? null,
      lowest_score: (row) => row.scores?.lowest_score ?? null,
      widest_gap: (row) => row.scores?.widest_gap ?? null,
      fit: (row) => row.strategy.fit,
      breadth: (row) => row.strategy.breadth,
      fit_change: (row) => row.strategy.change,
      overdue_days: (row) => row.evaluation.overdue_days,
      open_impacts: (row) => row.open_impacts,
      outstanding: (row) => row.outstanding.value.amount,
    }
    for (const [measure, told] of Object.entries(of)) {
      const values = all.flatMap((row) => (told(row) === null ? [] : [Number(told(row))]))
      for (const [sort, best] of [
        [measure, Math.min(...values)],
        [`-${measure}`, Math.max(...values)],
      ] as const) {
        const { data } = await portfolioOf(service, charity, `&limit=5&currency=EUR&sort=${sort}`)
        same(data, sort)
        t.equal(Number(told(data[0])), best, sort)
      }
    }
    for (const rule of all.flatMap((row) => row.rules_fired).filter((one, at, every) => every.indexOf(one) === at)) {
      const { data, total } = await portfolioOf(service, charity, `&limit=3&include_total=true&rule=${rule}`)
      same(data, rule)
      t.equal(total, all.filter((row) => row.rules_fired.includes(rule)).length, rule)
    }
    const anchored = await portfolioOf(service, charity, '&limit=3&include_total=true&is_anchored=true&is_at_risk=true')
    same(anchored.data, 'anchored and at risk')
    t.equal(anchored.total, all.filter((row) => row.strategy.is_anchored && row.is_at_risk).length)
    statements = []
    await portfolioOf(service, charity, '&limit=50&sort=-fit')
    t.equal(
      statements.filter((text) => !/api_key|set_config|^begin |^commit$/.test(text)).length,
      5,
      'one more, for the page',
    )
  },
)

/** As many partnerships more that are as one is, but for its links, promises and rounds: too many to make one by one. */
async function copied({ partnership }: Alliance, count: number): Promise<void> {
  const copy = (table: string, from: string, where: string, changes: string) => `
    insert into ${table} select (jsonb_populate_record(null::${table}, to_jsonb(r) || ${changes})).* from ${from} where ${where}`
  await asOwner(service.url, async (owner) => {
    const { id } = partnership
    const made = await owner.query<{ ids: string[] }>(
      'select array_agg(gen_random_uuid()) as ids from generate_series(1, $1)',
      [count],
    )
    const ids = `unnest('{${made.rows[0]?.ids.join()}}'::uuid[]) as n (id)`
    await owner.query(
      copy('partnerships', `partnerships r, ${ids}`, `r.id = '${id}'`, `jsonb_build_object('id', n.id)`),
    )
    const part = `jsonb_build_object('id', gen_random_uuid(), 'partnership_id', n.id)`
    await owner.query(copy('partnership_parties', `partnership_parties r, ${ids}`, `r.partnership_id = '${id}'`, part))
    await owner.query(
      copy(
        'status_changes',
        `status_changes r, ${ids}`,
        `r.resource_id = '${id}'`,
        `jsonb_build_object('id', gen_random_uuid(), 'resource_id', n.id)`,
      ),
    )
  })
}
