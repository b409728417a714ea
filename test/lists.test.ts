import fc from 'fast-check'
import t from 'tap'
import { newId } from '../src/core/ids.ts'
import { wholeTenant } from '../src/db/database.ts'
import { type Answer, type Json, type Service, startService } from './support/harness.ts'
import { isProblem } from './support/problem.ts'

const shared = await startService(t)
const path = '/v1/organisations'

/** Every page of a list, in order, each through the cursor of the one before. */
async function* pagesOf(service: Service, address: string): AsyncGenerator<Answer> {
  let cursor: string | null = null
  do {
    const answer: Answer = await service.get(`${address}${cursor ? `&cursor=${cursor}` : ''}`)
    if (answer.status !== 200) throw new Error(answer.text)
    yield answer
    cursor = answer.body.next_cursor
  } while (cursor !== null)
}

async function walk(service: Service, address: string): Promise<Json[]> {
  const rows: Json[] = []
  for await (const page of pagesOf(service, address)) rows.push(...page.body.data)
  return rows
}

interface Row {
  name: string
  created: string
  starts: string | null
}

const caller = (service: Service) =>
  ({
    ...wholeTenant(service.tenantId),
    actor: { type: 'system', id: null },
    scopes: [],
    requestId: 'test',
    now: '',
  }) as const

/** Partnerships in the rows alone: many at once, at instants of the test's choice. @returns them with their ids */
async function insert(service: Service, rows: readonly Row[]): Promise<(Row & { id: string })[]> {
  const withIds = rows.map((row) => ({ ...row, id: newId() }))
  if (rows.length === 0) return withIds
  await service.database.write(caller(service), (tx) =>
    tx.db
      .insertInto('partnerships')
      .values(
        withIds.map(({ id, name, created, starts }) => ({
          tenant_id: service.tenantId,
          id,
          created_at: created,
          updated_at: created,
          name,
          starts_on: starts,
          evaluation_interval: 'P6M',
          base_currency: 'EUR',
          time_zone: 'Europe/Amsterdam',
          status: 'draft',
          sort_name: name,
          search_text: name,
        })),
      )
      .execute(),
  )
  return withIds
}

// Few values, so that ties are many; dates that may be missing; instants that differ by a microsecond.
const row: fc.Arbitrary<Row> = fc.record({
  name: fc.constantFrom('aa', 'ab', 'b', 'zz'),
  created: fc.constantFrom('2026-01-01T00:00:00.000001Z', '2026-01-01T00:00:00.000002Z', '2026-03-29T01:30:00Z'),
  starts: fc.constantFrom('2026-01-01', '0001-01-01', '9999-12-31', null),
})
const keys = {
  created_at: ({ created }: Row) => created,
  updated_at: ({ created }: Row) => created,
  name: ({ name }: Row) => name,
  starts_on: ({ starts }: Row) => starts ?? 'infinity',
}

t.test('in pages of any size, any sort gives every row once and in order', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 25 }),
      fc.integer({ min: 1, max: 7 }),
      fc.constantFrom(...(Object.keys(keys) as (keyof typeof keys)[])),
      fc.boolean(),
      async (rows, limit, sort, isDown) => {
        const service = await shared.afresh()
        const inserted = await insert(service, rows)
        const keyOf = (one: Row & { id: string }) => `${keys[sort](one)} ${one.id}`
        const expected = inserted.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)).map(({ id }) => id)
        if (isDown) expected.reverse()
        const seen = await walk(service, `/v1/partnerships?sort=${isDown ? '-' : ''}${sort}&limit=${limit}`)
        return JSON.stringify(seen.map(({ id }) => id)) === JSON.stringify(expected)
      },
    ),
    { numRuns: 60 },
  )
  t.pass('60 lists walked')
})

t.test('rows that stay as they are are seen once each, while a thousand others come and change', async (t) => {
  const service = await shared.afresh()
  const at = '2026-01-01T00:00:00Z'
  const rowsOf = (count: number) => Array.from({ length: count }, () => ({ name: 'same', created: at, starts: null }))
  const stable = new Set((await insert(service, rowsOf(150))).map(({ id }) => id))
  const changing = (await insert(service, rowsOf(150))).map(({ id }) => id)
  let isWalking = true
  let written = 0
  const writing = (async () => {
    while (isWalking || written < 1000) {
      await insert(service, rowsOf(50))
      await service.database.write(caller(service), (tx) =>
        tx.db
          .updateTable('partnerships')
          .set({ updated_at: new Date().toISOString(), sort_name: `moved ${written}` })
          .where('tenant_id', '=', service.tenantId)
          .where('id', 'in', changing)
          .execute(),
      )
      written += 50
    }
  })()
  for (const sort of ['created_at', '-updated_at', 'name', '-name']) {
    const seen: string[] = []
    for await (const page of pagesOf(service, `/v1/partnerships?sort=${sort}&limit=20`)) {
      seen.push(...page.body.data.map(({ id }: Json) => id))
      // The rows that come meanwhile may never end: the list ends for us once all that stayed were seen.
      if (new Set(seen.filter((id) => stable.has(id))).size === stable.size && seen.length > 600) break
    }
    const once = seen.filter((id) => stable.has(id))
    t.equal(once.length, stable.size, `${sort}: none twice`)
    t.equal(new Set(once).size, stable.size, `${sort}: none missing`)
  }
  isWalking = false
  await writing
  t.ok(written >= 1000)
})

