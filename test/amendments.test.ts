import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { amendmentLifecycle } from '../src/resources/amendments/lifecycle.ts'
import { type Answer, type Json, startService } from './support/harness.ts'
import {
  type Alliance,
  agreed,
  alliance,
  commitment,
  deliver,
  faultsOf,
  pathOf,
  takenOver,
} from './support/promises.ts'
import { plan } from './support/rounds.ts'
import { stepOf } from './support/world.ts'

const clock = fixedClock('2026-03-10T12:00:00Z')
const service = await startService(t, { clock })

const nowhere = '01900000-0000-7000-8000-000000000000'
const euros = (amount: string) => ({ type: 'money', amount, currency: 'EUR' })
const path = ({ id }: Json): string => `/v1/amendments/${id}`
const yearly = { frequency: 'yearly', starts_on: '2026-06-01', count: 4 }
const why = { why: { nl: 'Meer kinderen naar school', en: 'More children in school' } }

const propose = (seats: Alliance, changes: object, more: object = {}): Promise<Answer> =>
  service.call('POST', `/v1/partnerships/${seats.partnership.id}/amendments`, {
    cause: 'evaluation',
    proposed_by_party_id: seats.company,
    changes,
    ...more,
  })

const ofCommitment = ({ id }: Json, terms: object) => ({ commitments: [{ commitment_id: id, terms }] })

t.test('the terms of a commitment change when both sides accept, and not before', async (t) => {
  clock.set('2026-03-10T12:00:00Z')
  const seats = await alliance(service)
  const made = await agreed(service, seats, { measure: euros('4000.00'), schedule: yearly })
  clock.set('2026-09-01T12:00:00Z')
  const entry = await deliver(service, made, '1000.00', { delivered_on: '2026-06-01' })
  await stepOf(service, `/v1/fulfilments/${entry.id}`, 'confirm', { party_id: seats.charity })

  const patch = await service.call('PATCH', pathOf(made), { measure: euros('3100.00') }, { ifMatch: '*' })
  t.match(patch, { status: 409, body: { code: 'agreed_terms', detail: /amendments/ } }, 'the way to go is named')

  const changes = ofCommitment(made, { measure: euros('3100.00'), title: 'Een gift in moeilijke tijden' })
  const proposed = await propose(seats, changes, { note: 'De omzet is gehalveerd' })
  t.match(proposed, {
    status: 201,
    body: {
      status: 'proposed',
      effective_on: '2026-09-01',
      required_assents: [{ any_of: [seats.company] }, { any_of: [seats.charity] }],
      assents: [{ party_id: seats.company, on: '2026-09-01' }],
      diff: [
        { resource_id: made.id, member: 'title', before: 'A gift', after: 'Een gift in moeilijke tijden' },
        { member: 'measure', before: euros('4000.00'), after: euros('3100.00') },
      ],
    },
  })
  t.match((await service.get(pathOf(made))).body, { measure: euros('4000.00') })
  const accepted = await service.step(path(proposed.body), 'accept', { party_id: seats.charity })
  t.match(accepted, { status: 200, body: { status: 'accepted', decided_by_party_id: seats.charity } })
  t.match((await service.get(pathOf(made))).body, {
    title: 'Een gift in moeilijke tijden',
    measure: euros('3100.00'),
    delivered: euros('1000.00'),
    outstanding: euros('2100.00'),
  })
  const instalments = (await service.get(`${pathOf(made)}/instalments`)).body.data
  // What the new plan took the place of stays readable, as void.
  const standing = instalments
    .filter((row: Json) => row.state !== 'void')
    .map((row: Json) => [row.due_on, row.measure.amount, row.state])
  t.same(standing, [
    ['2026-06-01', '1000.00', 'settled'],
    ['2027-06-01', '700.00', 'scheduled'],
    ['2028-06-01', '700.00', 'scheduled'],
    ['2029-06-01', '700.00', 'scheduled'],
  ])

  const asOf = async (day: string) => (await service.get(`${pathOf(made)}/terms?as_of=${day}`)).body
  t.match(await asOf('2026-03-09'), { terms: null, valid_from: null }, 'not yet agreed')
  t.match(await asOf('2026-03-10'), {
    valid_from: '2026-03-10',
    superseded_on: '2026-09-01',
    amendment_id: null,
    terms: { measure: euros('4000.00'), title: 'A gift' },
  })
  const later = { valid_from: '2026-09-01', superseded_on: null, amendment_id: proposed.body.id }
  t.match(await asOf('2030-01-01'), { ...later, terms: { measure: euros('3100.00') } })
  t.match(
    (await service.get(`${pathOf(made)}/terms`)).body,
    { ...later, as_of: '2026-09-01' },
    'today, if no day is asked',
  )
  const history = (await service.get(`${pathOf(made)}/history`)).body.data
  const told = { amendment_id: proposed.body.id, from_status: 'agreed', to_status: 'agreed' }
  t.match(history.at(-1), { ...told, reason: 'De omzet is gehalveerd' })
})

