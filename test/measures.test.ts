import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { type Json, startService } from './support/harness.ts'
import { type Alliance, agreed, alliance, pathOf, takenOver } from './support/promises.ts'
import { confirmed, monthly, reverse, scheduled } from './support/schedules.ts'
import { organisation, pauseOf, stepOf } from './support/world.ts'

const clock = fixedClock('2026-03-01T12:00:00Z')
const service = await startService(t, { clock })
t.beforeEach(() => clock.set('2026-03-01T12:00:00Z'))

const read = async ({ partnership }: Alliance, what: string, query = ''): Promise<Json> => {
  const answer = await service.get(`/v1/partnerships/${partnership.id}/${what}${query}`)
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
  return answer.body
}

/** What the charity gives back: evenings, each worth 100 euro at a fair value where that is said. */
const evenings = (client: typeof service, seats: Alliance, count: number, more: object = {}): Promise<Json> =>
  agreed(client, seats, {
    from_party_id: seats.charity,
    to_party_id: seats.company,
    kind: 'access',
    title: 'Evenings',
    measure: { type: 'quantity', quantity: String(count), unit: 'event' },
    valuations: [
      {
        money: { amount: `${count * 100}.00`, currency: 'EUR' },
        basis: 'fair_value',
        declared_by: 'receiver',
        valued_on: '2026-03-01',
      },
    ],
    ...more,
  })

t.test('the rate tells what of the due was delivered, and beside it what was kept as promised', async (t) => {
  const seats = await alliance(service)
  // 4 × 250, due on the last of January to April; the charity gives four evenings, due on the same days.
  const gift = await scheduled(service, seats)
  const given = await evenings(service, seats, 4, { schedule: monthly() })
  await confirmed(service, seats, gift, '400.00')
  await confirmed(service, seats, given, '1')
  // On 1 March two of each are due: 500 and 200; delivered are 400 and 100.
  const first = await read(seats, 'fulfilment')
  t.match(first, {
    as_of: '2026-03-01',
    basis: 'fair_value',
    currency: 'EUR',
    due: { amount: '700.00' },
    met: { amount: '500.00' },
    overdue: { amount: '200.00' },
    rate: '0.7142',
    kept_as_promised: '0.7142',
    commitments: 2,
    due_commitments: 2,
    due_valued: 2,
    coverage: '1.0000',
    undated: 0,
    sides: [
      { side: 'company', due: { amount: '500.00' }, rate: '0.8000' },
      { side: 'non_profit', due: { amount: '200.00' }, rate: '0.5000' },
    ],
  })
  // The evenings lapse: those of March and April are not due, but had been promised.
  await stepOf(service, pathOf(given), 'lapse', { party_id: seats.charity, reason: 'A pandemic' })
  clock.set('2026-04-30T12:00:00Z')
  t.match(await read(seats, 'fulfilment'), {
    due: { amount: '1200.00' },
    met: { amount: '500.00' },
    overdue: { amount: '350.00' },
    promised_by: { amount: '1400.00' },
    rate: '0.4166',
    kept_as_promised: '0.3571',
    sides: [
      { rate: '0.4000', kept_as_promised: '0.4000' },
      { rate: '0.5000', kept_as_promised: '0.2500' },
    ],
  })
  t.same(await read(seats, 'fulfilment', '?as_of=2026-03-01'), {
    ...first,
    // The lapse is of that day too: what was due on it or before stays due, and is not owed any more as overdue.
    overdue: { amount: '100.00', currency: 'EUR' },
    sides: [first.sides[0], { ...first.sides[1], overdue: { amount: '0.00', currency: 'EUR' } }],
  })
})

t.test('the figures of one commitment are in its own unit', async (t) => {
  const seats = await alliance(service)
  const given = await evenings(service, seats, 4, { schedule: monthly() })
  await confirmed(service, seats, given, '3', { instalment_seq: 2 })
  const path = `/v1/commitments/${given.id}/fulfilment`
  const events = (quantity: string) => ({ type: 'quantity', quantity, unit: 'event' })
  t.same((await service.get(path)).body, {
    commitment_id: given.id,
    as_of: '2026-03-01',
    status: 'agreed',
    measure: events('4'),
    skipped: events('0'),
    replaced: events('0'),
    delivered: events('3'),
    outstanding: events('1'),
    due: events('2'),
    met: events('2'),
    overdue: events('0'),
    promised_by: events('2'),
    kept: events('2'),
    rate: '1.0000',
    kept_as_promised: '1.0000',
  })
  t.match((await service.get(`${path}?as_of=2026-02-28`)).body, { status: null, measure: events('0'), rate: null })
  const { key } = await service.otherTenant('figures elsewhere')
  t.equal((await service.get(path, { key })).status, 404)
})

