import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { newId } from '../src/core/ids.ts'
import { type Json, startService } from './support/harness.ts'
import { agreed, alliance, commitment, faultsOf, pathOf, promise, takenOver } from './support/promises.ts'
import { organisation, stepOf } from './support/world.ts'

const clock = fixedClock('2026-03-01T12:00:00Z')
const whole = await startService(t, { clock })

t.test('a new commitment is a draft with every member in its one spelling', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const answer = await service.call('POST', '/v1/commitments', promise(seats, { measure: money('1250.5', 'EUR') }))
  t.equal(answer.status, 201)
  t.equal(answer.headers['location'], `/v1/commitments/${answer.body.id}`)
  t.equal(answer.etag, '"1"')
  const { id: _id, created_at: _c, updated_at: _u, ...rest } = answer.body
  t.same(rest, {
    version: 1,
    partnership_id: seats.partnership.id,
    from_party_id: seats.company,
    to_party_id: seats.charity,
    kind: 'cash',
    title: 'A gift',
    description: null,
    binding: 'firm',
    reciprocity: 'in_return',
    in_return_for: [],
    motive: null,
    mode: 'not_applicable',
    measure: money('1250.50', 'EUR'),
    valuations: [],
    schedule: null,
    pause_exempt: false,
    status: 'draft',
    pause: null,
    agreed_on: null,
    agreement: null,
    disruption_id: null,
    closed_on: null,
    close_reason: null,
    delivered: money('0.00', 'EUR'),
    reported: money('0.00', 'EUR'),
    skipped: money('0.00', 'EUR'),
    replaced: money('0.00', 'EUR'),
    outstanding: money('0.00', 'EUR'),
    fulfilment_rate: null,
    fulfilment_counts: { reported: 0, confirmed: 0, disputed: 0, reversed: 0 },
    taken_over: null,
    external_refs: [],
    metadata: {},
  })
  const read = await service.get(pathOf(answer.body))
  t.same(read.body, answer.body)
  t.equal((await service.get(pathOf(answer.body), { headers: { 'if-none-match': read.etag } })).status, 304)
})

const money = (amount: string, currency: string) => ({ type: 'money', amount, currency })
const quantity = (number: string, unit: string) => ({ type: 'quantity', quantity: number, unit })

t.test('all that a client may say is kept as it was said', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const other = await commitment(service, { ...seats, company: seats.charity, charity: seats.company })
  const said = {
    kind: 'volunteer_time',
    title: 'Forty hours',
    description: 'At the weekend',
    binding: 'indicative',
    reciprocity: 'in_return',
    in_return_for: [other.id],
    motive: 'community_investment',
    mode: 'hybrid',
    measure: quantity('40', 'hour'),
    valuations: [
      {
        money: { amount: '2000.00', currency: 'EUR' },
        basis: 'fair_value',
        declared_by: 'giver',
        valued_on: '2026-01-02',
      },
      {
        money: { amount: '1500', currency: 'JPY' },
        basis: 'nominal',
        declared_by: 'receiver',
        valued_on: '2026-01-03',
      },
    ],
    schedule: {
      frequency: 'monthly',
      interval: 2,
      day_of_month: 'last',
      starts_on: '2026-01-31',
      ends_on: null,
      count: 6,
    },
    pause_exempt: true,
    external_refs: [{ system: 'crm', id: 'C-1', url: null }],
    metadata: { colour: 'green' },
  }
  const made = await commitment(service, seats, said)
  t.match(made, said)
})

