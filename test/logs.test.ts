import t from 'tap'
import { makeLogger } from '../src/platform/log.ts'
import { runOnServer } from './support/database.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import { isProblem } from './support/problem.ts'

const lines: Json[] = []
const logger = makeLogger({ level: 'trace', format: 'json' }, { write: (line) => void lines.push(JSON.parse(line)) })
const service: Service = await startService(t, { logger })
const person = { name: 'Wilhelmina Achterberg', email: 'w.achterberg@voorbeeld.example', function: 'finance' }

t.test('a fault of our own tells the caller nothing, and the log where it is', async (t) => {
  const { id } = await service.make('/v1/organisations', { name: 'Achterberg Stichting', sector: 'other' })
  const contacts = `/v1/organisations/${id}/contacts`
  await runOnServer(service.url, `alter table contacts add check (name not like '%Achterberg%')`)
  const refused = await service.call('POST', contacts, person)
  isProblem(t, refused, 'internal')
  t.match(refused.body.detail, refused.headers['x-request-id'], 'what to name when asking for help')
  const line = lines.find((log) => log.level === 50)
  t.match(line, {
    request_id: refused.headers['x-request-id'],
    code: 'internal',
    err: { code: '23514', table: 'contacts', constraint: 'contacts_name_check', stack: /\.ts:\d+/ },
  })
  t.notMatch(JSON.stringify(lines), /Achterberg/i, 'Postgres names the row that it refuses; the log does not')
})

t.test('no refusal writes what was sent into the log', async (t) => {
  const { id } = await service.make('/v1/organisations', { name: 'Voorbeeld', sector: 'other' })
  const contacts = `/v1/organisations/${id}/contacts`
  const external_refs = [{ system: 'crm', id: 'achterberg@crm' }]
  const tries = [
    service.call('POST', contacts, { ...person, function: 'Achterberg' }),
    service.call('POST', contacts, { ...person, email: 'Achterberg' }),
    service.call('POST', contacts, '{"name": "Achterberg'),
    service.get(`${contacts}?q=Achterberg&Achterberg=1`),
    service.get('/Achterberg'),
    service.get('/v1/contacts/Achterberg'),
    service.get('/v1/contacts/by-ref/crm/Achterberg'),
    service.get('/v1/organisations', { key: `beide_Achterberg00_${'a'.repeat(43)}` }),
    service.call(
      'PATCH',
      `/v1/organisations/${id}`,
      { external_refs: [...external_refs, ...external_refs] },
      { ifMatch: '*' },
    ),
  ]
  for (const answer of await Promise.all(tries)) t.ok(answer.status >= 400 && answer.status < 500, answer.text)
  const logged = lines.map(({ faults: _names, ...line }) => line)
  t.notMatch(JSON.stringify(logged), /Achterberg/i)
})

t.test('no credential is ever logged', async (t) => {
  const { key } = await service.make('/v1/api-keys', { name: 'Logged', scopes: ['organisations:read'] })
  await service.get('/v1/organisations', { key })
  await service.get('/v1/organisations', { key: `${key}x` })
  t.notMatch(JSON.stringify(lines), key.split('_')[2])
  t.notMatch(JSON.stringify(lines), service.key.split('_')[2] as string)
})
