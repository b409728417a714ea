import t from 'tap'
import { wholeTenant } from '../src/db/database.ts'
import { type Service, startService } from './support/harness.ts'
import { tablesWith } from './support/rows-with.ts'

const person = {
  name: 'Jürgen Groenendijk',
  email: 'j.groenendijk@voorbeeld.example',
  phone: '+31 20 555 01 23',
  job_title: 'Hoofd partnerschappen',
  function: 'alliance_manager',
  language: 'nl',
  external_refs: [{ system: 'crm', id: '003-JG', url: 'https://crm.example/003-JG' }],
  metadata: { nickname: 'Jurriaan' },
}

const shared = await startService(t)

async function withOrganisation(given?: Service): Promise<{ service: Service; organisation: string; path: string }> {
  const service = given ?? (await shared.afresh())
  const { id } = await service.make('/v1/organisations', { name: 'Stichting Voorbeeld', sector: 'non_profit' })
  return { service, organisation: id, path: `/v1/organisations/${id}/contacts` }
}

t.test('a contact is made below its organisation and read by its own address', async (t) => {
  const { service, organisation, path } = await withOrganisation()
  const made = await service.call('POST', path, person)
  t.equal(made.status, 201)
  t.equal(made.headers['location'], `/v1/contacts/${made.body.id}`)
  const read = await service.get(`/v1/contacts/${made.body.id}`)
  t.equal(read.etag, '"1"')
  t.same(read.body, made.body)
  t.match(read.body, { ...person, organisation_id: organisation, active: true, erased_at: null, version: 1 })
  const byRef = await service.get('/v1/contacts/by-ref/crm/003-JG')
  t.same(byRef.body, made.body)
  t.equal((await service.get('/v1/contacts/by-ref/crm/003-XX')).status, 404)
})

t.test('what may be left out becomes null, and null clears', async (t) => {
  const { service, path } = await withOrganisation()
  const { id } = await service.make(path, { name: 'An', function: 'finance' })
  const bare = await service.get(`/v1/contacts/${id}`)
  t.match(bare.body, { email: null, phone: null, job_title: null, language: null, external_refs: [] })
  t.same(bare.body.metadata, {})
  const full = await service.call(
    'PATCH',
    `/v1/contacts/${id}`,
    { email: 'an@x.example', active: false },
    { ifMatch: '"1"' },
  )
  t.match(full.body, { email: 'an@x.example', active: false, version: 2 })
  const cleared = await service.call('PATCH', `/v1/contacts/${id}`, { email: null, active: null }, { ifMatch: '"2"' })
  t.match(cleared.body, { email: null, active: true, name: 'An' }, 'a cleared member takes its default')
  const same = await service.call('PATCH', `/v1/contacts/${id}`, { name: 'An' }, { ifMatch: '"3"' })
  t.equal(same.etag, '"3"', 'a change of nothing keeps the version')
})

t.test('every fault of a contact is named at once', async (t) => {
  const { service, path } = await withOrganisation()
  const bad = await service.call('POST', path, { name: ' ', email: 'no', function: 'boss', salary: 1 })
  t.equal(bad.status, 400)
  t.same(bad.body.errors.map((fault: { pointer: string }) => fault.pointer).sort(), [
    '/email',
    '/function',
    '/name',
    '/salary',
  ])
  const { id } = await service.make(path, person)
  const nameless = await service.call('PATCH', `/v1/contacts/${id}`, { name: null }, { ifMatch: '*' })
  t.equal(nameless.status, 400, 'only erasing takes the name away')
  t.match(nameless.body.errors, [{ pointer: '/name', code: 'type' }])
  const large = await service.call('POST', path, {
    name: 'An',
    function: 'other',
    metadata: { note: 'x'.repeat(17_000) },
  })
  t.match(large, { status: 422, body: { errors: [{ pointer: '/metadata', code: 'too_large' }] } })
})

t.test('an organisation that is not there has no contacts: 404, not an empty list', async (t) => {
  const { service } = await withOrganisation()
  const path = '/v1/organisations/0190a6c5-0000-7000-8000-000000000000/contacts'
  t.equal((await service.get(path)).status, 404)
  t.equal((await service.call('POST', path, person)).status, 404)
  t.equal((await service.call('PUT', `${path}/by-ref/crm/1`, person)).status, 404)
})

