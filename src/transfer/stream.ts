import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { noneMatchHits } from '../core/etag.ts'
import type { Database, ReadTx } from '../db/database.ts'
import { principalOf } from '../platform/auth.ts'

export interface Streamed {
  /** A `COPY … TO STDOUT`. */
  copy: string
  /** What tells this representation from others of the same data. */
  tag: string
  headers: Record<string, string>
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
  { copy, tag, headers, stalledAfterMs = 60_000 }: Streamed,
): Promise<FastifyReply> {
  const gone = new AbortController()
  // Also 'close' after the last byte, when there is nothing to end any more.
  reply.raw.once('close', () => reply.raw.writableFinished || gone.abort())
  try {
    await database.snapshot(principalOf(request), gone.signal, async (tx) => {
      const sequence = await eventSequence(tx)
      const etag = `"${sequence}-${tag}"`
      reply.headers({ ...headers, etag })
      if (noneMatchHits(request.headers['if-none-match'], etag)) return void reply.code(304).send()
      if (request.method === 'HEAD') return void reply.send()
      const rows = tx.client.query(copyTo(copy))
      await once(rows, 'readable')
      // A client that reads until the connection closes (HTTP/1.0) must not see an orderly end: hence the reset.
      rows.once('error', () => reply.raw.socket?.resetAndDestroy())
      // Without a row there is nothing that could stall.
      if (rows.readableLength > 0) reply.raw.setTimeout(stalledAfterMs, () => reply.raw.destroy())
      reply.send(rows)
      await finished(rows)
    })
  } catch (error) {
    if (!reply.sent) throw error
    request.log.warn({ err: error }, 'an export was cut')
  }
  return reply
}

/** The tenant's event sequence in this snapshot: each change of its data moves it. */
async function eventSequence(tx: ReadTx): Promise<string> {
  const query: pg.QueryConfig = {
    text: 'select event_sequence from tenant_counters where tenant_id = $1',
    values: [tx.tenantId],
  }
  const { rows } = await tx.client.query<{ event_sequence: string }>(query)
  return rows[0]?.event_sequence ?? '0'
}
