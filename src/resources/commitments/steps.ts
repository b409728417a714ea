import type { IfMatch } from '../../core/etag.ts'
import { requireNamedStep } from '../../core/lifecycle.ts'
import { Faults, Problem } from '../../core/problem.ts'
import { requireDecider } from '../../core/sides.ts'
import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { recordStatusChange } from '../../platform/history.ts'
import type { Outcome } from '../../platform/resource.ts'
import { disruptionNamed } from '../disruptions/read.ts'
import { createInstalments, refreshInstalments, resumeInstalments } from '../instalments/commands.ts'
import { beginPause, endPause } from '../pauses/commands.ts'
import { openPause } from '../pauses/read.ts'
import type { PauseEnd, PauseStart } from '../pauses/schemas.ts'
import { refuseIfOver } from './checks.ts'
import { type Held, loadCommitment } from './held.ts'
import { decidersOf, derivedBy, derivedByInstalments, lifecycle, type StepName, steps } from './lifecycle.ts'
import { renewNaming } from './naming.ts'
import { wasAgreed } from './origin.ts'
import type { Agreeing, Decision, PromiserStep } from './step-schemas.ts'
import { commitmentKept, commitmentStep, type StepChange } from './store.ts'
import { commitmentResource } from './view.ts'

/** Who decides a step: the party, and the member of the body that names it. */
interface Decider {
  partyId: string
  member: 'party_id' | 'initiated_by_party_id'
}

/**
 * Whatever else a step needs, its state comes first; then the partnership's; then who decides.
 * @throws Problem `transition_not_allowed`, `state_forbids` or `wrong_party`
 */
export function requireCommitmentStep({ commitment, partnership }: Held, name: StepName, decider?: Decider): void {
  const step = steps[name]
  requireNamedStep(lifecycle, name, step, commitment.status)
  if (step.opens) refuseIfOver(partnership)
  if (decider) requireDecider(decider.member, decider.partyId, decidersOf(step.by, commitment, partnership.parties))
}

export interface Taken {
  /** The day it counts from. */
  on: string
  partyId?: string | null | undefined
  reason?: string | null | undefined
  disruptionId?: string | null
  change?: Omit<StepChange, 'status'>
}

/** Writes a step that may be taken, its history and its event; and where nothing is outstanding then, that it is kept. */
export async function writeStep(
  tx: Tx,
  { commitment }: Pick<Held, 'commitment'>,
  name: StepName,
  taken: Taken,
): Promise<Outcome> {
  const { to, verb } = steps[name]
  const { id, version, status } = commitment
  const { on, partyId = null, reason = null, disruptionId = null, change = {} } = taken
  await commitmentStep(tx, id, { ...change, status: to })
  const told = { type: 'commitment', id, on, decidedByPartyId: partyId, disruptionId }
  await recordStatusChange(tx, { ...told, version: version + 1, from: status, to, reason })
  const account = await actOnInstalments(tx, commitment, name, on)
  const changed = new Set(['status', ...Object.keys(change).map(memberOf), ...derivedBy(status, to)])
  if (status === 'paused' || to === 'paused') changed.add('pause')
  if (account?.isChanged) for (const member of derivedByInstalments) changed.add(member)
  const outcome = record(tx, { resource: commitmentResource, id, verb, changed: [...changed] })
  if (status === 'draft' || to === 'draft') await renewNaming(tx, id)
  return account?.isKept && to === 'agreed' ? keep(tx, id, version + 2, on) : outcome
}

/** An agreement makes the instalments; what closes, pauses or revives a commitment acts on them. */
async function actOnInstalments(tx: Tx, { id, measure, schedule }: Held['commitment'], name: StepName, on: string) {
  if (name === 'agree') {
    await createInstalments(tx, id, { measure, schedule }, { status: 'agreed', agreed_on: on, closed_on: null })
  }
  if (name === 'agree' || !wasAgreed(steps[name].to)) return undefined
  const [account] = name === 'resume' ? await resumeInstalments(tx, id, on) : await refreshInstalments(tx, [id])
  return account
}

const memberOf = (column: string): string => (/^agree(d_by|ment)_/.test(column) ? 'agreement' : column)

/** What is agreed when everything that was promised had been delivered already is kept at once. */
export function keep(tx: Tx, id: string, version: number, on: string): Outcome {
  tx.atCommit(async () => {
    await Promise.all([
      commitmentKept(tx, id, on),
      recordStatusChange(tx, { type: 'commitment', id, version, from: 'agreed', to: 'fulfilled', on }),
    ])
  })
  return record(tx, { resource: commitmentResource, id, verb: 'fulfilled', changed: ['status', 'closed_on'] })
}

export async function proposeCommitment(tx: Tx, id: string, ifMatch: IfMatch, body: PromiserStep): Promise<Outcome> {
  return stepOfPromiser(tx, id, ifMatch, 'propose', body)
}

export async function withdrawCommitment(tx: Tx, id: string, ifMatch: IfMatch, body: PromiserStep): Promise<Outcome> {
  return stepOfPromiser(tx, id, ifMatch, 'withdraw', body)
}

