import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { substitutionLifecycle } from '../src/resources/substitutions/lifecycle.ts'
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
import { stepOf } from './support/world.ts'

const nowhere = '01900000-0000-7000-8000-000000000000'
const evenings = {
  kind: 'access',
  title: 'Hospitality evenings',
  measure: { type: 'quantity', quantity: '3', unit: 'event' },
}
const concert = {
  kind: 'access',
  title: 'An online concert',
  mode: 'online',
  measure: { type: 'quantity', quantity: '1', unit: 'event' },
}
const events = (quantity: string) => ({ type: 'quantity', quantity, unit: 'event' })
const path = ({ id }: Json): string => `/v1/substitutions/${id}`

interface Scene {
  seats: Alliance
  old: Json
  next: Json
}

async function scene(): Promise<Scene> {
  const seats = await alliance(service)
  const old = await agreed(service, seats, evenings)
  const next = await commitment(service, seats, concert)
  return { seats, old, next }
}

const bodyOf = ({ seats, old, next }: Scene, more: object = {}): Json => ({
  replaces_commitment_id: old.id,
  by_commitment_id: next.id,
  reason: 'The hall is closed',
  proposed_by_party_id: seats.company,
  ...more,
})

const propose = (given: Scene, more: object = {}): Promise<Answer> =>
  service.call('POST', '/v1/substitutions', bodyOf(given, more))

const service = await startService(t, { clock: fixedClock('2026-03-10T12:00:00Z') })

t.test('what is replaced in part is lowered, and what takes its place is agreed, in one step', async (t) => {
  const given = await scene()
  const { seats, old, next } = given
  const proposed = await propose(given, {
    replaced_measure: events('1'),
    value_difference: { amount: '-250.00', currency: 'EUR', basis: 'fair_value' },
  })
  t.match(proposed, {
    status: 201,
    body: {
      status: 'proposed',
      proposed_on: '2026-03-10',
      replaced_measure: events('1'),
      value_difference: { amount: '-250.00' },
      assents: [{ party_id: seats.company, on: '2026-03-10' }],
    },
  })
  t.match((await service.get(pathOf(old))).body, { status: 'agreed', outstanding: events('3') }, 'nothing changes yet')
  const accepted = await service.step(path(proposed.body), 'accept', { party_id: seats.charity, note: 'Goed plan' })
  t.match(accepted, {
    status: 200,
    body: { status: 'accepted', decided_by_party_id: seats.charity, decision_note: 'Goed plan' },
  })
  t.equal(accepted.body.assents.length, 2)
  t.match((await service.get(pathOf(old))).body, {
    status: 'agreed',
    measure: events('3'),
    replaced: events('1'),
    outstanding: events('2'),
  })
  t.match((await service.get(pathOf(next))).body, {
    status: 'agreed',
    outstanding: events('1'),
    agreed_on: '2026-03-10',
  })
  const found = await service.get(`/v1/substitutions?replaces_commitment_id=${old.id}&status=accepted`)
  t.equal(found.body.data.length, 1)
  t.same((await service.get(`/v1/substitutions?by_commitment_id=${old.id}`)).body.data, [])
})

t.test('what is replaced as a whole is substituted, also where it had lapsed', async (t) => {
  for (const verb of [undefined, 'pause', 'lapse']) {
    const given = await scene()
    const { seats, old, next } = given
    const pause = { reason: 'safety', initiated_by_party_id: seats.company, review_on: '2026-06-01' }
    if (verb === 'pause') await stepOf(service, pathOf(old), 'pause', pause)
    if (verb === 'lapse') await stepOf(service, pathOf(old), 'lapse', { party_id: seats.company, reason: 'Gesloten' })
    const proposed = await propose(given, { proposed_by_party_id: seats.charity })
    t.match(proposed.body, { replaced_measure: events('3') }, 'all that is outstanding, where nothing else is said')
    await stepOf(service, path(proposed.body), 'accept', { party_id: seats.company })
    t.match((await service.get(pathOf(old))).body, {
      status: 'substituted',
      outstanding: events('0'),
      closed_on: '2026-03-10',
      close_reason: 'The hall is closed',
      pause: null,
    })
    t.match((await service.get(pathOf(next))).body, { status: 'agreed', agreement: { party_id: seats.charity } })
  }
})

