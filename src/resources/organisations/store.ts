import { sql } from 'kysely'
import { normaliseIdentifier } from '../../core/identifiers.ts'
import { searchable } from '../../core/text.ts'
import type { ReadTx, Tx } from '../../db/database.ts'
import { prepare, tenantParam } from '../../db/prepared.ts'
import { insertRecord, updateRecord } from '../../db/records.ts'
import { populated, rowsAndBase, together } from '../../db/together.ts'
import { holdName, removeExternalRefs } from '../../platform/references.ts'
import type { OrganisationState } from './schemas.ts'

/** The columns of an organisation that a client writes. */
function columnsOf(state: OrganisationState) {
  return {
    name: state.name,
    legal_name: state.legal_name,
    alternate_names: state.alternate_names,
    sector: state.sector,
    industry_scheme: state.industry?.scheme ?? null,
    industry_code: state.industry?.code ?? null,
    country: state.country,
    parent_id: state.parent_id,
    preferred_language: state.preferred_language,
    website: state.website,
    status: state.status,
    metadata: state.metadata,
    sort_name: searchable(state.name),
    search_text: searchable(state.name, state.legal_name, ...state.alternate_names),
  }
}

const written = [
  ...['name', 'legal_name', 'alternate_names', 'sector', 'industry_scheme', 'industry_code', 'country', 'parent_id'],
  ...['preferred_language', 'website', 'status', 'metadata', 'sort_name', 'search_text'],
] as const
const insert = insertRecord('organisations', written)
const update = updateRecord('organisations', written)

export async function organisationInsert(tx: Tx, id: string, state: OrganisationState): Promise<void> {
  await insert(tx, { id, values: columnsOf(state) })
}

export async function organisationUpdate(tx: Tx, id: string, state: OrganisationState): Promise<void> {
  await update(tx, { id, values: columnsOf(state) })
}

export async function organisationDelete(tx: Tx, id: string): Promise<void> {
  await removeExternalRefs(tx, 'organisation', id)
  await tx.db.deleteFrom('organisations').where('tenant_id', '=', tx.tenantId).where('id', '=', id).execute()
}

/** Sets the identifiers of an organisation. @returns those that another organisation has already, by position */
export async function organisationIdentifiersSet(
  tx: Tx,
  id: string,
  identifiers: OrganisationState['identifiers'],
  isNew: boolean,
): Promise<number[]> {
  if (!isNew) await identifiersDelete(tx, id)
  if (identifiers.length === 0) return []
  const rows = identifiers.map(({ scheme, value, role }, position) => {
    return { organisation_id: id, scheme, value, normalised_value: normaliseIdentifier(scheme, value), role, position }
  })
  const free = new Set(await identifiersInsert(tx, rows))
  return identifiers.flatMap((_, position) => (free.has(position) ? [] : [position]))
}

async function identifiersDelete(tx: Tx, id: string): Promise<void> {
  await tx.db
    .deleteFrom('organisation_identifiers')
    .where('tenant_id', '=', tx.tenantId)
    .where('organisation_id', '=', id)
    .execute()
}

interface IdentifierRow {
  organisation_id: string
  scheme: string
  value: string
  normalised_value: string
  role: string
  position: number
}

const identifiersInsertion = prepare<{ organisation_id: string; position: number }>(sql`
  insert into organisation_identifiers (tenant_id, organisation_id, scheme, value, normalised_value, role, position)
  select ${tenantParam}, n.organisation_id, n.scheme, n.value, n.normalised_value, n.role, n.position
  from ${populated('organisation_identifiers')} n
  on conflict do nothing returning organisation_id, position`)

const inserted = (tx: Tx, rows: readonly IdentifierRow[]) => identifiersInsertion.run(tx, rowsAndBase(rows))

/** The positions of those that were free. */
const identifiersInsert = together(
  async (tx: Tx, rows: IdentifierRow[]) => (await inserted(tx, rows)).map(({ position }) => position),
  async (tx, lists) => {
    const free = Map.groupBy(await inserted(tx, lists.flat()), ({ organisation_id }) => organisation_id)
    return lists.map(([first]) => (free.get(first?.organisation_id ?? '') ?? []).map(({ position }) => position))
  },
)

/** True where making `parentId` the parent of `id` would close a circle. Two at once could: one waits for the other. */
export async function organisationIsBelow(tx: ReadTx, id: string, parentId: string): Promise<boolean> {
  await holdName(tx, 'organisation parents')
  const found = await sql<{ found: boolean }>`
    with recursive above as (
      select id, parent_id, 1 as depth from organisations where tenant_id = ${tx.tenantId} and id = ${parentId}
      union all
      select o.id, o.parent_id, above.depth + 1 from organisations o join above on o.id = above.parent_id
      where o.tenant_id = ${tx.tenantId} and above.depth < 100
    )
    select exists (select from above where id = ${id}) as found`.execute(tx.db)
  return found.rows[0]?.found ?? false
}

/** How many records still depend on an organisation, by kind. */
export async function organisationDependants(tx: Tx, id: string): Promise<string[]> {
  const found = await sql<{ kind: string }>`
    select 'partnerships' as kind where exists (
      select from partnership_parties where tenant_id = ${tx.tenantId} and organisation_id = ${id})
    union all select 'contacts' where exists (
      select from contacts where tenant_id = ${tx.tenantId} and organisation_id = ${id})
    union all select 'subsidiaries' where exists (
      select from organisations where tenant_id = ${tx.tenantId} and parent_id = ${id})
    union all select 'objectives' where exists (
      select from objectives where tenant_id = ${tx.tenantId} and organisation_id = ${id})
    union all select 'evaluations' where exists (
      select from evaluations where tenant_id = ${tx.tenantId} and organisation_id = ${id})
    union all select 'portfolio snapshots' where exists (
      select from portfolio_snapshots where tenant_id = ${tx.tenantId} and organisation_id = ${id})
    union all select 'merged organisations' where exists (
      select from organisations where tenant_id = ${tx.tenantId} and merged_into_id = ${id})`.execute(tx.db)
  return found.rows.map((row) => row.kind)
}
