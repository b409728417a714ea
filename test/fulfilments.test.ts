import fc from 'fast-check'
import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { newId } from '../src/core/ids.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import {
  type Alliance,
  agreed,
  alliance,
  allianceOfThree,
  commitment,
  deliver,
  entryPath,
  faultsOf,
  pathOf,
  takenOver,
} from './support/promises.ts'
import { stepOf } from './support/world.ts'

const whole = await startService(t, { clock: fixedClock('2026-03-01T12:00:00Z') })
const euros = (amount: string) => ({ type: 'money', amount, currency: 'EUR' })

/** What a commitment says of its ledger. */
const figures = ({ delivered, reported, outstanding, fulfilment_rate, fulfilment_counts, status }: Json) => ({
  status,
  delivered: delivered.amount ?? delivered.quantity,
  reported: reported.amount ?? reported.quantity,
  outstanding: outstanding.amount ?? outstanding.quantity,
  rate: fulfilment_rate,
  counts: Object.values(fulfilment_counts).join(' '),
})
const figuresOf = async (service: Service, made: Json) => figures((await service.get(pathOf(made))).body)

t.test('what is reported counts once the other side has confirmed it', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const made = await agreed(service, seats, { mode: 'online' })
  const answer = await service.call('POST', `${pathOf(made)}/fulfilments`, {
    delivered_on: '2026-02-01',
    measure: euros('250'),
    reach: { audience: 1200, countries: ['NL', 'BE'] },
    valuations: [
      { money: { amount: '5', currency: 'KWD' }, basis: 'nominal', declared_by: 'giver', valued_on: '2026-02-01' },
    ],
    note: 'First part',
    evidence_url: 'https://example.org/proof',
    metadata: { batch: 7 },
    external_refs: [{ system: 'bank', id: 'T-1' }],
  })
  t.equal(answer.status, 201)
  t.equal(answer.headers['location'], `/v1/fulfilments/${answer.body.id}`)
  const { id: _id, created_at: _c, updated_at: _u, ...rest } = answer.body
  t.same(rest, {
    version: 1,
    commitment_id: made.id,
    delivered_on: '2026-02-01',
    instalment_seq: null,
    measure: euros('250.00'),
    mode: 'online',
    reach: { audience: 1200, countries: ['NL', 'BE'] },
    valuations: [
      { money: { amount: '5.000', currency: 'KWD' }, basis: 'nominal', declared_by: 'giver', valued_on: '2026-02-01' },
    ],
    note: 'First part',
    evidence_url: 'https://example.org/proof',
    reported_by_party_id: seats.company,
    confirmation: 'reported',
    decided_by_party_id: null,
    decided_on: null,
    decision_note: null,
    dispute_reason: null,
    reversal_of: null,
    reversal_reason: null,
    reversed_by_id: null,
    external_refs: [{ system: 'bank', id: 'T-1', url: null }],
    metadata: { batch: 7 },
  })
  t.same((await service.get(entryPath(answer.body))).body, answer.body)
  t.equal((await service.get('/v1/fulfilments/by-ref/bank/T-1')).body.id, answer.body.id)
  const waiting = {
    status: 'agreed',
    delivered: '0.00',
    reported: '250.00',
    outstanding: '1000.00',
    rate: '0.0000',
    counts: '1 0 0 0',
  }
  t.same(await figuresOf(service, made), waiting)

  const confirmed = await stepOf(service, entryPath(answer.body), 'confirm', {
    party_id: seats.charity,
    on: '2026-02-02',
    note: 'Got it',
  })
  t.match(confirmed, {
    version: 2,
    confirmation: 'confirmed',
    decided_by_party_id: seats.charity,
    decided_on: '2026-02-02',
    decision_note: 'Got it',
  })
  const counted = {
    status: 'agreed',
    delivered: '250.00',
    reported: '0.00',
    outstanding: '750.00',
    rate: '0.2500',
    counts: '0 1 0 0',
  }
  t.same(await figuresOf(service, made), counted)
})

