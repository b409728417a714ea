import { sql } from 'kysely'
import { uuid } from '../../core/schemas.ts'
import { param, tenantParam } from '../../db/prepared.ts'
import type { Filter } from '../../platform/lists.ts'

const meanings = {
  evaluations:
    'Rounds of the partnerships in which this organisation takes or took part, and those in which it judges itself',
  evaluation_decisions:
    'Of partnerships in which this organisation takes or took part, and of its own readiness rounds',
} as const

/**
 * What an organisation has a part in, wherever it is listed or exported: what is of partnerships in which it takes or
 * took part, and what is of rounds in which it judges itself. Two queries, so that each has its index.
 * @param column of the table that is narrowed, the id of the round or decision
 */
export const ofOrganisation = (table: keyof typeof meanings, column = 'r.id'): Filter => ({
  schema: uuid({ description: meanings[table] }),
  names: 'organisations',
  where: sql<boolean>`${sql.ref(column)} in (
    select x.id from ${sql.table(table)} x
    join partnership_parties p on p.tenant_id = x.tenant_id and p.partnership_id = x.partnership_id
    where x.tenant_id = ${tenantParam} and p.organisation_id = ${param('organisation_id')}::uuid
    union all
    select x.id from ${sql.table(table)} x
    where x.tenant_id = ${tenantParam} and x.organisation_id = ${param('organisation_id')}::uuid)`,
})
