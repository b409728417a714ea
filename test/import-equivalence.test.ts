import fc from 'fast-check'
import t from 'tap'
import { type Json, type Service, startService } from './support/harness.ts'
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
const rows: fc.Arbitrary<Json[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: organisation },
    { weight: 1, arbitrary: contact },
    { weight: 2, arbitrary: partnership },
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
] as unknown as Json[]

type Row = Json
const kinds = ['organisation', 'contact', 'partnership'] as const

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
  const before = await service.get(`/v1/${type}s/by-ref/${ref.system}/${ref.id}`)
  const answer = await service.call('PUT', path, body)
  if (answer.status === 201) return ['created', []]
  if (answer.status === 200) return [answer.etag === before.etag ? 'unchanged' : 'updated', []]
  const faults = (answer.body.errors ?? [{ pointer: '', code: answer.body.code }]).map(
    ({ pointer, code }: Json) => `${pointer} ${code}`,
  )
  if (answer.body.code === 'duplicate') return ['ambiguous', faults]
  return [faults.some((fault: string) => fault.endsWith(' unknown_reference')) ? 'waiting' : 'invalid', faults]
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

/** All that a tenant has, without what differs from tenant to tenant. */
async function stateOf(service: Service): Promise<string[]> {
  const { data } = (await service.get('/v1/events?limit=200')).body
  const names = new Map<string, string>()
  for (const { resource_type, resource_id, data: seen } of data)
    names.set(resource_id, `${resource_type} ${seen?.external_refs?.[0]?.id}`)
  const lines = data.map(({ sequence, type, resource_id, version, changed, data: seen }: Json, at: number) => {
    if (sequence !== at + 1) throw new Error(`The feed has a gap at ${at + 1}`)
    const { created_at: _c, updated_at: _u, ...kept } = seen ?? {}
    const parties = kept.parties?.map(({ organisation_id, side }: Json) => ({ organisation_id, side }))
    const text = JSON.stringify([type, resource_id, version, changed, { ...kept, ...(parties ? { parties } : {}) }])
    return text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (id) => names.get(id) ?? 'of no record')
  })
  return lines.sort()
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
  t.ok(seen.has('created') && seen.has('invalid') && seen.has('ambiguous'), [...seen].join())
})
