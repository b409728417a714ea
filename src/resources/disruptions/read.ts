import type { Faults } from '../../core/problem.ts'
import type { ReadTx, Tx } from '../../db/database.ts'
import { holding } from '../../platform/holding.ts'
import { resolveNaming } from '../../platform/references.ts'

export interface DisruptionContext {
  id: string
  status: string
  countries: string[]
  sectors: string[]
  started_on: string
  ended_on: string | null
}

const columns = ['id', 'status', 'countries', 'sectors', 'started_on', 'ended_on'] as const

/** What other slices may know of a disruption; undefined where there is none. */
export async function disruptionContext(tx: ReadTx, id: string): Promise<DisruptionContext | undefined> {
  return tx.db
    .selectFrom('disruptions')
    .select(columns)
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
}

const held = holding<DisruptionContext>('disruptions', columns)

/** A disruption, held against every change of it until the transaction ends; undefined where there is none. */
export async function holdDisruption(tx: Tx, id: string): Promise<DisruptionContext | undefined> {
  const [disruption] = await held.run(tx, { ids: [id] })
  return disruption
}

/** The disruption that a write names by `disruption_id` or `disruption_ref`; null where it names none, or a fault. */
export async function disruptionNamed(
  tx: ReadTx,
  write: { disruption_id?: string | null; disruption_ref?: { system: string; id: string } | null },
  faults: Faults,
): Promise<string | null> {
  const naming = { id: write.disruption_id, ref: write.disruption_ref }
  const place = { pointer: '', member: 'disruption', required: false }
  const id = await resolveNaming(tx, 'disruption', naming, place, faults)
  if (id === null) return null
  const disruption = await disruptionContext(tx, id)
  if (!disruption) faults.add('/disruption_id', 'unknown_reference', `There is no disruption ${id}.`)
  return disruption?.id ?? null
}
