import { type RawBuilder, sql } from 'kysely'
import { codes, uuid } from '../../core/schemas.ts'
import { compiler, param } from '../../db/prepared.ts'
import type { Filter } from '../../platform/lists.ts'
import { severities } from '../../resources/disruption-impacts/schemas.ts'
import { bases } from '../../resources/measures/schemas.ts'
import { partnershipStatuses, sides } from '../../resources/partnerships/schemas.ts'
import { riskRules } from '../../resources/portfolio/read.ts'
import { period } from '../../resources/portfolio-snapshots/schemas.ts'
import { codeColumn, evaluationKey, listColumn, optional, organisationKey, partnershipKey } from '../columns.ts'
import { defineTable } from '../table.ts'
import { portfolioSnapshotUnit } from '../touched.ts'

/** A member of the figures, by its path, as text. */
const at = (...path: string[]) => sql`(r.figures #>> ${sql.lit(`{${path.join(',')}}`)}::text[])`
const integer = (value: RawBuilder<unknown>) => sql`${value}::integer`
const boolean = (value: RawBuilder<unknown>) => sql`${value}::boolean`

const ratio = (meaning: string, value: RawBuilder<unknown>, more: { isSigned?: boolean } = {}) => ({
  ...({ type: 'decimal', unit: more.isSigned ? 'ratio, -1 to 1' : 'ratio, 0 to 1', digits: 1 } as const),
  ...{ meaning, ...optional, ...more, value: sql`${value}::numeric` },
})
const points = (meaning: string, value: RawBuilder<unknown>, more: { isSigned?: boolean } = {}) => ({
  ...({ type: 'decimal', unit: 'points', digits: 3 } as const),
  ...{ meaning, ...optional, ...more, value: sql`trim_scale(${value}::numeric)` },
})
const amount = (meaning: string, value: RawBuilder<unknown>) => ({
  ...({ type: 'decimal', unit: 'the currency column', isSum: true } as const),
  ...{ meaning, value: sql`${value}::numeric` },
})

/** The rows of snapshots by the alias `r`, the snapshots by the alias `s`. */
export const snapshotsSource = compiler
  .selectFrom('portfolio_snapshot_rows as r')
  .innerJoin('portfolio_snapshots as s', (join) =>
    join.onRef('s.tenant_id', '=', 'r.tenant_id').onRef('s.id', '=', 'r.snapshot_id'),
  )

export const portfolioSnapshotFilters = {
  organisation_id: { schema: uuid(), where: sql`s.organisation_id = ${param('organisation_id')}::uuid` },
  partnership_id: { schema: uuid(), where: sql`r.partnership_id = ${param('partnership_id')}::uuid` },
  period: { schema: period('The month'), where: sql`r.period = ${param('period')}` },
} satisfies Record<string, Filter>

/** What portfolios said at the end of each month. */
export const portfolioSnapshotsTable = defineTable(snapshotsSource, {
  name: 'portfolio_snapshots',
  rowName: 'ExportedPortfolioSnapshot',
  grain: 'partnership in the portfolio of an organisation at the end of a month',
  notes:
    'Frozen as it was known when the month was over: what was recorded later and dated earlier is not in it. A partnership ' +
    'has a row for each of its organisations that has objectives or takes part in two partnerships or more.',
  key: ['id'],
  unit: portfolioSnapshotUnit,
  columns: {
    id: { type: 'uuid', meaning: 'The row' },
    snapshot_id: { type: 'uuid', meaning: 'The snapshot: all rows of one organisation and month' },
    taken_at: { type: 'instant', meaning: 'When it was taken', value: sql.ref('s.created_at') },
    organisation_id: organisationKey('Whose portfolio it was', { value: sql.ref('s.organisation_id') }),
    partnership_id: partnershipKey('The partnership in it'),
    period: { type: 'text', meaning: 'The month, such as 2026-03' },
    as_of: { type: 'date', meaning: 'The last day of the month', value: sql.ref('s.as_of') },
    status: codeColumn(partnershipStatuses, 'The state of the partnership on that day', { value: at('status') }),
    side: codeColumn(sides, 'The side on which the organisation stood', { value: at('side') }),
    basis: codeColumn(bases, 'The basis of valuation', { value: at('basis') }),
    currency: { type: 'text', meaning: 'The currency of the amounts', value: at('outstanding', 'value', 'currency') },
    fulfilment_rate: ratio('Of what was due, what was delivered; null where nothing was', at('fulfilment', 'rate')),
    kept_as_promised: ratio(
      'The same without taking out what lapsed, was released, cancelled or substituted',
      at('fulfilment', 'kept_as_promised'),
    ),
    due: amount('What was due by then', at('fulfilment', 'due', 'amount')),
    late: amount('What of it was late', at('fulfilment', 'late', 'amount')),
    outstanding: amount('What was still owed by both sides', at('outstanding', 'value', 'amount')),
    reciprocity_promised: ratio(
      'How what both sides promise compares; null where it is undefined',
      at('reciprocity', 'promised'),
      { isSigned: true },
    ),
    reciprocity_delivered: ratio('The same of what they delivered', at('reciprocity', 'delivered'), {
      isSigned: true,
    }),
    evaluation_id: evaluationKey('The last round that was closed by then', {
      ...optional,
      value: sql`${at('scores', 'evaluation_id')}::uuid`,
    }),
    score: points('The mean of what both sides scored the whole; null where one is withheld', at('scores', 'score')),
    overall_gap: points('How far they were apart on it', at('scores', 'gap'), { isSigned: true }),
    lowest_score: points('The lowest score of a dimension by a side', at('scores', 'lowest_score')),
    widest_gap: points('The widest gap on a dimension', at('scores', 'widest_gap')),
    fit: points('The strategic fit; null where nothing was assessed', at('strategy', 'fit')),
    fit_change: points('What it was more than before the last assessment', at('strategy', 'change'), {
      isSigned: true,
    }),
    breadth: {
      type: 'integer',
      unit: 'objectives',
      meaning: 'How many objectives it supported',
      value: integer(at('strategy', 'breadth')),
    },
    is_anchored: {
      type: 'boolean',
      meaning: 'Whether it supported one at least',
      value: boolean(at('strategy', 'is_anchored')),
    },
    evaluation_overdue_days: {
      type: 'integer',
      unit: 'days',
      meaning: 'How long an evaluation was overdue',
      ...optional,
      value: integer(at('evaluation', 'overdue_days')),
    },
    open_impacts: {
      type: 'integer',
      unit: 'impacts',
      meaning: 'Impacts of disruptions that asked for a response',
      value: integer(at('open_impacts')),
    },
    worst_impact: codeColumn(severities, 'The highest severity of those', { ...optional, value: at('worst_impact') }),
    is_at_risk: { type: 'boolean', meaning: 'Whether a rule fired' },
    rules_fired: listColumn(codes(riskRules), 'The rules that fired', sql`r.figures -> 'rules_fired'`),
    rules_undefined: listColumn(codes(riskRules), 'The rules that said nothing', sql`r.figures -> 'rules_undefined'`),
    impact_evaluation_due_on: {
      type: 'date',
      meaning: 'When the first of the evaluations that impacts asked for was due, where one still was',
      ...optional,
      value: sql`${at('evaluation', 'impact_due_on')}::date`,
    },
  },
  filters: portfolioSnapshotFilters,
})
