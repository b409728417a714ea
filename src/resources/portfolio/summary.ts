import { isLess, ratioOf, rounded, sumOf } from '../../core/measures.ts'
import { partnershipStatuses } from '../partnerships/schemas.ts'
import type { ThresholdValues } from '../thresholds/schemas.ts'
import type { Facts, Sums } from './facts.ts'
import { nothing, rowOf } from './figures.ts'
import { riskRules } from './rules.ts'
import type { PortfolioRow, PortfolioSummary } from './schemas.ts'

/** A partnership, reckoned, with what the sums need beside it. */
export interface Summed {
  row: PortfolioRow
  sums: Sums
}

export const summedOf = (facts: Facts, thresholds: ThresholdValues): Summed => ({
  row: rowOf(facts, thresholds),
  sums: facts.value?.sums ?? nothing,
})

const outstandingOf = (all: readonly Summed[]): string => sumOf(all.map(({ sums }) => sums.outstanding))
const currencyOf = ({ row }: Summed): string => row.outstanding.value.currency
const byCurrency = (all: readonly Summed[]): [string, Summed[]][] =>
  [...Map.groupBy(all, currencyOf)].sort(([a], [b]) => (a < b ? -1 : 1))

/** A portfolio in sum, in each currency by itself. */
export function summaryOf(
  all: readonly Summed[],
  about: { organisation_id: string; as_of: string },
  thresholds: ThresholdValues,
): PortfolioSummary {
  const rows = all.map(({ row }) => row)
  const count = (is: (row: PortfolioRow) => boolean): number => rows.filter(is).length
  const anchored = count((row) => row.strategy.is_anchored)
  return {
    ...about,
    partnerships: rows.length,
    by_status: partnershipStatuses.flatMap((status) => {
      const partnerships = count((row) => row.status === status)
      return partnerships > 0 ? [{ status, partnerships }] : []
    }),
    partnerships_at_risk: count((row) => row.is_at_risk),
    values: byCurrency(all).map(([currency, some]) => sumsIn(currency, some)),
    rules: riskRules.map((rule) => {
      const fired = all.filter(({ row }) => row.rules_fired.includes(rule))
      return {
        rule,
        fires: fired.length,
        undefined: count((row) => row.rules_undefined.includes(rule)),
        outstanding: byCurrency(fired).map(([currency, some]) => ({
          amount: rounded(outstandingOf(some), currency),
          currency,
        })),
      }
    }),
    anchored,
    unanchored: rows.length - anchored,
    evaluations_overdue: count((row) => (row.evaluation.overdue_days ?? 0) > 0),
    open_impacts: rows.reduce((sum, row) => sum + row.open_impacts, 0),
    thresholds,
  }
}

function sumsIn(currency: string, some: readonly Summed[]): PortfolioSummary['values'][number] {
  const money = (amount: string) => ({ amount: rounded(amount, currency), currency })
  const [due, met] = [sumOf(some.map(({ sums }) => sums.due)), sumOf(some.map(({ sums }) => sums.met))]
  const outstanding = outstandingOf(some)
  const atRisk = outstandingOf(some.filter(({ row }) => row.is_at_risk))
  return {
    currency,
    partnerships: some.length,
    due: money(due),
    met: money(met),
    fulfilment_rate: ratioOf(met, due),
    outstanding: money(outstanding),
    outstanding_at_risk: money(atRisk),
    share_at_risk: isLess('0', outstanding) ? ratioOf(atRisk, outstanding) : null,
  }
}
