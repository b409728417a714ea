import { sql } from 'kysely'
import type { ReadTx, Tx } from '../../db/database.ts'
import { measureColumns } from '../../platform/measures.ts'
import type { AgreedTerms } from '../commitments/schemas.ts'
import type { Substitution, SubstitutionReach } from './schemas.ts'

export type NewSubstitution = Pick<
  Substitution,
  | 'partnership_id'
  | 'replaces_commitment_id'
  | 'by_commitment_id'
  | 'replaced_measure'
  | 'instalment_seq'
  | 'reason'
  | 'disruption_id'
  | 'value_difference'
  | 'proposed_by_party_id'
  | 'proposed_on'
  | 'metadata'
>

/** @param terms those of the commitment that would take the place */
export async function substitutionInsert(
  tx: Tx,
  id: string,
  state: NewSubstitution,
  terms: AgreedTerms,
): Promise<void> {
  const { replaced_measure, value_difference, metadata, ...columns } = state
  await tx.db
    .insertInto('substitutions')
    .values({
      ...columns,
      ...measureColumns(replaced_measure),
      value_difference: value_difference === null ? null : JSON.stringify(value_difference),
      metadata: JSON.stringify(metadata),
      by_terms: JSON.stringify(terms),
      tenant_id: tx.tenantId,
      id,
      status: 'proposed',
      created_at: tx.now,
      updated_at: tx.now,
    })
    .execute()
}

export interface Decided {
  status: Substitution['status']
  decided_by_party_id: string
  decision_recorded_by_party_id: string | null
  decided_on: string
  decision_note: string | null
}

export async function substitutionDecide(tx: Tx, id: string, decided: Decided): Promise<void> {
  await tx.db
    .updateTable('substitutions')
    .set({ ...decided, updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}

interface Named {
  old: string
  new: string
  /** Those of the new one when it was proposed; null where that was before they were kept. */
  terms: AgreedTerms | null
}

/** The two commitments of a substitution: what has to be held before it is decided. */
export async function substitutionCommitments(tx: Tx, id: string): Promise<Named | undefined> {
  return tx.db
    .selectFrom('substitutions')
    .select(['replaces_commitment_id as old', 'by_commitment_id as new', 'by_terms as terms'])
    .$castTo<Named>()
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
}

/** True where what would replace the commitment is itself, over any number of steps, replaced by it. */
export async function substitutionLeadsBack(tx: Tx, replacedId: string, byId: string): Promise<boolean> {
  const found = await sql<{ found: boolean }>`
    with recursive later as (
      select by_commitment_id as id from substitutions
      where tenant_id = ${tx.tenantId} and replaces_commitment_id = ${byId} and status in ('proposed', 'accepted')
      union
      select s.by_commitment_id from substitutions s join later on s.replaces_commitment_id = later.id
      where s.tenant_id = ${tx.tenantId} and s.status in ('proposed', 'accepted')
    )
    select exists (select from later where id = ${replacedId}) as found`.execute(tx.db)
  return found.rows[0]?.found ?? false
}

/** What confirmed deliveries of both commitments reached. */
export async function substitutionReach(tx: ReadTx, id: string): Promise<SubstitutionReach | undefined> {
  const reachOf = (commitmentId: ReturnType<typeof sql.ref>) => sql`(
    select json_build_object('commitment_id', c.id, 'mode', c.mode,
      'deliveries', count(f.id), 'deliveries_with_reach', count(f.reach),
      'audience', sum((f.reach ->> 'audience')::bigint),
      'countries', coalesce((
        select json_agg(distinct x.country) from fulfilments g
        cross join lateral jsonb_array_elements_text(g.reach -> 'countries') x(country)
        where g.tenant_id = c.tenant_id and g.commitment_id = c.id and g.confirmation = 'confirmed'
          and g.reversal_of is null
          and not exists (select from fulfilments u where u.tenant_id = g.tenant_id and u.reversal_of = g.id)), '[]'))
    from commitments c
    left join fulfilments f on f.tenant_id = c.tenant_id and f.commitment_id = c.id and f.confirmation = 'confirmed'
      and f.reversal_of is null
      and not exists (select from fulfilments v where v.tenant_id = f.tenant_id and v.reversal_of = f.id)
    where c.tenant_id = s.tenant_id and c.id = ${commitmentId}
    group by c.tenant_id, c.id)`
  const found = await sql<SubstitutionReach>`
    select ${reachOf(sql.ref('s.replaces_commitment_id'))} as before, ${reachOf(sql.ref('s.by_commitment_id'))} as after
    from substitutions s where s.tenant_id = ${tx.tenantId} and s.id = ${id}`.execute(tx.db)
  return found.rows[0]
}
