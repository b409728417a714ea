import { dateIn } from '../../core/dates.ts'
import { instalmentFaults } from '../../core/due-dates.ts'
import { checkMeasure, isZero, normaliseMeasure } from '../../core/measure.ts'
import { checkMetadata } from '../../core/metadata.ts'
import { moneyFault, normaliseMoney } from '../../core/money.ts'
import { Faults, Problem } from '../../core/problem.ts'
import { checkSchedule, type Schedule } from '../../core/schedule.ts'
import { acrossFrom } from '../../core/sides.ts'
import type { Tx } from '../../db/database.ts'
import type { Naming } from '../../platform/references.ts'
import { completeRefs } from '../../platform/writes.ts'
import { type NamedOrganisation, organisationsNamed } from '../organisations/read.ts'
import { holdPartnership, type PartnershipContext, type PartyContext } from '../partnerships/read.ts'
import type { Held } from './held.ts'
import type { Commitment, CommitmentTerms, CommitmentWrite, Valuation } from './schemas.ts'
import { commitmentsNamed, type NamedCommitment } from './store.ts'

export interface Checked {
  terms: CommitmentTerms
  partnership: PartnershipContext
}

/**
 * The complete terms that a write asks for, and the partnership that they belong to, which is held till the end: the one
 * that `before` holds, or another. Everything that the write names is looked up in one round trip.
 * @throws Problem that names every rule it breaks
 */
export async function checkedTerms(tx: Tx, write: CommitmentWrite, before?: Held): Promise<Checked> {
  const faults = new Faults()
  const naming = { id: write.partnership_id?.toLowerCase(), ref: write.partnership_ref }
  const namings = [organisationNaming(write, 'from'), organisationNaming(write, 'to')]
  const names = (write.in_return_for ?? []).map((name) => (typeof name === 'string' ? name.toLowerCase() : name))
  const [held, organisations, returns] = await Promise.all([
    checkOne(naming, 'partnership', faults) ? (heldAs(naming, before) ?? holdPartnership(tx, naming)) : undefined,
    namings.some(({ id, ref }) => id != null || ref != null) ? organisationsNamed(tx, namings) : [],
    commitmentsNamed(tx, names),
  ])
  const wasNamed = (naming.id != null) !== (naming.ref != null)
  if (!held && wasNamed) {
    const which = naming.ref ? `with the reference ${naming.ref.system}:${naming.ref.id}` : naming.id
    const pointer = naming.ref ? '/partnership_ref' : '/partnership_id'
    faults.add(pointer, 'unknown_reference', `There is no partnership ${which}.`)
  }
  const today = held ? dateIn(held.time_zone, tx.now) : ''
  const seat = (end: 'from' | 'to') => partyOf(write, end, held, organisations[end === 'from' ? 0 : 1], faults)
  const [from, to] = [seat('from'), seat('to')]
  if (from && from.id === to?.id)
    faults.add('/to_party_id', 'same_party', 'A party promises to another, not to itself.')
  if (!write.taken_over) checkPresence({ from, to }, before?.commitment, today, faults)
  const stood = before?.commitment
  const isSamePair = stood?.from_party_id === from?.id && stood?.to_party_id === (to?.id ?? null)
  const stand = isSamePair ? (stood?.in_return_for ?? []) : []
  checkReturns(write, returns, held && from ? { partnership: held, from, to, stand } : undefined, faults)
  const terms = termsOf(write, returns, { held, from, to })
  checkMembers(write, terms, faults)
  faults.refuse()
  if (!held) throw new Error('A write without a partnership was let through')
  return { terms, partnership: held }
}

/** The partnership that is held already, where it is the one that is named. */
const heldAs = ({ id, ref }: Naming, before: Held | undefined): PartnershipContext | undefined =>
  ref == null && id === before?.partnership.id ? before?.partnership : undefined

