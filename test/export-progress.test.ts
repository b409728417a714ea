import pg from 'pg'
import t from 'tap'
import { formats } from '../src/transfer/forms.ts'
import { makeExport } from './support/exporting.ts'
import { startService } from './support/harness.ts'

// Each state that the row of an export was in is kept, so that none is missed and nothing waits.
const keepStates = `
  create table states (seq serial, export_id uuid, rows_done integer, rows_expected integer);
  create function keep_state() returns trigger language plpgsql security definer set search_path = public as $$ begin
    insert into states (export_id, rows_done, rows_expected) values (new.id, new.rows_done, new.rows_expected);
    return null;
  end $$;
  create trigger keep_state after update on exports for each row execute function keep_state()`

const count = 12

t.test('the progress of an export moves while a single file of it is written, in every format', async (t) => {
  const service = await startService(t)
  for (let n = 0; n < count; n += 1) {
    await service.make('/v1/disruptions', { title: `D${n}`, type: 'other', started_on: '2026-01-01' })
  }
  const client = new pg.Client({ connectionString: service.url })
  await client.connect()
  t.teardown(() => client.end())
  await client.query("select set_config('beide.tenant_id', $1, false)", [service.tenantId])
  await client.query(keepStates)
  // A mebibyte each, of digits at random: packed it is half as much, and some rows make a group of Parquet, and a piece.
  await client.query(`update disruptions d set description =
    (select string_agg(md5(d.id::text || n), '') from generate_series(1, 32768) n)`)

  for (const format of formats) {
    const { id } = await service.make('/v1/exports', { format, tables: ['disruptions'] })
    await makeExport(service, id)
    const { body } = await service.get(`/v1/exports/${id}`)
    t.match(body, { status: 'succeeded', progress: { rows_done: count, rows_expected: count } }, format)
    const { rows } = await client.query('select * from states where export_id = $1 order by seq', [id])
    const done: number[] = rows.map(({ rows_done }) => rows_done)
    t.strictSame(
      done,
      done.toSorted((a, b) => a - b),
      `${format}: it never goes back`,
    )
    const between = new Set(done.filter((each) => each > 0 && each < count))
    t.ok(between.size > 1, `${format}: it is seen in between`, { done })
    t.ok(
      rows.every(({ rows_done, rows_expected }) => rows_done === 0 || rows_expected === count),
      `${format}: of how many is known before`,
    )
  }
})
