import { createHash, type Hash } from 'node:crypto'
import { type Readable, Transform } from 'node:stream'
import { newId } from '../../core/ids.ts'
import { Problem } from '../../core/problem.ts'
import type { Caller, Database } from '../../db/database.ts'
import { csvRows } from './csv.ts'
import { type FileFacts, giving360Rows } from './giving360.ts'
import type { FileRow } from './lines.ts'
import { ndjsonRows } from './ndjson.ts'
import { type ImportType, importTypes } from './schemas.ts'
import { type ImportOptions, importDelete, importInsert, rowsInsert, type StagedRow } from './staging.ts'

export interface Upload extends ImportOptions {
  file: Readable
}

export interface Staged {
  id: string
  rows: number
  facts: FileFacts
  /** SHA-256 of the file. */
  digest: Buffer
}

const stalledAfterMs = 60_000
/** So many rows are staged in one statement. */
const together = 1000
/** Or fewer, where they are long: of so many characters in all. */
const togetherSize = 4_000_000
/** What happens in one transaction has to be told of at its end, and so is held until then. */
const rowsTogetherMax = 100_000

/**
 * Stages the rows of a file while it arrives, in short transactions; nothing of it is held but the rows at hand and those on their way. Until
 * it is begun the import is not there for anyone.
 * @throws Problem where the file as a whole cannot be read; what had arrived is removed
 */
export async function stage(database: Database, caller: Caller, upload: Upload): Promise<Staged> {
  const id = newId()
  // The guard belongs to the one transaction that begins the import.
  const { guard: _guard, ...plain } = caller
  await database.write(plain, (tx) => importInsert(tx, id, upload))
  const { hash, file } = hashed(upload.file)
  let writing: Promise<void> | undefined
  try {
    const facts: FileFacts = {}
    let rows = 0
    let held: StagedRow[] = []
    let size = 0
    // The next rows are read while these are written.
    const put = async () => {
      await writing
      const taken = held
      writing = database.write(plain, (tx) => rowsInsert(tx, id, taken))
      writing.catch(() => {})
      rows += taken.length
      held = []
      size = 0
    }
    for await (const row of rowsOf({ ...upload, file }, facts)) {
      held.push({ ...row, id: newId(), phase: row.type === null ? 0 : phaseOf(row.type) })
      size += row.payload?.length ?? 0
      if (held.length === together || size >= togetherSize) await put()
    }
    if (held.length > 0) await put()
    await writing
    refuseCount(rows, upload)
    return { id, rows, facts, digest: hash.digest() }
  } catch (error) {
    file.destroy()
    // Many a client reads the answer only when all of its file was taken.
    upload.file.unpipe().resume()
    await writing?.catch(() => {})
    await discard(database, plain, id)
    throw error
  }
}

/** Removes an import whose file is not to be worked through. What cannot be removed now goes with the old ones. */
export const discard = (database: Database, { guard: _guard, ...caller }: Caller, id: string): Promise<void> =>
  database.write(caller, (tx) => importDelete(tx, id)).catch(() => {})

/** 0 for what has no kind, then the kinds in their order. */
const phaseOf = (type: string): number => importTypes.indexOf(type as ImportType) + 1

function rowsOf({ format, type, file }: Upload, facts: FileFacts): AsyncGenerator<FileRow> {
  switch (format) {
    case 'ndjson':
      return ndjsonRows(file, type)
    case 'csv':
      return csvRows(file, type)
    case '360giving':
      return giving360Rows(file, facts)
  }
}

function refuseCount(rows: number, { allOrNothing }: Upload): void {
  if (rows === 0) throw new Problem('invalid_request', 'There is no row in the file.')
  if (!allOrNothing || rows <= rowsTogetherMax) return
  const detail = `All or nothing goes up to ${rowsTogetherMax} rows, and the file has ${rows}: divide it, or let good rows in.`
  throw new Problem('rule_violated', detail)
}

/** Passes a file on and digests it on its way. */
function hashed(file: Readable): { hash: Hash; file: Readable } {
  const hash = createHash('sha256')
  const stalled = () => through.destroy(new Problem('request_timeout', 'The file stood still for a minute.'))
  const timer = setTimeout(stalled, stalledAfterMs)
  const through = new Transform({
    transform(chunk, _encoding, done) {
      timer.refresh()
      hash.update(chunk)
      done(null, chunk)
    },
  })
  through.on('close', () => clearTimeout(timer))
  file.on('error', (error) => through.destroy(error))
  // A client that goes away ends neither: without this the rest of the file would be waited for.
  file.on('close', () => file.readableEnded || through.destroy(new Problem('malformed_http', 'The file broke off.')))
  return { hash, file: file.pipe(through) }
}
