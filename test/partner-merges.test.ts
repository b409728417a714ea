import { readFile } from 'node:fs/promises'
import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { asOwner } from '../src/db/tenants.ts'
import { type Answer, type Json, type Service, startService } from './support/harness.ts'
import { allianceOfPartners, portalKey } from './support/partners.ts'
import { agreed, allianceTakenOver, pathOf } from './support/promises.ts'
import { organisation } from './support/world.ts'

// What the other side of a partnership is told when an organisation of it is merged into another.

const clock = fixedClock('2026-03-01T12:00:00.000000Z')
const service = await startService(t, { clock })
t.beforeEach(() => clock.set('2026-03-01T12:00:00.000000Z'))
const later = () => clock.set('2026-03-05T12:00:00.000000Z')

const path = '/v1/organisations'

async function merge(as: Service, into: Json, duplicate: Json): Promise<void> {
  const answer = await as.call(
    'POST',
    `${path}/${into['id']}/merge`,
    { duplicate_id: duplicate['id'] },
    { ifMatch: '*' },
  )
  if (answer.status !== 200) throw new Error(answer.text)
}

/** A charity in alliance with a company, and what its portal reads and finds. */
async function world() {
  const { as, seats, organisations, charityKey: key } = await allianceOfPartners(service)
  const read = (of: string): Promise<Answer> => as.get(of, { key })
  const find = async (question: string): Promise<string[]> =>
    (await read(`/v1/${question}`)).body.data.map(({ id }: Json) => id)
  const lookUp = async (...ids: string[]): Promise<Json> =>
    (await as.call('POST', `${path}/lookup`, { ids }, { key })).body
  const typesOf = async ({ id }: Json): Promise<string[]> =>
    (await read('/v1/events?limit=500')).body.data
      .filter(({ resource_id }: Json) => resource_id === id)
      .map(({ type }: Json) => type)
  const leave = async () => {
    const of = `/v1/partnerships/${seats.partnership.id}`
    const parties = (await as.get(of)).body.parties.map(({ id, assent: _, ...party }: Json) =>
      id === seats.charity ? { ...party, left_on: '2026-03-01' } : party,
    )
    const answer = await as.call('PATCH', of, { parties }, { ifMatch: '*' })
    if (answer.status !== 200) throw new Error(answer.text)
  }
  return { as, seats, key, ...organisations, read, find, lookUp, typesOf, leave }
}

t.test('the old id of the other side leads to the survivor, wherever it is asked', async (t) => {
  const { as, seats, company, charity, read, find, lookUp, typesOf } = await world()
  const [survivor, last] = [await organisation(as, 'company', 'Survivor'), await organisation(as, 'company', 'Last')]
  const never = await organisation(as, 'company', 'Nobody’s partner')
  for (const { id } of [survivor, last, never]) t.equal((await read(`${path}/${id}`)).status, 404)
  await merge(as, survivor, never)
  await merge(as, survivor, company)
  const led = async ({ id }: Json) => {
    const { status, headers } = await read(`${path}/${id}`)
    return `${status} ${String(headers['location']).split('/').at(-1)}`
  }
  t.equal(await led(company), `308 ${survivor.id}`)
  t.match(await lookUp(company.id, never.id), {
    data: [{ id: company.id, merged_into_id: survivor.id, name: company.name }],
    not_found: { ids: [never.id] },
  })
  t.same(await find(`partnerships?organisation_id=${company.id.toUpperCase()}`), [seats.partnership.id])
  t.same((await find('organisations')).sort(), [charity.id, survivor.id].sort())
  t.same((await find('organisations?include_merged=true')).sort(), [charity.id, company.id, survivor.id].sort())
  t.same(await typesOf(company), ['organisation.created', 'organisation.merged'])
  t.match((await read(`${path}/${survivor.id}`)).body, { id: survivor.id, alternate_names: [never.name, company.name] })

  await merge(as, last, survivor)
  t.same([await led(company), await led(survivor)], [`308 ${last.id}`, `308 ${last.id}`])
  t.same(await find(`partnerships?organisation_id=${company.id}`), [seats.partnership.id])
  t.same((await find('organisations')).sort(), [charity.id, last.id].sort())

  t.equal((await read(`${path}/${never.id}`)).status, 404, 'what it never met')
  t.same(await typesOf(never), [])
  t.same(await find(`partnerships?organisation_id=${never.id}`), [])
  const stranger = await portalKey(as, [await organisation(as, 'public', 'A stranger')])
  t.equal((await as.get(`${path}/${company.id}`, { key: stranger })).status, 404)
})