t.test('the life of a substitution: every step from every state', async (t) => {
  const ways = { proposed: undefined, accepted: 'accept', rejected: 'reject', withdrawn: 'withdraw' } as const
  for (const [from, way] of Object.entries(ways)) {
    for (const [verb, to] of [
      ['accept', 'accepted'],
      ['reject', 'rejected'],
      ['withdraw', 'withdrawn'],
    ] as const) {
      const given = await scene()
      const { body } = await propose(given)
      const decider = (name: string) => ({ party_id: name === 'withdraw' ? given.seats.company : given.seats.charity })
      if (way) await stepOf(service, path(body), way, decider(way))
      const answer = await service.step(path(body), verb, decider(verb))
      if (from === 'proposed') t.match(answer, { status: 200, body: { status: to } })
      else {
        const allowed = substitutionLifecycle[from as keyof typeof substitutionLifecycle]
        t.match(
          answer,
          { status: 409, body: { code: 'transition_not_allowed', from, to, allowed } },
          `${verb}, ${from}`,
        )
      }
    }
  }
})

t.test('who proposes and who decides', async (t) => {
  const given = await scene()
  const { seats } = given
  t.match(await propose(given, { proposed_by_party_id: nowhere }), { status: 422, body: { code: 'wrong_party' } })
  const { body } = await propose(given)
  for (const verb of ['accept', 'reject']) {
    const own = await service.step(path(body), verb, { party_id: seats.company })
    t.match(own, { status: 422, body: { code: 'wrong_party', may_decide: [seats.charity] } }, `${verb} one's own`)
  }
  const other = await service.step(path(body), 'withdraw', { party_id: seats.charity })
  t.match(other, { status: 422, body: { may_decide: [seats.company] } })
  const recorder = { party_id: seats.charity, recorded_by_party_id: nowhere }
  const unknown = await service.step(path(body), 'accept', recorder)
  t.same(faultsOf(unknown), ['/recorded_by_party_id unknown_reference'])
  const onBehalf = { party_id: seats.charity, recorded_by_party_id: seats.company }
  const accepted = await service.step(path(body), 'accept', onBehalf)
  t.match(accepted.body.assents[1], onBehalf)
})

t.test('every rule refuses, all at once', async (t) => {
  const given = await scene()
  const { seats, old, next } = given
  const elsewhere = await commitment(service, await alliance(service), concert)
  const faulty = await propose(given, {
    by_commitment_id: elsewhere.id,
    replaced_measure: events('4'),
    instalment_seq: 99,
    disruption_id: nowhere,
    value_difference: { amount: '-0.001', currency: 'EUR', basis: 'fair_value' },
    metadata: { big: 'x'.repeat(17_000) },
  })
  t.equal(faulty.status, 422)
  t.same(faultsOf(faulty).sort(), [
    '/by_commitment_id other_partnership',
    '/disruption_id unknown_reference',
    '/instalment_seq unknown_reference',
    '/metadata too_large',
    '/replaced_measure over_outstanding',
    '/value_difference/amount amount',
  ])
  const faultOf = async (more: object) => faultsOf(await propose(given, more))
  t.same(await faultOf({ replaced_measure: events('0') }), ['/replaced_measure nothing'])
  t.same(await faultOf({ replaced_measure: { type: 'quantity', quantity: '1', unit: 'hour' } }), [
    '/replaced_measure other_measure',
  ])
  t.same(await faultOf({ by_commitment_id: old.id }), ['/by_commitment_id itself'])
  t.same(await faultOf({ by_commitment_id: null }), ['/by_commitment_id required'])
  t.same(await faultOf({ by_commitment_id: nowhere, replaces_commitment_id: '01900000-0000-7000-8000-000000000001' }), [
    '/by_commitment_id unknown_reference',
    '/replaces_commitment_id unknown_reference',
  ])
  const theirs = await commitment(service, seats, {
    ...concert,
    from_party_id: seats.charity,
    to_party_id: seats.company,
  })
  t.same(await faultOf({ by_commitment_id: theirs.id }), ['/by_commitment_id other_promiser'])

  for (const status of ['draft', 'proposed', 'declined', 'fulfilled', 'released', 'cancelled', 'substituted']) {
    const replaced = await takenOver(service, seats, status, evenings)
    const answer = await propose(given, { replaces_commitment_id: replaced.id })
    t.match(answer, { status: 409, body: { code: 'state_forbids', from: status } }, `replacing what is ${status}`)
  }
  for (const status of ['declined', 'paused', 'fulfilled', 'lapsed', 'released', 'cancelled', 'substituted']) {
    const by = await takenOver(service, seats, status, concert)
    const answer = await propose(given, { by_commitment_id: by.id })
    t.match(answer, { status: 409, body: { code: 'state_forbids', from: status } }, `by what is ${status}`)
  }
  t.match((await service.get(pathOf(next))).body, { status: 'draft' })
})