t.test('the parties are named by seat, by organisation or by your own ids', async (t) => {
  const service = await whole.afresh()
  const [company, charity] = await Promise.all([
    service.make('/v1/organisations', { name: 'A', sector: 'company', external_refs: [{ system: 'crm', id: 'A' }] }),
    service.make('/v1/organisations', { name: 'B', sector: 'non_profit', external_refs: [{ system: 'crm', id: 'B' }] }),
  ])
  const partnership = await service.make('/v1/partnerships', {
    name: 'P',
    parties: [
      { organisation_id: company.id, side: 'company' },
      { organisation_id: charity.id, side: 'non_profit' },
    ],
    external_refs: [{ system: 'crm', id: 'P' }],
  })
  const [from, to] = partnership.parties.map(({ id }: Json) => id)
  const rest = { kind: 'cash', title: 'A gift', measure: money('1', 'EUR') }
  const namings = [
    { partnership_id: partnership.id, from_party_id: from, to_party_id: to },
    { partnership_id: partnership.id, from_organisation_id: company.id, to_organisation_id: charity.id },
    {
      partnership_ref: { system: 'crm', id: 'P' },
      from_organisation_ref: { system: 'crm', id: 'A' },
      to_organisation_ref: { system: 'crm', id: 'B' },
    },
    { partnership_id: partnership.id.toUpperCase(), from_party_id: from.toUpperCase(), to_organisation_id: charity.id },
  ]
  for (const naming of namings) {
    const made = await service.make('/v1/commitments', { ...rest, ...naming })
    t.match(made, { partnership_id: partnership.id, from_party_id: from, to_party_id: to })
  }
  const joint = await service.make('/v1/commitments', { ...rest, partnership_id: partnership.id, from_party_id: to })
  t.equal(joint.to_party_id, null, 'no receiver: for the joint purpose')
})

t.test('every fault of a write is named at once', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const strange = await organisation(service, 'company', 'A stranger')
  const valuation = { basis: 'nominal', declared_by: 'giver', valued_on: '2026-01-01' }
  const answer = await service.call('POST', '/v1/commitments', {
    partnership_id: seats.partnership.id,
    from_party_id: seats.company,
    from_organisation_ref: { system: 'crm', id: 'none' },
    to_organisation_id: strange.id,
    kind: 'cash',
    title: 'Much is wrong',
    measure: quantity('0', 'hour'),
    reciprocity: 'additional',
    in_return_for: [newId(), { system: 'crm', id: 'none' }],
    valuations: [
      { ...valuation, money: { amount: '1.5', currency: 'JPY' } },
      { ...valuation, money: { amount: '1', currency: 'ZZZ' } },
    ],
    schedule: { frequency: 'weekly', day_of_month: 3, starts_on: '2026-02-01', ends_on: '2026-01-01', count: 2 },
    metadata: { much: 'x'.repeat(20_000) },
  })
  t.match(answer, { status: 422, body: { code: 'rule_violated' } })
  t.same(faultsOf(answer), [
    '/from_organisation_ref exclusive',
    '/to_organisation_id unknown_reference',
    '/in_return_for not_in_return',
    '/in_return_for/0 unknown_reference',
    '/in_return_for/1 unknown_reference',
    '/measure nothing',
    '/measure/type kind',
    '/valuations/0/money/amount amount',
    '/valuations/1/money/currency currency',
    '/schedule/ends_on schedule',
    '/schedule/count schedule',
    '/schedule/day_of_month schedule',
    '/metadata too_large',
  ])
})

t.test('what names nothing, or nothing of this tenant, is an unknown reference', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const { key } = await service.otherTenant(newId())
  const bodies: [object, string][] = [
    [promise(seats, { partnership_id: newId() }), '/partnership_id'],
    [promise(seats, { partnership_id: null, partnership_ref: { system: 'crm', id: 'none' } }), '/partnership_ref'],
    [promise(seats, { from_party_id: newId() }), '/from_party_id'],
    [promise(seats, { to_party_id: newId() }), '/to_party_id'],
    [promise(seats, { to_party_id: null, to_organisation_ref: { system: 'crm', id: 'x' } }), '/to_organisation_ref'],
  ]
  for (const [body, pointer] of bodies) {
    t.same(faultsOf(await service.call('POST', '/v1/commitments', body)), [`${pointer} unknown_reference`])
  }
  const theirs = await service.call('POST', '/v1/commitments', promise(seats), { key })
  t.same(faultsOf(theirs), ['/partnership_id unknown_reference'])
  const none = { kind: 'cash', title: 'x', measure: money('1', 'EUR') }
  t.same(faultsOf(await service.call('POST', '/v1/commitments', none)), [
    '/partnership_id required',
    '/from_party_id required',
  ])
  const both = promise(seats, { partnership_ref: { system: 'crm', id: 'x' } })
  t.same(faultsOf(await service.call('POST', '/v1/commitments', both)), ['/partnership_ref exclusive'])
  const self = promise(seats, { to_party_id: seats.company })
  t.same(faultsOf(await service.call('POST', '/v1/commitments', self)), ['/to_party_id same_party'])
})

