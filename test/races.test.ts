import { pino } from 'pino'
import t from 'tap'
import { reminders } from '../src/background.ts'
import { fixedClock } from '../src/core/clock.ts'
import { wholeTenant } from '../src/db/database.ts'
import { makeOutbound } from '../src/platform/outbound.ts'
import { remind } from '../src/platform/reminders.ts'
import { secretBox } from '../src/platform/secrets.ts'
import { webhookJobs } from '../src/resources/webhook-endpoints/delivery.ts'
import { type Json, startService } from './support/harness.ts'
import { holder, meet } from './support/meeting.ts'
import { allianceTakenOver, faultsOf } from './support/promises.ts'
import { partnershipOf, plan } from './support/rounds.ts'
import { organisation, partnershipIn, stepOf } from './support/world.ts'

// Two at once, of whom the second decides on what the first leaves.

const clock = fixedClock('2026-06-15T12:00:00Z')
const webhooks = { outbound: makeOutbound({ allowPrivate: true }), box: secretBox([Buffer.alloc(32, 7)]) }
const service = await startService(t, { clock, webhooks })
const asNew = { ifMatch: '"1"' }
const path = (kind: string, { id }: Json, verb = '') => `/v1/${kind}/${id}${verb && `/${verb}`}`

t.test('whoever is invited while being erased is not asked', async (t) => {
  const partnership = await partnershipOf(service)
  const [{ id: party_id, organisation_id }] = partnership.parties
  const round = await plan(service, partnership, { response_mode: 'individual' })
  const named = () =>
    service.make(`/v1/organisations/${organisation_id}/contacts`, { name: 'Noor', function: 'finance' })
  const invite = (contact: Json) => () =>
    service.call('POST', path('evaluations', round, 'invitations'), {
      ...{ party_id, contact_id: contact.id, function: 'finance' },
    })
  const erase = (contact: Json) => () => service.call('POST', path('contacts', contact, 'erase'), {}, asNew)

  const noor = await named()
  const [invited, erased] = await meet(t, service, invite(noor), erase(noor))
  t.same([invited.status, erased.status], [201, 200])
  const { body } = await service.get(path('evaluation-invitations', invited.body))
  t.match(body, { status: 'expired', function: null })

  const another = await named()
  const [gone, refused] = await meet(t, service, erase(another), invite(another))
  t.same([gone.status, refused.status], [200, 422])
  t.same(faultsOf(refused), ['/contact_id unknown_reference'])
})

/** What the feed tells of a record, and of which name. */
const toldOf = async ({ id }: Json): Promise<string[]> => {
  const { data } = (await service.get('/v1/events?limit=200')).body
  return data
    .filter((event: Json) => event.resource_id === id)
    .map((event: Json) => `${event.type} ${event.data?.name}`)
}

const tellAll = () =>
  remind(reminders, {
    database: service.database,
    clock,
    log: pino({ level: 'silent' }),
    signal: new AbortController().signal,
  })

t.test('a reminder tells of a record as it is, and of none that is gone', async (t) => {
  const { partnership } = await allianceTakenOver(service, {
    partnership: { name: 'Before', evaluation_interval: 'P3M' },
  })
  const rename = () => service.call('PATCH', path('partnerships', partnership), { name: 'After' }, asNew)
  await meet(t, service, rename, tellAll)
  t.same(await toldOf(partnership), [
    'partnership.created Before',
    'partnership.updated After',
    'partnership.evaluation_due After',
  ])

  const disruption = await flood()
  const impact = await service.make('/v1/impacts', {
    ...{ disruption_id: disruption.id, partnership_id: partnership.id, severity: 'low', effects: ['income_down'] },
    ...{ assessed_on: '2026-02-01', response: 'step_back', response_due_on: '2026-03-01' },
  })
  const remove = () => service.call('DELETE', path('impacts', impact), undefined, asNew)
  await meet(t, service, remove, tellAll)
  t.same(await toldOf(impact), ['impact.created undefined', 'impact.deleted undefined'])
})

const flood = () =>
  service.make('/v1/disruptions', { title: 'A flood', type: 'natural_disaster', started_on: '2026-01-01' })

t.test('objectives that change at once close no circle, and serve none of their own level', async (t) => {
  const { id: organisation_id } = await organisation(service, 'company')
  const bodyOf = (level: string, more: object = {}) => ({
    ...{ organisation_id, level, title: level, importance: 3, active_from: '2026-01-01' },
    ...more,
  })
  const change = (objective: Json, patch: object) => () =>
    service.call('PATCH', path('objectives', objective), patch, asNew)
  const [a, b] = await Promise.all([1, 2].map(() => service.make('/v1/objectives', bodyOf('outcome'))))
  const [up, down] = await meet(t, service, change(a, { parent_id: b.id }), change(b, { parent_id: a.id }))
  t.equal(up.status, 200)
  t.same(faultsOf(down), ['/parent_id circle'])

  const top = await service.make('/v1/objectives', bodyOf('impact'))
  const serve = () => service.call('POST', '/v1/objectives', bodyOf('outcome', { parent_id: top.id }))
  const [lowered, served] = await meet(t, service, change(top, { level: 'output' }), serve)
  t.equal(lowered.status, 200)
  t.same(faultsOf(served), ['/parent_id level'])
})

