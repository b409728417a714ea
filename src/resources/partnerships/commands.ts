import { dateIn } from '../../core/dates.ts'
import type { IfMatch } from '../../core/etag.ts'
import { newId } from '../../core/ids.ts'
import { type Fault, Faults, Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { requireScope } from '../../platform/auth.ts'
import { record, recordRemoval, unchanged } from '../../platform/events.ts'
import { recordStatusChange } from '../../platform/history.ts'
import { insertExternalRefs, writeExternalRefs } from '../../platform/references.ts'
import type { Outcome } from '../../platform/resource.ts'
import { repeatedTakeOver } from '../../platform/taken-over.ts'
import { changedMembers, loadForUpdate, refsWith, type Upsert, upsertByRef } from '../../platform/writes.ts'
import { checkedPartnership } from './checks.ts'
import { conditionsUntil } from './lifecycle.ts'
import {
  managersDelete,
  managersInsert,
  partiesDelete,
  partiesMove,
  partiesWrite,
  partyDependants,
} from './party-store.ts'
import { refuseAgreedTerms, refuseOtherOrigin } from './rules.ts'
import type { Partnership, PartnershipState, PartnershipWrite } from './schemas.ts'
import { stateOf, writeOf } from './state.ts'
import {
  type Beginning,
  partnershipDelete,
  partnershipDependants,
  partnershipInsert,
  partnershipUpdate,
} from './store.ts'
import { partnershipResource } from './view.ts'

// What other slices may do to a partnership.
export {
  amendedPartnership,
  amendPartnership,
  loadAmendable,
  partnershipTerms,
} from './amend.ts'

/** Creates a partnership as a draft, or, taken over from another system, in the state that it reached there. */
export async function createPartnership(tx: Tx, write: PartnershipWrite): Promise<Outcome> {
  const id = newId()
  if (write.taken_over) requireScope(tx, 'history:take_over', 'Taking over history')
  const beginning = beginningOf(write)
  const state = await checkedPartnership(tx, write)
  // Independent of each other but for their order: sent together.
  await Promise.all([
    partnershipInsert(tx, { id, state, begins: beginning }),
    partiesWrite(tx, id, state.parties),
    managersInsert(tx, id, state.managers),
    insertExternalRefs(tx, 'partnership', id, state.external_refs),
    recordStatusChange(tx, {
      type: 'partnership',
      id,
      version: 1,
      from: null,
      to: beginning.status,
      on: beginning.taken_over?.on ?? dateIn(state.time_zone, tx.now),
      reason: beginning.end_reason ?? beginning.decline_reason,
    }),
  ])
  return record(tx, { resource: partnershipResource, id, verb: 'created', changed: Object.keys(state) })
}

export async function revisePartnership(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  revise: (current: PartnershipWrite, status: Partnership['status']) => PartnershipWrite,
): Promise<Outcome> {
  const partnership = await loadForUpdate(tx, partnershipResource, id, ifMatch)
  const write = revise(writeOf(partnership), partnership.status)
  refuseOtherOrigin(partnership, write)
  const current = stateOf(partnership)
  const next = await checkedPartnership(tx, write, partnership)
  const changed = changedMembers(current, next)
  if (changed.length === 0) return unchanged(tx, partnershipResource, id)
  refuseAgreedTerms(partnership, next)
  if (changed.includes('managers')) await managersDelete(tx, id)
  if (changed.includes('parties')) await setParties(tx, partnership, next)
  await Promise.all([
    partnershipUpdate(tx, id, next),
    changed.includes('managers') ? managersInsert(tx, id, next.managers) : undefined,
    changed.includes('external_refs') ? writeExternalRefs(tx, 'partnership', id, next.external_refs) : undefined,
  ])
  return record(tx, { resource: partnershipResource, id, verb: 'updated', changed })
}

/** The days that steps of its life gave a partnership: the first with its start, the last with its winding down. */
function daysGiven({ starts_on, ends_on }: PartnershipWrite, status: Partnership['status']): Partial<PartnershipWrite> {
  const hasStart = status !== 'draft' && status !== 'proposed' && status !== 'declined'
  const hasEnd = status === 'ending' || status === 'ended'
  return { ...(hasStart ? { starts_on } : {}), ...(hasEnd ? { ends_on } : {}) }
}

export async function upsertPartnership(
  tx: Tx,
  ref: { system: string; id: string },
  write: PartnershipWrite,
  ifMatch: IfMatch,
): Promise<Upsert> {
  return upsertByRef(tx, 'partnership', ref, {
    ifMatch,
    create: () => createPartnership(tx, { ...write, external_refs: refsWith(ref, write.external_refs ?? []) }),
    // What the body does not speak of stays: the refs of other systems, how the record was taken over, and the days that
    // the steps of its life gave it.
    replace: (id) =>
      revisePartnership(tx, id, ifMatch, (current, status) => ({
        ...daysGiven(current, status),
        ...write,
        external_refs: refsWith(ref, write.external_refs ?? current.external_refs ?? []),
        taken_over: repeatedTakeOver(write.taken_over, current.taken_over) ?? null,
      })),
  })
}

/** Gives an organisation's seats in partnerships to another, as a merge does; it sits in none of them yet. */
export async function moveParties(tx: Tx, fromOrganisationId: string, toOrganisationId: string): Promise<void> {
  for (const id of await partiesMove(tx, fromOrganisationId, toOrganisationId)) {
    record(tx, { resource: partnershipResource, id, verb: 'updated', changed: ['parties'] })
  }
}

/** Deletes a draft: what was proposed once is part of a history. */
export async function deletePartnership(tx: Tx, id: string, ifMatch: IfMatch): Promise<void> {
  const { status, version } = await loadForUpdate(tx, partnershipResource, id, ifMatch)
  if (status !== 'draft') {
    throw new Problem('state_forbids', `Only a draft can be deleted; this partnership is ${status}.`)
  }
  const dependants = await partnershipDependants(tx, id)
  if (dependants.length > 0) {
    const detail = `The partnership still has ${dependants.join(', ')}. Remove those first.`
    throw new Problem('in_use', detail, { members: { dependants } })
  }
  await partnershipDelete(tx, id)
  recordRemoval(tx, partnershipResource, id, version)
}

/** The status that a write begins with, and what it is allowed to say of it. */
function beginningOf(write: PartnershipWrite): Beginning {
  const { status = 'draft', end_reason = null, decline_reason = null, taken_over } = write
  const faults = new Faults()
  if (!taken_over && status !== 'draft') {
    const detail =
      'A partnership begins as a draft; only one that is taken over from another system (taken_over) may not.'
    faults.add('/status', 'taken_over', detail)
  }
  if (end_reason !== null && status !== 'ending' && status !== 'ended') {
    faults.add('/end_reason', 'status', 'Only what is ending or has ended has an end_reason.')
  }
  if (decline_reason !== null && status !== 'declined') {
    faults.add('/decline_reason', 'status', 'Only what was declined has a decline_reason.')
  }
  faults.refuse()
  if (!taken_over) return { status, end_reason, decline_reason, taken_over: null }
  const { on, from_system, note = null } = taken_over
  const waived_conditions = [...conditionsUntil[status]]
  return { status, end_reason, decline_reason, taken_over: { on, from_system, note, status, waived_conditions } }
}

/** Sets the parties of a partnership. @throws Problem `in_use` where others depend on one that would go */
async function setParties(tx: Tx, { id, parties }: Partnership, next: PartnershipState): Promise<void> {
  const stay = new Set(next.parties.map((party) => party.id))
  const gone = parties.filter((party) => !stay.has(party.id)).map((party) => party.id)
  if (gone.length > 0) {
    const dependants = await partyDependants(tx, gone)
    if (dependants.length > 0) {
      const errors = [...Map.groupBy(dependants, ({ party_id }) => party_id)].map(([partyId, kinds]): Fault => {
        const named = kinds.map(({ kind }) => kind).join(', ')
        return {
          pointer: '/parties',
          code: 'in_use',
          detail: `The party ${partyId} has ${named}: set its left_on instead.`,
        }
      })
      throw new Problem('in_use', errors.map(({ detail }) => detail).join(' '), { errors })
    }
    await partiesDelete(tx, gone)
  }
  await partiesWrite(tx, id, next.parties)
}
