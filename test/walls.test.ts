import pg from 'pg'
import t from 'tap'
import { newId } from '../src/core/ids.ts'
import { connectDatabase, wholeTenant } from '../src/db/database.ts'
import { serviceRole } from '../src/db/pool.ts'
import { cloneDatabase } from './support/database.ts'
import { startService } from './support/harness.ts'
import { idsOf, oneOfEach, startForAll } from './support/one-of-each.ts'

// The second wall between tenants: what the database itself refuses, whatever a query of the service says.

const service = await startForAll(t)
const stranger = await service.afresh()
await oneOfEach(service)

/** A connection as the service has it: under its role, and for a tenant or none. */
async function asService<T>(tenantId: string | null, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: service.url, options: `-c role=${serviceRole}` })
  await client.connect()
  try {
    if (tenantId !== null) await client.query(`select set_config('beide.tenant_id', $1, false)`, [tenantId])
    return await work(client)
  } finally {
    await client.end()
  }
}

async function asOwner<R extends pg.QueryResultRow>(query: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: service.url })
  await client.connect()
  try {
    return (await client.query<R>(query)).rows
  } finally {
    await client.end()
  }
}

const tables = await asOwner<{
  name: string
  is_walled: boolean
  is_forced: boolean
  owner: string
  has_tenant: boolean
  is_readable: boolean
  policies: string[]
}>(`
  select c.relname as name, c.relrowsecurity as is_walled, c.relforcerowsecurity as is_forced,
    pg_get_userbyid(c.relowner) as owner, has_table_privilege('${serviceRole}', c.oid, 'select') as is_readable,
    exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id') as has_tenant,
    array(select pg_get_expr(polqual, polrelid) from pg_policy p where p.polrelid = c.oid
      and ('0'::oid = any (p.polroles) or '${serviceRole}'::regrole::oid = any (p.polroles))) as policies
  from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace order by 1`)
const walled = tables.filter(({ has_tenant }) => has_tenant)

t.test('the role of the service owns nothing and goes around nothing', async (t) => {
  const [role] = await asOwner(`select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication
    from pg_roles where rolname = '${serviceRole}'`)
  t.same(Object.values(role ?? {}), [false, false, false, false, false, false])
  const memberships = await asOwner(`select 1 from pg_auth_members where member = '${serviceRole}'::regrole`)
  t.equal(memberships.length, 0, 'nor is it a member of a role that might')
  const owned = await asOwner(
    `select 1 from pg_shdepend where refobjid = '${serviceRole}'::regrole and refclassid = 'pg_authid'::regclass and deptype = 'o'`,
  )
  t.equal(owned.length, 0)
  t.equal(
    await asService(null, async (client) => (await client.query('select current_user')).rows[0].current_user),
    serviceRole,
  )
})

t.test('every table of tenants’ rows stands behind the wall', async (t) => {
  t.ok(walled.length > 20)
  for (const { name, is_walled, is_forced, owner, policies } of walled) {
    t.ok(is_walled, `${name} has row security`)
    t.ok(is_forced, `${name} forces it on its owner`)
    t.not(owner, serviceRole)
    t.same(policies, ['(tenant_id = ( SELECT current_tenant() AS current_tenant))'], `${name} has the one policy`)
  }
  const open = tables.filter(({ has_tenant, is_readable }) => !has_tenant && is_readable)
  t.same(
    open.map(({ name }) => name),
    ['tenants'],
    'without tenant_id the service reads its own tenant alone',
  )
})

t.test('without a tenant there is no row', async (t) => {
  for (const tenantId of [null, '', newId()]) {
    await asService(tenantId, async (client) => {
      for (const { name } of [...walled.filter(({ is_readable }) => is_readable), { name: 'tenants' }]) {
        const { rows } = await client.query(`select count(*)::integer as n from ${name}`)
        t.equal(rows[0].n, 0, `${name} for ${tenantId}`)
      }
    })
  }
})

t.test('another tenant reaches nothing, with the right ids and with forged ones', async (t) => {
  const ids = [...(await idsOf(service))]
  await asService(stranger.tenantId, async (client) => {
    for (const { name } of walled.filter(({ is_readable }) => is_readable)) {
      const seen = await client.query(`select 1 from ${name} where tenant_id <> $1`, [stranger.tenantId])
      t.equal(seen.rowCount, 0, `${name} shows no row of another`)
      const asked = await client.query(`select 1 from ${name} where tenant_id = $1`, [service.tenantId])
      t.equal(asked.rowCount, 0, `${name} shows none when asked for it`)
    }
    const found = await client.query('select 1 from organisations where id = any ($1::uuid[])', [ids])
    t.equal(found.rowCount, 0)
    const changed = await client.query(`update organisations set name = 'Taken' where id = any ($1::uuid[])`, [ids])
    t.equal(changed.rowCount, 0)
    const removed = await client.query('delete from external_refs where resource_id = any ($1::uuid[])', [ids])
    t.equal(removed.rowCount, 0)
  })
})

