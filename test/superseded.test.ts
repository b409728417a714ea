import { pino } from 'pino'
import t from 'tap'
import { systemClock } from '../src/core/clock.ts'
import { type Database, wholeTenant } from '../src/db/database.ts'
import { runImport } from '../src/transfer/imports/job.ts'
import { makeExport } from './support/exporting.ts'
import { startService } from './support/harness.ts'
import { ndjson, outcomesOf, send } from './support/imports.ts'
import { holder } from './support/meeting.ts'

// A process that cannot show any more that it lives has its jobs taken up by another, and may yet be at work.

const shared = await startService(t)

for (const query of ['?dry_run=true', '?all_or_nothing=true']) {
  t.test(`an import (${query}) that another process has taken up tells what that one found`, async (t) => {
    const service = await shared.afresh()
    const { database, tenantId, url } = service
    const row = (id: string) => ({
      type: 'organisation',
      external_refs: [{ system: 'crm', id }],
      name: `Organisation ${id}`,
      sector: 'company',
    })
    const { id } = (await send(service, ndjson([row('1'), row('2')]), { query })).body
    const read = async () => (await service.get(`/v1/imports/${id}`)).body
    const run = (by: Database, attempt: number) => {
      const actor = { type: 'system', id: null } as const
      const now = () => ({ requestId: 'tests', now: systemClock.now() })
      const caller = () => ({ ...wholeTenant(tenantId), actor, scopes: ['admin'], ...now() })
      const { signal } = new AbortController()
      const log = pino({ level: 'silent' })
      return runImport.run(
        { database: by, clock: systemClock, log, signal, tenantId, caller, attempt },
        { import_id: id },
      )
    }
    const [paused, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const slow: Database = {
      ...database,
      async write(caller, work) {
        if ((await read()).rows_done > 0) {
          paused.resolve()
          await goOn.promise
        }
        return database.write(caller, work)
      },
    }
    // Its last try: what it meets now is no fault of the import.
    const first = run(slow, 10)
    first.catch(() => {})
    await paused.promise
    const second = run(database, 1)
    // It writes the same rows, and waits for the first to end.
    await (await holder(t, { ...service, url })).waiters(1)
    goOn.resolve()
    await second
    await t.rejects(first, { message: /taken up/ }, 'so that the queue leaves the job to the other')
    const told = await read()
    t.match(told, { status: 'finished', rows_done: 2, created: 2, updated: 0, unchanged: 0, invalid: 0 })
    t.same(await outcomesOf(service, told), ['1 created', '2 created'])
    const made = (await service.get('/v1/organisations')).body.data.length
    t.equal(made, query.startsWith('?dry') ? 0 : 2)
  })
}

t.test('an export that another process has taken up is left to that one', async (t) => {
  const service = await shared.afresh()
  const { database, tenantId } = service
  await service.make('/v1/organisations', { name: 'Een', sector: 'company' })
  const { id } = await service.make('/v1/exports', { format: 'csv', tables: ['organisations'] })
  /** A process that stops where it has the snapshot, and goes on when it is told to. */
  const process = () => {
    const [paused, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const slow: Database = {
      ...database,
      snapshot: (reader, signal, work) =>
        database.snapshot(reader, signal, async (tx) => {
          paused.resolve()
          await goOn.promise
          return work(tx)
        }),
    }
    const done = makeExport({ database: slow, tenantId }, id)
    done.catch(() => {})
    return { done, paused: paused.promise, goOn: goOn.resolve }
  }
  const first = process()
  await first.paused
  const second = process()
  await second.paused
  first.goOn()
  await t.rejects(first.done, { message: /taken up/ }, 'so that the queue leaves the job to the other')
  t.match((await service.get(`/v1/exports/${id}`)).body, { status: 'running' })
  second.goOn()
  await second.done
  t.match((await service.get(`/v1/exports/${id}`)).body, { status: 'succeeded', files: [{}, { rows: 1 }] })

  const third = process()
  await third.done
  t.match((await service.get(`/v1/exports/${id}`)).body, { status: 'succeeded' }, 'what is done is left as it is')
})
