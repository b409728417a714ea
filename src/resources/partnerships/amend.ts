import { isDeepStrictEqual } from 'node:util'
import { Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { recordStatusChange } from '../../platform/history.ts'
import { loadForUpdate } from '../../platform/writes.ts'
import { checkedPartnership } from './checks.ts'
import type { Partnership, PartnershipState } from './schemas.ts'
import { writeOf } from './state.ts'
import { partnershipUpdate } from './store.ts'
import { partnershipResource } from './view.ts'

/** The terms of a partnership that an amendment may change. */
export type PartnershipTerms = Pick<Partnership, 'purpose' | 'starts_on' | 'base_currency'>

export interface PartnershipTermsChange {
  purpose?: Partial<Partnership['purpose']>
  starts_on?: string
  base_currency?: string
}

export const partnershipTerms = ({ purpose, starts_on, base_currency }: PartnershipTerms): PartnershipTerms => ({
  purpose,
  starts_on,
  base_currency,
})

/** A partnership that may be amended, held till the end. @throws Problem `not_found` or `state_forbids` */
export async function loadAmendable(tx: Tx, id: string): Promise<Partnership> {
  const partnership = await loadForUpdate(tx, partnershipResource, id)
  if (['active', 'paused', 'ending'].includes(partnership.status)) return partnership
  const way = partnership.status === 'draft' ? ': a draft is changed by PATCH' : ''
  const detail = `What is amended is active, paused or ending; this partnership is ${partnership.status}${way}.`
  throw new Problem('state_forbids', detail, { members: { from: partnership.status } })
}

/**
 * What a partnership comes to with new terms, held to every rule of a partnership. Nothing is written.
 * @throws Problem that names every rule they break
 */
export async function amendedPartnership(
  tx: Tx,
  partnership: Partnership,
  { purpose, ...rest }: PartnershipTermsChange,
): Promise<PartnershipState> {
  const write = { ...writeOf(partnership), ...rest, purpose: { ...partnership.purpose, ...purpose } }
  return checkedPartnership(tx, write, partnership)
}

/** Gives a partnership new terms that its parties accepted. */
export async function amendPartnership(
  tx: Tx,
  partnership: Partnership,
  change: PartnershipTermsChange,
  amendment: { id: string; on: string; partyId: string; note: string | null },
): Promise<PartnershipTerms> {
  const { id, version, status } = partnership
  const state = await amendedPartnership(tx, partnership, change)
  await partnershipUpdate(tx, id, state)
  await recordStatusChange(tx, {
    ...{ type: 'partnership', id, version: version + 1, from: status, to: status, on: amendment.on },
    ...{ decidedByPartyId: amendment.partyId, reason: amendment.note, amendmentId: amendment.id },
  })
  const before = partnershipTerms(partnership)
  const after = partnershipTerms(state)
  const names = Object.keys(after) as (keyof PartnershipTerms)[]
  const changed = names.filter((name) => !isDeepStrictEqual(before[name], after[name]))
  record(tx, { resource: partnershipResource, id, verb: 'amended', changed })
  return after
}
