import type { IfMatch } from '../../core/etag.ts'
import { Faults, notFound, Problem } from '../../core/problem.ts'
import { refsMax } from '../../core/schemas.ts'
import type { ReadTx, Tx } from '../../db/database.ts'
import { requireScope } from '../../platform/auth.ts'
import { record, unchanged } from '../../platform/events.ts'
import { resolveNaming } from '../../platform/references.ts'
import { type Outcome, readOne } from '../../platform/resource.ts'
import { loadForUpdate } from '../../platform/writes.ts'
import { moveContacts } from '../contacts/commands.ts'
import { moveReadiness } from '../evaluations/commands.ts'
import { moveObjectives } from '../objectives/commands.ts'
import { moveParties } from '../partnerships/commands.ts'
import { stateOf } from './commands.ts'
import type { MergeConflict, OrganisationMerge, OrganisationMergePreview } from './merge-schemas.ts'
import {
  organisationCounts,
  organisationMerged,
  organisationNamesMove,
  organisationsLock,
  partnershipsOfBoth,
  subsidiariesMove,
} from './merge-store.ts'
import { requireOrganisation } from './read.ts'
import type { Organisation } from './schemas.ts'
import { organisationIsBelow, organisationUpdate } from './store.ts'
import { organisationResource } from './view.ts'

/** As many as a write may name: an organisation that has more could not be written any more. */
const limits = { external_refs: refsMax, identifiers: 20, alternate_names: 50 }

/**
 * Merges a duplicate into the organisation that survives. All that points at the duplicate points at the survivor then;
 * the duplicate's id leads there for ever.
 */
export async function mergeOrganisation(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  merge: OrganisationMerge,
): Promise<Outcome> {
  await requireOrganisation(tx, id)
  const duplicateId = await duplicateOf(tx, id, merge)
  await organisationsLock(tx, [id, duplicateId])
  const survivor = await loadForUpdate(tx, organisationResource, id, ifMatch)
  const duplicate = await named(() => loadForUpdate(tx, organisationResource, duplicateId), duplicateId)
  refuseStale(duplicate, merge)
  const conflicts = await conflictsOf(tx, survivor, duplicate)
  if (conflicts.length > 0) throw conflicting(conflicts)
  await requireScopes(tx, duplicateId)

  await organisationNamesMove(tx, duplicateId, id)
  await organisationMerged(tx, duplicateId, id)
  record(tx, {
    resource: organisationResource,
    id: duplicateId,
    verb: 'merged',
    changed: ['merged_into_id', 'parent_id', 'identifiers', 'external_refs'],
  })
  const outcome = await takeNames(tx, survivor, duplicate)
  for (const subsidiary of await subsidiariesMove(tx, duplicateId, id)) {
    record(tx, { resource: organisationResource, id: subsidiary, verb: 'updated', changed: ['parent_id'] })
  }
  await moveContacts(tx, duplicateId, id)
  await moveObjectives(tx, duplicateId, id)
  await moveParties(tx, duplicateId, id)
  await moveReadiness(tx, duplicateId, id)
  return outcome
}

/** What a merge would move, and what stands in its way; changes nothing. */
export async function previewMerge(
  tx: ReadTx,
  id: string,
  merge: OrganisationMerge,
): Promise<OrganisationMergePreview> {
  const survivor = JSON.parse((await readOne(tx, organisationResource, id)).body) as Organisation
  const duplicateId = await duplicateOf(tx, id, merge)
  const read = await named(() => readOne(tx, organisationResource, duplicateId), duplicateId)
  const duplicate = JSON.parse(read.body) as Organisation
  refuseStale(duplicate, merge)
  const [counts, conflicts] = await Promise.all([
    organisationCounts(tx, duplicateId),
    conflictsOf(tx, survivor, duplicate),
  ])
  const { external_refs, identifiers } = duplicate
  return {
    survivor: sideOf(survivor),
    duplicate: sideOf(duplicate),
    moves: { external_refs, identifiers, ...counts },
    conflicts,
  }
}

const sideOf = ({ id, version, name }: Organisation) => ({ id, version, name })

/** The organisation that goes. @throws Problem `rule_violated` where none is named, or the survivor itself */
async function duplicateOf(
  tx: ReadTx,
  id: string,
  { duplicate_id, duplicate_ref }: OrganisationMerge,
): Promise<string> {
  const faults = new Faults()
  const naming = { id: duplicate_id, ref: duplicate_ref }
  const at = { pointer: '', member: 'duplicate', required: true }
  const duplicateId = (await resolveNaming(tx, 'organisation', naming, at, faults))?.toLowerCase() ?? null
  const pointer = duplicate_ref == null ? '/duplicate_id' : '/duplicate_ref'
  if (duplicateId === id.toLowerCase()) faults.add(pointer, 'same', 'An organisation is not merged into itself.')
  faults.refuse()
  return duplicateId as string
}

