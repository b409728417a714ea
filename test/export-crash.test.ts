import { createHash } from 'node:crypto'
import pg from 'pg'
import t from 'tap'
import { seed } from './bench/seed.ts'
import { exportIn, fileOf } from './support/exporting.ts'
import { type Json, startService } from './support/harness.ts'
import { startProcess, until } from './support/process.ts'

t.test('an export whose process is killed is made anew by another, and no part of it is ever offered', async (t) => {
  const service = await startService(t)
  const client = new pg.Client({ connectionString: service.url })
  await client.connect()
  t.teardown(() => client.end())
  await seed(client, service.tenantId, { partnerships: 10, commitmentsPerPartnership: 1, rounds: 2000 })
  const env = { DATABASE_URL: service.url, JOB_CONCURRENCY: '1' }
  const first = await startProcess(t, env)
  const tables = ['organisations', 'evaluation_scores']
  const { id } = await service.make('/v1/exports', { format: 'ndjson', tables })
  const read = async (): Promise<Json> => (await service.get(`/v1/exports/${id}`)).body
  await until(async () => (await read()).progress.rows_done > 10_000)
  await first.end('SIGKILL')

  const halfway = await read()
  t.match(halfway, { status: 'running', files: [], finished_at: null })
  t.ok(halfway.progress.rows_done < halfway.progress.rows_expected)
  const pieces = 'select distinct attempt from export_chunks order by attempt'
  t.strictSame((await client.query(pieces)).rows, [{ attempt: 1 }], 'pieces of it are there')
  for (const name of ['datapackage.json', 'organisations.ndjson', 'evaluation_scores.ndjson']) {
    t.equal((await service.get(`/v1/exports/${id}/files/${name}`)).status, 409, `${name} is not offered`)
  }

  const second = await startProcess(t, env)
  const done = await exportIn(service, id, 'succeeded')
  t.strictSame((await client.query(pieces)).rows, [{ attempt: 2 }], 'what the first one left is removed')
  t.equal(done.progress.rows_done, done.progress.rows_expected)
  for (const table of tables) {
    const streamed = await service.get(`/v1/exports/${table}.ndjson`)
    const hash = createHash('sha256').update(streamed.text).digest('hex')
    t.equal(
      createHash('sha256')
        .update(await fileOf(service, done, `${table}.ndjson`))
        .digest('hex'),
      hash,
      table,
    )
  }
  await second.end()
})
