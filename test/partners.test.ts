import pg from 'pg'
import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { newId } from '../src/core/ids.ts'
import { partnerRole } from '../src/db/pool.ts'
import { type Json, startService } from './support/harness.ts'
import { portalKey } from './support/partners.ts'
import { type Alliance, agreed, allianceTakenOver, commitment, deliver, faultsOf } from './support/promises.ts'
import { answersWith, openRound, plan, respond } from './support/rounds.ts'
import { organisation } from './support/world.ts'

const clock = fixedClock('2026-03-01T12:00:00.000000Z')
const service = await startService(t, { clock })

/** An alliance, what is private to the tenant in it, and the keys of its two sides. */
async function world() {
  const as = await service.afresh()
  const external_refs = [{ system: 'crm', id: 'A-1' }]
  const alliance = await allianceTakenOver(as, {
    partnership: { external_refs, metadata: { risk: 'high' }, reference: 'R-7' },
  })
  const { company, charity } = alliance.organisations
  return {
    ...alliance,
    as,
    companyKey: await portalKey(as, [company]),
    charityKey: await portalKey(as, [charity]),
  }
}

const idsOf = ({ body }: Json): string[] => body.data.map(({ id }: Json) => id)

t.test('a partner sees the partnerships that it is a party to, and what belongs to those', async (t) => {
  const { as, partnership, organisations, charityKey: key, ...seats } = await world()
  const elsewhere = await allianceTakenOver(as)
  const gift = await agreed(as, { partnership, ...seats })
  const draft = await commitment(as, { partnership, ...seats }, { title: 'Only thought of' })
  const theirs = await agreed(as, elsewhere)
  await deliver(as, gift, '10.00')
  await deliver(as, theirs, '10.00')
  const list = async (path: string) => idsOf(await as.get(`/v1/${path}`, { key }))
  t.same(await list('partnerships'), [partnership.id])
  t.same(await list('commitments'), [gift.id], 'and no draft, which is its author’s alone')
  t.same((await list('organisations')).sort(), [organisations.company.id, organisations.charity.id].sort())
  t.equal((await list('fulfilments')).length, 1)
  t.equal((await as.get('/v1/partnerships?include_total=true', { key })).body.total, 1)
  for (const { id } of [draft, theirs]) t.equal((await as.get(`/v1/commitments/${id}`, { key })).status, 404)
  const stranger = await portalKey(as, [await organisation(as, 'company', 'Nobody’s partner')])
  t.same(idsOf(await as.get('/v1/partnerships', { key: stranger })), [])
})

t.test('what is the tenant’s own is not shown to partners, and not written by them', async (t) => {
  const { as, partnership, charityKey: key } = await world()
  const seen = (await as.get(`/v1/partnerships/${partnership.id}`, { key })).body
  t.same([seen.name, seen.reference], ['Samen naar school', 'R-7'])
  t.same([seen.external_refs, seen.metadata, seen.managers, seen.taken_over], [[], {}, [], null])
  const [history] = (await as.get(`/v1/partnerships/${partnership.id}/history`, { key })).body.data
  t.equal(history.actor.id, null, 'nor whose credential recorded it')
  for (const filter of ['external_ref=crm:A-1', 'q=samen']) {
    const found = idsOf(await as.get(`/v1/partnerships?${filter}`, { key }))
    t.same(found, filter.startsWith('q') ? [partnership.id] : [], filter)
  }
  t.equal((await as.get('/v1/partnerships/by-ref/crm/A-1', { key })).status, 403)
  t.equal(
    (await as.call('PATCH', `/v1/partnerships/${partnership.id}`, { name: 'x' }, { key, ifMatch: '*' })).status,
    403,
  )
})

