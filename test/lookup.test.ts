import t from 'tap'
import { newId } from '../src/core/ids.ts'
import { type Json, startService } from './support/harness.ts'

const path = '/v1/organisations'
const charity = (name: string, refs: object[] = []) => ({ name, sector: 'non_profit', external_refs: refs })

t.test('many records by ids and refs: each once, in the order named, and what is not there', async (t) => {
  const service = await startService(t)
  const one = await service.make(path, charity('One', [{ system: 'crm', id: '1' }]))
  const two = await service.make(path, charity('Two', [{ system: 'crm', id: '2' }]))
  const missing = newId()
  const { status, body } = await service.call('POST', `${path}/lookup`, {
    ids: [two.id.toUpperCase(), missing, two.id],
    refs: [
      { system: 'crm', id: '1' },
      { system: 'crm', id: '2' },
      { system: 'erp', id: '1' },
    ],
  })
  t.equal(status, 200)
  t.same(body, { data: [two, one], not_found: { ids: [missing], refs: [{ system: 'erp', id: '1' }] } })
  const other = await service.otherTenant('other')
  const theirs = await service.call('POST', `${path}/lookup`, { ids: [one.id] }, { key: other.key })
  t.same(theirs.body, { data: [], not_found: { ids: [one.id], refs: [] } })
})

t.test('200 at most, and one at least', async (t) => {
  const service = await startService(t)
  const made: Json[] = []
  for (let at = 0; at < 200; at += 1) made.push(await service.make(path, charity(`Charity ${at}`)))
  const ids = made.map(({ id }) => id)
  const all = await service.call('POST', `${path}/lookup`, { ids })
  t.same(all.body.data, made)
  const tooMany = await service.call('POST', `${path}/lookup`, { ids, refs: [{ system: 'crm', id: '1' }] })
  t.match({ status: tooMany.status, code: tooMany.body.code }, { status: 422, code: 'rule_violated' })
  t.equal((await service.call('POST', `${path}/lookup`, { ids: [] })).status, 422)
  t.equal((await service.call('POST', `${path}/lookup`, {})).status, 400)
  t.equal((await service.call('POST', `${path}/lookup`, { ids: [...ids, newId()] })).status, 400)
  const keyed = { headers: { 'idempotency-key': 'k' } }
  t.notOk((await service.call('POST', `${path}/lookup`, { ids }, keyed)).headers['idempotent-replayed'])
})

t.test('every kind of record that has your own ids can be looked up', async (t) => {
  const { document } = await startService(t)
  const byRef = Object.keys(document.paths).flatMap((url) => /^\/v1\/([^/]+)\/by-ref\//.exec(url)?.[1] ?? [])
  t.ok(byRef.length >= 6)
  for (const kind of byRef) t.ok(document.paths[`/v1/${kind}/lookup`]?.post, kind)
})
