import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { connectClient } from '../../src/clients/client.ts'
import { importFile } from '../../src/clients/import.ts'
import { systemClock } from '../../src/core/clock.ts'
import { startEmbedded } from '../../src/db/embedded.ts'
import { migrate } from '../../src/db/migrate.ts'
import { asOwner, createTenant } from '../../src/db/tenants.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { startBeide } from './contenders.ts'
import { residentMb, watchMemory } from './measure.ts'

// `npm run bench:imports`: what a large import costs, beside COPY of the same rows into a table without an index. They
// take turns, so that a busy machine is busy for both. BENCH_IMPORT_ROWS=1000000 takes its time.

const rows = Number(process.env['BENCH_IMPORT_ROWS'] ?? 20_000)
const turns = Number(process.env['BENCH_TURNS'] ?? 2)

/** An organisation as a CRM would send it; a turn has rows of its own. */
const organisation = (turn: number, at: number) => ({
  type: 'organisation',
  external_refs: [{ system: 'crm', id: `${turn}-${at}` }],
  name: `Organisation number ${at}`,
  sector: at % 2 ? 'company' : 'non_profit',
  country: 'NL',
  website: `https://organisation-${at}.example.org`,
  metadata: { tier: 'gold', number: at },
})

function* lines(turn: number): Generator<string> {
  for (let at = 0; at < rows; at += 1) yield `${JSON.stringify(organisation(turn, at))}\n`
}

function* copyLines(turn: number): Generator<string> {
  for (let at = 0; at < rows; at += 1) {
    const { external_refs, name, sector, country, website, metadata } = organisation(turn, at)
    yield `${[external_refs[0]?.id, name, sector, country, website, JSON.stringify(metadata)].join('\t')}\n`
  }
}

const dataDir = await temporaryDirectory()
const { url, stop } = await startEmbedded({ dataDir: join(dataDir, 'data') })
try {
  await migrate(url)
  const { key } = await asOwner(url, (client) =>
    createTenant(client, systemClock, { name: 'bench', keyName: 'bench', scopes: ['admin'] }),
  )
  const owner = new pg.Client({ connectionString: url })
  await owner.connect()
  await owner.query('create table bare (ref text, name text, sector text, country text, website text, metadata jsonb)')
  const server = await startBeide(url)
  const atStart = await residentMb(server.pid)
  const peak = await watchMemory(server.pid)
  const file = join(dataDir, 'rows.ndjson')
  let [copyMs, importMs] = [0, 0]
  for (let turn = 0; turn < turns; turn += 1) {
    let start = performance.now()
    await pipeline(Readable.from(copyLines(turn)), owner.query(copyFrom('copy bare from stdin')))
    copyMs += performance.now() - start
    await pipeline(Readable.from(lines(turn)), createWriteStream(file))
    start = performance.now()
    const { counts } = await importFile(
      { url: server.url, key, client: connectClient({ url: server.url, key }) },
      { file },
    )
    importMs += performance.now() - start
    if (counts.created !== rows) throw new Error(JSON.stringify(counts))
  }
  const perSecond = (ms: number) => Math.round((turns * rows * 1000) / ms).toLocaleString('en')
  console.log(`COPY    ${perSecond(copyMs)} rows/s`)
  console.log(`import  ${perSecond(importMs)} rows/s  ${(copyMs / importMs).toFixed(4)} of COPY`)
  console.log(`memory  ${Math.round(atStart)} → ${Math.round(await peak())} MB`)
  await server.stop()
  await owner.end()
} finally {
  await stop()
  await rm(dataDir, { recursive: true, force: true })
}