t.test('when nothing is outstanding a commitment is fulfilled; more than was promised stays visible', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const made = await agreed(service, seats)
  const [first, second, third] = [
    await deliver(service, made, '400'),
    await deliver(service, made, '700'),
    await deliver(service, made, '50'),
  ]
  await stepOf(service, entryPath(first), 'confirm', { party_id: seats.charity })
  t.match(await figuresOf(service, made), { status: 'agreed', outstanding: '600.00', rate: '0.4000' })
  await stepOf(service, entryPath(second), 'confirm', { party_id: seats.charity })
  const kept = (await service.get(pathOf(made))).body
  t.match(figures(kept), {
    status: 'fulfilled',
    delivered: '1100.00',
    reported: '50.00',
    outstanding: '0.00',
    rate: '1.0000',
  })
  t.equal(kept.closed_on, '2026-03-01')
  const late = await service.call('POST', `${pathOf(made)}/fulfilments`, {
    delivered_on: '2026-02-01',
    measure: euros('1'),
  })
  t.match(late, { status: 409, body: { code: 'state_forbids', from: 'fulfilled' } })
  await stepOf(service, entryPath(third), 'confirm', { party_id: seats.charity })
  t.match(
    await figuresOf(service, made),
    { status: 'fulfilled', delivered: '1150.00', rate: '1.0000' },
    'what was reported before counts',
  )

  await stepOf(service, entryPath(first), 'reverse', { party_id: seats.company, reason: 'Booked twice' })
  t.match(await figuresOf(service, made), {
    status: 'agreed',
    delivered: '750.00',
    outstanding: '250.00',
    rate: '0.7500',
  })
  const reopened = (await service.get(pathOf(made))).body
  t.equal(reopened.closed_on, null)
  const { body: history } = await service.get(`${pathOf(made)}/history`)
  t.same(
    history.data
      .slice(-2)
      .map(({ from_status, to_status, decided_by_party_id }: Json) => [from_status, to_status, decided_by_party_id]),
    [
      ['agreed', 'fulfilled', seats.charity],
      ['fulfilled', 'agreed', seats.company],
    ],
  )
})

t.test('the rate never says all where something is outstanding', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const made = await agreed(service, seats, {
    kind: 'other',
    measure: { type: 'quantity', quantity: '999999999999999', unit: 'person' },
  })
  const entry = await deliver(service, made, '999999999999998.999999')
  await stepOf(service, entryPath(entry), 'confirm', { party_id: seats.charity })
  t.match(await figuresOf(service, made), { status: 'agreed', outstanding: '0.000001', rate: '0.9999' })
})

t.test('deliveries are reported on what is agreed or paused, and on nothing else', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const all = [
    'draft',
    'proposed',
    'declined',
    'agreed',
    'paused',
    'fulfilled',
    'lapsed',
    'released',
    'cancelled',
    'substituted',
  ]
  for (const status of all) {
    const made = await takenOver(service, seats, status)
    const answer = await service.call('POST', `${pathOf(made)}/fulfilments`, {
      delivered_on: '2026-02-01',
      measure: euros('1'),
    })
    if (status === 'agreed' || status === 'paused') t.equal(answer.status, 201, status)
    else t.match(answer, { status: 409, body: { code: 'state_forbids', from: status } }, status)
  }
  const nowhere = await service.call('POST', `/v1/commitments/${newId()}/fulfilments`, {
    delivered_on: '2026-02-01',
    measure: euros('1'),
  })
  t.equal(nowhere.status, 404)
  const made = await takenOver(service, seats, 'agreed')
  const { key } = await service.otherTenant(newId())
  const foreign = await service.call(
    'POST',
    `${pathOf(made)}/fulfilments`,
    { delivered_on: '2026-02-01', measure: euros('1') },
    { key },
  )
  t.equal(foreign.status, 404)
})

