import pg from 'pg'
import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { newId } from '../src/core/ids.ts'
import { verifyAudit } from '../src/db/audit-chain.ts'
import { asOwner } from '../src/db/tenants.ts'
import { verified } from './support/audited.ts'
import { type Json, type Service, startService } from './support/harness.ts'

const clock = fixedClock('2026-03-01T12:00:00.000000Z')
const service = await startService(t, { clock })

const entriesOf = async (as: Service, query = ''): Promise<Json[]> =>
  (await as.get(`/v1/audit?sort=sequence&limit=200${query}`)).body.data

const organisation = { name: 'Stichting Voorbeeld', sector: 'non_profit' }

/** Does what no role of the service may, as somebody who has the database itself. */
async function tamper(...statements: string[]): Promise<void> {
  await asOwner(service.url, async (client) => {
    for (const statement of statements) await client.query(statement)
  })
}

t.test('a change is kept with the record before and after it, and who did it', async (t) => {
  const as = await service.afresh()
  const made = await as.call('POST', '/v1/organisations', organisation)
  const { id } = made.body
  const changed = await as.call('PATCH', `/v1/organisations/${id}`, { name: 'Anders' }, { ifMatch: '"1"' })
  const gone = await as.call('DELETE', `/v1/organisations/${id}`, undefined, { ifMatch: '"2"' })
  t.equal(gone.status, 204)
  const entries = await entriesOf(as, `&resource_id=${id}`)
  t.match(entries, [
    { action: 'organisation.created', category: 'change', version: 1, before: null },
    { action: 'organisation.updated', version: 2, changed: ['name'], request_id: changed.headers['x-request-id'] },
    { action: 'organisation.deleted', version: 3, after: null },
  ])
  t.same(entries[0].after, made.body, 'as its clients saw it')
  t.same([entries[1].before, entries[1].after], [made.body, changed.body])
  t.same(entries[2].before, changed.body)
  t.equal(entries[0].actor.type, 'api_key')
  t.match(entries[0].actor.id, /^[0-9a-f-]{36}$/)
  t.equal(entries[1].previous_hash, entries[0].hash)
})

t.test('a change that does not happen leaves no entry', async (t) => {
  const as = await service.afresh()
  const { id } = await as.make('/v1/organisations', organisation)
  const before = (await entriesOf(as)).length
  await as.call('PATCH', `/v1/organisations/${id}`, { parent_id: newId() }, { ifMatch: '"1"' })
  await as.call('PATCH', `/v1/organisations/${id}`, { name: organisation.name }, { ifMatch: '"1"' })
  t.equal((await entriesOf(as)).length, before)
})

t.test('refused credentials are noted with the reason, once a minute for the same', async (t) => {
  const as = await service.afresh()
  const made = await as.make('/v1/api-keys', { name: 'Old', scopes: ['organisations:read'] })
  const wrong = `${made.key.slice(0, -4)}${made.key.endsWith('0000') ? '1111' : '0000'}`
  for (let n = 0; n < 3; n += 1) await as.get('/v1/organisations', { key: wrong })
  await as.get('/v1/audit', { key: made.key })
  await as.make(`/v1/api-keys/${made.id}/revoke`, {})
  clock.advance(61_000)
  await as.get('/v1/organisations', { key: wrong })
  const denials = await entriesOf(as, '&category=denial')
  t.match(denials, [
    { action: 'sign_in.failed', operation: 'list_organisations', details: { reason: 'wrong_secret', suppressed: 0 } },
    {
      action: 'access.denied',
      operation: 'list_audit_entries',
      actor: { id: made.id },
      details: { scope: 'audit:read' },
    },
    { action: 'sign_in.failed', details: { reason: 'wrong_secret', suppressed: 2, address: '127.0.0.1' } },
  ])
  t.match(denials[0], { resource_type: 'api_key', resource_id: made.id, actor: { type: 'unknown', id: null } })
  t.notMatch(JSON.stringify(denials), made.key.slice(-20), 'no secret is kept')
})

t.test('persons and exports that were shown are accounted for', async (t) => {
  const as = await service.afresh()
  const { id } = await as.make('/v1/organisations', organisation)
  const contact = await as.make(`/v1/organisations/${id}/contacts`, { name: 'Fatima de Vries', function: 'finance' })
  await as.get(`/v1/contacts/${contact.id}`)
  await as.get(`/v1/organisations/${id}/contacts?q=fatima`)
  await as.get(`/v1/contacts/${newId()}`)
  await as.get('/v1/exports/commitments.csv?status=agreed')
  const shown = await entriesOf(as, '&category=disclosure')
  t.match(shown, [
    { action: 'personal_data.read', operation: 'get_contact', resource_type: 'contact', resource_id: contact.id },
    {
      action: 'personal_data.read',
      operation: 'list_organisation_contacts',
      resource_type: 'organisation',
      resource_id: id,
    },
    { action: 'export.read', operation: 'export_commitments_csv', details: { query: { status: ['agreed'] } } },
  ])
  t.equal(shown.length, 3)
  t.notMatch(JSON.stringify(await entriesOf(as)), /fatima/i, 'and no entry holds a person')
})

