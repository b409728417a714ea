import pg from 'pg'
import t from 'tap'
import { exported, makeExports } from './support/exporting.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import { isProblem } from './support/problem.ts'
import { draft, organisation } from './support/world.ts'

const shared = await startService(t)
const path = '/v1/organisations'
const nobody = '0190a6c5-0000-7000-8000-000000000000'

const merge = (service: Service, survivor: string, body: object, options: object = {}) =>
  service.call('POST', `${path}/${survivor}/merge`, body, { ifMatch: '*', ...options })
const preview = (service: Service, survivor: string, body: object) =>
  service.call('POST', `${path}/${survivor}/merge-preview`, body)
const faultsOf = (answer: { body: Json }): string[] =>
  answer.body.errors.map((fault: Json) => `${fault.pointer} ${fault.code}`).sort()
const read = async (service: Service, of: string): Promise<Json> => (await service.get(of)).body

/** A survivor and a duplicate that has one of everything that can point at an organisation. */
async function twoOfOne(service: Service) {
  const survivor = await service.make(path, {
    name: 'Voorbeeld BV',
    sector: 'company',
    identifiers: [{ scheme: 'NL-KVK', value: '12345678' }],
    external_refs: [{ system: 'crm', id: 'a' }],
  })
  const duplicate = await service.make(path, {
    name: 'Voorbeeld B.V.',
    sector: 'company',
    identifiers: [{ scheme: 'NL-KVK', value: '87654321' }],
    external_refs: [
      { system: 'crm', id: 'b' },
      { system: 'erp', id: '7', url: 'https://erp.example/7' },
    ],
  })
  const subsidiary = await service.make(path, { name: 'Dochter', sector: 'company', parent_id: duplicate.id })
  const contact = await service.make(`${path}/${duplicate.id}/contacts`, { name: 'Fatima', function: 'operations' })
  const objective = await service.make('/v1/objectives', {
    organisation_id: duplicate.id,
    level: 'outcome',
    title: 'More children read',
    importance: 4,
    active_from: '2026-01-01',
  })
  await service.make('/v1/objectives', {
    organisation_id: duplicate.id,
    parent_id: objective.id,
    level: 'output',
    title: 'Books',
    importance: 2,
    active_from: '2026-01-01',
  })
  const charity = await organisation(service, 'non_profit')
  const partnership = await service.make('/v1/partnerships', {
    name: 'Samen',
    parties: [
      { organisation_id: duplicate.id, side: 'company' },
      { organisation_id: charity.id, side: 'non_profit' },
    ],
    managers: [{ organisation_id: duplicate.id, contact_id: contact.id }],
  })
  return { survivor, duplicate, subsidiary, contact, objective, charity, partnership }
}

t.test('all that points at a duplicate points at the survivor, and a preview says so before', async (t) => {
  const service = await shared.afresh()
  const { survivor, duplicate, subsidiary, contact, objective, partnership } = await twoOfOne(service)
  const before = (await read(service, '/v1/events?limit=200')).data.at(-1).sequence
  const shown = await preview(service, survivor.id, { duplicate_ref: { system: 'erp', id: '7' } })
  t.equal(shown.status, 200, shown.text)
  t.match(shown.body, {
    survivor: { id: survivor.id, name: 'Voorbeeld BV', version: 1 },
    duplicate: { id: duplicate.id },
    moves: { contacts_count: 1, partnerships_count: 1, objectives_count: 2, subsidiaries_count: 1 },
    conflicts: [],
  })
  t.same(shown.body.moves.external_refs, duplicate.external_refs)
  t.same((await read(service, `/v1/events?after=${before}`)).data, [], 'a preview changes nothing')

  const merged = await merge(service, survivor.id, { duplicate_id: duplicate.id }, { ifMatch: '"1"' })
  t.equal(merged.status, 200, merged.text)
  t.equal(merged.etag, '"2"')
  t.match(merged.body, { id: survivor.id, name: 'Voorbeeld BV', alternate_names: ['Voorbeeld B.V.'], version: 2 })
  t.same(merged.body.external_refs, [...survivor.external_refs, ...duplicate.external_refs])
  t.same(merged.body.identifiers, [
    { scheme: 'NL-KVK', value: '12345678', role: 'primary' },
    { scheme: 'NL-KVK', value: '87654321', role: 'secondary' },
  ])
  t.match(await read(service, `${path}/${subsidiary.id}`), { parent_id: survivor.id, version: 2 })
  t.match(await read(service, `/v1/contacts/${contact.id}`), { organisation_id: survivor.id, version: 2 })
  t.match(await read(service, `/v1/objectives/${objective.id}`), { organisation_id: survivor.id, version: 2 })
  const after = await read(service, `/v1/partnerships/${partnership.id}`)
  t.match(after, { version: 2, managers: partnership.managers })
  t.same(
    after.parties,
    partnership.parties.map((party: Json) =>
      party.organisation_id === duplicate.id ? { ...party, organisation_id: survivor.id } : party,
    ),
    'the party keeps its id: what points at it need not change',
  )
  t.equal((await service.get(`/v1/partnerships?organisation_id=${survivor.id}`)).body.data.length, 1)

  const { data } = await read(service, `/v1/events?after=${before}`)
  t.same(
    data.map(({ type, resource_id }: Json) => `${type} ${resource_id}`),
    [
      `organisation.merged ${duplicate.id}`,
      `organisation.updated ${survivor.id}`,
      `organisation.updated ${subsidiary.id}`,
      `contact.updated ${contact.id}`,
      ...data
        .filter(({ type }: Json) => type === 'objective.updated')
        .map(({ resource_id }: Json) => `objective.updated ${resource_id}`),
      `partnership.updated ${partnership.id}`,
    ],
    'each change in the feed, the merge first',
  )
  t.match(data[0].data, { id: duplicate.id, merged_into_id: survivor.id, external_refs: [], identifiers: [] })
})

