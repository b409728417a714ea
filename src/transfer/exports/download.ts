import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { noneMatchHits } from '../../core/etag.ts'
import { notFound, Problem } from '../../core/problem.ts'
import type { Database } from '../../db/database.ts'
import { principalOf } from '../../platform/auth.ts'
import { pieceBytes } from './pieces.ts'
import { chunkRead, fileFind } from './store.ts'

/** A part of a file, both ends included. */
export interface Range {
  first: number
  last: number
}

/**
 * The part that a Range header asks for; undefined for the whole, also where it asks for several parts, or in another
 * way. @throws Problem `range_not_satisfiable` where the file has no such part
 */
export function rangeOf(header: string | undefined, size: number): Range | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  const [from, to] = [match[1] ?? '', match[2] ?? '']
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from)
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (first > last) {
    const headers = { 'content-range': `bytes */${size}` }
    throw new Problem('range_not_satisfiable', `The file has ${size} bytes.`, { headers })
  }
  return { first, last }
}

/**
 * Answers with a file, or a part of it.
 * @throws Problem `not_found`, `gone` for what has expired, `state_forbids` for what is not there yet
 */
export async function sendFile(
  database: Database,
  { id, name }: { id: string; name: string },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const principal = principalOf(request)
  const found = await database.read(principal, (tx) => fileFind(tx, id, name))
  if (!found) throw notFound()
  if (found.status === 'expired')
    throw new Problem('gone', 'The files of this export are no longer kept. Order it anew.')
  if (found.status !== 'succeeded') {
    throw new Problem('state_forbids', `The export is ${found.status}: it has files when it has succeeded.`)
  }
  if (found.bytes === null) throw notFound()
  const size = Number(found.bytes)
  const etag = `"${found.sha256}"`
  reply.headers({
    etag,
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename="${name}"`,
  })
  if (noneMatchHits(request.headers['if-none-match'], etag)) return reply.code(304).send()
  const ifRange = request.headers['if-range']
  const isSame = ifRange === undefined || ifRange === etag
  const range = isSame ? rangeOf(request.headers.range, size) : undefined
  const { first, last } = range ?? { first: 0, last: size - 1 }
  reply.header('content-length', last - first + 1)
  if (range) reply.code(206).header('content-range', `bytes ${first}-${last}/${size}`)
  // A stream also for HEAD: of an empty body the framework would say that it has no bytes.
  if (request.method === 'HEAD') return reply.send(Readable.from([]))

  async function* pieces(): AsyncGenerator<Buffer> {
    for (let seq = Math.floor(first / pieceBytes); seq * pieceBytes <= last; seq += 1) {
      const attempt = found?.attempt ?? 0
      const piece = await database.read(principal, (tx) => chunkRead(tx, { id, attempt, name, seq }))
      const start = seq * pieceBytes
      yield piece.subarray(Math.max(0, first - start), last - start + 1)
    }
  }
  return reply.send(Readable.from(pieces(), { objectMode: false }))
}
