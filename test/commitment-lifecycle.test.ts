import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { newId } from '../src/core/ids.ts'
import { lifecycle, steps } from '../src/resources/commitments/lifecycle.ts'
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
import { pauseOf, stepOf } from './support/world.ts'

const whole = await startService(t, { clock: fixedClock('2026-03-01T12:00:00Z') })

/** The states that each may go to. */
const next: Record<string, string[]> = {
  draft: ['proposed'],
  proposed: ['agreed', 'declined', 'draft'],
  declined: [],
  agreed: ['paused', 'fulfilled', 'lapsed', 'released', 'cancelled', 'substituted'],
  paused: ['agreed', 'lapsed', 'released', 'cancelled', 'substituted'],
  fulfilled: ['agreed'],
  lapsed: ['agreed', 'released', 'substituted'],
  released: [],
  cancelled: [],
  substituted: [],
}
const states = Object.keys(next)

const reason = 'As it goes'

/** Every step of a promise of the company to the charity: where it is allowed, what it leads to, and who may decide. */
const table: Record<string, { from: string[]; to: string; by: string[]; body: (seats: Alliance) => object }> = {
  propose: { from: ['draft'], to: 'proposed', by: ['company'], body: ({ company }) => ({ party_id: company }) },
  withdraw: { from: ['proposed'], to: 'draft', by: ['company'], body: ({ company }) => ({ party_id: company }) },
  agree: { from: ['proposed'], to: 'agreed', by: ['charity'], body: ({ charity }) => ({ party_id: charity }) },
  decline: {
    from: ['proposed'],
    to: 'declined',
    by: ['charity'],
    body: ({ charity }) => ({ party_id: charity, reason }),
  },
  pause: {
    from: ['agreed'],
    to: 'paused',
    by: ['company', 'charity'],
    body: ({ company }) => ({ reason: 'solidarity', initiated_by_party_id: company, review_on: '2026-06-01' }),
  },
  resume: { from: ['paused'], to: 'agreed', by: [], body: () => ({}) },
  lapse: {
    from: ['agreed', 'paused'],
    to: 'lapsed',
    by: ['company', 'charity'],
    body: ({ company }) => ({ party_id: company, reason }),
  },
  reinstate: {
    from: ['lapsed'],
    to: 'agreed',
    by: ['company', 'charity'],
    body: ({ company }) => ({ party_id: company }),
  },
  release: {
    from: ['agreed', 'paused', 'lapsed'],
    to: 'released',
    by: ['charity'],
    body: ({ charity }) => ({ party_id: charity }),
  },
  cancel: {
    from: ['agreed', 'paused'],
    to: 'cancelled',
    by: ['company'],
    body: ({ company }) => ({ party_id: company, reason }),
  },
}

t.test('the table of the service is the table of the domain', async (t) => {
  t.same(lifecycle, next)
  const bySteps = Object.entries(steps).flatMap(([, { from, to }]) => from.map((state) => `${state} → ${to}`))
  const byService = [
    'agreed → fulfilled',
    'fulfilled → agreed',
    'agreed → substituted',
    'paused → substituted',
    'lapsed → substituted',
  ]
  const all = states.flatMap((from) => next[from]?.map((to) => `${from} → ${to}`) ?? [])
  t.same([...bySteps, ...byService].sort(), all.sort(), 'each way is taken by a step of a party or by the service')
})

t.test('every step from every state is allowed or refused as the table says', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  for (const from of states) {
    for (const [verb, { from: allowedFrom, to, body }] of Object.entries(table)) {
      const made = await takenOver(service, seats, from)
      const answer = await service.step(pathOf(made), verb, body(seats))
      if (allowedFrom.includes(from)) {
        t.match(answer, { status: 200, etag: '"2"', body: { status: to, version: 2 } }, `${from} → ${verb}`)
        continue
      }
      const refused = { status: 409, body: { code: 'transition_not_allowed', from, to, allowed: next[from] } }
      t.match(answer, refused, `${from} → ${verb} is refused`)
      t.match(await service.get(pathOf(made)), { etag: '"1"', body: { status: from } }, 'and it stays where it was')
    }
  }
})