t.test('the list of one organisation is filtered, searched and sorted', async (t) => {
  const { service, path } = await withOrganisation()
  const other = await service.make('/v1/organisations', { name: 'Other', sector: 'company' })
  await service.make(`/v1/organisations/${other.id}/contacts`, { name: 'Not here', function: 'finance' })
  await service.make(path, person)
  await service.make(path, { name: 'Zoë Łukasiewicz', function: 'finance' })
  await service.make(path, { name: 'bart', function: 'finance', active: false })
  const names = async (query: string) =>
    (await service.get(`${path}${query}`)).body.data.map((contact: { name: string }) => contact.name)
  t.same(await names('?sort=name'), ['bart', person.name, 'Zoë Łukasiewicz'])
  t.same(await names('?sort=-name&limit=1'), ['Zoë Łukasiewicz'])
  t.same(await names('?q=lukasiewicz'), ['Zoë Łukasiewicz'])
  t.same(await names('?q=JURGEN'), [person.name])
  t.same(await names('?q=groenendijk%40voorbeeld'), [person.name])
  t.same(await names('?q=%25'), [], 'a percent sign is itself')
  t.same(await names('?function=finance&active=true'), ['Zoë Łukasiewicz'])
  t.same(await names('?external_ref=crm:003-JG'), [person.name])
  t.equal((await service.get(`${path}?include_total=true&limit=1`)).body.total, 3)
})

t.test('the contacts of all organisations are listed together', async (t) => {
  const { service, organisation, path } = await withOrganisation()
  const other = await service.make('/v1/organisations', { name: 'Other', sector: 'company' })
  const below = `/v1/organisations/${other.id}/contacts`
  const all = [
    await service.make(path, person),
    await service.make(below, { name: 'Zoë Łukasiewicz', function: 'finance' }),
    await service.make(below, { name: 'bart', function: 'finance', active: false }),
  ]
  const list = async (query = '') => {
    const answer = await service.get(`/v1/contacts${query}`)
    t.equal(answer.status, 200, answer.text)
    return answer.body
  }
  const names = async (query: string) => (await list(query)).data.map(({ name }: { name: string }) => name)
  t.strictSame((await list()).data, all)
  t.same(await names('?sort=name'), ['bart', person.name, 'Zoë Łukasiewicz'])
  t.same(await names(`?organisation_id=${organisation}`), [person.name])
  t.same(await names(`?organisation_id=${other.id.toUpperCase()}&function=finance&active=true`), ['Zoë Łukasiewicz'])
  t.same(await names('?q=lukasiewicz'), ['Zoë Łukasiewicz'])
  t.same(await names('?external_ref=crm:003-JG'), [person.name])
  t.equal((await list('?include_total=true&limit=1')).total, 3)
  const walked: string[] = []
  for (let query: string | null = '?limit=1&sort=-updated_at'; query !== null; ) {
    const page = await list(query)
    walked.push(...page.data.map(({ id }: { id: string }) => id))
    query = page.next_cursor && `?limit=1&sort=-updated_at&cursor=${page.next_cursor}`
  }
  t.same(walked, all.map(({ id }) => id).reverse())
  const { next_cursor } = (await service.get(`${below}?limit=1`)).body
  const elsewhere = await service.get(`/v1/contacts?limit=1&cursor=${next_cursor}`)
  t.match(elsewhere, { status: 400, body: { code: 'invalid_cursor' } }, 'a cursor is of its own list')

  // What a sync asks: who has changed since, erased ones among them.
  const [first, second] = all
  const changed = await service.call('POST', `/v1/contacts/${second.id}/erase`, {}, { ifMatch: '*' })
  const since = `?updated_since=${encodeURIComponent(changed.body.updated_at)}`
  t.strictSame((await list(since)).data, [changed.body])
  t.match(changed.body, { name: null, email: null, erased_at: changed.body.updated_at })

  const merged = await service.call(
    'POST',
    `/v1/organisations/${organisation}/merge`,
    { duplicate_id: other.id },
    { ifMatch: '*' },
  )
  t.equal(merged.status, 200, merged.text)
  t.same((await list(`?organisation_id=${other.id}`)).data.length, 3, 'an id that went stands for the survivor')
  t.match((await list()).data[0], { id: first.id, organisation_id: organisation })
  t.same((await (await service.afresh()).get('/v1/contacts')).body.data, [])
})

