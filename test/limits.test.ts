import t from 'tap'
import { startService } from './support/harness.ts'
import { isProblem } from './support/problem.ts'

// Nothing is without a bound, and whoever meets one takes nothing from the others.

const service = await startService(t, { requestsPerMinute: 100, bodyLimitBytes: 20_000 })

t.test('a client that sends all it can is refused, and another of the same tenant is not', async (t) => {
  const greedy = await service.keyWith(['organisations:read'])
  const fair = await service.keyWith(['organisations:read'])
  const before = Array.from({ length: 400 }, () => service.get('/v1/organisations', { key: greedy }))
  const others: number[] = []
  for (let n = 0; n < 20; n += 1) others.push((await service.get('/v1/organisations', { key: fair })).status)
  t.same(others, Array(20).fill(200), 'while the greedy one waits in line')
  const answers = await Promise.all(before)
  const counts = Object.groupBy(answers, ({ status }) => status)
  t.same([counts[200]?.length, counts[429]?.length], [100, 300])
  for (const refused of counts[429] ?? []) t.match(refused.headers['retry-after'], /^\d+$/)
  t.equal((await service.get('/v1/organisations', { key: fair })).status, 200)
})

t.test('bodies, pages and batches have bounds, and the refusal names them', async (t) => {
  const as = await service.afresh()
  const large = { name: 'x', sector: 'company', metadata: { text: 'x'.repeat(25_000) } }
  isProblem(t, await as.call('POST', '/v1/organisations', large), 'too_large')
  const page = await as.get('/v1/organisations?limit=201')
  t.match(page, { status: 400, body: { errors: [{ pointer: '?limit' }] } })
  const refs = Array.from({ length: 101 }, (_, at) => ({ system: 'crm', id: String(at) }))
  const ids = Array.from({ length: 100 }, (_, at) => `0190a6c5-0000-7000-8000-${String(at).padStart(12, '0')}`)
  const batch = await as.call('POST', '/v1/organisations/lookup', { ids, refs })
  t.match(batch, { status: 422, body: { errors: [{ code: 'count', detail: /1 to 200/ }] } })
})
