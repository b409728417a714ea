import t from 'tap'
import { startService } from './support/harness.ts'

t.test('the reference page comes whole from the service, and leads to no other', async (t) => {
  const service = await startService(t)
  const page = await service.call('GET', '/docs/', undefined, { key: null })
  t.equal(page.status, 200)
  t.match(page.headers, { 'content-type': /^text\/html/ })
  t.match(page.text, '<title>Beide API</title>')
  t.notMatch(page.text, /https?:/, 'no address elsewhere')
  t.match(page.text, /"agent": \{\s*"disabled": true/)
  t.match(page.text, /"mcp": \{\s*"disabled": true/)
  t.match(page.text, '"showDeveloperTools": "never"')
  const sources = [...page.text.matchAll(/ (?:src|href)="([^"]+)"/g)].map(([, source]) => source)
  t.strictSame(sources, ['js/scalar.js'])
  const script = await service.call('GET', '/docs/js/scalar.js', undefined, { key: null })
  t.equal(script.status, 200)
  t.match(script.headers, { 'content-type': /javascript/ })
  t.equal((await service.call('GET', '/docs', undefined, { key: null })).headers['location'], '/docs/')
  const unknown = await service.call('GET', '/docs/nothing', undefined, { key: null })
  t.match(unknown, { status: 404, body: { code: 'unknown_route' } })
})

t.test('parameters that have a default may be left out', async (t) => {
  const { document } = await startService(t)
  const { parameters } = document.paths['/v1/organisations'].get
  const limit = parameters.find(({ name }: { name: string }) => name === 'limit')
  t.match(limit, { in: 'query', schema: { default: 50 } })
  t.notOk(limit.required)
})
