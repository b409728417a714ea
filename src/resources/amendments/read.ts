import { sql } from 'kysely'
import { uuid } from '../../core/schemas.ts'
import type { ReadTx } from '../../db/database.ts'
import { param } from '../../db/prepared.ts'
import { belongingTo, byInstant, defineList, externalRef, oneOf, updatedSince } from '../../platform/lists.ts'
import { amendmentCauses, amendmentStatuses } from './lifecycle.ts'
import { Amendment } from './schemas.ts'
import { amendmentResource } from './view.ts'

const filters = {
  status: oneOf('status', amendmentStatuses),
  cause: oneOf('cause', amendmentCauses),
  updated_since: updatedSince,
  decision_id: {
    schema: uuid({ description: 'The decision of an evaluation that it carries out' }),
    where: sql<boolean>`r.decision_id = ${param('decision_id')}::uuid`,
  },
  external_ref: externalRef('amendment'),
}
const listed = {
  item: Amendment,
  of: amendmentResource,
  sorts: {
    created_at: byInstant('created_at'),
    updated_at: byInstant('updated_at'),
    effective_on: { key: sql.ref('r.effective_on'), type: 'date' as const },
  },
  defaultSort: 'created_at',
}

export const amendmentList = defineList({
  ...listed,
  name: 'amendments',
  filters: { ...filters, partnership_id: belongingTo('partnership_id') },
})

/** The amendments of one partnership; its value is `partnership_id`. */
export const amendmentsOfPartnership = defineList({
  ...listed,
  name: 'partnership_amendments',
  filters,
  within: sql<boolean>`r.partnership_id = ${param('partnership_id')}::uuid`,
})

/** Where an amendment stands; undefined where there is none. */
export async function amendmentStatus(tx: ReadTx, id: string): Promise<Amendment['status'] | undefined> {
  const row = await tx.db
    .selectFrom('amendments')
    .select('status')
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.status as Amendment['status'] | undefined
}
