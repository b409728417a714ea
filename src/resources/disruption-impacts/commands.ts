import { dateIn, dayBeside } from '../../core/dates.ts'
import type { IfMatch } from '../../core/etag.ts'
import { newId } from '../../core/ids.ts'
import { checkMetadata } from '../../core/metadata.ts'
import { Faults, Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { record, recordRemoval, unchanged } from '../../platform/events.ts'
import { insertExternalRefs, removeExternalRefs, resolveNaming, writeExternalRefs } from '../../platform/references.ts'
import { type Outcome, readOne } from '../../platform/resource.ts'
import {
  changedMembers,
  completeRefs,
  loadForUpdate,
  type Revision,
  refsWith,
  type Upsert,
  upsertByRef,
} from '../../platform/writes.ts'
import { type DisruptionContext, holdDisruption } from '../disruptions/read.ts'
import { holdPartnership, type PartnershipContext } from '../partnerships/read.ts'
import { checkDays, checkHitParty, checkKinds, hittable, obligationOf, pointerTo } from './rules.ts'
import type { Impact, ImpactState, ImpactWrite } from './schemas.ts'
import {
  type About,
  type Carriers,
  impactCarriers,
  impactDelete,
  impactsInsert,
  impactUpdate,
  obligationsMeet,
} from './store.ts'
import { impactResource } from './view.ts'

export async function createImpact(tx: Tx, write: ImpactWrite): Promise<Outcome> {
  const id = newId()
  const state = await checked(tx, write)
  const added = await impactsInsert(tx, [{ id, state }])
  if (added.size === 0) {
    throw new Problem('duplicate', 'This disruption was assessed for this party before: change that assessment.')
  }
  await insertExternalRefs(tx, 'impact', id, state.external_refs)
  return record(tx, { resource: impactResource, id, verb: 'created', changed: Object.keys(state) })
}

export async function reviseImpact(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  revise: Revision<ImpactWrite>,
): Promise<Outcome> {
  // Its partnership is held before it, as by steps of that.
  const { partnership_id } = JSON.parse((await readOne(tx, impactResource, id)).body) as Impact
  await holdPartnership(tx, { id: partnership_id })
  const current = stateOf(await loadForUpdate(tx, impactResource, id, ifMatch))
  const { evaluation_obligation: _o, evaluation_due_on: _d, ...writable } = current
  const next = await checked(tx, revise(writable), current)
  const changed = changedMembers(current, next)
  if (changed.length === 0) return unchanged(tx, impactResource, id)
  await impactUpdate(tx, id, next)
  if (changed.includes('external_refs')) await writeExternalRefs(tx, 'impact', id, next.external_refs)
  return record(tx, { resource: impactResource, id, verb: 'updated', changed })
}

export async function upsertImpact(
  tx: Tx,
  ref: { system: string; id: string },
  write: ImpactWrite,
  ifMatch: IfMatch,
): Promise<Upsert> {
  return upsertByRef(tx, 'impact', ref, {
    ifMatch,
    create: () => createImpact(tx, { ...write, external_refs: refsWith(ref, write.external_refs ?? []) }),
    replace: (id) =>
      reviseImpact(tx, id, ifMatch, (current) => ({
        ...write,
        external_refs: refsWith(ref, write.external_refs ?? current.external_refs ?? []),
      })),
  })
}

export async function deleteImpact(tx: Tx, id: string, ifMatch: IfMatch): Promise<void> {
  const impact = await loadForUpdate(tx, impactResource, id, ifMatch)
  if (impact.responded_on !== null) {
    throw new Problem('state_forbids', 'A response to this impact was carried out: it stays as part of the history.')
  }
  await removeExternalRefs(tx, 'impact', id)
  await impactDelete(tx, id)
  recordRemoval(tx, impactResource, id, impact.version)
}

/** A round was held: what asked for an evaluation of the partnership has had it. */
export async function meetObligations(tx: Tx, partnershipId: string, about: About): Promise<void> {
  for (const id of await obligationsMeet(tx, partnershipId, about)) {
    record(tx, { resource: impactResource, id, verb: 'updated', changed: ['evaluation_obligation'] })
  }
}

function stateOf(impact: Impact): ImpactState {
  const { id: _id, version: _v, created_at: _c, updated_at: _u, ...state } = impact
  return state
}

/** The disruption and the partnership of a write, held. @throws Problem that names what is not there, or was changed */
async function named(tx: Tx, write: ImpactWrite, current: ImpactState | undefined) {
  const faults = new Faults()
  const find = async <T>(member: 'disruption' | 'partnership', read: (id: string) => Promise<T | undefined>) => {
    const naming = { id: write[`${member}_id`], ref: write[`${member}_ref`] }
    const id = await resolveNaming(tx, member, naming, { pointer: '', member, required: true }, faults)
    const found = id === null ? undefined : await read(id)
    if (id !== null && !found) faults.add(`/${member}_id`, 'unknown_reference', `There is no ${member} ${id}.`)
    if (id !== null && current && id !== current[`${member}_id`]) {
      faults.add(`/${member}_id`, 'fixed', `An impact stays with its ${member}.`)
    }
    return found
  }
  const partnership = await find('partnership', (id) => holdPartnership(tx, { id }))
  const disruption = await find('disruption', (id) => holdDisruption(tx, id))
  faults.refuse()
  return { disruption: disruption as DisruptionContext, partnership: partnership as PartnershipContext }
}

/** An id as it is kept. */
const plain = (id: string | null | undefined): string | null => id?.toLowerCase() ?? null

/** The complete state that a write asks for. @throws Problem that names every rule it breaks */
async function checked(tx: Tx, write: ImpactWrite, current?: ImpactState): Promise<ImpactState> {
  const { disruption, partnership } = await named(tx, write, current)
  if (!current && !hittable.includes(partnership.status)) {
    throw new Problem('state_forbids', `A partnership that is ${partnership.status} is not hit by a disruption.`)
  }
  const usualDay = dayBeside(dateIn(partnership.time_zone, tx.now), disruption.started_on, tx.now)
  const assessedOn = write.assessed_on ?? current?.assessed_on ?? usualDay
  const isSameDay = assessedOn === current?.assessed_on
  // One that was assessed in bulk may be of a day that has yet to begin here.
  const today = isSameDay && assessedOn > usualDay ? assessedOn : usualDay
  const faults = new Faults()
  const carriers = await carriersNamed(tx, write, faults)
  const hitPartyId = plain(write.hit_party_id)
  const responseDueOn = write.response_due_on ?? null
  const respondedOn = write.responded_on ?? null
  const { response, severity } = write
  const hit = { partnership, disruptionId: disruption.id, assessedOn }
  const found = await impactCarriers(tx, hit, carriers)

  // A day on which it was carried out is not asked again: here it may have yet to begin.
  const respondedNow = isSameDay && respondedOn === current?.responded_on ? null : respondedOn
  checkDays({ assessedOn, today, respondedOn: respondedNow, responseDueOn, response }, disruption, faults)
  checkHitParty(partnership, hitPartyId, faults)
  checkKinds(write, carriers, faults)
  checkCarriers(write, carriers, found, faults)
  checkMetadata(write.metadata, faults)
  faults.refuse()

  const waiver = write.evaluation_waiver ?? null
  // What was asked for once stays asked for, whatever becomes of the partnership.
  const isActive = partnership.status === 'active' || (current?.evaluation_obligation ?? 'none') !== 'none'
  // What else is said of an impact neither asks for an evaluation nor meets that; what was held meanwhile does.
  const asksAsBefore =
    current !== undefined &&
    !(current.evaluation_obligation === 'open' && found.is_evaluated) &&
    isSameDay &&
    severity === current.severity &&
    waiver === current.evaluation_waiver &&
    carriers.response_evaluation_id === current.response_evaluation_id
  return {
    disruption_id: disruption.id,
    partnership_id: partnership.id,
    hit_party_id: hitPartyId,
    severity,
    effects: write.effects,
    assessed_on: assessedOn,
    note: write.note ?? null,
    response,
    response_due_on: responseDueOn,
    responded_on: respondedOn,
    ...carriers,
    ...(asksAsBefore
      ? { evaluation_obligation: current.evaluation_obligation, evaluation_due_on: current.evaluation_due_on }
      : obligationOf({ severity, assessedOn, isActive, isEvaluated: found.is_evaluated, waiver })),
    evaluation_waiver: waiver,
    external_refs: completeRefs(write.external_refs),
    metadata: write.metadata ?? {},
  }
}

/** What carried the response out, by our ids; all but pauses may be named by the client's own. */
async function carriersNamed(tx: Tx, write: ImpactWrite, faults: Faults) {
  const naming = (type: 'commitment' | 'substitution' | 'amendment' | 'evaluation') => {
    const member = `response_${type}` as const
    const given = { id: write[`${member}_id`], ref: write[`${member}_ref`] }
    return resolveNaming(tx, type, given, { pointer: '', member, required: false }, faults)
  }
  const [commitmentId, substitutionId, amendmentId, evaluationId] = await Promise.all([
    naming('commitment'),
    naming('substitution'),
    naming('amendment'),
    naming('evaluation'),
  ])
  return {
    response_pause_id: plain(write.response_pause_id),
    response_commitment_id: commitmentId,
    response_substitution_id: substitutionId,
    response_amendment_id: amendmentId,
    response_evaluation_id: evaluationId,
  }
}

function checkCarriers(write: ImpactWrite, ids: Record<string, string | null>, found: Carriers, faults: Faults): void {
  for (const [name, id] of Object.entries(ids)) {
    if (id === null || found[name as keyof Carriers]) continue
    const what = name.replace(/^response_|_id$/g, '')
    faults.add(pointerTo(write, name), 'unknown_reference', `The partnership has no ${what} ${id}.`)
  }
}
