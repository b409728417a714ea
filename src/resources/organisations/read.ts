import { sql } from 'kysely'
import { normaliseIdentifier } from '../../core/identifiers.ts'
import { type Faults, notFound } from '../../core/problem.ts'
import type { ReadTx, Tx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import { together } from '../../db/together.ts'
import { holding } from '../../platform/holding.ts'
import { type Naming, namedIds } from '../../platform/references.ts'
import { refuseMoved } from '../../platform/resource.ts'
import { organisationResource } from './view.ts'

/** What other slices may know of an organisation that a write names. */
export interface NamedOrganisation {
  id: string
  merged_into_id: string | null
}

const existing = prepare<NamedOrganisation>(
  sql`select id, merged_into_id from organisations where tenant_id = ${tenantParam} and id = ${param('id')}::uuid`,
)

/** @throws Problem `not_found` where there is no such organisation, or Moved where it was merged into another */
export async function requireOrganisation(tx: ReadTx, id: string): Promise<void> {
  const [organisation] = await existing.run(tx, { id })
  if (!organisation) throw notFound()
  await refuseMoved(tx, organisationResource, id, organisation.merged_into_id)
}

/** Adds a fault where there is no organisation of this id, or where it was merged into another. */
export async function checkOrganisation(tx: ReadTx, id: string, pointer: string, faults: Faults): Promise<boolean> {
  const [organisation] = await existing.run(tx, { id })
  return checkNamed(organisation, id, pointer, faults)
}

/** The same of one that was read already. */
export function checkNamed(
  organisation: NamedOrganisation | undefined,
  id: string,
  pointer: string,
  faults: Faults,
): boolean {
  if (!organisation) faults.add(pointer, 'unknown_reference', `There is no organisation ${id}.`)
  else if (organisation.merged_into_id !== null) {
    faults.add(pointer, 'merged', `This organisation was merged into ${organisation.merged_into_id}: name that one.`)
  } else return true
  return false
}

/** An organisation as it is held. */
export interface HeldOrganisation {
  id: string
  sector: string
  status: string
}

const held = holding<HeldOrganisation>('organisations', ['id', 'sector', 'status'])

/** An organisation, held against every change of it until the transaction ends; undefined where there is none. */
export async function holdOrganisation(tx: Tx, id: string): Promise<HeldOrganisation | undefined> {
  const [organisation] = await held.run(tx, { ids: [id] })
  return organisation
}

const named = prepare<{ id: string | null; merged_into_id: string | null }>(sql`
  select o.id, o.merged_into_id
  from ${namedIds('organisation')} n
  left join lateral (
    select o.id, o.merged_into_id from organisations o where o.tenant_id = ${tenantParam} and o.id = n.id limit 1
  ) o on true
  order by n.position`)

/** The organisations that a write names by our ids or its own, in one statement; undefined where there is none. */
export async function organisationsNamed(
  tx: ReadTx,
  namings: readonly Naming[],
): Promise<(NamedOrganisation | undefined)[]> {
  return namings.length === 0 ? [] : allNamed(tx, namings)
}

type Found = NamedOrganisation | undefined

async function findNamed(tx: ReadTx, namings: readonly Naming[]): Promise<Found[]> {
  const rows = namings.map(({ id, ref }, position) => ({ position, id, system: ref?.system, ref_id: ref?.id }))
  const found = await named.run(tx, { namings: JSON.stringify(rows) })
  return found.map(({ id, merged_into_id }) => (id === null ? undefined : { id, merged_into_id }))
}

const allNamed = together<ReadTx, readonly Naming[], Found[]>(findNamed, async (tx, lists) => {
  const found = (await findNamed(tx, lists.flat())).values()
  return lists.map((list) => list.map(() => found.next().value))
})

const byIdentifiers = prepare<{ id: string }>(sql`
  select distinct i.organisation_id as id from json_to_recordset(${param('identifiers')}::json) as g (scheme text, value text)
  join organisation_identifiers i on i.tenant_id = ${tenantParam} and i.scheme = g.scheme and i.normalised_value = g.value`)

/** The organisations that have one of these registrations, however it is spelt. */
export async function organisationsWith(
  tx: ReadTx,
  identifiers: readonly { scheme: string; value: string }[],
): Promise<string[]> {
  const wanted = identifiers.map(({ scheme, value }) => ({ scheme, value: normaliseIdentifier(scheme, value) }))
  return (await byIdentifiers.run(tx, { identifiers: JSON.stringify(wanted) })).map(({ id }) => id)
}
