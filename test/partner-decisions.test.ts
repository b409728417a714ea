import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { partnerScopes } from '../src/platform/partners/operations.ts'
import { type Answer, type Json, startService } from './support/harness.ts'
import { meet } from './support/meeting.ts'
import { allianceOfPartners, portalKey } from './support/partners.ts'
import { agreed, allianceOfThree, deliver, entryPath, faultsOf, pathOf } from './support/promises.ts'
import { leadTo, organisation, stepOf } from './support/world.ts'

// What a partner decides by itself: to decline what is proposed to it, and to take back what it reported.

const clock = fixedClock('2026-03-01T12:00:00.000000Z')
const service = await startService(t, { clock })

const euros = (amount: string) => ({ type: 'money', amount, currency: 'EUR' })

t.test('a party declines the partnership that is proposed to it', async (t) => {
  const { as, seats, companyKey, charityKey: key } = await allianceOfPartners(service, { status: 'proposed' })
  const path = `/v1/partnerships/${seats.partnership.id}`
  await stepOf(as, path, 'assent', { party_id: seats.charity })
  const body = { reason: 'No time for it', party_id: seats.charity }
  const declined = await as.call('POST', `${path}/decline`, body, { key, ifMatch: '*' })
  t.match(declined, { status: 200, body: { status: 'declined', decline_reason: body.reason } }, 'though it assented')
  for (const reader of [key, companyKey]) {
    t.same((await as.get(path, { key: reader })).body, declined.body)
    const told = (await as.get('/v1/events?limit=500', { key: reader })).body.data.at(-1)
    t.match(told, { type: 'partnership.declined', data: declined.body, actor: { type: 'api_key', id: null } })
    const last = (await as.get(`${path}/history`, { key: reader })).body.data.at(-1)
    t.match(last, { to_status: 'declined', decided_by_party_id: seats.charity, reason: body.reason })
  }
})

t.test('nobody declines for another, nor what is not proposed', async (t) => {
  const { as, seats, organisations, charityKey: key } = await allianceOfPartners(service, { status: 'proposed' })
  const path = `/v1/partnerships/${seats.partnership.id}`
  const decline = (party_id?: string, as_ = key, ifMatch = '*') =>
    as.call('POST', `${path}/decline`, { reason: 'No', party_id }, { key: as_, ifMatch })
  t.same(faultsOf(await decline(seats.company)), ['/party_id not_own_party'])
  t.same(faultsOf(await decline()), ['/party_id required'])
  t.equal((await decline(seats.charity, key, '"9"')).status, 412)
  const stranger = await portalKey(as, [await organisation(as, 'public', 'Nobody’s')])
  t.equal((await decline(seats.charity, stranger)).status, 404)
  const narrow = await portalKey(
    as,
    [organisations.charity],
    partnerScopes.filter((scope) => scope !== 'partnerships:write'),
  )
  t.equal((await decline(seats.charity, narrow)).status, 403)
  t.equal((await as.get(path)).body.status, 'proposed')
  await stepOf(as, path, 'withdraw')
  t.equal((await decline(seats.charity)).status, 404, 'a draft')
  await leadTo(as, (await as.get(path)).body, 'active')
  t.match(await decline(seats.charity), { status: 409, body: { code: 'transition_not_allowed', from: 'active' } })
})

t.test('a party that has left declines nothing', async (t) => {
  const as = await service.afresh()
  const { partnership, other } = await allianceOfThree(as)
  const path = `/v1/partnerships/${partnership.id}`
  const parties = partnership.parties.map(({ id, assent: _, ...party }: Json) =>
    id === other ? { ...party, left_on: '2026-03-01' } : party,
  )
  const left = await as.call('PATCH', path, { parties }, { ifMatch: '*' })
  t.equal(left.status, 200, left.text)
  await stepOf(as, path, 'propose')
  const { organisation_id } = partnership.parties.find(({ id }: Json) => id === other)
  const key = await portalKey(as, [{ id: organisation_id }])
  const answer = await as.call('POST', `${path}/decline`, { reason: 'No', party_id: other }, { key, ifMatch: '*' })
  t.same(faultsOf(answer), ['/party_id not_own_party'])
  t.equal((await as.get(path)).body.status, 'proposed')
})