t.test('what has no due date is late on no day, and counts when it comes to an end', async (t) => {
  const seats = await alliance(service)
  const [kept, lapsed] = [await agreed(service, seats), await agreed(service, seats)]
  t.match(await read(seats, 'fulfilment'), { rate: null, kept_as_promised: null, due: { amount: '0.00' }, undated: 2 })
  await confirmed(service, seats, kept, '1000.00')
  await confirmed(service, seats, lapsed, '250.00')
  await stepOf(service, pathOf(lapsed), 'lapse', { party_id: seats.company, reason: 'A pandemic' })
  t.match(await read(seats, 'fulfilment'), {
    rate: '1.0000',
    due: { amount: '1250.00' },
    kept_as_promised: '0.6250',
    promised_by: { amount: '2000.00' },
    undated: 0,
  })
})

t.test('what a pause skips is in no measure, and not before its day has come', async (t) => {
  const seats = await alliance(service)
  await scheduled(service, seats)
  const path = `/v1/partnerships/${seats.partnership.id}`
  await stepOf(service, path, 'pause', pauseOf(seats.partnership, { planned_resume_on: '2026-04-10' }))
  const promised = async (day: string) =>
    (await read(seats, 'reciprocity', `?as_of=${day}`)).promised.sides.map((side: Json) => side.value.amount)
  t.same(await promised('2026-03-30'), ['1000.00', '0.00'])
  t.same(await promised('2026-03-31'), ['750.00', '0.00'])
  t.match(
    await read(seats, 'fulfilment', '?as_of=2026-04-30'),
    { due: { amount: '500.00' }, promised_by: { amount: '500.00' } },
    'open still',
  )
  clock.set('2026-04-10T12:00:00Z')
  await stepOf(service, path, 'resume')
  t.match(await read(seats, 'fulfilment', '?as_of=2026-04-30'), { due: { amount: '750.00' } })
})

t.test('the balance compares what both sides give: promised, delivered, and in return only', async (t) => {
  const seats = await alliance(service)
  const gift = await scheduled(service, seats)
  await agreed(service, seats, {
    reciprocity: 'additional',
    measure: { type: 'money', amount: '600.00', currency: 'EUR' },
  })
  const given = await evenings(service, seats, 4)
  await confirmed(service, seats, gift, '300.00')
  await confirmed(service, seats, given, '1', {
    valuations: [
      {
        money: { amount: '140.00', currency: 'EUR' },
        basis: 'fair_value',
        declared_by: 'receiver',
        valued_on: '2026-03-01',
      },
    ],
  })
  const answer = await read(seats, 'reciprocity')
  // Promised (1600 − 400) / 2000; in return (1000 − 400) / 1400; delivered (300 − 140) / 440, the evening at its own value.
  t.match(answer, {
    compared: ['company', 'non_profit'],
    thresholds: { coverage: '0.8000' },
    promised: {
      ratio: '0.6000',
      withheld: null,
      sides: [
        { side: 'company', value: { amount: '1600.00' }, commitments: 2, valued: 2, coverage: '1.0000' },
        { side: 'non_profit', value: { amount: '400.00' }, commitments: 1, valued: 1, coverage: '1.0000' },
      ],
    },
    delivered: { ratio: '0.3636' },
    in_return_only: { promised: { ratio: '0.4285' }, delivered: { ratio: '0.3636' } },
    perceived: null,
  })
  await stepOf(service, pathOf(given), 'lapse', { party_id: seats.charity, reason: 'A pandemic' })
  // Of the evenings stands what was delivered: one, at its part of the commitment’s value.
  t.match(await read(seats, 'reciprocity'), { promised: { ratio: '0.8823' }, delivered: { ratio: '0.3636' } })
})

