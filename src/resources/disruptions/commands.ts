import type { IfMatch } from '../../core/etag.ts'
import { newId } from '../../core/ids.ts'
import { requireNamedStep } from '../../core/lifecycle.ts'
import { checkMetadata } from '../../core/metadata.ts'
import { Faults, Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { record, recordRemoval, unchanged } from '../../platform/events.ts'
import { recordStatusChange } from '../../platform/history.ts'
import { insertExternalRefs, removeExternalRefs, writeExternalRefs } from '../../platform/references.ts'
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
import { type DisruptionStep, disruptionLifecycle, disruptionSteps } from './lifecycle.ts'
import type { Disruption, DisruptionEnd, DisruptionState, DisruptionWrite } from './schemas.ts'
import {
  disruptionAssessments,
  disruptionDelete,
  disruptionDependants,
  disruptionInsert,
  disruptionMove,
  disruptionUpdate,
} from './store.ts'
import { disruptionResource } from './view.ts'

export async function createDisruption(tx: Tx, write: DisruptionWrite): Promise<Outcome> {
  const id = newId()
  const state = checked(write)
  await disruptionInsert(tx, id, state, 'watch')
  await insertExternalRefs(tx, 'disruption', id, state.external_refs)
  await recordStatusChange(tx, { type: 'disruption', id, version: 1, from: null, to: 'watch', on: dayOf(tx) })
  return record(tx, { resource: disruptionResource, id, verb: 'created', changed: [...Object.keys(state), 'status'] })
}

export async function reviseDisruption(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  revise: Revision<DisruptionWrite>,
): Promise<Outcome> {
  const disruption = await loadForUpdate(tx, disruptionResource, id, ifMatch)
  const current = stateOf(disruption)
  const next = checked(revise(current), disruption.ended_on, await disruptionAssessments(tx, id))
  const changed = changedMembers(current, next)
  if (changed.length === 0) return unchanged(tx, disruptionResource, id)
  await disruptionUpdate(tx, id, next)
  if (changed.includes('external_refs')) await writeExternalRefs(tx, 'disruption', id, next.external_refs)
  return record(tx, { resource: disruptionResource, id, verb: 'updated', changed })
}

export async function upsertDisruption(
  tx: Tx,
  ref: { system: string; id: string },
  write: DisruptionWrite,
  ifMatch: IfMatch,
): Promise<Upsert> {
  return upsertByRef(tx, 'disruption', ref, {
    ifMatch,
    create: () => createDisruption(tx, { ...write, external_refs: refsWith(ref, write.external_refs ?? []) }),
    replace: (id) =>
      reviseDisruption(tx, id, ifMatch, (current) => ({
        ...write,
        external_refs: refsWith(ref, write.external_refs ?? current.external_refs ?? []),
      })),
  })
}

export async function deleteDisruption(tx: Tx, id: string, ifMatch: IfMatch): Promise<void> {
  const { version } = await loadForUpdate(tx, disruptionResource, id, ifMatch)
  const dependants = await disruptionDependants(tx, id)
  if (dependants.length > 0) {
    const detail = `This disruption is named by ${dependants.join(', ')}: it stays. End it instead.`
    throw new Problem('in_use', detail, { members: { dependants } })
  }
  await removeExternalRefs(tx, 'disruption', id)
  await disruptionDelete(tx, id)
  recordRemoval(tx, disruptionResource, id, version)
}

/** A step in the life of a disruption. @throws Problem `transition_not_allowed` */
export async function moveDisruption(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  step: DisruptionStep,
  end?: DisruptionEnd,
): Promise<Outcome> {
  const disruption = await loadForUpdate(tx, disruptionResource, id, ifMatch)
  const { to } = disruptionSteps[step]
  requireNamedStep(disruptionLifecycle, step, disruptionSteps[step], disruption.status)
  const endedOn = end?.ended_on ?? null
  if (endedOn !== null) await checkEnd(tx, disruption, endedOn)
  await disruptionMove(tx, id, to, endedOn)
  await recordStatusChange(tx, {
    type: 'disruption',
    id,
    version: disruption.version + 1,
    from: disruption.status,
    to,
    on: endedOn ?? dayOf(tx),
  })
  const verb = ({ activate: 'activated', recover: 'recovering', end: 'ended' } as const)[step]
  return record(tx, { resource: disruptionResource, id, verb, changed: ['status', ...(end ? ['ended_on'] : [])] })
}

/** A disruption has no time zone: what counts for its history is the day in UTC. */
const dayOf = (tx: Tx): string => tx.now.slice(0, 10)

async function checkEnd(tx: Tx, { id, started_on }: Disruption, endedOn: string): Promise<void> {
  const faults = new Faults()
  const assessments = await disruptionAssessments(tx, id)
  if (endedOn < started_on) faults.add('/ended_on', 'before_start', `It began on ${started_on}.`)
  if (assessments && endedOn < assessments.last) {
    faults.add('/ended_on', 'before_assessment', `An impact was assessed on ${assessments.last}.`)
  }
  faults.refuse()
}

function stateOf(disruption: Disruption): DisruptionState {
  const { id: _id, version: _v, created_at: _c, updated_at: _u, status: _s, ended_on: _e, ...state } = disruption
  return state
}

/** The complete state that a write asks for. @throws Problem that names every rule it breaks */
function checked(
  write: DisruptionWrite,
  endedOn: string | null = null,
  assessments?: { first: string },
): DisruptionState {
  const faults = new Faults()
  if (endedOn !== null && write.started_on > endedOn) {
    faults.add('/started_on', 'after_end', `The disruption ended on ${endedOn}.`)
  }
  if (assessments && write.started_on > assessments.first) {
    faults.add('/started_on', 'after_assessment', `An impact was assessed on ${assessments.first} already.`)
  }
  checkMetadata(write.metadata, faults)
  faults.refuse()
  return {
    title: write.title,
    description: write.description ?? null,
    type: write.type,
    glide_number: write.glide_number ?? null,
    countries: write.countries ?? [],
    sectors: write.sectors ?? [],
    started_on: write.started_on,
    external_refs: completeRefs(write.external_refs),
    metadata: write.metadata ?? {},
  }
}