t.test('a partner acts for its own side, and for no other', async (t) => {
  const { as, partnership, companyKey, charityKey, ...seats } = await world()
  const gift = await agreed(as, { partnership, ...seats })
  const report = (body: object, key: string) =>
    as.call(
      'POST',
      `/v1/commitments/${gift.id}/fulfilments`,
      { delivered_on: '2026-02-01', measure: { type: 'money', amount: '100.00', currency: 'EUR' }, ...body },
      { key },
    )
  t.same(faultsOf(await report({ reported_by_party_id: seats.company }, charityKey)), [
    '/reported_by_party_id not_own_party',
  ])
  t.same(faultsOf(await report({}, charityKey)), ['/reported_by_party_id required'])
  const companyId = partnership.parties.find(({ id }: Json) => id === seats.company).organisation_id
  t.same(faultsOf(await report({ reported_by_organisation_id: companyId }, charityKey)), [
    '/reported_by_organisation_id not_own_party',
  ])
  t.match(await report({ reported_by_organisation_id: companyId }, companyKey), {
    status: 201,
    body: { reported_by_party_id: seats.company },
  })
  t.same(
    faultsOf(await report({ reported_by_party_id: seats.company, metadata: {}, external_refs: [] }, companyKey)).sort(),
    ['/external_refs not_for_partners', '/metadata not_for_partners'],
  )
  const made = await report({ reported_by_party_id: seats.company }, companyKey)
  t.equal(made.status, 201)
  const confirm = (party_id: string, key: string) =>
    as.call('POST', `/v1/fulfilments/${made.body.id}/confirm`, { party_id }, { key, ifMatch: '*' })
  t.same(faultsOf(await confirm(seats.charity, companyKey)), ['/party_id not_own_party'])
  t.match(await confirm(seats.company, companyKey), { status: 422, body: { code: 'wrong_party' } })
  t.match(await confirm(seats.charity, charityKey), { status: 200, body: { confirmation: 'confirmed' } })
  const [entry] = (await as.get(`/v1/audit?resource_id=${made.body.id}&limit=1`)).body.data
  t.match(entry, { action: 'fulfilment.confirmed', actor: { type: 'api_key' } })
})

t.test('a side assents, agrees, answers, states and links its own objectives', async (t) => {
  const { as, partnership, organisations, companyKey, charityKey, ...seats } = await world()
  const alliance: Alliance = { partnership, ...seats }
  const promise = await commitment(as, alliance)
  await as.step(`/v1/commitments/${promise.id}`, 'propose')
  const agree = (party_id: string, key: string) =>
    as.call('POST', `/v1/commitments/${promise.id}/agree`, { party_id }, { key, ifMatch: '*' })
  t.equal((await agree(seats.charity, companyKey)).status, 422)
  t.match(await agree(seats.charity, charityKey), { status: 200, body: { status: 'agreed' } })

  const round = await openRound(as, partnership)
  const invited = (await as.get(`/v1/evaluations/${round.id}/invitations`, { key: charityKey })).body.data
  t.same(
    invited.map(({ party_id }: Json) => party_id),
    [seats.charity],
    'a side sees its own invitations alone',
  )
  const answer = (party_id: string, key: string) =>
    as.call('POST', `/v1/evaluations/${round.id}/responses`, { party_id, answers: answersWith(3) }, { key })
  t.same(faultsOf(await answer(seats.company, charityKey)), ['/party_id not_own_party'])
  t.equal((await answer(seats.charity, charityKey)).status, 201)
  t.equal((await as.get(`/v1/evaluations/${round.id}/scores`, { key: charityKey })).status, 409, 'blind until closed')
  await respond(as, round, { id: seats.company })
  t.equal((await as.get(`/v1/evaluations/${round.id}/scores`, { key: charityKey })).status, 200)
  t.equal((await as.get(`/v1/partnerships/${partnership.id}/reciprocity`, { key: charityKey })).status, 200)

  const objective = (of: Json) =>
    as.make('/v1/objectives', {
      organisation_id: of.id,
      level: 'outcome',
      title: 'More',
      importance: 3,
      active_from: '2026-01-01',
    })
  const [mine, yours] = [await objective(organisations.charity), await objective(organisations.company)]
  const link = (objective_id: string) =>
    as.call(
      'POST',
      '/v1/objective-links',
      { partnership_id: partnership.id, objective_id, contribution: 2 },
      { key: charityKey },
    )
  t.equal((await link(mine.id)).status, 201)
  t.same(faultsOf(await link(yours.id)), ['/objective_id unknown_reference'])
  t.same(idsOf(await as.get('/v1/objectives', { key: charityKey })), [mine.id])
})

