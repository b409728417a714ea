import fc from 'fast-check'
import t from 'tap'
import { type Answer, type Json, type Service, startService } from './support/harness.ts'
import { importFile, rowsOf, startImports } from './support/imports.ts'

// Rows of a batch are written beside each other, and what many of them ask for is asked once. What becomes of each is
// what becomes of it where each is written by a request of its own.

const service = await startService(t)
await startImports(t, service)

const runs = Number(process.env['BEIDE_IMPORT_RUNS'] ?? 6)
const rowsMax = Number(process.env['BEIDE_IMPORT_ROWS'] ?? 40)
t.setTimeout(600_000)

const crm = (id: number) => ({ system: 'crm', id: String(id) })
const number = (max: number) => fc.integer({ min: 0, max })

/** Few names, so that rows repeat, change and refer to each other, before and after they are there. */
const organisation = fc.record(
  {
    type: fc.constant('organisation'),
    external_refs: number(12).map((id) => [crm(id)]),
    name: fc.constantFrom('Doel', 'Ons Doel', 'Voorbeeld', ' untrimmed'),
    sector: fc.constantFrom('company', 'non_profit', 'shop'),
    parent_ref: number(16).map(crm),
    identifiers: number(5).map((at) => [{ scheme: 'NL-KVK', value: at === 5 ? '1' : `1234567${at}` }]),
    metadata: fc.constantFrom({}, { tier: 'gold' }),
  },
  { requiredKeys: ['type', 'external_refs', 'name', 'sector'] },
)
const contact = fc.record(
  {
    type: fc.constant('contact'),
    external_refs: number(5).map((id) => [crm(id)]),
    organisation_ref: number(14).map(crm),
    name: fc.constantFrom('Fatima', 'Jan'),
    function: fc.constantFrom('operations', 'finance'),
  },
  { requiredKeys: ['type', 'external_refs', 'name', 'function'] },
)
const partnership = fc.record({
  type: fc.constant('partnership'),
  external_refs: number(5).map((id) => [crm(id)]),
  name: fc.constantFrom('Samen', 'Verder'),
  parties: fc.tuple(number(13), number(13)).map(([one, other]) => [
    { organisation_ref: crm(one), side: 'company' },
    { organisation_ref: crm(other), side: 'non_profit' },
  ]),
})
const euros = (amount: string) => ({ type: 'money', amount, currency: 'EUR' })
const commitment = fc.record(
  {
    type: fc.constant('commitment'),
    external_refs: number(5).map((id) => [crm(id)]),
    partnership_ref: number(6).map(crm),
    from_organisation_ref: number(13).map(crm),
    kind: fc.constantFrom('cash', 'volunteer_time'),
    title: fc.constantFrom('Een gift', 'Nog een'),
    measure: fc.constantFrom(euros('1000'), euros('1000.00'), euros('0.001'), {
      type: 'quantity',
      quantity: '40',
      unit: 'hour',
    }),
    schedule: fc.constant({ frequency: 'monthly', starts_on: '2025-01-31', count: 3 }),
    in_return_for: number(7).map((id) => [crm(id)]),
    status: fc.constantFrom('agreed', 'draft'),
    taken_over: fc.constant({ on: '2025-01-01', from_system: 'crm' }),
  },
  {
    requiredKeys: [
      ...(['type', 'external_refs', 'partnership_ref', 'from_organisation_ref', 'kind', 'title', 'measure'] as const),
      ...(['status', 'taken_over'] as const),
    ],
  },
)
const fulfilment = fc.record(
  {
    type: fc.constant('fulfilment'),
    external_refs: number(8).map((id) => [crm(id)]),
    commitment_ref: number(6).map(crm),
    delivered_on: fc.constantFrom('2025-02-01', '2025-03-01'),
    measure: fc.constantFrom(euros('250'), euros('1000'), { type: 'quantity', quantity: '4', unit: 'hour' }),
    reported_by_organisation_ref: number(13).map(crm),
    note: fc.constantFrom('Eerste deel', 'Rest'),
  },
  { requiredKeys: ['type', 'external_refs', 'commitment_ref', 'delivered_on', 'measure'] },
)
const rows: fc.Arbitrary<Json[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: organisation },
    { weight: 1, arbitrary: contact },
    { weight: 2, arbitrary: partnership },
    { weight: 3, arbitrary: commitment },
    { weight: 3, arbitrary: fulfilment },
  ),
  { minLength: 5, maxLength: rowsMax },
)