t.test('entries are found by what they are about', async (t) => {
  const as = await service.afresh()
  const { id } = await as.make('/v1/organisations', organisation)
  clock.advance(1000)
  const since = clock.now()
  const key = await as.make('/v1/api-keys', { name: 'Other', scopes: ['organisations:write'] })
  await as.make('/v1/organisations', { ...organisation, name: 'Tweede' }, { key: key.key })
  const actions = async (query: string) => (await entriesOf(as, query)).map(({ action }) => action)
  t.same(await actions('&action=organisation.created'), ['organisation.created', 'organisation.created'])
  t.same(await actions('&action=api_key.*&resource_type=api_key'), ['api_key.created', 'api_key.created'])
  t.same(await actions(`&resource_id=${id}`), ['organisation.created'])
  t.same(await actions(`&actor_id=${key.id}`), ['organisation.created'])
  t.same(await actions(`&occurred_since=${since}`), ['api_key.created', 'organisation.created'])
  t.same(await actions(`&occurred_before=${since}`), ['api_key.created', 'organisation.created'])
  const first = await as.get('/v1/audit?limit=1')
  const next = await as.get(`/v1/audit?limit=1&cursor=${first.body.next_cursor}`)
  t.equal(next.body.data[0].sequence, first.body.data[0].sequence - 1, 'the latest first, page by page')
  t.equal((await as.get('/v1/audit', { key: key.key })).status, 403)
  const auditor = await as.keyWith(['audit:read'])
  t.equal((await as.get('/v1/audit', { key: auditor })).status, 200)
})

t.test('the service has no right to change the audit, or to add what did not happen', async (t) => {
  const refused = [
    `update audit_entries set action = 'x'`,
    'delete from audit_entries',
    'truncate audit_entries',
    `insert into audit_entries (tenant_id, sequence) values ('${service.tenantId}', 999)`,
    `update audit_heads set sequence = 0`,
    'delete from audit_heads',
    `select audit_append('${service.tenantId}', now(), 'change', 'a.b', null, null, null, '{}', '{}', null, null, null, null)`,
    'drop trigger audited on events',
    'alter table events disable trigger audited',
  ]
  const client = new pg.Client({ connectionString: service.url, options: '-c role=beide_service' })
  await client.connect()
  t.teardown(() => client.end())
  await client.query(`select set_config('beide.tenant_id', $1, false)`, [service.tenantId])
  for (const statement of refused) await t.rejects(client.query(statement), { code: '42501' }, statement)
  await t.rejects(
    client.query(
      `select audit_access('${service.tenantId}', now(), 'change', 'a.b', null, null, '{}', null, null, null)`,
    ),
    /noted with its event/,
  )
})

t.test('a check of the chain finds whatever was changed, removed or put in', async (t) => {
  const as = await service.afresh()
  for (const name of ['Een', 'Twee', 'Drie', 'Vier']) await as.make('/v1/organisations', { ...organisation, name })
  const whole = await verified(as)
  t.match(whole, { entries: 5, faults: [], head: { sequence: '5' } })
  const mine = `tenant_id = '${as.tenantId}'`
  const broken: Record<string, string> = {
    'not what was written': `update audit_entries set after = '{"name":"Ander"}' where ${mine} and sequence = 3`,
    'Entry 2 is not': `update audit_entries set actor = '{"type":"api_key","id":"x"}' where ${mine} and sequence = 2`,
    'between 1 and 3': `delete from audit_entries where ${mine} and sequence = 2`,
    'missing at its end': `delete from audit_entries where ${mine} and sequence = 5`,
    'does not follow': `update audit_entries set previous_hash = '\\x00' where ${mine} and sequence = 4`,
    'it should end at 6': `update audit_heads set sequence = 6 where ${mine}`,
  }
  for (const [fault, statement] of Object.entries(broken)) {
    await tamper(
      `create table kept_entries as select * from audit_entries where ${mine}`,
      `create table kept_heads as select * from audit_heads where ${mine}`,
      statement,
    )
    t.match((await verified(as)).faults.join(' '), fault, statement)
    await tamper(
      'alter table kept_entries drop column actor_id',
      `delete from audit_entries where ${mine}`,
      `insert into audit_entries (tenant_id, sequence, id, occurred_at, category, action, resource_type, resource_id,
         version, changed, actor, request_id, operation, details, after, previous_hash, hash) select * from kept_entries`,
      `update audit_heads h set sequence = k.sequence, hash = k.hash from kept_heads k where h.tenant_id = k.tenant_id`,
      'drop table kept_entries',
      'drop table kept_heads',
    )
  }
  t.same((await verified(as)).faults, [], 'and nothing where nothing was done')
  const noted = await asOwner(as.url, (client) => verifyAudit(client, { noted: `4:${'0'.repeat(64)}` }))
  t.ok(
    noted.every(({ faults }) => faults.some((fault) => fault.includes('was rewritten'))),
    'a head that was noted before tells a chain that was made anew',
  )
})

t.test('what is older than is kept goes, and the rest is still whole', async (t) => {
  const as = await service.afresh()
  await as.make('/v1/organisations', organisation)
  clock.advance(86_400_000)
  const before = clock.now()
  const late = await as.make('/v1/organisations', { ...organisation, name: 'Later' })
  await service.database.outside({ text: 'select expire_audit($1, $2)', values: [before, 5000] })
  t.match(await entriesOf(as), [{ resource_id: late.id }])
  t.match(await verified(as), { entries: 1, faults: [] })
})

t.test('entries of many writers at once make one chain', async (t) => {
  const as = await service.afresh()
  await Promise.all(
    Array.from({ length: 20 }, (_, at) => as.make('/v1/organisations', { ...organisation, name: `Nr ${at}` })),
  )
  t.match(await verified(as), { entries: 21, faults: [], head: { sequence: '21' } })
})
