import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import t from 'tap'
import { systemClock } from '../src/core/clock.ts'
import { asOwner, createTenant } from '../src/db/tenants.ts'
import { cloneDatabase } from './support/database.ts'
import type { Json } from './support/harness.ts'
import { rowsOf } from './support/imports.ts'
import { clientOfProcess, type ServiceProcess, startProcess, until } from './support/process.ts'

// A public file of grants: imported in one call, twice, and once with the process killed in the middle, it becomes what it
// becomes when each record is written by a request of its own.

const standard = new URL('../../shared/data/360giving-lloyds-bank-foundation.json', import.meta.url)
const standardFile = process.env['BEIDE_360GIVING_FILE'] || fileURLToPath(standard)
const isThere = await access(standardFile).then(
  () => true,
  () => false,
)
const program = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
/** How many of its grants: all 4,116 take minutes, row by row. */
const count = Number(process.env['BEIDE_360GIVING_GRANTS'] ?? 60)

t.setTimeout(1_800_000)

/** Runs a command of the programs beside the service, without npm. */
async function run(url: string, key: string, ...args: string[]) {
  const env = { PATH: process.env['PATH'], BEIDE_URL: url, BEIDE_API_KEY: key }
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let told = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (told += chunk))
  const [code] = await once(child, 'close')
  return { code, told }
}

/** What a tenant has, without what differs from tenant to tenant: ids go by their references. */
async function portfolio(client: pg.Client, tenantId: string): Promise<string[]> {
  await client.query(`select set_config('beide.tenant_id', $1, false)`, [tenantId])
  // Each by itself, by its index: of thousands a join of everything with everything would take minutes.
  await client.query(`
    create or replace function pg_temp.named(type text, id text) returns text stable language plpgsql as $$ begin return (
      select ref_id from external_refs x
      where x.tenant_id = current_tenant() and x.resource_type = type and x.resource_id = id::uuid); end $$;
    create or replace function pg_temp.seated(party text) returns text stable language plpgsql as $$ begin return (
      select pg_temp.named('organisation', p.organisation_id::text) from partnership_parties p
      where p.tenant_id = current_tenant() and p.id = party::uuid); end $$`)
  const { rows } = await client.query<{ line: string }>(`
    with stripped as (
      select e.resource_type, e.version, n.ref_id, e.representation::jsonb - '{id,created_at,updated_at}'::text[] as it
      from events e
      join external_refs n on n.tenant_id = e.tenant_id and n.resource_type = e.resource_type and n.resource_id = e.resource_id
      where e.tenant_id = current_tenant()
    )
    select concat_ws(' ', s.resource_type, s.version, s.ref_id, case s.resource_type
      when 'partnership' then (s.it - 'parties' || jsonb_build_object('parties', (
        select jsonb_agg(p - '{id,organisation_id}'::text[]
          || jsonb_build_object('of', pg_temp.named('organisation', p->>'organisation_id'))
          order by pg_temp.named('organisation', p->>'organisation_id'))
        from jsonb_array_elements(s.it->'parties') p)))
      when 'commitment' then s.it - '{partnership_id,from_party_id,to_party_id}'::text[] || jsonb_build_object(
        'of', pg_temp.named('partnership', s.it->>'partnership_id'),
        'from', pg_temp.seated(s.it->>'from_party_id'), 'to', pg_temp.seated(s.it->>'to_party_id'))
      else s.it end) as line
    from stripped s order by 1`)
  return rows.map(({ line }) => line)
}

t.test(
  'a public file of 4,116 grants becomes the same in one call as row by row, though the process is killed',
  isThere ? {} : { skip: `${standardFile} is not here` },
  async (t) => {
    const whole360 = JSON.parse(await readFile(standardFile, 'utf8'))
    const grants: Json[] = whole360.grants.slice(0, count)
    const recipients = new Set(grants.map((grant) => grant.recipientOrganization[0].id.trim())).size
    const all = 1 + 2 * recipients + grants.length
    const directory = await mkdtemp(join(tmpdir(), 'beide-import-'))
    t.teardown(() => rm(directory, { recursive: true, force: true }))
    const file = join(directory, 'grants.json')
    await writeFile(file, JSON.stringify({ grants }, null, 1))

    const url = await cloneDatabase(t)
    const env = { DATABASE_URL: url, REQUESTS_PER_MINUTE: '1000000' }
    let service: ServiceProcess = await startProcess(t, env)
    const tenant = (name: string) =>
      asOwner(url, (owner) => createTenant(owner, systemClock, { name, keyName: 'tests', scopes: ['admin'] }))
    const [single, whole, torn] = [await tenant('single'), await tenant('whole'), await tenant('torn')]

    const [rowByRow, first] = await Promise.all([
      run(service.url, single.key, 'load:360giving', file),
      run(service.url, whole.key, 'import', file),
    ])
    t.match(rowByRow, { code: 0, told: `${all} created` })
    t.match(first, { code: 0, told: `finished: ${all} created, 0 updated, 0 unchanged, 0 ambiguous, 0 invalid.` })
    t.match(first.told, /\[#+-*\] \d+ % [\d,]+ of [\d,]+ rows done/, 'progress is shown')
    const second = await run(service.url, whole.key, 'import', file)
    t.match(second, { code: 0, told: `finished: 0 created, 0 updated, ${all} unchanged, 0 ambiguous, 0 invalid.` })

    const client = await clientOfProcess({ ...service, key: torn.key })
    const sent = await client.make('/v1/imports', await readFile(file, 'utf8'))
    const path = `/v1/imports/${sent.id}`
    await until(async () => (await client.get(path)).body.rows_done > 0)
    await service.end('SIGKILL')
    service = await startProcess(t, env)
    const again = await clientOfProcess({ ...service, key: torn.key })
    const broken = (await again.get(path)).body
    t.equal(broken.status, 'running')
    t.ok(broken.rows_done < all, `killed after ${broken.rows_done} rows`)
    let resumed: Json = broken
    await until(async () => {
      resumed = (await again.get(path)).body
      return resumed.status !== 'running'
    })
    t.match(resumed, { status: 'finished', rows_done: all, created: all, unchanged: 0, invalid: 0 })
    const rows = await rowsOf(again, sent, '&type=organisation')
    t.equal(rows.length, 1 + recipients)
    t.ok(
      rows.some(({ remarks }) => remarks.length > 0),
      'what could not be taken over is told',
    )

    const owner = new pg.Client({ connectionString: url })
    await owner.connect()
    t.teardown(() => owner.end())
    const expected = await portfolio(owner, single.tenantId)
    t.equal(expected.length, all)
    for (const { tenantId } of [whole, torn]) {
      const found = await portfolio(owner, tenantId)
      t.equal(found.length, all, 'each record was made once')
      t.equal(
        found.findIndex((line, at) => line !== expected[at]),
        -1,
      )
    }
    await service.end()
  },
)