t.test('every fault of a report is named at once', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const money = await agreed(service, seats)
  const hours = await agreed(service, seats, {
    kind: 'volunteer_time',
    measure: { type: 'quantity', quantity: '40', unit: 'hour' },
  })
  const report = (made: Json, body: object) => service.call('POST', `${pathOf(made)}/fulfilments`, body)
  const many = await report(hours, {
    delivered_on: '2026-03-02',
    measure: { type: 'money', amount: '1.555', currency: 'EUR' },
    valuations: [
      { money: { amount: '1', currency: 'ZZZ' }, basis: 'nominal', declared_by: 'giver', valued_on: '2026-02-01' },
    ],
    metadata: { much: 'x'.repeat(20_000) },
  })
  t.match(many, { status: 422, body: { code: 'rule_violated' } })
  t.same(faultsOf(many), [
    '/measure other_measure',
    '/measure/amount amount',
    '/delivered_on in_future',
    '/valuations/0/money/currency currency',
    '/metadata too_large',
  ])
  const delivered_on = '2026-02-01'
  const single: [Json, object, string][] = [
    [money, { ...euros('1'), currency: 'GBP' }, '/measure other_measure'],
    [hours, { type: 'quantity', quantity: '1', unit: 'day' }, '/measure other_measure'],
    [money, euros('0.00'), '/measure nothing'],
    [money, euros('0.001'), '/measure/amount amount'],
  ]
  for (const [made, measure, fault] of single) t.same(faultsOf(await report(made, { delivered_on, measure })), [fault])
  t.equal((await report(money, { delivered_on: '2026-02-30', measure: euros('1') })).status, 400)
  t.equal((await report(money, { measure: { amount: '1' } })).status, 400)
  const refs = { external_refs: [{ system: 'bank', id: '1' }] }
  t.equal((await report(money, { delivered_on, measure: euros('1'), ...refs })).status, 201)
  t.match(await report(money, { delivered_on, measure: euros('1'), ...refs }), {
    status: 409,
    body: { code: 'duplicate' },
  })
  t.match(await figuresOf(service, money), { counts: '1 0 0 0' }, 'what was refused left nothing')
})

t.test('either side reports, the other decides', async (t) => {
  const service = await whole.afresh()
  const seats = await allianceOfThree(service)
  const { company, charity, other } = seats
  for (const to_party_id of [charity, null]) {
    const made = await takenOver(service, seats, 'agreed', { to_party_id })
    const receivers = to_party_id === null ? [charity, other] : [charity]
    for (const reporter of [company, charity, other, newId()]) {
      const answer = await service.call('POST', `${pathOf(made)}/fulfilments`, {
        delivered_on: '2026-02-01',
        measure: euros('1'),
        reported_by_party_id: reporter,
      })
      const mayReport = [company, ...receivers]
      if (!mayReport.includes(reporter)) {
        t.match(answer, { status: 422, body: { code: 'wrong_party' } })
        t.same(answer.body.may_decide, mayReport)
        t.same(faultsOf(answer), ['/reported_by_party_id wrong_party'])
        continue
      }
      const mayDecide = reporter === company ? receivers : [company]
      for (const [verb, more] of [
        ['dispute', { reason: 'No' }],
        ['confirm', {}],
      ] as const) {
        for (const party of [company, charity, other, newId()].filter((id) => !mayDecide.includes(id))) {
          const refused = await service.step(entryPath(answer.body), verb, { party_id: party, ...more })
          t.match(refused, { status: 422, body: { code: 'wrong_party' } }, verb)
          t.same(refused.body.may_decide, mayDecide)
        }
        const done = await service.step(entryPath(answer.body), verb, { party_id: mayDecide[0], ...more })
        t.equal(done.status, 200, verb)
      }
      const foreign = await service.step(entryPath(answer.body), 'reverse', { party_id: newId(), reason: 'x' })
      t.match(foreign, { status: 422, body: { code: 'wrong_party', may_decide: mayReport } })
    }
  }
})

