import { type RawBuilder, sql } from 'kysely'
import { uuid } from '../../core/schemas.ts'
import { compiler, param, tenantParam } from '../../db/prepared.ts'
import { oneOf } from '../../platform/lists.ts'
import { amendmentCauses } from '../../resources/amendments/lifecycle.ts'
import { organisationTimeZone } from '../../resources/evaluations/read.ts'
import { pauseReasons } from '../../resources/pauses/schemas.ts'
import { refsOf } from '../columns.ts'
import { dated, day } from '../dated.ts'
import { amendmentsTable, substitutionsTable } from './changes.ts'
import { fulfilmentsTable } from './deliveries.ts'
import { evaluationGapsTable, gapLevelFilter, gapsSource } from './evaluation-gaps.ts'
import { evaluationScoresTable, roundFilters, scoreLevelFilter, scoresSource } from './evaluation-scores.ts'
import { objectiveLinksTable } from './objectives.ts'
import { partnershipStatusHistoryTable } from './partnerships.ts'
import { pausesTable } from './pauses.ts'
import { portfolioSnapshotFilters, portfolioSnapshotsTable, snapshotsSource } from './portfolio-snapshots.ts'

// What is written once, and then decided on, ended or superseded on a day that is kept with it.

const theDay = sql`${day}::date`

/** A column of `r` that was written on the day in the column `since`: nothing before it. */
const from = (since: string, column: string) =>
  sql`case when ${sql.ref(`r.${since}`)} <= ${theDay} then ${sql.ref(`r.${column}`)} end`

const fromEach = (since: string, columns: readonly string[]): Record<string, RawBuilder<unknown>> =>
  Object.fromEntries(columns.map((column) => [column, from(since, column)]))

const by = (column: string, of = `r.${column}`) => ({
  [column]: { schema: uuid(), where: sql<boolean>`${sql.ref(of)} = ${param(column)}::uuid` },
})

/** What says how a record was written here, not what was so on a day. */
const written = ['version', 'updated_at'] as const

export const datedStatusHistory = dated(
  partnershipStatusHistoryTable,
  compiler.selectFrom('status_changes as r').where('r.resource_type', '=', sql.lit('partnership')),
  {
    where: sql`r.changed_on <= ${theDay}`,
    about: 'Changes that count from that day or an earlier one.',
    undated: [],
    filters: by('partnership_id', 'r.resource_id'),
  },
)

export const datedPauses = dated(pausesTable, compiler.selectFrom('pauses as r'), {
  where: sql`r.starts_on <= ${theDay}`,
  told: fromEach('resumed_on', ['resumed_on']),
  about: 'Those that had begun; resumed_on is null where they still lasted.',
  undated: written,
  filters: { reason: oneOf('reason', pauseReasons), ...by('partnership_id') },
})

export const datedObjectiveLinks = dated(objectiveLinksTable, compiler.selectFrom('objective_links as r'), {
  where: sql`r.assessed_on <= ${theDay}`,
  told: fromEach('superseded_on', ['superseded_on', 'superseded_by_id']),
  about: 'Assessments made by then; those without superseded_on counted on that day.',
  undated: written,
  filters: { ...by('partnership_id'), ...by('objective_id') },
})

const decided = ['decided_by_party_id', 'decided_on', 'decision_note'] as const
const statusThen = sql`case when r.decided_on > ${theDay} then 'proposed' else r.status end`

export const datedSubstitutions = dated(
  substitutionsTable,
  compiler
    .selectFrom('substitutions as r')
    .leftJoin(refsOf('substitution'), (join) => join.onRef('refs.resource_id', '=', 'r.id')),
  {
    where: sql`r.proposed_on <= ${theDay}`,
    told: { ...fromEach('decided_on', decided), status: statusThen },
    about: 'Those proposed by then, as they had been decided on.',
    undated: written,
    filters: by('partnership_id'),
  },
)

export const datedAmendments = dated(
  amendmentsTable,
  compiler
    .selectFrom('amendments as r')
    .leftJoin(refsOf('amendment'), (join) => join.onRef('refs.resource_id', '=', 'r.id')),
  {
    where: sql`r.proposed_on <= ${theDay}`,
    told: { ...fromEach('decided_on', decided), status: statusThen },
    about: 'Those proposed by then, as they had been decided on.',
    undated: written,
    filters: { cause: oneOf('cause', amendmentCauses), ...by('partnership_id') },
  },
)