/** One row of each fate, so that none is left to chance. */
const registered = [{ scheme: 'NL-KVK', value: '12345670' }]
const each = [
  { type: 'organisation', external_refs: [crm(1)], name: 'Doel', sector: 'non_profit', identifiers: registered },
  { type: 'organisation', external_refs: [crm(2)], name: 'Ons Doel', sector: 'company', identifiers: registered },
  { type: 'organisation', external_refs: [crm(3)], name: 'Voorbeeld', sector: 'shop' },
  { type: 'contact', external_refs: [crm(1)], organisation_ref: crm(1), name: 'Jan', function: 'finance' },
  { type: 'partnership', external_refs: [crm(1)], name: 'Samen', parties: [] },
  ...[
    { type: 'organisation', external_refs: [crm(4)], name: 'Doel', sector: 'non_profit' },
    { type: 'organisation', external_refs: [crm(5)], name: 'Bedrijf', sector: 'company' },
  ],
  {
    type: 'partnership',
    external_refs: [crm(2)],
    name: 'Verder',
    parties: [
      { organisation_ref: crm(5), side: 'company' },
      { organisation_ref: crm(4), side: 'non_profit' },
    ],
  },
  ...[1, 2].map((at) => ({
    type: 'commitment',
    external_refs: [crm(at)],
    partnership_ref: crm(2),
    from_organisation_ref: crm(at === 1 ? 5 : 4),
    kind: 'cash',
    title: 'Een gift',
    measure: euros('1000'),
    schedule: { frequency: 'monthly', starts_on: '2025-01-31', count: 3 },
    // The first waits for the second.
    ...(at === 1 ? { in_return_for: [crm(2)] } : {}),
    status: 'agreed',
    taken_over: { on: '2025-01-01', from_system: 'crm' },
  })),
  ...[
    [1, '250', {}],
    [2, '750', { reported_by_organisation_ref: crm(4) }],
    [2, '750', { reported_by_organisation_ref: crm(5) }],
    [3, '1', { reported_by_organisation_ref: crm(1) }],
    [1, '250', { note: 'Anders' }],
    [1, '250.00', {}],
  ].map(([id, amount, more]) => ({
    type: 'fulfilment',
    external_refs: [crm(id as number)],
    commitment_ref: crm(1),
    delivered_on: '2025-02-01',
    measure: euros(amount as string),
    ...(more as object),
  })),
] as unknown as Json[]

type Row = Json
const kinds = ['organisation', 'contact', 'partnership', 'commitment', 'fulfilment'] as const

/** Writes one row by the request that it stands for. @returns what became of it, and its faults */
async function single(service: Service, { type, external_refs: [ref], ...members }: Row): Promise<[string, string[]]> {
  let path = `/v1/${type}s/by-ref/${ref.system}/${ref.id}`
  let body = members
  if (type === 'contact') {
    const { organisation_ref, ...rest } = members
    if (!organisation_ref) return ['invalid', ['/organisation_id required']]
    const found = await service.get(`/v1/organisations/by-ref/crm/${organisation_ref.id}`)
    if (found.status !== 200) return ['waiting', ['/organisation_ref unknown_reference']]
    path = `/v1/organisations/${found.body.id}/contacts/by-ref/${ref.system}/${ref.id}`
    body = rest
  }
  if (type === 'fulfilment') return reported(service, ref, members)
  const before = await service.get(`/v1/${type}s/by-ref/${ref.system}/${ref.id}`)
  const answer = await service.call('PUT', path, body)
  if (answer.status === 201) return ['created', []]
  if (answer.status === 200) return [answer.etag === before.etag ? 'unchanged' : 'updated', []]
  return refused(answer)
}

function refused({ body }: Answer): [string, string[]] {
  const faults = (body.errors ?? [{ pointer: '', code: body.code }]).map(
    ({ pointer, code }: Json) => `${pointer} ${code}`,
  )
  if (body.code === 'duplicate') return ['ambiguous', faults]
  return [faults.some((fault: string) => fault.endsWith(' unknown_reference')) ? 'waiting' : 'invalid', faults]
}

