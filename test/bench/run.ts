import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { systemClock } from '../../src/core/clock.ts'
import { startEmbedded } from '../../src/db/embedded.ts'
import { migrate } from '../../src/db/migrate.ts'
import { asOwner, createTenant } from '../../src/db/tenants.ts'
import { commitmentsTable } from '../../src/transfer/tables/commitments.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { callsOf, listFilter, sampleOf } from './calls.ts'
import { capture, foundId } from './capture.ts'
import { type Server, startBeide, startCeiling, startPostgrest } from './contenders.ts'
import {
  type Call,
  type Contender,
  contenders,
  type Export,
  type Exporter,
  exporters,
  type Load,
  load,
  type Operation,
  residentMb,
  runExport,
  type Target,
} from './measure.ts'
import { compareMeasures } from './measures.ts'
import { benchPortfolio } from './portfolio.ts'
import { openToPostgrest } from './postgrest.ts'
import { reportExports, reportLarge, reportLoads } from './report.ts'
import { seed } from './seed.ts'

// `npm run bench`: this service beside a bare server (the ceiling) and PostgREST, on one database, taking turns. The
// data is in memory where there is room, so that a slow disk does not make all alike; Postgres has its default settings.

const seconds = Number(process.env['BENCH_SECONDS'] ?? 3)
const turns = Number(process.env['BENCH_TURNS'] ?? 3)
const insertText = `insert into commitments (tenant_id, id, created_at, updated_at, partnership_id, from_party_id, kind,
  title, binding, reciprocity, mode, amount, currency, status, search_text)
  values ($1, gen_random_uuid(), now(), now(), $2, $3, 'cash', $4, 'firm', 'in_return', 'not_applicable', $5, 'EUR',
  'draft', 'made') returning row_to_json(commitments)::text as body`
const patchText = `update commitments set title = $3, version = version + 1, updated_at = now()
  where tenant_id = $1 and id = $2 returning row_to_json(commitments)::text as body`

const dataDir = await temporaryDirectory()
const { url, stop } = await startEmbedded({ dataDir })
const servers: Server[] = []
try {
  await migrate(url)
  const make = (name: string) =>
    asOwner(url, (client) => createTenant(client, systemClock, { name, keyName: 'bench', scopes: ['admin'] }))
  const [work, archive] = [await make('work'), await make('archive')]
  const owner = new pg.Client({ connectionString: url })
  owner.on('error', () => {})
  await owner.connect()
  console.log(
    'Seeding 10,000 partnerships with 50,000 commitments; for exports, 100,000 commitments and 1,000,000 scores',
  )
  await seed(owner, work.tenantId, {
    partnerships: 10_000,
    commitmentsPerPartnership: 5,
    rounds: 0,
    instalments: 4,
  })
  await seed(owner, archive.tenantId, { partnerships: 20_000, commitmentsPerPartnership: 5, rounds: 20_000 })
  await owner.query('vacuum analyze')

  const copies = {
    commitments: commitmentsTable.copy(
      { format: 'csv', dialect: 'rfc4180' },
      { tenantId: archive.tenantId, given: {} },
    ),
  }
  const sample = await sampleOf(owner, work.tenantId)
  const [one] = await capture(work.tenantId, `/v1/commitments/${sample.ids[0]}`, 1)
  const [places, bodies] = await capture(work.tenantId, `/v1/commitments?${listFilter}`, 2)
  if (!one || !places || !bodies) throw new Error('A statement is missing')
  one.values = one.values.map((value) => (value === sample.ids[0] ? '$id' : value))
  bodies.values = bodies.values.map((value) => (Array.isArray(value) && value[0] === foundId ? '$ids' : value))
  const access = await openToPostgrest(owner, url, copies)
  const accessToArchive = access.authorizationFor(archive.tenantId)
  await owner.end()

  const beide = await startBeide(url)
  servers.push(beide)
  const anew = await startBeide(url, { KEPT_MB: '0' })
  servers.push(anew)
  const ceiling = await startCeiling({
    databaseUrl: url,
    tenantId: work.tenantId,
    one,
    places,
    bodies,
    insertText,
    patchText,
    copies,
  })
  servers.push(ceiling)
  const postgrest = await startPostgrest(access)
  servers.push(postgrest)
  const postgresPid = Number.parseInt(await readFile(join(dataDir, 'postgres/cluster/postmaster.pid'), 'utf8'), 10)
  const target = (server: Server, authorization: string): Target => ({
    ...server,
    postgresPid,
    headers: authorization === '' ? {} : { authorization },
  })
  const targets: Record<Contender, Target> = {
    ceiling: target(ceiling, ''),
    beide: target(beide, `Bearer ${work.key}`),
    anew: target(anew, `Bearer ${work.key}`),
    postgrest: target(postgrest, access.authorizationFor(work.tenantId)),
  }

  const loads = new Map<Operation, Record<Contender, Load[]>>()
  for (const [operation, calls] of Object.entries(callsOf(sample, work.tenantId)) as [
    Operation,
    Record<Contender, Call>,
  ][]) {
    const seen: Record<Contender, Load[]> = { ceiling: [], beide: [], anew: [], postgrest: [] }
    for (const contender of contenders) await load(targets[contender], calls[contender], 1)
    for (let n = 0; n < turns; n += 1) {
      for (const contender of contenders)
        seen[contender].push(await load(targets[contender], calls[contender], seconds))
    }
    loads.set(operation, seen)
    reportLoads(operation, seen)
  }

  await compareMeasures(targets.anew, { seconds, turns })

  const exporting: Record<Exporter, [Target, string]> = {
    ceiling: [targets.ceiling, '/export/commitments'],
    beide: [target(beide, `Bearer ${archive.key}`), '/v1/exports/commitments.csv'],
    postgrest: [
      { ...target(postgrest, accessToArchive), headers: { authorization: accessToArchive, accept: 'text/csv' } },
      '/export_commitments',
    ],
  }
  const exports: Record<Exporter, Export[]> = { ceiling: [], beide: [], postgrest: [] }
  for (let n = 0; n < turns; n += 1) {
    for (const contender of exporters) exports[contender].push(await runExport(...exporting[contender]))
  }
  reportExports(exports)
  // In a process of its own, so that what it holds is not what the load before it left behind.
  for (const format of ['csv', 'ndjson', 'parquet']) {
    const fresh = await startBeide(url)
    servers.push(fresh)
    const atStart = await residentMb(fresh.pid)
    const large = await runExport(target(fresh, `Bearer ${archive.key}`), `/v1/exports/evaluation_scores.${format}`)
    reportLarge(format, atStart, large)
    await fresh.stop()
  }
  await benchPortfolio(url, 10_000)
} finally {
  for (const server of servers) await server.stop()
  await stop()
  await rm(dataDir, { recursive: true, force: true })
}
