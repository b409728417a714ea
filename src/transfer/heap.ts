import { setFlagsFromString } from 'node:v8'

/** How small the heap stays: see docs/decisions/0018. The smaller, the more of the processor goes into keeping it so. */
interface Size {
  growingPercent: number
  sweepEveryMs: number
}

/** While exports are written, which may take 200 MB. */
export const forExports: Size = { growingPercent: 30, sweepEveryMs: 50 }
/** While imports are worked through, which may take 250 MB: of each row much is held until its batch ends. */
export const forImports: Size = { growingPercent: 60, sweepEveryMs: 200 }

/** Work that is done sooner leaves no heap behind that would matter. */
const beginAfterMs = 200

const working: Size[] = []
let beginning: NodeJS.Timeout | undefined
let sweeping: NodeJS.Timeout | undefined

/**
 * Does work through which much streams, in a heap that stays small; of several at once the smallest counts. Requests
 * beside it are slower by a tenth, and only while it lasts. The young generation is swept where the process was started
 * with --expose-gc.
 */
export async function inSmallHeap<T>(size: Size, work: () => Promise<T>): Promise<T> {
  working.push(size)
  if (working.length === 1) beginning = setTimeout(begin, beginAfterMs).unref()
  else if (sweeping) setSize()
  try {
    return await work()
  } finally {
    working.splice(working.indexOf(size), 1)
    if (working.length === 0) end()
    else if (sweeping) setSize()
  }
}

function begin(): void {
  setSize()
  // How far the heap may grow is reckoned when all of it was collected: until then it grew to 310 MB at times.
  globalThis.gc?.({ type: 'major', execution: 'async' })
}

function setSize(): void {
  clearInterval(sweeping)
  setFlagsFromString(`--heap-growing-percent=${Math.min(...working.map(({ growingPercent }) => growingPercent))}`)
  const everyMs = Math.min(...working.map(({ sweepEveryMs }) => sweepEveryMs))
  sweeping = setInterval(() => globalThis.gc?.({ type: 'minor' }), everyMs).unref()
}

function end(): void {
  clearTimeout(beginning)
  setFlagsFromString('--heap-growing-percent=0')
  clearInterval(sweeping)
  sweeping = undefined
}
