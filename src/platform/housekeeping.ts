import type { Database } from '../db/database.ts'
import type { Chore } from './jobs.ts'

const batch = 5000

/** Removes keys of repeated requests that have expired, in batches that each end well before a statement may not. */
export const expireKeys: Chore = {
  name: 'expire_idempotency_keys',
  at: '7 * * * *',
  async run({ database, clock, signal }) {
    const query = { name: 'expire_idempotency_keys', text: 'select expire_idempotency_keys($1, $2) as removed' }
    await inBatches(database, { ...query, values: [clock.now(), batch] }, signal)
  },
}

/** Removes events that are older than this many days. */
export const expireEvents = (keptDays: number): Chore => expireBefore('expire_events', '37 * * * *', keptDays)

/** Removes imports that are over, with their rows. */
export const expireImports: Chore = expireBefore('expire_imports', '57 * * * *', 7, 1)

/** Removes the log of webhooks that were made longer ago. */
export const expireDeliveries = (keptDays: number): Chore => expireBefore('expire_deliveries', '47 * * * *', keptDays)

/** Removes entries of the audit that are older than this many days. */
export const expireAudit = (keptDays: number): Chore => expireBefore('expire_audit', '57 3 * * *', keptDays)

function expireBefore(name: string, at: string, keptDays: number, together = batch): Chore {
  return {
    name,
    at,
    async run({ database, clock, signal }) {
      const before = new Date(clock.millis() - keptDays * 86_400_000).toISOString()
      const query = { name, text: `select ${name}($1, $2) as removed`, values: [before, together] }
      await inBatches(database, query, signal, together)
    },
  }
}

/** Repeats a statement that says how many rows it `removed` until it removes less than a whole batch. */
export async function inBatches(
  database: Database,
  query: { name: string; text: string; values: unknown[] },
  signal: AbortSignal,
  together = batch,
): Promise<void> {
  while (!signal.aborted) {
    const [row] = await database.outside<{ removed: number }>(query)
    if (!row || row.removed < together) return
  }
}

/** Removes the files of exports whose time is over. */
export const expireExports: Chore = {
  name: 'expire_exports',
  at: '27 * * * *',
  async run({ database, clock, signal }) {
    const query = { name: 'expire_exports', text: 'select expire_exports($1, $2) as removed' }
    await inBatches(database, { ...query, values: [clock.now(), batch] }, signal)
  },
}