/** True where exactly one of `…_id` and `…_ref` is given. */
function checkOne({ id, ref }: Naming, member: string, faults: Faults): boolean {
  if (id != null && ref != null) {
    faults.add(`/${member}_ref`, 'exclusive', `Give ${member}_id or ${member}_ref, not both.`)
  } else if (id == null && ref == null) {
    faults.add(`/${member}_id`, 'required', `Give ${member}_id or ${member}_ref.`)
  } else return true
  return false
}

const organisationNaming = (write: CommitmentWrite, end: 'from' | 'to'): Naming => ({
  id: write[`${end}_organisation_id`],
  ref: write[`${end}_organisation_ref`],
})

/** The seat that a write names by one of three members; undefined where it is none, or wrong. */
function partyOf(
  write: CommitmentWrite,
  end: 'from' | 'to',
  partnership: PartnershipContext | undefined,
  organisation: NamedOrganisation | undefined,
  faults: Faults,
): PartyContext | undefined {
  const members = [`${end}_party_id`, `${end}_organisation_id`, `${end}_organisation_ref`] as const
  const given = members.filter((name) => write[name] != null)
  const [member] = given
  if (!member) {
    if (end === 'from') faults.add('/from_party_id', 'required', `Name the promiser by one of ${members.join(', ')}.`)
    return undefined
  }
  if (given.length > 1) {
    faults.add(`/${given[1]}`, 'exclusive', `Give one of ${members.join(', ')}, not ${given.join(' and ')}.`)
    return undefined
  }
  if (member !== `${end}_party_id` && !organisation) {
    faults.add(`/${member}`, 'unknown_reference', 'There is no such organisation.')
    return undefined
  }
  if (!partnership) return undefined
  const partyId = write[`${end}_party_id`]?.toLowerCase()
  const party = partnership.parties.find(({ id, organisation_id }) =>
    organisation ? organisation_id === organisation.id : id === partyId,
  )
  if (!party) {
    const who = organisation ? `The organisation ${organisation.id} has no seat in` : `${partyId} is no party of`
    const detail = `${who} the partnership ${partnership.id}.`
    faults.add(`/${member}`, 'unknown_reference', detail)
  }
  return party
}

interface TwoEnds {
  from: PartyContext | undefined
  to: PartyContext | undefined
}

/** Who has left makes no new promises, and gets none; what was promised before stays as it is. */
function checkPresence({ from, to }: TwoEnds, before: Commitment | undefined, today: string, faults: Faults): void {
  for (const [member, party] of [['from_party_id', from] as const, ['to_party_id', to] as const]) {
    if (!party?.left_on || party.left_on > today || party.id === before?.[member]) continue
    faults.add(`/${member}`, 'party_left', `The party ${party.id} left the partnership on ${party.left_on}.`)
  }
}

function checkReturns(
  { in_return_for = [], reciprocity = 'in_return' }: CommitmentWrite,
  returns: readonly (NamedCommitment | undefined)[],
  place: (TwoEnds & { partnership: PartnershipContext; from: PartyContext; stand: readonly string[] }) | undefined,
  faults: Faults,
): void {
  if (in_return_for.length > 0 && reciprocity !== 'in_return') {
    const detail = `What is ${reciprocity} is given in return for nothing: leave in_return_for empty.`
    faults.add('/in_return_for', 'not_in_return', detail)
  }
  const seen = new Set<string>()
  // What was across when it was named stays, though others may have joined since.
  const across = place ? acrossFrom(place.partnership.parties, place.from.id).map(({ id }) => id) : []
  if (place?.to) across.push(place.to.id)
  returns.forEach((other, position) => {
    const pointer = `/in_return_for/${position}`
    if (!other) {
      faults.add(pointer, 'unknown_reference', 'There is no such commitment.')
      return
    }
    if (seen.has(other.id)) faults.add(pointer, 'repeated', `The commitment ${other.id} stands here twice.`)
    seen.add(other.id)
    if (!place) return
    if (other.partnership_id !== place.partnership.id) {
      faults.add(pointer, 'other_partnership', 'This commitment belongs to another partnership.')
    } else if (!across.includes(other.from_party_id) && !place.stand.includes(other.id)) {
      faults.add(pointer, 'same_side', 'This commitment comes from the same side: name those of the other side.')
    }
  })
}

