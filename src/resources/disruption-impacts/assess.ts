import { dateIn, dayBeside } from '../../core/dates.ts'
import { newId } from '../../core/ids.ts'
import { Faults, notFound } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { type DisruptionContext, disruptionContext, holdDisruption } from '../disruptions/read.ts'
import { checkDays, obligationOf } from './rules.ts'
import type { ImpactAssessment, ImpactAssessmentResult, ImpactState } from './schemas.ts'
import { type HitParty, impactsInsert, partiesHit, partnershipsHold } from './store.ts'
import { impactResource } from './view.ts'

/** How many parties one call may assess: they are written in one transaction. */
export const assessedMax = 1000

/**
 * Gives every party that a filter finds the same assessment, in one transaction; parties that have one of this
 * disruption keep it. A dry run only lists them.
 */
export async function assessImpacts(
  tx: Tx,
  disruptionId: string,
  assessment: ImpactAssessment,
): Promise<ImpactAssessmentResult> {
  const { disruption, usualDay, day, hit } = await held(tx, disruptionId, assessment)

  const faults = new Faults()
  if (hit.length > assessedMax) {
    faults.add('/filter', 'too_many', `The filter finds more than ${assessedMax} parties: narrow it and call again.`)
  }
  const { response } = assessment
  const responseDueOn = assessment.response_due_on ?? null
  // The latest of the days that it is today for those who are hit.
  const today = hit.map(({ time_zone }) => dateIn(time_zone, tx.now)).reduce((a, b) => (a > b ? a : b), usualDay)
  checkDays({ assessedOn: day, today, respondedOn: null, responseDueOn, response }, disruption, faults)
  faults.refuse()

  const impacts = hit
    .filter(({ impact_id }) => impact_id === null)
    .map((party) => ({ id: newId(), party, state: stateOf(disruption.id, party, assessment, day) }))
  const added = assessment.dry_run ? new Set<string>() : await impactsInsert(tx, impacts)
  for (const id of added) record(tx, { resource: impactResource, id, verb: 'created', changed: recorded })
  const newIds = new Map(impacts.map(({ id, party }) => [party.hit_party_id, id]))
  return {
    dry_run: assessment.dry_run ?? false,
    matched: hit.length,
    created: added.size,
    data: hit.map((party) => rowOf(party, newIds.get(party.hit_party_id), added, assessment.dry_run ?? false)),
  }
}

/** Whom a disruption hits, all held. */
async function held(tx: Tx, id: string, { assessed_on, filter }: ImpactAssessment) {
  const found = async (disruption: DisruptionContext | undefined) => {
    if (!disruption) throw notFound()
    // The filter and the disruption have no time zone: where no day is given, what counts is the day in UTC.
    const usualDay = dayBeside(tx.now.slice(0, 10), disruption.started_on, tx.now)
    const day = assessed_on ?? usualDay
    return { disruption, usualDay, day, hit: await partiesHit(tx, disruption, filter ?? {}, day, assessedMax + 1) }
  }
  const { hit: seen } = await found(await disruptionContext(tx, id))
  const ids = await partnershipsHold(tx, seen)
  // Partnerships first, as everybody holds them: until then much may have changed.
  const now = await found(await holdDisruption(tx, id))
  return { ...now, hit: now.hit.filter(({ partnership_id }) => ids.has(partnership_id)) }
}

const recorded = ['disruption_id', 'partnership_id', 'hit_party_id', 'severity', 'effects', 'assessed_on', 'response']

function stateOf(disruptionId: string, party: HitParty, assessment: ImpactAssessment, day: string): ImpactState {
  const { severity, effects, response } = assessment
  const isActive = party.partnership_status === 'active'
  return {
    disruption_id: disruptionId,
    partnership_id: party.partnership_id,
    hit_party_id: party.hit_party_id,
    severity,
    effects,
    assessed_on: day,
    note: assessment.note ?? null,
    response,
    response_due_on: assessment.response_due_on ?? null,
    responded_on: null,
    response_pause_id: null,
    response_commitment_id: null,
    response_substitution_id: null,
    response_amendment_id: null,
    response_evaluation_id: null,
    ...obligationOf({ severity, assessedOn: day, isActive, isEvaluated: false, waiver: null }),
    evaluation_waiver: null,
    external_refs: [],
    metadata: {},
  }
}

type Row = ImpactAssessmentResult['data'][number]

function rowOf(party: HitParty, newId: string | undefined, added: ReadonlySet<string>, isDryRun: boolean): Row {
  const { partnership_status: _s, time_zone: _z, impact_id: existing, ...names } = party
  if (newId === undefined) return { ...names, outcome: 'exists', impact_id: existing }
  if (isDryRun) return { ...names, outcome: 'would_create', impact_id: null }
  // Another caller may have been quicker with this party.
  return added.has(newId)
    ? { ...names, outcome: 'created', impact_id: newId }
    : { ...names, outcome: 'exists', impact_id: null }
}
