import { sql } from 'kysely'
import { uuid } from '../../core/schemas.ts'
import { param, tenantParam } from '../../db/prepared.ts'
import {
  belongingTo,
  byInstant,
  defineList,
  externalRef,
  type Filter,
  oneOf,
  searched,
  updatedSince,
} from '../../platform/lists.ts'
import { commitmentStatuses } from './lifecycle.ts'
import { Commitment, kinds, reciprocities } from './schemas.ts'
import { commitmentResource } from './view.ts'

const byId = (column: string): Filter => ({
  schema: uuid(),
  where: sql`${sql.ref(`r.${column}`)} = ${param(column)}::uuid`,
})

/** The seats of the organisation that a filter names. */
const seatsOf = (filter: string) => sql`
  select p.id from partnership_parties p
  where p.tenant_id = ${tenantParam} and p.organisation_id = ${param(filter)}::uuid`

/** By the organisation of a seat: whose that is changes when organisations are merged, and the commitment does not. */
const bySeat = (description: string, where: Filter['where']): Filter => ({
  schema: uuid({ description }),
  names: 'organisations',
  where,
  isOfOthers: true,
})

const eitherSide = sql`array(${seatsOf('organisation_id')})`

/** One side alone can be joined: an organisation of many seats is met by walking commitments in order, others by their seats. */
const byOneSide = (name: string, side: 'from_party_id' | 'to_party_id', description: string): Filter => ({
  ...bySeat(description, sql`${sql.ref(`r.${side}`)} in (${seatsOf(name)})`),
  isUneven: true,
})

export const commitmentList = defineList({
  name: 'commitments',
  item: Commitment,
  of: commitmentResource,
  sorts: { created_at: byInstant('created_at'), updated_at: byInstant('updated_at') },
  defaultSort: 'created_at',
  filters: {
    q: searched('A part of title or description, whatever its case or accents'),
    partnership_id: belongingTo('partnership_id'),
    organisation_id: bySeat(
      'The organisation that promises or receives',
      sql`(r.from_party_id = any(${eitherSide}) or r.to_party_id = any(${eitherSide}))`,
    ),
    from_organisation_id: byOneSide('from_organisation_id', 'from_party_id', 'The organisation that promises'),
    to_organisation_id: byOneSide(
      'to_organisation_id',
      'to_party_id',
      'The organisation that receives; what is for the joint purpose is not found by it',
    ),
    from_party_id: byId('from_party_id'),
    to_party_id: byId('to_party_id'),
    status: oneOf('status', commitmentStatuses),
    kind: oneOf('kind', kinds),
    reciprocity: oneOf('reciprocity', reciprocities),
    disruption_id: byId('disruption_id'),
    external_ref: externalRef('commitment'),
    updated_since: updatedSince,
  },
})
