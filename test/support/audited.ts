import { type ChainReport, verifyAudit } from '../../src/db/audit-chain.ts'
import { asOwner } from '../../src/db/tenants.ts'
import type { Service } from './harness.ts'

/** The check of the chain of one tenant. */
export async function verified(as: Service): Promise<ChainReport> {
  const name = await asOwner(as.url, async (client) => {
    const { rows } = await client.query<{ name: string }>('select name from tenants where id = $1', [as.tenantId])
    return rows[0]?.name
  })
  const [report] = await asOwner(as.url, (client) => verifyAudit(client, { tenant: name }))
  if (!report) throw new Error('There is no such tenant')
  return report
}