t.test('a contact is created or replaced by the id of the client', async (t) => {
  const { service, path } = await withOrganisation()
  const address = `${path}/by-ref/crm/003-JG`
  const made = await service.call('PUT', address, { name: 'An', function: 'finance' })
  t.equal(made.status, 201)
  t.match(made.body.external_refs, [{ system: 'crm', id: '003-JG', url: null }])
  const again = await service.call('PUT', address, { name: 'An', function: 'finance' })
  t.match(again, { status: 200, etag: '"1"' }, 'an identical body changes nothing')
  const replaced = await service.call('PUT', address, { name: 'Anna', function: 'finance' }, { ifMatch: '"1"' })
  t.match(replaced, { status: 200, body: { id: made.body.id, name: 'Anna', version: 2 } })
  t.equal((await service.call('PUT', address, { name: 'A', function: 'finance' }, { ifMatch: '"1"' })).status, 412)
  const other = await service.make('/v1/organisations', { name: 'Other', sector: 'company' })
  const moved = await service.call('PUT', `/v1/organisations/${other.id}/contacts/by-ref/crm/003-JG`, {
    name: 'Anna',
    function: 'finance',
  })
  t.match(moved, { status: 409, body: { code: 'duplicate' } })
  const taken = await service.call('POST', path, {
    name: 'B',
    function: 'other',
    external_refs: [{ system: 'crm', id: '003-JG' }],
  })
  t.match(taken, { status: 409, body: { code: 'duplicate', errors: [{ pointer: '/external_refs/0' }] } })
})

t.test('a contact is deleted, unless a record names it', async (t) => {
  const { service, organisation, path } = await withOrganisation()
  const { id } = await service.make(path, person)
  const named = await service.make(path, { name: 'Named', function: 'operations' })
  await manage(service, organisation, named.id)
  t.equal((await service.call('DELETE', `/v1/contacts/${id}`)).status, 428)
  t.equal((await service.call('DELETE', `/v1/contacts/${id}`, undefined, { ifMatch: '"7"' })).status, 412)
  t.equal((await service.call('DELETE', `/v1/contacts/${id}`, undefined, { ifMatch: '"1"' })).status, 204)
  t.equal((await service.get(`/v1/contacts/${id}`)).status, 404)
  t.equal((await service.get('/v1/contacts/by-ref/crm/003-JG')).status, 404)
  const refused = await service.call('DELETE', `/v1/contacts/${named.id}`, undefined, { ifMatch: '*' })
  t.match(refused, { status: 409, body: { code: 'in_use', dependants: ['partnerships'] } })
  t.equal((await service.call('POST', `/v1/contacts/${named.id}/erase`, {}, { ifMatch: '*' })).status, 200)
  const organisationKept = await service.call('DELETE', `/v1/organisations/${organisation}`, undefined, {
    ifMatch: '*',
  })
  t.match(organisationKept.body, { code: 'in_use', dependants: ['partnerships', 'contacts'] })
})

/** Makes a contact the manager of a partnership, in the rows alone. */
async function manage(service: Service, organisation: string, contact: string): Promise<void> {
  await service.database.write(
    {
      ...wholeTenant(service.tenantId),
      actor: { type: 'system', id: null },
      scopes: [],
      requestId: 'test',
      now: '2026-01-01T00:00:00Z',
    },
    async (tx) => {
      const tenant_id = tx.tenantId
      const [partnership_id, party_id] = [
        '0190a6c5-0000-7000-8000-000000000001',
        '0190a6c5-0000-7000-8000-000000000002',
      ]
      const times = { created_at: tx.now, updated_at: tx.now }
      await tx.db
        .insertInto('partnerships')
        .values({
          tenant_id,
          id: partnership_id,
          ...times,
          name: 'P',
          evaluation_interval: 'P6M',
          base_currency: 'EUR',
          time_zone: 'Europe/Amsterdam',
          status: 'draft',
          sort_name: 'p',
          search_text: 'p',
        })
        .execute()
      await tx.db
        .insertInto('partnership_parties')
        .values({
          tenant_id,
          id: party_id,
          partnership_id,
          organisation_id: organisation,
          side: 'other',
          role: 'lead',
          position: 0,
        })
        .execute()
      await tx.db
        .insertInto('partnership_managers')
        .values({ tenant_id, partnership_id, party_id, contact_id: contact, position: 0 })
        .execute()
    },
  )
}