t.test('a step decided by another than whose it is is refused, naming who may', async (t) => {
  const service = await whole.afresh()
  const seats = await allianceOfThree(service)
  const who: Record<string, string> = {
    company: seats.company,
    charity: seats.charity,
    other: seats.other,
    stranger: newId(),
  }
  for (const to_party_id of [seats.charity, null]) {
    for (const [
      verb,
      {
        from: [from = ''],
        by,
        body,
      },
    ] of Object.entries(table)) {
      if (by.length === 0) continue
      // For the joint purpose every party of the other side is a receiver.
      const may = to_party_id === null && by.includes('charity') ? [...by, 'other'] : by
      const made = await takenOver(service, seats, from, { to_party_id })
      for (const [name, id] of Object.entries(who)) {
        const member = verb === 'pause' ? 'initiated_by_party_id' : 'party_id'
        const given = { ...body(seats), [member]: id }
        const what = `${verb} by ${name}${to_party_id === null ? ', for the joint purpose' : ''}`
        if (may.includes(name)) {
          const fresh = await takenOver(service, seats, from, { to_party_id })
          t.equal((await service.step(pathOf(fresh), verb, given)).status, 200, what)
          continue
        }
        const answer = await service.step(pathOf(made), verb, given)
        t.match(answer, { status: 422, body: { code: 'wrong_party' } }, `${what} is refused`)
        t.same(faultsOf(answer), [`/${member} wrong_party`])
        t.same(answer.body.may_decide.sort(), may.map((party) => who[party]).sort(), 'and who may is told')
      }
      t.equal((await service.get(pathOf(made))).etag, '"1"', 'nothing came of it')
    }
  }
})

t.test('a step needs the ETag of what it changes', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const path = pathOf(await commitment(service, seats))
  t.equal((await service.call('POST', `${path}/propose`, {})).status, 428)
  t.equal((await service.call('POST', `${path}/propose`, {}, { ifMatch: '"2"' })).status, 412)
  t.equal(
    (await service.call('POST', `${path}/propose`, undefined, { ifMatch: '"1"' })).status,
    200,
    'a body may be left out',
  )
  t.equal((await service.call('POST', `/v1/commitments/${newId()}/propose`, {}, { ifMatch: '"1"' })).status, 404)
  const foreign = (await service.otherTenant(newId())).key
  t.equal((await service.call('POST', `${path}/withdraw`, {}, { ifMatch: '"2"', key: foreign })).status, 404)
})

t.test('in a partnership that is over nothing comes to life, yet all may come to an end', async (t) => {
  const service = await whole.afresh()
  for (const status of ['ended', 'declined']) {
    const seats = await alliance(service, status)
    for (const [
      verb,
      {
        from: [from = ''],
        body,
      },
    ] of Object.entries(table)) {
      const made = await takenOver(service, seats, from)
      const answer = await service.step(pathOf(made), verb, body(seats))
      const opens = ['propose', 'agree', 'pause', 'resume', 'reinstate'].includes(verb)
      const refused = { status: 409, body: { code: 'state_forbids', partnership_status: status } }
      t.match(answer, opens ? refused : { status: 200 }, `${verb} in a partnership that is ${status}`)
    }
  }
})

t.test('an agreement is the consent of the other side, which may be recorded on its behalf', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const made = await commitment(service, seats)
  const path = pathOf(made)
  await stepOf(service, path, 'propose')
  const faulty = { party_id: seats.charity, recorded_by_party_id: newId(), on: '2026-03-02' }
  const refused = await service.step(path, 'agree', faulty)
  t.match(refused, { status: 422, body: { code: 'rule_violated' } })
  t.same(faultsOf(refused), ['/recorded_by_party_id unknown_reference', '/on in_future'])
  const body = { party_id: seats.charity, recorded_by_party_id: seats.company, on: '2026-02-14', note: 'By telephone' }
  t.match(await stepOf(service, path, 'agree', body), {
    status: 'agreed',
    agreed_on: '2026-02-14',
    agreement: { party_id: seats.charity, recorded_by_party_id: seats.company, note: 'By telephone' },
    outstanding: { amount: '1000.00' },
    fulfilment_rate: '0.0000',
  })
})

t.test('today is the day in the time zone of the partnership', async (t) => {
  // An hour before midnight in UTC it is tomorrow on Kiritimati.
  const service = await startService(t, { clock: fixedClock('2026-03-01T23:00:00Z') })
  const [east, west] = [
    await alliance(service, 'active', { time_zone: 'Pacific/Kiritimati' }),
    await alliance(service, 'active', { time_zone: 'America/New_York' }),
  ]
  t.equal((await agreed(service, east)).agreed_on, '2026-03-02')
  t.equal((await agreed(service, west)).agreed_on, '2026-03-01')
})

