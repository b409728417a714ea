import { sql } from 'kysely'
import type { ReadTx, Tx } from '../../db/database.ts'
import { compiler, param, prepare, tenantParam } from '../../db/prepared.ts'
import { measureColumns } from '../../platform/measures.ts'
import type { Fulfilment } from './schemas.ts'

/** What a new entry of the ledger holds. */
export type FulfilmentEntry = Omit<
  Fulfilment,
  'id' | 'version' | 'created_at' | 'updated_at' | 'reversed_by_id' | 'external_refs'
>

const insert = prepare(
  compiler.insertInto('fulfilments').values({
    tenant_id: tenantParam,
    id: param('id'),
    created_at: param('now'),
    updated_at: param('now'),
    commitment_id: param('commitment_id'),
    delivered_on: param('delivered_on'),
    instalment_seq: param('instalment_seq'),
    amount: param('amount'),
    currency: param('currency'),
    quantity: param('quantity'),
    unit: param('unit'),
    mode: param('mode'),
    reach: param('reach'),
    valuations: param('valuations'),
    note: param('note'),
    evidence_url: param('evidence_url'),
    reported_by_party_id: param('reported_by_party_id'),
    confirmation: param('confirmation'),
    decided_by_party_id: param('decided_by_party_id'),
    decided_on: param('decided_on'),
    decision_note: param('decision_note'),
    dispute_reason: param('dispute_reason'),
    reversal_of: param('reversal_of'),
    reversal_reason: param('reversal_reason'),
    metadata: param('metadata'),
  }),
)

export async function fulfilmentInsert(tx: Tx, id: string, entry: FulfilmentEntry): Promise<void> {
  const { measure, reach, valuations, metadata, ...rest } = entry
  await insert.run(tx, {
    id,
    now: tx.now,
    ...rest,
    ...measureColumns(measure),
    reach: reach && JSON.stringify(reach),
    valuations: JSON.stringify(valuations),
    metadata: JSON.stringify(metadata),
  })
}

/** What the other side decided; null for an entry that has only got a reversal, which is a row of its own. */
type Decision = Pick<Fulfilment, 'confirmation' | 'decided_by_party_id' | 'decided_on' | 'decision_note'> &
  Partial<Pick<Fulfilment, 'dispute_reason'>>

export async function fulfilmentChange(tx: Tx, id: string, decision: Decision | null): Promise<void> {
  await tx.db
    .updateTable('fulfilments')
    .set({ ...decision, updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}

const commitment = prepare<{ commitment_id: string }>(sql`
  select commitment_id from fulfilments where tenant_id = ${tenantParam} and id = ${param('id')}::uuid`)

/** The commitment of an entry, which never changes; undefined where there is no such entry. */
export async function commitmentOfFulfilment(tx: ReadTx, id: string): Promise<string | undefined> {
  const [row] = await commitment.run(tx, { id })
  return row?.commitment_id
}
