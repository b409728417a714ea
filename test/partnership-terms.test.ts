import t from 'tap'
import { type Json, startService } from './support/harness.ts'
import { draft, leadTo, organisation, partnershipIn, stepOf } from './support/world.ts'

const service = await startService(t)
const pathOf = ({ id }: Json): string => `/v1/partnerships/${id}`
const pointersOf = (body: Json): string[] => body.errors.map(({ pointer }: Json) => pointer)
const seats = ({ parties }: Json): Json[] => parties.map(({ assent: _a, ...party }: Json) => party)

async function patch(partnership: Json, body: object) {
  const { etag } = await service.get(pathOf(partnership))
  return service.call('PATCH', pathOf(partnership), body, { ifMatch: etag })
}

const agreed = (partnership: Json) => ({
  purpose: { why: { en: 'Another reason' }, how: { en: 'Another way' } },
  base_currency: 'USD',
  starts_on: '2026-06-01',
  parties: [{ ...seats(partnership)[0], side: 'public' }, seats(partnership)[1]],
})

t.test('in a draft everything may change', async (t) => {
  const partnership = await draft(service)
  const { status, body } = await patch(partnership, agreed(partnership))
  t.equal(status, 200)
  t.match(body, { base_currency: 'USD', starts_on: '2026-06-01', parties: [{ side: 'public' }, {}] })
})

for (const state of ['proposed', 'declined', 'active', 'paused', 'ending', 'ended']) {
  t.test(`what was agreed is not overwritten once ${state}; each such member is named`, async (t) => {
    const partnership = await partnershipIn(service, state)
    const answer = await patch(partnership, { ...agreed(partnership), name: 'A better name' })
    t.match(answer, { status: 409, body: { code: 'agreed_terms' } })
    t.same(pointersOf(answer.body), ['/purpose/why', '/purpose/how', '/base_currency', '/starts_on', '/parties/0/side'])
    t.match(answer.body.errors[0].detail, state === 'proposed' ? /withdraw/ : /amendment/)
    t.same((await service.get(pathOf(partnership))).body, partnership, 'nothing of it is changed')
  })

  t.test(`what was not agreed may change once ${state}`, async (t) => {
    const partnership = await partnershipIn(service, state)
    const [company, charity] = seats(partnership)
    const contact = await service.make(`/v1/organisations/${company.organisation_id}/contacts`, {
      name: 'Bo',
      function: 'other',
    })
    const change = {
      name: 'A better name',
      reference: 'R-2',
      metadata: { a: 1 },
      external_refs: [{ system: 'crm', id: `in-${state}` }],
      stage: 'staying_together',
      relationship_type: 'integrative',
      crisis_protocol: 'Call first.',
      evaluation_interval: 'P3M',
      time_zone: 'Europe/Brussels',
      sdg_targets: ['4.1'],
      notice_period: 'P1M',
      ends_on: '2029-12-31',
      signed_on: '2026-01-02',
      parties: [
        { ...company, role: 'partner', joined_on: '2026-01-01' },
        { ...charity, left_on: '2030-01-01' },
      ],
      managers: [{ party_id: company.id, contact_id: contact.id }],
    }
    const { status, body } = await patch(partnership, change)
    t.equal(status, 200)
    t.match(body, { ...change, status: state, version: partnership.version + 1 })
    t.same(
      body.parties.map(({ assent }: Json) => assent),
      partnership.parties.map(({ assent }: Json) => assent),
      'assents stay',
    )
  })
}

t.test('an organisation joins what has begun, with the day; nobody joins a proposal or what is over', async (t) => {
  for (const state of ['proposed', 'declined', 'active', 'paused', 'ending', 'ended']) {
    const partnership = await partnershipIn(service, state)
    const { id } = await organisation(service, 'public')
    const parties = (more: object) => [...seats(partnership), { organisation_id: id, side: 'public', ...more }]
    const undated = await patch(partnership, { parties: parties({}) })
    t.match(undated, { status: 409, body: { code: 'agreed_terms' } })
    const dated = await patch(partnership, { parties: parties({ joined_on: '2026-05-01' }) })
    if (['active', 'paused', 'ending'].includes(state)) {
      t.same(pointersOf(undated.body), ['/parties/2/joined_on'])
      t.match(dated, { status: 200, body: { parties: [{}, {}, { organisation_id: id, joined_on: '2026-05-01' }] } })
    } else {
      t.same(pointersOf(undated.body), ['/parties/2'])
      t.match(dated, { status: 409, body: { code: 'agreed_terms', errors: [{ pointer: '/parties/2' }] } }, state)
    }
  }
})