/** The rules that a write can be held to by itself. */
function checkMembers(write: CommitmentWrite, terms: CommitmentTerms, faults: Faults): void {
  checkMeasure(write.measure, '/measure', faults)
  if (isZero(write.measure) && !write.taken_over) {
    faults.add('/measure', 'nothing', 'A commitment is to more than nothing.')
  }
  if (write.kind === 'cash' && write.measure.type !== 'money') {
    faults.add('/measure/type', 'kind', 'Cash is measured in money; for anything else choose its kind.')
  }
  checkValuations(write.valuations ?? [], faults)
  if (terms.schedule) checkInstalments(terms.schedule, terms.measure, faults)
  checkMetadata(write.metadata, faults)
}

/** The form of a schedule first; of one that is well formed, and of a measure that is, what comes of the two together. */
function checkInstalments(schedule: Schedule, measure: CommitmentTerms['measure'], faults: Faults): void {
  const isFaulty = () => faults.list.some(({ pointer }) => /^\/(schedule|measure)/.test(pointer))
  checkSchedule(schedule, '/schedule', faults)
  if (isFaulty()) return
  for (const { pointer, code, detail } of instalmentFaults(schedule, measure)) {
    faults.add(`/schedule${pointer}`, code, detail)
  }
}

/** Adds what is wrong with the money of valuations. */
export function checkValuations(valuations: readonly Valuation[], faults: Faults): void {
  valuations.forEach(({ money }, position) => {
    const fault = moneyFault(money)
    if (fault) faults.add(`/valuations/${position}/money/${fault.at}`, fault.at, fault.detail)
  })
}

export const normaliseValuations = (valuations: readonly Valuation[] = []): Valuation[] =>
  valuations.map((valuation) => ({ ...valuation, money: normaliseMoney(valuation.money) }))

function completeSchedule(schedule: CommitmentWrite['schedule']): Schedule | null {
  if (schedule == null) return null
  const { frequency, interval, day_of_month, starts_on, ends_on, count } = schedule
  return {
    frequency,
    interval: interval ?? 1,
    day_of_month: day_of_month ?? null,
    starts_on,
    ends_on: ends_on ?? null,
    count: count ?? null,
  }
}

/** The terms in their one spelling. What could not be resolved is empty: its fault has been added. */
function termsOf(
  write: CommitmentWrite,
  returns: readonly (NamedCommitment | undefined)[],
  { held, from, to }: TwoEnds & { held: PartnershipContext | undefined },
): CommitmentTerms {
  return {
    partnership_id: held?.id ?? '',
    from_party_id: from?.id ?? '',
    to_party_id: to?.id ?? null,
    kind: write.kind,
    title: write.title,
    description: write.description ?? null,
    binding: write.binding ?? 'firm',
    reciprocity: write.reciprocity ?? 'in_return',
    in_return_for: returns.flatMap((other) => other?.id ?? []),
    motive: write.motive ?? null,
    mode: write.mode ?? 'not_applicable',
    measure: normaliseMeasure(write.measure),
    valuations: normaliseValuations(write.valuations),
    schedule: completeSchedule(write.schedule),
    pause_exempt: write.pause_exempt ?? false,
    external_refs: completeRefs(write.external_refs),
    metadata: write.metadata ?? {},
  }
}

/** @throws Problem `state_forbids` where the partnership is over, or never came about */
export function refuseIfOver({ id, status }: PartnershipContext): void {
  if (status !== 'ended' && status !== 'declined') return
  const detail = `The partnership ${id} is ${status}: nothing is promised in it any more.`
  throw new Problem('state_forbids', detail, { members: { partnership_status: status } })
}