t.test('erasing a person leaves nothing of them in any table, and keeps the id', async (t) => {
  // In a database of its own: the search goes through all of it, whichever tenant a row is of.
  const { service, organisation, path } = await withOrganisation(await startService(t))
  const { id } = await service.make(path, person, { headers: { 'idempotency-key': 'make-jurgen' } })
  const changed = { name: 'Jürgen Lindehout', email: 'lindehout@voorbeeld.example', phone: '+31 6 98 76 54 32' }
  await service.call('PATCH', `/v1/contacts/${id}`, changed, { ifMatch: '"1"' })
  const secrets = [
    ...['Groenendijk', '555 01 23', 'Hoofd partnerschappen', '003-JG', 'Jurriaan'],
    ...['Lindehout', '98 76 54 32'],
  ]
  t.same(await tablesWith(service, 'Lindehout'), ['public.contacts'], 'no other table ever held the person')

  t.equal((await service.call('POST', `/v1/contacts/${id}/erase`, {})).status, 428)
  t.equal((await service.call('POST', `/v1/contacts/${id}/erase`, {}, { ifMatch: '"1"' })).status, 412)
  const erased = await service.call('POST', `/v1/contacts/${id}/erase`, {}, { ifMatch: '"2"' })
  t.equal(erased.status, 200)
  t.match(erased.body, {
    id,
    organisation_id: organisation,
    function: 'alliance_manager',
    version: 3,
    active: false,
    name: null,
    email: null,
    phone: null,
    job_title: null,
    language: null,
    external_refs: [],
    metadata: {},
    erased_at: erased.body.updated_at,
  })
  for (const secret of secrets) t.same(await tablesWith(service, secret), [], secret)
  t.equal((await service.get(`${path}?q=jurgen`)).body.data.length, 0)

  const again = await service.call('POST', `/v1/contacts/${id}/erase`, {}, { ifMatch: '"3"' })
  t.match(again, { status: 200, etag: '"3"' }, 'erasing again changes nothing')
  const written = await service.call('PATCH', `/v1/contacts/${id}`, { name: 'Jürgen' }, { ifMatch: '"3"' })
  t.match(written, { status: 409, body: { code: 'state_forbids' } })
  t.equal((await service.call('DELETE', `/v1/contacts/${id}`, undefined, { ifMatch: '"3"' })).status, 204)
})

t.test('events tell that a contact changed, and nothing about the person', async (t) => {
  const { service, organisation, path } = await withOrganisation()
  const { id } = await service.make(path, person)
  await service.call('PATCH', `/v1/contacts/${id}`, { phone: null }, { ifMatch: '"1"' })
  await service.call('POST', `/v1/contacts/${id}/erase`, {}, { ifMatch: '"2"' })
  await service.call('DELETE', `/v1/contacts/${id}`, undefined, { ifMatch: '"3"' })
  const events = await service.database.read(service, (tx) =>
    tx.db
      .selectFrom('events')
      .select(['type', 'version', 'changed', 'representation'])
      .where('tenant_id', '=', tx.tenantId)
      .where('resource_id', '=', id)
      .orderBy('sequence')
      .execute(),
  )
  t.match(events, [
    { type: 'contact.created', version: 1 },
    { type: 'contact.updated', version: 2, changed: ['phone'] },
    { type: 'contact.erased', version: 3 },
    { type: 'contact.deleted', version: 4, representation: null },
  ])
  const kept = ['active', 'created_at', 'erased_at', 'function', 'id', 'organisation_id', 'updated_at', 'version']
  for (const { representation } of events.slice(0, 3)) {
    t.same(Object.keys(representation as object).sort(), kept)
    t.match(representation, { id, organisation_id: organisation })
  }
})

t.test('persons are for those alone who may see them', async (t) => {
  const { service, path } = await withOrganisation()
  const { id } = await service.make(path, person)
  const key = await service.keyWith(['organisations:read', 'organisations:write'])
  t.match(await service.get(path, { key }), { status: 403, body: { scope: 'personal_data:read' } })
  t.match(await service.get(`/v1/contacts/${id}`, { key }), { status: 403, body: { scope: 'personal_data:read' } })
  t.match(await service.call('POST', path, person, { key }), { status: 403, body: { scope: 'personal_data:write' } })
  const reader = await service.keyWith(['personal_data:read'])
  t.equal((await service.get(`/v1/contacts/${id}`, { key: reader })).body.name, person.name)
  t.match(await service.get('/v1/contacts', { key }), { status: 403, body: { scope: 'personal_data:read' } })
  t.equal((await service.get('/v1/contacts', { key: reader })).body.data[0].name, person.name)
})