t.test('how a commitment ended is kept with it; reinstating takes that back, and the history keeps all', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const made = await agreed(service, seats)
  const path = pathOf(made)
  const lapsed = await stepOf(service, path, 'lapse', { party_id: seats.charity, reason: 'Flood' })
  t.match(
    lapsed,
    { closed_on: '2026-03-01', close_reason: 'Flood', outstanding: { amount: '1000.00' } },
    'it is still owed',
  )
  const back = await stepOf(service, path, 'reinstate', { party_id: seats.company, reason: 'Dry again' })
  t.match(back, { status: 'agreed', closed_on: null, close_reason: null, agreed_on: '2026-03-01' })
  const released = await stepOf(service, path, 'release', { party_id: seats.charity })
  t.match(released, { closed_on: '2026-03-01', close_reason: null, outstanding: { amount: '0.00' } })

  const history = await service.get(`${path}/history`)
  t.same(
    history.body.data.map(({ version, from_status, to_status, decided_by_party_id, reason: why }: Json) => [
      version,
      from_status,
      to_status,
      decided_by_party_id,
      why,
    ]),
    [
      [1, null, 'draft', null, null],
      [2, 'draft', 'proposed', seats.company, null],
      [3, 'proposed', 'agreed', seats.charity, null],
      [4, 'agreed', 'lapsed', seats.charity, 'Flood'],
      [5, 'lapsed', 'agreed', seats.company, 'Dry again'],
      [6, 'agreed', 'released', seats.charity, null],
    ],
  )
  t.same(await eventsOf(service, made.id), [
    [1, 'commitment.created'],
    [2, 'commitment.proposed'],
    [3, 'commitment.agreed'],
    [4, 'commitment.lapsed'],
    [5, 'commitment.reinstated'],
    [6, 'commitment.released'],
  ])
})

/** The events of one record: version and type, in their order. */
async function eventsOf(service: Service, id: string): Promise<[number, string][]> {
  const rows = await service.database.read(service, (tx) =>
    tx.db
      .selectFrom('events')
      .select(['version', 'type', 'representation'])
      .where('tenant_id', '=', tx.tenantId)
      .where('resource_id', '=', id)
      .orderBy('sequence')
      .execute(),
  )
  for (const { version, representation } of rows) {
    const told = (representation as Json).version
    if (told !== version) throw new Error(`An event of version ${version} shows version ${told}`)
  }
  return rows.map(({ version, type }) => [version, type])
}

t.test('a promise lapses by a disruption or by a text, and by neither not at all', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const path = pathOf(await agreed(service, seats))
  const disruption = await service.make('/v1/disruptions', {
    ...{ title: 'Corona', type: 'pandemic', started_on: '2026-02-27' },
    external_refs: [{ system: 'crm', id: 'corona' }],
  })
  t.same(faultsOf(await service.step(path, 'lapse', { party_id: seats.company })), ['/reason required'])
  const unknown = { party_id: seats.company, disruption_id: newId() }
  t.same(faultsOf(await service.step(path, 'lapse', unknown)), ['/disruption_id unknown_reference'])
  const named = { party_id: seats.company, disruption_ref: { system: 'crm', id: 'corona' } }
  const lapsed = await stepOf(service, path, 'lapse', named)
  t.match(lapsed, { status: 'lapsed', disruption_id: disruption.id, close_reason: null })
  t.same((await service.get(`/v1/commitments?disruption_id=${disruption.id}`)).body.data, [lapsed])
  t.match((await service.get(`${path}/history`)).body.data.at(-1), { disruption_id: disruption.id })
  t.match(await stepOf(service, path, 'reinstate', { party_id: seats.company }), { disruption_id: null })
})

