import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { partnerScopes } from '../src/platform/partners/operations.ts'
import { type Json, startService } from './support/harness.ts'
import { allianceOfPartners, portalKey } from './support/partners.ts'
import { allianceOfThree, faultsOf } from './support/promises.ts'
import { leadTo, organisation, stepOf } from './support/world.ts'

// What a partner decides by itself: to decline what is proposed to it.

const clock = fixedClock('2026-03-01T12:00:00.000000Z')
const service = await startService(t, { clock })

t.test('a party declines the partnership that is proposed to it', async (t) => {
  const { as, seats, companyKey, charityKey: key } = await allianceOfPartners(service, { status: 'proposed' })
  const path = `/v1/partnerships/${seats.partnership.id}`
  await stepOf(as, path, 'assent', { party_id: seats.charity })
  const body = { reason: 'No time for it', decided_by_party_id: seats.charity }
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
  const decline = (decided_by_party_id?: string, as_ = key, ifMatch = '*') =>
    as.call('POST', `${path}/decline`, { reason: 'No', decided_by_party_id }, { key: as_, ifMatch })
  t.same(faultsOf(await decline(seats.company)), ['/decided_by_party_id not_own_party'])
  t.same(faultsOf(await decline()), ['/decided_by_party_id required'])
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
  const answer = await as.call(
    'POST',
    `${path}/decline`,
    { reason: 'No', decided_by_party_id: other },
    { key, ifMatch: '*' },
  )
  t.same(faultsOf(answer), ['/decided_by_party_id not_own_party'])
  t.equal((await as.get(path)).body.status, 'proposed')
})
