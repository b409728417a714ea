import t from 'tap'
import { type Json, type Service, startService } from './support/harness.ts'
import { isProblem } from './support/problem.ts'

const shared = await startService(t)
const path = '/v1/organisations'
const nobody = '0190a6c5-0000-7000-8000-000000000000'

const make = (service: Service, name: string, more: object = {}): Promise<Json> =>
  service.make(path, { name, sector: 'company', ...more })
const patch = (service: Service, id: string, body: object) =>
  service.call('PATCH', `${path}/${id}`, body, { ifMatch: '*' })
const namesOf = async (service: Service, query: string): Promise<string[]> =>
  (await service.get(`${path}${query}`)).body.data.map(({ name }: Json) => name)
const faultsOf = (answer: { body: Json }): string[] =>
  answer.body.errors.map((fault: Json) => `${fault.pointer} ${fault.code}`).sort()

const whole = {
  name: 'Stichting Voorbeeld',
  legal_name: 'Stichting Het Voorbeeld',
  alternate_names: ['Voorbeeld', 'Example Foundation'],
  sector: 'non_profit',
  industry: { scheme: 'icnpo', code: '4 100' },
  country: 'NL',
  identifiers: [
    { scheme: 'NL-KVK', value: '01234567', role: 'primary' },
    { scheme: 'x-nl-rsin', value: '123456782', role: 'secondary' },
  ],
  preferred_language: 'nl-NL',
  website: 'https://voorbeeld.example',
  status: 'active',
  external_refs: [{ system: 'crm', id: '001', url: null }],
  metadata: { tier: 'gold', tags: ['a', { b: null }] },
}