t.test('who left before a merge learns nothing of it', async (t) => {
  const { as, seats, company, charity, read, find, lookUp, typesOf, leave } = await world()
  const survivor = await organisation(as, 'company', 'Survivor')
  const before = await read(`${path}/${company.id}`)
  const events = await typesOf(company)
  await leave()
  later()
  await merge(as, survivor, company)
  const unchanged = async () => {
    const seen = await read(`${path}/${company.id}`)
    t.same([seen.status, seen.etag, seen.body], [200, before.etag, before.body])
    t.same((await lookUp(company.id)).data, [before.body])
    t.same(await typesOf(company), events)
    const { parties } = (await read(`/v1/partnerships/${seats.partnership.id}`)).body
    t.same(
      parties.map(({ organisation_id }: Json) => organisation_id),
      [company.id, charity.id],
    )
    t.same(await find(`partnerships?organisation_id=${company.id}`), [], 'as by every filter on what changed later')
  }
  await unchanged()
  t.equal((await read(`${path}/${survivor.id}`)).status, 404)
  t.same((await find('organisations')).sort(), [company.id, charity.id].sort())
  t.same(await typesOf(survivor), [])
  await allianceTakenOver(as, { company: survivor, charity })
  await unchanged()
  t.equal((await read(`${path}/${survivor.id}`)).status, 200, 'a partner of its own now')
  t.same((await find('organisations')).sort(), [company.id, charity.id, survivor.id].sort())
})

t.test('commitments are found by the organisation that promises or receives, also by one that went', async (t) => {
  const { as, seats, company, charity, find } = await world()
  const [survivor, other] = [
    await organisation(as, 'company', 'Survivor'),
    await organisation(as, 'non_profit', 'Other'),
  ]
  const gift = await agreed(as, seats)
  await agreed(as, await allianceTakenOver(as, { company, charity: other }))
  t.same(await find(`commitments?from_organisation_id=${company.id}`), [gift.id], 'not what it promises to others')
  await merge(as, survivor, company)
  for (const { id } of [company, survivor]) {
    t.same(await find(`commitments?from_organisation_id=${id}&to_organisation_id=${charity.id}`), [gift.id])
    t.same(await find(`commitments?to_organisation_id=${id}`), [])
  }
  t.same(await find(`commitments?to_organisation_id=${other.id}`), [], 'what it does not see')
})

t.test('who left finds no commitments by whose seats they are now', async (t) => {
  const { as, seats, company, find, leave } = await world()
  const survivor = await organisation(as, 'company', 'Survivor')
  const gift = await agreed(as, seats)
  later()
  await leave()
  await merge(as, survivor, company)
  t.same(await find(`commitments?partnership_id=${seats.partnership.id}`), [gift.id])
  for (const name of ['organisation_id', 'from_organisation_id', 'to_organisation_id']) {
    for (const { id } of [company, survivor]) t.same(await find(`commitments?${name}=${id}`), [], name)
  }
})

