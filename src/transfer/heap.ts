import { setFlagsFromString } from 'node:v8'

const sweepEveryMs = 50
/** Work that is done sooner leaves no heap behind that would matter. */
const beginAfterMs = 200

let working = 0
let beginning: NodeJS.Timeout | undefined
let sweeping: NodeJS.Timeout | undefined

/**
 * Does work through which much streams, in a heap that stays small: see docs/decisions/0018. Requests beside it are
 * slower by a tenth, and only while it lasts. The young generation is swept where the process was started with
 * --expose-gc.
 */
export async function inSmallHeap<T>(work: () => Promise<T>): Promise<T> {
  working += 1
  if (working === 1) beginning = setTimeout(begin, beginAfterMs).unref()
  try {
    return await work()
  } finally {
    working -= 1
    if (working === 0) end()
  }
}

function begin(): void {
  setFlagsFromString('--heap-growing-percent=30')
  const { gc } = globalThis
  if (!gc) return
  // How far the heap may grow is reckoned when all of it was collected: until then it grew to 310 MB at times.
  gc({ type: 'major', execution: 'async' })
  sweeping = setInterval(() => gc({ type: 'minor' }), sweepEveryMs).unref()
}

function end(): void {
  clearTimeout(beginning)
  setFlagsFromString('--heap-growing-percent=0')
  clearInterval(sweeping)
}