t.test('the purpose needs the assent of every party', async (t) => {
  clock.set('2026-03-10T12:00:00Z')
  const seats = await alliance(service)
  const at = `/v1/partnerships/${seats.partnership.id}`
  t.match((await service.get(`${at}/terms?as_of=2026-03-10`)).body, {
    valid_from: '2026-01-01',
    terms: { base_currency: 'EUR', purpose: { why: null } },
  })
  const proposed = await propose(seats, { partnership: { purpose: why, base_currency: 'GBP' } })
  t.match(proposed.body.required_assents, [{ any_of: [seats.company] }, { any_of: [seats.charity] }])
  const twice = await service.step(path(proposed.body), 'accept', { party_id: seats.company })
  t.match(twice, { status: 422, body: { code: 'wrong_party', may_decide: [seats.charity] } })
  await stepOf(service, path(proposed.body), 'accept', { party_id: seats.charity })
  t.match((await service.get(at)).body, { purpose: { ...why, what: null }, base_currency: 'GBP' })
  t.match((await service.get(`${at}/terms?as_of=2026-03-09`)).body.terms, { base_currency: 'EUR' })
  t.match((await service.get(`${at}/terms?as_of=2026-03-10`)).body.terms, { base_currency: 'GBP' })
  t.equal((await service.get(`${at}/amendments?status=accepted`)).body.data.length, 1)
  t.equal((await service.get('/v1/amendments?cause=renewal')).body.data.length, 0)
  t.equal((await service.get(`/v1/partnerships/${nowhere}/terms?as_of=2026-01-01`)).status, 404)
})

t.test('a correction of a mistake in writing needs one side, counts at once and is marked', async (t) => {
  clock.set('2026-03-10T12:00:00Z')
  const seats = await alliance(service)
  const made = await agreed(service, seats, { title: 'Een gfit' })
  const more = { cause: 'correction', proposed_by_party_id: seats.charity }
  const corrected = await propose(seats, ofCommitment(made, { title: 'Een gift' }), more)
  t.match(corrected, { status: 201, body: { status: 'accepted', cause: 'correction', decided_on: '2026-03-10' } })
  t.match((await service.get(pathOf(made))).body, { title: 'Een gift' })
  t.match(await service.step(path(corrected.body), 'withdraw', { party_id: seats.charity }), { status: 409 })
})

t.test('the life of an amendment: every step from every state', async (t) => {
  clock.set('2026-03-10T12:00:00Z')
  const seats = await alliance(service)
  const decider = (verb: string) => ({ party_id: verb === 'withdraw' ? seats.company : seats.charity })
  const ways = { proposed: undefined, accepted: 'accept', rejected: 'reject', withdrawn: 'withdraw' } as const
  for (const [from, way] of Object.entries(ways)) {
    for (const [verb, to] of [
      ['accept', 'accepted'],
      ['reject', 'rejected'],
      ['withdraw', 'withdrawn'],
    ] as const) {
      const made = await agreed(service, seats)
      const { body } = await propose(seats, ofCommitment(made, { title: `${from} ${verb}` }))
      if (way) await stepOf(service, path(body), way, decider(way))
      const answer = await service.step(path(body), verb, decider(verb))
      const title = (await service.get(pathOf(made))).body.title
      t.equal(title, from === 'accepted' || (from === 'proposed' && to === 'accepted') ? `${from} ${verb}` : 'A gift')
      if (from === 'proposed') t.match(answer, { status: 200, body: { status: to } })
      else {
        const allowed = amendmentLifecycle[from as keyof typeof amendmentLifecycle]
        t.match(answer, { status: 409, body: { code: 'transition_not_allowed', from, to, allowed } })
      }
    }
  }
})

