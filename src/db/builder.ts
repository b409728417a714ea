import { Kysely, PostgresDialect } from 'kysely'
import type pg from 'pg'
import type { Kept } from './kept.ts'
import type { Connection } from './lease.ts'
import type { DB } from './rows.ts'
import type { Reader } from './sessions.ts'

/** Reads of one tenant on one connection. What reads the database takes it first. */
export interface ReadTx extends Reader {
  readonly client: Connection
  /** The query builder, bound to this connection. */
  readonly db: Kysely<DB>
  /** Whole representations that were read lately: for who sees all of the tenant, and writes nothing. */
  readonly kept: Kept | undefined
}

/** Names of the statements that the query builder made, by their text: the first so many that occur. */
const names = new Map<string, string>()
// Each connection keeps what it has parsed: some 20 kB a statement in Postgres.
const namesMax = 300

/** A statement under a name, so that each connection parses and plans it once; without one where there are too many. */
function named(text: string, values: unknown[]): pg.QueryConfig {
  let name = names.get(text)
  if (name === undefined && names.size < namesMax) {
    name = `k_${names.size}`
    names.set(text, name)
  }
  return name === undefined ? { text, values } : { name, text, values }
}

/** A query builder on one connection: Kysely's own dialect over a pool that always hands out this one. */
function kyselyOn(client: Connection): Kysely<DB> {
  const query = (text: string, values: unknown[]) => client.query(named(text, values))
  const handle = { query, release: () => {} }
  const pool = { connect: async () => handle, end: async () => {} }
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool: pool as never }) })
}

export function readTx(client: Connection, { tenantId, organisations }: Reader, kept?: Kept): ReadTx {
  let db: Kysely<DB> | undefined
  return {
    tenantId,
    organisations,
    client,
    kept,
    // Made when first asked for: hot reads run prepared statements and never need it.
    get db() {
      db ??= kyselyOn(client)
      return db
    },
  }
}
