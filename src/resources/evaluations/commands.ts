import { microsOf } from '../../core/clock.ts'
import { dateIn } from '../../core/dates.ts'
import type { IfMatch } from '../../core/etag.ts'
import { newId } from '../../core/ids.ts'
import { checkMetadata } from '../../core/metadata.ts'
import { Faults, Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { record, unchanged } from '../../platform/events.ts'
import { recordStatusChange } from '../../platform/history.ts'
import { insertExternalRefs, resolveNaming, writeExternalRefs } from '../../platform/references.ts'
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
import { holdTemplate } from '../evaluation-templates/read.ts'
import { holdPartnership, type PartnershipContext } from '../partnerships/read.ts'
import { closeAtDeadline } from './deadline.ts'
import { requireChangeable, requirePartnershipState } from './lifecycle.ts'
import type { Evaluation, EvaluationState, EvaluationWrite } from './schemas.ts'
import { evaluationInsert, evaluationUpdate, instantsSpelt } from './store.ts'
import { evaluationResource } from './view.ts'

export { carryOut, decisionNamed, linkAmendment, requireUnsettled } from './carrying-out.ts'
export type { EvaluationDecision } from './decision-schemas.ts'
export { forgetContact } from './erasure.ts'

/** The fewest answers with which a side is shown, where nobody asks for more. */
const leastPerSide = 3

export async function createEvaluation(tx: Tx, write: EvaluationWrite): Promise<Outcome> {
  const id = newId()
  const { state, partnership, templateVersion } = await checked(tx, write)
  requirePartnershipState(state.kind, partnership)
  await evaluationInsert(tx, id, state, templateVersion)
  await insertExternalRefs(tx, 'evaluation', id, state.external_refs)
  const on = dateIn(partnership.time_zone, tx.now)
  await recordStatusChange(tx, { type: 'evaluation', id, version: 1, from: null, to: 'planned', on })
  return record(tx, { resource: evaluationResource, id, verb: 'created', changed: Object.keys(state) })
}

export async function reviseEvaluation(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  revise: Revision<EvaluationWrite>,
): Promise<Outcome> {
  const evaluation = await loadForUpdate(tx, evaluationResource, id, ifMatch)
  const current = stateOf(evaluation)
  const { state: next, partnership, templateVersion } = await checked(tx, revise(current), current)
  const changed = changedMembers(current, next)
  if (changed.length === 0) return unchanged(tx, evaluationResource, id)
  requireChangeable(evaluation.status, changed)
  if (changed.includes('kind')) requirePartnershipState(next.kind, partnership)
  if (evaluation.status === 'open') {
    requireLater(current.closes_at, next.closes_at)
    requireNotLowered(current.minimum_per_side, next.minimum_per_side)
    if (changed.includes('closes_at')) await closeAtDeadline(tx, id, next.closes_at)
  }
  await evaluationUpdate(tx, id, next, evaluation.status === 'planned' ? templateVersion : evaluation.template_version)
  if (changed.includes('external_refs')) await writeExternalRefs(tx, 'evaluation', id, next.external_refs)
  return record(tx, { resource: evaluationResource, id, verb: 'updated', changed })
}

export async function upsertEvaluation(
  tx: Tx,
  ref: { system: string; id: string },
  write: EvaluationWrite,
  ifMatch: IfMatch,
): Promise<Upsert> {
  return upsertByRef(tx, 'evaluation', ref, {
    create: () => createEvaluation(tx, { ...write, external_refs: refsWith(ref, write.external_refs ?? []) }),
    replace: (id) =>
      reviseEvaluation(tx, id, ifMatch, (current) => ({
        ...write,
        external_refs: refsWith(ref, write.external_refs ?? current.external_refs ?? []),
      })),
  })
}

function stateOf(evaluation: Evaluation): EvaluationState {
  const { partnership_id, kind, template_code, title, period_from, period_to, opens_at, closes_at } = evaluation
  const { response_mode, minimum_per_side, external_refs, metadata } = evaluation
  return {
    partnership_id,
    kind,
    template_code,
    title,
    period_from,
    period_to,
    opens_at,
    closes_at,
    response_mode,
    minimum_per_side,
    external_refs,
    metadata,
  }
}

/** A deadline that was announced may be put off, never brought forward: somebody may be counting on it. */
function requireLater(current: string | null, next: string | null): void {
  if (current === next || next === null) return
  if (current !== null && microsOf(next) > microsOf(current)) return
  const detail = `While the round is open its deadline may only be put off; it is ${current ?? 'none'}.`
  throw new Problem('state_forbids', detail, { errors: [{ pointer: '/closes_at', code: 'earlier', detail }] })
}

/** Whoever answered was promised not to be shown with fewer. */
function requireNotLowered(current: number | null, next: number | null): void {
  if (current === null || next === null || next >= current) return
  const detail = `While the round is open minimum_per_side may only be raised; it is ${current}.`
  throw new Problem('state_forbids', detail, { errors: [{ pointer: '/minimum_per_side', code: 'lowered', detail }] })
}

interface Checked {
  state: EvaluationState
  partnership: PartnershipContext
  templateVersion: number
}

/** The complete state that a write asks for. @throws Problem that names every rule it breaks */
async function checked(tx: Tx, write: EvaluationWrite, current?: EvaluationState): Promise<Checked> {
  const faults = new Faults()
  const { period_from, period_to } = write
  const partnership = await partnershipNamed(tx, write, faults)
  const template_code = write.template_code ?? 'partnership-review'
  const templateVersion = await versionOf(tx, template_code, current, faults)
  if (period_to < period_from) {
    faults.add('/period_to', 'order', `The period ends on ${period_to}, before it begins on ${period_from}.`)
  }
  const times = await instantsSpelt(tx, write.opens_at ?? null, write.closes_at ?? null)
  if (times.opens_at !== null && times.closes_at !== null && microsOf(times.closes_at) <= microsOf(times.opens_at)) {
    faults.add('/closes_at', 'order', 'The round closes after it opens.')
  }
  const response_mode = write.response_mode ?? 'organisation'
  if (response_mode === 'organisation' && write.minimum_per_side != null) {
    const detail = 'Where parties answer in their own name there is no minimum: leave it out, or choose individual.'
    faults.add('/minimum_per_side', 'exclusive', detail)
  }
  checkMetadata(write.metadata, faults)
  faults.refuse()
  if (!partnership) throw new Error('A partnership without a fault is there')
  const state = {
    partnership_id: partnership.id,
    kind: write.kind,
    template_code,
    title: write.title ?? null,
    period_from,
    period_to,
    ...times,
    response_mode,
    minimum_per_side: response_mode === 'individual' ? (write.minimum_per_side ?? leastPerSide) : null,
    external_refs: completeRefs(write.external_refs),
    metadata: write.metadata ?? {},
  }
  return { state, partnership, templateVersion }
}

/** The partnership that a write names, held in the state that it is in. */
async function partnershipNamed(
  tx: Tx,
  { partnership_id, partnership_ref }: EvaluationWrite,
  faults: Faults,
): Promise<PartnershipContext | undefined> {
  const at = { pointer: '', member: 'partnership', required: true }
  const id = await resolveNaming(tx, 'partnership', { id: partnership_id, ref: partnership_ref }, at, faults)
  if (id === null) return undefined
  const partnership = await holdPartnership(tx, { id })
  if (!partnership) faults.add('/partnership_id', 'unknown_reference', `There is no partnership ${id}.`)
  return partnership
}

/** The latest version of the template that a round is to be held on. */
async function versionOf(tx: Tx, code: string, current: EvaluationState | undefined, faults: Faults): Promise<number> {
  const template = await holdTemplate(tx, code)
  if (!template) {
    faults.add('/template_code', 'unknown_reference', `There is no template ${code}: see /v1/evaluation-templates.`)
  } else if (template.subject !== 'partnership') {
    faults.add('/template_code', 'wrong_subject', `${code} judges an organisation, not a partnership.`)
  } else if (template.status === 'retired' && code !== current?.template_code) {
    faults.add('/template_code', 'retired', `${code} is retired: no further round is planned on it.`)
  }
  return template?.version ?? 0
}