t.test('every rule refuses, each fault where it stands', async (t) => {
  clock.set('2026-03-10T12:00:00Z')
  const seats = await alliance(service)
  const made = await agreed(service, seats)
  const elsewhere = await agreed(service, await alliance(service))
  const faulty = await propose(
    seats,
    {
      partnership: { base_currency: 'XXQ' },
      commitments: [
        { commitment_id: made.id, terms: { measure: { type: 'money', amount: '1.001', currency: 'EUR' } } },
        { commitment_id: elsewhere.id, terms: { title: 'Elders' } },
        { commitment_id: nowhere, terms: { title: 'Nergens' } },
      ],
    },
    {
      effective_on: '2026-03-11',
      evaluation_id: nowhere,
      disruption_id: nowhere,
      metadata: { big: 'x'.repeat(17_000) },
    },
  )
  t.equal(faulty.status, 422)
  t.same(faultsOf(faulty).sort(), [
    '/changes/commitments/0/terms/measure/amount amount',
    '/changes/commitments/1/commitment_id unknown_reference',
    '/changes/commitments/2/commitment_id unknown_reference',
    '/changes/partnership/base_currency currency',
    '/disruption_id unknown_reference',
    '/effective_on in_future',
    '/evaluation_id unknown_reference',
    '/metadata too_large',
  ])
  const { detail } = faulty.body.errors.find((one: Json) => one.code === 'in_future')
  t.match(detail, /from 2026-03-11 is agreed now as a commitment of its own/, 'the way to go is named')
  const faultOf = async (changes: object, more: object = {}) => faultsOf(await propose(seats, changes, more))
  t.same(await faultOf(ofCommitment(made, { title: 'A gift' })), ['/changes nothing'])
  t.same(await faultOf(ofCommitment(made, { title: 'Nieuw' }), { effective_on: '2026-03-09' }), [
    '/effective_on before_terms',
  ])
  t.same(
    await faultOf(ofCommitment(made, { measure: { type: 'quantity', quantity: '4', unit: 'hour' }, kind: 'goods' })),
    ['/changes/commitments/0/terms/measure other_measure'],
  )
  const twice = { commitment_id: made.id, terms: { title: 'Nieuw' } }
  t.same(await faultOf({ commitments: [twice, twice] }), ['/changes/commitments/1/commitment_id repeated'])
  const stranger = await propose(seats, ofCommitment(made, { title: 'Nieuw' }), {
    proposed_by_party_id: nowhere,
  })
  t.match(stranger, { status: 422, body: { code: 'wrong_party' } })
  for (const status of [
    'draft',
    'proposed',
    'declined',
    'fulfilled',
    'lapsed',
    'released',
    'cancelled',
    'substituted',
  ]) {
    const closed = await takenOver(service, seats, status)
    const answer = await propose(seats, ofCommitment(closed, { title: 'Nieuw' }))
    t.match(answer, { status: 409, body: { code: 'state_forbids', from: status } }, `of what is ${status}`)
  }
  for (const status of ['draft', 'proposed', 'declined', 'ended']) {
    const other = await alliance(service, status)
    const { terms } = (await service.get(`/v1/partnerships/${other.partnership.id}/terms`)).body
    t.equal(terms !== null, status === 'ended', `what is ${status} has agreed terms, or none`)
    const answer = await propose(other, { partnership: { purpose: why } })
    t.match(
      answer,
      { status: 409, body: { code: 'state_forbids', from: status } },
      `in a partnership that is ${status}`,
    )
  }
})

