import t from 'tap'
import { connectClient } from '../src/clients/client.ts'
import { loadDemo } from '../src/clients/demo.ts'
import { type Json, startService } from './support/harness.ts'

t.test('the demo fills a service with every state there is, and a second run finds all of it', async (t) => {
  const service = await startService(t)
  const url = await service.app.listen({ host: '127.0.0.1', port: 0 })
  const client = connectClient({ url, key: service.key })
  const all = async (collection: string): Promise<Json[]> =>
    (await service.get(`/v1/${collection}?limit=200`)).body.data
  const statuses = (records: Json[]) => [...new Set(records.map(({ status }) => status))].sort()

  const first = await loadDemo(client)
  t.equal(first.found, 0)
  t.ok(first.created > 60)
  t.ok((await all('organisations')).length >= 8)
  const partnerships = await all('partnerships')
  t.strictSame(statuses(partnerships), ['active', 'declined', 'draft', 'ended', 'ending', 'paused', 'proposed'])
  const commitments = await all('commitments')
  t.strictSame(statuses(commitments), [
    ...['agreed', 'cancelled', 'declined', 'draft', 'fulfilled', 'lapsed', 'paused', 'proposed', 'released'],
    'substituted',
  ])
  for (const { id, parties } of partnerships.filter(({ status }) => status === 'ended')) {
    const promisers = commitments.filter((one) => one.partnership_id === id).map((one) => one.from_party_id)
    t.strictSame(promisers.sort(), parties.map((party: Json) => party.id).sort(), 'both sides promised')
  }
  const confirmations = (await all('fulfilments')).map(({ confirmation }) => confirmation)
  t.strictSame([...new Set(confirmations)].sort(), ['confirmed', 'disputed', 'reported'])
  t.strictSame(statuses(await all('substitutions')), ['accepted'])
  t.strictSame(statuses(await all('amendments')), ['accepted'])
  const evaluations = await all('evaluations')
  t.strictSame(statuses(evaluations), ['cancelled', 'concluded', 'planned'])
  const ready = evaluations.filter(({ kind }) => kind === 'readiness')
  t.strictSame(statuses(ready), ['concluded'], 'an organisation has judged itself')
  const held = evaluations.filter(({ kind, status }) => status === 'concluded' && kind !== 'readiness')
  t.equal(held.length, 2)
  for (const { id } of held) {
    const { scores, gaps } = (await service.get(`/v1/evaluations/${id}/scores`)).body
    t.notOk(scores.some(({ score }: Json) => score === null))
    t.ok(gaps.some(({ is_flagged }: Json) => is_flagged))
  }
  t.equal((await all('objective-links')).length, 5)
  const impacts = await all('impacts')
  t.equal(impacts.length, 4, 'one by itself, and three assessed at once')
  t.equal(impacts.filter(({ response_pause_id }) => response_pause_id !== null).length, 1)
  t.match((await service.get('/v1/thresholds')).body, { late_days: 45, version: 1 })
  for (const { name, id } of (await all('organisations')).filter(({ sector }) => sector === 'non_profit')) {
    const { status, text } = await service.get(`/v1/portfolio/chart.svg?organisation_id=${id}&language=nl`)
    t.equal(status, 200, name)
    t.match(text, /<title[^>]*>De portefeuille op /, name)
  }

  const before = await service.get('/v1/events?limit=200')
  t.ok(before.body.data.length < 200)
  t.strictSame(await loadDemo(client), { created: 0, found: first.created - 5, steps: 0 })
  const after = await service.get('/v1/events?limit=200')
  t.strictSame(after.body.data, before.body.data, 'nothing has happened')
})
