import t, { type Test } from 'tap'
import { connectDatabase, type Database } from '../src/db/database.ts'
import { partnerScopes } from '../src/platform/partners/operations.ts'
import { cloneDatabase } from './support/database.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import { allianceTakenOver, commitment, pathOf } from './support/promises.ts'
import { owner } from './support/requests.ts'
import { organisation } from './support/world.ts'

// Representations that a process keeps in memory, and what it must never answer from there. A title that the owner of the
// database changes behind the service's back tells the two apart: it leaves version and instant as they were.

const shared = await startService(t, { keptBytes: 1_000_000 })

async function world(t: Test, as?: Service) {
  const service = await (as ?? shared).afresh()
  const seats = await allianceTakenOver(service)
  const client = await owner(t, service.url)
  const promise = (title: string) => commitment(service, seats, { title })
  /** Changes what memory does not know of. */
  const behind = (one: Json, title: string, more = '') =>
    client.query(`update commitments set title = $2 ${more} where id = $1`, [one.id, title])
  const titleOf = async (one: Json, options: object = {}) => (await service.get(pathOf(one), options)).body.title
  const titles = async (options: object = {}): Promise<string[]> =>
    (await service.get('/v1/commitments', options)).body.data.map(({ title }: Json) => title)
  return { service, seats, client, promise, behind, titleOf, titles }
}

t.test('what was read once is answered from memory while its record is as it was', async (t) => {
  const { service, promise, behind, titleOf } = await world(t)
  const gift = await promise('Once')
  const first = await service.get(pathOf(gift))
  await behind(gift, 'Behind')
  const second = await service.get(pathOf(gift))
  t.strictSame([second.text, second.etag], [first.text, first.etag])
  t.equal(await titleOf({ id: gift.id.toUpperCase() }), 'Once', 'an id in capitals is the same record')
  t.equal((await service.get(pathOf(gift), { headers: { 'if-none-match': first.etag } })).status, 304)
})

t.test('a change is seen by the next read: of one, of a list, and through the service as behind it', async (t) => {
  const { service, promise, behind, titleOf, titles } = await world(t)
  const gift = await promise('Once')
  t.strictSame([await titleOf(gift), await titles()], ['Once', ['Once']])
  await service.call('PATCH', pathOf(gift), { title: 'Twice' }, { ifMatch: '*' })
  t.strictSame([await titles(), await titleOf(gift)], [['Twice'], 'Twice'])
  await behind(gift, 'Thrice', ', version = version + 1')
  t.strictSame([await titleOf(gift), await titles()], ['Thrice', ['Thrice']])
  // As after a back-up was put back: a version that was there before, at another instant.
  await behind(gift, 'Restored', `, updated_at = updated_at - interval '1 microsecond'`)
  t.strictSame(await titles(), ['Restored'])
})

t.test('a list reads what it does not know, in its own order beside what it does', async (t) => {
  const { service, promise, behind, titleOf, titles } = await world(t)
  const [a, b, c] = [await promise('a'), await promise('b'), await promise('c')]
  t.equal(await titleOf(b), 'b')
  for (const one of [a, b, c]) await behind(one, `${one.title} behind`)
  t.strictSame(await titles(), ['a behind', 'b', 'c behind'])
  await service.call('PATCH', pathOf(b), { title: 'b changed' }, { ifMatch: '*' })
  for (const one of [a, c]) await behind(one, 'unseen')
  t.strictSame(await titles(), ['a behind', 'b changed', 'c behind'])
  t.equal(await titleOf(a), 'a behind', 'a single read knows what a list has read')
})

t.test('what is gone, of others, or not granted is refused, however often it was read', async (t) => {
  const { service, promise, titleOf } = await world(t)
  const gift = await promise('Once')
  await titleOf(gift)
  const { key } = await service.otherTenant('elsewhere')
  t.equal((await service.get(pathOf(gift), { key })).status, 404)
  const narrow = await service.keyWith(['organisations:read'])
  t.equal((await service.get(pathOf(gift), { key: narrow })).status, 403)
  t.equal((await service.call('DELETE', pathOf(gift), undefined, { ifMatch: '*' })).status, 204)
  t.equal((await service.get(pathOf(gift))).status, 404)
})

