import { instalmentsOver, planInstalments, rhythmOf } from '../../core/due-dates.ts'
import type { Measure } from '../../core/measure.ts'
import type { Tx } from '../../db/database.ts'
import { type Account, isSame, reckon } from './account.ts'
import { commitmentsHeldIn, pausesLetGo } from './pause-store.ts'
import { type Plan, partition, restOf, sharesOf } from './replan.ts'
import {
  closedStatuses,
  commitmentTotalsUpdate,
  type InstalmentState,
  instalmentsInsert,
  instalmentsReduce,
  instalmentsSupersede,
  instalmentsUpdate,
  lastInstalmentSeq,
  scheduleFacts,
} from './store.ts'

/** How a commitment stood when its instalments were made. */
interface Standing {
  status: string
  agreed_on: string
  closed_on: string | null
}

const isClosed = (status: string): boolean => (closedStatuses as readonly string[]).includes(status)

/** Makes the instalments of a commitment that is agreed, or was when it was taken over. The schedule is free of faults. */
export async function createInstalments(tx: Tx, commitmentId: string, plan: Plan, standing: Standing): Promise<void> {
  const parts = planInstalments(plan.schedule, plan.measure).map((part) => ({
    ...part,
    state: firstState(part.due_on, standing),
  }))
  await instalmentsInsert(tx, commitmentId, { madeOn: standing.agreed_on, rhythm: rhythmOf(plan.schedule) }, parts)
}

function firstState(dueOn: string | null, { status, closed_on }: Standing): InstalmentState {
  if (status === 'fulfilled') return 'settled'
  return isClosed(status) && (dueOn === null || closed_on === null || dueOn >= closed_on) ? 'void' : 'scheduled'
}

/**
 * Brings the instalments of commitments up to date after a step, a pause, a delivery or a reversal: one rule for all, a
 * function of dated facts. The caller holds the commitments' locks and tells of the change.
 */
export async function refreshInstalments(tx: Tx, commitmentIds: readonly string[]): Promise<Account[]> {
  if (commitmentIds.length === 0) return []
  const all = (await scheduleFacts(tx, commitmentIds)).map((facts) => ({ facts, ...reckon(facts) }))
  await instalmentsUpdate(
    tx,
    all.flatMap(({ changes }) => changes),
  )
  await commitmentTotalsUpdate(
    tx,
    all
      .filter(
        ({ facts, account }) => !isSame(facts.skipped, account.skipped) || !isSame(facts.replaced, account.replaced),
      )
      .map(({ account: { id, skipped, replaced } }) => ({ id, skipped, replaced })),
  )
  return all.map(({ account }) => account)
}

/**
 * Brings commitments up to date that a pause of their partnership holds up, or did until now, but for those that take a
 * step by it and are brought up to date by that.
 * @returns those of which something changed
 */
export async function refreshHeld(tx: Tx, partnershipId: string, stepped: readonly string[]): Promise<string[]> {
  const others = (await commitmentsHeldIn(tx, partnershipId)).filter((id) => !stepped.includes(id))
  return (await refreshInstalments(tx, others)).filter((account) => account.isChanged).map((account) => account.id)
}

/** Lets a commitment go on from a day, though a pause of its partnership may last, and brings it up to date. */
export async function resumeInstalments(tx: Tx, commitmentId: string, on: string): Promise<Account[]> {
  await pausesLetGo(tx, commitmentId, on)
  return refreshInstalments(tx, [commitmentId])
}

/**
 * Gives an agreed commitment new terms: what is settled stays as it is, the rest is divided anew over the due dates that
 * come after it, and the sum is exactly the new measure. For accepted amendments; the caller holds the commitment's
 * lock, writes the terms and tells of the change.
 * @param on the day from which the new plan counts
 * @throws Problem `rule_violated` where the new measure is less than what is settled, or no due date is left for the rest
 */
export async function rescheduleCommitment(tx: Tx, commitmentId: string, terms: Plan, on: string): Promise<Account> {
  const [facts] = await scheduleFacts(tx, [commitmentId])
  if (!facts) throw new Error(`There is no commitment ${commitmentId}`)
  const { kept, open } = partition(facts.parts, on)
  const rest = restOf(terms, kept, open)
  const firstSeq = (await lastInstalmentSeq(tx, commitmentId)) + 1
  await instalmentsSupersede(
    tx,
    commitmentId,
    open.map((part) => part.seq),
    on,
  )
  const planned = rest.dates.length > 0 ? instalmentsOver(rest.dates, rest.measure, firstSeq) : []
  const parts = planned.map((part) => ({ ...part, state: 'scheduled' as const }))
  await instalmentsInsert(tx, commitmentId, { madeOn: on, rhythm: rhythmOf(terms.schedule) }, parts)
  // What had been replaced stays replaced.
  const shares = sharesOf(
    parts.map((part) => ({ ...part, replaced: '0', settled: '0' })),
    rest.replaced,
    null,
  )
  await instalmentsReduce(tx, commitmentId, shares, on)
  const [account] = await refreshInstalments(tx, [commitmentId])
  if (!account) throw new Error(`There is no commitment ${commitmentId}`)
  return account
}

/**
 * Holds new terms to what has come of a commitment. Nothing is written.
 * @throws Problem `rule_violated` where `rescheduleCommitment` would
 */
export async function checkReschedule(tx: Tx, commitmentId: string, terms: Plan, on: string): Promise<void> {
  const [facts] = await scheduleFacts(tx, [commitmentId])
  if (!facts) throw new Error(`There is no commitment ${commitmentId}`)
  const { kept, open } = partition(facts.parts, on)
  restOf(terms, kept, open)
}

/**
 * Takes a part of a commitment away that something else replaces, from the instalments that are open: from one by its
 * number, or in order. For accepted substitutions; the caller holds the commitment's lock and tells of the change.
 * @param measure at most what is outstanding, in the unit of the commitment
 * @throws Problem `rule_violated` where less than that is open
 */
export async function replaceInstalments(
  tx: Tx,
  commitmentId: string,
  { measure, on, seq }: { measure: Measure; on: string; seq?: number | null },
): Promise<Account> {
  const [facts] = await scheduleFacts(tx, [commitmentId])
  if (!facts) throw new Error(`There is no commitment ${commitmentId}`)
  const taken = sharesOf(facts.parts, measure, seq ?? null)
  await instalmentsReduce(tx, commitmentId, taken, on)
  const [account] = await refreshInstalments(tx, [commitmentId])
  if (!account) throw new Error(`There is no commitment ${commitmentId}`)
  return account
}

export { pauseHold as holdByPause } from './pause-store.ts'