t.test('who left sees what was shared, as it was then, and nothing that came after', async (t) => {
  const { as, partnership, organisations, charityKey: key, ...seats } = await world()
  const alliance: Alliance = { partnership, ...seats }
  const [kept, changed] = [await agreed(as, alliance), await agreed(as, alliance, { title: 'As it was' })]
  const parties = (await as.get(`/v1/partnerships/${partnership.id}`)).body.parties.map(
    ({ id: _id, assent: _a, ...party }: Json) =>
      party.organisation_id === organisations.charity.id ? { ...party, left_on: '2026-03-01' } : party,
  )
  const left = await as.call('PATCH', `/v1/partnerships/${partnership.id}`, { parties }, { ifMatch: '*' })
  t.equal(left.status, 200, left.text)
  t.equal((await as.get(`/v1/commitments/${changed.id}`, { key })).body.title, 'As it was', 'the last day counts')
  clock.set('2026-03-05T12:00:00.000000Z')
  const lapse = { party_id: seats.company, reason: 'No money' }
  t.equal((await as.call('POST', `/v1/commitments/${changed.id}/lapse`, lapse, { ifMatch: '*' })).status, 200)
  const renamed = await as.call('PATCH', `/v1/partnerships/${partnership.id}`, { name: 'Zonder hen' }, { ifMatch: '*' })
  t.equal(renamed.status, 200)
  const later = await plan(as, partnership)

  t.equal((await as.get(`/v1/evaluations/${later.id}`, { key })).status, 404)
  t.same(idsOf(await as.get('/v1/commitments', { key })).sort(), [kept.id, changed.id].sort())
  const seen = await as.get(`/v1/commitments/${changed.id}`, { key })
  t.match(seen, { status: 200, body: { title: 'As it was', status: 'agreed', version: changed.version } })
  t.equal(seen.etag, `"${changed.version}"`)
  t.equal((await as.get(`/v1/partnerships/${partnership.id}`, { key })).body.name, 'Samen naar school')
  t.notMatch((await as.get(`/v1/commitments/${changed.id}/history`, { key })).text, 'lapsed')
  t.equal((await as.get(`/v1/partnerships/${partnership.id}/reciprocity`, { key })).status, 404)
  await allianceTakenOver(as, { charity: organisations.charity })
  for (const path of [`partnerships/${partnership.id}/terms`, `partnerships/${partnership.id}/fulfilment`])
    t.equal((await as.get(`/v1/${path}`, { key })).status, 404, `${path}, though it takes part in another`)
  for (const path of [`commitments/${changed.id}/terms`, `commitments/${changed.id}/fulfilment`])
    t.equal((await as.get(`/v1/${path}`, { key })).status, 404, path)
  const feed = (await as.get('/v1/events?limit=500', { key })).body.data
  t.ok(
    feed.some(({ type }: Json) => type === 'commitment.agreed'),
    'what was told before stays',
  )
  t.notOk(feed.some(({ type }: Json) => type === 'commitment.lapsed'))
  t.notMatch(JSON.stringify(feed), 'Zonder hen')
  t.notMatch(JSON.stringify(feed), later.id)
  const report = { delivered_on: '2026-02-01', measure: kept.measure, reported_by_party_id: seats.charity }
  const written = await as.call('POST', `/v1/commitments/${kept.id}/fulfilments`, report, { key })
  t.same(faultsOf(written), ['/reported_by_party_id not_own_party'], 'and it acts no more')
  clock.set('2026-03-01T12:00:00.000000Z')
})

