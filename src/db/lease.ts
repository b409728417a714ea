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

/**
 * Lends a connection. Of several things that work does beside each other one may fail and end it, while the others go on
 * and ask for more: that must not reach whoever has the connection next.
 */
export function lend(client: pg.PoolClient): Lease {
  let isOver = false
  const query = (...given: unknown[]): unknown =>
    isOver
      ? Promise.reject(new Error('The work that had this connection is over'))
      : Reflect.apply(client.query, client, given)
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