/** The ledger has no upsert: what is there already is read, and compared with what the row says. */
async function reported(service: Service, ref: Json, { commitment_ref, ...body }: Json): Promise<[string, string[]]> {
  const found = await service.get(`/v1/commitments/by-ref/crm/${commitment_ref.id}`)
  if (found.status !== 200) return ['waiting', ['/commitment_ref unknown_reference']]
  const [there] = (await service.get(`/v1/fulfilments?external_ref=${ref.system}:${ref.id}`)).body.data
  if (!there) {
    const write = { ...body, external_refs: [ref] }
    const answer = await service.call('POST', `/v1/commitments/${found.body.id}/fulfilments`, write)
    return answer.status === 201 ? ['created', []] : refused(answer)
  }
  if (there.commitment_id !== found.body.id) return ['invalid', ['/commitment_id not_edited']]
  const faults = []
  if (there.delivered_on !== body.delivered_on) faults.push('/delivered_on not_edited')
  const sizeOf = ({ amount, quantity, ...unit }: Json) => JSON.stringify([Number(amount ?? quantity), unit])
  if (sizeOf(there.measure) !== sizeOf(body.measure)) faults.push('/measure not_edited')
  if (body.note && there.note !== body.note) faults.push('/note not_edited')
  const reporter = body.reported_by_organisation_ref
  if (reporter) {
    const organisation = await service.get(`/v1/organisations/by-ref/crm/${reporter.id}`)
    const { parties } = (await service.get(`/v1/partnerships/${found.body.partnership_id}`)).body
    const seat = parties.find(({ organisation_id }: Json) => organisation_id === organisation.body.id)
    if (!seat) return ['waiting', ['/reported_by_organisation_ref unknown_reference']]
    if (seat.id !== there.reported_by_party_id) faults.push('/reported_by_organisation_ref not_edited')
  }
  return [faults.length > 0 ? 'invalid' : 'unchanged', faults]
}

/** Kinds in turn, and of each those again that wait for others, as long as that settles any. */
async function rowByRow(service: Service, all: readonly Row[]): Promise<string[]> {
  const became = new Map<Row, [string, string[]]>()
  for (const kind of kinds) {
    let left = all.filter(({ type }) => type === kind)
    for (let settled = 1, round = 1; left.length > 0 && (round === 1 || settled > 0); round += 1) {
      for (const row of left) became.set(row, await single(service, row))
      const waiting = left.filter((row) => became.get(row)?.[0] === 'waiting')
      settled = left.length - waiting.length
      left = waiting
    }
  }
  return all.map((row, at) => {
    const [outcome, faults] = became.get(row) ?? ['', []]
    return `${at + 1} ${outcome === 'waiting' ? 'invalid' : outcome} ${[...faults].sort().join()}`
  })
}

/**
 * All that a tenant has, without what differs from tenant to tenant: each change, and each record as it is in the end. What
 * many deliveries of one batch made of a commitment is told of once, so of its changes only which there were.
 */
async function stateOf(service: Service): Promise<string[]> {
  const { data } = (await service.get('/v1/events?limit=500')).body
  const names = new Map<string, string>()
  for (const { resource_type, resource_id, data: seen } of data) {
    names.set(resource_id, `${resource_type} ${seen?.external_refs?.[0]?.id}`)
    for (const party of seen?.parties ?? [])
      names.set(party.id, `seat of ${names.get(party.organisation_id)} in ${names.get(resource_id)}`)
  }
  const lines = new Map<string, string>()
  for (const [at, { sequence, type, resource_type, resource_id, version, changed, data: seen }] of data.entries()) {
    if (sequence !== at + 1) throw new Error(`The feed has a gap at ${at + 1}`)
    const { created_at: _c, updated_at: _u, ...kept } = seen ?? {}
    const parties = kept.parties?.map(({ organisation_id, side }: Json) => ({ organisation_id, side }))
    const isTold = resource_type !== 'commitment' || type === 'commitment.created'
    const told = isTold ? [version, changed, { ...kept, ...(parties ? { parties } : {}) }] : []
    lines.set(isTold ? `${sequence}` : `${type} ${resource_id}`, JSON.stringify([type, resource_id, ...told]))
    lines.set(`last ${resource_id}`, JSON.stringify(['last', resource_id, version, kept]))
  }
  return [...lines.values()]
    .map((line) => line.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (id) => names.get(id) ?? 'of no record'))
    .sort()
}

t.test('rows at random become what single requests make of them: outcomes, faults, records, events', async (t) => {
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(rows, async (all) => {
      const [one, other] = [await service.afresh(), await service.afresh()]
      const made = await importFile(one, all)
      const found = (await rowsOf(one, made)).map(
        ({ line, outcome, faults }: Json) =>
          `${line} ${outcome} ${faults
            .map(({ pointer, code }: Json) => `${pointer} ${code}`)
            .sort()
            .join()}`,
      )
      const expected = await rowByRow(other, all)
      for (const line of expected) seen.add(line.split(' ')[1] ?? '')
      t.same(found, expected)
      t.same(await stateOf(one), await stateOf(other))
      return JSON.stringify(found) === JSON.stringify(expected)
    }),
    { numRuns: runs, examples: [[each]] },
  )
  t.ok(seen.has('created') && seen.has('invalid') && seen.has('ambiguous') && seen.has('unchanged'), [...seen].join())
})
