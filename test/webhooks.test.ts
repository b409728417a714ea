import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { Webhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import t, { type Test } from 'tap'
import { backgroundWork } from '../src/background.ts'
import { type Clock, systemClock } from '../src/core/clock.ts'
import { asOwner } from '../src/db/tenants.ts'
import { startJobs } from '../src/platform/job-runner.ts'
import { makeOutbound } from '../src/platform/outbound.ts'
import { secretBox } from '../src/platform/secrets.ts'
import { secondsOf } from '../src/resources/webhook-endpoints/delivery.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import { until } from './support/process.ts'

const path = '/v1/webhook-endpoints'
const log = pino({ level: 'silent' })
const charity = (name: string) => ({ name, sector: 'non_profit' })
const makeCharity = (service: Service, name: string) => service.make('/v1/organisations', charity(name))

interface Received {
  headers: IncomingHttpHeaders
  text: string
  body: Json
}

/** A receiver on this machine that keeps what it gets and answers as it is told; 204 otherwise. */
async function receiver(t: Test, answer: (response: ServerResponse, received: Received, nth: number) => void) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const one = { headers: request.headers, text, body: JSON.parse(text) }
    received.push(one)
    answer(response, one, received.length)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` }
}

const accept = (response: ServerResponse) => void response.writeHead(204).end()

/** The service with its jobs, which may send to this machine. */
async function start(t: Test, clock: Clock = systemClock): Promise<Service> {
  const webhooks = {
    outbound: makeOutbound({ allowPrivate: true, timeoutMs: 1500 }),
    box: secretBox([Buffer.alloc(32, 7)]),
  }
  const service = await startService(t, { webhooks, clock })
  const jobs = await startJobs({
    ...backgroundWork({ eventsKeptDays: 90, auditKeptDays: 2557, exportsKeptHours: 168, webhooks }),
    url: service.url,
    database: service.database,
    clock,
    log,
    concurrency: 8,
  })
  t.teardown(() => jobs.stop())
  return service
}

/** Lets every waiting attempt come due now, as if its pause were over. */
const passTime = (service: Service) =>
  asOwner(service.url, (owner) =>
    // Told of them as of new jobs, those who run them need not wait for their next look.
    owner.query(
      `update graphile_worker._private_jobs set run_at = now() where locked_at is null; notify "jobs:insert"`,
    ),
  )

async function deliveries(service: Service, id: string, query = ''): Promise<Json[]> {
  return (await service.get(`${path}/${id}/deliveries?limit=200${query}`)).body.data
}

const verifies = (verifier: Webhook | SvixWebhook, { text, headers }: Received): boolean => {
  try {
    verifier.verify(text, headers as Record<string, string>)
    return true
  } catch {
    return false
  }
}

t.test('an event is sent as the feed shows it, signed as Standard Webhooks has it', async (t) => {
  const service = await start(t)
  const { received, url } = await receiver(t, accept)
  const endpoint = await service.call('POST', path, { url, types: ['organisation.*'] })
  t.equal(endpoint.status, 201)
  t.equal(endpoint.headers['cache-control'], 'no-store')
  const { secret, id } = endpoint.body
  t.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  await makeCharity(service, 'One')
  await until(() => received.length === 1)
  const [one] = received as [Received]
  const [event] = (await service.get('/v1/events?types=organisation.*')).body.data
  const { timestamp, ...rest } = one.body
  t.same(rest, event)
  t.equal(timestamp, event.occurred_at)
  t.equal(one.headers['webhook-id'], event.id)
  t.ok(verifies(new Webhook(secret), one))
  t.ok(verifies(new SvixWebhook(secret), one))
  const signed = `${event.id}.${one.headers['webhook-timestamp']}.${one.text}`
  const signature = createHmac('sha256', Buffer.from(secret.slice(6), 'base64'))
    .update(signed)
    .digest('base64')
  t.equal(one.headers['webhook-signature'], `v1,${signature}`, 'by hand, too')
  await until(async () => (await deliveries(service, id, '&status=succeeded')).length === 1)
  t.match(await deliveries(service, id), [
    { event_id: event.id, sequence: event.sequence, attempts: [{ number: 1, status_code: 204, error: null }] },
  ])
  t.notOk('secret' in (await service.get(`${path}/${id}`)).body, 'never shown again')
  const stored = await asOwner(service.url, (owner) => owner.query('select secret from webhook_endpoints'))
  t.notOk(stored.rows[0].secret.includes(secret.slice(6)), 'sealed in the database')
  const events = (await service.get('/v1/events')).text
  t.notOk(events.includes('whsec_'))
})

t.test(
  'a receiver that fails, hangs, redirects, breaks off and recovers gets everything, each id at least once',
  async (t) => {
    const service = await start(t)
    let isWell = false
    const kinds = ['500', 'hang', 'redirect', 'half', 'drop']
    let turn = 0
    const { received, url } = await receiver(t, (response) => {
      if (isWell) return accept(response)
      turn += 1
      switch (kinds[turn % kinds.length]) {
        case '500':
          return void response.writeHead(500).end()
        case 'redirect':
          return void response.writeHead(307, { location: url }).end()
        case 'half':
          return void response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy())
        case 'drop':
          return void response.socket?.destroy()
        default:
        // Never answered.
      }
    })
    const { secret, id } = await service.make(path, { url, types: ['organisation.*'] })
    for (let at = 0; at < 10; at += 1) await makeCharity(service, `Charity ${at}`)
    await until(async () => (await deliveries(service, id)).every((one) => one.attempts.length > 0))
    const errors = (await deliveries(service, id)).flatMap((one) => one.attempts.map((attempt: Json) => attempt.error))
    t.ok(errors.every((error) => typeof error === 'string'))
    t.ok(errors.some((error) => /redirects are not followed/.test(error)))
    isWell = true
    await passTime(service)
    await until(async () => (await deliveries(service, id, '&status=succeeded')).length === 10)
    const events = (await service.get('/v1/events?types=organisation.*')).body.data
    const ids = new Set(received.map((one) => one.headers['webhook-id']))
    t.same([...ids].sort(), events.map((event: Json) => event.id).sort(), 'deduplicated by id: exactly the feed')
    const [standard, svix] = [new Webhook(secret), new SvixWebhook(secret)]
    for (const one of received) t.ok(verifies(standard, one) && verifies(svix, one))
    const twice = received.filter((one) => one.headers['webhook-id'] === received[0]?.headers['webhook-id'])
    t.ok(twice.length >= 2)
    t.equal(new Set(twice.map((one) => one.text)).size, 1, 'every attempt says the same')
  },
)

t.test('410 disables the endpoint, and the feed says so', async (t) => {
  const service = await start(t)
  const { received, url } = await receiver(t, (response) => void response.writeHead(410).end())
  const watcher = await receiver(t, accept)
  const { id } = await service.make(path, { url, types: ['organisation.*'] })
  await service.make(path, { url: watcher.url, types: ['webhook_endpoint.disabled'] })
  await makeCharity(service, 'One')
  await until(() => watcher.received.length === 1)
  t.match(watcher.received[0]?.body, { type: 'webhook_endpoint.disabled', actor: { type: 'system' }, data: { id } })
  const endpoint = await service.get(`${path}/${id}`)
  t.match(endpoint.body, { status: 'disabled', disabled_reason: 'gone' })
  await makeCharity(service, 'Two')
  t.equal((await deliveries(service, id)).length, 1, 'nothing more is made for it')
  for (const at of ['test', 'replay']) {
    const refused = await service.call('POST', `${path}/${id}/${at}`, at === 'test' ? {} : { after: 0 })
    t.match({ status: refused.status, code: refused.body.code }, { status: 409, code: 'state_forbids' })
  }
  const enabled = await service.call('PATCH', `${path}/${id}`, { status: 'enabled' }, { ifMatch: endpoint.etag })
  t.match(enabled.body, { status: 'enabled', disabled_reason: null, disabled_at: null })
  t.equal(received.length, 1)
})

t.test('after three days in which nothing came through the endpoint is disabled', async (t) => {
  const service = await start(t)
  const { url } = await receiver(t, (response) => void response.writeHead(500).end())
  const { id } = await service.make(path, { url, types: ['organisation.*'] })
  await makeCharity(service, 'One')
  for (let number = 1; number <= 9; number += 1) {
    await until(async () => (await deliveries(service, id))[0]?.attempts.length === number)
    await passTime(service)
  }
  await until(async () => (await deliveries(service, id, '&status=failed')).length === 1)
  t.equal((await service.get(`${path}/${id}`)).body.status, 'enabled', 'a short outage disables nothing')
  await asOwner(service.url, (owner) =>
    owner.query(`update webhook_endpoints set failing_since = now() - interval '3 days'`),
  )
  const [failed] = await deliveries(service, id)
  t.equal((await service.call('POST', `${path}/${id}/deliveries/${failed.id}/replay`, {})).status, 202)
  await asOwner(service.url, (owner) => owner.query('update webhook_deliveries set round_attempts = 9'))
  await passTime(service)
  await until(async () => {
    await passTime(service)
    return (await service.get(`${path}/${id}`)).body.status === 'disabled'
  })
  t.match((await service.get(`${path}/${id}`)).body, { disabled_reason: 'failing' })
})

t.test('Retry-After is kept to, up to a day', async (t) => {
  const now = '2026-03-01T12:00:00Z'
  for (const [given, seconds] of [
    [undefined, 0],
    ['120', 120],
    ['Sun, 01 Mar 2026 12:10:00 GMT', 600],
    ['Sun, 01 Mar 2026 11:00:00 GMT', 0],
    ['999999999', 86_400],
    ['-1', 0],
    ['soon', 0],
  ] as const) {
    t.equal(secondsOf(given, now), seconds, String(given))
  }
  const service = await start(t)
  const { url } = await receiver(t, (response) => void response.writeHead(429, { 'retry-after': '3600' }).end())
  const { id } = await service.make(path, { url, types: ['organisation.*'] })
  const begun = Date.now()
  await makeCharity(service, 'One')
  await until(async () => (await deliveries(service, id))[0]?.attempts.length === 1)
  const [delivery] = await deliveries(service, id)
  t.ok(Date.parse(delivery.next_attempt_at) >= begun + 3_600_000)
})

t.test('rotation: two secrets sign until the old one is over', async (t) => {
  const service = await start(t)
  const { received, url } = await receiver(t, accept)
  const made = await service.call('POST', path, { url, types: ['organisation.*'] })
  const at = `${path}/${made.body.id}`
  const rotated = await service.call('POST', `${at}/rotate-secret`, {}, { ifMatch: made.etag })
  t.equal(rotated.status, 200)
  t.not(rotated.body.secret, made.body.secret)
  t.ok(Date.parse(rotated.body.previous_valid_until) > Date.now() + 23 * 3_600_000)
  await makeCharity(service, 'One')
  await until(() => received.length === 1)
  t.equal(received[0]?.headers['webhook-signature']?.toString().split(' ').length, 2)
  for (const secret of [made.body.secret, rotated.body.secret]) {
    t.ok(verifies(new Webhook(secret), received[0] as Received))
    t.ok(verifies(new SvixWebhook(secret), received[0] as Received))
  }
  const again = await service.call(
    'POST',
    `${at}/rotate-secret`,
    { previous_valid_until: null },
    { ifMatch: rotated.etag },
  )
  t.equal(again.body.previous_valid_until, null)
  await makeCharity(service, 'Two')
  await until(() => received.length === 2)
  t.notOk(verifies(new Webhook(rotated.body.secret), received[1] as Received))
  t.ok(verifies(new Webhook(again.body.secret), received[1] as Received))
})

t.test('the old secret ends when the client says, within a week', async (t) => {
  const service = await start(t)
  const { id } = await service.make(path, { url: (await receiver(t, accept)).url })
  const rotate = (hours: number) => {
    const previous_valid_until = new Date(Date.now() + hours * 3_600_000).toISOString()
    return service.call('POST', `${path}/${id}/rotate-secret`, { previous_valid_until }, { ifMatch: '*' })
  }
  const pointer = '/previous_valid_until'
  t.match(await rotate(-1), { status: 422, body: { errors: [{ pointer, code: 'in_past' }] } })
  t.match(await rotate(7 * 24 + 1), { status: 422, body: { errors: [{ pointer, code: 'too_late' }] } })
  const before = (await service.get(`${path}/${id}`)).body
  t.match(before, { version: 1, previous_valid_until: null })
  const { secret, ...shown } = (await rotate(7 * 24 - 1)).body
  t.ok(Date.parse(shown.previous_valid_until) > Date.now() + 6 * 86_400_000)
  t.same((await service.get(`${path}/${id}`)).body, shown)
  const [entry] = (await service.get(`/v1/audit?resource_id=${id}`)).body.data
  t.match(entry, { action: 'webhook_endpoint.secret_rotated', changed: ['previous_valid_until'], before, after: shown })
})

t.test('a test is sent, one message is sent again, and the feed from a sequence on', async (t) => {
  const service = await start(t)
  await makeCharity(service, 'Before')
  const { received, url } = await receiver(t, accept)
  const { id, secret } = await service.make(path, { url, types: ['organisation.*'] })
  const test = await service.call('POST', `${path}/${id}/test`, {})
  t.equal(test.status, 202)
  await until(() => received.length === 1)
  t.match(received[0]?.body, { type: 'webhook_endpoint.test', sequence: null, resource_id: id })
  const described = Object.keys(service.document.components.schemas.WebhookMessage.properties).sort()
  t.strictSame(Object.keys(received[0]?.body ?? {}).sort(), described)
  t.ok(verifies(new Webhook(secret), received[0] as Received))
  await makeCharity(service, 'After')
  await until(async () => (await deliveries(service, id, '&status=succeeded')).length === 2)
  t.strictSame(Object.keys(received[1]?.body ?? {}).sort(), described)
  const [last] = await deliveries(service, id)
  t.equal((await service.call('POST', `${path}/${id}/deliveries/${last.id}/replay`, {})).status, 202)
  await until(() => received.length === 3)
  t.equal(received[2]?.headers['webhook-id'], received[1]?.headers['webhook-id'])
  const replay = await service.call('POST', `${path}/${id}/replay`, { after: 0 })
  t.equal(replay.status, 202)
  t.equal(replay.body.after, 0)
  await until(() => received.length === 5)
  const events = (await service.get('/v1/events?types=organisation.*')).body.data
  t.same(
    received
      .slice(3)
      .map((one) => one.headers['webhook-id'])
      .sort(),
    events.map((event: Json) => event.id).sort(),
  )
  t.equal((await service.call('POST', `${path}/${id}/replay`, { after: 1000 })).status, 410)
  t.equal((await service.call('POST', `${path}/${id}/deliveries/${id}/replay`, {})).status, 404)
  const other = await service.otherTenant('other')
  t.equal((await service.get(`${path}/${id}/deliveries`, { key: other.key })).status, 404)
})

t.test(
  'what is asked for again while an attempt is under way is sent again, whatever that attempt answers',
  async (t) => {
    const service = await start(t)
    for (const status of [500, 204]) {
      const held: ServerResponse[] = []
      const { received, url } = await receiver(t, (response, _received, nth) => {
        if (nth === 1) held.push(response)
        else accept(response)
      })
      const { id } = await service.make(path, { url, types: ['organisation.*'] })
      await makeCharity(service, 'One')
      await until(() => held.length === 1)
      const [delivery] = await deliveries(service, id)
      t.equal((await service.call('POST', `${path}/${id}/deliveries/${delivery.id}/replay`, {})).status, 202)
      held[0]?.writeHead(status, { 'retry-after': '86400' }).end()
      let now = delivery
      const isAnswered = async () => {
        now = (await deliveries(service, id))[0]
        return now.attempts.length > 0
      }
      await until(isAnswered)
      const isAtOnce = now.status === 'pending' && Date.parse(now.next_attempt_at) <= Date.now()
      if (!t.ok(now.attempts.length === 2 || isAtOnce, `after ${status}`)) return
      await until(async () => (await isAnswered()) && now.status === 'succeeded')
      t.match(now.attempts, [
        { number: 1, status_code: status },
        { number: 2, status_code: 204 },
      ])
      t.equal(received.length, 2)
      await service.call('DELETE', `${path}/${id}`, undefined, { ifMatch: '*' })
    }
  },
)

t.test(
  'an endpoint is shown what its maker may read, and nobody widens or turns it beyond their own scopes',
  async (t) => {
    const service = await start(t)
    const { received, url } = await receiver(t, accept)
    const blind = await service.keyWith(['webhooks:read', 'webhooks:write'])
    const made = await service.call('POST', path, { url, types: ['organisation.*'] }, { key: blind })
    t.same(made.body.data_scopes, ['webhooks:read'])
    await makeCharity(service, 'One')
    await until(() => received.length === 1)
    t.match(received[0]?.body, { data: null, needs_scope: 'organisations:read' })
    const wide = { data_scopes: ['organisations:read'] }
    const widened = await service.call('PATCH', `${path}/${made.body.id}`, wide, { key: blind, ifMatch: made.etag })
    t.equal(widened.status, 422)
    t.match(widened.body.errors, [{ pointer: '/data_scopes/0', code: 'beyond_own' }])
    const seeing = await service.call('POST', path, { url, ...wide })
    const turned = { url: `${url}/elsewhere` }
    const at = `${path}/${seeing.body.id}`
    t.equal((await service.call('PATCH', at, turned, { key: blind, ifMatch: seeing.etag })).status, 422)
    t.equal((await service.call('PATCH', at, turned, { ifMatch: seeing.etag })).status, 200)
    t.equal((await service.call('PATCH', at, { name: 'Renamed' }, { key: blind, ifMatch: '"2"' })).status, 200)
  },
)

t.test('targets are checked where they are given', async (t) => {
  const service = await startService(t)
  for (const url of [
    'http://93.184.215.14/',
    'https://127.0.0.1/',
    'https://localhost/',
    'https://10.0.0.1/',
    'nonsense',
  ]) {
    const refused = await service.call('POST', path, { url })
    t.equal(refused.status, 422, url)
    t.match(refused.body.errors, [{ pointer: '/url', code: 'target' }])
  }
  const made = await service.call('POST', path, { url: 'https://93.184.215.14/hook' })
  t.equal(made.status, 201)
  const patched = await service.call(
    'PATCH',
    made.headers['location'] ?? '',
    { url: 'https://[::1]/' },
    { ifMatch: made.etag },
  )
  t.equal(patched.status, 422)
  t.equal((await service.call('PATCH', made.headers['location'] ?? '', { name: 'x' }, {})).status, 428)
  t.equal((await service.call('DELETE', made.headers['location'] ?? '', undefined, { ifMatch: '"1"' })).status, 204)
  for (let at = 0; at < 20; at += 1) await service.make(path, { url: 'https://93.184.215.14/hook' })
  t.equal((await service.call('POST', path, { url: 'https://93.184.215.14/hook' })).body.code, 'rule_violated')
})
