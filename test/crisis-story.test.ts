import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { type Json, startService } from './support/harness.ts'
import { type Alliance, agreed, commitment, pathOf } from './support/promises.ts'
import { confirmed, instalmentsOf } from './support/schedules.ts'
import { draft, stepOf } from './support/world.ts'

// One alliance through a crisis. A company sponsors a concert hall: cash each year, for evenings with its guests. A
// pandemic closes the hall. One evening lapses, one becomes an online concert, the sponsor lets go of a third, gives
// something extra, and both step back for a while. What the measures then say is reckoned by hand, here:
//
//   promised on 1 May 2025, in euro at a fair value
//     sponsor   gift      30,000   10,000 due on 1 June 2025, 2026 and 2027
//     hall      pair      10,000   two evenings, on 20 February and 20 August 2026, 5,000 each
//               spring     5,000   one evening, on 15 May 2026
//               autumn     5,000   one evening, on 15 November 2026
//     in all 30,000 against 20,000

const clock = fixedClock('2025-05-01T12:00:00Z')
const service = await startService(t, { clock })
const on = (day: string) => clock.set(`${day}T12:00:00Z`)

const euros = (amount: string) => ({ type: 'money', amount, currency: 'EUR' })
const events = (quantity: string) => ({ type: 'quantity', quantity, unit: 'event' })
const once = (day: string) => ({ frequency: 'once', starts_on: day })
const worth = (amount: string, valued_on: string) => ({
  valuations: [{ money: { amount, currency: 'EUR' }, basis: 'fair_value', declared_by: 'receiver', valued_on }],
})

interface Story {
  seats: Alliance
  path: string
  gift: Json
  pair: Json
  spring: Json
  autumn: Json
}

/** The alliance as both sides agreed to it: no condition is waived. */
async function begin(): Promise<Story> {
  const partnership = await draft(service, { name: 'Muziek voor iedereen', starts_on: '2025-05-01' })
  const [company, charity] = partnership.parties.map(({ id }: Json) => id)
  const seats: Alliance = { partnership, company, charity }
  const path = `/v1/partnerships/${partnership.id}`
  await stepOf(service, path, 'propose')
  for (const party_id of [company, charity]) await stepOf(service, path, 'assent', { party_id })
  const gift = await agreed(service, seats, {
    title: 'Sponsoring',
    measure: euros('30000.00'),
    schedule: { frequency: 'yearly', starts_on: '2025-06-01', count: 3 },
    pause_exempt: true,
  })
  const evening = (title: string, quantity: string, value: string, schedule: object) =>
    agreed(service, seats, {
      ...{ from_party_id: charity, to_party_id: company, kind: 'access', mode: 'in_person', title },
      ...{ measure: events(quantity), schedule, in_return_for: [gift.id], ...worth(value, '2025-05-01') },
    })
  const halfYearly = { frequency: 'monthly', interval: 6, day_of_month: 20, starts_on: '2026-02-20', count: 2 }
  const pair = await evening('Two evenings with guests', '2', '10000.00', halfYearly)
  const spring = await evening('The spring evening', '1', '5000.00', once('2026-05-15'))
  const autumn = await evening('The autumn evening', '1', '5000.00', once('2026-11-15'))
  await stepOf(service, path, 'activate')
  return { seats, path, gift, pair, spring, autumn }
}

