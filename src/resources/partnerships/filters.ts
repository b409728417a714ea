import { type RawBuilder, sql } from 'kysely'
import { codes, date, uuid } from '../../core/schemas.ts'
import { param, tenantParam } from '../../db/prepared.ts'
import {
  byDate,
  byInstant,
  byText,
  externalRef,
  type Filter,
  oneOf,
  searched,
  updatedSince,
} from '../../platform/lists.ts'
import { partnershipStatuses, relationshipTypes, sides, stages } from './schemas.ts'

/** Partnerships with a party that meets a condition on `p`. */
const withParty = (condition: RawBuilder<unknown>): RawBuilder<boolean> => sql`r.id in (
  select p.partnership_id from partnership_parties p where p.tenant_id = ${tenantParam} and ${condition})`

const organisation = param('organisation_id')

/** A bound on a date, in the words of the index; what has no such date is not found by it. */
function bound(name: string, column: 'starts_on' | 'ends_on', operator: '>=' | '<', description: string): Filter {
  const day = sql.ref(`r.${column}`)
  const key = sql`coalesce(${day}, 'infinity'::date)`
  return {
    schema: date({ description }),
    where: sql`${key} ${sql.raw(operator)} ${param(name)}::date and ${day} is not null`,
  }
}

/** The keys by which partnerships are sorted. */
export const partnershipSorts = {
  created_at: byInstant('created_at'),
  updated_at: byInstant('updated_at'),
  name: byText('sort_name'),
  starts_on: byDate('starts_on'),
  ends_on: byDate('ends_on'),
}

/** The filters of partnerships, for lists of them and of what is reckoned from them. */
export const partnershipFilters: Record<string, Filter> = {
  q: searched('A part of the name or the reference, whatever its case or accents'),
  status: oneOf('status', partnershipStatuses),
  organisation_id: {
    schema: uuid({ description: 'An organisation that is a party' }),
    names: 'organisations',
    where: withParty(sql`p.organisation_id = ${organisation}::uuid`),
    isUneven: true,
  },
  side: {
    schema: codes(sides, { description: 'A side that a party stands on; with organisation_id, that party' }),
    where: withParty(
      sql`p.side = ${param('side')} and (${organisation}::uuid is null or p.organisation_id = ${organisation}::uuid)`,
    ),
  },
  manager_contact_id: {
    schema: uuid({ description: 'A contact that is a manager' }),
    where: sql`r.id in (select m.partnership_id from partnership_managers m
      where m.tenant_id = ${tenantParam} and m.contact_id = ${param('manager_contact_id')}::uuid)`,
  },
  relationship_type: oneOf('relationship_type', relationshipTypes),
  stage: oneOf('stage', stages),
  predecessor_id: {
    schema: uuid({ description: 'Renewals of this partnership' }),
    where: sql`r.predecessor_id = ${param('predecessor_id')}::uuid`,
  },
  starts_from: bound('starts_from', 'starts_on', '>=', 'Starts on this day or later'),
  starts_before: bound('starts_before', 'starts_on', '<', 'Starts before this day'),
  ends_from: bound('ends_from', 'ends_on', '>=', 'Ends on this day or later'),
  ends_before: bound('ends_before', 'ends_on', '<', 'Ends before this day'),
  external_ref: externalRef('partnership'),
  updated_since: updatedSince,
}
