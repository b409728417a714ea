import type { Faults } from '../../core/problem.ts'
import type { ReadTx } from '../../db/database.ts'
import { resolveNaming } from '../../platform/references.ts'

export { organisationTimeZone } from './subject.ts'

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

/** True where an evaluation is one of this partnership. */
export async function evaluationIsOf(tx: ReadTx, partnershipId: string, evaluationId: string): Promise<boolean> {
  const row = await tx.db
    .selectFrom('evaluations')
    .select('id')
    .where('tenant_id', '=', tx.tenantId)
    .where('partnership_id', '=', partnershipId)
    .where('id', '=', evaluationId)
    .executeTakeFirst()
  return row !== undefined
}

/** The evaluation of a partnership that a write names by id or by ref; null where it names none, or a fault. */
export async function evaluationNamed(
  tx: ReadTx,
  partnershipId: string,
  write: { evaluation_id?: string | null; evaluation_ref?: { system: string; id: string } | null },
  faults: Faults,
): Promise<string | null> {
  const naming = { id: write.evaluation_id, ref: write.evaluation_ref }
  const place = { pointer: '', member: 'evaluation', required: false }
  const id = await resolveNaming(tx, 'evaluation', naming, place, faults)
  if (id === null) return null
  if (await evaluationIsOf(tx, partnershipId, id)) return id
  faults.add('/evaluation_id', 'unknown_reference', `The partnership has no evaluation ${id}.`)
  return null
}