t.test('a partnership pauses and resumes its agreed commitments with it, but for the exempt', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const partnership = `/v1/partnerships/${seats.partnership.id}`
  const [usual, exempt, own, draft] = [
    await agreed(service, seats),
    await agreed(service, seats, { pause_exempt: true }),
    await agreed(service, seats),
    await commitment(service, seats),
  ]
  await stepOf(service, pathOf(own), 'pause', table['pause']?.body(seats))
  await stepOf(service, partnership, 'pause', pauseOf(seats.partnership))
  const standing = async () =>
    Promise.all([usual, exempt, own, draft].map(async (one) => (await service.get(pathOf(one))).body))
  t.same(
    (await standing()).map(({ status, version }) => [status, version]),
    [
      ['paused', 4],
      ['agreed', 3],
      ['paused', 4],
      ['draft', 1],
    ],
  )
  const [withPartnership, , byItself] = await standing()
  t.equal(withPartnership.pause, null, 'it has no pause of its own')
  t.match(byItself.pause, { commitment_id: own.id, reason: 'solidarity', resumed_on: null })

  for (const one of [usual, own]) {
    const refused = await service.step(pathOf(one), 'resume', {})
    t.match(refused, { status: 409, body: { code: 'state_forbids', partnership_status: 'paused' } })
  }
  await stepOf(service, partnership, 'resume', {})
  t.same(
    (await standing()).map(({ status, version }) => [status, version]),
    [
      ['agreed', 5],
      ['agreed', 3],
      ['paused', 4],
      ['draft', 1],
    ],
    'one with a pause of its own stays paused',
  )
  t.match(await stepOf(service, pathOf(own), 'resume', { resumed_on: '2026-03-05' }), { status: 'agreed', pause: null })
  t.match((await service.get(`${pathOf(own)}/pauses`)).body, {
    data: [{ commitment_id: own.id, resumed_on: '2026-03-05' }],
  })
  t.same((await eventsOf(service, usual.id)).slice(3), [
    [4, 'commitment.paused'],
    [5, 'commitment.resumed'],
  ])
  const { body: told } = await service.get(`${pathOf(usual)}/history`)
  t.match(told.data[3], { to_status: 'paused', decided_by_party_id: seats.company, reason: 'solidarity' })
})

t.test('while its partnership is paused an exempt commitment goes on, and others end', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const [loyal, lapsing] = [await agreed(service, seats), await agreed(service, seats)]
  await stepOf(service, `/v1/partnerships/${seats.partnership.id}`, 'pause', pauseOf(seats.partnership))
  const { etag } = await service.get(pathOf(loyal))
  await service.call('PATCH', pathOf(loyal), { pause_exempt: true }, { ifMatch: etag })
  t.match(await stepOf(service, pathOf(loyal), 'resume', {}), { status: 'agreed' })
  t.match(await stepOf(service, pathOf(lapsing), 'lapse', { party_id: seats.company, reason }), { status: 'lapsed' })
  const late = await agreed(service, seats)
  t.equal(late.status, 'agreed', 'what is agreed in a pause is meant to go on in it')
})

t.test('the pause of a commitment keeps to the rules of pauses, and ends with what ends in it', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const made = await agreed(service, seats)
  const path = pathOf(made)
  const pause = { reason: 'capacity', initiated_by_party_id: seats.charity, starts_on: '2026-03-10' }
  t.same(faultsOf(await service.step(path, 'pause', pause)), ['/planned_resume_on planned_resume_on'])
  const planned = { ...pause, planned_resume_on: '2026-04-01', schedule_effect: 'shift' }
  t.match(await stepOf(service, path, 'pause', planned), { status: 'paused', pause: { schedule_effect: 'shift' } })
  t.match(await service.step(path, 'resume', { resumed_on: '2026-03-01' }), { status: 422 })
  t.match(await stepOf(service, path, 'lapse', { party_id: seats.company, reason }), { status: 'lapsed', pause: null })
  t.match(await stepOf(service, path, 'reinstate', { party_id: seats.company }), { status: 'agreed' })
  t.match(await stepOf(service, path, 'pause', { ...planned, starts_on: '2026-03-20' }), { status: 'paused' })
  t.equal((await service.get(`${path}/pauses`)).body.data.length, 2)
  t.match(await stepOf(service, path, 'resume', { resumed_on: '2026-03-25' }), { status: 'agreed' })
  const overlapping = await service.step(path, 'pause', { ...planned, starts_on: '2026-03-24' })
  t.equal(overlapping.status, 422)
  t.same(faultsOf(overlapping), ['/starts_on overlap'], 'the pauses of one commitment never overlap')
  t.match(await stepOf(service, path, 'pause', { ...planned, starts_on: '2026-03-25' }), { status: 'paused' })
  t.equal((await service.get(`/v1/commitments/${newId()}/pauses`)).status, 404)
})

