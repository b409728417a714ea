import { isDeepStrictEqual } from 'node:util'
import { Faults } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { requireScope } from '../../platform/auth.ts'
import { type CommitmentStatus, conditionsOf } from './lifecycle.ts'
import {
  agreedTerms,
  type Commitment,
  type CommitmentTerms,
  CommitmentTermsPatch,
  type CommitmentWrite,
} from './schemas.ts'
import type { Beginning } from './store.ts'

const isEnd: ReadonlySet<CommitmentStatus> = new Set([
  'declined',
  'fulfilled',
  'lapsed',
  'released',
  'cancelled',
  'substituted',
])
const wasNeverAgreed: ReadonlySet<CommitmentStatus> = new Set(['draft', 'proposed', 'declined'])

/** True for a state that a commitment reaches only once it was agreed. */
export const wasAgreed = (status: CommitmentStatus): boolean => !wasNeverAgreed.has(status)

const standing = ['agreed_on', 'closed_on', 'close_reason'] as const

/**
 * How a new commitment begins: as a draft, or in the state in which it was taken over from another system.
 * @throws Problem `forbidden` without the scope, or one that names each member that does not fit
 */
export function beginningOf(tx: Tx, write: CommitmentWrite): Beginning {
  const { taken_over, status = 'draft', agreed_on = null, closed_on = null, close_reason = null } = write
  const faults = new Faults()
  if (!taken_over) {
    refuseStanding(write, faults)
    return { status: 'draft', agreed_on: null, closed_on: null, close_reason: null, taken_over: null }
  }
  requireScope(tx, 'history:take_over', 'Taking over history')
  const misfit = (member: string, is: string) => faults.add(`/${member}`, 'status', `What is ${status} ${is}.`)
  if (agreed_on !== null && wasNeverAgreed.has(status)) misfit('agreed_on', 'was not agreed')
  if (closed_on !== null && !isEnd.has(status)) misfit('closed_on', 'has not come to an end')
  if (close_reason !== null && !isEnd.has(status)) misfit('close_reason', 'has not come to an end')
  if (agreed_on !== null && closed_on !== null && closed_on < agreed_on) {
    faults.add('/closed_on', 'before_start', `It cannot end before it was agreed on ${agreed_on}.`)
  }
  faults.refuse()
  const { on, from_system, note } = taken_over
  const origin = { on, from_system, note: note ?? null, status, waived_conditions: [...conditionsOf[status]] }
  return { status, agreed_on, closed_on, close_reason, taken_over: origin }
}

function refuseStanding(write: CommitmentWrite, faults: Faults): void {
  if (write.status !== undefined && write.status !== 'draft') {
    const detail =
      'A new commitment is a draft and changes by steps such as POST …/propose; only history is taken over.'
    faults.add('/status', 'status', detail)
  }
  for (const name of standing) {
    if (write[name] != null) faults.add(`/${name}`, 'taken_over', `Only with taken_over; the steps set ${name}.`)
  }
  faults.refuse()
}

/**
 * Where a record came from, and how it stood then, is said once. A repeated write may say it again, as it was.
 * @throws Problem `state_forbids` that names every member that says otherwise
 */
export function refuseOtherOrigin(before: Commitment, write: CommitmentWrite): void {
  const faults = new Faults()
  const { taken_over, status } = before
  const given = write.taken_over
  if (given && !taken_over) {
    faults.add('/taken_over', 'taken_over', 'The record began here: it was not taken over from another system.')
  } else if (given && taken_over) {
    const { on, from_system, note } = taken_over
    if (given.on !== on || given.from_system !== from_system || (given.note ?? null) !== note) {
      faults.add('/taken_over', 'taken_over', 'How the record was taken over is kept for ever as it is.')
    }
  }
  const steps = 'it changes by the steps of its life, such as POST …/agree.'
  if (write.status !== undefined && write.status !== status && write.status !== (taken_over?.status ?? 'draft')) {
    faults.add('/status', 'status', `The status is ${status}: ${steps}`)
  }
  // A repeated take-over tells how it was then; the record may have lived on since.
  const isMoved = taken_over !== null && taken_over.status !== status
  for (const name of standing) {
    if (write[name] == null || write[name] === before[name] || isMoved) continue
    faults.add(`/${name}`, name, `${name} is ${before[name] ?? 'not set'}: ${steps}`)
  }
  faults.refuse('state_forbids')
}

/** What the terms are part of, and how they may be changed nevertheless. */
function wayOut({ status, partnership_id }: Commitment, name: (typeof agreedTerms)[number]): string {
  if (status === 'proposed') return 'proposed: withdraw the proposal to draft, change it there and propose it again.'
  if (name in CommitmentTermsPatch.properties) {
    return `agreed: propose an amendment, POST /v1/partnerships/${partnership_id}/amendments.`
  }
  return 'agreed, and no amendment changes who promises whom: release or cancel it, and promise anew.'
}

/**
 * What was proposed or agreed is not overwritten. Values may be added to it, and what is said about it may change.
 * @throws Problem `agreed_terms` that names every member that would be
 */
export function refuseAgreedTerms(before: Commitment, after: CommitmentTerms): void {
  if (before.status === 'draft') return
  const faults = new Faults()
  for (const name of agreedTerms) {
    if (isDeepStrictEqual(before[name], after[name])) continue
    faults.add(`/${name}`, 'agreed_terms', `${name} is part of what was ${wayOut(before, name)}`)
  }
  const isKept = before.valuations.every((value) => after.valuations.some((other) => isDeepStrictEqual(value, other)))
  if (!isKept) {
    faults.add('/valuations', 'agreed_terms', 'Valuations may be added, those that stand here stay as they are.')
  }
  faults.refuse('agreed_terms')
}