// A dispute that was settled is overwritten by the confirmation: what it said is in the audit. Few are, and of fewer the
// day lies between.
const settledDispute = sql<{ after: unknown }>`lateral (
  select a.after from audit_entries a
  where a.tenant_id = ${tenantParam} and a.resource_type = 'fulfilment' and a.resource_id = r.id
    and a.action = 'fulfilment.disputed' and (a.occurred_at at time zone p.time_zone)::date <= ${theDay}
    and r.dispute_reason is not null and r.decided_on > ${theDay}
  order by a.sequence desc limit 1)`.as('d')

const isDecided = sql`(r.decided_on is null or r.decided_on <= ${theDay})`
const disputed = (name: string) => sql`(d.after ->> ${sql.lit(name)})`

/** The ledger of the day, to be used by what sums it up: its entries by the alias `r`. */
export const ledgerThen = compiler
  .selectFrom('fulfilments as r')
  .innerJoin('commitments as c', (join) =>
    join.onRef('c.tenant_id', '=', 'r.tenant_id').onRef('c.id', '=', 'r.commitment_id'),
  )
  .innerJoin('partnerships as p', (join) =>
    join.onRef('p.tenant_id', '=', 'c.tenant_id').onRef('p.id', '=', 'c.partnership_id'),
  )
  .leftJoin(settledDispute, (join) => join.on(sql<boolean>`true`))

/** An entry counts from the day of the delivery, a reversal from the day on which it was written. */
export const wasEntered = sql<boolean>`case when r.reversal_of is null then r.delivered_on
  else (r.created_at at time zone p.time_zone)::date end <= ${theDay}`

export const confirmationThen = sql`case when ${isDecided} then r.confirmation when d.after is not null then 'disputed'
  else 'reported' end`

export const datedFulfilments = dated(
  fulfilmentsTable,
  ledgerThen.leftJoin(refsOf('fulfilment'), (join) => join.onRef('refs.resource_id', '=', 'r.id')),
  {
    where: wasEntered,
    told: {
      confirmation: confirmationThen,
      decided_by_party_id: sql`case when ${isDecided} then r.decided_by_party_id
        else ${disputed('decided_by_party_id')}::uuid end`,
      decided_on: sql`case when ${isDecided} then r.decided_on else ${disputed('decided_on')}::date end`,
      decision_note: sql`case when ${isDecided} then r.decision_note end`,
      dispute_reason: sql`case when ${isDecided} or d.after is not null then r.dispute_reason end`,
    },
    about: 'Deliveries of that day or earlier, as they had been confirmed or disputed, and reversals written by then.',
    undated: written,
    filters: by('commitment_id'),
  },
)

/** The day on which a round was closed, or concluded, where its partnership is, or as organisations reckon. */
const dayOf = (column: string) =>
  sql`(${sql.ref(`e.${column}`)} at time zone coalesce(p.time_zone, ${sql.lit(organisationTimeZone)}))::date`

export const datedScores = dated(
  evaluationScoresTable,
  scoresSource.leftJoin('partnerships as p', (join) =>
    join.onRef('p.tenant_id', '=', 'e.tenant_id').onRef('p.id', '=', 'e.partnership_id'),
  ),
  {
    where: sql`${dayOf('closed_at')} <= ${theDay}`,
    told: { status: sql`case when ${dayOf('concluded_at')} <= ${theDay} then 'concluded' else 'closed' end` },
    about: 'Rounds closed by then.',
    undated: [],
    filters: {
      ...by('partnership_id', 'e.partnership_id'),
      organisation_id: roundFilters.organisation_id,
      level: scoreLevelFilter,
    },
  },
)

export const datedGaps = dated(
  evaluationGapsTable,
  gapsSource.innerJoin('partnerships as p', (join) =>
    join.onRef('p.tenant_id', '=', 'e.tenant_id').onRef('p.id', '=', 'e.partnership_id'),
  ),
  {
    where: sql`${dayOf('closed_at')} <= ${theDay}`,
    about: 'Rounds closed by then.',
    undated: [],
    filters: {
      ...by('partnership_id', 'e.partnership_id'),
      organisation_id: roundFilters.organisation_id,
      level: gapLevelFilter,
    },
  },
)

export const datedSnapshots = dated(portfolioSnapshotsTable, snapshotsSource, {
  where: sql`s.as_of <= ${theDay}`,
  about: 'Months that had ended.',
  undated: [],
  filters: portfolioSnapshotFilters,
})
