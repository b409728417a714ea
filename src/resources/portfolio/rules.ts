import { daysBetween } from '../../core/dates.ts'
import { isLess, productOf, withoutZeros } from '../../core/measures.ts'
import type { ThresholdValues } from '../thresholds/schemas.ts'

/** Every rule by which a partnership is at risk. Rules can be checked; a single score could not, so there is none. */
export const riskRules = [
  'response_overdue',
  'deliveries_late',
  'low_score',
  'wide_gap',
  'evaluation_overdue',
  'impact_evaluation_overdue',
  'pause_overdue',
  'low_fit',
  'ending_undecided',
  'no_manager',
] as const
export type RiskRule = (typeof riskRules)[number]

/** What the rules look at, of one partnership on a day. */
export interface Risky {
  as_of: string
  status: string
  impacts: readonly { severity: string; response_due_on: string | null }[]
  /** Amounts on one basis and in one currency. */
  due: string
  late: string
  /** Of the dimensions, for each side, and between the sides that are compared; null where it is withheld. */
  dimension_scores: readonly (string | null)[]
  dimension_gaps: readonly (string | null)[]
  evaluation_overdue_days: number | null
  /** When the first of the evaluations that impacts ask for, neither concluded nor waived, was to be concluded. */
  impact_evaluation_due_on: string | null
  pause_expected_on: string | null
  fit: { best: number; heaviest: number } | null
  ends_on: string | null
  has_successor: boolean
  /** How many sides take part, and how many of them have no manager. */
  sides: number
  unmanaged: number
}

const live = ['active', 'paused', 'ending']
const defined = (values: readonly (string | null)[]): string[] => values.flatMap((value) => value ?? [])
const size = (decimal: string): string => withoutZeros(decimal.replace(/^-/, ''))

/** Whether each rule fires; null where what it looks at is undefined. */
type Rules = Record<RiskRule, (risky: Risky, thresholds: ThresholdValues) => boolean | null>

const rules: Rules = {
  response_overdue({ impacts, as_of }) {
    const high = impacts.filter(({ severity }) => severity === 'high' || severity === 'critical')
    if (high.length === 0) return null
    return high.some(({ response_due_on: due }) => due !== null && due < as_of)
  },
  deliveries_late({ due, late }, { late_percent }) {
    if (!isLess('0', due)) return null
    return isLess(productOf(due, String(late_percent)), productOf(late, '100'))
  },
  low_score({ dimension_scores }, { dimension_score }) {
    const scores = defined(dimension_scores)
    return scores.length === 0 ? null : scores.some((score) => isLess(score, String(dimension_score)))
  },
  wide_gap({ dimension_gaps }, { dimension_gap }) {
    const gaps = defined(dimension_gaps)
    return gaps.length === 0 ? null : gaps.some((gap) => !isLess(size(gap), String(dimension_gap)))
  },
  evaluation_overdue({ evaluation_overdue_days: days }, { evaluation_overdue_days }) {
    return days === null ? null : days > evaluation_overdue_days
  },
  impact_evaluation_overdue({ impact_evaluation_due_on: due, as_of }) {
    return due === null ? null : due < as_of
  },
  pause_overdue({ pause_expected_on: expected, as_of }) {
    return expected === null ? null : expected < as_of
  },
  low_fit({ fit }, { fit: threshold }) {
    // 100 · best / (3 · heaviest) < threshold, in whole numbers.
    return fit === null ? null : fit.best * 100 < threshold * 3 * fit.heaviest
  },
  ending_undecided({ ends_on, as_of, status, has_successor }, { ending_days }) {
    if (ends_on === null) return null
    const isDecided = status === 'ending' || has_successor
    return !isDecided && daysBetween(as_of, ends_on) <= ending_days
  },
  no_manager({ sides, unmanaged }) {
    return sides === 0 ? null : unmanaged > 0
  },
}

export interface Judged {
  fired: RiskRule[]
  undefined: RiskRule[]
}

/** The rules that fire, and those that say nothing for want of what they look at: all of them where it does not live. */
export function judge(risky: Risky, thresholds: ThresholdValues): Judged {
  if (!live.includes(risky.status)) return { fired: [], undefined: [...riskRules] }
  const told = riskRules.map((rule) => ({ rule, fires: rules[rule](risky, thresholds) }))
  return {
    fired: told.filter(({ fires }) => fires === true).map(({ rule }) => rule),
    undefined: told.filter(({ fires }) => fires === null).map(({ rule }) => rule),
  }
}
