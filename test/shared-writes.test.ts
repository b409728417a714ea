import { randomUUID } from 'node:crypto'
import pg from 'pg'
import t, { type Test } from 'tap'
import { verified } from './support/audited.ts'
import { type Answer, type Json, type Service, startService } from './support/harness.ts'
import { type Alliance, allianceTakenOver } from './support/promises.ts'

// What one credential makes at the same time may share a transaction; nobody can tell but by the time that it takes.

const service = await startService(t)

const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at))

const gift = (seats: Alliance, title: string) => ({
  partnership_id: seats.partnership.id,
  from_party_id: seats.company,
  to_party_id: seats.charity,
  kind: 'cash',
  title,
  measure: { type: 'money', amount: '125.00', currency: 'EUR' },
})

const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status)

async function owner(t: Test): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: service.url })
  await client.connect()
  t.teardown(() => client.end())
  return client
}

/** How many transactions wrote these records. */
async function transactionsOf(client: pg.Client, as: Service, table: string): Promise<number> {
  const { rows } = await client.query(`select count(distinct xmin::text)::int from ${table} where tenant_id = $1`, [
    as.tenantId,
  ])
  return rows[0].count
}

t.test('what is made at once is answered, told of and kept as if each had been alone', async (t) => {
  const as = await service.afresh()
  const client = await owner(t)
  const seats = await allianceTakenOver(as)
  const before = (await as.get('/v1/events?limit=200')).body.data.length
  const asked = many(40, (at) => ({ title: `gift ${at}`, requestId: randomUUID() }))
  const answers = await Promise.all(
    asked.map(({ title, requestId }) =>
      as.call('POST', '/v1/commitments', gift(seats, title), { headers: { 'x-request-id': requestId } }),
    ),
  )
  t.strictSame([...new Set(statuses(answers))], [201])
  const shared = await transactionsOf(client, as, 'commitments')
  t.ok(shared < 40, `${shared} transactions`)
  t.strictSame(
    answers.map(({ body }) => body.title),
    asked.map(({ title }) => title),
    'each gets its own',
  )
  for (const answer of answers) {
    const { headers, text, etag } = await as.get(`/v1/commitments/${answer.body.id}`)
    t.strictSame([text, etag], [answer.text, answer.etag], 'the answer is the record')
    t.equal(answer.headers['location'], `/v1/commitments/${answer.body.id}`)
    t.ok(headers)
  }
  const events: Json[] = (await as.get(`/v1/events?after=${before}&limit=200`)).body.data
  t.strictSame(
    events.map(({ sequence }) => Number(sequence)),
    many(40, (at) => before + 1 + at),
  )
  const requestOf = new Map(asked.map(({ title, requestId }) => [title, requestId]))
  for (const { type, data, request_id } of events) {
    t.strictSame([type, request_id], ['commitment.created', requestOf.get(data.title)])
  }
  const histories = await Promise.all(answers.map(({ body }) => as.get(`/v1/commitments/${body.id}/history`)))
  t.ok(histories.every(({ body }) => body.data.length === 1 && body.data[0].to_status === 'draft'))
  t.strictSame((await verified(as)).faults, [], 'the chain of the audit holds')
})

t.test('organisations and partnerships are made at once likewise', async (t) => {
  const as = await service.afresh()
  const client = await owner(t)
  const made = await Promise.all(
    many(30, (at) =>
      as.make('/v1/organisations', {
        name: `Stichting ${at}`,
        sector: at % 2 ? 'company' : 'non_profit',
        identifiers: [{ scheme: 'NL-KVK', value: String(10_000_000 + at) }],
        external_refs: [{ system: 'crm', id: `a-${at}` }],
      }),
    ),
  )
  t.ok((await transactionsOf(client, as, 'organisations')) < 30)
  t.strictSame(
    made.map(({ identifiers, external_refs }) => [identifiers[0].value, external_refs[0].id]),
    many(30, (at) => [String(10_000_000 + at), `a-${at}`]),
  )
  const partnerships = await Promise.all(
    many(20, (at) =>
      as.make('/v1/partnerships', {
        name: `Samen ${at}`,
        parties: [
          { organisation_id: made[1]?.id, side: 'company', role: 'lead' },
          { organisation_ref: { system: 'crm', id: `a-${2 * (at % 10)}` }, side: 'non_profit' },
        ],
      }),
    ),
  )
  t.ok((await transactionsOf(client, as, 'partnerships')) < 20)
  for (const [at, partnership] of partnerships.entries()) {
    t.equal(partnership.parties[1].organisation_id, made[2 * (at % 10)]?.id)
    t.strictSame((await as.get(`/v1/partnerships/${partnership.id}`)).body, partnership)
  }
})

