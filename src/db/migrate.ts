import { readdir, readFile } from 'node:fs/promises'
import { Logger, runMigrations } from 'graphile-worker'
import { Kysely, type Migration, type MigrationProvider, Migrator, PostgresDialect, sql } from 'kysely'
import pg from 'pg'

const folder = new URL('../../migrations/', import.meta.url)

/** Plain SQL files, numbered, up only: the truth of the rows. */
const provider: MigrationProvider = {
  async getMigrations() {
    const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort()
    const entries = files.map(async (file): Promise<[string, Migration]> => {
      const text = await readFile(new URL(file, folder), 'utf8')
      return [file.replace(/\.sql$/, ''), { up: async (db) => void (await sql.raw(text).execute(db)) }]
    })
    return Object.fromEntries(await Promise.all(entries))
  },
}

/**
 * Brings a database up to this program's migrations, all in one transaction and under a lock, so that several
 * processes may start at once. A database that is newer than the program is refused.
 * @returns the names of the migrations that were applied now
 */
export async function migrate(url: string): Promise<string[]> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 2,
    connectionTimeoutMillis: 10_000,
    application_name: 'beide migrate',
  })
  // A connection that is lost fails the statement in hand, which says so.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  try {
    const { server_version_num: version } = (await pool.query('show server_version_num')).rows[0]
    if (Number(version) < 160_000) throw new Error(`Postgres 16 or later is needed; this server is ${version}.`)
    const { error, results } = await new Migrator({ db, provider }).migrateToLatest()
    if (error) throw await explained(db, error)
    // The queue of jobs keeps a schema of its own, and migrates it by itself, safe against others at the same time.
    await runMigrations({ pgPool: pool, schema: 'graphile_worker', logger: silent, noHandleSignals: true })
    return (results ?? []).filter((result) => result.status === 'Success').map((result) => result.migrationName)
  } finally {
    await db.destroy()
  }
}

const silent = new Logger(() => () => {})

/** Tells a database that is newer than the program apart from a migration that failed. */
async function explained(db: Kysely<unknown>, error: unknown): Promise<unknown> {
  const known = new Set(Object.keys(await provider.getMigrations()))
  const applied = await sql<{ name: string }>`select name from kysely_migration`.execute(db).catch(() => ({ rows: [] }))
  const unknown = applied.rows.map((row) => row.name).filter((name) => !known.has(name))
  if (unknown.length === 0) return error
  return new Error(`The database is newer than this program: it knows ${unknown.join(', ')}. Start a newer program.`)
}