t.test('a page says where the next one is, in the body and in Link', async (t) => {
  const service = await shared.afresh()
  for (const name of ['A', 'B', 'C']) await service.make(path, { name, sector: 'company' })
  const first = await service.get(`${path}?limit=2&sort=name&sector=company&q=`.replace('&q=', ''))
  const cursor = first.body.next_cursor
  t.type(cursor, 'string')
  t.equal(first.headers['link'], `<${path}?limit=2&sort=name&sector=company&cursor=${cursor}>; rel="next"`)
  const [, next = ''] = /^<(.*)>/.exec(first.headers['link'] ?? '') ?? []
  const second = await service.get(next)
  t.same(
    second.body.data.map(({ name }: Json) => name),
    ['C'],
  )
  t.equal(second.body.next_cursor, null)
  t.equal(second.headers['link'], undefined)
  const exact = await service.get(`${path}?limit=3`)
  t.equal(exact.body.next_cursor, null, 'a page that is just full is the last')
})

t.test('a total is counted where it is asked for, of what the filter lets through', async (t) => {
  const service = await shared.afresh()
  for (const sector of ['company', 'company', 'public']) await service.make(path, { name: 'A', sector })
  t.notOk('total' in (await service.get(`${path}?limit=1`)).body)
  t.equal((await service.get(`${path}?limit=1&include_total=true`)).body.total, 3)
  t.equal((await service.get(`${path}?limit=1&include_total=true&sector=company`)).body.total, 2)
  const last = await service.get(`${path}?sector=other&include_total=true`)
  t.match(last.body, { data: [], next_cursor: null, total: 0 })
})

t.test('a cursor belongs to its list, its filter, its sort and its parent', async (t) => {
  const service = await shared.afresh()
  const made = [
    await service.make(path, { name: 'A', sector: 'company' }),
    await service.make(path, { name: 'B', sector: 'company' }),
  ]
  const contacts = made.map(({ id }) => `${path}/${id}/contacts`)
  for (const address of contacts) {
    for (const name of ['X', 'Y']) await service.make(address, { name, function: 'other' })
  }
  const { next_cursor: cursor } = (await service.get(`${path}?limit=1&sector=company`)).body
  t.equal(
    (await service.get(`${path}?limit=200&sector=company&cursor=${cursor}`)).status,
    200,
    'another size of page is',
  )
  const elsewhere = [
    `${path}?cursor=${cursor}`,
    `${path}?sector=public&cursor=${cursor}`,
    `${path}?sector=company&status=active&cursor=${cursor}`,
    `${path}?sector=company&sort=-created_at&cursor=${cursor}`,
    `${path}?sector=company&sort=name&cursor=${cursor}`,
    `/v1/partnerships?cursor=${cursor}`,
  ]
  for (const address of elsewhere) isProblem(t, await service.get(address), 'invalid_cursor')
  const { next_cursor: below } = (await service.get(`${contacts[0]}?limit=1`)).body
  t.equal((await service.get(`${contacts[0]}?cursor=${below}`)).status, 200)
  isProblem(t, await service.get(`${contacts[1]}?cursor=${below}`), 'invalid_cursor')
})

t.test('a cursor that was tampered with is refused, and never reaches the database', async (t) => {
  const service = await shared.afresh()
  for (const name of ['A', 'B']) await service.make(path, { name, sector: 'company' })
  const { next_cursor: cursor } = (await service.get(`${path}?limit=1`)).body
  const [format, scope, key, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  const forged = [
    [format, scope, `${key}'; drop table organisations`, id],
    [format, scope, 'now', id],
    [format, scope, 'infinity', id],
    [format, scope, key, 'x'],
    [format, scope, key],
    [2, scope, key, id],
    [format, 'other', key, id],
    [format, scope, 5, id],
    { key, id },
    'text',
    null,
  ]
  for (const content of forged) {
    const text = Buffer.from(JSON.stringify(content)).toString('base64url')
    isProblem(t, await service.get(`${path}?cursor=${text}`), 'invalid_cursor')
  }
  for (const text of ['%F0%9F', '!!!', 'x'.repeat(2000), `${cursor}x`, cursor.slice(0, -2)]) {
    const answer = await service.get(`${path}?cursor=${text}`)
    t.ok([400].includes(answer.status), `${text.slice(0, 20)}: ${answer.status}`)
  }
  const wrongDay = Buffer.from(JSON.stringify([format, scope, '2026-99-99 00:00:00+00', id])).toString('base64url')
  t.equal((await service.get(`${path}?cursor=${wrongDay}`)).status, 400)
})

t.test('pages are from 1 to 200 rows, 50 where nothing is said', async (t) => {
  const service = await shared.afresh()
  await insert(
    service,
    Array.from({ length: 205 }, () => ({ name: 'n', created: '2026-01-01T00:00:00Z', starts: null })),
  )
  t.equal((await service.get('/v1/partnerships')).body.data.length, 50)
  t.equal((await service.get('/v1/partnerships?limit=200')).body.data.length, 200)
  for (const limit of ['0', '201', '-1', '1.5', 'ten', '']) {
    isProblem(t, await service.get(`/v1/partnerships?limit=${limit}`), 'invalid_request')
  }
})

t.test('updated_since gives what changed at that instant or later', async (t) => {
  const service = await shared.afresh()
  const first = await service.make(path, { name: 'A', sector: 'company' })
  const second = await service.make(path, { name: 'B', sector: 'company' })
  const names = async (since: string) =>
    (await service.get(`${path}?updated_since=${encodeURIComponent(since)}`)).body.data.map(({ name }: Json) => name)
  t.same(await names(first.updated_at), ['A', 'B'])
  t.same(await names(second.updated_at), ['B'], 'microseconds count')
  await service.call('PATCH', `${path}/${first.id}`, { name: 'A2' }, { ifMatch: '*' })
  t.same(await names(second.updated_at), ['A2', 'B'])
  isProblem(t, await service.get(`${path}?updated_since=yesterday`), 'invalid_request')
  isProblem(t, await service.get(`${path}?updated_since=2026-01-01T00:00:00`), 'invalid_request')
})