t.test('a measure is money or a quantity, and nothing between them', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const refused: [object, string[]][] = [
    [{ type: 'gold', amount: '1' }, ['/measure/type discriminator']],
    [{ amount: '1', currency: 'EUR' }, ['/measure/type required', '/measure/type discriminator']],
    [{ type: 'money', amount: '1', unit: 'hour' }, ['/measure/currency required', '/measure/unit unknown']],
    [{ type: 'money', amount: 1, currency: 'EUR' }, ['/measure/amount type']],
    [{ type: 'money', amount: '-1', currency: 'EUR' }, ['/measure/amount pattern']],
    [{ type: 'money', amount: '1e3', currency: 'EUR' }, ['/measure/amount pattern']],
    [{ type: 'quantity', quantity: '01', unit: 'hour' }, ['/measure/quantity pattern']],
    [{ type: 'quantity', quantity: '1', unit: 'furlong' }, ['/measure/unit enum']],
  ]
  for (const [measure, faults] of refused) {
    const answer = await service.call('POST', '/v1/commitments', promise(seats, { measure }))
    t.equal(answer.status, 400)
    t.same(faultsOf(answer).sort(), faults.sort(), JSON.stringify(measure))
  }
  const spelled: [object, object][] = [
    [money('1250', 'JPY'), money('1250', 'JPY')],
    [money('1.5', 'KWD'), money('1.500', 'KWD')],
    [money('999999999999999.99', 'EUR'), money('999999999999999.99', 'EUR')],
    [quantity('3.500000', 'day'), quantity('3.5', 'day')],
    [quantity('100', 'piece'), quantity('100', 'piece')],
  ]
  for (const [measure, wire] of spelled) {
    const made = await commitment(service, seats, { kind: 'other', measure })
    t.same(made.measure, wire)
    const proposed = await stepOf(service, pathOf(made), 'propose')
    const { outstanding } = await stepOf(service, pathOf(proposed), 'agree', { party_id: seats.charity })
    t.same(outstanding, wire, 'and what is outstanding is spelled alike')
  }
  const tooFine = await service.call('POST', '/v1/commitments', promise(seats, { measure: money('1.5', 'JPY') }))
  t.match(tooFine, { status: 422, body: { errors: [{ pointer: '/measure/amount', code: 'amount' }] } })
})

t.test('a schedule that repeats comes to an end; one that does not has none of its members', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const starts_on = '2026-01-31'
  const good = [
    { frequency: 'once', starts_on },
    { frequency: 'once', starts_on, ends_on: '2026-12-31' },
    { frequency: 'weekly', starts_on, count: 52 },
    { frequency: 'monthly', starts_on, ends_on: '2026-12-31', day_of_month: 31 },
    { frequency: 'yearly', starts_on, count: 3, day_of_month: 'last', interval: 2 },
  ]
  for (const schedule of good) {
    const made = await commitment(service, seats, { schedule })
    t.same(made.schedule, { interval: 1, day_of_month: null, ends_on: null, count: null, ...schedule })
  }
  const bad: [object, string[]][] = [
    [{ frequency: 'monthly', starts_on }, ['/schedule/ends_on schedule']],
    [{ frequency: 'monthly', starts_on, ends_on: '2026-12-31', count: 2 }, ['/schedule/count schedule']],
    [
      { frequency: 'once', starts_on, count: 2, interval: 2 },
      ['/schedule/interval schedule', '/schedule/count schedule'],
    ],
    [{ frequency: 'once', starts_on, ends_on: '2026-01-30' }, ['/schedule/ends_on schedule']],
    [{ frequency: 'weekly', starts_on, count: 2, day_of_month: 1 }, ['/schedule/day_of_month schedule']],
  ]
  for (const [schedule, faults] of bad) {
    t.same(faultsOf(await service.call('POST', '/v1/commitments', promise(seats, { schedule }))), faults)
  }
  const unread = promise(seats, { schedule: { frequency: 'daily', starts_on: '2026-02-30', day_of_month: 32 } })
  t.equal((await service.call('POST', '/v1/commitments', unread)).status, 400)
})