t.test('the id of what was merged leads to the survivor, through later merges too; its refs find it', async (t) => {
  const service = await shared.afresh()
  const { survivor, duplicate } = await twoOfOne(service)
  const last = await organisation(service, 'company', 'Holding')
  const gone = `${path}/${duplicate.id}`
  t.equal((await merge(service, survivor.id, { duplicate_id: duplicate.id })).status, 200)
  for (const [of, to] of [
    [gone, `${path}/${survivor.id}`],
    [`${gone}/contacts?limit=3&q=fat`, `${path}/${survivor.id}/contacts?limit=3&q=fat`],
  ] as const) {
    const answer = await service.get(of, { headers: { 'if-none-match': '"1"' } })
    t.equal(answer.status, 308)
    t.equal(answer.headers['location'], to)
    t.equal(answer.text, '')
  }
  t.equal((await merge(service, last.id, { duplicate_ref: { system: 'crm', id: 'b' } })).status, 200)
  for (const { id } of [duplicate, survivor]) {
    t.equal((await service.get(`${path}/${id}`)).headers['location'], `${path}/${last.id}`)
  }
  for (const ref of ['crm/a', 'crm/b', 'erp/7']) {
    t.equal((await service.get(`${path}/by-ref/${ref}`)).body.id, last.id, ref)
  }
  t.equal((await service.get(`${path}?identifier=NL-KVK:87654321`)).body.data[0].id, last.id)
  t.equal((await service.get(`${path}?q=voorbeeld`)).body.data.length, 1, 'found by the names of those that went')
  t.equal((await service.get(`${path}?q=voorbeeld&include_merged=true`)).body.data.length, 3)
  const looked = await service.make(`${path}/lookup`, { ids: [duplicate.id] })
  t.equal(looked.data[0].merged_into_id, survivor.id)

  const write = { name: 'x', sector: 'other' }
  const refused = [
    await service.call('PATCH', gone, { name: 'x' }, { ifMatch: '*' }),
    await service.call('DELETE', gone, undefined, { ifMatch: '*' }),
    await service.call('POST', `${gone}/contacts`, { name: 'x', function: 'other' }),
    await service.call('PUT', `${gone}/contacts/by-ref/crm/1`, { name: 'x', function: 'other' }),
    await preview(service, duplicate.id, { duplicate_id: last.id }),
    await merge(service, duplicate.id, { duplicate_id: last.id }),
    await merge(service, last.id, { duplicate_id: duplicate.id }),
  ]
  for (const answer of refused) {
    isProblem(t, answer, 'state_forbids')
    t.equal(answer.body.merged_into_id, last.id)
  }
  for (const [to, body, pointer] of [
    [path, { ...write, parent_id: duplicate.id }, '/parent_id'],
    [
      '/v1/partnerships',
      { name: 'x', parties: [{ organisation_id: duplicate.id, side: 'company' }] },
      '/parties/0/organisation_id',
    ],
    [
      '/v1/objectives',
      { organisation_id: duplicate.id, level: 'outcome', title: 'x', importance: 1, active_from: '2026-01-01' },
      '/organisation_id',
    ],
    [
      '/v1/api-keys',
      { name: 'x', scopes: ['partnerships:read'], organisation_ids: [last.id, duplicate.id] },
      '/organisation_ids/1',
    ],
  ] as const) {
    const answer = await service.call('POST', to, body)
    isProblem(t, answer, 'rule_violated')
    t.same(faultsOf(answer), [`${pointer} merged`])
  }
  const kept = await service.call('DELETE', `${path}/${last.id}`, undefined, { ifMatch: '*' })
  isProblem(t, kept, 'in_use')
  t.ok(kept.body.dependants.includes('merged organisations'), 'a survivor stays while ids lead to it')
})