async function stepOfPromiser(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  name: 'propose' | 'withdraw',
  { party_id }: PromiserStep,
): Promise<Outcome> {
  const held = await loadCommitment(tx, id, ifMatch)
  const partyId = party_id?.toLowerCase() ?? held.commitment.from_party_id
  requireCommitmentStep(held, name, { partyId, member: 'party_id' })
  return writeStep(tx, held, name, { on: held.today, partyId })
}

/** The promiser consented by proposing; with the consent of the other side the commitment is agreed. */
export async function agreeCommitment(tx: Tx, id: string, ifMatch: IfMatch, body: Agreeing): Promise<Outcome> {
  const held = await loadCommitment(tx, id, ifMatch)
  const partyId = body.party_id.toLowerCase()
  requireCommitmentStep(held, 'agree', { partyId, member: 'party_id' })
  const recordedBy = body.recorded_by_party_id?.toLowerCase() ?? null
  const on = body.on ?? held.today
  const faults = new Faults()
  if (recordedBy !== null && !held.partnership.parties.some((party) => party.id === recordedBy)) {
    faults.add('/recorded_by_party_id', 'unknown_reference', 'This is no party of the partnership.')
  }
  if (on > held.today)
    faults.add('/on', 'in_future', `Today is ${held.today}: an agreement is recorded once it is there.`)
  faults.refuse()
  const change = {
    agreed_on: on,
    agreed_by_party_id: partyId,
    agreement_recorded_by_party_id: recordedBy,
    agreement_note: body.note ?? null,
  }
  return writeStep(tx, held, 'agree', { on, partyId, reason: body.note, change })
}

/** Pauses one commitment by itself. */
export async function pauseCommitment(tx: Tx, id: string, ifMatch: IfMatch, body: PauseStart): Promise<Outcome> {
  const held = await loadCommitment(tx, id, ifMatch)
  const partyId = body.initiated_by_party_id.toLowerCase()
  requireCommitmentStep(held, 'pause', { partyId, member: 'initiated_by_party_id' })
  const partyIds = held.partnership.parties.map((party) => party.id)
  const on = await beginPause(tx, scopeOf(held), body, {
    partyIds,
    today: held.today,
  })
  return writeStep(tx, held, 'pause', { on, partyId, reason: body.reason })
}

/**
 * Ends the pause of one commitment. While its partnership is paused only an exempt one goes on.
 * @throws Problem `state_forbids`
 */
export async function resumeCommitment(tx: Tx, id: string, ifMatch: IfMatch, body: PauseEnd): Promise<Outcome> {
  const held = await loadCommitment(tx, id, ifMatch)
  requireCommitmentStep(held, 'resume')
  if (held.partnership.status === 'paused' && !held.commitment.pause_exempt) {
    const detail = 'The partnership is paused, and this with it: resume that, or set pause_exempt here first.'
    throw new Problem('state_forbids', detail, { members: { partnership_status: 'paused' } })
  }
  // What was paused with its partnership, or taken over so, has no pause of its own: only that it goes on is recorded.
  const on = (await endOwnPause(tx, held, body)) ?? body.resumed_on ?? held.today
  return writeStep(tx, held, 'resume', { on })
}

const scopeOf = ({ commitment, partnership }: Held) => ({ partnershipId: partnership.id, commitmentId: commitment.id })

/** @returns the day on which the commitment's own pause ends; undefined where it has none */
export async function endOwnPause(tx: Tx, held: Held, end: PauseEnd): Promise<string | undefined> {
  const pause = await openPause(tx, scopeOf(held))
  return pause && endPause(tx, pause, end, held.today)
}

/** A promise lapses by circumstances, which are told: by a disruption or by a text. @throws Problem that says so */
async function causeOf(tx: Tx, body: Decision): Promise<string | null> {
  const faults = new Faults()
  const disruptionId = await disruptionNamed(tx, body, faults)
  if (body.reason == null && body.disruption_id == null && body.disruption_ref == null) {
    faults.add('/reason', 'required', 'Say what made it impossible: in reason, or by a disruption.')
  }
  faults.refuse()
  return disruptionId
}

type Decided = 'decline' | 'lapse' | 'reinstate' | 'release' | 'cancel'

/** A step that one party decides and gives its reason for. */
export const decide =
  (name: Decided) =>
  async (tx: Tx, id: string, ifMatch: IfMatch, body: Decision): Promise<Outcome> => {
    const { party_id, reason } = body
    const held = await loadCommitment(tx, id, ifMatch)
    const partyId = party_id.toLowerCase()
    requireCommitmentStep(held, name, { partyId, member: 'party_id' })
    const disruptionId = name === 'lapse' ? await causeOf(tx, body) : null
    // What ends while it is paused is not paused any more.
    if (held.commitment.status === 'paused') await endOwnPause(tx, held, {})
    const change =
      name === 'reinstate'
        ? { closed_on: null, close_reason: null, disruption_id: null }
        : {
            ...{ closed_on: held.today, close_reason: reason ?? null },
            ...(name === 'lapse' ? { disruption_id: disruptionId } : {}),
          }
    return writeStep(tx, held, name, { on: held.today, partyId, reason, disruptionId, change })
  }