t.test('what is given in return answers commitments of the other side of the same partnership', async (t) => {
  const service = await whole.afresh()
  const [seats, elsewhere] = [await alliance(service), await alliance(service)]
  const turned = { ...seats, company: seats.charity, charity: seats.company }
  const refs = { external_refs: [{ system: 'crm', id: 'back' }] }
  const [ours, theirs, foreign] = [
    await commitment(service, seats),
    await commitment(service, turned, refs),
    await commitment(service, { ...elsewhere, company: elsewhere.charity, charity: elsewhere.company }),
  ]
  const made = await commitment(service, seats, { in_return_for: [{ system: 'crm', id: 'back' }] })
  t.same(made.in_return_for, [theirs.id], 'named by your own id')
  const in_return_for = [ours.id, foreign.id, theirs.id, { system: 'crm', id: 'back' }]
  t.same(faultsOf(await service.call('POST', '/v1/commitments', promise(seats, { in_return_for }))), [
    '/in_return_for/0 same_side',
    '/in_return_for/1 other_partnership',
    '/in_return_for/3 repeated',
  ])
  const itself = await service.call('PATCH', pathOf(made), { in_return_for: [made.id] }, { ifMatch: '"1"' })
  t.same(faultsOf(itself), ['/in_return_for/0 same_side'])
  const joint = await commitment(service, turned, { to_party_id: null, in_return_for: [ours.id] })
  t.same(joint.in_return_for, [ours.id], 'and for the joint purpose just so')
  const gone = await service.call('DELETE', pathOf(theirs), undefined, { ifMatch: '"1"' })
  t.match(gone, { status: 409, body: { code: 'in_use' } }, 'what is answered stays')
})

t.test('nothing is promised in a partnership that is over, nor by a party that has left', async (t) => {
  const service = await whole.afresh()
  for (const status of ['ended', 'declined']) {
    const seats = await alliance(service, status)
    const answer = await service.call('POST', '/v1/commitments', promise(seats))
    t.match(answer, { status: 409, body: { code: 'state_forbids', partnership_status: status } })
    t.equal(
      (await takenOver(service, seats, 'fulfilled')).status,
      'fulfilled',
      'its history is taken over all the same',
    )
  }
  for (const status of ['draft', 'proposed', 'active', 'paused', 'ending']) {
    const seats = await alliance(service, status)
    t.equal((await commitment(service, seats)).status, 'draft', status)
  }
  const seats = await alliance(service)
  const { parties } = seats.partnership
  const path = `/v1/partnerships/${seats.partnership.id}`
  const left = parties.map(({ id, organisation_id, side, role }: Json) => ({
    id,
    organisation_id,
    side,
    role,
    ...(id === seats.charity ? { left_on: '2026-03-01' } : {}),
  }))
  const patched = await service.call('PATCH', path, { parties: left }, { ifMatch: (await service.get(path)).etag })
  t.equal(patched.status, 200)
  t.same(faultsOf(await service.call('POST', '/v1/commitments', promise(seats))), ['/to_party_id party_left'])
})

