import { sql } from 'kysely'
import { compiler } from '../../db/prepared.ts'
import { measureJson } from '../../platform/measures.ts'
import { externalRefsOf } from '../../platform/references.ts'
import { defineResource, type View } from '../../platform/resource.ts'
import type { Fulfilment } from './schemas.ts'

/** Row to wire: explicit, so that a new column never leaks. */
const view: View<Fulfilment> = compiler
  .selectFrom('fulfilments as r')
  .select((eb) => [
    'r.id',
    'r.version',
    'r.created_at',
    'r.updated_at',
    'r.commitment_id',
    'r.delivered_on',
    'r.instalment_seq',
    measureJson(sql`coalesce(r.amount, r.quantity)`).$castTo<Fulfilment['measure']>().as('measure'),
    eb.ref('r.mode').$castTo<Fulfilment['mode']>().as('mode'),
    eb.ref('r.reach').$castTo<Fulfilment['reach']>().as('reach'),
    eb.ref('r.valuations').$castTo<Fulfilment['valuations']>().as('valuations'),
    'r.note',
    'r.evidence_url',
    'r.reported_by_party_id',
    eb.ref('r.confirmation').$castTo<Fulfilment['confirmation']>().as('confirmation'),
    'r.decided_by_party_id',
    'r.decided_on',
    'r.decision_note',
    'r.dispute_reason',
    'r.reversal_of',
    'r.reversal_reason',
    eb
      .selectFrom('fulfilments as x')
      .select('x.id')
      .whereRef('x.tenant_id', '=', 'r.tenant_id')
      .whereRef('x.reversal_of', '=', 'r.id')
      .as('reversed_by_id'),
    externalRefsOf(eb, 'fulfilment').as('external_refs'),
    eb.ref('r.metadata').$castTo<Record<string, unknown>>().as('metadata'),
  ])

export const fulfilmentResource = defineResource<Fulfilment>({
  type: 'fulfilment',
  path: 'fulfilments',
  table: 'fulfilments',
  view,
})