t.test('what was delivered in full meanwhile is fulfilled as soon as the commitment goes on', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  const partnership = `/v1/partnerships/${seats.partnership.id}`
  const ways: [string, (path: string) => Promise<unknown>, (path: string) => Promise<unknown>][] = [
    [
      'resumed by itself',
      (path) => stepOf(service, path, 'pause', table['pause']?.body(seats)),
      (path) => stepOf(service, path, 'resume'),
    ],
    [
      'resumed with its partnership',
      () => stepOf(service, partnership, 'pause', pauseOf(seats.partnership)),
      () => stepOf(service, partnership, 'resume'),
    ],
    [
      'reinstated',
      (path) => stepOf(service, path, 'lapse', { party_id: seats.company, reason }),
      (path) => stepOf(service, path, 'reinstate', { party_id: seats.company }),
    ],
  ]
  for (const [what, stop, goOn] of ways) {
    const made = await agreed(service, seats)
    const entry = await deliver(service, made, '1000')
    await stop(pathOf(made))
    await stepOf(service, entryPath(entry), 'confirm', { party_id: seats.charity })
    const { body: stopped } = await service.get(pathOf(made))
    t.not(stopped.status, 'fulfilled', 'not while it stands still')
    t.equal(stopped.outstanding.amount, '0.00')
    await goOn(pathOf(made))
    const { body: after } = await service.get(pathOf(made))
    t.match(
      after,
      { status: 'fulfilled', version: stopped.version + 2, closed_on: '2026-03-01', fulfilment_rate: '1.0000' },
      what,
    )
    t.same((await eventsOf(service, made.id)).slice(-2), [
      [stopped.version + 1, what === 'reinstated' ? 'commitment.reinstated' : 'commitment.resumed'],
      [stopped.version + 2, 'commitment.fulfilled'],
    ])
  }
})

t.test('of a confirmation and a cancellation at once, one comes first and the other sees it', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service)
  for (let round = 0; round < 10; round += 1) {
    const made = await agreed(service, seats)
    const entry = await deliver(service, made, '1000')
    const [ours, theirs] = [await service.get(pathOf(made)), await service.get(entryPath(entry))]
    const cancel = () =>
      service.call('POST', `${pathOf(made)}/cancel`, { party_id: seats.company, reason }, { ifMatch: ours.etag })
    const confirm = () =>
      service.call('POST', `${entryPath(entry)}/confirm`, { party_id: seats.charity }, { ifMatch: theirs.etag })
    const pair = round % 2 === 0 ? [cancel(), confirm()] : [confirm(), cancel()]
    const answers = await Promise.all(pair)
    const [cancelled, confirmed] = round % 2 === 0 ? answers : answers.toReversed()
    const { body } = await service.get(pathOf(made))
    t.equal(confirmed?.status, 200, 'a delivery is confirmed either way')
    t.equal(body.delivered.amount, '1000.00')
    if (cancelled?.status === 200) t.match(body, { status: 'cancelled', version: 6 }, 'cancelled, then confirmed')
    else {
      t.equal(cancelled?.status, 412, 'what was confirmed in between is seen')
      t.match(body, { status: 'fulfilled', version: 5 })
    }
  }
})

t.test('a partnership that ends and a promise in it do not pass each other by', async (t) => {
  const service = await whole.afresh()
  const seats = await alliance(service, 'ending')
  const path = `/v1/partnerships/${seats.partnership.id}`
  const { etag } = await service.get(path)
  const [ended, made] = await Promise.all([
    service.call('POST', `${path}/end`, { exit_evaluation_waiver: 'x' }, { ifMatch: etag }),
    service.call('POST', '/v1/commitments', {
      partnership_id: seats.partnership.id,
      from_party_id: seats.company,
      kind: 'cash',
      title: 'Late',
      measure: { type: 'money', amount: '1', currency: 'EUR' },
    }),
  ])
  const open = (await service.get(`/v1/commitments?partnership_id=${seats.partnership.id}`)).body.data.length
  if (ended.status === 200) t.same([made.status, open], [409, 0], 'it ended first: nothing is promised any more')
  else
    t.same(
      [ended.status, made.status, open],
      [422, 201, 1],
      'the promise came first: it keeps the partnership from ending',
    )
})
