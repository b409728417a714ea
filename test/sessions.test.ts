import pg from 'pg'
import t, { type Test } from 'tap'
import { Problem } from '../src/core/problem.ts'
import { connectDatabase, type Database, type ReadTx, wholeTenant } from '../src/db/database.ts'
import { type Service, startService } from './support/harness.ts'

/** The service's database with a single connection, which all uses share in turn. */
function onOneConnection(t: Test, { url }: Pick<Service, 'url'>): Database {
  const limits = { statementTimeoutMs: 20_000, connectTimeoutMs: 20_000 }
  const database = connectDatabase({ url, size: 1, ...limits, onError: () => {} })
  t.teardown(() => database.close())
  return database
}

t.test(
  'a connection always stands in the tenant of its use, whoever used it before and however that ended',
  async (t) => {
    const service = await startService(t)
    const { tenantId: other } = await service.otherTenant('other')
    const own = service.tenantId
    const database = onOneConnection(t, service)
    const caller = (tenantId: string) => ({
      ...wholeTenant(tenantId),
      actor: { type: 'system', id: null } as const,
      scopes: [],
      requestId: 'test',
      now: '2026-03-01T00:00:00Z',
    })
    const seen = async (tx: ReadTx) => {
      const { rows } = await tx.client.query<{ tenant: string; pid: number }>(
        'select current_tenant()::text as tenant, pg_backend_pid() as pid',
      )
      return rows[0]
    }
    const first = await database.read(wholeTenant(own), seen)
    t.equal(first?.tenant, own)
    const again = async (tenantId: string) =>
      t.strictSame(await database.read(wholeTenant(tenantId), seen), { ...first, tenant: tenantId })
    await again(other)
    await again(other)
    await again(own)

    t.equal((await database.write(caller(other), seen))?.tenant, other)
    await again(own)
    await t.rejects(
      database.write(caller(other), async (tx) => {
        t.equal((await seen(tx))?.tenant, other)
        throw new Error('rolled back')
      }),
      /rolled back/,
    )
    await again(own)
    await again(other)
    await t.rejects(
      database.write(caller(own), (tx) => tx.client.query('select 1 / 0')),
      /division by zero/,
    )
    await again(other)
    await again(own)

    const owner = new pg.Client({ connectionString: service.url })
    await owner.connect()
    t.teardown(() => owner.end())
    const cut = t.rejects(database.read(wholeTenant(other), (tx) => tx.client.query('select pg_sleep(5)')))
    await owner.query('select pg_terminate_backend($1)', [first?.pid])
    await cut
    const anew = await database.read(wholeTenant(other), seen)
    t.equal(anew?.tenant, other, 'and a new connection begins anew')
    t.not(anew?.pid, first?.pid)
  },
)

t.test('reads of one moment see what the first of them saw, and leave the connection as it was', async (t) => {
  const service = await startService(t)
  const database = onOneConnection(t, service)
  const reader = wholeTenant(service.tenantId)
  const count = async (tx: ReadTx) => {
    const { rows } = await tx.client.query<{ count: number }>('select count(*)::integer as count from organisations')
    return rows[0]?.count
  }
  const make = () => service.make('/v1/organisations', { name: 'Doel', sector: 'non_profit' })
  const both = async (tx: ReadTx) => {
    const before = await count(tx)
    await make()
    return [before, await count(tx)]
  }
  t.strictSame(await database.moment(reader, both), [0, 0])
  t.strictSame(await database.read(reader, both), [1, 2], 'others see each the moment of their own')
  await t.rejects(
    database.moment(reader, async (tx) => {
      await count(tx)
      throw new Problem('not_found', 'There is none')
    }),
    /There is none/,
  )
  t.strictSame(await database.moment(reader, both), [2, 2], 'a new moment after a refusal')
  await t.rejects(
    database.moment(reader, (tx) => tx.client.query('delete from organisations')),
    /read-only transaction/,
  )
  t.equal(await database.read(reader, count), 3)
})
