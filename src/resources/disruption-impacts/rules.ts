import { addDays } from '../../core/dates.ts'
import type { Faults } from '../../core/problem.ts'
import type { DisruptionContext } from '../disruptions/read.ts'
import type { PartnershipContext } from '../partnerships/read.ts'
import type { Impact } from './schemas.ts'

/** How long after a high impact the evaluation that it asks for is due, in days. */
export const evaluationDueDays = 30

type Obligation = Pick<Impact, 'evaluation_obligation' | 'evaluation_due_on'>

/**
 * Whether an impact asks for an evaluation: a high or critical one on a partnership that is active. An evaluation that
 * was closed since meets it; a reason why not waives it.
 */
export function obligationOf(impact: {
  severity: Impact['severity']
  assessedOn: string
  isActive: boolean
  isEvaluated: boolean
  waiver: string | null
}): Obligation {
  const isHigh = impact.severity === 'high' || impact.severity === 'critical'
  if (!isHigh || !impact.isActive) return { evaluation_obligation: 'none', evaluation_due_on: null }
  const met = impact.isEvaluated ? 'met' : impact.waiver === null ? 'open' : 'waived'
  return { evaluation_obligation: met, evaluation_due_on: addDays(impact.assessedOn, evaluationDueDays) }
}

/** States in which a partnership can be hit: it is being made, or it lives. */
export const hittable: readonly string[] = ['proposed', 'active', 'paused', 'ending']

export interface Days {
  assessedOn: string
  today: string
  respondedOn: string | null
  responseDueOn: string | null
  response: Impact['response']
}

/** The days of an assessment: within the disruption, not to come, and a response by a day. */
export function checkDays(days: Days, disruption: DisruptionContext, faults: Faults): void {
  const { assessedOn, today, respondedOn, responseDueOn, response } = days
  if (assessedOn > today) faults.add('/assessed_on', 'in_future', `assessed_on may not be after today (${today}).`)
  if (assessedOn < disruption.started_on) {
    faults.add('/assessed_on', 'before_start', `The disruption began on ${disruption.started_on}.`)
  }
  if (disruption.ended_on !== null && assessedOn > disruption.ended_on) {
    faults.add('/assessed_on', 'after_end', `The disruption ended on ${disruption.ended_on}.`)
  }
  if (response !== 'none_needed' && responseDueOn === null) {
    faults.add('/response_due_on', 'required', `Say by which day the response "${response}" is due.`)
  }
  if (responseDueOn !== null && responseDueOn < assessedOn) {
    faults.add('/response_due_on', 'before_assessment', `The response cannot be due before ${assessedOn}.`)
  }
  if (respondedOn !== null && (respondedOn < assessedOn || respondedOn > today)) {
    faults.add('/responded_on', 'out_of_range', `The response was carried out from ${assessedOn} to ${today}.`)
  }
}

/** The party that is hit takes part in the partnership. */
export function checkHitParty(partnership: PartnershipContext, partyId: string | null, faults: Faults): void {
  if (partyId === null || partnership.parties.some(({ id }) => id === partyId)) return
  faults.add('/hit_party_id', 'unknown_reference', `The partnership has no party ${partyId}.`)
}

type Carrier =
  | 'response_pause_id'
  | 'response_commitment_id'
  | 'response_substitution_id'
  | 'response_amendment_id'
  | 'response_evaluation_id'

/** What may carry each response out. An evaluation may stand beside any: it meets the obligation to hold one. */
export const carriersOf: Readonly<Record<Impact['response'], readonly Carrier[]>> = {
  none_needed: [],
  step_back: ['response_pause_id', 'response_amendment_id'],
  pause: ['response_pause_id'],
  substitute: ['response_substitution_id', 'response_commitment_id'],
  extra_support: ['response_commitment_id'],
  renegotiate: ['response_amendment_id'],
  end: ['response_amendment_id'],
}

/** What carried the response out is of a kind that does. */
export function checkKinds(
  write: Pick<Impact, 'response'>,
  carriers: Readonly<Record<Carrier, string | null>>,
  faults: Faults,
): void {
  const { response } = write
  const possible: readonly Carrier[] = [...carriersOf[response], 'response_evaluation_id']
  for (const [member, id] of Object.entries(carriers) as [Carrier, string | null][]) {
    if (id === null || possible.includes(member)) continue
    const detail = `The response "${response}" is carried out by ${possible.join(' or ')}: leave this out, or say another response.`
    faults.add(pointerTo(write, member), 'wrong_kind', detail)
  }
}

/** Where a write names a record: by our id, or by the client's own. */
export function pointerTo(write: object, member: string): string {
  const byRef = member.replace(/_id$/, '_ref')
  return `/${(write as Readonly<Record<string, unknown>>)[byRef] == null ? member : byRef}`
}