t.test('an impact is judged by its disruption and its partnership as they are', async (t) => {
  const scene = async (status: string) => ({
    partnership: await partnershipIn(service, status),
    disruption: await flood(),
  })
  type Scene = Awaited<ReturnType<typeof scene>>
  const said = { severity: 'high', effects: ['income_down'], assessed_on: '2026-05-01', response: 'none_needed' }
  const assess = (named: Scene) => () =>
    service.call('POST', '/v1/impacts', {
      ...{ disruption_id: named.disruption.id, partnership_id: named.partnership.id, ...said },
    })
  const assessAll = (named: Scene) => () =>
    service.call('POST', path('disruptions', named.disruption, 'assess-impacts'), {
      ...{ ...said, filter: { partnership_ids: [named.partnership.id] } },
    })

  for (const assessing of [assess, assessAll]) {
    const over = await scene('active')
    await stepOf(service, path('disruptions', over.disruption), 'activate')
    await stepOf(service, path('disruptions', over.disruption), 'recover')
    const end = () =>
      service.call('POST', path('disruptions', over.disruption, 'end'), { ended_on: '2026-02-01' }, { ifMatch: '*' })
    const [ended, late] = await meet(t, service, end, assessing(over))
    t.equal(ended.status, 200)
    t.same(faultsOf(late), ['/assessed_on after_end'])
  }

  const ending = await scene('ending')
  const part = () =>
    service.call(
      'POST',
      path('partnerships', ending.partnership, 'end'),
      { exit_evaluation_waiver: 'Small' },
      { ifMatch: '*' },
    )
  const [parted, refused] = await meet(t, service, part, assess(ending))
  t.same([parted.status, refused.status], [200, 409])

  const both = [await scene('ending'), await scene('ending')] as const
  const away = () =>
    service.call(
      'POST',
      path('partnerships', both[0].partnership, 'end'),
      { exit_evaluation_waiver: 'Small' },
      { ifMatch: '*' },
    )
  const [, found] = await meet(t, service, away, assessAll(both[0]))
  t.match(found, { status: 200, body: { matched: 0 } })

  const proposed = await scene('proposed')
  for (const { id } of proposed.partnership.parties) {
    await stepOf(service, path('partnerships', proposed.partnership), 'assent', { party_id: id })
  }
  const activate = () =>
    service.call(
      'POST',
      path('partnerships', proposed.partnership, 'activate'),
      { reciprocity_waiver: 'Small' },
      { ifMatch: '*' },
    )
  const [active, asked] = await meet(t, service, activate, assess(proposed))
  t.equal(active.status, 200)
  t.match(asked, { status: 201, body: { evaluation_obligation: 'open' } })
})

t.test('a PUT by reference beside a removal or a merge does what it would do after it', async (t) => {
  const named = (id: string) => organisation(service, 'company', id, { external_refs: [{ system: 'crm', id }] })
  const put = (id: string) => () =>
    service.call('PUT', `/v1/organisations/by-ref/crm/${id}`, { name: 'Anew', sector: 'company' })
  const one = await named('removed')
  const remove = () => service.call('DELETE', path('organisations', one), undefined, asNew)
  const [, made] = await meet(t, service, remove, put('removed'))
  t.equal(made.status, 201)
  const [survivor, twin] = [await organisation(service, 'company'), await named('merged')]
  const merge = () => service.call('POST', path('organisations', survivor, 'merge'), { duplicate_id: twin.id }, asNew)
  const [, replaced] = await meet(t, service, merge, put('merged'))
  t.match(replaced, { status: 200, body: { id: survivor.id, name: 'Anew' } })
})

t.test('limits hold for those who come at once', async (t) => {
  const limits = [
    { at: '/v1/webhook-endpoints', body: { url: 'http://127.0.0.1:9/hook' }, limit: 20, status: 422 },
    { at: '/v1/exports', body: { tables: ['objectives'], format: 'csv' }, limit: 10, status: 429 },
  ]
  for (const { at, body, limit, status } of limits) {
    for (let made = 1; made < limit; made += 1) await service.make(at, body)
    const make = () => service.call('POST', at, body)
    const [last, beyond] = await meet(t, service, make, make)
    t.same([last.status, beyond.status], [201, status], at)
  }
})

t.test('who settles a message holds its endpoint before it, as who sends it again does', async (t) => {
  const as = await service.afresh()
  const endpoint = await as.make('/v1/webhook-endpoints', { url: 'http://127.0.0.1:9/hook' })
  const { id } = (await as.call('POST', `${path('webhook-endpoints', endpoint)}/test`, {})).body
  const [deliver] = webhookJobs(webhooks)
  const { tenantId, database } = as
  const caller = () => ({
    ...{ ...wholeTenant(tenantId), actor: { type: 'system', id: null } as const },
    ...{ scopes: ['admin'], requestId: 'tests', now: clock.now() },
  })
  const { signal } = new AbortController()
  const tools = { database, clock, log: pino({ level: 'silent' }), signal, attempt: 1 }
  const other = await holder(t, as)
  await other.hold('select from webhook_endpoints where id = $1 for update', [endpoint.id])
  const settled = deliver?.run({ ...tools, caller, tenantId }, { delivery_id: id })
  await other.waiters(1)
  const free = other.hold('select from webhook_deliveries where id = $1 for update nowait', [id])
  await t.resolves(free, 'it has not held the message yet')
  await other.letGo()
  await settled
  const { data } = (await as.get(`${path('webhook-endpoints', endpoint)}/deliveries`)).body
  const delivery = data.find((each: Json) => each.id === id)
  t.match(delivery, { status: 'pending', attempts: [{ number: 1, status_code: null }] })
})
