import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { pino } from 'pino'
import type { Test } from 'tap'
import { systemClock } from '../../src/core/clock.ts'
import { wholeTenant } from '../../src/db/database.ts'
import { startJobs } from '../../src/platform/job-runner.ts'
import { runExports } from '../../src/transfer/exports/run.ts'
import type { Client, Json, Service } from './harness.ts'

/** Lets this process make the files of exports. */
export async function makeExports(t: Test, { url, database }: Service): Promise<void> {
  const jobs = await startJobs({
    url,
    database,
    clock: systemClock,
    log: pino({ level: 'silent' }),
    handlers: [runExports(1)],
    chores: [],
    concurrency: 2,
  })
  t.teardown(() => jobs.stop())
}

/** Waits until an export is in one of these states. */
export async function exportIn(client: Client, id: string, ...statuses: string[]): Promise<Json> {
  for (;;) {
    const { body } = await client.get(`/v1/exports/${id}`)
    if (statuses.includes(body.status)) return body
    if (['failed', 'cancelled', 'expired'].includes(body.status)) throw new Error(JSON.stringify(body))
    await pause(20)
  }
}

/** Orders an export and waits for its files. */
export async function exported(client: Client, order: object): Promise<Json> {
  const { id } = await client.make('/v1/exports', order)
  return exportIn(client, id, 'succeeded')
}

/** The bytes of a file, which must be those that the export says. */
export async function fileOf({ app, key }: Service, { id, files }: Json, name: string): Promise<Buffer> {
  const headers = { authorization: `Bearer ${key}` }
  const { rawPayload } = await app.inject({ url: `/v1/exports/${id}/files/${name}`, headers })
  const { bytes, sha256 } = files.find((file: Json) => file.name === name)
  if (rawPayload.length !== bytes) throw new Error(`${name} has ${rawPayload.length} bytes of ${bytes}`)
  const hash = createHash('sha256').update(rawPayload).digest('hex')
  if (hash !== sha256) throw new Error(`${name} is ${hash}, not ${sha256}`)
  return rawPayload
}

/** Makes the files of an export here and now, without the queue. */
export async function makeExport(
  { database, tenantId }: Pick<Service, 'database' | 'tenantId'>,
  id: string,
): Promise<void> {
  const caller = () => ({
    ...wholeTenant(tenantId),
    actor: { type: 'system', id: null } as const,
    scopes: ['admin'],
    requestId: 'tests',
    now: systemClock.now(),
  })
  const log = pino({ level: 'silent' })
  const { signal } = new AbortController()
  const tools = { database, clock: systemClock, log, signal, caller, tenantId, attempt: 1 }
  await runExports(1).run(tools, { export_id: id })
}