t.test('who left after a merge knows of it, and of none that came later', async (t) => {
  const { as, company, read, find, leave } = await world()
  const [survivor, last] = [await organisation(as, 'company', 'Survivor'), await organisation(as, 'company', 'Last')]
  await merge(as, survivor, company)
  await leave()
  later()
  await merge(as, last, survivor)
  const { status, headers } = await read(`${path}/${company.id}`)
  t.same([status, headers['location']], [308, `${path}/${survivor.id}`])
  t.match(await read(`${path}/${survivor.id}`), { status: 200, body: { name: 'Survivor', merged_into_id: null } })
  t.equal((await read(`${path}/${last.id}`)).status, 404)
  t.notOk((await find('organisations?include_merged=true')).includes(last.id))
})

t.test('who joins after a merge is told nothing of the organisation that was there before', async (t) => {
  const { as, seats, company } = await world()
  const survivor = await organisation(as, 'company', 'Survivor')
  await merge(as, survivor, company)
  later()
  const newcomer = await organisation(as, 'non_profit', 'Newcomer')
  const of = `/v1/partnerships/${seats.partnership.id}`
  const parties = (await as.get(of)).body.parties.map(({ assent: _, ...party }: Json) => party)
  const joined = { organisation_id: newcomer.id, side: 'non_profit', joined_on: '2026-03-05' }
  const answer = await as.call('PATCH', of, { parties: [...parties, joined] }, { ifMatch: '*' })
  t.equal(answer.status, 200, answer.text)
  const key = await portalKey(as, [newcomer])
  const { data } = (await as.get(`${path}?include_merged=true`, { key })).body
  const ids = data.map(({ id }: Json) => id)
  t.ok(ids.includes(survivor.id))
  t.notOk(ids.includes(company.id))
  t.equal((await as.get(`${path}/${company.id}`, { key })).status, 404)
  const events = (await as.get('/v1/events?limit=500', { key })).body.data
  t.same(
    events.filter(({ resource_id }: Json) => resource_id === company.id),
    [],
    'but for what the history of the partnership names',
  )
})

t.test('a partner that was merged, and merged again, acts by each of its ids', async (t) => {
  const { as, seats, key, charity } = await world()
  const [second, third] = [
    await organisation(as, 'non_profit', 'Second'),
    await organisation(as, 'non_profit', 'Third'),
  ]
  const stranger = await organisation(as, 'non_profit', 'Stranger')
  const gift = await agreed(as, seats)
  await merge(as, second, charity)
  await merge(as, third, second)
  const report = async ({ id }: Json): Promise<number> => {
    const measure = { type: 'money', amount: '1.00', currency: 'EUR' }
    const delivery = { delivered_on: '2026-02-01', measure, reported_by_organisation_id: id }
    return (await as.call('POST', `${pathOf(gift)}/fulfilments`, delivery, { key })).status
  }
  for (const each of [charity, second, third]) t.equal(await report(each), 201, each.name)
  t.equal(await report(stranger), 422)
})

t.test('of merges from before seats were kept the audit tells', async (t) => {
  const { as, company, read } = await world()
  const [survivor, last] = [await organisation(as, 'company', 'Survivor'), await organisation(as, 'company', 'Last')]
  await merge(as, survivor, company)
  later()
  await merge(as, last, survivor)
  const held = `select held_before from partnership_parties where tenant_id = '${as.tenantId}' and organisation_id = '${last.id}'`
  const migration = await readFile('migrations/000210_seats_before_merges.sql', 'utf8')
  const kept = await asOwner(service.url, async (client) => (await client.query(held)).rows)
  t.equal(kept[0].held_before.length, 2)
  const forget = `update partnership_parties set held_before = '[]' where tenant_id = '${as.tenantId}'`
  await asOwner(service.url, (client) => client.query(forget))
  t.equal((await read(`${path}/${company.id}`)).status, 404)
  await asOwner(service.url, (client) => client.query(/^do \$\$.*?^\$\$;/ms.exec(migration)?.[0] ?? ''))
  t.same(await asOwner(service.url, async (client) => (await client.query(held)).rows), kept)
  t.equal((await read(`${path}/${company.id}`)).status, 308)
})
