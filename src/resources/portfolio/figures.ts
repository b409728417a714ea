import { daysBetween } from '../../core/dates.ts'
import {
  comparedSides,
  differenceOf,
  isLess,
  meanOf,
  ratioOf,
  reciprocityOf,
  rounded,
  withoutZeros,
} from '../../core/measures.ts'
import type { ThresholdValues } from '../thresholds/schemas.ts'
import type { Facts, Fit, SideRow, Sums } from './facts.ts'
import { judge } from './rules.ts'
import type { PortfolioRow } from './schemas.ts'

/** What comes of no commitments. */
export const nothing: Sums = {
  ...{ due: '0', met: '0', promised_by: '0', kept: '0', late: '0', outstanding: '0' },
  ...{ due_commitments: 0, due_valued: 0, open: 0, open_valued: 0 },
}

const order = ['company', 'non_profit', 'public', 'other']
const severities = ['low', 'medium', 'high', 'critical'] as const

/** A partnership in the portfolio of an organisation, from its facts. What is undefined is null, never 0. */
export function rowOf(facts: Facts, thresholds: ThresholdValues): PortfolioRow {
  const { as_of, value, currency, pause, impacts } = facts
  const sums = value?.sums ?? nothing
  const money = (amount: string) => ({ amount: rounded(amount, currency), currency })
  const scores = scoresOf(facts)
  const overdue = facts.evaluation_due_on === null ? null : Math.max(0, daysBetween(facts.evaluation_due_on, as_of))
  const { fired, undefined: undecided } = judge(
    {
      as_of,
      status: facts.status,
      impacts,
      due: sums.due,
      late: sums.late,
      dimension_scores: scores?.dimensions.flatMap(({ sides }) => sides.map(({ score }) => score)) ?? [],
      dimension_gaps: scores?.dimensions.map(({ gap }) => gap) ?? [],
      evaluation_overdue_days: overdue,
      impact_evaluation_due_on: facts.impact_evaluation_due_on,
      pause_expected_on: pause?.expected_on ?? null,
      fit: facts.fit,
      ends_on: facts.ends_on,
      has_successor: facts.has_successor,
      sides: facts.sides.length,
      unmanaged: facts.unmanaged.length,
    },
    thresholds,
  )
  return {
    partnership_id: facts.id,
    name: facts.name,
    reference: facts.reference,
    as_of,
    status: facts.status as PortfolioRow['status'],
    side: facts.side as PortfolioRow['side'],
    starts_on: facts.starts_on,
    ends_on: facts.ends_on,
    basis: facts.basis as PortfolioRow['basis'],
    fulfilment: {
      rate: ratioOf(sums.met, sums.due),
      kept_as_promised: ratioOf(sums.kept, sums.promised_by),
      due: money(sums.due),
      late: money(sums.late),
      late_share: ratioOf(sums.late, sums.due),
      coverage: ratioOf(String(sums.due_valued), String(sums.due_commitments)),
    },
    reciprocity: balancesOf(facts),
    outstanding: {
      value: money(sums.outstanding),
      commitments: sums.open,
      coverage: ratioOf(String(sums.open_valued), String(sums.open)),
    },
    scores,
    strategy: strategyOf(facts.fit),
    evaluation: {
      due_on: facts.evaluation_due_on,
      overdue_days: overdue,
      impact_due_on: facts.impact_evaluation_due_on,
    },
    open_impacts: impacts.length,
    worst_impact: severities.findLast((severity) => impacts.some((impact) => impact.severity === severity)) ?? null,
    pause,
    sides_without_manager: sorted(facts.unmanaged) as PortfolioRow['sides_without_manager'],
    is_at_risk: fired.length > 0,
    rules_fired: fired,
    rules_undefined: undecided,
  }
}

const sorted = (sides: readonly string[]): string[] => order.filter((side) => sides.includes(side))

function balancesOf({ sides, value }: Facts): PortfolioRow['reciprocity'] {
  const given = value?.side_sums ?? []
  const rows = sorted([...sides, ...given.map(([side]) => side)]).map(
    (side): SideRow => given.find(([name]) => name === side) ?? [side, 0, 0, 0, '0', '0'],
  )
  const balance = (of: 'promised' | 'delivered') =>
    reciprocityOf(
      rows.map(([side, commitments, valued, deliveredValued, promised, delivered]) => ({
        side,
        commitments,
        value: of === 'promised' ? promised : delivered,
        valued: of === 'promised' ? valued : deliveredValued,
      })),
    )
  const [promised, delivered] = [balance('promised'), balance('delivered')]
  return {
    compared: (comparedSides(rows.map(([side]) => side)) ?? null) as PortfolioRow['reciprocity']['compared'],
    promised: promised.ratio,
    delivered: delivered.ratio,
    withheld: promised.withheld ?? delivered.withheld,
  }
}

type Scores = NonNullable<PortfolioRow['scores']>

function scoresOf({ round }: Facts): Scores | null {
  if (!round) return null
  const codes = [...new Set(round.cells.map(([code]) => code))]
  const parts = codes.map((code) => {
    const sides = order.flatMap((side) => {
      const cell = round.cells.find(([name, of]) => name === code && of === side)
      return cell ? [{ side: side as Scores['sides'][number]['side'], score: cell[2] }] : []
    })
    return { code, sides, gap: gapOf(sides) }
  })
  const whole = parts.find(({ code }) => code === 'overall')
  const dimensions = parts.filter((part) => part !== whole)
  const defined = (whole?.sides ?? []).flatMap(({ score }) => score ?? [])
  return {
    evaluation_id: round.evaluation_id,
    closed_on: round.closed_on,
    // Without one of the sides it would speak for both where only one has been heard.
    score: whole && defined.length === whole.sides.length ? meanOf(defined) : null,
    gap: whole?.gap ?? null,
    lowest_score: least(dimensions.flatMap(({ sides }) => sides.flatMap(({ score }) => score ?? []))),
    widest_gap: greatest(dimensions.flatMap(({ gap }) => gap?.replace(/^-/, '') ?? [])),
    sides: whole?.sides ?? [],
    dimensions,
  }
}

const least = (decimals: readonly string[]): string | null =>
  decimals.reduce<string | null>((a, b) => (a === null || isLess(b, a) ? b : a), null)
const greatest = (decimals: readonly string[]): string | null =>
  decimals.reduce<string | null>((a, b) => (a === null || isLess(a, b) ? b : a), null)

/** Of the sides that are compared, the first less the second. */
function gapOf(sides: readonly { side: string; score: string | null }[]): string | null {
  const compared = comparedSides(sides.map(({ side }) => side))
  const [a, b] = (compared ?? []).map((name) => sides.find(({ side }) => side === name)?.score ?? null)
  return a == null || b == null ? null : withoutZeros(differenceOf(a, b))
}

/** 0 to 100, with two digits, cut off. */
const fitOf = ({ best, heaviest }: Fit): string | null => {
  const ratio = ratioOf(String(best), String(3 * heaviest))
  return ratio === null ? null : `${Number(ratio.replace('.', '')) / 100}`
}

function strategyOf(fit: Facts['fit']): PortfolioRow['strategy'] {
  if (!fit) return { fit: null, breadth: 0, change: null, assessed_on: null, is_anchored: false }
  const [now, before] = [fitOf(fit), fit.before && fitOf(fit.before)]
  return {
    fit: now,
    breadth: fit.breadth,
    change: now === null || before === null ? null : withoutZeros(differenceOf(now, before)),
    assessed_on: fit.assessed_on,
    is_anchored: fit.breadth > 0,
  }
}
