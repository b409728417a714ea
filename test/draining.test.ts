import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { cloneDatabase } from './support/database.ts'
import { startProcess, until } from './support/process.ts'
import { ask, holdUp, keepAlive, organisation, owner } from './support/requests.ts'

t.test('SIGTERM: ready says no, what was accepted is finished, connections close, the process ends', async (t) => {
  const url = await cloneDatabase(t)
  const service = await startProcess(t, { DATABASE_URL: url, DRAIN_DELAY_MS: '3000', DRAIN_TIMEOUT_MS: '60000' })
  const agent = keepAlive(t)
  t.equal((await ask(service, agent, 'GET', '/health/ready')).status, 200)
  const hold = await holdUp(await owner(t, url))
  const slow = [1, 2, 3].map(() => ask(service, agent, 'POST', '/v1/organisations', organisation))
  await hold.waiting(3)

  service.child.kill('SIGTERM')
  await until(() => service.logs.some((log) => log.msg === 'draining'))
  const ready = await ask(service, agent, 'GET', '/health/ready')
  t.equal(ready.status, 503)
  t.match(ready.body, { code: 'unavailable', detail: /about to stop/ })
  t.ok(ready.headers['retry-after'])
  t.equal((await ask(service, agent, 'GET', '/health/live')).status, 200, 'it still lives')
  const late = ask(service, agent, 'POST', '/v1/organisations', organisation)
  await hold.waiting(4)

  // The listener closes after the delay; what was accepted before goes on.
  await until(async () => !(await canConnect(service.url)))
  await hold.release()
  for (const answer of await Promise.all([...slow, late])) {
    t.equal(answer.status, 201)
    t.equal(answer.headers['connection'], 'close')
  }
  t.equal(await service.ended, 0)
  const client = await owner(t, url)
  t.equal((await client.query('select from organisations')).rowCount, 4)
})

async function canConnect(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

t.test('a signal that arrives twice in a moment cuts nothing either', async (t) => {
  const url = await cloneDatabase(t)
  const service = await startProcess(t, { DATABASE_URL: url, DRAIN_TIMEOUT_MS: '60000' })
  const hold = await holdUp(await owner(t, url))
  const slow = ask(service, keepAlive(t), 'POST', '/v1/organisations', organisation)
  await hold.waiting(1)
  // Of two signals of one name that are still waiting one is lost; these stand for a Ctrl-C that npm passes on.
  service.child.kill('SIGINT')
  service.child.kill('SIGTERM')
  await until(async () => !(await canConnect(service.url)))
  await hold.release()
  t.equal((await slow).status, 201)
  t.equal(await service.ended, 0)
})

t.test('a request that never ends does not hold a stop up for ever', async (t) => {
  const url = await cloneDatabase(t)
  const service = await startProcess(t, { DATABASE_URL: url, DRAIN_TIMEOUT_MS: '300' })
  const hold = await holdUp(await owner(t, url))
  const slow = ask(service, keepAlive(t), 'POST', '/v1/organisations', organisation)
  const cut = t.rejects(slow, { code: 'ECONNRESET' })
  await hold.waiting(1)
  t.equal(await service.end(), 1)
  t.match(service.logs.at(-1), { level: 50, msg: /timeout/ })
  await cut
  await hold.release()
})
