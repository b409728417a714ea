import type { IfMatch } from '../../core/etag.ts'
import { newId } from '../../core/ids.ts'
import { checkMetadata } from '../../core/metadata.ts'
import { Faults, Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { record, recordRemoval, unchanged } from '../../platform/events.ts'
import { insertExternalRefs, writeExternalRefs } from '../../platform/references.ts'
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
import { forgetContact } from '../evaluations/commands.ts'
import { requireOrganisation } from '../organisations/read.ts'
import type { Contact, ContactState, ContactWrite } from './schemas.ts'
import { contactDelete, contactDependants, contactErase, contactInsert, contactsMove, contactUpdate } from './store.ts'
import { answersForget, importsHold, resultsForget, resultsUnname, samplesForget, stagedForget } from './traces.ts'
import { contactResource } from './view.ts'

/** Adds a person to an organisation. @throws Problem `not_found` where there is no such organisation */
export async function createContact(tx: Tx, organisationId: string, write: ContactWrite): Promise<Outcome> {
  await requireOrganisation(tx, organisationId)
  const id = newId()
  const state = checked(write)
  await contactInsert(tx, id, organisationId, state)
  await insertExternalRefs(tx, 'contact', id, state.external_refs)
  return record(tx, { resource: contactResource, id, verb: 'created', changed: Object.keys(state) })
}

export async function reviseContact(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  revise: Revision<ContactWrite>,
): Promise<Outcome> {
  const contact = await loadForUpdate(tx, contactResource, id, ifMatch)
  const current = stateOf(contact)
  const next = checked(revise(current))
  const changed = changedMembers(current, next)
  if (changed.length === 0) return unchanged(tx, contactResource, id)
  await contactUpdate(tx, id, next)
  if (changed.includes('external_refs')) await writeExternalRefs(tx, 'contact', id, next.external_refs)
  return record(tx, { resource: contactResource, id, verb: 'updated', changed })
}

/**
 * Creates or replaces the contact of an organisation that has the client's own id.
 * @throws Problem `duplicate` where a contact of another organisation has it
 */
export async function upsertContact(
  tx: Tx,
  organisationId: string,
  ref: { system: string; id: string },
  write: ContactWrite,
  ifMatch: IfMatch,
): Promise<Upsert> {
  await requireOrganisation(tx, organisationId)
  return upsertByRef(tx, 'contact', ref, {
    ifMatch,
    create: () =>
      createContact(tx, organisationId, { ...write, external_refs: refsWith(ref, write.external_refs ?? []) }),
    replace: async (id) => {
      const contact = await loadForUpdate(tx, contactResource, id)
      if (contact.organisation_id !== organisationId) throw belongsElsewhere(contact, ref)
      return reviseContact(tx, id, ifMatch, (current) => ({
        ...write,
        external_refs: refsWith(ref, write.external_refs ?? current.external_refs ?? []),
      }))
    },
  })
}

/** Gives all contacts of an organisation to another, as a merge does; erased ones too. */
export async function moveContacts(tx: Tx, fromOrganisationId: string, toOrganisationId: string): Promise<void> {
  for (const id of await contactsMove(tx, fromOrganisationId, toOrganisationId)) {
    record(tx, { resource: contactResource, id, verb: 'updated', changed: ['organisation_id'] })
  }
}

/**
 * Deletes a contact that nothing names, with what was told of it when it was imported or made.
 * @throws Problem `in_use`
 */
export async function deleteContact(tx: Tx, id: string, ifMatch: IfMatch): Promise<void> {
  const contact = await loadForUpdate(tx, contactResource, id, ifMatch)
  const dependants = await contactDependants(tx, id)
  if (dependants.length > 0) {
    const detail = `The contact is still named in ${dependants.join(', ')}. Erase the person instead: the id stays.`
    throw new Problem('in_use', detail, { members: { dependants } })
  }
  await resultsUnname(tx, id, contact)
  // As it would be if it had been erased it is shown to who asks again for the answer that made it.
  await contactErase(tx, id)
  await answersForget(tx, id)
  await contactDelete(tx, id)
  recordRemoval(tx, contactResource, id, contact.version)
}

/** Blanks the person and keeps the id, so that what names it stays whole. Erasing again changes nothing. */
export async function eraseContact(tx: Tx, id: string, ifMatch: IfMatch): Promise<Outcome> {
  const contact = await loadForUpdate(tx, contactResource, id, ifMatch)
  if (contact.erased_at !== null) return unchanged(tx, contactResource, id)
  await importsHold(tx)
  await stagedForget(tx, stateOf(contact))
  await resultsForget(tx, id)
  await contactErase(tx, id)
  await answersForget(tx, id)
  await forgetContact(tx, id)
  await samplesForget(tx)
  return record(tx, {
    resource: contactResource,
    id,
    verb: 'erased',
    changed: ['name', 'email', 'phone', 'job_title', 'language', 'active', 'erased_at', 'external_refs', 'metadata'],
  })
}

function stateOf(contact: Contact): ContactState {
  const {
    id: _id,
    version: _v,
    created_at: _c,
    updated_at: _u,
    organisation_id: _o,
    erased_at: erasedAt,
    name,
    ...state
  } = contact
  if (erasedAt !== null || name === null) {
    throw new Problem('state_forbids', 'This person was erased: nothing is written about them any more.')
  }
  return { name, ...state }
}

/** The complete state that a write asks for. @throws Problem that names every rule it breaks */
function checked(write: ContactWrite): ContactState {
  const faults = new Faults()
  checkMetadata(write.metadata, faults)
  faults.refuse()
  return {
    name: write.name,
    email: write.email ?? null,
    phone: write.phone ?? null,
    job_title: write.job_title ?? null,
    function: write.function,
    language: write.language ?? null,
    active: write.active ?? true,
    external_refs: completeRefs(write.external_refs),
    metadata: write.metadata ?? {},
  }
}

function belongsElsewhere(contact: Contact, { system, id }: { system: string; id: string }): Problem {
  const detail = `${system}:${id} is the reference of a contact of another organisation, ${contact.organisation_id}.`
  return new Problem('duplicate', detail, { errors: [{ pointer: '/external_refs', code: 'taken', detail }] })
}
