import { randomBytes } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { contract } from '../../src/contract.ts'
import { startEmbedded } from '../../src/db/embedded.ts'
import { migrate } from '../../src/db/migrate.ts'
import { documentVariable } from './contract.ts'
import { onServer, runOnServer, serverVariable, strategyVariable, templateVariable } from './database.ts'
import { summaryOf } from './report.ts'
import { buildTap } from './tap-build.ts'
import { removeAbandoned, temporaryDirectory } from './temporary.ts'
import { remember, testFiles } from './test-files.ts'
import { Workers } from './workers.ts'

// `npm test`: a Postgres, a migrated template database in it, processes that run the test files, and nothing left behind.

interface Server {
  url: string
  /** How a template is copied fastest. Measured: 11 ms against 17 where nothing is synced, 300 against 30 where it is. */
  strategy: 'file_copy' | 'wal_log'
  stop(): Promise<void>
}

const volatile = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' }

let workers: Workers | undefined
let interrupted: NodeJS.Signals | undefined
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt(signal))

/** Once asks; again, or after five seconds, kills. What was made is dropped after that. */
function interrupt(signal: NodeJS.Signals): void {
  const isFirst = interrupted === undefined
  interrupted ??= signal
  workers?.kill(isFirst ? signal : 'SIGKILL')
  if (isFirst) setTimeout(() => workers?.kill('SIGKILL'), 5_000).unref()
}

/** A Postgres for this run, whose data nobody needs to survive. */
async function volatileServer(): Promise<Server> {
  await removeAbandoned()
  const dataDir = await temporaryDirectory()
  const remove = () => rm(dataDir, { recursive: true, force: true })
  try {
    const { url, stop } = await startEmbedded({ dataDir, settings: volatile })
    await cheapSignIn(url)
    return { url, strategy: 'file_copy', stop: () => stop().then(remove) }
  } catch (error) {
    await remove()
    throw error
  }
}

/** Otherwise each connection costs both sides 4,096 rounds of hashing. */
async function cheapSignIn(url: string): Promise<void> {
  const { username, password } = new URL(url)
  await runOnServer(url, `set scram_iterations = 1; alter role ${username} password '${password}'`)
}

async function namesOf(url: string, query: string, value: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<{ name: string }>(query, [value])).rows.map((row) => row.name)
  } finally {
    await client.end()
  }
}

const rolesOf = (url: string) =>
  namesOf(url, 'select rolname as name from pg_roles where starts_with(rolname, $1)', 'beide_')
const databasesOf = (url: string, template: string) =>
  namesOf(url, 'select datname as name from pg_database where starts_with(datname, $1)', template)

/** Runs the test files on a template of this program's migrations, and drops it and all its copies. */
async function testOn(server: Server, document: string, files: string[]): Promise<number> {
  const template = `beide_test_${randomBytes(4).toString('hex')}`
  const rolesBefore = await rolesOf(server.url)
  try {
    await runOnServer(server.url, `create database ${template}`)
    await migrate(onServer(server.url, template))
    // A database that takes no connections can be copied at any time.
    await runOnServer(server.url, `alter database ${template} with is_template true allow_connections false`)
    return await runFiles(server, template, document, files)
  } finally {
    const databases = await databasesOf(server.url, template)
    if (databases.includes(template)) await runOnServer(server.url, `alter database ${template} with is_template false`)
    for (const name of databases) await runOnServer(server.url, `drop database if exists ${name} with (force)`)
    for (const role of (await rolesOf(server.url)).filter((name) => !rolesBefore.includes(name))) {
      // Another run on the same server may need it by now.
      await runOnServer(server.url, `drop role if exists ${role}`).catch(() => {})
    }
  }
}

async function runFiles(server: Server, template: string, document: string, files: string[]): Promise<number> {
  if (interrupted) return 1
  const { DATABASE_URL, TEST_DATABASE_URL, ...env } = process.env
  workers = new Workers(
    {
      ...env,
      // Test files start processes of the service; measured, this spares each of them a second of compiling.
      NODE_COMPILE_CACHE: fileURLToPath(new URL('../../.tap/compile-cache', import.meta.url)),
      [serverVariable]: server.url,
      [templateVariable]: template,
      [strategyVariable]: server.strategy,
      [documentVariable]: document,
    },
    console.log,
  )
  await workers.run(files)
  await remember(workers.times)
  const { counts } = workers
  console.log(`\n${summaryOf(counts)}`)
  // A run in which nothing was tested has shown nothing.
  return counts.failed > 0 || counts.passed === 0 ? 1 : 0
}

const files = await testFiles(process.argv.slice(2))
await buildTap()
const given = process.env.TEST_DATABASE_URL || process.env.DATABASE_URL
const server: Server = given ? { url: given, strategy: 'wal_log', stop: async () => {} } : await volatileServer()
const ownDir = await temporaryDirectory()
try {
  // Made once for all test files, from the code as it is now.
  const document = join(ownDir, 'openapi.json')
  await writeFile(document, JSON.stringify(await contract()))
  process.exitCode = await testOn(server, document, files)
} finally {
  await rm(ownDir, { recursive: true, force: true })
  await server.stop()
}
if (interrupted) process.exitCode = 130
