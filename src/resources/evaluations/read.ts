import type { ReadTx } from '../../db/database.ts'

/** True where an exit evaluation of the partnership was concluded. */
export async function exitEvaluationConcluded(tx: ReadTx, partnershipId: string): Promise<boolean> {
  const row = await tx.db
    .selectFrom('evaluations')
    .select('id')
    .where('tenant_id', '=', tx.tenantId)
    .where('partnership_id', '=', partnershipId)
    .where('kind', '=', 'exit')
    .where('status', '=', 'concluded')
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