t.test('a party leaves by its date, and is not removed', async (t) => {
  const partnership = await partnershipIn(service, 'active')
  const [company, charity] = seats(partnership)
  const removed = await patch(partnership, { parties: [company] })
  t.match(removed, { status: 409, body: { code: 'agreed_terms', errors: [{ pointer: '/parties' }] } })
  t.match(removed.body.detail, /left_on/)
  const left = await patch(partnership, { parties: [company, { ...charity, left_on: '2026-06-30' }] })
  t.match(left, { status: 200, body: { parties: [{}, { id: charity.id, left_on: '2026-06-30' }] } })
})

t.test('the exception on which a proposal rests stays, though its words may change', async (t) => {
  const partnership = await partnershipIn(service, 'proposed', { cross_sector_exception: 'They serve companies' })
  const cleared = await patch(partnership, { cross_sector_exception: null })
  t.match(cleared, { status: 409, body: { errors: [{ pointer: '/cross_sector_exception' }] } })
  t.equal((await patch(partnership, { cross_sector_exception: 'They serve many companies' })).status, 200)
})

t.test('parties are matched by their organisation, so that their ids stay', async (t) => {
  const partnership = await draft(service)
  const [company, charity] = partnership.parties
  const extra = await organisation(service, 'public')
  const reordered = await patch(partnership, {
    parties: [
      { organisation_id: extra.id, side: 'public' },
      { organisation_id: charity.organisation_id, side: 'non_profit', role: 'lead' },
      { id: company.id, side: 'company' },
    ],
  })
  t.equal(reordered.status, 200)
  t.same(
    reordered.body.parties.slice(1).map(({ id }: Json) => id),
    [charity.id, company.id],
  )
  const swapped = await patch(partnership, {
    parties: [{ id: company.id, organisation_id: extra.id, side: 'company' }],
  })
  t.match(swapped, { status: 422, body: { errors: [{ pointer: '/parties/0/organisation_id' }] } })
  const orphaned = await patch(partnership, { managers: [{ party_id: company.id, contact_id: extra.id }] })
  t.match(orphaned, { status: 422, body: { errors: [{ pointer: '/managers/0/contact_id' }] } })
})

t.test('a manager goes with the party, and is named when it would be left behind', async (t) => {
  const partnership = await draft(service)
  const [company, charity] = seats(partnership)
  const path = `/v1/organisations/${charity.organisation_id}/contacts`
  const contact = await service.make(path, { name: 'Ada', function: 'alliance_manager' })
  const manager = { party_id: charity.id, contact_id: contact.id }
  t.match(await patch(partnership, { managers: [manager] }), { status: 200, body: { managers: [manager] } })
  const twice = await patch(partnership, { managers: [manager, manager] })
  t.match(twice, { status: 422, body: { errors: [{ pointer: '/managers/1', code: 'repeated' }] } })
  const left = await patch(partnership, { parties: [company] })
  t.match(left, { status: 422, body: { errors: [{ pointer: '/managers/0/party_id' }] } })
  t.match(await patch(partnership, { parties: [company], managers: [] }), { status: 200, body: { managers: [] } })
})

t.test('a party that others depend on is not removed from a draft', async (t) => {
  const partnership = await draft(service)
  const [company, charity] = seats(partnership)
  const commitment = await service.make('/v1/commitments', {
    partnership_id: partnership.id,
    from_party_id: company.id,
    to_party_id: charity.id,
    kind: 'cash',
    title: 'A gift',
    binding: 'firm',
    reciprocity: 'unconditional',
    measure: { type: 'money', amount: '100.00', currency: 'EUR' },
  })
  const answer = await patch(partnership, { parties: [company] })
  t.match(answer, { status: 409, body: { code: 'in_use', errors: [{ pointer: '/parties', code: 'in_use' }] } })
  t.match(answer.body.detail, new RegExp(`${charity.id} has commitments`))
  const remove = await service.call('DELETE', pathOf(partnership), undefined, { ifMatch: '"1"' })
  t.match(remove, { status: 409, body: { code: 'in_use', dependants: ['commitments'] } })
  await service.call('DELETE', `/v1/commitments/${commitment.id}`, undefined, { ifMatch: '"1"' })
  t.equal((await patch(partnership, { parties: [company] })).status, 200)
})

t.test('renewals make a chain that never closes', async (t) => {
  const first = await leadTo(service, await draft(service), 'ended')
  const second = await draft(service, { predecessor_id: first.id })
  const third = await draft(service, { predecessor_id: second.id })
  for (const [partnership, predecessor] of [
    [first, third],
    [first, first],
    [second, third],
  ]) {
    const answer = await patch(partnership, { predecessor_id: predecessor.id })
    t.match(answer, { status: 422, body: { errors: [{ pointer: '/predecessor_id', code: 'circle' }] } })
  }
  await stepOf(service, pathOf(third), 'propose')
  t.equal((await patch(third, { predecessor_id: first.id })).status, 200)
})