t.test('a draft changes in every member, and null clears', async (t) => {
  const service = await whole.afresh()
  const [seats, elsewhere] = [await alliance(service), await alliance(service)]
  const full = {
    description: 'Some words',
    motive: 'charitable_gift',
    binding: 'indicative',
    mode: 'online',
    schedule: { frequency: 'once', starts_on: '2026-05-01' },
    metadata: { a: 1, b: 2 },
    external_refs: [{ system: 'crm', id: '1' }],
  }
  const made = await commitment(service, seats, full)
  const path = pathOf(made)
  const patch = async (body: object, ifMatch: string) =>
    service.call('PATCH', path, body, { ifMatch, type: 'application/merge-patch+json' })

  const cleared = await patch(
    {
      description: null,
      motive: null,
      binding: null,
      mode: null,
      schedule: null,
      to_party_id: null,
      metadata: { a: null },
    },
    '"1"',
  )
  t.match(cleared.body, {
    version: 2,
    description: null,
    motive: null,
    binding: 'firm',
    mode: 'not_applicable',
    schedule: null,
    to_party_id: null,
    metadata: { b: 2 },
    title: made.title,
    external_refs: [{ system: 'crm', id: '1' }],
  })
  t.notOk('a' in cleared.body.metadata)
  t.equal((await patch({ title: null }, '"2"')).status, 400, 'what is needed is not cleared')

  const same = await patch({ title: made.title }, '"2"')
  t.match(same, { status: 200, etag: '"2"' }, 'what changes nothing keeps the version')
  const turned = await patch(
    { from_organisation_id: seats.partnership.parties[1].organisation_id, to_organisation_id: null },
    '"2"',
  )
  t.match(
    turned,
    { status: 200, body: { from_party_id: seats.charity, to_party_id: null } },
    'an organisation in place of the seat',
  )
  const counted = await patch(
    { kind: 'goods', measure: { type: 'quantity', quantity: '5', unit: 'piece', amount: null, currency: null } },
    '"3"',
  )
  t.same(counted.body.measure, quantity('5', 'piece'), 'measures merge like all objects')
  const moved = await patch(
    { partnership_id: elsewhere.partnership.id, from_party_id: elsewhere.company, to_party_id: elsewhere.charity },
    '"4"',
  )
  t.match(moved, { status: 200, body: { partnership_id: elsewhere.partnership.id, from_party_id: elsewhere.company } })
  t.equal((await patch({ title: 'Stale' }, '"4"')).status, 412)
  t.equal((await service.call('PATCH', path, { title: 'None' })).status, 428)
  t.match(await patch({ status: 'agreed' }, '"5"'), {
    status: 400,
    body: { errors: [{ pointer: '/status', code: 'unknown' }] },
  })
})

t.test('what was proposed or agreed is not overwritten; what is said about it is', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const back = await commitment(service, { ...seats, company: seats.charity, charity: seats.company })
  const value = {
    money: { amount: '1.00', currency: 'EUR' },
    basis: 'agreed',
    declared_by: 'giver',
    valued_on: '2026-01-01',
  }
  const terms = {
    partnership_id: (await alliance(service)).partnership.id,
    from_party_id: seats.charity,
    to_party_id: seats.company,
    kind: 'goods',
    title: 'Another',
    binding: 'indicative',
    reciprocity: 'unconditional',
    mode: 'online',
    measure: { amount: '5' },
    schedule: { frequency: 'once', starts_on: '2026-01-01' },
  }
  for (const status of ['proposed', 'agreed'] as const) {
    const made = await commitment(service, seats, { valuations: [value], in_return_for: [] })
    await stepOf(service, pathOf(made), 'propose')
    if (status === 'agreed') await stepOf(service, pathOf(made), 'agree', { party_id: seats.charity })
    const { etag: ifMatch } = await service.get(pathOf(made))
    const patch = (body: object) => service.call('PATCH', pathOf(made), body, { ifMatch })

    const { partnership_id: _p, from_party_id: _f, to_party_id: _t, ...others } = terms
    const refused = await patch({ ...others, to_party_id: null, valuations: [] })
    t.match(refused, { status: 409, body: { code: 'agreed_terms' } })
    t.same(
      faultsOf(refused),
      ['to_party_id', 'kind', 'title', 'binding', 'reciprocity', 'mode', 'measure', 'schedule', 'valuations'].map(
        (name) => `/${name} agreed_terms`,
      ),
    )
    t.match(refused.body.errors[0].detail, status === 'proposed' ? /withdraw/ : /release or cancel/, 'the way to go')
    const amendments = new RegExp(`/v1/partnerships/${seats.partnership.id}/amendments`)
    t.match(refused.body.errors[1].detail, status === 'proposed' ? /withdraw/ : amendments)
    t.same(faultsOf(await patch({ in_return_for: [back.id] })), ['/in_return_for agreed_terms'])
    t.same(faultsOf(await patch({ from_party_id: seats.charity, to_party_id: null })), [
      '/from_party_id agreed_terms',
      '/to_party_id agreed_terms',
    ])

    const further = { ...value, basis: 'fair_value' }
    const said = await patch({
      description: 'More words',
      motive: 'charitable_gift',
      pause_exempt: true,
      valuations: [value, further],
      metadata: { x: 1 },
      external_refs: [{ system: 'crm', id: status }],
    })
    t.match(said, {
      status: 200,
      body: { status, description: 'More words', pause_exempt: true, valuations: [value, further] },
    })
  }
})