t.test(
  'a balance is withheld where too little of a side carries a value, and bases and currencies stay apart',
  async (t) => {
    const seats = await alliance(service)
    await scheduled(service, seats)
    await evenings(service, seats, 4)
    await evenings(service, seats, 4, { valuations: [] })
    t.match(await read(seats, 'reciprocity'), {
      promised: {
        ratio: null,
        withheld: 'coverage_below_threshold',
        sides: [{ coverage: '1.0000' }, { commitments: 2, valued: 1, coverage: '0.5000', value: { amount: '400.00' } }],
      },
    })
    t.match(await read(seats, 'reciprocity', '?basis=nominal'), {
      basis: 'nominal',
      promised: { sides: [{ value: { amount: '1000.00' } }, { valued: 0, value: { amount: '0.00' } }] },
    })
    t.match(await read(seats, 'reciprocity', '?currency=USD'), {
      currency: 'USD',
      promised: { sides: [{ valued: 0, value: { amount: '0.00', currency: 'USD' } }, { valued: 0 }] },
    })
    const unknown = await service.get(`/v1/partnerships/${seats.partnership.id}/reciprocity?currency=XXZ`)
    t.match(unknown, { status: 400, body: { errors: [{ pointer: '?currency' }] } })
    t.match(await read(await alliance(service), 'reciprocity'), {
      promised: { ratio: null, withheld: 'nothing_given' },
    })
  },
)

t.test('a partnership without two sides has no balance', async (t) => {
  const [one, other] = [await organisation(service, 'company'), await organisation(service, 'company', 'Another')]
  const partnership = await service.make('/v1/partnerships', {
    name: 'Two companies',
    parties: [one, other].map(({ id }) => ({ organisation_id: id, side: 'company' })),
    cross_sector_exception: 'Siblings',
  })
  t.match(await read({ partnership, company: '', charity: '' }, 'reciprocity'), {
    compared: null,
    promised: { ratio: null, withheld: 'one_side_only' },
  })
})

t.test('what another system had fulfilled counts as delivered, and says so', async (t) => {
  const seats = await alliance(service)
  await takenOver(service, seats, 'fulfilled', { agreed_on: '2024-01-01', closed_on: '2025-01-01' })
  t.match(await read(seats, 'fulfilment'), { rate: '1.0000', due: { amount: '1000.00' }, taken_over_as_fulfilled: 1 })
  t.match(await read(seats, 'reciprocity'), { delivered: { sides: [{ value: { amount: '1000.00' } }, {}] } })
  t.match(await read(seats, 'fulfilment', '?as_of=2024-06-01'), {
    rate: null,
    commitments: 1,
    taken_over_as_fulfilled: 0,
  })
})

t.test('a delivery counts from its confirmation until it is taken back', async (t) => {
  const seats = await alliance(service)
  const gift = await scheduled(service, seats)
  clock.set('2026-03-05T12:00:00Z')
  const entry = await confirmed(service, seats, gift, '250.00', { delivered_on: '2026-03-02' })
  clock.set('2026-03-10T12:00:00Z')
  await reverse(service, entry, seats.charity)
  const met = async (day: string) => (await read(seats, 'fulfilment', `?as_of=${day}`)).met.amount
  t.same(await Promise.all(['2026-03-04', '2026-03-05', '2026-03-09', '2026-03-10'].map(met)), [
    '0.00',
    '250.00',
    '250.00',
    '0.00',
  ])
})

t.test('solidarity: what was let go, added, and kept up while the return was lapsed', async (t) => {
  const seats = await alliance(service)
  const gift = await scheduled(service, seats)
  const given = await evenings(service, seats, 4, { in_return_for: [gift.id] })
  const released = await evenings(service, seats, 2)
  clock.set('2026-03-10T12:00:00Z')
  await confirmed(service, seats, gift, '100.00', { delivered_on: '2026-03-09' })
  await stepOf(service, pathOf(given), 'lapse', { party_id: seats.charity, reason: 'A pandemic' })
  clock.set('2026-03-20T12:00:00Z')
  await confirmed(service, seats, gift, '250.00', { delivered_on: '2026-03-20' })
  await stepOf(service, pathOf(released), 'release', { party_id: seats.company })
  await agreed(service, seats, {
    reciprocity: 'additional',
    measure: { type: 'money', amount: '600.00', currency: 'EUR' },
  })
  const all = await read(seats, 'solidarity', '?from=2026-03-01')
  t.match(all, {
    from: '2026-03-01',
    to: '2026-03-20',
    sides: [
      {
        side: 'company',
        released: { amount: '200.00' },
        additional: { amount: '600.00' },
        kept_up: { amount: '250.00' },
        total: { amount: '1050.00' },
        gestures: 3,
        valued: 3,
        coverage: '1.0000',
      },
      { side: 'non_profit', total: { amount: '0.00' }, gestures: 0, coverage: null },
    ],
  })
  t.match(await read(seats, 'solidarity', '?from=2026-03-01&to=2026-03-19'), { sides: [{ gestures: 0 }, {}] })
  const backwards = await service.get(
    `/v1/partnerships/${seats.partnership.id}/solidarity?from=2026-03-02&to=2026-03-01`,
  )
  t.match(backwards, { status: 400, body: { errors: [{ pointer: '?to' }] } })
})

