import type { IfMatch } from '../../core/etag.ts'
import { identifierFault } from '../../core/identifiers.ts'
import { newId } from '../../core/ids.ts'
import { checkMetadata } from '../../core/metadata.ts'
import { type Fault, Faults, Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { record, recordRemoval, unchanged } from '../../platform/events.ts'
import { insertExternalRefs, resolveNaming, writeExternalRefs } from '../../platform/references.ts'
import type { Outcome } from '../../platform/resource.ts'
import {
  askAgainInBatch,
  changedMembers,
  completeRefs,
  loadForUpdate,
  type Revision,
  refsWith,
  type Upsert,
  upsertByRef,
} from '../../platform/writes.ts'
import { checkOrganisation } from './read.ts'
import type { Organisation, OrganisationState, OrganisationWrite } from './schemas.ts'
import {
  organisationDelete,
  organisationDependants,
  organisationIdentifiersSet,
  organisationInsert,
  organisationIsBelow,
  organisationUpdate,
} from './store.ts'
import { organisationResource } from './view.ts'

export async function createOrganisation(tx: Tx, write: OrganisationWrite): Promise<Outcome> {
  const id = newId()
  const state = await checked(tx, id, write)
  await organisationInsert(tx, id, state)
  await setIdentifiers(tx, id, state, true)
  await insertExternalRefs(tx, 'organisation', id, state.external_refs)
  return record(tx, { resource: organisationResource, id, verb: 'created', changed: Object.keys(state) })
}

export async function reviseOrganisation(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  revise: Revision<OrganisationWrite>,
): Promise<Outcome> {
  const organisation = await loadForUpdate(tx, organisationResource, id, ifMatch)
  const current = stateOf(organisation)
  const next = await checked(tx, id, revise(current))
  const changed = changedMembers(current, next)
  if (changed.length === 0) return unchanged(tx, organisationResource, id)
  await organisationUpdate(tx, id, next)
  const { parent_id: parentId } = next
  if (parentId !== null && changed.includes('parent_id')) {
    askAgainInBatch(tx, () => organisationIsBelow(tx, id, parentId))
  }
  if (changed.includes('identifiers')) await setIdentifiers(tx, id, next, false)
  if (changed.includes('external_refs')) await writeExternalRefs(tx, 'organisation', id, next.external_refs)
  return record(tx, { resource: organisationResource, id, verb: 'updated', changed })
}

export async function upsertOrganisation(
  tx: Tx,
  ref: { system: string; id: string },
  write: OrganisationWrite,
  ifMatch: IfMatch,
): Promise<Upsert> {
  return upsertByRef(tx, 'organisation', ref, {
    ifMatch,
    create: () => createOrganisation(tx, { ...write, external_refs: refsWith(ref, write.external_refs ?? []) }),
    // Refs that the body does not speak of stay: one integration does not drop the ids of another.
    replace: (id) =>
      reviseOrganisation(tx, id, ifMatch, (current) => ({
        ...write,
        external_refs: refsWith(ref, write.external_refs ?? current.external_refs ?? []),
      })),
  })
}

export async function deleteOrganisation(tx: Tx, id: string, ifMatch: IfMatch): Promise<void> {
  const organisation = await loadForUpdate(tx, organisationResource, id, ifMatch)
  const dependants = await organisationDependants(tx, id)
  if (dependants.length > 0) {
    const detail = `The organisation still has ${dependants.join(', ')}. Remove those first, or set its status to dissolved.`
    throw new Problem('in_use', detail, { members: { dependants } })
  }
  await organisationDelete(tx, id)
  recordRemoval(tx, organisationResource, id, organisation.version)
}

/** The writable members as they stand. */
export function stateOf(organisation: Organisation): OrganisationState {
  const { id: _id, version: _v, created_at: _c, updated_at: _u, merged_into_id: _m, ...state } = organisation
  return state
}

/** The complete state that a write asks for. @throws Problem that names every rule it breaks */
async function checked(tx: Tx, id: string, write: OrganisationWrite): Promise<OrganisationState> {
  const faults = new Faults()
  const naming = { id: write.parent_id, ref: write.parent_ref }
  const at = { pointer: '', member: 'parent', required: false }
  const parentId = await resolveNaming(tx, 'organisation', naming, at, faults)
  await checkParent(tx, id, parentId, faults)
  write.identifiers?.forEach(({ scheme, value }, position) => {
    const fault = identifierFault(scheme, value)
    if (fault) faults.add(`/identifiers/${position}/value`, 'identifier_form', fault)
  })
  checkMetadata(write.metadata, faults)
  faults.refuse()
  return {
    name: write.name,
    legal_name: write.legal_name ?? null,
    alternate_names: write.alternate_names ?? [],
    sector: write.sector,
    industry: write.industry ?? null,
    country: write.country ?? null,
    identifiers: (write.identifiers ?? []).map(({ scheme, value, role }) => ({
      scheme,
      value,
      role: role ?? 'primary',
    })),
    parent_id: parentId,
    preferred_language: write.preferred_language ?? null,
    website: write.website ?? null,
    status: write.status ?? 'active',
    external_refs: completeRefs(write.external_refs),
    metadata: write.metadata ?? {},
  }
}

async function checkParent(tx: Tx, id: string, parentId: string | null, faults: Faults): Promise<void> {
  if (parentId === null) return
  if ((await checkOrganisation(tx, parentId, '/parent_id', faults)) && (await organisationIsBelow(tx, id, parentId))) {
    faults.add('/parent_id', 'circle', 'An organisation cannot be above itself.')
  }
}

async function setIdentifiers(tx: Tx, id: string, state: OrganisationState, isNew: boolean): Promise<void> {
  const taken = await organisationIdentifiersSet(tx, id, state.identifiers, isNew)
  if (taken.length === 0) return
  const errors = taken.map((position): Fault => {
    const { scheme, value } = state.identifiers[position] ?? { scheme: '', value: '' }
    const detail = `Another organisation has ${scheme} ${value}, or it stands here twice.`
    return { pointer: `/identifiers/${position}`, code: 'taken', detail }
  })
  throw new Problem('duplicate', errors[0]?.detail ?? 'An identifier is taken.', { errors })
}
