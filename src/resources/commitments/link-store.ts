import { sql } from 'kysely'
import type { Tx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import { together } from '../../db/together.ts'
import type { CommitmentTerms } from './schemas.ts'

// What hangs on a commitment: what it is worth, and what it is given in return for.

const insertValuations = prepare(sql`
  insert into commitment_valuations (tenant_id, commitment_id, position, amount, currency, basis, declared_by, valued_on)
  select ${tenantParam}, ${param('id')}::uuid, v.position, v.amount, v.currency, v.basis, v.declared_by, v.valued_on
  from json_to_recordset(${param('valuations')}::json) as v (
    position integer, amount numeric, currency text, basis text, declared_by text, valued_on date)`)

export async function commitmentValuationsInsert(tx: Tx, id: string, terms: CommitmentTerms): Promise<void> {
  if (terms.valuations.length === 0) return
  const rows = terms.valuations.map(({ money, ...rest }, position) => ({ position, ...money, ...rest }))
  await valuationsInsert(tx, { id, valuations: JSON.stringify(rows) })
}

// Not awaited before what they belong to: in a batch they go the same way.
const valuationsInsert = together((tx: Tx, values: Record<string, unknown>) => insertValuations.run(tx, values))

export async function commitmentValuationsDelete(tx: Tx, id: string): Promise<void> {
  await tx.db
    .deleteFrom('commitment_valuations')
    .where('tenant_id', '=', tx.tenantId)
    .where('commitment_id', '=', id)
    .execute()
}

const insertReturns = prepare(sql`
  insert into commitment_returns (tenant_id, partnership_id, commitment_id, in_return_for_id, position)
  select ${tenantParam}, ${param('partnership_id')}::uuid, ${param('id')}::uuid, n.id, n.position
  from unnest(${param('ids')}::uuid[]) with ordinality as n (id, position)`)

export async function commitmentReturnsInsert(tx: Tx, id: string, terms: CommitmentTerms): Promise<void> {
  if (terms.in_return_for.length === 0) return
  await returnsInsert(tx, { id, partnership_id: terms.partnership_id, ids: terms.in_return_for })
}

const returnsInsert = together((tx: Tx, values: Record<string, unknown>) => insertReturns.run(tx, values))

export async function commitmentReturnsDelete(tx: Tx, id: string): Promise<void> {
  await tx.db
    .deleteFrom('commitment_returns')
    .where('tenant_id', '=', tx.tenantId)
    .where('commitment_id', '=', id)
    .execute()
}

/** True where other commitments are given in return for this one. */
export async function commitmentIsAnswered(tx: Tx, id: string): Promise<boolean> {
  const row = await tx.db
    .selectFrom('commitment_returns')
    .select('commitment_id')
    .where('tenant_id', '=', tx.tenantId)
    .where('in_return_for_id', '=', id)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
