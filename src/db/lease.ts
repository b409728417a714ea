import type pg from 'pg'

/** What is sent by. */
export type Connection = Pick<pg.PoolClient, 'query'>

/** A connection in the hands of one piece of work. */
export interface Lease {
  /** What the work sends by, until it is over. */
  readonly client: Connection
  /** The work is over: from now on nothing of it is sent any more. */
  end(): void
  /** Gives the connection back, or closes it where it is broken. */
  release(broken?: Error): void
}

/** What Postgres says of statements in a transaction that a statement before them broke. */
const abortedBefore = '25P02'

/**
 * Lends a connection. Of several things that work does beside each other one may fail and end it, while the others go on
 * and ask for more: that must not reach whoever has the connection next.
 */
export function lend(client: pg.PoolClient): Lease {
  let isOver = false
  let cause: unknown
  // Statements are sent ahead of the answers to those before them. Where one fails, the ones behind it fail as well, for
  // no reason of their own, and any of them may be the first that is heard of.
  const explained = (error: unknown): never => {
    if ((error as { code?: unknown }).code !== abortedBefore) cause = error
    throw cause ?? error
  }
  const query = (...given: unknown[]): unknown => {
    if (isOver) return Promise.reject(new Error('The work that had this connection is over'))
    const sent: unknown = Reflect.apply(client.query, client, given)
    return sent instanceof Promise ? sent.catch(explained) : sent
  }
  const end = () => {
    isOver = true
  }
  return {
    client: { query: query as Connection['query'] },
    end,
    release(broken) {
      end()
      client.release(broken)
    },
  }
}
