import { type TSchema, Type } from 'typebox'
import { decodeCursor, encodeCursor, invalid, scopeOf } from '../../core/cursor.ts'
import { isLess } from '../../core/measures.ts'
import { codes } from '../../core/schemas.ts'
import { type Part, parts } from './facts.ts'
import { type RiskRule, riskRules } from './rules.ts'
import type { PortfolioRow } from './schemas.ts'

/**
 * Filters and sorts by what is reckoned, beside those by what is stored: the whole portfolio is reckoned for them, and
 * then one page of it is given.
 */

interface Measure {
  of(row: PortfolioRow): string | null
  /** The parts of the facts that it is reckoned from. */
  from: readonly Part[]
  description: string
}

const whole = (value: number | null): string | null => (value === null ? null : String(value))

export const portfolioMeasures: Record<string, Measure> = {
  fulfilment: { of: (row) => row.fulfilment.rate, from: ['value'], description: 'the rate of fulfilment, 0 to 1' },
  reciprocity: {
    of: (row) => row.reciprocity.delivered,
    from: ['value', 'seats'],
    description: 'the reciprocity of deliveries, −1 to 1',
  },
  score: {
    of: (row) => row.scores?.score ?? null,
    from: ['round'],
    description: 'the score of the last round, 0 to 100',
  },
  lowest_score: {
    of: (row) => row.scores?.lowest_score ?? null,
    from: ['round'],
    description: 'the lowest score of a dimension',
  },
  widest_gap: {
    of: (row) => row.scores?.widest_gap ?? null,
    from: ['round'],
    description: 'the widest gap on a dimension',
  },
  fit: { of: (row) => row.strategy.fit, from: ['fit'], description: 'the strategic fit, 0 to 100' },
  breadth: {
    of: (row) => whole(row.strategy.breadth),
    from: ['fit'],
    description: 'the number of objectives supported',
  },
  fit_change: { of: (row) => row.strategy.change, from: ['fit'], description: 'the change of the strategic fit' },
  overdue_days: {
    of: (row) => whole(row.evaluation.overdue_days),
    from: ['evaluation'],
    description: 'the days that a round is overdue',
  },
  open_impacts: {
    of: (row) => whole(row.open_impacts),
    from: ['impacts'],
    description: 'the impacts that ask for a response',
  },
  outstanding: {
    of: (row) => row.outstanding.value.amount,
    from: ['value'],
    description: 'what is still owed; needs currency',
  },
}

/** What each rule looks at, beside the state and the end. */
const ruleFrom: Record<RiskRule, Part> = {
  response_overdue: 'impacts',
  deliveries_late: 'value',
  low_score: 'round',
  wide_gap: 'round',
  evaluation_overdue: 'evaluation',
  impact_evaluation_overdue: 'impacts',
  pause_overdue: 'pause',
  low_fit: 'fit',
  ending_undecided: 'succession',
  no_manager: 'seats',
}

const bound = (description: string) =>
  Type.Optional(Type.String({ pattern: '^-?\\d{1,15}(\\.\\d{1,6})?$', description }))

/** The query parameters of these filters. What is undefined is found by none of them. */
export const measureFilters: Record<string, TSchema> = {
  ...Object.fromEntries(
    Object.entries(portfolioMeasures).flatMap(([name, { description }]) => [
      [`${name}_from`, bound(`Where it is this or more: ${description}`)],
      [`${name}_below`, bound(`Where it is less than this: ${description}`)],
    ]),
  ),
  is_at_risk: Type.Optional(Type.Boolean({ description: 'True where a rule fires' })),
  rule: Type.Optional(
    Type.Array(codes(riskRules), { minItems: 1, maxItems: 20, description: 'Where one of these fires, with commas' }),
  ),
  is_anchored: Type.Optional(Type.Boolean({ description: 'False for partnerships that support no objective' })),
}

export type Asked = Readonly<Record<string, unknown>>

const sortName = (sort: string): string => sort.replace(/^-/, '')

/** True for a sort by what is reckoned. */
export const sortsByMeasure = (asked: Asked): boolean => sortName(String(asked['sort'])) in portfolioMeasures

/** True where a question cannot be answered without reckoning the whole portfolio. */
export const needsAll = (asked: Asked): boolean =>
  sortsByMeasure(asked) || Object.keys(measureFilters).some((name) => asked[name] !== undefined)