t.test('what a partner reads never comes from memory, and never gets there', async (t) => {
  const { service, seats, promise, behind, titleOf, titles } = await world(t)
  const gift = await promise('Once')
  await service.step(pathOf(gift), 'propose')
  const organisation_ids = [seats.organisations.company.id]
  const { key } = await service.make('/v1/api-keys', { name: 'A portal', scopes: partnerScopes, organisation_ids })
  await titleOf(gift)
  await behind(gift, 'Seen by the partner')
  t.equal(await titleOf(gift, { key }), 'Seen by the partner')
  t.strictSame(await titles({ key }), ['Seen by the partner'])
  t.equal(await titleOf(gift), 'Once')
})

t.test('a record that was merged away leads to the one that is left', async (t) => {
  const { service } = await world(t)
  const [survivor, duplicate] = [await organisation(service, 'company'), await organisation(service, 'company')]
  for (const { id } of [survivor, duplicate]) await service.get(`/v1/organisations/${id}`)
  await service.step(`/v1/organisations/${survivor.id}`, 'merge', { duplicate_id: duplicate.id })
  const answer = await service.get(`/v1/organisations/${duplicate.id}`)
  t.strictSame([answer.status, answer.headers['location']], [308, `/v1/organisations/${survivor.id}`])
})

t.test('persons are not kept in memory', async (t) => {
  const { service, seats, client } = await world(t)
  const contacts = `/v1/organisations/${seats.organisations.company.id}/contacts`
  const { id } = await service.make(contacts, { name: 'Once', function: 'other' })
  const nameOf = async (options = {}) => (await service.get(`/v1/contacts/${id}`, options)).body.name
  t.equal(await nameOf(), 'Once')
  await client.query(`update contacts set name = 'Behind' where id = $1`, [id])
  t.equal(await nameOf({ key: await service.keyWith(['admin']) }), 'Behind')
})

t.test('memory has a bound: what was read longest ago makes room', async (t) => {
  const small = await startService(t, { keptBytes: 10_000 })
  const { service, promise, behind, titleOf } = await world(t, small)
  const gifts = await Promise.all(Array.from({ length: 8 }, (_, at) => promise(`gift ${at}`)))
  for (const gift of gifts) await titleOf(gift)
  for (const gift of gifts) await behind(gift, 'Behind')
  const key = await service.keyWith(['admin'])
  t.equal(await titleOf(gifts.at(-1), { key }), 'gift 7')
  t.equal(await titleOf(gifts[0], { key }), 'Behind')
})

/** A database that counts what reads ask it for. */
function counting(database: Database) {
  let count = 0
  const counted =
    (read: Database['read']): Database['read'] =>
    (reader, work) =>
      read(reader, ({ client, ...tx }) => {
        const query = (...given: unknown[]) => {
          count += 1
          return Reflect.apply(client.query, client, given)
        }
        return work({ ...tx, client: { query: query as typeof client.query } })
      })
  return {
    database: { ...database, read: counted(database.read), moment: counted(database.moment) },
    since: () => {
      const seen = count
      count = 0
      return seen
    },
  }
}

t.test('what is known is asked for in one statement, and so is one that is read for the first time', async (t) => {
  const url = await cloneDatabase(t)
  const settings = { url, size: 4, statementTimeoutMs: 20_000, connectTimeoutMs: 20_000, onError: () => {} }
  const { database, since } = counting(connectDatabase({ ...settings, keptBytes: 1_000_000 }))
  const { service, promise, titleOf, titles } = await world(t, await startService(t, { url, database }))
  const gift = await promise('Once')
  const costs = async (read: () => Promise<unknown>) => {
    since()
    await read()
    return since()
  }
  t.equal(await costs(() => titleOf(gift)), 1, 'the record')
  t.equal(await costs(() => titleOf(gift)), 1, 'its stamp')
  t.equal(await costs(titles), 1, 'the places with their stamps')
  await promise('Another')
  t.equal(await costs(titles), 2, 'the places, and what is not known of them')
  await service.call('PATCH', pathOf(gift), { title: 'Twice' }, { ifMatch: '*' })
  t.equal(await costs(() => titleOf(gift)), 2, 'its stamp, and the record as it is now')
})
