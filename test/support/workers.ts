import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type Counts, report } from './report.ts'
import type { Times } from './test-files.ts'

// The processes that run the test files, two at a time.

/** What a worker tells when a file is done. */
export interface FileDone {
  isOk: boolean
  /** Whether its process can run another file. */
  takesMore: boolean
  counts: Counts
}

const program = fileURLToPath(new URL('worker.ts', import.meta.url))
const hooks = new URL('hooks.ts', import.meta.url).href
const workersAtOnce = 2
/** What a process gets to say that its time is over, before it is killed. */
const graceMs = 15_000
/** How a test file says, and why, that it shares its process with no other. */
const alone = /^[/][/] In a process of its own: /m

export class Workers {
  /** What was counted up to now, assertion by assertion. */
  readonly counts: Counts = { passed: 0, failed: 0, skipped: 0 }
  readonly times: Times = {}
  readonly #running = new Set<ChildProcess>()
  readonly #env: NodeJS.ProcessEnv
  readonly #print: (line: string) => void
  #isStopped = false

  constructor(env: NodeJS.ProcessEnv, print: (line: string) => void) {
    this.#env = env
    this.#print = print
  }

  /** Runs the files and tells of each. */
  async run(files: readonly string[]): Promise<void> {
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')))
    const apart = files.filter((_, at) => alone.test(texts[at] as string))
    const shared = files.filter((file) => !apart.includes(file))
    const lane = async () => {
      for (let file = apart.shift(); file; file = apart.shift()) await this.#work([file])
      while (shared.length > 0) await this.#work(shared)
    }
    await Promise.all(Array.from({ length: workersAtOnce }, lane))
  }

  /** Sends all that run a signal, with the processes that they started. No file is begun after that. */
  kill(signal: NodeJS.Signals): void {
    this.#isStopped = true
    for (const child of this.#running) killGroup(child, signal)
  }

  /** One process, which takes files from the queue for as long as it can. */
  async #work(queue: string[]): Promise<void> {
    if (this.#isStopped) return void queue.splice(0)
    const child = spawn(process.execPath, ['--no-enable-source-maps', '--import', hooks, program], {
      env: this.#env,
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    })
    this.#running.add(child)
    const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
    let file: string | undefined
    let since = 0
    let hasFailed = false
    let watch: NodeJS.Timeout | undefined
    const send = (next: string | undefined) => {
      file = this.#isStopped ? undefined : next
      since = performance.now()
      if (file === undefined) child.disconnect()
      else child.send({ file })
    }
    child.on('message', (message: FileDone | { setTimeout: number }) => {
      clearTimeout(watch)
      if ('setTimeout' in message) {
        const { setTimeout: ms } = message
        if (ms > 0) watch = setTimeout(() => killGroup(child, 'SIGKILL'), ms + graceMs)
        return
      }
      this.#count(message.counts)
      hasFailed ||= !message.isOk
      if (file && message.isOk) this.times[file] = Math.round(performance.now() - since)
      send(message.takesMore ? queue.shift() : undefined)
    })
    send(queue.shift())
    await report(child.stdout as Readable, this.#print)
    const [code, signal] = await ended
    clearTimeout(watch)
    this.#running.delete(child)
    if (file !== undefined) this.#fault(`${file}: its process ended with ${signal ?? code}`)
    else if (code !== 0 && !hasFailed) this.#fault(`a process that ran test files ended with ${signal ?? code}`)
  }

  #count({ passed, failed, skipped }: Counts): void {
    this.counts.passed += passed
    this.counts.failed += failed
    this.counts.skipped += skipped
  }

  #fault(text: string): void {
    this.#print(`not ok ${text}`)
    this.#count({ passed: 0, failed: 1, skipped: 0 })
  }
}

/** A worker leads a process group of its own, in which what its files start runs too. */
function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid) process.kill(-pid, signal)
  } catch {
    // It has ended.
  }
}
