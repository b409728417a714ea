import { isDeepStrictEqual } from 'node:util'
import { type Faults, Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { resolveNaming } from '../../platform/references.ts'
import { amendedTerms, type Held, loadCommitment } from '../commitments/commands.ts'
import { agreedSince } from '../commitments/read.ts'
import { termsAgreed } from '../commitments/schemas.ts'
import { amendedPartnership, partnershipTerms } from '../partnerships/commands.ts'
import type { Partnership } from '../partnerships/schemas.ts'
import type { AmendmentChanges, AmendmentChangesWrite, AmendmentDifference } from './schemas.ts'
import { lastTermVersion } from './store.ts'

/** A record that an amendment changes, held, with the terms as they stand. */
export interface Amended {
  resource_type: 'partnership' | 'commitment'
  resource_id: string
  /** Where it stands in the body. */
  pointer: string
  terms: object
  /** The day from which the terms that stand count. */
  since: string | null
}

export interface Loaded {
  partnership: Partnership
  commitments: Held[]
  amended: Amended[]
}

/** Changes with each commitment by its id; one that is not there has an empty id, and its fault is told. */
export async function namedChanges(tx: Tx, write: AmendmentChangesWrite, faults: Faults): Promise<AmendmentChanges> {
  const { partnership, commitments } = write
  const named: NonNullable<AmendmentChanges['commitments']> = []
  for (const [at, { commitment_id, commitment_ref, terms }] of (commitments ?? []).entries()) {
    const naming = { id: commitment_id, ref: commitment_ref }
    const place = { pointer: `/changes/commitments/${at}`, member: 'commitment', required: true }
    const id = await resolveNaming(tx, 'commitment', naming, place, faults)
    named.push({ commitment_id: id?.toLowerCase() ?? '', terms })
  }
  return { ...(partnership ? { partnership } : {}), ...(commitments ? { commitments: named } : {}) }
}

/** Every record that changes name, held in the order of their ids. @throws Problem that names what is not there */
export async function loadAmended(
  tx: Tx,
  partnership: Partnership,
  changes: AmendmentChanges,
  faults: Faults,
): Promise<Loaded> {
  const amended: Amended[] = []
  const named = (changes.commitments ?? [])
    .map(({ commitment_id }, at) => ({ id: commitment_id, at }))
    .filter(({ id }) => id !== '')
  const commitments = new Map<string, Held>()
  for (const { id, at } of named.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    const pointer = `/changes/commitments/${at}`
    if (commitments.has(id)) faults.add(`${pointer}/commitment_id`, 'repeated', 'This commitment stands here twice.')
    const held = await loadCommitment(tx, id).catch(missing)
    if (held?.partnership.id !== partnership.id) {
      faults.add(`${pointer}/commitment_id`, 'unknown_reference', `The partnership has no commitment ${id}.`)
    } else {
      commitments.set(id, held)
      const since = (await lastTermVersion(tx, 'commitment', id)) ?? agreedSince(held.commitment)
      const terms = termsAgreed(held.commitment)
      amended.push({ resource_type: 'commitment', resource_id: id, pointer: `${pointer}/terms`, terms, since })
    }
  }
  if (changes.partnership) {
    const { id, starts_on } = partnership
    const since = (await lastTermVersion(tx, 'partnership', id)) ?? starts_on
    const terms = partnershipTerms(partnership)
    amended.unshift({ resource_type: 'partnership', resource_id: id, pointer: '/changes/partnership', terms, since })
  }
  return { partnership, commitments: [...commitments.values()], amended }
}

function missing(error: unknown): undefined {
  if (!(error instanceof Problem) || error.code !== 'not_found') throw error
}

/** What the changes come to, record by record. Every fault is named where it stands in the body. */
export async function amendedBy(
  tx: Tx,
  loaded: Loaded,
  { changes, effectiveOn }: { changes: AmendmentChanges; effectiveOn: string },
  faults: Faults,
): Promise<object[]> {
  const results: object[] = []
  for (const { resource_type, resource_id, pointer, terms } of loaded.amended) {
    const result = await collecting(pointer, faults, async () => {
      if (resource_type === 'partnership') {
        return partnershipTerms(await amendedPartnership(tx, loaded.partnership, changes.partnership ?? {}))
      }
      const held = loaded.commitments.find(({ commitment }) => commitment.id === resource_id) as Held
      const patch = patchFor(changes, resource_id)
      return termsAgreed({ ...held.commitment, ...(await amendedTerms(tx, held, patch, effectiveOn)) })
    })
    results.push(result ?? terms)
  }
  return results
}

export const patchFor = (changes: AmendmentChanges, commitmentId: string) =>
  changes.commitments?.find(({ commitment_id }) => commitment_id === commitmentId)?.terms ?? {}

/** The refusals of a record's own rules, told where they stand in the amendment. */
export async function collecting<T>(pointer: string, faults: Faults, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Problem) || error.status >= 500) throw error
    if (!error.errors) throw error
    for (const fault of error.errors) faults.add(`${pointer}${fault.pointer}`, fault.code, fault.detail)
    return undefined
  }
}

/** Each term that differs, as it stands and as it is to be. */
export function differences(amended: readonly Amended[], results: readonly object[]): AmendmentDifference[] {
  return amended.flatMap(({ resource_type, resource_id, terms }, at) => {
    const before = terms as Record<string, unknown>
    const after = (results[at] ?? {}) as Record<string, unknown>
    return Object.keys(before)
      .filter((member) => !isDeepStrictEqual(before[member], after[member]))
      .map((member) => ({ resource_type, resource_id, member, before: before[member], after: after[member] }))
  })
}
