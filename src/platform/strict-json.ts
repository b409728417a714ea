import { type Fault, Faults, Problem } from '../core/problem.ts'
import { escapePointer } from './faults.ts'

// JSON as RFC 8259 lets senders write it when they want to be understood alike by all: names stand once, texts can be kept.

/** No record needs more; what works through a value level by level, here and in Postgres, runs out of stack at thousands. */
const depthMax = 64

/** An object or array that is open while a text is read: its names so far, and the member at hand. */
interface Open {
  names: Set<string> | undefined
  at: string | number
}

/**
 * What of a JSON text its value would not show: names that stand twice in one object, of which a parser keeps one.
 * A text that is no JSON gives what it gives: the parser tells of that.
 * @throws Problem `invalid_request` where it is nested too deep
 */
function repeatedNames(text: string): Fault[] {
  const faults = new Faults()
  const open: Open[] = []
  let isName = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at)
    const inner = open[open.length - 1]
    if (character === 0x22) {
      const from = at + 1
      for (at = from; at < text.length && text.charCodeAt(at) !== 0x22; at += 1)
        if (text.charCodeAt(at) === 0x5c) at += 1
      if (!isName || !inner?.names) continue
      inner.at = nameOf(text.slice(from, at))
      isName = false
      if (inner.names.has(inner.at)) {
        const detail = `The name "${inner.at}" stands here twice: which of the two is meant cannot be told.`
        faults.add(pointerOf(open), 'repeated', detail)
      }
      inner.names.add(inner.at)
    } else if (character === 0x7b || character === 0x5b) {
      if (open.length === depthMax) {
        throw new Problem('invalid_request', `The body is nested deeper than ${depthMax} levels.`)
      }
      isName = character === 0x7b
      open.push({ names: isName ? new Set() : undefined, at: 0 })
    } else if (character === 0x7d || character === 0x5d) {
      open.pop()
      isName = false
    } else if (character === 0x2c && inner) {
      isName = inner.names !== undefined
      if (typeof inner.at === 'number') inner.at += 1
    }
  }
  return faults.list
}

/** A name as it is meant, whatever of it is escaped. */
function nameOf(written: string): string {
  if (!written.includes('\\')) return written
  try {
    return JSON.parse(`"${written}"`)
  } catch {
    return written
  }
}

const pointerOf = (open: readonly Open[]): string => open.map(({ at }) => `/${escapePointer(String(at))}`).join('')

/**
 * Reads a JSON text with a parser of the caller's.
 * @throws Problem `bad_json`, or `invalid_request` that names every name that stands twice and every value that cannot be
 * kept: Postgres keeps neither NUL nor half a surrogate pair, and a number beyond the largest would become null
 */
export function readJson(text: string, parse: (text: string) => unknown = JSON.parse): unknown {
  const repeated = repeatedNames(text)
  let value: unknown
  try {
    value = parse(text)
  } catch (error) {
    throw new Problem('bad_json', `The body cannot be read as JSON: ${reasonOf(text, error as Error)}.`)
  }
  if (repeated.length > 0) {
    throw new Problem('invalid_request', 'A name stands twice in one object.', { errors: repeated })
  }
  if (mayBeUnstorable.test(text)) {
    const faults = new Faults()
    findUnstorable(value, '', faults)
    if (faults.list.length > 0) {
      throw new Problem('invalid_request', 'What stands here cannot be kept as it is.', { errors: faults.list })
    }
  }
  return value
}

/** Escapes of NUL and of surrogates, and numbers of 309 digits and more. */
const mayBeUnstorable = /\\u(0000|[dD][89a-fA-F])|\d[eE]\+?0*[1-9]\d\d|\d{309}/

/** Where and why the text is not JSON, as the parser of the runtime says it. */
function reasonOf(text: string, error: Error): string {
  try {
    JSON.parse(text)
    return error.message
  } catch (fault) {
    return (fault as Error).message
  }
}

function findUnstorable(value: unknown, pointer: string, faults: Faults): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) faults.add(pointer, 'nul', 'A text may not hold the character NUL.')
    else if (!value.isWellFormed()) faults.add(pointer, 'surrogate', 'A text may not hold half of a surrogate pair.')
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value))
      faults.add(pointer, 'range', 'A number may not be larger than a double of IEEE 754 holds.')
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      findUnstorable(key, pointer, faults)
      findUnstorable(member, `${pointer}/${escapePointer(key)}`, faults)
    }
  }
}
