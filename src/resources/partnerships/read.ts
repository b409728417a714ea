import type { ReadTx } from '../../db/database.ts'

/** What other slices may know of a partnership. */
export interface PartnershipContext {
  id: string
  status: string
  starts_on: string | null
  base_currency: string
  /** Decides what "today" is, and nothing else. */
  time_zone: string
  parties: PartyContext[]
}

export interface PartyContext {
  id: string
  organisation_id: string
  side: string
  role: string
  joined_on: string | null
  left_on: string | null
}

/** A partnership and its parties; undefined where there is none. */
export async function partnershipContext(tx: ReadTx, id: string): Promise<PartnershipContext | undefined> {
  const [partnership, parties] = await Promise.all([
    tx.db
      .selectFrom('partnerships')
      .select(['id', 'status', 'starts_on', 'base_currency', 'time_zone'])
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '=', id)
      .executeTakeFirst(),
    tx.db
      .selectFrom('partnership_parties')
      .select(['id', 'organisation_id', 'side', 'role', 'joined_on', 'left_on'])
      .where('tenant_id', '=', tx.tenantId)
      .where('partnership_id', '=', id)
      .orderBy('position')
      .execute(),
  ])
  return partnership && { ...partnership, parties }
}
