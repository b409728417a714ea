import { buildApp } from './app.ts'
import { systemClock } from './core/clock.ts'
import type { Database } from './db/database.ts'
import type { EventSignals } from './platform/signals.ts'

const unused = (): never => {
  throw new Error('The contract is made without a database')
}
const noDatabase: Database = {
  write: unused,
  writeBeside: unused,
  read: unused,
  moment: unused,
  snapshot: unused,
  outside: unused,
  close: async () => {},
}
const noSignals: EventSignals = { mark: unused, next: unused, close: async () => {} }

/** The contract, an OpenAPI 3.1 document. It comes from the code alone: it is made without a database. */
export async function contract(): Promise<object> {
  const app = await buildApp({
    database: noDatabase,
    signals: noSignals,
    webhooks: { outbound: { fault: unused, post: unused, get: unused }, box: { seal: unused, open: unused } },
    clock: systemClock,
    logger: undefined,
    publicUrl: 'http://127.0.0.1:3000',
    bodyLimitBytes: 1_048_576,
    requestsPerMinute: 6000,
    corsOrigins: true,
    trustProxy: false,
  })
  await app.ready()
  const document = app.swagger()
  await app.close()
  return document
}
