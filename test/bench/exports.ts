import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import http from 'node:http'
import { join } from 'node:path'
import pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { systemClock } from '../../src/core/clock.ts'
import { startEmbedded } from '../../src/db/embedded.ts'
import { migrate } from '../../src/db/migrate.ts'
import { asOwner, createTenant } from '../../src/db/tenants.ts'
import { type ExportFormat, formats } from '../../src/transfer/forms.ts'
import { evaluationScoresTable } from '../../src/transfer/tables/evaluation-scores.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { startBeide } from './contenders.ts'
import { residentMb, watchMemory } from './measure.ts'
import { seed } from './seed.ts'

// `npm run bench:exports`: what a large export costs in each format, beside COPY … (FORMAT csv) of the same query read
// by the same driver. They take turns, so that a busy machine is busy for all.

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 20_000)
const turns = Number(process.env['BENCH_TURNS'] ?? 3)
const rows = rounds * 50

interface Run {
  ms: number
  firstByteMs: number
  bytes: number
}

async function plainCopy(client: pg.Client, tenantId: string): Promise<Run> {
  const text = evaluationScoresTable.copy({ format: 'csv', dialect: 'rfc4180' }, { tenantId, given: {} })
  return drained(client.query(copyTo(text)), performance.now())
}

async function request(url: string, key: string, format: ExportFormat): Promise<Run> {
  const start = performance.now()
  const sent = http.get(`${url}/v1/exports/evaluation_scores.${format}`, {
    headers: { authorization: `Bearer ${key}` },
  })
  const [response] = (await once(sent, 'response')) as [http.IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`${format}: ${response.statusCode}`)
  return drained(response, start)
}

async function drained(stream: NodeJS.ReadableStream, start: number): Promise<Run> {
  let [bytes, firstByteMs] = [0, 0]
  for await (const chunk of stream) {
    if (bytes === 0) firstByteMs = performance.now() - start
    bytes += chunk.length
  }
  return { ms: performance.now() - start, firstByteMs, bytes }
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const dataDir = await temporaryDirectory()
const { url, stop } = await startEmbedded({ dataDir })
try {
  await migrate(url)
  const tenant = await asOwner(url, (client) =>
    createTenant(client, systemClock, { name: 'bench', keyName: 'bench', scopes: ['admin'] }),
  )
  const owner = new pg.Client({ connectionString: url })
  await owner.connect()
  console.log(`Seeding ${rows.toLocaleString('en')} scores`)
  await seed(owner, tenant.tenantId, { partnerships: Math.max(1, rounds / 10), commitmentsPerPartnership: 1, rounds })
  await owner.query('vacuum analyze')
  const runs: Record<string, Run[]> = { copy: [] }
  const memory: Record<string, string> = {}
  // A process for each format, so that what it holds is not what another format left behind.
  const servers = []
  for (const format of formats) servers.push({ format, server: await startBeide(url) })
  for (let turn = 0; turn < turns; turn += 1) {
    runs['copy']?.push(await plainCopy(owner, tenant.tenantId))
    for (const { format, server } of servers) {
      const atStart = await residentMb(server.pid)
      const peak = await watchMemory(server.pid)
      const run = await request(server.url, tenant.key, format)
      runs[format] = [...(runs[format] ?? []), run]
      memory[format] ??= `${Math.round(atStart)} → ${Math.round(await peak())} MB`
    }
  }
  for (const { server } of servers) await server.stop()
  const copyMs = median((runs['copy'] ?? []).map(({ ms }) => ms))
  for (const [name, each] of Object.entries(runs)) {
    const ms = median(each.map((run) => run.ms))
    const megabytes = ((each[0]?.bytes ?? 0) / 1e6).toFixed(1)
    console.log(
      [
        name.padEnd(8),
        `${Math.round((rows / ms) * 1000).toLocaleString('en')} rows/s`,
        `${(copyMs / ms).toFixed(2)} of COPY`,
        `first byte after ${Math.round(median(each.map((run) => run.firstByteMs)))} of ${Math.round(ms)} ms`,
        `${megabytes} MB`,
        memory[name] ?? '',
      ].join('  '),
    )
  }
  await owner.end()
  console.log(`Postgres: ${(await readFile(join(dataDir, 'postgres/cluster/PG_VERSION'), 'utf8')).trim()}`)
} finally {
  await stop()
  await rm(dataDir, { recursive: true, force: true })
}