t.test('only a draft is deleted', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const made = await commitment(service, seats, { external_refs: [{ system: 'crm', id: '1' }] })
  const proposed = await commitment(service, seats)
  await stepOf(service, pathOf(proposed), 'propose')
  const refused = await service.call('DELETE', pathOf(proposed), undefined, { ifMatch: '"2"' })
  t.match(refused, { status: 409, body: { code: 'state_forbids', from: 'proposed' } })
  t.equal((await service.call('DELETE', pathOf(made), undefined, { ifMatch: '"2"' })).status, 412)
  t.equal((await service.call('DELETE', pathOf(made), undefined, { ifMatch: '"1"' })).status, 204)
  t.equal((await service.get(pathOf(made))).status, 404)
  t.equal((await service.get('/v1/commitments/by-ref/crm/1')).status, 404)
  await commitment(service, seats, { external_refs: [{ system: 'crm', id: '1' }] })
  await stepOf(service, pathOf(proposed), 'withdraw')
  t.equal(
    (await service.call('DELETE', pathOf(proposed), undefined, { ifMatch: '"3"' })).status,
    204,
    'once it is taken back',
  )
})

t.test('by your own id a commitment is created once and then replaced', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const path = '/v1/commitments/by-ref/crm/C-1'
  const first = await service.call('PUT', path, promise(seats))
  t.match(first, { status: 201, body: { version: 1, external_refs: [{ system: 'crm', id: 'C-1', url: null }] } })
  const again = await service.call('PUT', path, promise(seats, { measure: money('1000', 'EUR') }))
  t.match(again, { status: 200, etag: '"1"' }, 'the same in another spelling changes nothing')
  const changed = await service.call('PUT', path, promise(seats, { title: 'A larger gift' }), { ifMatch: '"1"' })
  t.match(changed, { status: 200, etag: '"2"', body: { id: first.body.id, title: 'A larger gift' } })
  t.equal((await service.call('PUT', path, promise(seats), { ifMatch: '"1"' })).status, 412)
  t.same((await service.get(path)).body, changed.body)

  const taken = await service.call(
    'POST',
    '/v1/commitments',
    promise(seats, { external_refs: [{ system: 'crm', id: 'C-1' }] }),
  )
  t.match(taken, { status: 409, body: { code: 'duplicate', errors: [{ pointer: '/external_refs/0' }] } })
  const many = await Promise.all(
    Array.from({ length: 20 }, () => service.call('PUT', '/v1/commitments/by-ref/crm/C-2', promise(seats))),
  )
  t.equal(many.filter(({ status }) => status === 201).length, 1, 'of many at once one creates')
  t.equal(many.filter(({ status, etag }) => status === 200 && etag === '"1"').length, 19)
})

