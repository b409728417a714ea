import type { IfMatch } from '../../core/etag.ts'
import type { FaultCode } from '../../core/fault-codes.ts'
import { newId } from '../../core/ids.ts'
import { checkMetadata } from '../../core/metadata.ts'
import { Faults, Problem } from '../../core/problem.ts'
import { sdgTargets } from '../../core/sdg.ts'
import type { Tx } from '../../db/database.ts'
import { record, recordRemoval, unchanged } from '../../platform/events.ts'
import {
  holdName,
  insertExternalRefs,
  removeExternalRefs,
  resolveNaming,
  writeExternalRefs,
} from '../../platform/references.ts'
import type { Outcome } from '../../platform/resource.ts'
import {
  changedMembers,
  completeRefs,
  loadForUpdate,
  type Revision,
  refsWith,
  type Upsert,
  upsertByRef,
} from '../../platform/writes.ts'
import { checkOrganisation } from '../organisations/read.ts'
import { parentLevels } from './rules.ts'
import type { Objective, ObjectiveState, ObjectiveWrite } from './schemas.ts'
import {
  objectiveDelete,
  objectiveDependants,
  objectiveInsert,
  objectiveLineage,
  objectivesMove,
  objectiveUpdate,
} from './store.ts'
import { objectiveResource } from './view.ts'

export async function createObjective(tx: Tx, write: ObjectiveWrite): Promise<Outcome> {
  const id = newId()
  const state = await checked(tx, id, write)
  await objectiveInsert(tx, id, state)
  await insertExternalRefs(tx, 'objective', id, state.external_refs)
  return record(tx, { resource: objectiveResource, id, verb: 'created', changed: Object.keys(state) })
}

export async function reviseObjective(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  revise: Revision<ObjectiveWrite>,
): Promise<Outcome> {
  const current = stateOf(await loadForUpdate(tx, objectiveResource, id, ifMatch))
  const next = await checked(tx, id, revise(current), current)
  const changed = changedMembers(current, next)
  if (changed.length === 0) return unchanged(tx, objectiveResource, id)
  await objectiveUpdate(tx, id, next)
  if (changed.includes('external_refs')) await writeExternalRefs(tx, 'objective', id, next.external_refs)
  return record(tx, { resource: objectiveResource, id, verb: 'updated', changed })
}

export async function upsertObjective(
  tx: Tx,
  ref: { system: string; id: string },
  write: ObjectiveWrite,
  ifMatch: IfMatch,
): Promise<Upsert> {
  return upsertByRef(tx, 'objective', ref, {
    ifMatch,
    create: () => createObjective(tx, { ...write, external_refs: refsWith(ref, write.external_refs ?? []) }),
    replace: (id) =>
      reviseObjective(tx, id, ifMatch, (current) => ({
        ...write,
        external_refs: refsWith(ref, write.external_refs ?? current.external_refs ?? []),
      })),
  })
}

export async function deleteObjective(tx: Tx, id: string, ifMatch: IfMatch): Promise<void> {
  const { version } = await loadForUpdate(tx, objectiveResource, id, ifMatch)
  const { links, children } = await objectiveDependants(tx, id)
  const dependants = [...(links ? ['objective_links'] : []), ...(children.length > 0 ? ['objectives'] : [])]
  if (dependants.length > 0) {
    const detail = `The objective still has ${dependants.join(', ')}. Set active_until instead, so that its history stays.`
    throw new Problem('in_use', detail, { members: { dependants } })
  }
  await removeExternalRefs(tx, 'objective', id)
  await objectiveDelete(tx, id)
  recordRemoval(tx, objectiveResource, id, version)
}

/** Gives all objectives of an organisation to another, as a merge does. */
export async function moveObjectives(tx: Tx, fromOrganisationId: string, toOrganisationId: string): Promise<void> {
  const changed = ['organisation_id']
  for (const id of await objectivesMove(tx, fromOrganisationId, toOrganisationId)) {
    record(tx, { resource: objectiveResource, id, verb: 'updated', changed })
  }
}