t.test("who reports may be named by its organisation, by our id or the client's own", async (t) => {
  const service = await whole.afresh()
  const seats = await allianceOfThree(service)
  const [, charity, other] = seats.partnership.parties
  const crm = { system: 'crm', id: 'charity' }
  const { etag } = await service.get(`/v1/organisations/${charity.organisation_id}`)
  await service.call(
    'PATCH',
    `/v1/organisations/${charity.organisation_id}`,
    { external_refs: [crm] },
    { ifMatch: etag },
  )
  const made = await takenOver(service, seats, 'agreed')
  const report = (more: object) =>
    service.call('POST', `${pathOf(made)}/fulfilments`, { delivered_on: '2026-02-01', measure: euros('1'), ...more })
  for (const naming of [
    { reported_by_organisation_id: charity.organisation_id },
    { reported_by_organisation_ref: crm },
    { reported_by_party_id: null, reported_by_organisation_id: null, reported_by_organisation_ref: crm },
  ]) {
    t.match(await report(naming), { status: 201, body: { reported_by_party_id: charity.id } })
  }
  const both = { reported_by_party_id: charity.id, reported_by_organisation_ref: crm }
  t.same(faultsOf(await report(both)), ['/reported_by_party_id exclusive'])
  const twice = { reported_by_organisation_id: charity.organisation_id, reported_by_organisation_ref: crm }
  t.same(faultsOf(await report(twice)), ['/reported_by_organisation_ref exclusive'])
  const nobody = { reported_by_organisation_ref: { system: 'crm', id: 'nobody' }, delivered_on: '2027-01-01' }
  t.same(
    faultsOf(await report(nobody)),
    ['/reported_by_organisation_ref unknown_reference', '/delivered_on in_future'],
    'every fault at once',
  )
  t.same(faultsOf(await report({ reported_by_organisation_id: newId() })), [
    '/reported_by_organisation_id unknown_reference',
  ])
  const neither = await report({ reported_by_organisation_id: other.organisation_id })
  t.match(neither, { status: 422, body: { code: 'wrong_party', may_decide: [seats.company, seats.charity] } })
  t.same(faultsOf(neither), ['/reported_by_organisation_id wrong_party'])
})

t.test('a confirmation stands, a dispute may be settled', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const made = await takenOver(service, seats, 'agreed')
  const next: Record<string, string[]> = { reported: ['confirmed', 'disputed'], disputed: ['confirmed'], confirmed: [] }
  const leads: Record<string, string> = { confirm: 'confirmed', dispute: 'disputed' }
  const bodies: Record<string, object> = {
    confirm: { party_id: seats.charity },
    dispute: { party_id: seats.charity, reason: 'No' },
  }
  const way: Record<string, string[]> = { reported: [], confirmed: ['confirm'], disputed: ['dispute'] }
  for (const from of Object.keys(next)) {
    for (const verb of Object.keys(leads)) {
      const entry = await deliver(service, made, '1')
      for (const step of way[from] ?? []) await stepOf(service, entryPath(entry), step, bodies[step])
      const answer = await service.step(entryPath(entry), verb, bodies[verb])
      const to = leads[verb] ?? ''
      if (next[from]?.includes(to)) t.match(answer, { status: 200, body: { confirmation: to } }, `${from} → ${to}`)
      else
        t.match(
          answer,
          { status: 409, body: { code: 'transition_not_allowed', from, to, allowed: next[from] } },
          `${from} → ${to} is refused`,
        )
    }
  }
  const entry = await deliver(service, made, '5')
  const disputed = await stepOf(service, entryPath(entry), 'dispute', bodies['dispute'])
  t.match(disputed, { dispute_reason: 'No', decided_on: '2026-03-01', decided_by_party_id: seats.charity })
  const early = await service.step(entryPath(entry), 'confirm', { party_id: seats.charity, on: '2026-01-01' })
  t.same(faultsOf(early), ['/on before_delivery'])
  const future = await service.step(entryPath(entry), 'confirm', { party_id: seats.charity, on: '2026-03-02' })
  t.same(faultsOf(future), ['/on in_future'])
  const settled = await stepOf(service, entryPath(entry), 'confirm', bodies['confirm'])
  t.match(settled, { confirmation: 'confirmed', dispute_reason: 'No' }, 'that it was disputed is kept')
  t.equal(
    (await service.call('POST', `${entryPath(entry)}/reverse`, { party_id: seats.charity, reason: 'x' })).status,
    428,
  )
  const stale = await service.call(
    'POST',
    `${entryPath(entry)}/reverse`,
    { party_id: seats.charity, reason: 'x' },
    { ifMatch: '"1"' },
  )
  t.equal(stale.status, 412)
})

