import { readdir, readFile, writeFile } from 'node:fs/promises'
import http from 'node:http'
import autocannon from 'autocannon'

/** `anew` is this service too, with nothing kept in memory of what was read before. */
export const contenders = ['ceiling', 'beide', 'anew', 'postgrest'] as const
export type Contender = (typeof contenders)[number]
/** An export is read anew each time. */
export const exporters = ['ceiling', 'beide', 'postgrest'] as const
export type Exporter = (typeof exporters)[number]
export type Operation = 'get one' | 'list 50' | 'create one' | 'patch one'

/** What the kernel counts processor time in. */
const ticksPerSecond = 100

async function stat(pid: number): Promise<string[] | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The name of the program stands in brackets and may hold spaces.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')
}

const toMs = (ticks: number): number => (ticks * 1000) / ticksPerSecond

/** Processor time of one process with its threads, in ms. */
export async function cpuOf(pid: number): Promise<number> {
  const fields = await stat(pid)
  if (!fields) throw new Error(`There is no process ${pid}`)
  return toMs(Number(fields[11]) + Number(fields[12]))
}

/** Processor time of a process, its children, and those of its children that have ended: a whole Postgres. */
export async function cpuOfTree(pid: number): Promise<number> {
  const own = await stat(pid)
  if (!own) throw new Error(`There is no process ${pid}`)
  let ticks = own.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const fields = await stat(Number(name))
    if (fields && Number(fields[1]) === pid) ticks += Number(fields[11]) + Number(fields[12])
  }
  return toMs(ticks)
}

/** How much memory a process holds now, in MB. */
export async function residentMb(pid: number): Promise<number> {
  const match = /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))
  return Number(match?.[1]) / 1024
}

/** Begins to watch how much memory a process holds at most. @returns reads it, in MB */
export async function watchMemory(pid: number): Promise<() => Promise<number>> {
  await writeFile(`/proc/${pid}/clear_refs`, '5')
  return async () => {
    const match = /VmHWM:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))
    return Number(match?.[1]) / 1024
  }
}

export interface Target {
  /** The server process. */
  pid: number
  /** The postmaster that it uses. */
  postgresPid: number
  url: string
  headers: Record<string, string>
}

export interface Load {
  requestsPerSecond: number
  /** Processor time for each request, in ms. */
  serverMs: number
  postgresMs: number
}

export interface Call {
  method: 'GET' | 'POST' | 'PATCH'
  /** A fresh path and body for each request. */
  next(): { path: string; body?: string }
  headers?: Record<string, string>
}

/** Ten connections that ask as fast as they are answered. @throws where an answer is not a success */
export async function load({ pid, postgresPid, url, headers }: Target, call: Call, seconds: number): Promise<Load> {
  const before = await Promise.all([cpuOf(pid), cpuOfTree(postgresPid)])
  const result = await autocannon({
    url,
    connections: 10,
    duration: seconds,
    requests: [
      {
        method: call.method,
        headers: { ...headers, ...call.headers },
        setupRequest: (request) => Object.assign({}, request, call.next()),
      },
    ],
  })
  const after = await Promise.all([cpuOf(pid), cpuOfTree(postgresPid)])
  const answered = result['2xx']
  if (result.non2xx > 0 || result.errors > 0 || answered === 0) {
    const what = JSON.stringify(result.statusCodeStats)
    throw new Error(`${call.method} ${call.next().path} at ${url}: ${what}, ${result.errors} errors`)
  }
  return {
    requestsPerSecond: answered / result.duration,
    serverMs: (after[0] - before[0]) / answered,
    postgresMs: (after[1] - before[1]) / answered,
  }
}

export interface Export {
  rowsPerSecond: number
  /** Processor time for a thousand rows, in ms. */
  serverMs: number
  postgresMs: number
  firstByteMs: number
  peakMb: number
  rows: number
}

/** One export, read as fast as it comes. */
export async function runExport({ pid, postgresPid, url, headers }: Target, path: string): Promise<Export> {
  const before = await Promise.all([cpuOf(pid), cpuOfTree(postgresPid)])
  const peak = await watchMemory(pid)
  const start = performance.now()
  const { lines, firstByteMs } = await new Promise<{ lines: number; firstByteMs: number }>((resolve, reject) => {
    const request = http.get(`${url}${path}`, { headers, agent: false }, (response) => {
      let lines = 0
      let firstByteMs = 0
      response.on('data', (chunk: Buffer) => {
        firstByteMs ||= performance.now() - start
        for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1
      })
      response.once('error', reject)
      response.once('end', () => {
        if (response.statusCode !== 200) reject(new Error(`GET ${path}: ${response.statusCode}`))
        else resolve({ lines, firstByteMs })
      })
    })
    request.once('error', reject)
  })
  const seconds = (performance.now() - start) / 1000
  const after = await Promise.all([cpuOf(pid), cpuOfTree(postgresPid)])
  return {
    rowsPerSecond: lines / seconds,
    serverMs: ((after[0] - before[0]) / lines) * 1000,
    postgresMs: ((after[1] - before[1]) / lines) * 1000,
    firstByteMs,
    peakMb: await peak(),
    rows: lines,
  }
}

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  return sorted.length % 2 ? (sorted[half] ?? 0) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2
}
