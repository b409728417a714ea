import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import http from 'node:http'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { exportSPKI } from 'jose'
import { systemClock } from '../../src/core/clock.ts'
import { startEmbedded } from '../../src/db/embedded.ts'
import { migrate } from '../../src/db/migrate.ts'
import { asOwner, createTenant } from '../../src/db/tenants.ts'
import { audience, type LocalIssuer, startIssuer } from '../support/issuer.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { startBeide } from './contenders.ts'
import { cpuOf, cpuOfTree, median, type Target } from './measure.ts'

// `npm run bench:tokens`: good requests alone, and beside 10,000 bad credentials a minute of every kind, in turns. The limit
// on guesses is off, as if each came from an address of its own: that limit would only make it lighter.

const seconds = Number(process.env['BENCH_SECONDS'] ?? 3)
const turns = Number(process.env['BENCH_TURNS'] ?? 4)
const badPerSecond = Number(process.env['BENCH_BAD_PER_SECOND'] ?? 167)
const madeOfEach = 400
/** Good requests may take this many times as long. */
const goal = 1.2

interface Good {
  requestsPerSecond: number
  /** Processor time of service and Postgres for each good request, that for the bad ones included, in ms. */
  cpuMs: number
  /** How long one waits for an answer, in ms. */
  p50Ms: number
  p99Ms: number
}

const nowSeconds = () => Math.floor(Date.now() / 1000)
const b64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Bad credentials of every kind, each another one; made ahead, for making them costs as much as refusing them. */
async function badCredentials(idp: LocalIssuer, key: string): Promise<Record<string, string[]>> {
  const good = await idp.token()
  const [header = '', claims = ''] = good.split('.')
  const expired = (await idp.token({ exp: nowSeconds() - 3600 })).split('.')
  const spki = await exportSPKI(idp.publicKey)
  const signature = () => randomBytes(256).toString('base64url')
  const withHeader = (more: object) => `${b64({ alg: 'RS256', typ: 'at+jwt', kid: idp.kid, ...more })}.${claims}`
  const hs = () => {
    const text = `${withHeader({ alg: 'HS256', n: randomUUID() })}`
    return `${text}.${createHmac('sha256', spki).update(text).digest('base64url')}`
  }
  const kinds: Record<string, () => string> = {
    'a bad signature': () => `${header}.${claims}.${signature()}`,
    'an unknown key': () => `${withHeader({ kid: randomUUID() })}.${signature()}`,
    'no token': () => `${randomUUID()}.${randomUUID()}.${randomUUID()}`,
    'the public key as a secret': hs,
    'over for an hour': () => `${expired[0]}.${expired[1]}.${signature()}`,
    'an unknown issuer': () =>
      `${header}.${b64({ iss: `https://${randomUUID()}.example`, aud: audience })}.${signature()}`,
    'no algorithm': () => `${withHeader({ alg: 'none' })}.${signature()}`,
    'an API key of nobody': () => `beide_${randomBytes(8).toString('hex')}_${randomBytes(32).toString('base64url')}`,
    'an API key with another secret': () => `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`,
    'a signature of 6,000 characters': () => `${header}.${claims}.${'x'.repeat(6000)}`,
  }
  const made = (make: () => string) => Array.from({ length: madeOfEach }, make)
  return Object.fromEntries(Object.entries(kinds).map(([kind, make]) => [kind, made(make)]))
}

/** What the service spends on one bad credential of a kind, with Postgres, in ms. */
async function costOf({ pid, postgresPid, url }: Target, credentials: readonly string[]): Promise<number> {
  const cpu = async () => (await cpuOf(pid)) + (await cpuOfTree(postgresPid))
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 })
  const before = await cpu()
  const statuses = await Promise.all(credentials.map((credential) => statusOf(url, agent, credential)))
  agent.destroy()
  if (statuses.some((status) => status !== 401)) throw new Error('A bad credential was not refused')
  return ((await cpu()) - before) / credentials.length
}

/** Asks with a credential. @returns the status; 0 where there was no answer */
const statusOf = (url: string, agent: http.Agent, credential: string): Promise<number> =>
  new Promise((resolve) => {
    http
      .get(`${url}/v1/organisations`, { agent, headers: { authorization: `Bearer ${credential}` } }, (response) =>
        response.resume().once('close', () => resolve(response.statusCode ?? 0)),
      )
      .once('error', () => resolve(0))
  })

/** Sends bad credentials at a steady pace until it is stopped. @returns how many of them were refused, by status */
function attack(url: string, next: () => string): () => Promise<Record<number, number>> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 })
  const statuses: Record<number, number> = {}
  const begun = performance.now()
  let sent = 0
  const open = new Set<Promise<void>>()
  const timer = setInterval(() => {
    for (const due = ((performance.now() - begun) / 1000) * badPerSecond; sent < due; sent += 1) {
      const one = statusOf(url, agent, next()).then((status) => {
        statuses[status] = (statuses[status] ?? 0) + 1
      })
      open.add(one)
      void one.then(() => open.delete(one))
    }
  }, 10)
  return async () => {
    clearInterval(timer)
    await Promise.all(open)
    agent.destroy()
    return statuses
  }
}

