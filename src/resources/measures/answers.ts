import type { Static } from 'typebox'
import {
  type Balance,
  comparedSides,
  coverageThreshold,
  ratioOf,
  reciprocityOf,
  rounded,
  sumOf,
} from '../../core/measures.ts'
import type { PartnershipFulfilment, PartnershipMeasures, Reciprocity } from './schemas.ts'
import { type SideRow, type SideSums, sumsOfSides } from './sums.ts'

/** The sums of one partnership, as the statement gathers them. */
export interface Gathered {
  id: string
  as_of: string
  basis: string
  currency: string
  sides: string[]
  sums: SideRow[]
  perceived: Static<typeof Reciprocity>['perceived']
}

type Sums = Omit<Gathered, 'sides' | 'sums'> & { sides: SideSums[] }

const read = (body: string): Sums => {
  const { sides, sums, ...rest } = JSON.parse(body) as Gathered
  return { ...rest, sides: sumsOfSides(sides, sums) }
}

const headOf = ({ id, as_of, basis, currency }: Sums) => ({
  partnership_id: id,
  as_of,
  basis: basis as Static<typeof Reciprocity>['basis'],
  currency,
})

type Column = 'promised' | 'delivered'

function balanceOn({ sides, currency }: Sums, column: Column, isInReturn: boolean) {
  const prefix = isInReturn ? 'in_return_' : ''
  const balance: Balance = reciprocityOf(
    sides.map((sums) => ({
      side: sums.side,
      value: sums[`${prefix}${column}` as 'promised'],
      commitments: isInReturn ? sums.in_return : sums.commitments,
      valued: sums[`${prefix}${column === 'delivered' ? 'delivered_' : ''}valued` as 'valued'],
    })),
  )
  return {
    ...balance,
    sides: balance.sides.map((side) => ({
      ...side,
      side: side.side as SideName,
      value: { amount: rounded(side.value, currency), currency },
    })),
  }
}

type SideName = Static<typeof Reciprocity>['promised']['sides'][number]['side']

function reciprocityPart(sums: Sums) {
  return {
    compared: (comparedSides(sums.sides.map(({ side }) => side)) as SideName[] | undefined) ?? null,
    promised: balanceOn(sums, 'promised', false),
    delivered: balanceOn(sums, 'delivered', false),
    in_return_only: { promised: balanceOn(sums, 'promised', true), delivered: balanceOn(sums, 'delivered', true) },
    perceived: sums.perceived,
    thresholds: { coverage: coverageThreshold },
  }
}

/** How far promises were kept, of some sides together. */
function figuresOf(sides: readonly SideSums[], currency: string) {
  const sum = (column: 'due' | 'met' | 'promised_by' | 'kept' | 'overdue') => sumOf(sides.map((side) => side[column]))
  const count = (column: 'commitments' | 'due_commitments' | 'due_valued' | 'undated' | 'taken_over_as_fulfilled') =>
    sides.reduce((total, side) => total + side[column], 0)
  const money = (amount: string) => ({ amount: rounded(amount, currency), currency })
  const [due, met, promised, kept] = [sum('due'), sum('met'), sum('promised_by'), sum('kept')]
  return {
    rate: ratioOf(met, due),
    kept_as_promised: ratioOf(kept, promised),
    due: money(due),
    met: money(met),
    overdue: money(sum('overdue')),
    promised_by: money(promised),
    kept: money(kept),
    commitments: count('commitments'),
    due_commitments: count('due_commitments'),
    due_valued: count('due_valued'),
    coverage: ratioOf(String(count('due_valued')), String(count('due_commitments'))),
    undated: count('undated'),
    taken_over_as_fulfilled: count('taken_over_as_fulfilled'),
  }
}

const fulfilmentPart = ({ sides, currency }: Sums) => ({
  ...figuresOf(sides, currency),
  sides: sides.map((side) => ({ side: side.side as SideName, ...figuresOf([side], currency) })),
})

/** What both sides give, from what the statement gathers, as JSON text. */
export function reciprocityAnswer(body: string): Static<typeof Reciprocity> {
  const sums = read(body)
  return { ...headOf(sums), ...reciprocityPart(sums) }
}

/** How far what was promised has been delivered. */
export function fulfilmentAnswer(body: string): Static<typeof PartnershipFulfilment> {
  const sums = read(body)
  return { ...headOf(sums), ...fulfilmentPart(sums) }
}

/** All measures of one of many partnerships. */
export function measuresAnswer(body: string): Static<typeof PartnershipMeasures> {
  const sums = read(body)
  return { ...headOf(sums), fulfilment: fulfilmentPart(sums), reciprocity: reciprocityPart(sums) }
}