t.test('an organisation is kept as it was given', async (t) => {
  const service = await shared.afresh()
  const made = await service.call('POST', path, whole)
  t.equal(made.status, 201)
  t.equal(made.headers['location'], `${path}/${made.body.id}`)
  t.match(made.body, { ...whole, parent_id: null, merged_into_id: null, version: 1 })
  t.match(made.body.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
  t.equal(made.body.created_at, made.body.updated_at)
  t.same((await service.get(`${path}/${made.body.id}`)).body, made.body)
  const bare = await make(service, 'Bare')
  t.match(bare, {
    ...{ legal_name: null, alternate_names: [], industry: null, country: null, identifiers: [], parent_id: null },
    ...{ preferred_language: null, website: null, status: 'active', external_refs: [], metadata: {} },
  })
})

t.test('identifiers of known registers are checked for their form', async (t) => {
  const service = await shared.afresh()
  const forms: Record<string, { good: string[]; bad: string[] }> = {
    'NL-KVK': { good: ['00000001', '1234 5678', '12.345.679'], bad: ['1234567', '123456789', '1234567A'] },
    'x-nl-rsin': { good: ['123456782', '0012.34.560'], bad: ['123456783', '12345678', 'NL1234567'] },
    'GB-CHC': { good: ['202918', '1089464'], bad: ['20291', 'SC005336'] },
    'GB-COH': { good: ['00445790', 'SC095237', 'sc 095238'], bad: ['445790', 'S0095237'] },
    'BE-BCE_KBO': { good: ['0403.170.701'], bad: ['0403.170.702', '403170701', '9403170701'] },
    'XI-LEI': {
      good: ['5493000IBP32UQZ0KL24', 'hwupkr0mpou8fgxbt394'],
      bad: ['5493000IBP32UQZ0KL25', '5493000IBP32UQZ0KL2'],
    },
    'XI-ROR': { good: ['https://ror.org/05dxps055', '03VEK6S52'], bad: ['05dxps054', '15dxps055', '05dxpi055'] },
    'x-own-register': { good: ['anything goes', '007'], bad: ['...'] },
    'US-EIN': { good: ['12-3456789'], bad: ['- -'] },
  }
  for (const [scheme, { good, bad }] of Object.entries(forms)) {
    for (const value of good) {
      const made = await service.call('POST', path, { name: value, sector: 'other', identifiers: [{ scheme, value }] })
      t.equal(made.status, 201, `${scheme} ${value}: ${made.text}`)
      t.same(made.body.identifiers, [{ scheme, value, role: 'primary' }], 'kept as it was given')
    }
    for (const value of bad) {
      const refused = await service.call('POST', path, { name: 'x', sector: 'other', identifiers: [{ scheme, value }] })
      isProblem(t, refused, 'rule_violated')
      t.same(faultsOf(refused), ['/identifiers/0/value identifier_form'], `${scheme} ${value}`)
    }
  }
  for (const scheme of ['kvk', 'NL_KVK', 'x-', 'X-own', '']) {
    const refused = await service.call('POST', path, {
      name: 'x',
      sector: 'other',
      identifiers: [{ scheme, value: '1' }],
    })
    isProblem(t, refused, 'invalid_request')
    t.match(faultsOf(refused)[0], '/identifiers/0/scheme', scheme)
  }
})

t.test('a registration belongs to one organisation, however it is spelt; leading zeros count', async (t) => {
  const service = await shared.afresh()
  const first = await make(service, 'First', { identifiers: [{ scheme: 'NL-KVK', value: '00123456' }] })
  await make(service, 'Own', { identifiers: [{ scheme: 'x-own', value: 'ab-12' }] })
  await make(service, 'Zero', { identifiers: [{ scheme: 'x-own', value: '0ab12' }] })
  const taken = [
    [{ scheme: 'NL-KVK', value: '00 12 34 56' }],
    [{ scheme: 'NL-KVK', value: '00.123.456' }],
    [{ scheme: 'x-own', value: 'AB/12' }],
    [
      { scheme: 'x-new', value: '1' },
      { scheme: 'x-new', value: '1.' },
    ],
  ]
  for (const identifiers of taken) {
    const refused = await service.call('POST', path, { name: 'Second', sector: 'other', identifiers })
    isProblem(t, refused, 'duplicate')
    t.same(faultsOf(refused), [`/identifiers/${identifiers.length - 1} taken`])
  }
  t.same(await namesOf(service, '?q=second'), [], 'nothing of a refused write stays')
  const second = await make(service, 'Second', { identifiers: [{ scheme: 'x-other', value: 'ab-12' }] })
  isProblem(t, await patch(service, second.id, { identifiers: [{ scheme: 'NL-KVK', value: '00123456' }] }), 'duplicate')
  t.equal((await patch(service, first.id, { identifiers: [{ scheme: 'NL-KVK', value: '0012 3456' }] })).status, 200)
  t.equal((await patch(service, first.id, { identifiers: [] })).status, 200)
  t.equal(
    (await patch(service, second.id, { identifiers: [{ scheme: 'NL-KVK', value: '00123456' }] })).status,
    200,
    'free again',
  )
  const elsewhere = await shared.afresh()
  t.ok(await make(elsewhere, 'Other tenant', { identifiers: [{ scheme: 'NL-KVK', value: '00123456' }] }))
})

t.test('organisations are found by registration, name, reference, sector, status, country and parent', async (t) => {
  const service = await shared.afresh()
  const parent = await service.make(path, whole)
  await make(service, 'Café Zürich', { country: 'CH', status: 'dormant', parent_id: parent.id })
  await make(service, 'Łódź & Søn 100%', { alternate_names: ['Straße_1'], legal_name: 'ACME Holding' })
  const found: [query: string, names: string[]][] = [
    ['?identifier=NL-KVK:01234567', [whole.name]],
    ['?identifier=NL-KVK:01.23 45.67', [whole.name]],
    ['?identifier=NL-KVK:1234567', []],
    ['?identifier=x-nl-rsin:NL123456782', []],
    ['?q=cafe', ['Café Zürich']],
    ['?q=ZURICH', ['Café Zürich']],
    ['?q=lodz', ['Łódź & Søn 100%']],
    ['?q=son 100%25', ['Łódź & Søn 100%']],
    ['?q=100_', []],
    ['?q=strasse_1', ['Łódź & Søn 100%']],
    ['?q=acme', ['Łódź & Søn 100%']],
    ['?q=het voorbeeld', [whole.name]],
    ['?q=%25', ['Łódź & Søn 100%']],
    ['?q=\\', []],
    ['?external_ref=crm:001', [whole.name]],
    ['?external_ref=crm:002', []],
    ['?sector=non_profit', [whole.name]],
    ['?sector=non_profit,company&sort=name', ['Café Zürich', 'Łódź & Søn 100%', whole.name]],
    ['?status=dormant,dissolved', ['Café Zürich']],
    ['?country=CH', ['Café Zürich']],
    [`?parent_id=${parent.id}`, ['Café Zürich']],
    [`?parent_id=${nobody}`, []],
    ['?q=cafe&country=NL', []],
  ]
  for (const [query, names] of found)
    t.same(await namesOf(service, encodeURI(query).replaceAll('%2525', '%25')), names, query)
})

t.test('an organisation has a parent above it, and never itself', async (t) => {
  const service = await shared.afresh()
  const [a, b, c] = [
    await make(service, 'A', { external_refs: [{ system: 'crm', id: 'a' }] }),
    await make(service, 'B'),
    await make(service, 'C'),
  ]
  t.match(
    (await patch(service, b.id, { parent_ref: { system: 'crm', id: 'a' } })).body,
    { parent_id: a.id },
    'named by a reference',
  )
  t.match((await patch(service, c.id, { parent_id: b.id })).body, { parent_id: b.id })
  for (const [id, parent_id] of [
    [a.id, a.id],
    [a.id, b.id],
    [a.id, c.id],
    [b.id, c.id],
  ]) {
    const refused = await patch(service, id, { parent_id })
    isProblem(t, refused, 'rule_violated')
    t.same(faultsOf(refused), ['/parent_id circle'])
  }
  const wrong: [object, string][] = [
    [{ parent_id: nobody }, '/parent_id unknown_reference'],
    [{ parent_ref: { system: 'crm', id: 'none' } }, '/parent_ref unknown_reference'],
    [{ parent_id: a.id, parent_ref: { system: 'crm', id: 'a' } }, '/parent_ref exclusive'],
  ]
  for (const [body, fault] of wrong) {
    const refused = await service.call('POST', path, { name: 'D', sector: 'other', ...body })
    isProblem(t, refused, 'rule_violated')
    t.same(faultsOf(refused), [fault])
  }
  t.match((await patch(service, c.id, { parent_id: null })).body, { parent_id: null })
})

t.test('two changes at once cannot close a circle either', async (t) => {
  const service = await shared.afresh()
  for (let round = 0; round < 5; round += 1) {
    const [a, b] = [await make(service, `A${round}`), await make(service, `B${round}`)]
    const answers = await Promise.all([
      patch(service, a.id, { parent_id: b.id }),
      patch(service, b.id, { parent_id: a.id }),
    ])
    t.same(answers.map(({ status }) => status).sort(), [200, 422])
  }
})

t.test('a merge patch: absent leaves alone, null clears, objects merge, lists are replaced', async (t) => {
  const service = await shared.afresh()
  const { id } = await service.make(path, whole)
  const renamed = await patch(service, id, { name: 'Anders' })
  t.match(renamed.body, { ...whole, name: 'Anders' })
  const merged = await patch(service, id, {
    industry: { code: '5 100' },
    metadata: { tier: null, since: 2020, tags: ['c'] },
    alternate_names: ['Alleen deze'],
  })
  t.match(merged.body.industry, { scheme: 'icnpo', code: '5 100' })
  t.same(merged.body.metadata, { since: 2020, tags: ['c'] })
  t.same(merged.body.alternate_names, ['Alleen deze'])
  const nulls = {
    ...{ legal_name: null, alternate_names: null, industry: null, country: null, identifiers: null, website: null },
    ...{ preferred_language: null, status: null, external_refs: null, metadata: null, parent_id: null },
  }
  const cleared = await patch(service, id, nulls)
  t.equal(cleared.status, 200)
  t.match(cleared.body, {
    ...{ legal_name: null, alternate_names: [], industry: null, country: null, identifiers: [], website: null },
    ...{ preferred_language: null, status: 'active', external_refs: [], metadata: {}, parent_id: null },
  })
  for (const body of [
    { name: null },
    { sector: null },
    { name: '' },
    { industry: { code: 'x' } },
    { id: nobody },
    { version: 9 },
  ]) {
    isProblem(t, await patch(service, id, body), 'invalid_request')
  }
  t.equal((await service.get(`${path}/${id}`)).body.version, cleared.body.version)
})

t.test('a change of nothing keeps the version and makes no event', async (t) => {
  const service = await shared.afresh()
  const { id, ...made } = await service.make(path, whole)
  const same = await patch(service, id, {
    name: whole.name,
    identifiers: whole.identifiers,
    metadata: { tier: 'gold' },
  })
  t.match(same, { status: 200, etag: '"1"', body: { updated_at: made.updated_at } })
  await patch(service, id, { name: 'Anders' })
  await service.call('DELETE', `${path}/${id}`, undefined, { ifMatch: '*' })
  const events = (await service.get('/v1/events')).body.data
  t.match(
    events.map(({ type, version, changed }: Json) => ({ type, version, changed })),
    [
      { type: 'organisation.created', version: 1 },
      { type: 'organisation.updated', version: 2, changed: ['name'] },
      { type: 'organisation.deleted', version: 3 },
    ],
  )
  t.same(
    events.map(({ sequence }: Json) => sequence),
    [1, 2, 3],
  )
})

t.test('an organisation is created or replaced by the id of the client', async (t) => {
  const service = await shared.afresh()
  const address = `${path}/by-ref/crm/A%2F1%3Fb`
  const body = { name: 'Door CRM', sector: 'company', country: 'NL' }
  const made = await service.call('PUT', address, body)
  t.match(made, { status: 201, body: { external_refs: [{ system: 'crm', id: 'A/1?b', url: null }], version: 1 } })
  t.match(await service.call('PUT', address, body), { status: 200, etag: '"1"' }, 'an identical body changes nothing')
  await patch(service, made.body.id, { external_refs: [...made.body.external_refs, { system: 'erp', id: '9' }] })
  const replaced = await service.call('PUT', address, { name: 'Anders', sector: 'public' })
  t.match(
    replaced.body,
    { id: made.body.id, name: 'Anders', country: null, version: 3 },
    'what is left out takes its default',
  )
  t.equal(replaced.body.external_refs.length, 2, 'ids of other systems stay')
  const own = await service.call('PUT', address, { name: 'Anders', sector: 'public', external_refs: [] })
  t.same(own.body.external_refs, [{ system: 'crm', id: 'A/1?b', url: null }], 'its own id stays in any case')
  t.same((await service.get(address)).body, own.body)
  isProblem(t, await service.call('PUT', address, body, { ifMatch: '"1"' }), 'stale')
  isProblem(t, await service.get(`${path}/by-ref/erp/9`), 'not_found')
  const other = await make(service, 'Other', { external_refs: [{ system: 'erp', id: '7' }] })
  const clash = await service.call('PUT', address, { ...body, external_refs: [{ system: 'erp', id: '7' }] })
  isProblem(t, clash, 'duplicate')
  t.equal((await service.get(`${path}/by-ref/erp/7`)).body.id, other.id)
})

t.test(
  'an organisation that others depend on is not deleted; one that nobody needs is gone with its names',
  async (t) => {
    const service = await shared.afresh()
    const [parent, child] = [await service.make(path, whole), await make(service, 'Child')]
    await patch(service, child.id, { parent_id: parent.id })
    await service.make(`${path}/${parent.id}/contacts`, { name: 'An', function: 'other' })
    await service.make('/v1/partnerships', {
      name: 'Samen',
      parties: [
        { organisation_id: parent.id, side: 'non_profit' },
        { organisation_id: child.id, side: 'company' },
      ],
    })
    const remove = (id: string) => service.call('DELETE', `${path}/${id}`, undefined, { ifMatch: '*' })
    const refused = await remove(parent.id)
    isProblem(t, refused, 'in_use')
    t.same(refused.body.dependants, ['partnerships', 'contacts', 'subsidiaries'])
    t.same((await remove(child.id)).body.dependants, ['partnerships'])
    const free = await make(service, 'Free', {
      identifiers: [{ scheme: 'x-a', value: '1' }],
      external_refs: [{ system: 's', id: '1' }],
    })
    t.equal((await remove(free.id)).status, 204)
    isProblem(t, await service.get(`${path}/${free.id}`), 'not_found')
    t.ok(
      await make(service, 'Next', {
        identifiers: [{ scheme: 'x-a', value: '1' }],
        external_refs: [{ system: 's', id: '1' }],
      }),
    )
  },
)

t.test('metadata has its limits, and no meaning', async (t) => {
  const service = await shared.afresh()
  const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`key ${at}`, at]))
  const send = (metadata: unknown) => service.call('POST', path, { name: 'x', sector: 'other', metadata })
  for (const metadata of [
    keys(50),
    { ['k'.repeat(40)]: 1 },
    { text: 'é'.repeat(8000) },
    { 'a.b/c~d': [1, null, { x: {} }] },
  ]) {
    const made = await send(metadata)
    t.equal(made.status, 201)
    t.same(made.body.metadata, metadata)
  }
  const bad: [unknown, string][] = [
    [keys(51), '/metadata max_properties'],
    [{ ['k'.repeat(41)]: 1 }, '/metadata max_length'],
    [{ '': 1 }, '/metadata min_length'],
    [[], '/metadata type'],
    ['text', '/metadata type'],
  ]
  for (const [metadata, fault] of bad) {
    const refused = await send(metadata)
    isProblem(t, refused, 'invalid_request')
    t.ok(faultsOf(refused).includes(fault), `${fault}: ${faultsOf(refused)}`)
  }
  const large = await send({ text: 'é'.repeat(8200) })
  isProblem(t, large, 'rule_violated')
  t.same(faultsOf(large), ['/metadata too_large'])
  const { id } = await make(service, 'y', { metadata: keys(50) })
  isProblem(t, await patch(service, id, { metadata: { more: 1 } }), 'invalid_request')
  t.equal((await patch(service, id, { metadata: { more: 1, 'key 0': null } })).status, 200)
})