t.test('an entry is taken back by another, once, and the figures are as before it', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const made = await agreed(service, seats)
  const path = `${pathOf(made)}/fulfilments`
  for (const lead of [[], ['confirm'], ['dispute'], ['dispute', 'confirm']]) {
    const before = await figuresOf(service, made)
    const valuations = [
      { money: { amount: '7.00', currency: 'EUR' }, basis: 'agreed', declared_by: 'giver', valued_on: '2026-01-01' },
    ]
    const entry = await deliver(service, made, '333.33', { valuations, reach: { audience: 5, countries: [] } })
    for (const verb of lead)
      await stepOf(service, entryPath(entry), verb, {
        party_id: seats.charity,
        ...(verb === 'dispute' ? { reason: 'No' } : {}),
      })
    const { confirmation } = (await service.get(entryPath(entry))).body
    const reversed = await stepOf(service, entryPath(entry), 'reverse', {
      party_id: seats.charity,
      reason: 'A mistake',
    })
    t.match(reversed, { id: entry.id, version: 2 + lead.length, confirmation, reversal_of: null })
    const { body: reversal } = await service.get(`/v1/fulfilments/${reversed.reversed_by_id}`)
    t.match(reversal, {
      version: 1,
      commitment_id: made.id,
      measure: euros('333.33'),
      delivered_on: entry.delivered_on,
      confirmation,
      reported_by_party_id: seats.charity,
      reversal_of: entry.id,
      reversal_reason: 'A mistake',
      reversed_by_id: null,
      valuations,
    })
    const { counts, ...rest } = await figuresOf(service, made)
    const { counts: countsBefore, ...restBefore } = before
    t.same(rest, restBefore, `as before ${lead.join(', ') || 'the report'}`)
    t.equal(Number(counts.split(' ')[3]), Number(countsBefore.split(' ')[3]) + 1)

    for (const [verb, body] of [
      ['reverse', { reason: 'x' }],
      ['confirm', {}],
      ['dispute', { reason: 'x' }],
    ] as const) {
      for (const one of [entry, reversal]) {
        const refused = await service.step(entryPath(one), verb, { party_id: seats.charity, ...body })
        t.match(refused, { status: 409, body: { code: 'state_forbids' } }, `${verb} is refused`)
      }
    }
  }
  t.equal((await service.get(path)).body.data.length, 8, 'all of it stays readable')
})

