import t from 'tap'
import { asOwner } from '../src/db/tenants.ts'
import { makeLogger } from '../src/platform/log.ts'
import { makeOutbound } from '../src/platform/outbound.ts'
import { secretBox } from '../src/platform/secrets.ts'
import { fileOf, makeExport } from './support/exporting.ts'
import { type Json, startService } from './support/harness.ts'
import { ndjson, over, send, startImports } from './support/imports.ts'
import { allianceTakenOver } from './support/promises.ts'
import { plan } from './support/rounds.ts'
import { tablesWith } from './support/rows-with.ts'

// A person goes through everything that could remember them, is erased, and is looked for everywhere.

const lines: string[] = []
const logger = makeLogger({ level: 'trace', format: 'json' }, { write: (line) => void lines.push(line) })
const service = await startService(t, {
  logger,
  webhooks: { outbound: makeOutbound({ allowPrivate: true, timeoutMs: 1000 }), box: secretBox([]) },
})

const person = {
  name: 'Wilhelmina Achterberg',
  email: 'achterberg@voorbeeld.example',
  phone: '+31 6 555 44 332',
  job_title: 'Hoofd Vriendschappen',
  function: 'finance',
  external_refs: [{ system: 'crm', id: '003-WA' }],
  metadata: { nickname: 'Mientje' },
}
const secrets = ['Achterberg', 'achterberg@voorbeeld', '555 44 332', 'Vriendschappen', '003-WA', 'Mientje']

t.test('what is erased is in no table, log, event, delivery, audit entry or file', async (t) => {
  const { partnership, company, organisations } = await allianceTakenOver(service)
  await service.make('/v1/webhook-endpoints', { url: 'http://127.0.0.1:9/hook' })
  const path = `/v1/organisations/${organisations.company.id}/contacts`
  const made = await service.make(path, person, { headers: { 'idempotency-key': 'make-a-contact' } })
  const at = `/v1/contacts/${made.id}`
  await service.call('PATCH', at, { phone: '+31 6 555 44 332' }, { ifMatch: '*' })
  await service.get(`${path}?q=achterberg`)
  await service.get('/v1/contacts/by-ref/crm/003-WA')
  await service.get(`${at}/data`)
  await service.call('POST', path, { ...person, function: 'none of ours' })
  await service.call('PATCH', at, { name: 'Achterberg', email: 'achterberg' }, { ifMatch: '"999"' })
  const managers = [{ party_id: company, contact_id: made.id }]
  await service.call('PATCH', `/v1/partnerships/${partnership.id}`, { managers }, { ifMatch: '*' })
  const round = await plan(service, partnership, { response_mode: 'individual' })
  await service.make(`/v1/evaluations/${round.id}/invitations`, { party_id: company, contact_id: made.id })
  const doing = await startImports(t, service)
  const row = { type: 'contact', organisation_id: organisations.company.id, ...person }
  const imported = (await send(service, ndjson([row]))).body
  await over(service, imported.id)
  const refusedRows = ndjson([
    { ...row, type: 'person' },
    { ...row, type: 'organisation' },
    { ...row, function: 'Vriendschappen' },
    { ...row, external_refs: [{ system: 'old crm', id: '003-WA' }], Achterberg: 1 },
    {
      ...row,
      external_refs: [{ system: 'hr', id: '003-WA' }],
      organisation_id: organisations.company.id.toUpperCase(),
    },
  ])
  const broken = `${JSON.stringify(row).replace('"name":', '"name":Achterberg')}\n`
  const notCsv = 'name,metadata:json,external_refs.0.system\nAchterberg,{Mientje,crm\n'
  const dry = (await send(service, ndjson([row]) + refusedRows + broken, { query: '?dry_run=true' })).body
  const refused = (await send(service, refusedRows + broken)).body
  const cells = (await send(service, notCsv, { type: 'text/csv', query: '?type=contact' })).body
  for (const { id } of [dry, refused, cells]) await over(service, id)
  t.match(await service.get(`/v1/imports/${refused.id}`), { body: { invalid: 5, created: 1 } })
  const other = (await service.get('/v1/contacts/by-ref/hr/003-WA')).body
  await doing.stop()
  const waiting = (await send(service, ndjson([row, { ...row, external_refs: [{ system: 'x', id: '1' }] }]) + broken))
    .body
  for (const body of [`{"name": Achterberg}`, `{"name": "${person.name}", "name": "${person.email}"}`, person]) {
    const headers = { 'idempotency-key': `refused ${typeof body}` }
    await service.call('POST', path, body, { headers, type: 'application/json' })
  }
  await service.call('POST', `${at}/erase`, {}, { ifMatch: '"77"', headers: { 'idempotency-key': 'too late' } })
  const before = await service.make('/v1/exports', { format: 'ndjson' })
  await makeExport(service, before.id)
  await asOwner(service.url, (client) => client.query('analyze'))
  const held = await tablesWith(service, 'Achterberg')
  for (const table of ['contacts', 'import_rows', 'import_results']) {
    t.ok(held.includes(`public.${table}`), `the search finds what is there: ${table}`)
  }
  const sampled = await tablesWith(service, organisations.company.name)
  t.ok(sampled.includes('pg_catalog.pg_statistic'), 'and what Postgres keeps samples of')

  for (const id of [made.id, other.id]) {
    const erased = await service.call('POST', `/v1/contacts/${id}/erase`, {}, { ifMatch: '*' })
    t.equal(erased.status, 200, erased.text)
  }
  const again = await service.call('POST', path, person, { headers: { 'idempotency-key': 'make-a-contact' } })
  t.match(again, { status: 201, headers: { 'idempotent-replayed': 'true' }, body: { id: made.id, name: null } })
  await startImports(t, service)
  t.match(await over(service, waiting.id), { created: 0, invalid: 3 }, 'nobody is made anew')
  await asOwner(service.url, (client) => client.query('analyze'))
  const after = await service.make('/v1/exports', { format: 'ndjson' })
  await makeExport(service, after.id)

  for (const secret of secrets) t.same(await tablesWith(service, secret), [], secret)
  const seen: [string, string][] = [['the log', lines.join('')]]
  for (const { id } of [before, after]) {
    const done: Json = (await service.get(`/v1/exports/${id}`)).body
    t.equal(done.status, 'succeeded')
    t.ok(done.files.length > 20)
    for (const { name } of done.files) seen.push([`${name} of ${id}`, String(await fileOf(service, done, name))])
  }
  const [endpoint] = (await service.get('/v1/webhook-endpoints')).body.data
  for (const address of [
    '/v1/events?limit=500',
    '/v1/audit?limit=200',
    `/v1/webhook-endpoints/${endpoint.id}/deliveries?limit=200`,
    ...[imported, dry, refused, cells, waiting].map(({ id }) => `/v1/imports/${id}/rows`),
    `${at}/data`,
    '/v1/exports/partnerships.csv',
  ]) {
    const answer = await service.get(address)
    t.equal(answer.status, 200, address)
    seen.push([address, answer.text])
  }
  t.ok(lines.length > 20, 'the log says something')
  for (const [where, text] of seen) {
    for (const secret of secrets) t.notOk(text.toLowerCase().includes(secret.toLowerCase()), `${secret} in ${where}`)
  }
})