/** An agreed promise of the company, and what its two sides do with its ledger. */
async function ledger() {
  const { as, seats, companyKey, charityKey } = await allianceOfPartners(service)
  const gift = await agreed(as, seats)
  const keys = { company: companyKey, charity: charityKey }
  type Side = keyof typeof keys
  const report = (side: Side): Promise<Json> =>
    deliver(as, gift, '100.00', { reported_by_party_id: seats[side] }).then(({ id }) => ({ id }))
  const step = (verb: string, entry: Json, side: Side, party = seats[side]): Promise<Answer> => {
    const body = verb === 'confirm' ? { party_id: party } : { party_id: party, reason: 'Counted twice' }
    return as.call('POST', `${entryPath(entry)}/${verb}`, body, { key: keys[side], ifMatch: '*' })
  }
  return { as, seats, gift, keys, report, step }
}

t.test('a side takes back what it reported, until the other side has confirmed it', async (t) => {
  const { as, seats, gift, keys, report, step } = await ledger()
  for (const side of ['company', 'charity'] as const) {
    const other = side === 'company' ? 'charity' : 'company'
    for (const isDisputed of [false, true]) {
      const entry = await report(side)
      if (isDisputed) t.equal((await step('dispute', entry, other)).status, 200)
      const answer = await step('reverse', entry, side)
      t.equal(answer.status, 200, answer.text)
      const { reversed_by_id } = answer.body
      for (const key of Object.values(keys)) {
        const reversal = (await as.get(`/v1/fulfilments/${reversed_by_id}`, { key })).body
        t.match(reversal, {
          reversal_of: entry['id'],
          reported_by_party_id: seats[side],
          reversal_reason: 'Counted twice',
        })
        const told = (await as.get('/v1/events?limit=500&types=fulfilment.*', { key })).body.data
        const types = told.slice(-2).map(({ type, resource_id }: Json) => `${type} ${resource_id}`)
        t.same(types, [`fulfilment.reversed ${entry['id']}`, `fulfilment.created ${reversed_by_id}`])
      }
      t.match(await step('reverse', entry, side), { status: 409, body: { code: 'state_forbids' } }, 'once')
      const again = await step('reverse', { id: reversed_by_id }, side)
      t.match(again, { status: 409, body: { code: 'state_forbids' } }, 'nor a reversal')
    }
  }
  t.match((await as.get(pathOf(gift))).body, { reported: euros('0.00'), outstanding: euros('1000.00') })
})

t.test('one side undoes neither what the other reported nor what both have said', async (t) => {
  const { as, seats, gift, keys, report, step } = await ledger()
  const theirs = await report('company')
  t.match(await step('reverse', theirs, 'charity'), {
    status: 422,
    body: { code: 'wrong_party', may_decide: [seats.company] },
  })
  t.same(faultsOf(await step('reverse', theirs, 'charity', seats.company)), ['/party_id not_own_party'])
  await step('dispute', theirs, 'charity')
  t.equal((await step('reverse', theirs, 'charity')).status, 422, 'nor what it disputes')
  t.equal((await step('confirm', theirs, 'charity')).status, 200)
  for (const side of ['company', 'charity'] as const)
    t.match(await step('reverse', theirs, side), { status: 409, body: { code: 'state_forbids' } }, side)
  const both = await portalKey(
    as,
    seats.partnership.parties.map(({ organisation_id }: Json) => ({ id: organisation_id })),
  )
  const answer = await as.call(
    'POST',
    `${entryPath(theirs)}/reverse`,
    { party_id: seats.company, reason: 'x' },
    { key: both, ifMatch: '*' },
  )
  t.equal(answer.status, 409, 'nor a credential of both')
  t.match((await as.get(pathOf(gift), { key: keys.company })).body, { delivered: euros('100.00') })
  const staff = { party_id: seats.charity, reason: 'Both asked for it' }
  t.equal((await as.call('POST', `${entryPath(theirs)}/reverse`, staff, { ifMatch: '*' })).status, 200)
  t.match((await as.get(pathOf(gift))).body, { delivered: euros('0.00') })
})

t.test('of what a side takes back while the other confirms it, one happens', async (t) => {
  const { as, report, step } = await ledger()
  for (const [first, second] of [
    ['reverse', 'confirm'],
    ['confirm', 'reverse'],
  ] as const) {
    const entry = await report('company')
    const by = (verb: string) => step(verb, entry, verb === 'reverse' ? 'company' : 'charity')
    const [one, two] = await meet(
      t,
      as,
      () => by(first),
      () => by(second),
    )
    t.equal(one.status, 200, first)
    t.match(two, { status: 409, body: { code: 'state_forbids' } }, `${second} after ${first}`)
  }
})