t.test('the feed tells a partner of what it sees, as it sees it, and of nothing else', async (t) => {
  const { as, partnership, organisations, companyKey, charityKey: key, ...seats } = await world()
  const other = await allianceTakenOver(as)
  await agreed(as, other)
  const draft = await commitment(as, { partnership, ...seats }, { title: 'Only thought of' })
  await as.step(`/v1/commitments/${draft.id}`, 'propose')
  await as.make('/v1/disruptions', { title: 'A flood', type: 'natural_disaster', started_on: '2026-02-01' })
  const managers = { metadata: { risk: 'low' }, name: 'Anders' }
  await as.call('PATCH', `/v1/partnerships/${partnership.id}`, managers, { ifMatch: '*' })
  const round = await openRound(as, partnership)
  const feed = async (as_: string, query = '') => (await as.get(`/v1/events?limit=500${query}`, { key: as_ })).body
  const seen = await feed(key)
  t.ok(seen.data.length > 5)
  const whole = await feed(as.key)
  t.equal(seen.latest, whole.latest)
  const foreign = [other.partnership.id, other.company, other.organisations.company.id, companyKey.slice(0, 18)]
  for (const id of foreign) t.notMatch(JSON.stringify(seen), id)
  const types = seen.data.map(({ type }: Json) => type)
  t.notOk(types.includes('commitment.created'), 'what was a draft is its author’s')
  t.ok(types.includes('commitment.proposed'))
  t.notOk(types.some((type: string) => /^(api_key|disruption|contact|webhook)/.test(type)))
  const invitations = seen.data.filter(({ resource_type }: Json) => resource_type === 'evaluation_invitation')
  t.ok(invitations.length > 0)
  for (const { data } of invitations) t.same([data.party_id, data.contact_id], [seats.charity, null])
  const last = seen.data.findLast(({ type }: Json) => type === 'partnership.updated')
  t.same(last.changed, ['name'], 'of what changed, what it is shown')
  const { body: record } = await as.get(`/v1/partnerships/${partnership.id}`, { key })
  t.same(last.data, record, 'one projection')
  t.match(last, { actor: { type: 'api_key', id: null }, request_id: null, needs_scope: null })
  const page = await feed(key, `&limit=2&after=0&types=partnership.*`.replace('&limit=2', ''))
  t.ok(page.data.every(({ resource_id }: Json) => resource_id === partnership.id))
  const narrow = await portalKey(as, [organisations.charity], ['events:read', 'partnerships:read'])
  const hidden = (await feed(narrow)).data.find(({ resource_id }: Json) => resource_id === round.id)
  t.match(hidden, { data: null, needs_scope: 'evaluations:read' })
  t.equal(
    (await as.get('/v1/events', { key: await portalKey(as, [organisations.charity], ['partnerships:read']) })).status,
    403,
  )
  const stranger = await portalKey(as, [await organisation(as, 'public', 'Nobody’s')])
  t.same(
    (await feed(stranger)).data.map(({ resource_type }: Json) => resource_type),
    ['organisation'],
    'its own organisation alone',
  )
  t.equal((await as.get(`/v1/events?after=${seen.latest + 1000}`, { key })).status, 410)
  t.same((await feed(key, `&after=${seen.latest}`)).data, [])
})

t.test('a partner looks up by our ids what it sees, and reads the terms', async (t) => {
  const { as, partnership, charityKey: key, ...seats } = await world()
  const gift = await agreed(as, { partnership, ...seats })
  const theirs = await agreed(as, await allianceTakenOver(as))
  const found = await as.call('POST', '/v1/commitments/lookup', { ids: [theirs.id, gift.id] }, { key })
  t.same(idsOf(found), [gift.id])
  t.same(found.body.not_found, { ids: [theirs.id], refs: [] })
  t.same(found.body.data[0], (await as.get(`/v1/commitments/${gift.id}`, { key })).body)
  const refs = [{ system: 'crm', id: 'A-1' }]
  t.same(faultsOf(await as.call('POST', '/v1/partnerships/lookup', { refs }, { key })), ['/refs not_for_partners'])
  const terms = (await as.get(`/v1/commitments/${gift.id}/terms`, { key })).body
  t.match(terms, { resource_id: gift.id, terms: { title: gift.title } })
  t.same(terms, (await as.get(`/v1/commitments/${gift.id}/terms`)).body)
  t.equal((await as.get(`/v1/commitments/${theirs.id}/terms`, { key })).status, 404)
  t.equal((await as.get(`/v1/partnerships/${partnership.id}/terms`, { key })).status, 200)
})

