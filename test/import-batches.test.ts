import t from 'tap'
import { type Json, type Service, startService } from './support/harness.ts'
import { importFile, ndjson, over, rowsOf, send, startImports } from './support/imports.ts'
import { until } from './support/process.ts'
import { owner } from './support/requests.ts'
import { tablesWith } from './support/rows-with.ts'

// The rows of a batch are written while the batch before it ends. Of that nothing shows.

const shared = await startService(t)
await startImports(t, shared)

/** So many rows are a batch. */
const batch = 500
const ref = (id: string | number) => ({ system: 'crm', id: String(id) })
const organisation = (id: string | number, more: object = {}) => ({
  type: 'organisation',
  external_refs: [ref(id)],
  name: `Organisation ${id}`,
  sector: 'company',
  ...more,
})
const many = (from: number, count: number) => Array.from({ length: count }, (_, at) => organisation(from + at))
const byRef = async (service: Service, id: string | number): Promise<Json> =>
  (await service.get(`/v1/organisations/by-ref/crm/${id}`)).body
const kvk = (value: string) => ({ identifiers: [{ scheme: 'NL-KVK', value }] })

/** Holds what the end of a batch needs. */
async function holdEnds(service: Service) {
  const [holder, watcher, keys] = await Promise.all([1, 2, 3].map(() => owner(t, service.url)))
  await holder?.query('begin')
  await holder?.query('select from tenant_counters for update')
  const sessions = async (condition: string) =>
    (await watcher?.query(`select from pg_stat_activity where datname = current_database() and ${condition}`))?.rowCount
  const waiting = (count: number) => until(async () => (await sessions("wait_event_type = 'Lock'")) === count)
  return {
    /** Comes back when the next batch has written its rows meanwhile. */
    async nextIsWritten() {
      await waiting(1)
      await until(async () => (await sessions("state = 'idle in transaction' and query ~ 'release savepoint'")) === 1)
    },
    /**
     * Lets the batch end, and the next not go on before somebody is done who waits for the import: each asks first whether
     * the key is still good.
     */
    async releaseFor(done: Promise<unknown>) {
      await waiting(2)
      await keys?.query('begin')
      const held = keys?.query('lock table api_keys in access exclusive mode')
      await waiting(3)
      await holder?.query('commit')
      await done
      await held
      await keys?.query('commit')
    },
    release: () => holder?.query('commit'),
  }
}

t.test('rows name, change and contradict those of the batch before', async (t) => {
  const service = await shared.afresh()
  const rows = [
    ...many(0, batch - 2),
    organisation('parent'),
    organisation('registered', kvk('12345670')),
    organisation('child', { parent_ref: ref('parent') }),
    organisation('twin', kvk('12345670')),
    organisation(3, { name: 'Changed', external_refs: [ref(3), { system: 'hr', id: '3' }] }),
    organisation('again', { external_refs: [{ system: 'hr', id: '4' }, ref(4)] }),
    ...many(1000, 1200),
  ]
  const made = await importFile(service, rows)
  t.match(made, { status: 'finished', created: rows.length - 3, updated: 2, ambiguous: 1, invalid: 0, waiting: 0 })
  const parent = await byRef(service, 'parent')
  t.equal((await byRef(service, 'child')).parent_id, parent.id)
  t.match(await byRef(service, 3), { name: 'Changed', version: 2, external_refs: [ref(3), { system: 'hr', id: '3' }] })
  t.match(await byRef(service, 4), { name: 'Organisation again', version: 2 })
  const [refused] = await rowsOf(service, made, '&outcome=ambiguous')
  t.same(refused?.candidates, [(await byRef(service, 'registered')).id])
})

t.test('events follow each other in the order of the rows, without a gap', async (t) => {
  const service = await shared.afresh()
  const { nextIsWritten, release } = await holdEnds(service)
  const { body: made } = await send(service, ndjson(many(0, 2 * batch + 10)))
  await nextIsWritten()
  t.equal((await service.get('/v1/organisations?include_total=true&limit=1')).body.total, 0)
  await release()
  t.match(await over(service, made.id), { created: 2 * batch + 10 })
  const events: Json[] = []
  for (let after = '0'; events.length < 2 * batch + 10; after = events.at(-1)?.sequence) {
    events.push(...(await service.get(`/v1/events?after=${after}&limit=200`)).body.data)
  }
  t.same(
    events.map(({ sequence, data }) => `${sequence} ${data.external_refs[0].id}`),
    events.map((_, at) => `${at + 1} ${at}`),
  )
})

t.test('what was written ahead goes where the import is cancelled meanwhile', async (t) => {
  const service = await shared.afresh()
  const { nextIsWritten, releaseFor } = await holdEnds(service)
  const { body: made } = await send(service, ndjson(many(0, 3 * batch)))
  await nextIsWritten()
  const cancelling = service.call('POST', `/v1/imports/${made.id}/cancel`)
  await releaseFor(cancelling)
  t.match(await cancelling, { status: 200 })
  t.match(await over(service, made.id), { status: 'cancelled', created: batch })
  t.equal((await service.get('/v1/organisations?include_total=true&limit=1')).body.total, batch)
})

t.test('who is erased meanwhile does not come back by what was written ahead', async (t) => {
  const service = await shared.afresh()
  const { id } = await service.make('/v1/organisations', { name: 'Ons Doel', sector: 'non_profit' })
  const person = { name: 'Wilhelmina Achterberg', email: 'achterberg@voorbeeld.example', function: 'finance' }
  const erased = await service.make(`/v1/organisations/${id}/contacts`, person)
  const contact = (at: number, members: object) => ({
    type: 'contact',
    organisation_id: id,
    external_refs: [ref(at)],
    ...members,
  })
  const others = Array.from({ length: batch }, (_, at) => contact(at, { name: `Person ${at}`, function: 'other' }))
  const { nextIsWritten, releaseFor } = await holdEnds(service)
  const { body: made } = await send(service, ndjson([...others, contact(batch, person)]))
  await nextIsWritten()
  const erasing = service.call('POST', `/v1/contacts/${erased.id}/erase`, {}, { ifMatch: '*' })
  await releaseFor(erasing)
  t.match(await erasing, { status: 200 })
  t.match(await over(service, made.id), { status: 'finished', created: batch, invalid: 1 })
  t.same(await tablesWith(service, 'Achterberg'), [])
})

t.test('rows that are long make smaller batches, and none is left out', async (t) => {
  const service = await shared.afresh()
  const [short, long] = ['x', 'x'.repeat(900_000)]
  const rowsWith = (text: string) => many(0, 12).map((row) => ({ ...row, text }))
  const [few, most] = [await importFile(service, rowsWith(short)), await importFile(service, rowsWith(long))]
  const lines = Array.from({ length: 12 }, (_, at) => at + 1)
  for (const made of [few, most]) {
    t.match(made, { status: 'finished', rows_read: 12, rows_done: 12, invalid: 12 })
    t.same(
      (await rowsOf(service, made)).map(({ line, outcome }) => [line, outcome]),
      lines.map((line) => [line, 'invalid']),
    )
  }
  // Each batch is a version of the import: twelve rows are one batch, or three where five of them are more than 4 MB.
  t.equal(most.version - few.version, 2)
})