/** The parts of the facts that a question is sorted and filtered by: of a whole portfolio these alone are reckoned. */
export function partsFor(asked: Asked): readonly Part[] {
  if (asked['is_at_risk'] !== undefined) return parts
  const sort = sortName(String(asked['sort']))
  const measured = Object.entries(portfolioMeasures).filter(
    ([name]) => name === sort || asked[`${name}_from`] !== undefined || asked[`${name}_below`] !== undefined,
  )
  const needed = new Set<Part>(measured.flatMap(([, { from }]) => from))
  if (asked['is_anchored'] !== undefined) needed.add('fit')
  for (const rule of (asked['rule'] ?? []) as RiskRule[]) needed.add(ruleFrom[rule])
  return parts.filter((part) => needed.has(part))
}

/** True where amounts are compared with each other, or with one. */
export const comparesAmounts = (asked: Asked): boolean =>
  sortName(String(asked['sort'])) === 'outstanding' ||
  asked['outstanding_from'] !== undefined ||
  asked['outstanding_below'] !== undefined

function isFound(row: PortfolioRow, asked: Asked): boolean {
  const { is_at_risk, rule, is_anchored } = asked
  if (is_at_risk !== undefined && row.is_at_risk !== is_at_risk) return false
  if (is_anchored !== undefined && row.strategy.is_anchored !== is_anchored) return false
  if (rule !== undefined && !(rule as string[]).some((code) => row.rules_fired.includes(code as never))) return false
  return Object.entries(portfolioMeasures).every(([name, { of }]) => {
    const [from, below] = [asked[`${name}_from`], asked[`${name}_below`]] as (string | undefined)[]
    if (from === undefined && below === undefined) return true
    const value = of(row)
    if (value === null) return false
    return (from === undefined || !isLess(value, from)) && (below === undefined || isLess(value, below))
  })
}

interface Place {
  key: string | null
  id: string
}

/** The order of a sort by what is reckoned: what is undefined comes last either way. */
function comparing(direction: number) {
  return (a: Place, b: Place): number => {
    if ((a.key === null) !== (b.key === null)) return a.key === null ? 1 : -1
    if (a.key !== null && b.key !== null && a.key !== b.key) {
      if (isLess(a.key, b.key)) return -direction
      if (isLess(b.key, a.key)) return direction
    }
    return a.id < b.id ? -direction : a.id > b.id ? direction : 0
  }
}

/** A row beside its place by the stored sort, as Postgres wrote it. */
export interface Placed {
  row: PortfolioRow
  key: string
}

export interface RowPage {
  rows: PortfolioRow[]
  next: string | null
}

/** The rows that the filters by measures let through. */
export const foundIn = (placed: readonly Placed[], asked: Asked): Placed[] =>
  placed.filter(({ row }) => isFound(row, asked))

/** The first page of rows that stand in the order of a stored sort. @param scope what its cursors are bound to */
export function pageInOrder(found: readonly Placed[], limit: number, scope: string): RowPage {
  const shown = found.slice(0, limit)
  const last = shown.at(-1)
  const next = found.length > limit && last ? encodeCursor(scope, { key: last.key, id: last.row.partnership_id }) : null
  return { rows: shown.map(({ row }) => row), next }
}

/** A page of a portfolio sorted by a measure. @throws Problem `invalid_cursor` */
export function pageByMeasure(found: readonly Placed[], asked: Asked): RowPage {
  const { limit, cursor, include_total: _t, ...question } = asked as { limit: number; cursor?: string } & Asked
  const sort = String(asked['sort'])
  const scope = scopeOf(['portfolio by measure', question])
  const measure = portfolioMeasures[sortName(sort)]
  if (!measure) throw new Error(`No measure is called ${sort}`)
  const compare = comparing(sort.startsWith('-') ? -1 : 1)
  const after = cursor === undefined ? undefined : placeOf(scope, cursor)
  const rows = found
    .map(({ row }) => ({ row, id: row.partnership_id, key: measure.of(row) }))
    .filter((place) => after === undefined || compare(place, after) > 0)
    .sort(compare)
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const next = rows.length > limit && last ? encodeCursor(scope, { key: last.key ?? '', id: last.id }) : null
  return { rows: shown.map(({ row }) => row), next }
}

function placeOf(scope: string, cursor: string): Place {
  const { key, id } = decodeCursor(scope, cursor)
  if (!/^(-?\d+(\.\d+)?)?$/.test(key)) {
    throw invalid('This is not a cursor of this service. Take next_cursor from an answer as it is.')
  }
  return { key: key === '' ? null : key, id }
}
