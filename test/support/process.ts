import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { contract } from './contract.ts'
import { type Client, clientOver, type Json, type Send } from './harness.ts'

// The service as it is started by people: a process of its own, known by its output and its port alone.

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface ServiceProcess {
  child: ChildProcess
  /** Where it listens. */
  url: string
  /** Lines of standard output up to now; those that are logs as they were parsed. */
  printed: string[]
  logs: Json[]
  /** The admin key that it showed, if it did. */
  key: string | undefined
  /** Its exit code, once it has ended. */
  ended: Promise<number | null>
  /** Ends it with a signal; answers its exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>
}

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

function launch(t: Test, env: Record<string, string>): ChildProcess {
  // Nothing of the test run's own settings: only what the test says.
  const kept = ['PATH', 'TZ', 'NODE_COMPILE_CACHE'].flatMap((name) => {
    const value = process.env[name]
    return value ? [[name, value] as const] : []
  })
  const child = spawn(process.execPath, [program], {
    env: { ...Object.fromEntries(kept), PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => void child.kill('SIGKILL'))
  return child
}

/** Asks again and again until it is so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(10)
}

/** Starts the service and waits until its log says where it listens, and it is ready. */
export async function startProcess(t: Test, env: Record<string, string>): Promise<ServiceProcess> {
  const child = launch(t, env)
  const printed: string[] = []
  const logs: Json[] = []
  const told: string[] = []
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => told.push(line))
  const exited = once(child, 'close') as Promise<[number | null]>
  const listening = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      if (!line.startsWith('{')) return void printed.push(line)
      const log = JSON.parse(line)
      logs.push(log)
      const address = /^listening at (\S+)$/.exec(log.msg)?.[1]
      if (address) resolve(address)
    })
  })
  const failed = exited.then(([code]) => {
    throw new Error(`The service ended with ${code} instead of listening: ${told.join('\n')}`)
  })
  failed.catch(() => {})
  const url = await Promise.race([listening, failed])
  // A process that has only just started, on a machine that does much else, may say at first that it is too busy.
  await until(async () => (await fetch(`${url}/health/ready`)).ok)
  return {
    child,
    url,
    printed,
    logs,
    ended: exited.then(([code]) => code),
    key: /beide_\w+/.exec(printed.join('\n'))?.[0],
    async end(signal = 'SIGTERM') {
      child.kill(signal)
      return (await exited)[0]
    },
  }
}

/** Runs the service where it should refuse to start. */
export async function runToEnd(t: Test, env: Record<string, string>): Promise<Ended> {
  const child = launch(t, env)
  const text = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) child[name]?.on('data', (chunk) => (text[name] += chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...text }
}

/** A client of a service that runs as a process, over its socket; every answer is checked against its contract. */
export async function clientOfProcess({ url, key }: ServiceProcess): Promise<Client> {
  if (key === undefined) throw new Error('The service showed no key')
  const send: Send = async ({ method, path, headers, payload }) => {
    const init = { method, headers, redirect: 'manual' as const, ...(payload === undefined ? {} : { body: payload }) }
    const response = await fetch(new URL(path, url), init)
    return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() }
  }
  return clientOver(send, contract().check, key)
}
