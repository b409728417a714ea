import { sql } from 'kysely'
import { notFound } from '../../core/problem.ts'
import type { ReadTx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import { partnershipContext, type TermsNow } from '../partnerships/read.ts'
import { wasAgreed } from './origin.ts'
import { type Commitment, termsAgreed } from './schemas.ts'
import { commitmentResource } from './view.ts'

const existing = prepare<object>(
  sql`select from commitments where tenant_id = ${tenantParam} and id = ${param('id')}::uuid`,
)

/** @throws Problem `not_found` where there is no such commitment */
export async function requireCommitment(tx: ReadTx, id: string): Promise<void> {
  if ((await existing.run(tx, { id })).length === 0) throw notFound()
}

/** The sides of a partnership from which an agreed (or fulfilled) commitment comes. */
export async function sidesThatPromised(tx: ReadTx, partnershipId: string): Promise<Set<string>> {
  const rows = await tx.db
    .selectFrom('commitments as c')
    .innerJoin('partnership_parties as p', (join) =>
      join.onRef('p.tenant_id', '=', 'c.tenant_id').onRef('p.id', '=', 'c.from_party_id'),
    )
    .select('p.side')
    .distinct()
    .where('c.tenant_id', '=', tx.tenantId)
    .where('c.partnership_id', '=', partnershipId)
    .where('c.status', 'in', ['agreed', 'paused', 'fulfilled'])
    .execute()
  return new Set(rows.map((row) => row.side))
}

/**
 * The first so many commitments of a partnership that have not come to an end yet. What lapsed has not: it may still be
 * reinstated or released.
 */
export async function openCommitments(
  tx: ReadTx,
  partnershipId: string,
  limit: number,
): Promise<{ id: string; title: string; status: string }[]> {
  return tx.db
    .selectFrom('commitments')
    .select(['id', 'title', 'status'])
    .where('tenant_id', '=', tx.tenantId)
    .where('partnership_id', '=', partnershipId)
    .where('status', 'in', ['draft', 'proposed', 'agreed', 'paused', 'lapsed'])
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit)
    .execute()
}

/**
 * The day from which a commitment is known to have been agreed; null where it was not. Of one that was taken over without
 * that day it is the day on which it stood so.
 */
export const agreedSince = ({ status, agreed_on, taken_over }: Commitment): string | null =>
  agreed_on ?? (wasAgreed(status) ? (taken_over?.on ?? null) : null)

/** The agreed terms of a commitment; undefined where there is no such commitment. */
export async function commitmentTermsNow(tx: ReadTx, id: string): Promise<TermsNow | undefined> {
  const [row] = await commitmentResource.one.run(tx, { id })
  if (!row) return undefined
  const commitment = JSON.parse(row.body) as Commitment
  const partnership = await partnershipContext(tx, commitment.partnership_id)
  if (!partnership) throw notFound()
  return { since: agreedSince(commitment), terms: { ...termsAgreed(commitment) }, timeZone: partnership.time_zone }
}
