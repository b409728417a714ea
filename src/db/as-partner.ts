import { type ReadTx, readTx } from './builder.ts'
import { partnerRole, serviceRole } from './pool.ts'
import type { Tx } from './transaction.ts'

/**
 * Reads within a transaction of the service what a partner sees, under its role. Nothing else may be sent meanwhile. What
 * throws ends the transaction, and the role with it.
 */
export async function readAsPartner<T>(
  { client, tenantId, organisations }: Tx,
  work: (tx: ReadTx) => Promise<T>,
): Promise<T> {
  const set = (role: string, seen: string) =>
    client.query({
      name: 'act_as',
      text: "select set_config('role', $1, true), set_config('beide.organisations', $2, true)",
      values: [role, seen],
    })
  const begun = set(partnerRole, organisations?.join() ?? '')
  // Awaited below, so no fault is lost.
  begun.catch(() => {})
  const result = await work(readTx(client, { tenantId, organisations }))
  await Promise.all([begun, set(serviceRole, '')])
  return result
}