t.test('terms that have changed since are not overwritten: accept refuses and says what to do', async (t) => {
  clock.set('2026-03-10T12:00:00Z')
  const seats = await alliance(service)
  const made = await agreed(service, seats)
  const first = await propose(seats, ofCommitment(made, { measure: euros('900.00') }))
  const second = await propose(seats, ofCommitment(made, { measure: euros('800.00') }))
  const accept = (body: Json) =>
    service.call('POST', `${path(body)}/accept`, { party_id: seats.charity }, { ifMatch: '*' })
  const answers = await Promise.all([accept(first.body), accept(second.body)])
  t.same(answers.map(({ status }) => status).sort(), [200, 409], 'of two at once one is accepted')
  const refused = answers.find(({ status }) => status === 409) as Answer
  t.match(refused.body, { code: 'state_forbids', errors: [{ code: 'terms_changed' }], detail: /withdraw/ })
})

t.test('records are named by the ids of other systems, and an amendment has its own', async (t) => {
  clock.set('2026-03-10T12:00:00Z')
  const seats = await alliance(service)
  const named = (id: string) => ({ system: 'crm', id })
  const made = await agreed(service, seats, { external_refs: [named('gift')] })
  await service.make('/v1/disruptions', {
    ...{ title: 'Corona', type: 'pandemic', started_on: '2026-02-27' },
    external_refs: [named('corona')],
  })
  const round = await plan(service, seats.partnership, { external_refs: [named('round')] })
  const changes = { commitments: [{ commitment_ref: named('gift'), terms: { title: 'Een gift' } }] }
  const more = { disruption_ref: named('corona'), evaluation_ref: named('round'), external_refs: [named('change')] }
  const proposed = await propose(seats, changes, more)
  t.match(proposed, { status: 201, body: { evaluation_id: round.id, external_refs: [named('change')] } })
  t.same(proposed.body.changes, { commitments: [{ commitment_id: made.id, terms: { title: 'Een gift' } }] })
  const found = await service.get('/v1/amendments?external_ref=crm:change')
  t.equal(found.body.data[0].id, proposed.body.id)
  const unknown = await propose(
    seats,
    { commitments: [{ commitment_ref: named('nobody'), terms: { title: 'Nieuw' } }] },
    { disruption_ref: named('nobody'), evaluation_id: round.id, evaluation_ref: named('round') },
  )
  t.same(faultsOf(unknown).sort(), [
    '/changes/commitments/0/commitment_ref unknown_reference',
    '/disruption_ref unknown_reference',
    '/evaluation_ref exclusive',
  ])
})

t.test(
  'what was taken over without the day of its agreement has terms from the day on which it stood so',
  async (t) => {
    clock.set('2026-03-10T12:00:00Z')
    const seats = await alliance(service)
    const made = await takenOver(service, seats, 'agreed')
    const asOf = async (day: string) => (await service.get(`${pathOf(made)}/terms?as_of=${day}`)).body
    t.match(await asOf('2026-01-01'), { valid_from: '2026-01-01', terms: { title: 'A gift' } })
    const { body } = await propose(seats, ofCommitment(made, { title: 'Een gift' }))
    await stepOf(service, path(body), 'accept', { party_id: seats.charity })
    t.match(await asOf('2026-01-01'), { valid_from: '2026-01-01', terms: { title: 'A gift' } })
    t.match(await asOf('2025-12-31'), { terms: null })
  },
)