t.test('records are named by the ids of other systems, and a substitution has its own', async (t) => {
  const seats = await alliance(service)
  const named = (id: string) => ({ system: 'crm', id })
  const old = await agreed(service, seats, { ...evenings, external_refs: [named('evenings')] })
  const next = await commitment(service, seats, { ...concert, external_refs: [named('concert')] })
  const disruption = await service.make('/v1/disruptions', {
    ...{ title: 'Corona', type: 'pandemic', started_on: '2026-02-27' },
    external_refs: [named('corona')],
  })
  const body = {
    replaces_commitment_ref: named('evenings'),
    by_commitment_ref: named('concert'),
    reason: 'The hall is closed',
    proposed_by_party_id: seats.company,
  }
  const made = await service.make('/v1/substitutions', {
    ...body,
    disruption_ref: named('corona'),
    external_refs: [named('make-good')],
  })
  t.match(made, { replaces_commitment_id: old.id, by_commitment_id: next.id, disruption_id: disruption.id })
  const found = await service.get('/v1/substitutions?external_ref=crm:make-good')
  t.same(found.body.data, [made])
  const unknown = await service.call('POST', '/v1/substitutions', { ...body, disruption_ref: named('nobody') })
  t.same(faultsOf(unknown), ['/disruption_ref unknown_reference'])
})

t.test('a chain of substitutions never leads back', async (t) => {
  const seats = await alliance(service)
  const [a, b, c] = await Promise.all([1, 2, 3].map(() => agreed(service, seats, evenings)))
  const replace = (old: Json, next: Json) => propose({ seats, old, next }, { replaced_measure: events('1') })
  const first = await replace(a, b)
  await stepOf(service, path(first.body), 'accept', { party_id: seats.charity })
  t.equal((await replace(b, c)).status, 201)
  t.same(faultsOf(await replace(c, a)), ['/by_commitment_id circle'])
  t.same(faultsOf(await replace(b, a)), ['/by_commitment_id circle'])
})

t.test('what was delivered meanwhile is not replaced as well: acceptance refuses and changes nothing', async (t) => {
  const given = await scene()
  const { seats, old, next } = given
  const { body } = await propose(given, { replaced_measure: events('2') })
  const entry = await deliver(service, old, '2')
  await stepOf(service, `/v1/fulfilments/${entry.id}`, 'confirm', { party_id: seats.charity })
  const refused = await service.step(path(body), 'accept', { party_id: seats.charity })
  t.match(refused, { status: 422, body: { errors: [{ code: 'over_outstanding' }] } })
  t.match((await service.get(pathOf(next))).body, { status: 'draft' })
  t.match((await service.get(pathOf(old))).body, { outstanding: events('1'), replaced: events('0') })
  t.match((await service.get(path(body))).body, { status: 'proposed', version: 1 })
  await stepOf(service, pathOf(old), 'cancel', { party_id: seats.company, reason: 'Toch niet' })
  t.match(await service.step(path(body), 'accept', { party_id: seats.charity }), { status: 409 })
})