t.test('what was delivered is confirmed and taken back whatever has become of the promise', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const ends: [string, string, object][] = [
    ['lapse', 'lapsed', { party_id: seats.company, reason: 'x' }],
    ['release', 'released', { party_id: seats.charity }],
    ['cancel', 'cancelled', { party_id: seats.company, reason: 'x' }],
  ]
  for (const [verb, status, body] of ends) {
    const made = await agreed(service, seats)
    const [part, all] = [await deliver(service, made, '400'), await deliver(service, made, '1000')]
    await stepOf(service, pathOf(made), verb, body)
    await stepOf(service, entryPath(part), 'confirm', { party_id: seats.charity })
    const outstanding = status === 'lapsed' ? '600.00' : '0.00'
    t.match(await figuresOf(service, made), { status, delivered: '400.00', outstanding, rate: '0.4000' })
    await stepOf(service, entryPath(all), 'confirm', { party_id: seats.charity })
    t.match(
      await figuresOf(service, made),
      { status, delivered: '1400.00', outstanding: '0.00', rate: '1.0000' },
      'the state is what was decided',
    )
    await stepOf(service, entryPath(all), 'reverse', { party_id: seats.charity, reason: 'x' })
    t.match(await figuresOf(service, made), { status, delivered: '400.00', outstanding, rate: '0.4000' })
  }
})

t.test('each entry changes the version of its commitment, as the figures are part of it', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const made = await agreed(service, seats)
  const etags = [(await service.get(pathOf(made))).etag]
  const entry = await deliver(service, made, '1')
  etags.push((await service.get(pathOf(made))).etag)
  for (const [verb, body] of [
    ['dispute', { party_id: seats.charity, reason: 'x' }],
    ['confirm', { party_id: seats.charity }],
    ['reverse', { party_id: seats.company, reason: 'x' }],
  ] as const) {
    await stepOf(service, entryPath(entry), verb, body)
    etags.push((await service.get(pathOf(made))).etag)
  }
  t.same(etags, ['"3"', '"4"', '"5"', '"6"', '"7"'])
  const events = await service.database.read(service, (tx) =>
    tx.db
      .selectFrom('events')
      .select(['type', 'resource_id', 'version', 'changed', 'representation'])
      .where('tenant_id', '=', tx.tenantId)
      .orderBy('sequence')
      .execute(),
  )
  const told = events.filter(
    ({ type, version, resource_id }) => type.startsWith('fulfilment') || (resource_id === made.id && version > 3),
  )
  t.same(
    told.map(({ type, version }) => `${type} ${version}`),
    [
      'fulfilment.created 1',
      'commitment.updated 4',
      'fulfilment.disputed 2',
      'commitment.updated 5',
      'fulfilment.confirmed 3',
      'commitment.updated 6',
      'fulfilment.reversed 4',
      'fulfilment.created 1',
      'commitment.updated 7',
    ],
  )
  const confirmed = told[5]
  t.same([...(confirmed?.changed ?? [])].sort(), ['delivered', 'fulfilment_counts', 'fulfilment_rate', 'outstanding'])
  t.match(confirmed?.representation, { delivered: euros('1.00'), outstanding: euros('999.00') })
})

