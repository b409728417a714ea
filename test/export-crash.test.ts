import { createHash } from 'node:crypto'
import pg from 'pg'
import t from 'tap'
import { formats } from '../src/transfer/forms.ts'
import { seed } from './bench/seed.ts'
import { exportIn, fileOf } from './support/exporting.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import { startProcess, until } from './support/process.ts'

const tables = ['organisations', 'evaluation_scores']
/** Whoever waits for this lock stands still in the middle of an export. */
const gate = 20_260_301

// The second piece of the second table has to wait; the first one of Parquet, which needs no other.
const standStill = `
  create function stand_still() returns trigger language plpgsql as $$ begin
    if new.name like 'evaluation_scores.%' and (new.seq = 1 or new.name like '%.parquet') then
      perform pg_advisory_xact_lock_shared(${gate});
    end if;
    return new;
  end $$;
  create trigger stand_still before insert on export_chunks for each row execute function stand_still()`

const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

async function streamed({ app, key }: Service, file: string): Promise<Buffer> {
  const headers = { authorization: `Bearer ${key}` }
  return (await app.inject({ url: `/v1/exports/${file}`, headers })).rawPayload
}

t.test('an export whose process is killed is made anew by another, and no part of it is ever offered', async (t) => {
  const service = await startService(t)
  const client = new pg.Client({ connectionString: service.url })
  await client.connect()
  t.teardown(() => client.end())
  await seed(client, service.tenantId, { partnerships: 10, commitmentsPerPartnership: 1, rounds: 400 })
  await client.query(standStill)
  await client.query(`select pg_advisory_lock(${gate})`)
  const env = { DATABASE_URL: service.url, JOB_CONCURRENCY: String(formats.length) }
  const orders: { format: string; id: string }[] = []
  for (const format of formats) orders.push({ format, id: (await service.make('/v1/exports', { format, tables })).id })
  // Those of one tenant would go one after another: here one process dies of all at once.
  await client.query('update graphile_worker._private_jobs set job_queue_id = null')
  const first = await startProcess(t, env)
  const read = async (id: string): Promise<Json> => (await service.get(`/v1/exports/${id}`)).body
  const waiting = `select count(*)::integer as count from pg_locks where locktype = 'advisory' and objid = ${gate} and not granted`
  await until(async () => (await client.query(waiting)).rows[0].count === formats.length)
  await first.end('SIGKILL')

  const ofFirst = (await client.query('select count(*)::integer as count from organisations')).rows[0].count
  const attempts = async (id: string) =>
    (await client.query('select distinct attempt from export_chunks where export_id = $1', [id])).rows
  for (const { format, id } of orders) {
    const halfway = await read(id)
    t.match(halfway, { status: 'running', files: [], finished_at: null }, format)
    const { rows_done, rows_expected } = halfway.progress
    t.ok(
      rows_done > ofFirst && rows_done < rows_expected,
      `${rows_done} of ${rows_expected} rows: it moves within a table`,
    )
    t.strictSame(await attempts(id), [{ attempt: 1 }], 'pieces of it are there')
    for (const name of ['datapackage.json', ...tables.map((table) => `${table}.${format}`)]) {
      t.equal((await service.get(`/v1/exports/${id}/files/${name}`)).status, 409, `${name} is not offered`)
    }
  }

  await client.query(`select pg_advisory_unlock(${gate})`)
  const second = await startProcess(t, env)
  for (const { format, id } of orders) {
    const done = await exportIn(service, id, 'succeeded')
    t.strictSame(await attempts(id), [{ attempt: 2 }], `${format}: what the first one left is removed`)
    t.equal(done.progress.rows_done, done.progress.rows_expected)
    for (const table of tables) {
      const file = `${table}.${format}`
      t.equal(hashOf(await fileOf(service, done, file)), hashOf(await streamed(service, file)), file)
    }
  }
  await second.end()
})
