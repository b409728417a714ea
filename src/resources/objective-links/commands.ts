import { dateIn, dayBeside } from '../../core/dates.ts'
import type { FaultCode } from '../../core/fault-codes.ts'
import { newId } from '../../core/ids.ts'
import { checkMetadata } from '../../core/metadata.ts'
import { Faults } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { resolveNaming } from '../../platform/references.ts'
import type { Outcome } from '../../platform/resource.ts'
import { evaluationIsOf } from '../evaluations/read.ts'
import { holdPartnership, type PartnershipContext } from '../partnerships/read.ts'
import type { ObjectiveLinkCreate } from './schemas.ts'
import { currentLink, type LinkedObjective, linkedObjectiveLock, linkInsert, linkSupersede } from './store.ts'
import { objectiveLinkResource } from './view.ts'

/**
 * Assesses what a partnership contributes to an objective. An earlier assessment of the same two is superseded from
 * the new one's day on; what counted on any earlier day stays known.
 */
export async function createObjectiveLink(tx: Tx, write: ObjectiveLinkCreate): Promise<Outcome> {
  const { partnership, objectiveId, objective, evaluationId } = await named(tx, write)
  const today = dayBeside(dateIn(partnership.time_zone, tx.now), objective.active_from, tx.now)
  const assessedOn = write.assessed_on ?? today
  const former = await currentLink(tx, partnership.id, objectiveId)

  const faults = new Faults()
  checkSide(partnership, objective, assessedOn, faults)
  checkDay({ assessedOn, today, objective, formerOn: former?.assessed_on }, faults)
  if (evaluationId !== null && !(await evaluationIsOf(tx, partnership.id, evaluationId))) {
    const member = write.evaluation_ref ? '/evaluation_ref' : '/evaluation_id'
    faults.add(member, 'unknown_reference', `The partnership has no evaluation ${evaluationId}.`)
  }
  checkMetadata(write.metadata, faults)
  faults.refuse()

  const id = newId()
  if (former) {
    await linkSupersede(tx, former.id, { id, assessed_on: assessedOn })
    const changed = ['superseded_on', 'superseded_by_id']
    record(tx, { resource: objectiveLinkResource, id: former.id, verb: 'superseded', changed })
  }
  await linkInsert(tx, {
    id,
    partnership_id: partnership.id,
    objective_id: objectiveId,
    contribution: write.contribution,
    rationale: write.rationale ?? null,
    assessed_on: assessedOn,
    evaluation_id: evaluationId,
    metadata: JSON.stringify(write.metadata ?? {}),
  })
  const changed = ['partnership_id', 'objective_id', 'contribution', 'rationale', 'assessed_on', 'evaluation_id']
  return record(tx, { resource: objectiveLinkResource, id, verb: 'created', changed })
}

/** The partnership, the objective and the evaluation of a write, the objective locked. @throws Problem that names what is not there */
async function named(tx: Tx, write: ObjectiveLinkCreate) {
  const faults = new Faults()
  const naming = (member: 'partnership' | 'objective' | 'evaluation') =>
    resolveNaming(
      tx,
      member,
      { id: write[`${member}_id`], ref: write[`${member}_ref`] },
      { pointer: '', member, required: member !== 'evaluation' },
      faults,
    )
  const [partnershipId, objectiveId, evaluationId] = await Promise.all([
    naming('partnership'),
    naming('objective'),
    naming('evaluation'),
  ])
  const partnership = partnershipId === null ? undefined : await holdPartnership(tx, { id: partnershipId })
  const objective = objectiveId === null ? undefined : await linkedObjectiveLock(tx, objectiveId)
  if (partnershipId !== null && !partnership) {
    faults.add('/partnership_id', 'unknown_reference', `There is no partnership ${partnershipId}.`)
  }
  if (objectiveId !== null && !objective) {
    faults.add('/objective_id', 'unknown_reference', `There is no objective ${objectiveId}.`)
  }
  faults.refuse()
  return {
    partnership: partnership as PartnershipContext,
    objectiveId: objectiveId as string,
    objective: objective as LinkedObjective,
    evaluationId,
  }
}

/** Each side links its own objectives, while it takes part. */
function checkSide(partnership: PartnershipContext, objective: LinkedObjective, day: string, faults: Faults): void {
  const party = partnership.parties.find(({ organisation_id }) => organisation_id === objective.organisation_id)
  if (!party) {
    const detail = `The objective is of organisation ${objective.organisation_id}, which is no party of the partnership.`
    faults.add('/objective_id', 'no_party', detail)
  } else if (party.left_on !== null && party.left_on <= day) {
    const detail = `The organisation of the objective left the partnership on ${party.left_on}.`
    faults.add('/objective_id', 'party_left', detail)
  }
}

interface Day {
  assessedOn: string
  today: string
  objective: LinkedObjective
  formerOn: string | undefined
}

function checkDay({ assessedOn, today, objective, formerOn }: Day, faults: Faults): void {
  const { active_from, active_until } = objective
  const refuse = (code: FaultCode, detail: string) => faults.add('/assessed_on', code, detail)
  if (assessedOn > today) refuse('in_future', `assessed_on may not be after today (${today}).`)
  if (formerOn !== undefined && assessedOn < formerOn) {
    refuse(
      'before_former',
      `The contribution was last assessed on ${formerOn}: a new assessment is of that day or later.`,
    )
  }
  if (assessedOn < active_from || (active_until !== null && assessedOn > active_until)) {
    refuse(
      'inactive',
      `The objective counts from ${active_from} ${active_until === null ? 'on' : `to ${active_until}`}.`,
    )
  }
}