t.test("who filters by the id of what was merged finds what is the survivor's, page by page and counted", async (t) => {
  const service = await shared.afresh()
  const { survivor, duplicate, partnership } = await twoOfOne(service)
  await service.make('/v1/commitments', {
    partnership_id: partnership.id,
    from_organisation_id: duplicate.id,
    kind: 'volunteer_time',
    title: 'Hours',
    measure: { type: 'quantity', quantity: '10', unit: 'hour' },
  })
  for (const id of [duplicate.id, survivor.id]) {
    await service.make('/v1/api-keys', { name: id, scopes: ['partnerships:read'], organisation_ids: [id] })
  }
  t.equal((await merge(service, survivor.id, { duplicate_id: duplicate.id })).status, 200)
  const last = await organisation(service, 'company', 'Holding')
  t.equal((await merge(service, last.id, { duplicate_id: survivor.id })).status, 200)
  const found = new Set<string>()
  for (const [url, operations] of Object.entries<Json>(service.document.paths)) {
    const names = (operations.get?.parameters ?? [])
      .filter(({ in: place, name, required }: Json) => place === 'query' && !required && /organisation_id$/.test(name))
      .map(({ name }: Json) => name)
    if (url.includes('{') || /exports|snapshot/.test(url)) continue
    for (const name of names) {
      const asked = async (id: string) => read(service, `${url}?include_total=true&${name}=${id}`)
      const expected = await asked(last.id)
      for (const { id } of [duplicate, survivor]) t.same(await asked(id.toUpperCase()), expected, `${url} ${name}`)
      if (expected.total > 0) found.add(url)
    }
  }
  const paths = ['api-keys', 'commitments', 'contacts', 'objectives', 'partnership-measures', 'partnerships']
  t.same(
    [...found].sort(),
    paths.map((name) => `/v1/${name}`),
  )
  t.equal((await read(service, `/v1/api-keys?organisation_id=${last.id}`)).data.length, 2)
  t.equal((await read(service, `${path}?parent_id=${duplicate.id}`)).data.length, 1, 'subsidiaries')
  const first = await read(service, `/v1/objectives?limit=1&organisation_id=${duplicate.id}`)
  const next = `/v1/objectives?limit=1&organisation_id=${duplicate.id}&cursor=${first.next_cursor}`
  const titles = [first, await read(service, next)].flatMap(({ data }) => data.map(({ title }: Json) => title))
  t.same(titles, ['More children read', 'Books'])
  const tables = Object.entries<Json>(service.document.paths).flatMap(([url, { get }]) => {
    const narrows = /exports.*csv$/.test(url) && !/snapshot/.test(url)
    return narrows && get.parameters.some(({ name }: Json) => name === 'organisation_id') ? [url] : []
  })
  for (const url of tables) {
    const rows = async (id: string) => (await service.get(`${url}?organisation_id=${id}`)).text
    for (const { id } of [duplicate, survivor]) t.equal(await rows(id.toUpperCase()), await rows(last.id), url)
  }
  t.ok(tables.length > 3)
  await makeExports(t, service)
  const filters = { objectives: { organisation_id: duplicate.id } }
  const { files } = await exported(service, { tables: ['objectives'], format: 'csv', filters })
  t.match(
    files.map(({ rows }: Json) => rows),
    [null, 2],
    'what is ordered as well',
  )
  const change = { tables: ['objectives'], format: 'csv', filters, changed_after_sequence: 1 }
  isProblem(t, await service.call('POST', '/v1/exports', change), 'rule_violated')
  const { key } = await service.otherTenant('other')
  t.same((await service.get(`/v1/objectives?organisation_id=${duplicate.id}`, { key })).body.data, [])
  t.same((await read(service, `/v1/objectives?organisation_id=${nobody}`)).data, [])
})

