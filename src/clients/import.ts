import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { type Client, Refused, type Reply } from './client.ts'

/** What a file is, by its ending. */
const mediaTypes: Readonly<Record<string, string>> = {
  '.ndjson': 'application/x-ndjson',
  '.jsonl': 'application/x-ndjson',
  '.csv': 'text/csv',
  '.json': 'application/json',
}

export interface ImportRequest {
  file: string
  type?: string | undefined
  dryRun?: boolean | undefined
  allOrNothing?: boolean | undefined
}

/** How far an import is: bytes sent first, then rows done. */
export interface Progress {
  what: 'bytes sent' | 'rows done'
  done: number
  all: number
}

export interface ImportReport {
  status: string
  failure: string | null
  counts: Record<'created' | 'updated' | 'unchanged' | 'ambiguous' | 'invalid', number>
  /** The first of the rows that were refused. */
  refused: { line: number; outcome: string; reason: string }[]
}

const refusedShown = 100
const askEveryMs = 300

/**
 * Sends a file to the service and follows its import to the end.
 * @throws Refused where the service refuses the file; Error for a file of no known kind
 */
export async function importFile(
  { url, key, client }: { url: string; key: string; client: Client },
  request: ImportRequest,
  progress: (progress: Progress) => void = () => {},
): Promise<ImportReport> {
  const mediaType = mediaTypes[extname(request.file).toLowerCase()]
  if (!mediaType) throw new Error(`${request.file}: a file ends in ${Object.keys(mediaTypes).join(', ')}.`)
  const query = new URLSearchParams({
    ...(request.type ? { type: request.type } : {}),
    ...(request.dryRun ? { dry_run: 'true' } : {}),
    ...(request.allOrNothing ? { all_or_nothing: 'true' } : {}),
  })
  const { size } = await stat(request.file)
  const path = `/v1/imports?${query}`
  const response = await fetch(new URL(path, url), {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': mediaType },
    body: Readable.toWeb(counted(request.file, (done) => progress({ what: 'bytes sent', done, all: size }))) as never,
    duplex: 'half',
  } as RequestInit)
  const reply: Reply = { status: response.status, etag: '', body: await response.json() }
  if (reply.status !== 201) throw new Refused('POST', path, reply)
  return follow(client, reply.body.id, progress)
}

function counted(file: string, hear: (bytes: number) => void): Readable {
  let bytes = 0
  const counting = new Transform({
    transform(chunk, _encoding, done) {
      bytes += chunk.length
      hear(bytes)
      done(null, chunk)
    },
  })
  const from = createReadStream(file, { highWaterMark: 262_144 })
  from.on('error', (error) => counting.destroy(error))
  return from.pipe(counting)
}

async function follow(client: Client, id: string, progress: (progress: Progress) => void): Promise<ImportReport> {
  for (;;) {
    const { body } = await client.must('GET', `/v1/imports/${id}`)
    progress({ what: 'rows done', done: body.rows_done, all: body.rows_read })
    if (['finished', 'failed', 'cancelled'].includes(body.status)) {
      const { status, failure, created, updated, unchanged, ambiguous, invalid } = body
      return {
        status,
        failure,
        counts: { created, updated, unchanged, ambiguous, invalid },
        refused: ambiguous + invalid > 0 ? await refusedRows(client, id) : [],
      }
    }
    await new Promise((resolve) => setTimeout(resolve, askEveryMs))
  }
}

async function refusedRows(client: Client, id: string): Promise<ImportReport['refused']> {
  const path = `/v1/imports/${id}/rows?outcome=ambiguous,invalid&limit=${refusedShown}`
  const { body } = await client.must('GET', path)
  return body.data.map(({ line, outcome, faults }: { line: number; outcome: string; faults: RowFault[] }) => ({
    line,
    outcome,
    reason: faults.map(({ pointer, detail }) => `${pointer} ${detail}`.trim()).join('; '),
  }))
}

interface RowFault {
  pointer: string
  detail: string
}

const width = 30

/** A bar that grows: `[#####-----] 50 % 2,000 of 4,000 rows done`. */
export function barOf({ what, done, all }: Progress): string {
  const share = all === 0 ? 1 : Math.min(1, done / all)
  const filled = Math.round(share * width)
  const count = (number: number) => number.toLocaleString('en-GB')
  return `[${'#'.repeat(filled)}${'-'.repeat(width - filled)}] ${Math.floor(share * 100)} % ${count(done)} of ${count(all)} ${what}`
}
