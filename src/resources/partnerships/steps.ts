import { dateIn } from '../../core/dates.ts'
import type { IfMatch } from '../../core/etag.ts'
import { Faults, Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import type { EventVerb } from '../../platform/event-types.ts'
import { record, unchanged } from '../../platform/events.ts'
import { recordStatusChange } from '../../platform/history.ts'
import type { Outcome } from '../../platform/resource.ts'
import { loadForUpdate } from '../../platform/writes.ts'
import { pauseCommitmentsOf, resumeCommitmentsOf } from '../commitments/commands.ts'
import { openCommitments, sidesThatPromised } from '../commitments/read.ts'
import { exitEvaluationConcluded } from '../evaluations/read.ts'
import { beginPause, endPause } from '../pauses/commands.ts'
import type { PauseEnd, PauseStart } from '../pauses/schemas.ts'
import {
  checkActivation,
  checkProposal,
  type PartnershipStep,
  partnershipSteps,
  requirePartnershipStep,
} from './lifecycle.ts'
import { assentSet, assentsClear } from './party-store.ts'
import { checkOrder } from './rules.ts'
import type { Partnership, PartnershipStatus } from './schemas.ts'
import type { Activate, AssentWrite, Decline, End, KeepOn, WindDown, Withdraw } from './step-schemas.ts'
import { partnershipSet } from './store.ts'
import { partnershipResource } from './view.ts'

interface Taken {
  partnership: Partnership
  /** In the time zone of the partnership. */
  today: string
}

/** Locks the partnership for a step that its state allows. */
async function take(tx: Tx, id: string, ifMatch: IfMatch, name: PartnershipStep): Promise<Taken> {
  const partnership = await loadForUpdate(tx, partnershipResource, id, ifMatch)
  requirePartnershipStep(name, partnership.status)
  return { partnership, today: dateIn(partnership.time_zone, tx.now) }
}

interface Move {
  step: PartnershipStep
  /** What happened, in the name of the event. */
  verb: EventVerb
  /** The day it counts from. */
  on: string
  to?: PartnershipStatus
  columns?: Parameters<typeof partnershipSet>[2]
  /** The members that it changes beside the state and those columns. */
  beside?: readonly string[]
  reason?: string | null | undefined
  decidedByPartyId?: string | null | undefined
}

/** Moves the partnership to the state that the step leads to, and keeps it in its history. */
async function move(tx: Tx, { id, version, status: from }: Partnership, step: Move): Promise<Outcome> {
  const { columns = {}, beside = [], reason = null, decidedByPartyId = null } = step
  const to = step.to ?? partnershipSteps[step.step].to
  await Promise.all([
    partnershipSet(tx, id, { ...columns, status: to }),
    recordStatusChange(tx, {
      type: 'partnership',
      id,
      version: version + 1,
      from,
      to,
      on: step.on,
      decidedByPartyId,
      reason,
    }),
  ])
  const changed = ['status', ...Object.keys(columns), ...beside]
  return record(tx, { resource: partnershipResource, id, verb: step.verb, changed })
}

/** Refuses a party that is not of the partnership. */
function checkParty({ parties }: Partnership, member: string, id: string | null | undefined, faults: Faults): void {
  if (id == null || parties.some((party) => party.id === id.toLowerCase())) return
  faults.add(`/${member}`, 'unknown_reference', `The partnership has no party ${id}.`)
}

export async function proposePartnership(tx: Tx, id: string, ifMatch: IfMatch): Promise<Outcome> {
  const { partnership, today } = await take(tx, id, ifMatch, 'propose')
  const faults = new Faults()
  checkProposal(partnership, today, faults)
  faults.refuse('condition_unmet')
  return move(tx, partnership, { step: 'propose', verb: 'proposed', on: today })
}

/** Takes a proposal back to draft. The assents were to that proposal, and go with it. */
export async function withdrawPartnership(tx: Tx, id: string, ifMatch: IfMatch, body: Withdraw): Promise<Outcome> {
  const { partnership, today } = await take(tx, id, ifMatch, 'withdraw')
  const { reason, party_id: decidedByPartyId } = body
  refuseForeign(partnership, decidedByPartyId)
  await assentsClear(tx, id)
  const beside = ['parties']
  return move(tx, partnership, { step: 'withdraw', verb: 'withdrawn', on: today, beside, reason, decidedByPartyId })
}

export async function declinePartnership(tx: Tx, id: string, ifMatch: IfMatch, body: Decline): Promise<Outcome> {
  const { partnership, today } = await take(tx, id, ifMatch, 'decline')
  const { reason, party_id: decidedByPartyId } = body
  refuseForeign(partnership, decidedByPartyId)
  const columns = { decline_reason: reason }
  return move(tx, partnership, { step: 'decline', verb: 'declined', on: today, columns, reason, decidedByPartyId })
}

function refuseForeign(partnership: Partnership, partyId: string | null | undefined): void {
  const faults = new Faults()
  checkParty(partnership, 'party_id', partyId, faults)
  faults.refuse()
}

/** Keeps the assent of one party. The same again changes nothing; another one in its place is refused. */
export async function assentToPartnership(tx: Tx, id: string, ifMatch: IfMatch, body: AssentWrite): Promise<Outcome> {
  const { partnership, today } = await take(tx, id, ifMatch, 'assent')
  const { note = null } = body
  const on = body.on ?? today
  const recordedByPartyId = body.recorded_by_party_id?.toLowerCase() ?? null
  const faults = new Faults()
  checkParty(partnership, 'party_id', body.party_id, faults)
  checkParty(partnership, 'recorded_by_party_id', recordedByPartyId, faults)
  if (on > today) faults.add('/on', 'in_future', `The assent is of a day to come (${on}); today is ${today}.`)
  faults.refuse()
  const party = partnership.parties.find((candidate) => candidate.id === body.party_id.toLowerCase())
  if (party?.assent) {
    const { on: day, recorded_by_party_id, note: text } = party.assent
    const isSame =
      (body.on ?? day) === day && recordedByPartyId === recorded_by_party_id && (body.note ?? text) === text
    if (isSame) return unchanged(tx, partnershipResource, id)
    const detail = `The party ${party.id} assented on ${day} already. Withdraw the proposal to clear all assents.`
    throw new Problem('state_forbids', detail)
  }
  await Promise.all([assentSet(tx, body.party_id, { on, recordedByPartyId, note }), partnershipSet(tx, id, {})])
  return record(tx, { resource: partnershipResource, id, verb: 'assented', changed: ['parties'] })
}

export async function activatePartnership(tx: Tx, id: string, ifMatch: IfMatch, body: Activate): Promise<Outcome> {
  const { partnership, today } = await take(tx, id, ifMatch, 'activate')
  const startsOn = body.starts_on ?? partnership.starts_on
  if (partnership.starts_on !== null && startsOn !== partnership.starts_on) {
    const detail = `The parties assented to a start on ${partnership.starts_on}: withdraw the proposal to change it.`
    throw new Problem('agreed_terms', detail, { errors: [{ pointer: '/starts_on', code: 'agreed_terms', detail }] })
  }
  const waiver = body.reciprocity_waiver ?? null
  const faults = new Faults()
  const activated = { ...partnership, starts_on: startsOn, reciprocity_waiver: waiver }
  checkActivation(activated, today, await sidesThatPromised(tx, id), faults)
  checkOrder('', ['starts_on', startsOn], ['ends_on', partnership.ends_on], faults)
  faults.refuse('condition_unmet')
  const columns = { starts_on: startsOn, reciprocity_waiver: waiver }
  return move(tx, partnership, { step: 'activate', verb: 'activated', on: startsOn ?? today, columns })
}

export async function pausePartnership(tx: Tx, id: string, ifMatch: IfMatch, body: PauseStart): Promise<Outcome> {
  const { partnership, today } = await take(tx, id, ifMatch, 'pause')
  const partyIds = partnership.parties.map((party) => party.id)
  const on = await beginPause(tx, { partnershipId: id, commitmentId: null }, body, {
    partyIds,
    today,
  })
  const { reason, initiated_by_party_id: decidedByPartyId } = body
  const beside = ['pause']
  const outcome = await move(tx, partnership, { step: 'pause', verb: 'paused', on, beside, reason, decidedByPartyId })
  await pauseCommitmentsOf(tx, id, { on, reason, partyId: decidedByPartyId.toLowerCase() })
  return outcome
}

export async function resumePartnership(tx: Tx, id: string, ifMatch: IfMatch, body: PauseEnd): Promise<Outcome> {
  const { partnership, today } = await take(tx, id, ifMatch, 'resume')
  const { pause } = partnership
  // What was taken over as paused has no pause here: only that it goes on is recorded.
  const on = pause ? await endPause(tx, pause, body, today) : (body.resumed_on ?? today)
  const outcome = await move(tx, partnership, { step: 'resume', verb: 'resumed', on, beside: ['pause'] })
  await resumeCommitmentsOf(tx, id, { on })
  return outcome
}

/** Begins the end of a partnership. A pause that is open stays so: keeping on leads back into it. */
export async function windDownPartnership(tx: Tx, id: string, ifMatch: IfMatch, body: WindDown): Promise<Outcome> {
  const { partnership, today } = await take(tx, id, ifMatch, 'wind-down')
  const { end_reason, party_id: decidedByPartyId } = body
  const endsOn = body.ends_on ?? partnership.ends_on
  const faults = new Faults()
  if (endsOn === null) faults.add('/ends_on', 'ends_on', 'Say in ends_on which day is the last.')
  checkOrder('', ['starts_on', partnership.starts_on], ['ends_on', endsOn], faults)
  checkParty(partnership, 'party_id', decidedByPartyId, faults)
  faults.refuse('condition_unmet')
  const columns = { ends_on: endsOn, end_reason }
  const reason = end_reason
  return move(tx, partnership, { step: 'wind-down', verb: 'wound_down', on: today, columns, reason, decidedByPartyId })
}

/** How many open commitments a refusal lists. */
const listedMax = 100

export async function endPartnership(tx: Tx, id: string, ifMatch: IfMatch, body: End): Promise<Outcome> {
  const { partnership, today } = await take(tx, id, ifMatch, 'end')
  const waiver = body.exit_evaluation_waiver ?? null
  const [open, isEvaluated] = await Promise.all([openCommitments(tx, id, listedMax), exitEvaluationConcluded(tx, id)])
  const faults = new Faults()
  if (open.length > 0) {
    const named = open
      .slice(0, 10)
      .map(({ id: commitmentId, title, status }) => `"${title}" (${commitmentId}, ${status})`)
    const others = open.length > named.length ? ' and others' : ''
    const detail = `Commitments are still open: ${named.join(', ')}${others}. Bring each to an end.`
    faults.add('', 'commitments_open', detail)
  }
  if (!isEvaluated && waiver === null) {
    const detail = 'No exit evaluation is concluded: conclude one, or say in exit_evaluation_waiver why not.'
    faults.add('/exit_evaluation_waiver', 'exit_evaluation', detail)
  }
  faults.refuse('condition_unmet', open.length > 0 ? { open_commitments: open } : {})
  const { ends_on, end_reason: reason } = partnership
  const on = ends_on !== null && ends_on < today ? ends_on : today
  return move(tx, partnership, { step: 'end', verb: 'ended', on, columns: { exit_evaluation_waiver: waiver }, reason })
}

export async function keepOnPartnership(tx: Tx, id: string, ifMatch: IfMatch, body: KeepOn): Promise<Outcome> {
  const { partnership, today } = await take(tx, id, ifMatch, 'keep-on')
  const endsOn = body.ends_on ?? null
  const faults = new Faults()
  checkOrder('', ['starts_on', partnership.starts_on], ['ends_on', endsOn], faults)
  faults.refuse()
  const columns = { ends_on: endsOn, end_reason: null }
  const to = partnership.pause ? 'paused' : 'active'
  return move(tx, partnership, { step: 'keep-on', verb: 'kept_on', on: today, to, columns })
}