t.test('what takes its place is agreed as it was proposed, or not at all', async (t) => {
  const changes = (seats: Alliance) => [
    { measure: events('2') },
    { title: 'Another concert' },
    { from_party_id: seats.charity, to_party_id: seats.company },
  ]
  for (const at of [0, 1, 2]) {
    const given = await scene()
    const { seats, next } = given
    const { body } = await propose(given)
    const before = (await service.get(pathOf(next))).body
    const changed = await service.call('PATCH', pathOf(next), changes(seats)[at], { ifMatch: '*' })
    t.equal(changed.status, 200)
    const accept = () => service.call('POST', `${path(body)}/accept`, { party_id: seats.charity }, { ifMatch: '"1"' })
    const refused = await accept()
    t.equal(refused.status, 409)
    t.strictSame(
      [...new Set(refused.body.errors.map(({ pointer, code }: Json) => `${pointer} ${code}`))],
      ['/by_commitment_id terms_changed'],
    )
    const { title, measure, from_party_id, to_party_id } = before
    await service.call('PATCH', pathOf(next), { title, measure, from_party_id, to_party_id }, { ifMatch: '*' })
    t.equal((await accept()).status, 200, 'the terms are those that were proposed')
  }
})

t.test('two proposals that together want more than is outstanding: one of them is accepted', async (t) => {
  const given = await scene()
  const { seats, old } = given
  const others = await Promise.all([1, 2].map(() => commitment(service, seats, concert)))
  const proposals = await Promise.all(
    others.map((by) => propose(given, { by_commitment_id: by.id, replaced_measure: events('2') })),
  )
  const answers = await Promise.all(
    proposals.map(({ body }) =>
      service.call('POST', `${path(body)}/accept`, { party_id: seats.charity }, { ifMatch: '"1"' }),
    ),
  )
  t.same(answers.map(({ status }) => status).sort(), [200, 422])
  t.match((await service.get(pathOf(old))).body, { replaced: events('2'), outstanding: events('1') })
  const states = await Promise.all(others.map(async (by) => (await service.get(pathOf(by))).body.status))
  t.same(states.sort(), ['agreed', 'draft'])
})

t.test('how far the old promise reached, and how far the new one did', async (t) => {
  const given = await scene()
  const { seats, old, next } = given
  const confirmed = async (of: Json, reach: object | null) => {
    const entry = await deliver(service, of, '1', { reach })
    await stepOf(service, `/v1/fulfilments/${entry.id}`, 'confirm', { party_id: seats.charity })
    return entry
  }
  await confirmed(old, { audience: 120, countries: ['NL'] })
  const reversed = await confirmed(old, { audience: 999, countries: ['DE'] })
  await stepOf(service, `/v1/fulfilments/${reversed.id}`, 'reverse', { party_id: seats.company, reason: 'Dubbel' })
  const { body } = await propose(given, { replaced_measure: events('2') })
  const before = { commitment_id: old.id, deliveries: 1, deliveries_with_reach: 1, audience: 120, countries: ['NL'] }
  const none = { commitment_id: next.id, mode: 'online', deliveries: 0, audience: null, countries: [] }
  t.match((await service.get(`${path(body)}/reach`)).body, { before, after: none })
  await stepOf(service, path(body), 'accept', { party_id: seats.charity })
  await confirmed(next, { audience: 4000, countries: ['NL', 'BE'] })
  const after = { deliveries: 1, audience: 4000, countries: ['BE', 'NL'] }
  t.match((await service.get(`${path(body)}/reach`)).body, { before, after })
  t.equal((await service.get(`/v1/substitutions/${nowhere}/reach`)).status, 404)
})
