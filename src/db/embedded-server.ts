import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Account } from './embedded-account.ts'

// The process of the embedded Postgres: how it is started, waited for and ended.

export interface Programs {
  initdb: string
  pg_ctl: string
  postgres: string
}

export interface Server {
  child: ChildProcess
  port: number
  /** Where its socket is; none where it takes TCP alone. */
  socketDirectory: string | undefined
}

const startTimeoutMs = 300_000
const execute = promisify(execFile)

/** As long as the address of a socket may be on every platform that has them, without the name of the socket. */
const longestDirectory = 103 - '/.s.PGSQL.65535'.length

/**
 * Starts the server; tried again where the port was taken meanwhile, or workers of a killed server still hold memory, and
 * without a socket where there can be none.
 */
export async function launch(
  programs: Programs,
  account: Account,
  home: string,
  settings: Record<string, string>,
  log: (line: string) => void,
): Promise<Server> {
  const cluster = join(home, 'cluster')
  const isReachable = process.platform !== 'win32' && Buffer.byteLength(home) <= longestDirectory
  let socketDirectory = isReachable ? home : undefined
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort()
    const sockets = socketDirectory === undefined ? '' : `"${socketDirectory.replaceAll('"', '""')}"`
    const fixed = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: sockets,
      timezone: 'UTC',
    }
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
    if (await isReady(child, cluster)) return { child, port, socketDirectory }
    await stop(programs, child)
    const told = lines.join('\n')
    if (/Unix-domain socket/.test(told)) socketDirectory = undefined
    else if (attempt >= 10 || !/shared memory block|could not create any TCP/.test(told)) {
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

const hasEnded = (child: ChildProcess) =>
  child.pid === undefined || child.exitCode !== null || child.signalCode !== null

/** Fast first; at once if that takes a minute. */
export async function stop(programs: Programs, child: ChildProcess): Promise<void> {
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
export async function send(programs: Programs, pid: number, signal: 'INT' | 'QUIT' | 'KILL'): Promise<void> {
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
