import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { pipeline, type Readable, type Transform } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { noneMatchHits } from '../core/etag.ts'
import type { Database, ReadTx } from '../db/database.ts'
import { principalOf } from '../platform/auth.ts'
import { compressor, encodingFor } from './compression.ts'
import { forExports, inSmallHeap } from './heap.ts'

export interface Streamed {
  /** A `COPY … TO STDOUT`, as this snapshot asks for it. */
  copy(tx: ReadTx): Promise<string>
  /** What tells this representation from others of the same rows. */
  variant: string
  headers: Record<string, string>
  /** What the rows go through before they leave. */
  steps?: () => readonly Transform[]
  /** True for what is compressed in itself. */
  isCompressed?: boolean
  /** How long a client may take nothing of what it asked for: it holds a connection and a snapshot. */
  stalledAfterMs?: number
}

/**
 * Answers with the rows of one COPY, from one snapshot, in constant memory: Postgres writes no faster than the client
 * reads. What fails before the first byte is a problem document; what fails later breaks the connection, so that no
 * client takes a part for the whole. A client that goes away ends the statement.
 */
export async function sendCopy(
  database: Database,
  request: FastifyRequest,
  reply: FastifyReply,
  { copy, variant, headers, steps = () => [], isCompressed = false, stalledAfterMs = 60_000 }: Streamed,
): Promise<FastifyReply> {
  const gone = new AbortController()
  const encoding = isCompressed ? undefined : encodingFor(request.headers['accept-encoding'])
  // Also 'close' after the last byte, when there is nothing to end any more.
  reply.raw.once('close', () => reply.raw.writableFinished || gone.abort())
  try {
    await inSmallHeap(forExports, () =>
      database.snapshot(principalOf(request), gone.signal, async (tx) => {
        const sequence = await eventSequence(tx)
        const statement = await copy(tx)
        const tag = createHash('sha256').update(variant).update(statement).digest('base64url').slice(0, 16)
        const etag = `"${[sequence, tag, encoding].filter(Boolean).join('-')}"`
        reply.headers({ ...headers, etag, ...(isCompressed ? {} : { vary: varying(reply) }) })
        if (noneMatchHits(request.headers['if-none-match'], etag)) return void reply.code(304).send()
        if (encoding) reply.header('content-encoding', encoding)
        if (request.method === 'HEAD') return void reply.send()
        const rows = tx.client.query(copyTo(statement))
        await once(rows, 'readable')
        // A client that reads until the connection closes (HTTP/1.0) must not see an orderly end: hence the reset.
        rows.once('error', () => reply.raw.socket?.resetAndDestroy())
        // Without a row there is nothing that could stall.
        if (rows.readableLength > 0) reply.raw.setTimeout(stalledAfterMs, () => reply.raw.destroy())
        const body = through(rows, [...steps(), ...(encoding ? [compressor(encoding)] : [])])
        reply.send(body)
        await Promise.all([finished(rows), finished(body)])
      }),
    )
  } catch (error) {
    if (!reply.sent) throw error
    request.log.warn({ err: error }, 'an export was cut')
  }
  return reply
}

/** The stream behind these steps; what breaks one breaks all. */
export function through(rows: Readable, steps: readonly Transform[]): Readable {
  if (steps.length === 0) return rows
  return pipeline([rows, ...steps], () => {}) as unknown as Transform
}

const varying = (reply: FastifyReply) => [reply.getHeader('vary'), 'Accept-Encoding'].filter(Boolean).join(', ')

/** The tenant's event sequence in this snapshot: each change of its data moves it. */
export async function eventSequence(tx: ReadTx): Promise<string> {
  const query: pg.QueryConfig = {
    text: 'select event_sequence from tenant_counters where tenant_id = $1',
    values: [tx.tenantId],
  }
  const { rows } = await tx.client.query<{ event_sequence: string }>(query)
  return rows[0]?.event_sequence ?? '0'
}
