import { sql } from 'kysely'
import type { Tx } from '../../db/database.ts'
import { holding } from '../../platform/holding.ts'
import type { PartnershipContext } from '../partnerships/read.ts'
import type { ImpactFilter, ImpactState } from './schemas.ts'

/** The columns of an impact that a client writes, with what follows from them. */
function columnsOf({ external_refs: _refs, metadata, ...state }: ImpactState) {
  return { ...state, metadata: JSON.stringify(metadata) }
}

/** Adds impacts; one that its party has already is left out. @returns the ids of those that were added */
export async function impactsInsert(
  tx: Tx,
  impacts: readonly { id: string; state: ImpactState }[],
): Promise<Set<string>> {
  if (impacts.length === 0) return new Set()
  const head = { tenant_id: tx.tenantId, created_at: tx.now, updated_at: tx.now }
  const written = await tx.db
    .insertInto('disruption_impacts')
    .values(impacts.map(({ id, state }) => ({ ...head, id, ...columnsOf(state) })))
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .execute()
  return new Set(written.map(({ id }) => id))
}

export async function impactUpdate(tx: Tx, id: string, state: ImpactState): Promise<void> {
  await tx.db
    .updateTable('disruption_impacts')
    .set({ ...columnsOf(state), updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}

export async function impactDelete(tx: Tx, id: string): Promise<void> {
  await tx.db.deleteFrom('disruption_impacts').where('tenant_id', '=', tx.tenantId).where('id', '=', id).execute()
}

/** What carried a response out, by the member that names it; false where the partnership has no such record. */
export interface Carriers {
  response_pause_id: boolean
  response_commitment_id: boolean
  response_substitution_id: boolean
  response_amendment_id: boolean
  response_evaluation_id: boolean
  /** True where that evaluation was closed, or one in its disruption concluded, on the day of the assessment or later. */
  is_evaluated: boolean
}

type Hit = Pick<PartnershipContext, 'id' | 'time_zone'>

export async function impactCarriers(
  tx: Tx,
  { partnership, disruptionId, assessedOn }: { partnership: Hit; disruptionId: string; assessedOn: string },
  ids: Pick<ImpactState, Exclude<keyof Carriers, 'is_evaluated'>>,
): Promise<Carriers> {
  const of = sql`tenant_id = ${tx.tenantId} and partnership_id = ${partnership.id}`
  const dayOf = (column: string) => sql`(${sql.ref(column)} at time zone ${partnership.time_zone})::date`
  const found = await sql<Carriers>`
    select exists (select from pauses where ${of} and id = ${ids.response_pause_id}::uuid) as response_pause_id,
      exists (select from commitments where ${of} and id = ${ids.response_commitment_id}::uuid) as response_commitment_id,
      exists (select from substitutions where ${of} and id = ${ids.response_substitution_id}::uuid)
        as response_substitution_id,
      exists (select from amendments where ${of} and id = ${ids.response_amendment_id}::uuid) as response_amendment_id,
      exists (select from evaluations where ${of} and id = ${ids.response_evaluation_id}::uuid) as response_evaluation_id,
      exists (select from evaluations where ${of} and (
        id = ${ids.response_evaluation_id}::uuid and status in ('closed', 'concluded')
          and ${dayOf('closed_at')} >= ${assessedOn}::date
        or kind = 'disruption' and coalesce(disruption_id, ${disruptionId}) = ${disruptionId} and status = 'concluded'
          and ${dayOf('concluded_at')} >= ${assessedOn}::date)) as is_evaluated`.execute(tx.db)
  return found.rows[0] as Carriers
}

/** What an evaluation is about: a disruption, the impacts that name it as their answer, or else all. */
export interface About {
  disruptionId?: string
  /** The evaluation. */
  namedBy?: string
}

/** The impacts on a partnership that still ask for an evaluation, as far as one is about them, are met. @returns their ids */
export async function obligationsMeet(
  tx: Tx,
  partnershipId: string,
  { disruptionId, namedBy }: About,
): Promise<string[]> {
  const met = await tx.db
    .updateTable('disruption_impacts')
    .set({ evaluation_obligation: 'met', updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('partnership_id', '=', partnershipId)
    .where('evaluation_obligation', '=', 'open')
    .$if(disruptionId !== undefined, (query) => query.where('disruption_id', '=', disruptionId as string))
    .$if(namedBy !== undefined, (query) => query.where('response_evaluation_id', '=', namedBy as string))
    .returning('id')
    .execute()
  return met.map(({ id }) => id)
}

export interface HitParty {
  partnership_id: string
  partnership_name: string
  partnership_status: string
  time_zone: string
  hit_party_id: string
  organisation_id: string
  organisation_name: string
  impact_id: string | null
}

const held = holding<{ id: string }>('partnerships', ['id'])

/** Holds the partnerships of these parties against every change until the transaction ends. @returns their ids */
export async function partnershipsHold(tx: Tx, parties: readonly HitParty[]): Promise<Set<string>> {
  const rows = await held.run(tx, { ids: parties.map(({ partnership_id }) => partnership_id) })
  return new Set(rows.map(({ id }) => id))
}

/** Whom a filter finds, by partnership name; at most `limit`. `impact_id` is that of an assessment made before. */
export async function partiesHit(
  tx: Tx,
  disruption: { id: string; countries: string[]; sectors: string[] },
  filter: ImpactFilter,
  day: string,
  limit: number,
): Promise<HitParty[]> {
  const countries = filter.countries ?? disruption.countries
  const sectors = filter.sectors ?? disruption.sectors
  const found = await sql<HitParty>`
    select p.id as partnership_id, p.name as partnership_name, p.status as partnership_status, p.time_zone,
      m.id as hit_party_id, o.id as organisation_id, o.name as organisation_name, i.id as impact_id
    from partnerships p
    join partnership_parties m on m.tenant_id = p.tenant_id and m.partnership_id = p.id
    join organisations o on o.tenant_id = m.tenant_id and o.id = m.organisation_id
    left join disruption_impacts i on i.tenant_id = p.tenant_id and i.partnership_id = p.id
      and i.hit_party_id = m.id and i.disruption_id = ${disruption.id}
    where p.tenant_id = ${tx.tenantId}
      and p.status = any(${filter.partnership_statuses ?? ['active', 'paused', 'ending']}::text[])
      and (m.left_on is null or m.left_on > ${day}::date)
      and (cardinality(${countries}::text[]) = 0 or o.country = any(${countries}::text[]))
      and (cardinality(${sectors}::text[]) = 0 or o.sector = any(${sectors}::text[]))
      and (${filter.partnership_ids ?? null}::uuid[] is null or p.id = any(${filter.partnership_ids ?? null}::uuid[]))
      and (${filter.organisation_id ?? null}::uuid is null or exists (
        select from partnership_parties other where other.tenant_id = p.tenant_id and other.partnership_id = p.id
          and other.organisation_id = ${filter.organisation_id ?? null}::uuid))
    order by p.sort_name, p.id, m.position
    limit ${limit}`.execute(tx.db)
  return found.rows
}
