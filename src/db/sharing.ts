import type { Caller, GatheredChange, Tx } from './transaction.ts'

// Writes of one credential that come while others of it are under way share a transaction: it is begun, its changes are
// told of and it is committed once for all of them. See docs/decisions/0021.

/** A write that may share its transaction. */
export interface Sharer {
  caller: Caller
  /** Done again by itself where the transaction that it shared came to nothing. */
  work(tx: Tx): Promise<unknown>
  tell: Telling
}

/** Tells of the changes of all that shared a transaction, at its very end; sent when it is called. */
export type Telling = (tx: Tx, changes: readonly GatheredChange[]) => Promise<void>

export interface Ways {
  alone(sharer: Sharer): Promise<unknown>
  /** What each of them came to; undefined where nothing of any of them stays, and each is to be done alone. */
  together(sharers: readonly Sharer[]): Promise<readonly unknown[] | undefined>
}

interface Waiting extends Sharer {
  resolve(result: unknown): void
  reject(error: unknown): void
}

interface Line {
  waiting: Waiting[]
  /** How many transactions are under way, and how many share them. */
  running: number
  sharers: number
  /** Ends the gathering of a transaction beside one that is under way. */
  due: NodeJS.Timeout | undefined
  isDue: boolean
  /** How many are still to be done alone, after some that shared came to nothing. */
  wary: number
}

/** So many transactions of a line are under way at once: while Postgres has one, the process prepares the other. */
const runningMost = 2
/** So many share one at most. */
const sharersMost = 16
/** How long one beside another that is under way waits for as many as share that, in ms. */
const gathering = 4
/** How long those who wait leave it to the ones before them, in ms: these may be held up by a lock of others. */
const patience = 50
/** Where one was refused, so many of its line go alone: whoever sends much that is refused gains nothing by sharing. */
const waryFor = 32

/** @returns writes; those under one name wait for each other and share, and are alike but for what they write */
export function shareTransactions({ alone, together }: Ways): (name: string, sharer: Sharer) => Promise<unknown> {
  const lines = new Map<string, Line>()

  function start(name: string, line: Line, sharers: readonly Waiting[]): void {
    line.running += 1
    line.sharers += sharers.length
    let isOver = false
    const over = () => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      line.running -= 1
      line.sharers -= sharers.length
      goOn(name, line)
    }
    const timer = setTimeout(over, patience)
    void run(line, sharers).finally(over)
  }

  function goOn(name: string, line: Line): void {
    while (line.waiting.length > 0 && (line.running < runningMost || line.wary > 0)) {
      const { waiting, running, sharers, wary } = line
      // All alike, which is fewest of them. Who had an answer just now soon asks again.
      if (running > 0 && waiting.length < sharers && wary === 0 && !line.isDue) {
        line.due ??= setTimeout(() => {
          line.isDue = true
          goOn(name, line)
        }, gathering)
        return
      }
      const share = Math.min(Math.ceil((waiting.length + sharers) / runningMost), sharersMost)
      clearTimeout(line.due)
      Object.assign(line, { due: undefined, isDue: false })
      start(name, line, waiting.splice(0, wary > 0 ? 1 : share))
    }
    if (line.running === 0) lines.delete(name)
  }

  async function run(line: Line, sharers: readonly Waiting[]): Promise<void> {
    if (sharers.length > 1) {
      try {
        const results = await together(sharers)
        if (results) {
          for (const [at, { resolve }] of sharers.entries()) resolve(results[at])
          return
        }
      } catch (error) {
        for (const { reject } of sharers) reject(error)
        return
      }
      line.wary = waryFor
    }
    line.wary = Math.max(0, line.wary - sharers.length)
    await Promise.all(sharers.map((sharer) => alone(sharer).then(sharer.resolve, sharer.reject)))
  }

  return (name, sharer) => {
    const line = lines.get(name) ?? { waiting: [], running: 0, sharers: 0, wary: 0, due: undefined, isDue: false }
    lines.set(name, line)
    return new Promise((resolve, reject) => {
      line.waiting.push({ ...sharer, resolve, reject })
      goOn(name, line)
    })
  }
}
