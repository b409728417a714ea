import type { Lifecycle } from '../../core/lifecycle.ts'
import { type Fault, type Faults, Problem } from '../../core/problem.ts'
import type { EvaluationKind, EvaluationState, EvaluationStatus } from './schemas.ts'
import type { Seat, Subject } from './subject.ts'

/** The life of a round. What was asked and answered is never asked again: nothing leads back. */
export const evaluationLifecycle: Lifecycle<EvaluationStatus> = {
  planned: ['open', 'cancelled'],
  open: ['closed', 'cancelled'],
  closed: ['concluded'],
  concluded: [],
  cancelled: [],
}

/** Answers may be seen once nobody can answer any more, and never of a round that was cancelled. */
export const answersAreShown = (status: EvaluationStatus): boolean => status === 'closed' || status === 'concluded'

const running = ['active', 'paused', 'ending']

/** In which states of its subject, a partnership but for readiness, a round of each kind makes sense. */
export const subjectStates: Readonly<Record<EvaluationKind, readonly string[]>> = {
  // What the parties expect can be asked before they begin.
  baseline: ['draft', 'proposed', ...running],
  periodic: running,
  disruption: running,
  renewal: running,
  // What was learnt can still be asked afterwards.
  exit: [...running, 'ended'],
  readiness: ['active', 'dormant'],
}

/** @throws Problem `state_forbids` where the subject is in no state for a round of this kind */
export function requireSubjectState(kind: EvaluationKind, { type, status }: Subject): void {
  const states = subjectStates[kind]
  if (states.includes(status)) return
  const detail = `A ${kind} round needs ${type === 'organisation' ? 'an' : 'a'} ${type} that is ${states.join(' or ')}; this one is ${status}.`
  throw new Problem('state_forbids', detail, { members: { [`${type}_status`]: status } })
}

type Member = keyof EvaluationState

const always: readonly Member[] = ['title', 'metadata', 'external_refs']
const whilePlanned: readonly Member[] = [
  ...always,
  'kind',
  'disruption_id',
  'template_code',
  'period_from',
  'period_to',
  'opens_at',
  'closes_at',
  'response_mode',
  'minimum_per_side',
]

const changeable: Readonly<Record<EvaluationStatus, readonly Member[]>> = {
  planned: whilePlanned,
  open: [...always, 'closes_at', 'minimum_per_side'],
  closed: always,
  concluded: always,
  cancelled: always,
}

/** @throws Problem `state_forbids` that names every member which may not change any more */
export function requireChangeable(status: EvaluationStatus, changed: readonly Member[]): void {
  const fixed = changed.filter((member) => !changeable[status].includes(member))
  if (fixed.length === 0) return
  const errors = fixed.map(
    (member): Fault => ({
      pointer: `/${member}`,
      code: 'fixed',
      detail: whilePlanned.includes(member)
        ? `${member} does not change once the round is ${status}.`
        : `${member} of a round never changes.`,
    }),
  )
  throw new Problem('state_forbids', errors.map(({ detail }) => detail).join(' '), { errors })
}

/** Those who take part on a day: that have not left by then. */
export const presentOn = (seats: readonly Seat[], day: string): Seat[] =>
  seats.filter(({ left_on }) => left_on === null || left_on > day)

/** What opening a round of an organisation needs: that it is asked itself. */
export function checkAsked(invited: number, faults: Faults): void {
  if (invited > 0) return
  faults.add('', 'not_invited', 'The organisation is not invited: invite it, or open with invite_all_parties.')
}

/** What opening needs: an invitation on each side, and two at least, for one judge makes no evaluation. */
export function checkInvitations(present: readonly Seat[], invited: ReadonlySet<string | null>, faults: Faults): void {
  const asked = present.filter(({ id }) => invited.has(id))
  const silent = [...new Set(present.map(({ side }) => side))].filter(
    (side) => !asked.some((party) => party.side === side),
  )
  for (const side of silent) {
    faults.add(
      '',
      'side_not_invited',
      `No party of the side ${side} is invited: invite one, or open with invite_all_parties.`,
    )
  }
  if (silent.length > 0 || asked.length >= 2) return
  const detail = `A round asks two parties at least; ${asked.length} present ${asked.length === 1 ? 'is' : 'are'} invited.`
  faults.add('', 'two_parties', detail)
}

/** What opening needs where persons answer: as many on each side as it takes for that side to be shown. */
export function checkEnoughInvited(
  present: readonly Seat[],
  invitations: readonly { party_id: string | null }[],
  k: number,
  faults: Faults,
): void {
  for (const side of new Set(present.map((party) => party.side))) {
    const parties = new Set(present.filter((party) => party.side === side).map(({ id }) => id))
    const asked = invitations.filter(({ party_id }) => parties.has(party_id)).length
    if (asked >= k) continue
    const detail = `Of the side ${side} ${asked} are invited: with fewer than ${k} nothing of it would ever be shown.`
    faults.add('', 'too_few_invited', detail)
  }
}