t.test('solidarity goes by the terms of the day: what is no return any more was one when it was given', async (t) => {
  const seats = await alliance(service)
  const given = await evenings(service, seats, 4)
  const gift = await scheduled(service, seats, monthly(), { in_return_for: [given.id] })
  const gifts = () => read(seats, 'solidarity', '?from=2026-03-01')
  clock.set('2026-03-10T12:00:00Z')
  await stepOf(service, pathOf(given), 'lapse', { party_id: seats.charity, reason: 'A pandemic' })
  clock.set('2026-03-20T12:00:00Z')
  await confirmed(service, seats, gift, '250.00', { delivered_on: '2026-03-20' })
  const before = await gifts()
  t.match(before, { sides: [{ kept_up: { amount: '250.00' }, gestures: 1 }, {}] })
  clock.set('2026-03-21T12:00:00Z')
  const amendment = await service.make(`/v1/partnerships/${seats.partnership.id}/amendments`, {
    ...{ cause: 'disruption', proposed_by_party_id: seats.company },
    changes: { commitments: [{ commitment_id: gift.id, terms: { reciprocity: 'unconditional', in_return_for: [] } }] },
  })
  await stepOf(service, `/v1/amendments/${amendment.id}`, 'accept', { party_id: seats.charity })
  clock.set('2026-03-22T12:00:00Z')
  await confirmed(service, seats, gift, '100.00', { delivered_on: '2026-03-22' })
  t.same((await gifts()).sides, before.sides, 'the second was for no return, the first still is')
  await confirmed(service, seats, gift, '40.00', { delivered_on: '2026-03-20' })
  t.match(await gifts(), { sides: [{ kept_up: { amount: '290.00' }, gestures: 2 }, {}] }, 'by the day of the delivery')
})

t.test('the measures of many partnerships are those of each, on pages filtered as their own list', async (t) => {
  const all = await alliance(service, 'active', { reference: 'MEASURED' })
  const other = await alliance(service, 'active', { reference: 'MEASURED' })
  await confirmed(service, all, await scheduled(service, all), '400.00')
  await evenings(service, all, 4)
  const first = await service.get('/v1/partnership-measures?q=measured&limit=1')
  const second = await service.get(`/v1/partnership-measures?q=measured&limit=1&cursor=${first.body.next_cursor}`)
  const rows = [...first.body.data, ...second.body.data]
  t.same(
    rows.map((row: Json) => row.partnership_id),
    [all.partnership.id, other.partnership.id],
  )
  for (const [at, seats] of [all, other].entries()) {
    const { partnership_id: _p, as_of: _a, basis: _b, currency: _c, ...fulfilment } = await read(seats, 'fulfilment')
    const { partnership_id: _q, as_of: _d, basis: _e, currency: _f, ...reciprocity } = await read(seats, 'reciprocity')
    t.match(rows[at], { as_of: '2026-03-01', basis: 'fair_value', currency: 'EUR' })
    t.same(rows[at].fulfilment, fulfilment)
    t.same(rows[at].reciprocity, reciprocity)
  }
  const earlier = await service.get('/v1/partnership-measures?q=measured&as_of=2026-01-31&basis=nominal&currency=USD')
  t.match(earlier.body.data, [
    { as_of: '2026-01-31', basis: 'nominal', currency: 'USD', fulfilment: { commitments: 0 } },
    {},
  ])
  t.equal((await service.get('/v1/partnership-measures?currency=XXZ')).status, 400)
  const { key } = await service.otherTenant('measures elsewhere')
  t.same((await service.get('/v1/partnership-measures', { key })).body.data, [])
  for (const what of ['reciprocity', 'fulfilment', 'solidarity?from=2026-01-01']) {
    t.equal((await service.get(`/v1/partnerships/${all.partnership.id}/${what}`, { key })).status, 404, what)
  }
})