t.test('a row cannot be written into another tenant, nor point into one', async (t) => {
  const ours = [...(await idsOf(service))]
  await asService(stranger.tenantId, async (client) => {
    const insert = (tenantId: string, parentId: string | null) =>
      client.query(
        `insert into organisations (tenant_id, id, created_at, updated_at, name, sector, status, sort_name, search_text, parent_id)
         values ($1, $2, now(), now(), 'Forged', 'company', 'active', 'forged', 'forged', $3)`,
        [tenantId, newId(), parentId],
      )
    await t.rejects(insert(service.tenantId, null), { code: '42501' }, 'row security refuses')
    await insert(stranger.tenantId, null)
    const [{ id } = { id: '' }] = await asOwner<{ id: string }>(
      `select id from organisations where tenant_id = '${service.tenantId}' limit 1`,
    )
    t.ok(ours.includes(id))
    await t.rejects(insert(stranger.tenantId, id), { code: '23503' }, 'composite keys refuse')
    await t.rejects(
      client.query('update organisations set tenant_id = $1 where tenant_id = $2', [
        service.tenantId,
        stranger.tenantId,
      ]),
      { code: '42501' },
      'nor can a row be moved',
    )
  })
})

t.test('what the service may not do to a table, it cannot', async (t) => {
  await asService(service.tenantId, async (client) => {
    const refused = [
      `update events set type = 'x'`,
      'delete from events',
      `update status_changes set to_status = 'x'`,
      'delete from api_keys',
      'delete from fulfilments',
      `update evaluation_responses set answers = '[]'`,
      'delete from evaluation_scores',
      `insert into tenants (id, name, created_at) values (gen_random_uuid(), 'x', now())`,
      `update tenants set name = 'x'`,
      'alter table organisations disable row level security',
      'drop policy of_tenant on organisations',
      'create table mine (id integer)',
      'truncate organisations',
    ]
    for (const statement of refused) await t.rejects(client.query(statement), { code: '42501' }, statement)
  })
})

t.test('a connection goes from one tenant to the next without keeping what it saw', async (t) => {
  const seen = async (tenantId: string): Promise<number> =>
    service.database.read(
      wholeTenant(tenantId),
      async (tx) => (await tx.client.query('select 1 from organisations')).rowCount ?? 0,
    )
  const own = await seen(service.tenantId)
  t.ok(own > 0)
  const counts = await Promise.all(
    Array.from({ length: 100 }, (_, at) => seen(at % 2 === 0 ? service.tenantId : newId())),
  )
  t.ok(counts.every((count, at) => count === (at % 2 === 0 ? own : 0)))
})

t.test('a login that owns nothing is enough for the service, and has nothing of its own', async (t) => {
  const name = `web_${newId().replaceAll('-', '')}`
  await asOwner(`create role ${name} login noinherit password 'of this test'`)
  await asOwner(`grant ${serviceRole}, beide_partner to ${name}`)
  const own = await cloneDatabase(t)
  const url = new URL(own)
  Object.assign(url, { username: name, password: 'of this test' })
  const database = connectDatabase({
    url: url.href,
    size: 4,
    statementTimeoutMs: 20_000,
    connectTimeoutMs: 20_000,
    onError: () => {},
  })
  const plain = await startService(t, { url: own, database })
  t.teardown(() => asOwner(`drop role ${name}`))
  const { id } = await plain.make('/v1/organisations', { name: 'Onder een ander', sector: 'company' })
  const { key } = await plain.make('/v1/api-keys', {
    name: 'Portal',
    scopes: ['organisations:read'],
    organisation_ids: [id],
  })
  t.equal((await plain.get('/v1/organisations', { key })).body.data.length, 1, 'partners read, too')
  t.equal((await plain.get('/v1/exports/organisations.csv')).status, 200)
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  t.teardown(() => client.end())
  for (const statement of ['select from organisations', 'select from tenants', 'create table mine (id integer)'])
    await t.rejects(client.query(statement), { code: '42501' }, statement)
  await t.rejects(client.query('set role postgres'))
})