t.test('a key of an organisation that was merged sees what its survivor sees', async (t) => {
  const { as, partnership, organisations } = await world()
  const duplicate = await organisation(as, 'non_profit', 'Dubbel')
  const key = await portalKey(as, [duplicate])
  t.same(idsOf(await as.get('/v1/partnerships', { key })), [])
  const { id } = organisations.charity
  const merged = await as.call(
    'POST',
    `/v1/organisations/${id}/merge`,
    { duplicate_id: duplicate.id, duplicate_version: 1 },
    { ifMatch: '*' },
  )
  t.equal(merged.status, 200, merged.text)
  t.same(idsOf(await as.get('/v1/partnerships', { key })), [partnership.id])
})

t.test('a partner’s key is of organisations that are there, and has what partners may have', async (t) => {
  const as = await service.afresh()
  const { id } = await organisation(as, 'company')
  const nobody = newId()
  const asked = { name: 'Too much', scopes: ['admin', 'partnerships:read', 'personal_data:read'] }
  t.same(faultsOf(await as.call('POST', '/v1/api-keys', { ...asked, organisation_ids: [id, nobody] })), [
    '/scopes/0 not_for_partners',
    '/scopes/2 not_for_partners',
    '/organisation_ids/1 unknown_reference',
  ])
  const made = await as.make('/v1/api-keys', { name: 'Portal', scopes: ['partnerships:read'], organisation_ids: [id] })
  t.same(made.organisation_ids, [id])
  const other = await service.otherTenant('another of keys')
  const theirs = { name: 'x', scopes: ['partnerships:read'], organisation_ids: [id] }
  t.same(faultsOf(await as.call('POST', '/v1/api-keys', theirs, { key: other.key })), [
    '/organisation_ids/0 unknown_reference',
  ])
})

t.test('the database itself keeps from partners what is not theirs, whatever a query says', async (t) => {
  const { as, partnership, organisations, ...seats } = await world()
  await agreed(as, { partnership, ...seats })
  await agreed(as, await allianceTakenOver(as))
  const client = new pg.Client({ connectionString: as.url, options: `-c role=${partnerRole}` })
  await client.connect()
  t.teardown(() => client.end())
  const { rows: tables } = await client.query(`
    select c.relname as name, has_table_privilege('${partnerRole}', c.oid, 'select') as is_open,
      has_table_privilege('${partnerRole}', c.oid, 'insert, update, delete, truncate') as is_writable,
      (select count(*)::int from pg_policy p where p.polrelid = c.oid and not p.polpermissive
        and '${partnerRole}'::regrole::oid = any (p.polroles)) as walls
    from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace`)
  const open = tables.filter(({ is_open }) => is_open)
  t.ok(open.length > 15)
  for (const { name, walls } of open) t.ok(walls > 0, `${name} has a wall of its own for partners`)
  t.same(
    tables.filter(({ is_writable }) => is_writable),
    [],
    'and none is written',
  )
  for (const name of [
    'contacts',
    'tenant_counters',
    'audit_entries',
    'api_keys',
    'webhook_endpoints',
    'tenants',
    'disruptions',
  ]) {
    await t.rejects(client.query(`select from ${name}`), { code: '42501' }, name)
  }
  const set = (organisation: string) =>
    client.query(`select set_config('beide.tenant_id', $1, false), set_config('beide.organisations', $2, false)`, [
      as.tenantId,
      organisation,
    ])
  const count = async (table: string) => (await client.query(`select count(*)::int as n from ${table}`)).rows[0].n
  await set('')
  for (const { name } of open) t.equal(await count(name), 0, `${name} shows nothing to nobody`)
  await set(organisations.company.id)
  t.same([await count('partnerships'), await count('commitments'), await count('partnership_parties')], [1, 1, 2])
  await set(newId())
  for (const { name } of open) t.equal(await count(name), 0, `${name} shows nothing to a stranger`)
})
