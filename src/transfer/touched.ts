import { type RawBuilder, sql } from 'kysely'
import { param, tenantParam } from '../db/prepared.ts'

/**
 * What changes together: the column by which rows are taken away and written anew, the table whose records it names, and
 * the events that touch it, as queries of (id, sequence). An event too many costs a row too many; one too few, a wrong row.
 */
export interface Unit {
  column: string
  of: string
  touchedBy: readonly RawBuilder<unknown>[]
}

const after = param('changed_after')

/** The records of a kind themselves. */
export const touched = (type: string) => sql`
  select e.resource_id as id, e.sequence from events e
  where e.tenant_id = ${tenantParam} and e.sequence > ${after}::bigint and e.resource_type = ${sql.lit(type)}`

/** What rows of a table name in `column`, where they name a record of the kind in `through`. */
export const touchedVia = (type: string, table: string, through: string, column: string) => sql`
  select x.${sql.ref(column)} as id, e.sequence from events e
  join ${sql.table(table)} x on x.tenant_id = e.tenant_id and x.${sql.ref(through)} = e.resource_id
  where e.tenant_id = ${tenantParam} and e.sequence > ${after}::bigint and e.resource_type = ${sql.lit(type)}`

/** The units that were touched, each with the last event that did. */
export const touchedUnits = ({ touchedBy }: Unit) => sql`(
  select u.id, max(u.sequence) as sequence from (${sql.join(touchedBy, sql` union all `)}) u
  where u.id is not null group by u.id)`

const itself = (type: string, of: string): Unit => ({ column: 'id', of, touchedBy: [touched(type)] })

/** Records whose rows only their own events change. */
export const organisationUnit = itself('organisation', 'organisations')
export const partnershipUnit = itself('partnership', 'partnerships')
export const fulfilmentUnit = itself('fulfilment', 'fulfilments')
export const substitutionUnit = itself('substitution', 'substitutions')
export const amendmentUnit = itself('amendment', 'amendments')
export const objectiveUnit = itself('objective', 'objectives')
export const objectiveLinkUnit = itself('objective_link', 'objective_links')
export const disruptionUnit = itself('disruption', 'disruptions')
export const impactUnit: Unit = {
  ...itself('impact', 'disruption_impacts'),
  // An evaluation may meet an obligation, whatever else it does.
  touchedBy: [touched('impact'), touchedVia('evaluation', 'disruption_impacts', 'response_evaluation_id', 'id')],
}

/** Rounds and what was decided in them, which are told apart by the seats of their partnership. */
const judging = (type: string, of: string): Unit => ({
  ...itself(type, of),
  touchedBy: [touched(type), touchedVia('partnership', of, 'partnership_id', 'id')],
})
export const evaluationUnit = judging('evaluation', 'evaluations')
export const evaluationDecisionUnit = judging('evaluation_decision', 'evaluation_decisions')

/** What portfolios said at the end of a month: written once. */
export const portfolioSnapshotUnit: Unit = {
  column: 'snapshot_id',
  of: 'portfolio_snapshots',
  touchedBy: [touched('portfolio_snapshot')],
}

/** Pauses, whose beginning and end are told as steps of what is paused. */
export const pauseUnit: Unit = {
  ...itself('pause', 'pauses'),
  touchedBy: [
    touched('pause'),
    touchedVia('partnership', 'pauses', 'partnership_id', 'id'),
    touchedVia('commitment', 'pauses', 'commitment_id', 'id'),
  ],
}

/** Commitments, whose figures come from their ledger, their instalments and the seats of their parties. */
export const commitmentUnit: Unit = {
  ...itself('commitment', 'commitments'),
  touchedBy: [
    touched('commitment'),
    touchedVia('fulfilment', 'fulfilments', 'id', 'commitment_id'),
    touchedVia('pause', 'commitment_pauses', 'pause_id', 'commitment_id'),
    touchedVia('substitution', 'substitutions', 'id', 'replaces_commitment_id'),
    touchedVia('substitution', 'substitutions', 'id', 'by_commitment_id'),
    touchedVia('partnership', 'commitments', 'partnership_id', 'id'),
    sql`select c.id, e.sequence from events e
      join partnership_parties y on y.tenant_id = e.tenant_id and y.organisation_id = e.resource_id
      join commitments c on c.tenant_id = y.tenant_id and c.partnership_id = y.partnership_id
      where e.tenant_id = ${tenantParam} and e.sequence > ${after}::bigint and e.resource_type = 'organisation'`,
  ],
}

/** Seats, which a merge of organisations moves. */
export const seatsUnit: Unit = {
  column: 'partnership_id',
  of: 'partnerships',
  touchedBy: [
    touched('partnership'),
    touchedVia('organisation', 'partnership_parties', 'organisation_id', 'partnership_id'),
  ],
}

/** The rows that belong to a record, taken together. */
export const within = (column: string, unit: Unit): Unit => ({ ...unit, column })
