import { microsOf } from '../../core/clock.ts'
import { dateIn } from '../../core/dates.ts'
import type { IfMatch } from '../../core/etag.ts'
import { newId } from '../../core/ids.ts'
import { checkMetadata } from '../../core/metadata.ts'
import { Faults, Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { record, unchanged } from '../../platform/events.ts'
import { recordStatusChange } from '../../platform/history.ts'
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
import { disruptionNamed } from '../disruptions/read.ts'
import { holdTemplate } from '../evaluation-templates/read.ts'
import { closeAtDeadline } from './deadline.ts'
import { requireChangeable, requireSubjectState } from './lifecycle.ts'
import type { Evaluation, EvaluationState, EvaluationWrite } from './schemas.ts'
import { evaluationInsert, evaluationUpdate, instantsSpelt } from './store.ts'
import { type Subject, subjectNamed, subjectTypeOf } from './subject.ts'
import { evaluationResource } from './view.ts'

export { carryOut, decisionNamed, linkAmendment, requireUnsettled } from './carrying-out.ts'
export type { EvaluationDecision } from './decision-schemas.ts'
export { forgetContact } from './erasure.ts'
export { moveReadiness } from './merging.ts'

/** The questionnaire of the service on which a round is held where none is named. */
const builtIn: Readonly<Record<Subject['type'], string>> = {
  partnership: 'partnership-review',
  organisation: 'alliance-readiness',
}

/** The fewest answers with which a side is shown, where nobody asks for more. */
const leastPerSide = 3

export async function createEvaluation(tx: Tx, write: EvaluationWrite): Promise<Outcome> {
  const id = newId()
  const { state, subject, templateVersion } = await checked(tx, write)
  requireSubjectState(state.kind, subject)
  const side = subject.type === 'organisation' ? (subject.seats[0]?.side ?? null) : null
  await evaluationInsert(tx, id, state, { version: templateVersion, side })
  await insertExternalRefs(tx, 'evaluation', id, state.external_refs)
  const on = dateIn(subject.time_zone, tx.now)
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
  const { state: next, subject, templateVersion } = await checked(tx, revise(current), current)
  const changed = changedMembers(current, next)
  if (changed.length === 0) return unchanged(tx, evaluationResource, id)
  requireChangeable(evaluation.status, changed)
  if (changed.includes('kind')) requireSubjectState(next.kind, subject)
  if (evaluation.status === 'open') {
    requireLater(current.closes_at, next.closes_at)
    requireNotLowered(current.minimum_per_side, next.minimum_per_side)
    if (changed.includes('closes_at')) await closeAtDeadline(tx, id, next.closes_at)
  }
  const version = evaluation.status === 'planned' ? templateVersion : evaluation.template_version
  await evaluationUpdate(tx, id, next, version)
  if (changed.includes('external_refs')) await writeExternalRefs(tx, 'evaluation', id, next.external_refs)
  const beside = version === evaluation.template_version ? [] : ['template_version']
  return record(tx, { resource: evaluationResource, id, verb: 'updated', changed: [...changed, ...beside] })
}

export async function upsertEvaluation(
  tx: Tx,
  ref: { system: string; id: string },
  write: EvaluationWrite,
  ifMatch: IfMatch,
): Promise<Upsert> {
  return upsertByRef(tx, 'evaluation', ref, {
    ifMatch,
    create: () => createEvaluation(tx, { ...write, external_refs: refsWith(ref, write.external_refs ?? []) }),
    replace: (id) =>
      reviseEvaluation(tx, id, ifMatch, (current) => ({
        ...write,
        external_refs: refsWith(ref, write.external_refs ?? current.external_refs ?? []),
      })),
  })
}

function stateOf(evaluation: Evaluation): EvaluationState {
  const { partnership_id, organisation_id, kind, disruption_id, template_code, title } = evaluation
  const { period_from, period_to, opens_at, closes_at } = evaluation
  const { response_mode, minimum_per_side, external_refs, metadata } = evaluation
  return {
    partnership_id,
    organisation_id,
    kind,
    disruption_id,
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
  subject: Subject
  templateVersion: number
}

/** The complete state that a write asks for. @throws Problem that names every rule it breaks */
async function checked(tx: Tx, write: EvaluationWrite, current?: EvaluationState): Promise<Checked> {
  const faults = new Faults()
  const { period_from, period_to } = write
  const type = subjectTypeOf(write)
  const subject = await subjectNamed(tx, write, faults)
  const disruption_id = await disruptionNamed(tx, write, faults)
  if (write.kind !== 'disruption' && (write.disruption_id != null || write.disruption_ref != null)) {
    const member = write.disruption_id == null ? 'disruption_ref' : 'disruption_id'
    faults.add(`/${member}`, 'exclusive', 'Only a round of the kind disruption is held about one: leave it out.')
  }
  const template_code = write.template_code ?? builtIn[type]
  const templateVersion = await versionOf(tx, template_code, { type, current }, faults)
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
  if (!subject) throw new Error('A subject without a fault is there')
  const state = {
    partnership_id: type === 'partnership' ? subject.id : null,
    organisation_id: type === 'organisation' ? subject.id : null,
    kind: write.kind,
    disruption_id,
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
  return { state, subject, templateVersion }
}

/** The latest version of the template that a round is to be held on. */
async function versionOf(
  tx: Tx,
  code: string,
  { type, current }: { type: Subject['type']; current: EvaluationState | undefined },
  faults: Faults,
): Promise<number> {
  const template = await holdTemplate(tx, code)
  if (!template) {
    faults.add('/template_code', 'unknown_reference', `There is no template ${code}: see /v1/evaluation-templates.`)
  } else if (template.subject !== type) {
    const [asks, not] =
      type === 'partnership' ? ['an organisation', 'a partnership'] : ['a partnership', 'an organisation']
    faults.add('/template_code', 'wrong_subject', `${code} judges ${asks}, not ${not}.`)
  } else if (template.status === 'retired' && code !== current?.template_code) {
    faults.add('/template_code', 'retired', `${code} is retired: no further round is planned on it.`)
  }
  return template?.version ?? 0
}
