import pg from 'pg'
import type { Test } from 'tap'
import type { Service } from './harness.ts'

// Two writers who meet: a third holds what both come to, until both wait.

export interface Holder {
  /** Runs a statement in the transaction that holds. */
  hold(text: string, values?: readonly unknown[]): Promise<void>
  /** Comes back when so many sessions of the database wait for a lock. */
  waiters(count: number): Promise<void>
  letGo(): Promise<void>
}

/** A transaction of the tenant beside the service. */
export async function holder(t: Test, { url, tenantId }: Service): Promise<Holder> {
  const client = new pg.Client({ connectionString: url })
  const watcher = new pg.Client({ connectionString: url })
  await Promise.all([client.connect(), watcher.connect()])
  t.teardown(() => Promise.all([client.end(), watcher.end()]))
  await client.query('begin')
  await client.query(`select set_config('beide.tenant_id', $1, true)`, [tenantId])
  const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
  return {
    async hold(text, values = []) {
      await client.query(text, [...values])
    },
    async waiters(count) {
      while (((await watcher.query(waiting)).rowCount ?? 0) < count);
    },
    async letGo() {
      await client.query('commit')
    },
  }
}

/** Whatever writes waits at its very end, with all that it has locked. */
export async function holdEnds(t: Test, service: Service): Promise<Holder> {
  const other = await holder(t, service)
  await other.hold('select from tenant_counters where tenant_id = $1 for update', [service.tenantId])
  return other
}

/** What two calls answer of which the second begins when the first is at its end. */
export async function meet<A, B>(
  t: Test,
  service: Service,
  first: () => Promise<A>,
  second: () => Promise<B>,
): Promise<[A, B]> {
  const ends = await holdEnds(t, service)
  const one = first()
  await ends.waiters(1)
  const two = second()
  await ends.waiters(2)
  await ends.letGo()
  return Promise.all([one, two])
}
