import t from 'tap'
import { startService } from './support/harness.ts'
import { holder } from './support/meeting.ts'

t.test('a writer that waited for another decides on what the other left', async (t) => {
  const service = await startService(t)
  const { id } = await service.make('/v1/organisations', { name: 'Before', sector: 'company' })
  const other = await holder(t, service)
  await other.hold(`update organisations set name = 'Between', version = 2 where id = $1`, [id])
  const patch = service.call('PATCH', `/v1/organisations/${id}`, { name: 'After' }, { ifMatch: '"1"' })
  await other.waiters(1)
  await other.letGo()
  t.equal((await patch).status, 412, 'its ETag is stale by now')
  t.equal((await service.get(`/v1/organisations/${id}`)).body.name, 'Between')
})

t.test('of 50 changes with one ETag exactly one wins', async (t) => {
  const service = await startService(t)
  const { id } = await service.make('/v1/organisations', { name: 'One', sector: 'company' })
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, at) =>
      service.call('PATCH', `/v1/organisations/${id}`, { name: `Name ${at}` }, { ifMatch: '"1"' }),
    ),
  )
  t.equal(answers.filter(({ status }) => status === 200).length, 1)
  t.equal(answers.filter(({ status }) => status === 412).length, 49)
  t.equal((await service.get(`/v1/organisations/${id}`)).etag, '"2"')
})

t.test('of 50 upserts of a new id exactly one creates', async (t) => {
  const service = await startService(t)
  const answers = await Promise.all(
    Array.from({ length: 50 }, () =>
      service.call('PUT', '/v1/organisations/by-ref/crm/A1', { name: 'One', sector: 'company' }),
    ),
  )
  t.equal(answers.filter(({ status }) => status === 201).length, 1)
  t.equal(answers.filter(({ status }) => status === 200).length, 49)
  t.equal(new Set(answers.map(({ body }) => body.id)).size, 1)
  t.ok(answers.every(({ body }) => body.version === 1))
})

t.test('the events of 50 writers are numbered without a gap, in the order of their commits', async (t) => {
  const service = await startService(t)
  await Promise.all(
    Array.from({ length: 50 }, (_, at) => service.make('/v1/organisations', { name: `Name ${at}`, sector: 'company' })),
  )
  const rows = await service.database.read(service, (tx) =>
    tx.db.selectFrom('events').select('sequence').where('tenant_id', '=', tx.tenantId).orderBy('sequence').execute(),
  )
  t.same(
    rows.map((row) => Number(row.sequence)),
    Array.from({ length: 50 }, (_, at) => at + 1),
  )
})
