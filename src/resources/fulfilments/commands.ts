import { asItIs, type IfMatch } from '../../core/etag.ts'
import { newId } from '../../core/ids.ts'
import { requireNamedStep } from '../../core/lifecycle.ts'
import { Faults, notFound, Problem } from '../../core/problem.ts'
import { requireDecider } from '../../core/sides.ts'
import { isPartner, type Tx } from '../../db/database.ts'
import type { EventVerb } from '../../platform/event-types.ts'
import { record, unchanged } from '../../platform/events.ts'
import { insertExternalRefs } from '../../platform/references.ts'
import type { Outcome } from '../../platform/resource.ts'
import { completeRefs, loadForUpdate, refsWith, type Upsert, upsertByRef } from '../../platform/writes.ts'
import { decidersOf, followLedger, type Held, loadCommitment } from '../commitments/commands.ts'
import { instalmentNamed } from '../instalments/read.ts'
import { checkDeclarer, checkedEntry, reporterOf, saidOtherwise } from './entry.ts'
import { confirmationLifecycle, confirmationSteps } from './lifecycle.ts'
import type { Confirming, Disputing, Fulfilment, FulfilmentWrite, Reversing } from './schemas.ts'
import { commitmentOfFulfilment, type FulfilmentEntry, fulfilmentChange, fulfilmentInsert } from './store.ts'
import { fulfilmentResource } from './view.ts'

/** Adds an entry to the ledger of a commitment that is in force; the other side is to confirm it. */
export async function reportFulfilment(tx: Tx, commitmentId: string, write: FulfilmentWrite): Promise<Outcome> {
  const held = await loadCommitment(tx, commitmentId)
  const { commitment } = held
  if (commitment.status !== 'agreed' && commitment.status !== 'paused') {
    const detail = `Deliveries are reported on a commitment that is agreed or paused; this one is ${commitment.status}.`
    throw new Problem('state_forbids', detail, { members: { from: commitment.status } })
  }
  const faults = new Faults()
  const reporter = await reporterOf(tx, held, write, faults)
  if (isPartner(tx))
    checkDeclarer(write.valuations, reporter === commitment.from_party_id ? 'giver' : 'receiver', faults)
  const instalment = await instalmentNamed(tx, commitmentId, write.instalment_seq)
  const entry = checkedEntry(held, write, reporter, instalment, faults)
  const id = newId()
  await insertExternalRefs(tx, 'fulfilment', id, completeRefs(write.external_refs))
  await fulfilmentInsert(tx, id, entry)
  const outcome = record(tx, { resource: fulfilmentResource, id, verb: 'created', changed: Object.keys(entry) })
  await followLedger(tx, held, { decidedByPartyId: reporter })
  return outcome
}

/**
 * Adds an entry that has the client's own id, or finds it there already. The ledger is not edited.
 * @throws Problem `state_forbids` where the entry of that id says something else
 */
export async function reportFulfilmentOnce(
  tx: Tx,
  commitmentId: string,
  ref: { system: string; id: string },
  write: FulfilmentWrite,
): Promise<Upsert> {
  return upsertByRef(tx, 'fulfilment', ref, {
    ifMatch: asItIs,
    create: () =>
      reportFulfilment(tx, commitmentId, { ...write, external_refs: refsWith(ref, write.external_refs ?? []) }),
    replace: async (id) => {
      const held = await loadCommitment(tx, commitmentId)
      const entry = await loadForUpdate(tx, fulfilmentResource, id)
      const said = await saidOtherwise(tx, held, entry, write)
      if (said.length === 0) return unchanged(tx, fulfilmentResource, id)
      const detail = `The entry ${ref.system}:${ref.id} says something else, and the ledger is not edited: reverse it.`
      throw new Problem('state_forbids', detail, {
        errors: said.map((member) => ({ pointer: `/${member}`, code: 'not_edited', detail })),
      })
    },
  })
}

/** Locks the commitment before its entry, as every writer of the ledger does, so that figures and entries agree. */
async function load(tx: Tx, id: string, ifMatch: IfMatch): Promise<{ held: Held; fulfilment: Fulfilment }> {
  const commitmentId = await commitmentOfFulfilment(tx, id)
  if (commitmentId === undefined) throw notFound()
  const [held, fulfilment] = await Promise.all([
    loadCommitment(tx, commitmentId),
    loadForUpdate(tx, fulfilmentResource, id, ifMatch),
  ])
  return { held, fulfilment }
}

function refuseReversed({ reversal_of, reversed_by_id }: Fulfilment, what: string): void {
  if (reversal_of === null && reversed_by_id === null) return
  const is = reversal_of === null ? `was taken back by ${reversed_by_id}` : `is itself the reversal of ${reversal_of}`
  throw new Problem('state_forbids', `This entry ${is}: it can not be ${what}.`, {
    members: { reversal_of, reversed_by_id },
  })
}