t.test('whoever is shown persons is noted, with whom, however they were found', async (t) => {
  const { service, path } = await withOrganisation()
  const [first, second] = [
    await service.make(path, person),
    await service.make(path, { name: 'An', function: 'other' }),
  ]
  await service.get('/v1/contacts?limit=1&q=groenendijk')
  await service.get('/v1/contacts')
  await service.get('/v1/contacts?q=nobody')
  await service.get('/v1/contacts/by-ref/crm/003-JG')
  await service.call('POST', '/v1/contacts/lookup', { ids: [second.id] })
  const [asked, whole] = [
    await service.call('HEAD', '/v1/contacts?limit=1&sort=name'),
    await service.get('/v1/contacts?limit=1&sort=name'),
  ]
  t.equal(asked.headers['link'], whole.headers['link'], 'HEAD tells by its fields what GET shows')
  await service.get(path)
  const { data } = (await service.get('/v1/audit?category=disclosure&sort=sequence')).body
  const both = [first.id, second.id]
  t.match(data, [
    {
      operation: 'list_contacts',
      resource_id: null,
      details: { parameters: ['limit', 'q', 'sort', 'include_total'], contact_ids: [first.id] },
    },
    { operation: 'list_contacts', details: { contact_ids: both } },
    { operation: 'get_contact_by_ref', resource_type: 'contact', resource_id: first.id },
    { operation: 'lookup_contacts', details: { contact_ids: [second.id] } },
    { operation: 'list_contacts', details: { contact_ids: [second.id] } },
    { operation: 'list_contacts', details: { contact_ids: [second.id] } },
    { operation: 'list_organisation_contacts', resource_type: 'organisation', details: { contact_ids: both } },
  ])
  t.notMatch(JSON.stringify(data), /groenendijk/i)
  const told = async ({ id }: { id: string }) =>
    (await service.get(`/v1/contacts/${id}/data`)).body.disclosures.latest.map(
      ({ operation }: { operation: string }) => operation,
    )
  const lists = ['list_contacts', 'list_contacts']
  t.same(await told(first), ['list_organisation_contacts', 'get_contact_by_ref', ...lists])
  t.same(await told(second), ['list_organisation_contacts', ...lists, 'lookup_contacts', 'list_contacts'])
})

t.test('who was shown the contacts of an organisation stays told of them when it is merged', async (t) => {
  const { service, organisation, path } = await withOrganisation()
  const { id } = await service.make(path, person)
  const other = await service.make('/v1/organisations', { name: 'Zonder mensen', sector: 'non_profit' })
  for (const each of [organisation, other.id]) await service.get(`/v1/organisations/${each}/contacts`)
  const merged = { duplicate_id: organisation }
  t.equal((await service.call('POST', `/v1/organisations/${other.id}/merge`, merged, { ifMatch: '*' })).status, 200)
  const { disclosures } = (await service.get(`/v1/contacts/${id}/data`)).body
  t.match(
    disclosures,
    { count: 1, latest: [{ operation: 'list_organisation_contacts' }] },
    'of that list, and of no other',
  )
})

t.test('a person can be shown all that is kept of them', async (t) => {
  const { service, organisation, path } = await withOrganisation()
  const { id } = await service.make(path, person)
  await service.call('PATCH', `/v1/contacts/${id}`, { phone: null }, { ifMatch: '"1"' })
  await service.get(`/v1/contacts/${id}`)
  await service.get(path)
  const other = await service.make('/v1/organisations', { name: 'Voorbeeld BV', sector: 'company' })
  const partnership = await service.make('/v1/partnerships', {
    name: 'Samen naar school',
    starts_on: '2026-01-01',
    parties: [
      { organisation_id: other.id, side: 'company' },
      { organisation_id: organisation, side: 'non_profit' },
    ],
  })
  const party = partnership.parties[1].id
  const managers = [{ party_id: party, contact_id: id }]
  t.equal(
    (await service.call('PATCH', `/v1/partnerships/${partnership.id}`, { managers }, { ifMatch: '*' })).status,
    200,
  )
  const { status, body } = await service.get(`/v1/contacts/${id}/data`)
  t.equal(status, 200)
  t.match(body.contact, { id, name: person.name, phone: null, external_refs: person.external_refs })
  t.match(body.manages, { count: 1, latest: [{ partnership_id: partnership.id, party_id: party }] })
  t.same(body.invitations, { count: 0, latest: [] })
  t.match(body.changes, { count: 2, latest: [{ action: 'contact.updated' }, { action: 'contact.created' }] })
  t.match(body.disclosures, {
    count: 2,
    latest: [{ operation: 'list_organisation_contacts' }, { operation: 'get_contact' }],
  })
  t.equal((await service.get(`/v1/contacts/${organisation}/data`)).status, 404)
})