function stateOf(objective: Objective): ObjectiveState {
  const { id: _id, version: _v, created_at: _c, updated_at: _u, ...state } = objective
  return state
}

/** The complete state that a write asks for. @throws Problem that names every rule it breaks */
async function checked(tx: Tx, id: string, write: ObjectiveWrite, current?: ObjectiveState): Promise<ObjectiveState> {
  const faults = new Faults()
  const organisation = { id: write.organisation_id, ref: write.organisation_ref }
  const parent = { id: write.parent_id, ref: write.parent_ref }
  const [organisationId, parentId] = await Promise.all([
    resolveNaming(tx, 'organisation', organisation, { pointer: '', member: 'organisation', required: true }, faults),
    resolveNaming(tx, 'objective', parent, { pointer: '', member: 'parent', required: false }, faults),
  ])
  // One at a time in an organisation: what is above and below is judged as it stands.
  if (organisationId !== null) await holdName(tx, 'objectives', organisationId)
  if (current && organisationId !== null && organisationId !== current.organisation_id) {
    faults.add('/organisation_id', 'fixed', 'An objective stays with its organisation: make a new one for another.')
  } else if (organisationId === null || (await checkOrganisation(tx, organisationId, '/organisation_id', faults)))
    await checkParent(tx, id, { organisationId, parentId, level: write.level }, faults)
  if (current && write.level !== current.level) await checkChildren(tx, id, write.level, faults)
  checkPeriod(write, faults)
  write.sdg_targets?.forEach((target, at) => {
    if (!sdgTargets.has(target)) faults.add(`/sdg_targets/${at}`, 'unknown_sdg_target', `${target} is no SDG target.`)
  })
  checkMetadata(write.metadata, faults)
  faults.refuse()
  return {
    organisation_id: organisationId as string,
    level: write.level,
    title: write.title,
    description: write.description ?? null,
    parent_id: parentId,
    sdg_goals: write.sdg_goals ?? [],
    sdg_targets: write.sdg_targets ?? [],
    importance: write.importance,
    active_from: write.active_from,
    active_until: write.active_until ?? null,
    indicator_refs: write.indicator_refs ?? [],
    external_refs: completeRefs(write.external_refs),
    metadata: write.metadata ?? {},
  }
}

function checkPeriod({ active_from, active_until }: ObjectiveWrite, faults: Faults): void {
  if (active_until == null || active_until >= active_from) return
  faults.add('/active_until', 'before_start', `active_until may not be before active_from (${active_from}).`)
}

async function checkParent(
  tx: Tx,
  id: string,
  place: { organisationId: string | null; parentId: string | null; level: Objective['level'] },
  faults: Faults,
): Promise<void> {
  if (place.parentId === null) return
  const lineage = await objectiveLineage(tx, place.parentId)
  const [parent] = lineage
  const refuse = (code: FaultCode, detail: string) => faults.add('/parent_id', code, detail)
  if (!parent) refuse('unknown_reference', `There is no objective ${place.parentId}.`)
  else if (parent.organisation_id !== place.organisationId) {
    refuse('other_organisation', 'The parent is an objective of another organisation.')
  } else if (lineage.some((above) => above.id === id)) refuse('circle', 'An objective cannot be above itself.')
  else if (!parentLevels[place.level].some((level) => level === parent.level)) {
    refuse('level', `An objective of level ${place.level} does not serve one of level ${parent.level}.`)
  }
}

async function checkChildren(tx: Tx, id: string, level: Objective['level'], faults: Faults): Promise<void> {
  const { children } = await objectiveDependants(tx, id)
  const misfits = children.filter((child) => !parentLevels[child as Objective['level']].includes(level))
  if (misfits.length === 0) return
  faults.add(
    '/level',
    'level',
    `Objectives of level ${misfits.join(', ')} serve this one: they cannot serve a ${level}.`,
  )
}