t.test('what a browser might run is no website, and codes are codes', async (t) => {
  const service = await shared.afresh()
  const bad: [object, string][] = [
    [{ website: 'javascript:alert(1)' }, '/website'],
    [{ website: 'voorbeeld.nl' }, '/website'],
    [{ country: 'nl' }, '/country'],
    [{ country: 'NLD' }, '/country'],
    [{ preferred_language: 'nl_NL' }, '/preferred_language'],
    [{ industry: { scheme: 'nace' } }, '/industry/code'],
    [{ alternate_names: ['a', 'a'] }, '/alternate_names'],
    [{ alternate_names: 'a' }, '/alternate_names'],
    [{ external_refs: [{ system: 'my crm', id: '1' }] }, '/external_refs/0/system'],
    [{ external_refs: [{ system: 'crm', id: 1 }] }, '/external_refs/0/id'],
    [{ name: ' spaced ' }, '/name'],
    [{ name: 'x'.repeat(301) }, '/name'],
    [{ merged_into_id: nobody }, '/merged_into_id'],
  ]
  for (const [body, pointer] of bad) {
    const refused = await service.call('POST', path, { name: 'x', sector: 'other', ...body })
    isProblem(t, refused, 'invalid_request')
    t.match(faultsOf(refused)[0], pointer, JSON.stringify(body))
  }
  const twice = await service.call('POST', path, {
    name: 'x',
    sector: 'other',
    external_refs: [
      { system: 'crm', id: '1' },
      { system: 'crm', id: '1' },
    ],
  })
  isProblem(t, twice, 'duplicate')
  t.same(faultsOf(twice), ['/external_refs/1 taken'])
})