t.test('the ledger is listed by commitment and for the whole tenant', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const [one, two] = [await agreed(service, seats), await agreed(service, await alliance(service))]
  const late = await deliver(service, one, '1', {
    delivered_on: '2026-02-20',
    external_refs: [{ system: 'bank', id: 'x' }],
  })
  const early = await deliver(service, one, '2', { delivered_on: '2026-02-01' })
  const far = await deliver(service, two, '3', { delivered_on: '2026-02-10' })
  await stepOf(service, entryPath(early), 'confirm', { party_id: seats.charity })
  const { reversed_by_id } = await stepOf(service, entryPath(late), 'reverse', { party_id: seats.company, reason: 'x' })
  const reversal = (await service.get(`/v1/fulfilments/${reversed_by_id}`)).body
  const lists: [string, Json[]][] = [
    ['/v1/fulfilments', [late, early, far, reversal]],
    ['/v1/fulfilments?sort=-delivered_on', [reversal, late, far, early]],
    [
      '/v1/fulfilments?sort=-updated_at',
      [reversal, late, early, far].sort((a, b) => (a === reversal ? -1 : b === reversal ? 1 : 0)),
    ],
    [`/v1/fulfilments?commitment_id=${two.id}`, [far]],
    [`/v1/fulfilments?partnership_id=${seats.partnership.id}`, [late, early, reversal]],
    ['/v1/fulfilments?confirmation=confirmed', [early]],
    ['/v1/fulfilments?is_effective=true', [early, far]],
    ['/v1/fulfilments?is_effective=false', [late, reversal]],
    ['/v1/fulfilments?is_effective=true&confirmation=reported,disputed', [far]],
    ['/v1/fulfilments?delivered_from=2026-02-10', [late, far, reversal]],
    ['/v1/fulfilments?delivered_from=2026-02-02&delivered_before=2026-02-10', []],
    ['/v1/fulfilments?delivered_from=2026-02-02&delivered_before=2026-02-11', [far]],
    ['/v1/fulfilments?external_ref=bank:x', [late]],
    [
      `/v1/fulfilments?updated_since=${encodeURIComponent(reversal.updated_at)}`,
      (await service.get('/v1/fulfilments')).body.data,
    ],
    [`${pathOf(one)}/fulfilments`, [late, early, reversal]],
    [`${pathOf(one)}/fulfilments?sort=delivered_on&is_effective=true`, [early]],
    [`${pathOf(two)}/fulfilments`, [far]],
  ]
  for (const [path, entries] of lists) {
    const { status, body } = await service.get(path)
    t.equal(status, 200)
    t.same(body.data.map(({ id }: Json) => id).sort(), entries.map(({ id }) => id).sort(), path)
    if (path.includes('sort=')) t.equal(body.data.length, entries.length)
  }
  const byDay = (await service.get('/v1/fulfilments?sort=delivered_on')).body.data.map(
    ({ delivered_on }: Json) => delivered_on,
  )
  t.same(byDay, ['2026-02-01', '2026-02-10', '2026-02-20', '2026-02-20'])
  const seen: string[] = []
  for (let path: string | null = `${pathOf(one)}/fulfilments?limit=1&sort=-delivered_on`; path; ) {
    const { body } = await service.get(path)
    seen.push(...body.data.map(({ id }: Json) => id))
    path = body.next_cursor && `${pathOf(one)}/fulfilments?limit=1&sort=-delivered_on&cursor=${body.next_cursor}`
  }
  t.same(seen, [reversal.id, late.id, early.id], 'page by page')
  t.equal((await service.get(`/v1/commitments/${newId()}/fulfilments`)).status, 404)
  t.equal((await service.get(`${pathOf(one)}/fulfilments?commitment_id=${one.id}`)).status, 400)
})

/** One thing done to the ledger: a report of so many cents, or a step on one of the entries so far. */
type Act = { verb: 'report'; cents: number } | { verb: 'confirm' | 'dispute' | 'reverse'; at: number }

const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    fc.record({ verb: fc.constant('report' as const), cents: fc.integer({ min: 1, max: 70_000 }) }),
    fc.record({
      verb: fc.constantFrom('confirm' as const, 'confirm' as const, 'dispute' as const, 'reverse' as const),
      at: fc.nat(20),
    }),
  ),
  { minLength: 1, maxLength: 14 },
)

interface Entry {
  id: string
  cents: number
  confirmation: 'reported' | 'confirmed' | 'disputed'
  isReversed: boolean
}

/** An independent reading of a ledger. */
function reckoned(entries: readonly Entry[], promised: number, isFulfilled: boolean) {
  const standing = entries.filter(({ isReversed }) => !isReversed)
  const of = (confirmation: string) => standing.filter((entry) => entry.confirmation === confirmation)
  const sum = (some: readonly Entry[]) => some.reduce((total, { cents }) => total + cents, 0)
  const text = (cents: number) => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
  const delivered = sum(of('confirmed'))
  return {
    status: isFulfilled ? 'fulfilled' : 'agreed',
    delivered: text(delivered),
    reported: text(sum(of('reported'))),
    outstanding: text(Math.max(0, promised - delivered)),
    rate: (Math.floor((Math.min(delivered, promised) * 10_000) / promised) / 10_000).toFixed(4),
    counts: [
      of('reported').length,
      of('confirmed').length,
      of('disputed').length,
      entries.length - standing.length,
    ].join(' '),
  }
}