/** Good requests, as fast as they are answered or at a steady pace. @throws where one is refused */
async function good(target: Target, perSecond?: number): Promise<Good> {
  const { pid, postgresPid, url, headers } = target
  const cpu = async () => (await cpuOf(pid)) + (await cpuOfTree(postgresPid))
  const before = await cpu()
  const result = await autocannon({
    url: `${url}/v1/organisations?limit=10`,
    headers,
    connections: 10,
    duration: seconds,
    ...(perSecond ? { overallRate: perSecond } : {}),
  })
  const spent = (await cpu()) - before
  if (result.non2xx > 0 || result.errors > 0) throw new Error(JSON.stringify(result.statusCodeStats))
  const answered = result['2xx']
  const { p50, p99 } = result.latency
  return { requestsPerSecond: answered / result.duration, cpuMs: spent / answered, p50Ms: p50, p99Ms: p99 }
}

/** Both in turns. @returns the runs without and with bad credentials beside them */
async function compare(
  target: Target,
  next: () => string,
  perSecond?: number,
): Promise<Record<'alone' | 'beside', Good[]>> {
  const seen = { alone: [] as Good[], beside: [] as Good[] }
  for (let n = 0; n < turns; n += 1) {
    seen.alone.push(await good(target, perSecond))
    const stop = attack(target.url, next)
    seen.beside.push(await good(target, perSecond))
    const statuses = await stop()
    if (Object.keys(statuses).join() !== '401') throw new Error(`Bad credentials got ${JSON.stringify(statuses)}`)
    console.log(`  refused beside: ${statuses[401]}`)
  }
  return seen
}

function report(what: string, { alone, beside }: Record<'alone' | 'beside', Good[]>): void {
  const line = (name: keyof Good) => {
    const [a, b] = [alone, beside].map((runs) => median(runs.map((run) => run[name]))) as [number, number]
    return `${name} ${a.toFixed(2)} alone, ${b.toFixed(2)} beside bad ones: ${(b / a).toFixed(2)}`
  }
  console.log(`${what}\n  ${(['requestsPerSecond', 'cpuMs', 'p50Ms', 'p99Ms'] as const).map(line).join('\n  ')}`)
}

const dataDir = await temporaryDirectory()
const { url, stop } = await startEmbedded({ dataDir })
const closing: (() => unknown)[] = []
try {
  await migrate(url)
  const { key } = await asOwner(url, (client) =>
    createTenant(client, systemClock, { name: 'bench', keyName: 'bench', scopes: ['admin'] }),
  )
  const idp = await startIssuer({ teardown: (close) => void closing.push(close as () => unknown) }, nowSeconds)
  const limits = { OIDC_ALLOW_PRIVATE: 'true', TENANT_REQUESTS_PER_MINUTE: '100000000' }
  const beide = await startBeide(url, limits)
  closing.push(beide.stop)
  const issuer = { name: 'Sign-in', issuer: idp.issuer, audience, signs_in: 'staff', scopes: ['organisations:read'] }
  const made = await fetch(`${beide.url}/v1/oidc-issuers`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...issuer, scopes_claim: 'scope' }),
  })
  if (made.status !== 201) throw new Error(await made.text())
  const postgresPid = Number.parseInt(await readFile(join(dataDir, 'postgres/cluster/postmaster.pid'), 'utf8'), 10)
  const authorization = `Bearer ${await idp.token({ exp: nowSeconds() + 3600 })}`
  const target: Target = { pid: beide.pid, postgresPid, url: beide.url, headers: { authorization } }
  const kinds = await badCredentials(idp, key)
  await good(target)
  for (const [kind, credentials] of Object.entries(kinds)) {
    await costOf(target, credentials.slice(0, 50))
    console.log(`${kind}: ${(await costOf(target, credentials)).toFixed(2)} ms`)
  }
  const bad = Array.from({ length: madeOfEach }, (_, at) => Object.values(kinds).map((of) => of[at] as string)).flat()
  let at = 0
  const next = () => bad[at++ % bad.length] as string
  const full = await compare(target, next)
  report('as fast as they are answered, with a token', full)
  report('200 in a second, with a token', await compare(target, next, 200))
  const pace = (runs: Good[]) => median(runs.map((run) => run.requestsPerSecond))
  const ratio = pace(full.alone) / pace(full.beside)
  console.log(
    `good requests take ${ratio.toFixed(2)} times as long; goal ${goal}: ${ratio <= goal ? 'reached' : 'NOT REACHED'}`,
  )
  console.log(`the key set was asked for ${idp.asked} times`)
} finally {
  for (const close of closing.reverse()) await close()
  await stop()
  await rm(dataDir, { recursive: true, force: true })
}
