import { compareMeasures, isAddable, isZero, unitOf } from '../../core/measure.ts'
import { moneyFault } from '../../core/money.ts'
import { type Faults, Problem } from '../../core/problem.ts'
import { changedMembers } from '../../platform/writes.ts'
import type { Held } from '../commitments/commands.ts'
import { type AgreedTerms, termsAgreed } from '../commitments/schemas.ts'
import type { Pair } from './pair.ts'
import type { Substitution, SubstitutionCreate } from './schemas.ts'

const replaceable: readonly string[] = ['agreed', 'paused', 'lapsed']
const replacing: readonly string[] = ['draft', 'proposed', 'agreed']

/** @throws Problem `state_forbids` where nothing of the commitment can be replaced any more, or yet */
export function requireReplaceable({ commitment: { status } }: Held): void {
  if (replaceable.includes(status)) return
  const detail = `What is replaced is agreed, paused or lapsed; this commitment is ${status}.`
  const errors = [{ pointer: '/replaces_commitment_id', code: 'state_forbids', detail } as const]
  throw new Problem('state_forbids', detail, { errors, members: { from: status } })
}

/** @throws Problem `state_forbids` where the commitment can not take another's place */
export function requireReplacement({ commitment: { status } }: Held): void {
  if (replacing.includes(status)) return
  const detail = `What takes its place is a draft, proposed or agreed; this commitment is ${status}.`
  const errors = [{ pointer: '/by_commitment_id', code: 'state_forbids', detail } as const]
  throw new Problem('state_forbids', detail, { errors, members: { from: status } })
}

/** A promiser replaces its own promise, by another of the same partnership. */
export function checkPromiser({ replaced, by }: Pair, faults: Faults): void {
  if (by.commitment.partnership_id !== replaced.commitment.partnership_id) {
    faults.add('/by_commitment_id', 'other_partnership', 'It is a commitment of another partnership.')
  } else if (by.commitment.from_party_id !== replaced.commitment.from_party_id) {
    faults.add('/by_commitment_id', 'other_promiser', 'It is the promise of another: a promiser replaces its own.')
  }
}

/** @throws Problem `state_forbids` where what takes the place is not what was proposed any more */
export function refuseIfMoved({ commitment }: Held, terms: AgreedTerms | null): void {
  const errors = changedMembers<Partial<AgreedTerms>>(termsAgreed(commitment), terms ?? {}).map((member) => {
    const detail = `${member} of ${commitment.id} has changed since: withdraw this substitution and propose another.`
    return { pointer: '/by_commitment_id', code: 'terms_changed', detail } as const
  })
  const [first] = errors
  if (first) throw new Problem('state_forbids', first.detail, { errors })
}

/** A difference may be less than nothing; its size is money like any other. */
export function checkDifference(difference: SubstitutionCreate['value_difference'], faults: Faults): void {
  if (difference == null) return
  const { amount, currency } = difference
  const fault = moneyFault({ amount: amount.replace(/^-/, ''), currency })
  if (fault) faults.add(`/value_difference/${fault.at}`, fault.at, fault.detail)
}

/** The part that is replaced is something, measured as the commitment is, and still outstanding. */
export function checkPart(part: Substitution['replaced_measure'], outstanding: typeof part, faults: Faults): void {
  if (!isAddable(part, outstanding)) {
    const detail = `The commitment is measured in ${unitOf(outstanding)}, and so is the part of it that is replaced.`
    faults.add('/replaced_measure', 'other_measure', detail)
  } else if (isZero(part)) {
    faults.add('/replaced_measure', 'nothing', 'Nothing is outstanding: there is nothing to replace.')
  } else if (compareMeasures(part, outstanding) > 0) {
    const left = outstanding.type === 'money' ? outstanding.amount : outstanding.quantity
    faults.add('/replaced_measure', 'over_outstanding', `Only ${left} is outstanding.`)
  }
}