async function play(service: Service, seats: Alliance, script: readonly Act[]): Promise<void> {
  const promised = 100_000
  const made = await agreed(service, seats)
  const entries: Entry[] = []
  for (const act of script) {
    const delivered = entries.filter((entry) => entry.confirmation === 'confirmed' && !entry.isReversed)
    const isFulfilled = delivered.reduce((total, { cents }) => total + cents, 0) >= promised
    const expected = outcomeOf(act, entries, isFulfilled)
    if (act.verb === 'report') {
      const measure = euros((act.cents / 100).toFixed(2))
      const answer = await service.call('POST', `${pathOf(made)}/fulfilments`, { delivered_on: '2026-02-01', measure })
      if (answer.status !== expected) throw new Error(`report: ${answer.status}, not ${expected}`)
      if (expected === 201)
        entries.push({ id: answer.body.id, cents: act.cents, confirmation: 'reported', isReversed: false })
    } else {
      const entry = entries[act.at % entries.length]
      if (!entry) continue
      const reason = act.verb === 'confirm' ? {} : { reason: 'x' }
      const answer = await service.step(entryPath(entry), act.verb, { party_id: seats.charity, ...reason })
      if (answer.status !== expected) throw new Error(`${act.verb}: ${answer.status}, not ${expected}`)
      if (expected === 200 && act.verb === 'reverse') entry.isReversed = true
      else if (expected === 200) entry.confirmation = act.verb === 'confirm' ? 'confirmed' : 'disputed'
    }
    const now = entries.filter((entry) => entry.confirmation === 'confirmed' && !entry.isReversed)
    const isKept = now.reduce((total, { cents }) => total + cents, 0) >= promised
    const [is, should] = [await figuresOf(service, made), reckoned(entries, promised, isKept)]
    if (JSON.stringify(is) !== JSON.stringify(should))
      throw new Error(`${JSON.stringify(is)} is not ${JSON.stringify(should)}`)
  }
}

function outcomeOf(act: Act, entries: readonly Entry[], isFulfilled: boolean): number {
  if (act.verb === 'report') return isFulfilled ? 409 : 201
  const entry = entries[act.at % entries.length]
  if (!entry || entry.isReversed) return 409
  if (act.verb === 'reverse') return 200
  return (act.verb === 'confirm' ? ['reported', 'disputed'] : ['reported']).includes(entry.confirmation) ? 200 : 409
}

t.test('whatever is reported, confirmed, disputed and taken back, the figures are those of the ledger', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  await t.resolves(
    fc.assert(
      fc.asyncProperty(acts, (script) => play(service, seats, script)),
      { numRuns: 40 },
    ),
  )
})

t.test('entries by many at once are all counted', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const made = await agreed(service, seats)
  const entries = await Promise.all(Array.from({ length: 20 }, () => deliver(service, made, '50')))
  t.match(await figuresOf(service, made), { reported: '1000.00', counts: '20 0 0 0' })
  await Promise.all(entries.map((entry) => stepOf(service, entryPath(entry), 'confirm', { party_id: seats.charity })))
  const { body } = await service.get(pathOf(made))
  t.match(body, { status: 'fulfilled', version: 3 + 40, delivered: euros('1000.00') })
})

t.test('a draft is no place for deliveries, and its figures are none', async (t) => {
  const service = await whole.afresh()
  const made = await commitment(service, await alliance(service))
  t.same(figures(made), {
    status: 'draft',
    delivered: '0.00',
    reported: '0.00',
    outstanding: '0.00',
    rate: null,
    counts: '0 0 0 0',
  })
})