t.test('a merge that cannot be is refused with every reason', async (t) => {
  const service = await shared.afresh()
  const partnership = await draft(service)
  const [company, charity] = partnership.parties.map((party: Json) => party.organisation_id)
  await service.call('PATCH', `${path}/${company}`, { parent_id: charity }, { ifMatch: '*' })
  const refs = (system: string, length: number) => Array.from({ length }, (_, at) => ({ system, id: String(at) }))
  await service.call('PATCH', `${path}/${company}`, { external_refs: refs('crm', 30) }, { ifMatch: '*' })
  await service.call('PATCH', `${path}/${charity}`, { external_refs: refs('erp', 30) }, { ifMatch: '*' })
  const refused = await merge(service, company, { duplicate_id: charity })
  isProblem(t, refused, 'state_forbids')
  t.same(faultsOf(refused), ['/duplicate_id both_parties', '/duplicate_id circle', '/duplicate_id too_many_names'])
  t.same(refused.body.conflicts[0].partnership_ids, [partnership.id])
  t.same((await preview(service, company, { duplicate_id: charity })).body.conflicts, refused.body.conflicts)
  t.match(await read(service, `${path}/${charity}`), { merged_into_id: null })

  const other = await organisation(service, 'company')
  for (const [body, fault] of [
    [{}, '/duplicate_id required'],
    [{ duplicate_id: other.id, duplicate_ref: { system: 'crm', id: '1' } }, '/duplicate_ref exclusive'],
    [{ duplicate_ref: { system: 'crm', id: 'none' } }, '/duplicate_ref unknown_reference'],
    [{ duplicate_id: nobody }, '/duplicate_id unknown_reference'],
    [{ duplicate_id: other.id }, '/duplicate_id same'],
  ] as const) {
    for (const answer of [await merge(service, other.id, body), await preview(service, other.id, body)]) {
      isProblem(t, answer, 'rule_violated')
      t.same(faultsOf(answer), [fault])
    }
  }
  const stale = await merge(service, other.id, { duplicate_id: charity, duplicate_version: 1 })
  isProblem(t, stale, 'stale')
  isProblem(t, await merge(service, other.id, { duplicate_id: charity }, { ifMatch: '"9"' }), 'stale')
})

t.test('moving records asks for what changing them asks for', async (t) => {
  const service = await shared.afresh()
  const { survivor, duplicate } = await twoOfOne(service)
  const held = ['organisations:write']
  for (const scope of ['personal_data:write', 'objectives:write', 'partnerships:write']) {
    const key = await service.keyWith(held)
    const refused = await merge(service, survivor.id, { duplicate_id: duplicate.id }, { key })
    isProblem(t, refused, 'forbidden')
    t.equal(refused.body.scope, scope)
    held.push(scope)
  }
  const key = await service.keyWith(held)
  t.equal((await merge(service, survivor.id, { duplicate_id: duplicate.id }, { key })).status, 200)
})

t.test('of merges both ways at once exactly one happens; nothing comes to point at what goes meanwhile', async (t) => {
  const service = await shared.afresh()
  for (let round = 0; round < 5; round += 1) {
    const [a, b] = [await organisation(service, 'company', 'A'), await organisation(service, 'company', 'B')]
    const seat = (name: string) =>
      service.call('POST', '/v1/partnerships', { name, parties: [{ organisation_id: b.id, side: 'company' }] })
    const contact = () => service.call('POST', `${path}/${b.id}/contacts`, { name: 'x', function: 'other' })
    const answers = await Promise.all([
      seat('before'),
      merge(service, a.id, { duplicate_id: b.id }),
      merge(service, b.id, { duplicate_id: a.id }),
      seat('after'),
      contact(),
      service.call('POST', path, { name: 'child', sector: 'other', parent_id: b.id }),
    ])
    const merges = answers.slice(1, 3).map(({ status }) => status)
    t.same(merges.sort(), [200, 409])
    for (const { status } of answers) t.ok([200, 201, 409, 422].includes(status), String(status))
  }
  const astray = await service.database.read(service, (tx) =>
    tx.client.query(`
      select 1 from organisations o join (
        select organisation_id as id from partnership_parties union all select organisation_id from contacts
        union all select parent_id from organisations) p using (id)
      where o.merged_into_id is not null`),
  )
  t.equal(astray.rowCount, 0)
})

t.test('every foreign key to organisations is one that merging knows', async (t) => {
  const client = new pg.Client({ connectionString: shared.url })
  await client.connect()
  t.teardown(() => client.end())
  const { rows } = await client.query(`
    select c.conrelid::regclass || '.' || a.attname as name
    from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any(c.conkey)
    where c.contype = 'f' and c.confrelid = 'organisations'::regclass and a.attname <> 'tenant_id' order by 1`)
  t.same(
    rows.map(({ name }) => name),
    [
      'contacts.organisation_id',
      'evaluations.organisation_id',
      'objectives.organisation_id',
      'organisation_identifiers.organisation_id',
      'organisations.merged_into_id',
      'organisations.parent_id',
      'partnership_parties.organisation_id',
      // Stays where it is: what was told then was told of the organisation that there was.
      'portfolio_snapshots.organisation_id',
    ],
    'a new one moves in mergeOrganisation, and then stands here',
  )
})
