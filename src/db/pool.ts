import type { Duplex } from 'node:stream'
import pg from 'pg'

/**
 * Text in, text out: dates, instants, decimals and 64-bit integers stay the strings that Postgres wrote. A JavaScript
 * Date would shift days and cut microseconds. The parsers belong to these connections, not to the process.
 */
const kept = new Set<number>([
  pg.types.builtins.DATE,
  pg.types.builtins.TIMESTAMP,
  pg.types.builtins.TIMESTAMPTZ,
  pg.types.builtins.NUMERIC,
  pg.types.builtins.INT8,
])
const textTypes = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    kept.has(oid) ? (text: string) => text : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
}

/** The role that owns nothing and bypasses nothing: every connection of the service works under it. */
export const serviceRole = 'beide_service'

/**
 * The role under which partners read: it may select alone, and policies of its own keep from it what its organisations
 * are no party to. A role apart, so that the statements of the tenant's own people carry no condition for it.
 */
export const partnerRole = 'beide_partner'

export interface PoolSettings {
  url: string
  size: number
  statementTimeoutMs: number
  /** How long a request waits for a free connection before it is told to come back later. */
  connectTimeoutMs: number
  /** Pipelining sends a transaction's statements in one round trip; cursors and COPY need it off. */
  pipeline: boolean
  /** `beide_service` where it is not given. */
  role?: string
  onError: (error: Error) => void
}

export function makePool(settings: PoolSettings): pg.Pool {
  const pool = new pg.Pool({
    connectionString: settings.url,
    max: settings.size,
    connectionTimeoutMillis: settings.connectTimeoutMs,
    idleTimeoutMillis: 30_000,
    application_name: 'beide',
    // As start-up options these hold before the first statement, and a role that may not be taken fails the connection.
    options: [
      `-c role=${settings.role ?? serviceRole}`,
      '-c timezone=UTC',
      '-c datestyle=ISO',
      // Short statements of many parts, whose costs are guessed high: compiling them takes longer than running them.
      '-c jit=off',
      `-c statement_timeout=${settings.statementTimeoutMs}`,
      '-c idle_in_transaction_session_timeout=30000',
      '-c client_connection_check_interval=500',
    ].join(' '),
    types: textTypes,
    pipeline: settings.pipeline,
  } as pg.PoolConfig)
  // A connection that dies while idle must not take the process with it: the pool makes another when one is needed.
  pool.on('error', settings.onError)
  // Nor one that dies in use: its statement is told, and without a listener Node would end the process besides.
  pool.on('connect', (client) => client.on('error', () => {}))
  if (settings.pipeline) pool.on('connect', sendTogether)
  return pool
}

/** What a connection has beside its public face. */
interface Wired {
  connection: { stream: Duplex }
}

/** The statements of one tick leave in one write: a system call for each cost more than making them. */
function sendTogether(client: pg.PoolClient): void {
  const { stream } = (client as unknown as Wired).connection
  const query = client.query as (...given: unknown[]) => unknown
  let isCorked = false
  const uncork = () => {
    isCorked = false
    stream.uncork()
  }
  client.query = ((...given: unknown[]) => {
    if (!isCorked) {
      isCorked = true
      stream.cork()
      process.nextTick(uncork)
    }
    return query.apply(client, given)
  }) as pg.PoolClient['query']
}
