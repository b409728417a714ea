import { sql } from 'kysely'
import { searchable } from '../../core/text.ts'
import type { ReadTx, Tx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import { insertRecord, updateRecord } from '../../db/records.ts'
import { measureColumns } from '../../platform/measures.ts'
import { namedIds } from '../../platform/references.ts'
import type { CommitmentStatus } from './lifecycle.ts'
import type { Commitment, CommitmentTerms } from './schemas.ts'

/** The columns that hold the terms of a commitment. */
function columnsOf(terms: CommitmentTerms) {
  return {
    partnership_id: terms.partnership_id,
    from_party_id: terms.from_party_id,
    to_party_id: terms.to_party_id,
    kind: terms.kind,
    title: terms.title,
    description: terms.description,
    binding: terms.binding,
    reciprocity: terms.reciprocity,
    motive: terms.motive,
    mode: terms.mode,
    ...measureColumns(terms.measure),
    schedule: terms.schedule,
    pause_exempt: terms.pause_exempt,
    metadata: terms.metadata,
    search_text: searchable(terms.title, terms.description),
  }
}

/** The state that a commitment begins in, and how it came by it. */
export interface Beginning {
  status: CommitmentStatus
  agreed_on: string | null
  closed_on: string | null
  close_reason: string | null
  taken_over: Commitment['taken_over']
}

const written = [
  ...['partnership_id', 'from_party_id', 'to_party_id', 'kind', 'title', 'description', 'binding', 'reciprocity'],
  ...[
    'motive',
    'mode',
    'amount',
    'currency',
    'quantity',
    'unit',
    'schedule',
    'pause_exempt',
    'metadata',
    'search_text',
  ],
] as const
const begun = ['status', 'close_reason', 'closed_on', 'agreed_on', 'taken_over', 'skipped', 'replaced'] as const

const insert = insertRecord('commitments', [...written, ...begun])
const update = updateRecord('commitments', written)
const amend = updateRecord('commitments', [...written, 'is_amended'])

export async function commitmentInsert(
  tx: Tx,
  { id, terms, begins }: { id: string; terms: CommitmentTerms; begins: Beginning },
): Promise<void> {
  await insert(tx, { id, values: { ...columnsOf(terms), ...begins, skipped: 0, replaced: 0 } })
}

export async function commitmentUpdate(tx: Tx, id: string, terms: CommitmentTerms): Promise<void> {
  await update(tx, { id, values: columnsOf(terms) })
}

/** Gives a commitment terms that were agreed anew. */
export async function commitmentAmend(tx: Tx, id: string, terms: CommitmentTerms): Promise<void> {
  await amend(tx, { id, values: { ...columnsOf(terms), is_amended: true } })
}

/** What a step changes beside the status; what it does not speak of stays. */
export interface StepChange {
  status: CommitmentStatus
  agreed_on?: string | null
  agreed_by_party_id?: string | null
  agreement_recorded_by_party_id?: string | null
  agreement_note?: string | null
  closed_on?: string | null
  close_reason?: string | null
  disruption_id?: string | null
}

export async function commitmentStep(tx: Tx, id: string, change: StepChange): Promise<void> {
  await tx.db
    .updateTable('commitments')
    .set({ ...change, updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}

const kept = prepare(sql`
  update commitments set status = 'fulfilled', closed_on = ${param('on')}::date, version = version + 1,
    updated_at = ${param('now')}::timestamptz
  where tenant_id = ${tenantParam} and id = ${param('id')}::uuid`)

/** Marks a commitment on which nothing is outstanding. */
export async function commitmentKept(tx: Tx, id: string, on: string): Promise<void> {
  await kept.run(tx, { id, on, now: tx.now })
}

const touch = prepare(sql`
  update commitments set version = version + 1, updated_at = ${param('now')}::timestamptz
  where tenant_id = ${tenantParam} and id = any(${param('ids')}::uuid[])`)

/** Gives commitments a new version whose figures have changed, and nothing else. */
export async function commitmentsTouch(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await touch.run(tx, { ids: [...ids], now: tx.now })
}

// Drafts that nobody was offered are seen by nobody whom a new version would serve.
const touchNaming = prepare<{ id: string }>(sql`
  with naming as (
    select c.id from commitment_returns n
    join commitments c on c.tenant_id = n.tenant_id and c.id = n.commitment_id
    where n.tenant_id = ${tenantParam} and n.in_return_for_id = ${param('id')}::uuid
      and (c.status <> 'draft' or exists (
        select from substitutions s
        where s.tenant_id = c.tenant_id and s.by_commitment_id = c.id and s.status = 'proposed'))
    -- In one order, for others may do the same for another.
    order by c.id for no key update of c
  )
  update commitments c set version = version + 1, updated_at = ${param('now')}::timestamptz
  from naming where c.tenant_id = ${tenantParam} and c.id = naming.id
  returning c.id`)

/** Gives those that others see a new version that are given in return for a commitment. @returns their ids */
export async function commitmentsNamingTouch(tx: Tx, id: string): Promise<string[]> {
  return (await touchNaming.run(tx, { id, now: tx.now })).map((row) => row.id)
}

const ofPartnership = (condition: ReturnType<typeof sql>) =>
  prepare<{ id: string }>(sql`
    select r.id from commitments r
    where r.tenant_id = ${tenantParam} and r.partnership_id = ${param('partnership_id')}::uuid and ${condition}
    order by r.id`)
const toPause = ofPartnership(sql`r.status = 'agreed' and not r.pause_exempt`)
const toResume = ofPartnership(sql`r.status = 'paused' and not exists (
  select from pauses p where p.tenant_id = r.tenant_id and p.partnership_id = r.partnership_id
    and p.commitment_id = r.id and p.resumed_on is null)`)

/** The commitments that pause with their partnership, by id. */
export async function commitmentsToPause(tx: Tx, partnershipId: string): Promise<string[]> {
  return (await toPause.run(tx, { partnership_id: partnershipId })).map(({ id }) => id)
}

/** The commitments that resume with their partnership, by id. */
export async function commitmentsToResume(tx: Tx, partnershipId: string): Promise<string[]> {
  return (await toResume.run(tx, { partnership_id: partnershipId })).map(({ id }) => id)
}

/** Deletes a draft with all that hangs on it. */
export async function commitmentDelete(tx: Tx, id: string): Promise<void> {
  for (const table of ['external_refs', 'status_changes'] as const) {
    await tx.db
      .deleteFrom(table)
      .where('tenant_id', '=', tx.tenantId)
      .where('resource_type', '=', 'commitment')
      .where('resource_id', '=', id)
      .execute()
  }
  await tx.db.deleteFrom('commitments').where('tenant_id', '=', tx.tenantId).where('id', '=', id).execute()
}

/** A commitment that a write names, as far as it matters there. */
export interface NamedCommitment {
  id: string
  partnership_id: string
  from_party_id: string
}

const named = prepare<{ id: string | null; partnership_id: string; from_party_id: string }>(sql`
  select c.id, c.partnership_id, c.from_party_id
  from ${namedIds('commitment')} n
  left join lateral (
    select c.id, c.partnership_id, c.from_party_id from commitments c
    where c.tenant_id = ${tenantParam} and c.id = n.id limit 1
  ) c on true
  order by n.position`)

/** The commitments that a write names by their ids or by the client's, in one statement; undefined where there is none. */
export async function commitmentsNamed(
  tx: ReadTx,
  names: readonly (string | { system: string; id: string })[],
): Promise<(NamedCommitment | undefined)[]> {
  if (names.length === 0) return []
  const rows = names.map((name, position) =>
    typeof name === 'string' ? { position, id: name } : { position, system: name.system, ref_id: name.id },
  )
  const found = await named.run(tx, { namings: JSON.stringify(rows) })
  return found.map(({ id, ...rest }) => (id === null ? undefined : { id, ...rest }))
}
