import { isDeepStrictEqual } from 'node:util'
import { isOverAYear, isTimeZone, parseDuration } from '../../core/dates.ts'
import { checkMetadata } from '../../core/metadata.ts'
import { minorDigits } from '../../core/money.ts'
import { Faults, type ProblemCode } from '../../core/problem.ts'
import { sdgTargets } from '../../core/sdg.ts'
import type { Partnership, PartnershipState, PartnershipWrite } from './schemas.ts'

/** The rules that a write can be held to by itself, without looking at any other record. */
export function checkMembers(write: PartnershipWrite, faults: Faults): void {
  if (write.base_currency !== undefined && minorDigits(write.base_currency) === undefined) {
    faults.add('/base_currency', 'currency', `${write.base_currency} is not an ISO 4217 currency code.`)
  }
  if (write.time_zone !== undefined && !isTimeZone(write.time_zone)) {
    faults.add(
      '/time_zone',
      'time_zone',
      `${write.time_zone} is not a time zone of the IANA database: name one by its area and place, such as Europe/Amsterdam, or UTC.`,
    )
  }
  checkInterval(write, faults)
  checkOrder('', ['starts_on', write.starts_on], ['ends_on', write.ends_on], faults)
  write.parties?.forEach(({ joined_on, left_on }, position) => {
    checkOrder(`/parties/${position}`, ['joined_on', joined_on], ['left_on', left_on], faults)
  })
  write.sdg_targets?.forEach((target, position) => {
    if (sdgTargets.has(target)) return
    const detail = `${target} is none of the 169 targets of the Sustainable Development Goals.`
    faults.add(`/sdg_targets/${position}`, 'unknown_sdg_target', detail)
  })
  checkMetadata(write.metadata, faults)
}

function checkInterval({ evaluation_interval, evaluation_interval_reason }: PartnershipWrite, faults: Faults): void {
  if (evaluation_interval === undefined) return
  const { months, days } = parseDuration(evaluation_interval) ?? { months: 0, days: 0 }
  if (months + days === 0) {
    faults.add('/evaluation_interval', 'interval', 'The interval between evaluations is a day or more.')
  } else if (isOverAYear(evaluation_interval) && evaluation_interval_reason == null) {
    const detail = `${evaluation_interval} is more than P12M: say in evaluation_interval_reason why so seldom.`
    faults.add('/evaluation_interval', 'interval', detail)
  }
}

type Named = readonly [name: string, day: string | null | undefined]

/** Refuses a last day that lies before the first. */
export function checkOrder(at: string, [first, from]: Named, [last, to]: Named, faults: Faults): void {
  if (from == null || to == null || to >= from) return
  faults.add(`${at}/${last}`, 'before_start', `${last} (${to}) lies before ${first} (${from}).`)
}

const hasBegun = {
  active: true,
  paused: true,
  ending: true,
  draft: false,
  proposed: false,
  declined: false,
  ended: false,
}

/**
 * What was proposed is agreed, or about to be: it is amended, not overwritten.
 * @throws Problem `agreed_terms` that names every member that would
 */
export function refuseAgreedTerms(before: Partnership, after: PartnershipState): void {
  if (before.status === 'draft') return
  const faults = new Faults()
  const way =
    before.status === 'proposed'
      ? 'withdraw the proposal to draft, change it there and propose it again.'
      : `agreed terms change only by an amendment, POST /v1/partnerships/${before.id}/amendments.`
  const refuse = (pointer: string, what: string) => faults.add(pointer, 'agreed_terms', `${what}: ${way}`)

  for (const aspect of ['why', 'what', 'how'] as const) {
    if (isDeepStrictEqual(before.purpose[aspect], after.purpose[aspect])) continue
    refuse(`/purpose/${aspect}`, `The ${aspect} of the purpose was agreed`)
  }
  for (const name of ['base_currency', 'starts_on'] as const) {
    if (before[name] !== after[name]) refuse(`/${name}`, `${name} was agreed (${before[name]})`)
  }
  if (after.ends_on === null && before.ends_on !== null && (before.status === 'ending' || before.status === 'ended')) {
    refuse('/ends_on', `It is to have the day on which it ends (${before.ends_on})`)
  }
  if (before.cross_sector_exception !== null && after.cross_sector_exception === null) {
    refuse('/cross_sector_exception', 'The proposal rests on this exception')
  }
  refuseOtherParties(before, after, refuse)
  faults.refuse('agreed_terms' satisfies ProblemCode)
}

function refuseOtherParties(
  before: Partnership,
  after: PartnershipState,
  refuse: (pointer: string, what: string) => void,
): void {
  const stand = new Map(before.parties.map((party) => [party.id, party]))
  after.parties.forEach((party, position) => {
    const known = stand.get(party.id)
    stand.delete(party.id)
    if (known && known.side !== party.side) refuse(`/parties/${position}/side`, `The side was agreed (${known.side})`)
    // An organisation may join what has begun; the date says since when.
    if (known || (hasBegun[before.status] && party.joined_on !== null)) return
    if (hasBegun[before.status]) refuse(`/parties/${position}/joined_on`, 'A party that joins later needs joined_on')
    else refuse(`/parties/${position}`, 'The parties were agreed')
  })
  for (const { id, organisation_id } of stand.values()) {
    refuse('/parties', `The party ${id} (organisation ${organisation_id}) stays; where it leaves, set its left_on`)
  }
}

/**
 * Where a record came from, and the state it came in, are said once, when it is taken over.
 * @throws Problem `state_forbids` that names every member that says otherwise
 */
export function refuseOtherOrigin(before: Partnership, write: PartnershipWrite): void {
  const faults = new Faults()
  const { taken_over, status } = before
  const given = write.taken_over
  if (taken_over === null && given != null) {
    faults.add('/taken_over', 'taken_over', 'The record began here: it was not taken over from another system.')
  } else if (taken_over !== null) {
    const { on, from_system, note } = taken_over
    const same = given && given.on === on && given.from_system === from_system && (given.note ?? null) === note
    if (!same) faults.add('/taken_over', 'taken_over', 'How the record was taken over is kept for ever as it is.')
  }
  const isMoved = taken_over !== null && taken_over.status !== status
  const steps = 'it changes by the steps of its life, such as POST …/activate.'
  if (write.status !== undefined && write.status !== status && write.status !== (taken_over?.status ?? 'draft')) {
    faults.add('/status', 'status', `The status is ${status}: ${steps}`)
  }
  for (const name of ['end_reason', 'decline_reason'] as const) {
    // A repeated take-over tells how it was then; the record has lived on since.
    if (write[name] == null || write[name] === before[name] || isMoved) continue
    faults.add(`/${name}`, name, `${name} is ${before[name] ?? 'not set'}: ${steps}`)
  }
  faults.refuse('state_forbids')
}