t.test('history is taken over in any state, with what was not checked here', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const taken_over = { on: '2026-01-01', from_system: 'old', note: 'By hand' }
  const states: Record<string, object> = {
    draft: {},
    proposed: {},
    declined: { closed_on: '2025-02-01', close_reason: 'No' },
    agreed: { agreed_on: '2025-01-01' },
    paused: { agreed_on: '2025-01-01' },
    fulfilled: { agreed_on: '2025-01-01', closed_on: '2025-02-01' },
    lapsed: { agreed_on: '2025-01-01', closed_on: '2025-02-01', close_reason: 'Flood' },
    released: { closed_on: '2025-02-01' },
    cancelled: {},
    substituted: { agreed_on: '2025-01-01', closed_on: '2025-01-01' },
  }
  for (const [status, standing] of Object.entries(states)) {
    const body = promise(seats, { status, taken_over, ...standing })
    const made = await service.make('/v1/commitments', body)
    t.match(made, { status, ...standing, version: 1, taken_over: { ...taken_over, status } })
    t.equal(made.taken_over.waived_conditions.length > 0, status !== 'draft', made.taken_over.waived_conditions.join())
    t.equal(made.agreement, null)
    const isOwed = ['agreed', 'paused', 'lapsed'].includes(status)
    t.equal(made.outstanding.amount, isOwed ? '1000.00' : '0.00', `${status}: what is outstanding`)
    const hasRate = !['draft', 'proposed', 'declined', 'fulfilled'].includes(status)
    t.equal(made.fulfilment_rate, hasRate ? '0.0000' : null, `${status}: its rate`)
  }
  const nothing = await service.make(
    '/v1/commitments',
    promise(seats, { status: 'agreed', taken_over, measure: money('0', 'EUR') }),
  )
  t.match(nothing, { status: 'agreed', measure: money('0.00', 'EUR'), fulfilment_rate: null }, 'even one to nothing')

  const key = await service.keyWith(['commitments:write', 'partnerships:read'])
  const forbidden = await service.call('POST', '/v1/commitments', promise(seats, { taken_over }), { key })
  t.match(forbidden, { status: 403, body: { code: 'forbidden', scope: 'history:take_over' } })
  const new_ = promise(seats, { status: 'agreed', agreed_on: '2025-01-01', closed_on: '2025-01-02', close_reason: 'x' })
  t.same(faultsOf(await service.call('POST', '/v1/commitments', new_)), [
    '/status status',
    '/agreed_on taken_over',
    '/closed_on taken_over',
    '/close_reason taken_over',
  ])
  const misfits: [object, string[]][] = [
    [{ status: 'proposed', agreed_on: '2025-01-01' }, ['/agreed_on status']],
    [{ status: 'agreed', closed_on: '2025-01-01', close_reason: 'x' }, ['/closed_on status', '/close_reason status']],
    [{ status: 'released', agreed_on: '2025-01-02', closed_on: '2025-01-01' }, ['/closed_on before_start']],
  ]
  for (const [standing, faults] of misfits) {
    t.same(faultsOf(await service.call('POST', '/v1/commitments', promise(seats, { taken_over, ...standing }))), faults)
  }
})

t.test('a take-over may be repeated as it was, whatever became of the record; it is not told anew', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const path = '/v1/commitments/by-ref/old/1'
  const origin = { on: '2026-01-01', from_system: 'old' }
  const body = promise(seats, { status: 'agreed', agreed_on: '2025-01-01', taken_over: origin })
  const { body: made } = await service.call('PUT', path, body)
  t.match(await service.call('PUT', path, body), { status: 200, etag: '"1"' })
  t.match(await service.call('PUT', path, promise(seats)), { status: 200, etag: '"1"' }, 'nor must it be repeated')
  const otherwise = { ...body, status: 'released', agreed_on: '2025-02-02', taken_over: { ...origin, note: 'No, so' } }
  const refused = await service.call('PUT', path, otherwise)
  t.match(refused, { status: 409, body: { code: 'state_forbids' } })
  t.same(faultsOf(refused), ['/taken_over taken_over', '/status status', '/agreed_on agreed_on'])

  await stepOf(service, pathOf(made), 'lapse', { party_id: seats.company, reason: 'Flood' })
  t.match(await service.call('PUT', path, body), { status: 200, etag: '"2"', body: { status: 'lapsed' } })
  const fresh = await commitment(service, seats, { external_refs: [{ system: 'old', id: '2' }] })
  const claimed = await service.call('PUT', '/v1/commitments/by-ref/old/2', body)
  t.match(claimed, { status: 409, body: { code: 'state_forbids' } }, 'what began here was not taken over')
  t.equal((await service.get(pathOf(fresh))).etag, '"1"')
})