t.test('who is refused is refused alone, and for its own reason', async (t) => {
  const as = await service.afresh()
  const seats = await allianceTakenOver(as)
  const bodies: object[] = many(30, (at) => {
    if (at % 10 === 3) return { ...gift(seats, `${at}`), from_party_id: randomUUID() }
    if (at % 10 === 5) return { ...gift(seats, `${at}`), external_refs: [{ system: 'crm', id: 'one' }] }
    return gift(seats, `${at}`)
  })
  const answers = await Promise.all(bodies.map((body) => as.call('POST', '/v1/commitments', body)))
  const of = (digit: number) => answers.filter((_, at) => at % 10 === digit)
  t.strictSame(statuses(of(3)), [422, 422, 422])
  for (const { body } of of(3))
    t.strictSame(
      body.errors.map((one: Json) => one.pointer),
      ['/from_party_id'],
    )
  t.strictSame(statuses(of(5)).sort(), [201, 409, 409], 'of three with one reference one is made')
  t.ok(answers.every(({ status }, at) => at % 10 === 3 || at % 10 === 5 || status === 201))
  const kept = (await as.get('/v1/commitments?limit=200')).body.data
  t.equal(kept.length, 25, 'nothing of the refused stays, and nothing is there twice')
  t.equal((await as.get('/v1/events?types=commitment.created&limit=200')).body.data.length, 25)
})

t.test('a rule that only the commit finds broken is met by its own record alone', async (t) => {
  const as = await service.afresh()
  const client = await owner(t)
  const seats = await allianceTakenOver(as)
  await client.query(`
    create function refuse_title() returns trigger language plpgsql as $$
      begin if new.title = 'never' then raise 'no such title'; end if; return null; end $$`)
  await client.query(`
    create constraint trigger refused_late after insert on commitments deferrable initially deferred
      for each row execute function refuse_title()`)
  t.teardown(() =>
    client.query('drop trigger refused_late on commitments').then(() => client.query('drop function refuse_title')),
  )
  const answers = await Promise.all(
    many(20, (at) => as.call('POST', '/v1/commitments', gift(seats, at === 11 ? 'never' : `gift ${at}`))),
  )
  t.strictSame(
    answers.filter(({ status }) => status !== 201).map(({ status }) => status),
    [500],
  )
  t.equal(answers[11]?.status, 500)
  t.equal((await as.get('/v1/commitments?limit=200')).body.data.length, 19)
})

t.test('who waits for a lock of others does not have the rest wait', async (t) => {
  const as = await service.afresh()
  const client = await owner(t)
  const [held, free] = [await allianceTakenOver(as), await allianceTakenOver(as)]
  await client.query('begin')
  await client.query('select from partnerships where id = $1 for update', [held.partnership.id])
  let isAnswered = false
  const first = many(2, (at) => as.make('/v1/commitments', gift(free, `first ${at}`)))
  const waiting = as.make('/v1/commitments', gift(held, 'held')).then((body) => {
    isAnswered = true
    return body
  })
  const rest = many(6, (at) => as.make('/v1/commitments', gift(free, `rest ${at}`)))
  await Promise.all([...first, ...rest])
  t.notOk(isAnswered)
  await client.query('rollback')
  t.equal((await waiting).title, 'held')
})

t.test('each credential speaks for itself, also at the same time', async (t) => {
  const as = await service.afresh()
  const seats = await allianceTakenOver(as)
  const keys = await Promise.all(
    many(2, (at) => as.make('/v1/api-keys', { name: `key ${at}`, scopes: ['commitments:write', 'commitments:read'] })),
  )
  const answers = await Promise.all(
    many(24, (at) => as.call('POST', '/v1/commitments', gift(seats, `${at}`), { key: keys[at % 2]?.key })),
  )
  t.strictSame([...new Set(statuses(answers))], [201])
  const events: Json[] = (await as.get('/v1/events?types=commitment.created&limit=200')).body.data
  t.equal(events.length, 24)
  for (const { data, actor } of events) t.equal(actor.id, keys[Number(data.title) % 2]?.id)
})

t.test('a key of idempotency keeps a transaction of its own', async (t) => {
  const as = await service.afresh()
  const seats = await allianceTakenOver(as)
  const send = () =>
    Promise.all(
      many(10, (at) =>
        as.call('POST', '/v1/commitments', gift(seats, `${at}`), {
          headers: { 'idempotency-key': `${as.tenantId} ${at}` },
        }),
      ),
    )
  const [first, again] = [await send(), await send()]
  t.strictSame(
    again.map(({ text }) => text),
    first.map(({ text }) => text),
  )
  t.ok(again.every(({ headers }) => headers['idempotent-replayed'] === 'true'))
})