t.test('with half of the evenings gone, each is worth what it was', async (t) => {
  clock.set('2026-03-10T12:00:00Z')
  const seats = await alliance(service)
  const evenings = (quantity: string) => ({ type: 'quantity', quantity, unit: 'event' })
  const value = { basis: 'fair_value', declared_by: 'receiver', valued_on: '2026-03-01' }
  const made = await agreed(service, seats, {
    kind: 'access',
    measure: evenings('4'),
    valuations: [{ ...value, money: { amount: '400.00', currency: 'EUR' } }],
  })
  const promised = async (day: string): Promise<string> => {
    const { body } = await service.get(`/v1/partnerships/${seats.partnership.id}/reciprocity?as_of=${day}`)
    return body.promised.sides[0].value.amount
  }
  clock.set('2026-05-01T12:00:00Z')
  const { body } = await propose(seats, ofCommitment(made, { measure: evenings('2') }))
  await stepOf(service, path(body), 'accept', { party_id: seats.charity })
  t.same([await promised('2026-04-30'), await promised('2026-05-01')], ['400.00', '200.00'])
  // A value of today is of the two that are left.
  const again = { ...value, money: { amount: '300.00', currency: 'EUR' }, valued_on: '2026-05-01' }
  const { valuations } = (await service.get(pathOf(made))).body
  await service.call('PATCH', pathOf(made), { valuations: [...valuations, again] }, { ifMatch: '*' })
  t.equal(await promised('2026-05-01'), '300.00')
})

t.test('a measure below what is settled is refused, and nothing of the amendment is half-written', async (t) => {
  clock.set('2026-07-10T12:00:00Z')
  const seats = await alliance(service)
  const made = await agreed(service, seats, { measure: euros('4000.00'), schedule: yearly })
  const changes = { ...ofCommitment(made, { measure: euros('500.00') }), partnership: { purpose: why } }
  const proposed = await propose(seats, changes)
  t.equal(proposed.status, 201)
  const entry = await deliver(service, made, '1000.00', { delivered_on: '2026-06-01' })
  await stepOf(service, `/v1/fulfilments/${entry.id}`, 'confirm', { party_id: seats.charity })
  const refused = await service.step(path(proposed.body), 'accept', { party_id: seats.charity })
  t.match(refused, { status: 422, body: { code: 'rule_violated' } })
  const below = ['/changes/commitments/0/terms/measure below_settled']
  t.same(faultsOf(refused), below)
  t.same(faultsOf(await propose(seats, changes)), below, 'nor is it proposed again')
  t.match((await service.get(`/v1/partnerships/${seats.partnership.id}`)).body, { purpose: { why: null } })
  t.match((await service.get(pathOf(made))).body, { measure: euros('4000.00') })
  t.match((await service.get(path(proposed.body))).body, { status: 'proposed', version: 1 })
})

t.test('a measure down to what was delivered leaves nothing outstanding: that is fulfilled', async (t) => {
  clock.set('2026-07-10T12:00:00Z')
  const seats = await alliance(service)
  const made = await agreed(service, seats, { measure: euros('4000.00'), schedule: yearly })
  const entry = await deliver(service, made, '1000.00', { delivered_on: '2026-06-01' })
  await stepOf(service, `/v1/fulfilments/${entry.id}`, 'confirm', { party_id: seats.charity })
  const { body } = await propose(seats, ofCommitment(made, { measure: euros('1000.00') }))
  await stepOf(service, path(body), 'accept', { party_id: seats.charity })
  t.match((await service.get(pathOf(made))).body, { status: 'fulfilled', outstanding: euros('0.00') })
  const told = (await service.get(`${pathOf(made)}/history`)).body.data.slice(-2)
  t.match(told, [
    { to_status: 'agreed', amendment_id: body.id },
    { to_status: 'fulfilled', amendment_id: null },
  ])
})

t.test('for the joint purpose the assent of one party across the table is enough', async (t) => {
  clock.set('2026-03-10T12:00:00Z')
  const seats = await alliance(service)
  const made = await commitment(service, seats, { to_party_id: null })
  await stepOf(service, pathOf(made), 'propose')
  await stepOf(service, pathOf(made), 'agree', { party_id: seats.charity })
  const onBehalf = { party_id: seats.charity, recorded_by_party_id: seats.company }
  const proposed = await propose(seats, ofCommitment(made, { binding: 'indicative' }))
  const unknown = { ...onBehalf, recorded_by_party_id: nowhere }
  t.same(faultsOf(await service.step(path(proposed.body), 'accept', unknown)), [
    '/recorded_by_party_id unknown_reference',
  ])
  const accepted = await service.step(path(proposed.body), 'accept', onBehalf)
  t.match(accepted.body.assents[1], onBehalf)
})