/** The side across from the one that reported an entry. */
function requireOtherSide({ commitment, partnership }: Held, fulfilment: Fulfilment, partyId: string): void {
  const byPromiser = fulfilment.reported_by_party_id === commitment.from_party_id
  const may = decidersOf(byPromiser ? 'other_side' : 'promiser', commitment, partnership.parties)
  requireDecider('party_id', partyId, may)
}

export async function confirmFulfilment(tx: Tx, id: string, ifMatch: IfMatch, body: Confirming): Promise<Outcome> {
  const { held, fulfilment } = await load(tx, id, ifMatch)
  refuseReversed(fulfilment, 'confirmed')
  requireNamedStep(confirmationLifecycle, 'confirm', confirmationSteps.confirm, fulfilment.confirmation)
  const partyId = body.party_id.toLowerCase()
  requireOtherSide(held, fulfilment, partyId)
  const on = body.on ?? held.today
  const faults = new Faults()
  if (on > held.today) faults.add('/on', 'in_future', `Today is ${held.today}.`)
  if (on < fulfilment.delivered_on) {
    faults.add('/on', 'before_delivery', `It was delivered on ${fulfilment.delivered_on}, and confirmed no sooner.`)
  }
  faults.refuse()
  const decision = { confirmation: 'confirmed', decided_by_party_id: partyId, decided_on: on } as const
  return decide(tx, held, id, 'confirmed', { ...decision, decision_note: body.note ?? null })
}

export async function disputeFulfilment(tx: Tx, id: string, ifMatch: IfMatch, body: Disputing): Promise<Outcome> {
  const { held, fulfilment } = await load(tx, id, ifMatch)
  refuseReversed(fulfilment, 'disputed')
  requireNamedStep(confirmationLifecycle, 'dispute', confirmationSteps.dispute, fulfilment.confirmation)
  const partyId = body.party_id.toLowerCase()
  requireOtherSide(held, fulfilment, partyId)
  const decision = { confirmation: 'disputed', decided_by_party_id: partyId, decided_on: held.today } as const
  return decide(tx, held, id, 'disputed', { ...decision, decision_note: null, dispute_reason: body.reason })
}

type Decision = NonNullable<Parameters<typeof fulfilmentChange>[2]>

async function decide(tx: Tx, held: Held, id: string, verb: EventVerb, decision: Decision): Promise<Outcome> {
  await fulfilmentChange(tx, id, decision)
  const outcome = record(tx, { resource: fulfilmentResource, id, verb, changed: Object.keys(decision) })
  await followLedger(tx, held, { decidedByPartyId: decision.decided_by_party_id ?? '' })
  return outcome
}

/** What both sides said was delivered is not undone by a partner, who speaks for one of them. @throws Problem `state_forbids` */
function refuseConfirmed({ confirmation }: Fulfilment): void {
  if (confirmation !== 'confirmed') return
  const detail = 'The other side has confirmed this delivery: one side alone does not take it back. Both ask for that.'
  throw new Problem('state_forbids', detail, { members: { from: confirmation } })
}

const reporterAlone = ({ reported_by_party_id }: Fulfilment) => ({
  may: [reported_by_party_id],
  who: 'the party that reported it',
})

/** Takes an entry back by another, which has its confirmation and counts against it. What was written stays readable. */
export async function reverseFulfilment(tx: Tx, id: string, ifMatch: IfMatch, body: Reversing): Promise<Outcome> {
  const { held, fulfilment } = await load(tx, id, ifMatch)
  refuseReversed(fulfilment, 'reversed')
  if (isPartner(tx)) refuseConfirmed(fulfilment)
  const partyId = body.party_id.toLowerCase()
  const { commitment, partnership } = held
  requireDecider(
    'party_id',
    partyId,
    isPartner(tx) ? reporterAlone(fulfilment) : decidersOf('either_side', commitment, partnership.parties),
  )
  const reversalId = newId()
  const reversal = reversalOf(fulfilment, partyId, body.reason)
  await fulfilmentInsert(tx, reversalId, reversal)
  await fulfilmentChange(tx, id, null)
  const outcome = record(tx, { resource: fulfilmentResource, id, verb: 'reversed', changed: ['reversed_by_id'] })
  const changed = Object.keys(reversal)
  record(tx, { resource: fulfilmentResource, id: reversalId, verb: 'created', changed })
  await followLedger(tx, held, { decidedByPartyId: partyId })
  return outcome
}

/** The entry that takes another back: as much, on the same day and on the same terms, so that sums over any period agree. */
const reversalOf = (entry: Fulfilment, partyId: string, reason: string): FulfilmentEntry => ({
  commitment_id: entry.commitment_id,
  delivered_on: entry.delivered_on,
  instalment_seq: entry.instalment_seq,
  measure: entry.measure,
  mode: entry.mode,
  reach: entry.reach,
  valuations: entry.valuations,
  note: null,
  evidence_url: null,
  reported_by_party_id: partyId,
  confirmation: entry.confirmation,
  decided_by_party_id: null,
  decided_on: null,
  decision_note: null,
  dispute_reason: null,
  reversal_of: entry.id,
  reversal_reason: reason,
  metadata: {},
})
