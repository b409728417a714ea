import { type Readable, Transform } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { Problem } from '../../core/problem.ts'
import { readJson } from '../../platform/strict-json.ts'
import { type FileRow, unreadable } from './lines.ts'
import { importTypes } from './schemas.ts'

const recordBytesMax = 1_048_576
const reserved = new Set(['__proto__', 'constructor', 'prototype'])

interface Parsed {
  info: { lines: number }
  record: string[]
}

/**
 * Rows of CSV (RFC 4180, UTF-8, a header line). A header names a member, with dots for what lies within:
 * `measure.amount`, `parties.0.organisation_ref.id`; one that ends in `:json` holds JSON. An empty cell is left out.
 */
export async function* csvRows(file: Readable, type: string | null): AsyncGenerator<FileRow> {
  const parser = parse({ bom: true, info: true, relax_column_count: true, max_record_size: recordBytesMax })
  const text = inUtf8()
  for (const stream of [file, text]) stream.on('error', (error) => parser.destroy(error))
  file.pipe(text).pipe(parser)
  let header: Column[] | undefined
  let linesBefore = 0
  try {
    for await (const parsed of parser) {
      const { info, record } = parsed as Parsed
      // A row may go over several lines; the parser counts those that were read.
      if (header) yield rowOf(header, record, linesBefore + 1, type)
      else header = headerOf(record)
      linesBefore = info.lines
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw new Problem('invalid_request', `The file cannot be read as CSV: ${error.message}.`)
  }
}

/** Passes on what is UTF-8: the parser would put other characters in the place of what is not. */
function inUtf8(): Transform {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const read = (done: (error?: Error, chunk?: Buffer) => void, chunk?: Buffer) => {
    try {
      decoder.decode(chunk, { stream: chunk !== undefined })
    } catch {
      return done(
        new Problem('invalid_request', 'The file is not valid UTF-8. Save it as such: spreadsheets often do not.'),
      )
    }
    done(undefined, chunk)
  }
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => read(done, chunk),
    flush: (done) => read(done),
  })
}

interface Column {
  name: string
  path: string[]
  isJson: boolean
}

/** @throws Problem `invalid_request` where two columns are called alike, or one has no name */
function headerOf(names: readonly string[]): Column[] {
  const seen = new Set<string>()
  return names.map((name, at) => {
    const isJson = name.endsWith(':json')
    const path = name.replace(/:json$/, '').split('.')
    const isBad = path.some((part) => part === '' || reserved.has(part)) || path.length > 8
    if (isBad || seen.has(name)) {
      const what = seen.has(name) ? 'stands twice' : 'is no name of a member'
      throw new Problem('invalid_request', `Column ${at + 1} of the header, "${name}", ${what}.`)
    }
    seen.add(name)
    return { name, path, isJson }
  })
}

function rowOf(header: readonly Column[], cells: readonly string[], line: number, type: string | null): FileRow {
  if (cells.length !== header.length) {
    return unreadable(line, type, `The row has ${cells.length} cells, the header ${header.length}.`)
  }
  const row: Record<string, unknown> = {}
  for (const [at, { name, path, isJson }] of header.entries()) {
    const cell = cells[at] ?? ''
    if (cell === '') continue
    if (cell.includes('\0')) return unreadable(line, type, `The cell "${name}" holds the character NUL.`)
    try {
      put(row, path, isJson ? readJson(cell) : cell)
    } catch {
      return unreadable(line, type, `The cell "${name}" does not hold JSON, or lies within another cell.`)
    }
  }
  const kind = type ?? importTypes.find((known) => known === row['type']) ?? null
  return { line, type: kind, payload: JSON.stringify(listsOf(row)), fault: null, remarks: [] }
}

function put(row: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let place = row
  for (const part of path.slice(0, -1)) {
    place[part] ??= {}
    const inner = place[part]
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) throw new Error('Within another cell')
    place = inner as Record<string, unknown>
  }
  place[path.at(-1) as string] = value
}

/** What has only numbers for names is a list, in their order. */
function listsOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const members = Object.entries(value)
  if (members.length > 0 && members.every(([name]) => /^\d{1,3}$/.test(name))) {
    return members.sort(([a], [b]) => Number(a) - Number(b)).map(([, member]) => listsOf(member))
  }
  return Object.fromEntries(members.map(([name, member]) => [name, listsOf(member)]))
}