t.test('an alliance through a crisis: reciprocity before, during and after', async (t) => {
  const { seats, path, gift, pair, spring, autumn } = await begin()
  const { company: sponsor, charity: hall } = seats
  const read = async (what: string): Promise<Json> => (await service.get(`${path}/${what}`)).body
  const ratios = ({ promised, delivered, in_return_only }: Json): (string | null)[] => [
    promised.ratio,
    delivered.ratio,
    in_return_only.promised.ratio,
    in_return_only.delivered.ratio,
  ]
  const values = ({ sides }: Json): string[] => sides.map(({ value }: Json) => value.amount)

  on('2025-06-02')
  await confirmed(service, seats, gift, '10000.00', { delivered_on: '2025-06-01' })
  on('2026-02-21')
  await confirmed(service, seats, pair, '1', {
    delivered_on: '2026-02-20',
    reach: { audience: 120, countries: ['NL'] },
  })

  // Before. Promised (30,000 − 20,000) / 50,000. Delivered 10,000 and one evening: (10,000 − 5,000) / 15,000.
  on('2026-02-28')
  const before = await read('reciprocity')
  t.same(ratios(before), ['0.2000', '0.3333', '0.2000', '0.3333'])
  t.match(await read('fulfilment'), { rate: '1.0000', kept_as_promised: '1.0000', due: { amount: '15000.00' } })

  on('2026-03-12')
  const disruption = await service.make('/v1/disruptions', {
    ...{ title: 'Corona', type: 'pandemic', started_on: '2026-03-12', countries: ['NL'] },
  })
  await stepOf(service, `/v1/disruptions/${disruption.id}`, 'activate')
  const impact = await service.make('/v1/impacts', {
    ...{ disruption_id: disruption.id, partnership_id: seats.partnership.id, hit_party_id: hall },
    ...{ severity: 'high', effects: ['activity_impossible'], response: 'substitute', response_due_on: '2026-05-01' },
  })
  t.match(impact, { evaluation_obligation: 'open' })

  // The spring evening lapses. Promised (30,000 − 15,000) / 45,000.
  on('2026-03-20')
  await stepOf(service, pathOf(spring), 'lapse', { party_id: hall, reason: 'The hall is closed' })
  t.same(ratios(await read('reciprocity')), ['0.3333', '0.3333', '0.3333', '0.3333'])

  // The second evening of the pair becomes an online concert, worth 8,000: the hall then promises the evening that was,
  // the autumn evening and the concert, 18,000. (30,000 − 18,000) / 48,000.
  on('2026-04-03')
  const concert = await commitment(service, seats, {
    ...{ from_party_id: hall, to_party_id: sponsor, kind: 'access', mode: 'online', title: 'An online concert' },
    ...{
      measure: events('1'),
      schedule: once('2026-06-01'),
      in_return_for: [gift.id],
      ...worth('8000.00', '2026-04-03'),
    },
  })
  const substitution = await service.make('/v1/substitutions', {
    ...{ replaces_commitment_id: pair.id, by_commitment_id: concert.id, disruption_id: disruption.id },
    ...{ reason: 'Nobody may come to the hall', proposed_by_party_id: hall },
    value_difference: { amount: '3000.00', currency: 'EUR', basis: 'fair_value' },
  })
  t.match(substitution, { status: 'proposed', replaced_measure: events('1') })
  t.same(ratios(await read('reciprocity'))[0], '0.3333', 'a proposal changes nothing')
  await stepOf(service, `/v1/substitutions/${substitution.id}`, 'accept', { party_id: sponsor })
  const answered = { responded_on: '2026-04-03', response_substitution_id: substitution.id }
  const response = await service.call('PATCH', `/v1/impacts/${impact.id}`, answered, { ifMatch: '*' })
  t.match(response, { status: 200, body: answered })
  t.match((await service.get(pathOf(pair))).body, {
    status: 'substituted',
    replaced: events('1'),
    delivered: events('1'),
  })
  t.match((await service.get(pathOf(concert))).body, { status: 'agreed', agreed_on: '2026-04-03' })
  t.same(ratios(await read('reciprocity'))[0], '0.2500')

  // The sponsor lets go of the autumn evening: the hall promises 13,000. (30,000 − 13,000) / 43,000.
  on('2026-04-10')
  await stepOf(service, pathOf(autumn), 'release', { party_id: sponsor, reason: 'You have other things to think of' })
  t.same(ratios(await read('reciprocity'))[0], '0.3953')

  // It adds a gift of 5,000, and both step back from 20 April: what is not exempt moves by the 72 days until 1 July.
  on('2026-04-15')
  const extra = await agreed(service, seats, {
    ...{ title: 'For the musicians', reciprocity: 'additional', measure: euros('5000.00') },
    ...{ schedule: once('2026-05-15'), pause_exempt: true },
  })
  on('2026-04-20')
  const paused = await stepOf(service, path, 'pause', {
    ...{ reason: 'solidarity', initiated_by_party_id: sponsor, on_behalf_of_party_id: hall },
    ...{ disruption_id: disruption.id, planned_resume_on: '2026-07-01', schedule_effect: 'shift' },
  })
  t.match(paused.pause, { disruption_id: disruption.id, on_behalf_of_party_id: hall })
  t.equal((await read(`pauses?disruption_id=${disruption.id}`)).data.length, 1)
  on('2026-05-15')
  await confirmed(service, seats, extra, '5000.00', { delivered_on: '2026-05-15' })

  // During. Promised (35,000 − 13,000) / 48,000; delivered (15,000 − 5,000) / 20,000; without the extra gift promised
  // (30,000 − 13,000) / 43,000, delivered (10,000 − 5,000) / 15,000.
  on('2026-05-31')
  const during = await read('reciprocity')
  t.same(ratios(during), ['0.4583', '0.5000', '0.3953', '0.3333'])
  t.same(
    [values(during.promised), values(during.delivered)],
    [
      ['35000.00', '13000.00'],
      ['15000.00', '5000.00'],
    ],
  )
  // Due were 10,000, the extra 5,000 and one evening: all kept. Promised by then was the spring evening as well.
  t.match(await read('fulfilment'), {
    rate: '1.0000',
    kept_as_promised: '0.8000',
    sides: [
      { side: 'company', rate: '1.0000', kept_as_promised: '1.0000' },
      { side: 'non_profit', rate: '1.0000', kept_as_promised: '0.5000' },
    ],
  })

  // The sponsor goes on paying while the spring evening is lapsed. On 1 July the alliance goes on.
  on('2026-06-01')
  await confirmed(service, seats, gift, '10000.00', { delivered_on: '2026-06-01' })
  on('2026-07-01')
  await stepOf(service, path, 'resume')
  const [instalment] = await instalmentsOf(service, concert)
  t.match(instalment, { due_on: '2026-08-12', original_due_on: '2026-06-01' })
  on('2026-08-11')
  const reach = { audience: 4200, countries: ['NL', 'BE', 'DE'] }
  await confirmed(service, seats, concert, '1', { delivered_on: '2026-08-10', mode: 'online', reach })
  t.match((await service.get(`/v1/substitutions/${substitution.id}/reach`)).body, {
    before: { mode: 'in_person', audience: 120 },
    after: { mode: 'online', audience: 4200, countries: ['BE', 'DE', 'NL'] },
  })

  // After. Promised as during; delivered (25,000 − 13,000) / 38,000; without the extra gift (20,000 − 13,000) / 33,000.
  on('2026-12-31')
  const after = await read('reciprocity')
  t.same(ratios(after), ['0.4583', '0.3157', '0.3953', '0.2121'])
  t.same(values(after.delivered), ['25000.00', '13000.00'])
  // Due were 25,000 of the sponsor; of the hall one evening and the concert, 13,000. As it was promised the hall would
  // have given both evenings of the pair, spring, autumn and the concert, 28,000: kept (25,000 + 13,000) / 53,000.
  t.match(await read('fulfilment'), {
    rate: '1.0000',
    kept_as_promised: '0.7169',
    sides: [{ kept_as_promised: '1.0000' }, { due: { amount: '13000.00' }, kept_as_promised: '0.4642' }],
  })
  // In the time of need the sponsor let go of 5,000, added 5,000 and kept up 10,000 though its return was lapsed.
  t.match(await read(`solidarity?from=${disruption.started_on}`), {
    sides: [
      {
        side: 'company',
        released: { amount: '5000.00' },
        additional: { amount: '5000.00' },
        kept_up: { amount: '10000.00' },
        total: { amount: '20000.00' },
        gestures: 3,
      },
      { side: 'non_profit', total: { amount: '0.00' } },
    ],
  })
  t.same(await read('reciprocity?as_of=2026-02-28'), before, 'what was true before is told as it was then')
  t.same(await read('reciprocity?as_of=2026-05-31'), during)
})
