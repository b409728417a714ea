import { sql } from 'kysely'
import { param, tenantParam } from '../../db/prepared.ts'

/**
 * The ids of what an organisation has a part in, the parameter `organisation_id`: what is of partnerships in which it
 * takes or took part, and what is of rounds in which it judges itself. Two queries, so that each has its index.
 */
export const ofOrganisation = (table: 'evaluations' | 'evaluation_decisions') => sql`
  select x.id from ${sql.table(table)} x
  join partnership_parties p on p.tenant_id = x.tenant_id and p.partnership_id = x.partnership_id
  where x.tenant_id = ${tenantParam} and p.organisation_id = ${param('organisation_id')}::uuid
  union all
  select x.id from ${sql.table(table)} x
  where x.tenant_id = ${tenantParam} and x.organisation_id = ${param('organisation_id')}::uuid`