t.test('commitments are found by partnership, party, organisation, state, kind, words and your own ids', async (t) => {
  const service = await whole.afresh()
  const [seats, elsewhere] = [await alliance(service), await alliance(service)]
  const turned = { ...seats, company: seats.charity, charity: seats.company }
  const gift = await agreed(service, seats, { title: 'Één gift', external_refs: [{ system: 'crm', id: 'a:b' }] })
  clock.advance(1000)
  const logo = await commitment(service, turned, {
    kind: 'visibility',
    title: 'Logo',
    description: 'Op de gevel',
    reciprocity: 'unconditional',
  })
  const far = await commitment(service, elsewhere, { to_party_id: null })
  const ids = async (query: string) => {
    const { status, body } = await service.get(`/v1/commitments?${query}`)
    if (status !== 200) throw new Error(`${query}: ${status} ${JSON.stringify(body)}`)
    return body.data.map(({ id }: Json) => id)
  }
  const organisationOf = ({ partnership }: Json, at: number) => partnership.parties[at].organisation_id
  const found: [string, Json[]][] = [
    ['', [gift, logo, far]],
    ['sort=-created_at', [far, logo, gift]],
    ['sort=-updated_at', [far, logo, gift]],
    [`partnership_id=${seats.partnership.id}`, [gift, logo]],
    [`organisation_id=${organisationOf(seats, 0)}`, [gift, logo]],
    [`organisation_id=${organisationOf(elsewhere, 0)}`, [far]],
    [`organisation_id=${organisationOf(elsewhere, 1)}`, []],
    [`from_organisation_id=${organisationOf(seats, 0)}`, [gift]],
    [`from_organisation_id=${organisationOf(seats, 1).toUpperCase()}`, [logo]],
    [`from_organisation_id=${organisationOf(elsewhere, 0)}`, [far]],
    [`to_organisation_id=${organisationOf(seats, 0)}`, [logo]],
    [`to_organisation_id=${organisationOf(elsewhere, 1)}`, []],
    [`from_organisation_id=${organisationOf(seats, 0)}&to_organisation_id=${organisationOf(seats, 1)}`, [gift]],
    [`from_organisation_id=${organisationOf(seats, 0)}&status=draft`, []],
    [`from_party_id=${seats.company}`, [gift]],
    [`to_party_id=${seats.company}`, [logo]],
    ['status=agreed,paused', [gift]],
    ['kind=visibility', [logo]],
    ['reciprocity=unconditional,additional', [logo]],
    ['q=een%20GIFT', [gift]],
    ['q=gevel', [logo]],
    ['external_ref=crm:a:b', [gift]],
    [`updated_since=${encodeURIComponent(logo.updated_at)}`, [logo, far]],
    [`status=draft&kind=cash&partnership_id=${elsewhere.partnership.id}`, [far]],
  ]
  for (const [query, commitments] of found) {
    t.same(
      await ids(query),
      commitments.map(({ id }) => id),
      query || 'all',
    )
  }
  const page = await service.get('/v1/commitments?limit=2&include_total=true')
  t.equal(page.body.total, 3)
  t.same(await ids(`limit=2&cursor=${page.body.next_cursor}`), [far.id])
  t.same(page.body.data[0], (await service.get(pathOf(gift))).body, 'as in a list, so by itself')
  t.equal((await service.get('/v1/commitments?status=kept')).status, 400)
})
