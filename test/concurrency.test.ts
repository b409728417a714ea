import t from 'tap'
import { makeOutbound } from '../src/platform/outbound.ts'
import { secretBox } from '../src/platform/secrets.ts'
import { type Json, startService } from './support/harness.ts'
import { holdEnds, holder, meet } from './support/meeting.ts'
import { allianceTakenOver } from './support/promises.ts'
import { organisation } from './support/world.ts'

t.test('a writer that waited for another decides on what the other left', async (t) => {
  const service = await startService(t)
  const { id } = await service.make('/v1/organisations', { name: 'Before', sector: 'company' })
  const change = (name: string) => () => service.call('PATCH', `/v1/organisations/${id}`, { name }, { ifMatch: '"1"' })
  const [between, after] = await meet(t, service, change('Between'), change('After'))
  t.equal(between.status, 200)
  t.equal(after.status, 412, 'its ETag is stale by now')
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

t.test('who waited for a partnership sees its parties as the writer before left them', async (t) => {
  const service = await startService(t)
  const seats = await allianceTakenOver(service)
  const path = `/v1/partnerships/${seats.partnership.id}`
  const parties = seats.partnership.parties.map(({ assent: _, ...party }: Json) => party)
  const left = parties.map((one: Json) => (one.id === seats.company ? { ...one, left_on: '2026-02-01' } : one))
  const gift = { kind: 'cash', title: 'Gift', measure: { type: 'money', amount: '10.00', currency: 'EUR' } }
  const promise = { ...gift, partnership_id: seats.partnership.id, from_party_id: seats.company }
  const [leaving, { status, body }] = await meet(
    t,
    service,
    () => service.call('PATCH', path, { parties: left }, { ifMatch: '*' }),
    () => service.call('POST', '/v1/commitments', promise),
  )
  t.equal(leaving.status, 200)
  t.match({ status, body }, { status: 422, body: { errors: [{ pointer: '/from_party_id', code: 'party_left' }] } })
})

t.test('what names an organisation that is being merged is done again, however its statements travel', async (t) => {
  const service = await startService(t)
  const [survivor, charity] = [await organisation(service, 'company'), await organisation(service, 'non_profit')]
  const contact = await service.make(`/v1/organisations/${charity.id}/contacts`, { name: 'X', function: 'other' })
  for (let round = 0; round < 4; round += 1) {
    const duplicate = await organisation(service, 'company')
    const [merge, { status, body }] = await meet(
      t,
      service,
      () => service.step(`/v1/organisations/${survivor.id}`, 'merge', { duplicate_id: duplicate.id }),
      () =>
        service.call('POST', '/v1/partnerships', {
          name: 'Samen',
          parties: [
            { organisation_id: duplicate.id, side: 'company' },
            { organisation_id: charity.id, side: 'non_profit' },
          ],
          managers: [{ organisation_id: charity.id, contact_id: contact.id }],
        }),
    )
    t.equal(merge.status, 200)
    t.match({ status, body }, { status: 422, body: { errors: [{ pointer: '/parties/0/organisation_id' }] } })
  }
})

t.test('an endpoint of webhooks that goes stands in the way of nobody', async (t) => {
  const webhooks = { outbound: makeOutbound({ allowPrivate: true }), box: secretBox([]) }
  const service = await startService(t, { webhooks })
  const { id } = await service.make('/v1/webhook-endpoints', { url: 'http://127.0.0.1:1/hook' })
  await service.make('/v1/organisations', { name: 'Before', sector: 'company' })
  const ends = await holdEnds(t, service)
  const removed = service.call('DELETE', `/v1/webhook-endpoints/${id}`, undefined, { ifMatch: '*' })
  await ends.waiters(1)
  // As a delivery does, which every change adds while it holds what the removal waits for.
  const delivery = await holder(t, service)
  await delivery.hold('select from webhook_endpoints where id = $1 for key share nowait', [id])
  await delivery.letGo()
  await ends.letGo()
  t.equal((await removed).status, 204)
  t.equal((await service.get(`/v1/webhook-endpoints/${id}`)).status, 404)
})