/** A duplicate that is not there is a fault of the body, not of the address. */
async function named<T>(read: () => Promise<T>, duplicateId: string): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== notFound().code) throw error
    const faults = new Faults()
    faults.add('/duplicate_id', 'unknown_reference', `There is no organisation ${duplicateId}.`)
    faults.refuse()
    throw error
  }
}

function refuseStale({ version }: Organisation, { duplicate_version }: OrganisationMerge): void {
  if (duplicate_version === undefined || duplicate_version === version) return
  const detail = `The duplicate is at version ${version}, not ${duplicate_version}: look at it again.`
  throw new Problem('stale', detail, { errors: [{ pointer: '/duplicate_version', code: 'stale', detail }] })
}

async function conflictsOf(tx: ReadTx, survivor: Organisation, duplicate: Organisation): Promise<MergeConflict[]> {
  const [shared, isBelow] = await Promise.all([
    partnershipsOfBoth(tx, survivor.id, duplicate.id),
    survivor.parent_id === null ? false : organisationIsBelow(tx, duplicate.id, survivor.parent_id),
  ])
  const conflicts: MergeConflict[] = []
  if (shared.length > 0) {
    const detail =
      `Both are parties of ${shared.length === 1 ? 'one partnership' : `${shared.length} partnerships`}: a party cannot ` +
      'be allied with itself. Take one of the two out of it first.'
    conflicts.push({ code: 'both_parties', detail, partnership_ids: shared })
  }
  if (isBelow) {
    const detail = 'The survivor stands below the duplicate: change its parent first, or merge the other way round.'
    conflicts.push({ code: 'circle', detail, partnership_ids: [] })
  }
  for (const member of ['external_refs', 'identifiers'] as const) {
    const together = survivor[member].length + duplicate[member].length
    if (together <= limits[member]) continue
    const detail = `Together they have ${together} ${member}, and an organisation has ${limits[member]} at most.`
    conflicts.push({ code: 'too_many_names', detail, partnership_ids: [] })
  }
  return conflicts
}

function conflicting(conflicts: readonly MergeConflict[]): Problem {
  const errors = conflicts.flatMap(({ code, detail, partnership_ids }) =>
    partnership_ids.length === 0
      ? [{ pointer: '/duplicate_id', code, detail }]
      : partnership_ids.map((id) => ({
          pointer: '/duplicate_id',
          code,
          detail: `Both are parties of the partnership ${id}.`,
        })),
  )
  return new Problem('state_forbids', conflicts.map(({ detail }) => detail).join(' '), {
    errors,
    members: { conflicts },
  })
}

/** A merge changes whose records are whose: that asks for what changing each of them asks for. */
async function requireScopes(tx: Tx, duplicateId: string): Promise<void> {
  const has = await organisationCounts(tx, duplicateId)
  if (has.contacts_count > 0) requireScope(tx, 'personal_data:write', 'Moving contacts')
  if (has.objectives_count > 0) requireScope(tx, 'objectives:write', 'Moving objectives')
  if (has.partnerships_count > 0) requireScope(tx, 'partnerships:write', 'Moving the seats in partnerships')
  if (has.evaluations_count > 0) requireScope(tx, 'evaluations:write', 'Moving readiness rounds')
}

/** The survivor is found by the duplicate's names as well. */
async function takeNames(tx: Tx, survivor: Organisation, duplicate: Organisation): Promise<Outcome> {
  const names = [duplicate.name, ...duplicate.alternate_names].filter((name) => name !== survivor.name)
  const alternate_names = [...new Set([...survivor.alternate_names, ...names])].slice(0, limits.alternate_names)
  const changed = [
    ...(alternate_names.length > survivor.alternate_names.length ? ['alternate_names'] : []),
    ...(duplicate.identifiers.length > 0 ? ['identifiers'] : []),
    ...(duplicate.external_refs.length > 0 ? ['external_refs'] : []),
  ]
  if (changed.length === 0) return unchanged(tx, organisationResource, survivor.id)
  await organisationUpdate(tx, survivor.id, { ...stateOf(survivor), alternate_names })
  return record(tx, { resource: organisationResource, id: survivor.id, verb: 'updated', changed })
}
