import { pino } from 'pino'
import type { Test } from 'tap'
import { systemClock } from '../../src/core/clock.ts'
import { startJobs } from '../../src/platform/job-runner.ts'
import { runImport } from '../../src/transfer/imports/job.ts'
import type { Answer, CallOptions, Json, Service } from './harness.ts'

/** Works imports through in the background, as a process does, until the test ends or it is stopped. */
export async function startImports(t: Test, { url, database }: Service): Promise<{ stop: () => Promise<void> }> {
  const log = pino({ level: process.env['IMPORT_LOG'] ?? 'silent' })
  const jobs = await startJobs({
    url,
    database,
    clock: systemClock,
    log,
    handlers: [runImport],
    chores: [],
    concurrency: 2,
  })
  let isStopped = false
  const stop = async () => {
    if (!isStopped) await jobs.stop()
    isStopped = true
  }
  t.teardown(stop)
  return { stop }
}

export const ndjson = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

/** Sends a file. */
export const send = (
  service: Service,
  file: string,
  { query = '', type = 'application/x-ndjson', ...options }: CallOptions & { query?: string } = {},
): Promise<Answer> => service.call('POST', `/v1/imports${query}`, file, { ...options, type })

/** Waits until an import is over. @returns it as it is then */
export async function over(service: Pick<Service, 'get'>, id: string): Promise<Json> {
  for (;;) {
    const { body } = await service.get(`/v1/imports/${id}`)
    if (!['queued', 'running', 'cancelling'].includes(body.status)) return body
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Sends a file and waits until it is worked through. */
export async function importFile(
  service: Service,
  rows: string | readonly object[],
  options?: CallOptions & { query?: string },
): Promise<Json> {
  const sent = await send(service, typeof rows === 'string' ? rows : ndjson(rows), options)
  if (sent.status !== 201) throw new Error(`${sent.status} ${sent.text}`)
  return over(service, sent.body.id)
}

/** All rows of an import, in the order of the file. */
export async function rowsOf(service: Pick<Service, 'get'>, { id }: Json, query = ''): Promise<Json[]> {
  const rows: Json[] = []
  let cursor = ''
  do {
    const { body } = await service.get(`/v1/imports/${id}/rows?limit=200${query}${cursor}`)
    rows.push(...body.data)
    cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`
  } while (cursor !== '')
  return rows
}

/** What became of each row, by line. */
export const outcomesOf = async (service: Service, made: Json): Promise<string[]> =>
  (await rowsOf(service, made)).map(({ line, outcome }) => `${line} ${outcome}`)
