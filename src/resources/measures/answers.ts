import {
  comparedSides,
  coverageThreshold,
  ratioOf,
  reciprocityOf,
  rounded,
  shareOf,
  sumOf,
} from '../../core/measures.ts'
import { amountOf, countOf, type SideSums, sumsOfSides } from './sums.ts'

// Answers are written as JSON text in one go: made as objects first, a page of 50 took three times as long. Amounts,
// codes and ids need no escaping.

/** The sums of one partnership, as the statement gathers them. */
interface Sums {
  id: string
  as_of: string
  basis: string
  currency: string
  sides: string[]
  sums: SideSums[]
  /** Told as it is. */
  perceived: unknown
}

/** What an answer is made of. */
interface Gathered {
  head: string
  currency: string
  sides: SideSums[]
  perceived: unknown
}

function read(body: string): Gathered {
  const { id, as_of, basis, currency, sides, sums, perceived } = JSON.parse(body) as Sums
  const head = `"partnership_id":"${id}","as_of":"${as_of}","basis":"${basis}","currency":"${currency}"`
  return { head, currency, sides: sumsOfSides(sides, sums), perceived }
}

const textOf = (code: string | null) => (code === null ? 'null' : `"${code}"`)
const moneyOf = (amount: string, currency: string) =>
  `{"amount":"${rounded(amount, currency)}","currency":"${currency}"}`
const listOf = <T>(items: readonly T[], one: (item: T) => string) => `[${items.map(one).join()}]`

type Column = 'promised' | 'delivered'

function balanceOn({ sides, currency }: Gathered, column: Column, prefix: '' | 'in_return_'): string {
  const valued = `${prefix}${column === 'delivered' ? 'delivered_' : ''}valued` as const
  const balance = reciprocityOf(
    sides.map((sums) => ({
      side: sums[0],
      value: amountOf(sums, `${prefix}${column}`),
      commitments: countOf(sums, prefix === '' ? 'commitments' : 'in_return'),
      valued: countOf(sums, valued),
    })),
  )
  const told = listOf(
    balance.sides,
    ({ side, value, commitments, valued, coverage }) =>
      `{"side":"${side}","value":${moneyOf(value, currency)},"commitments":${commitments},"valued":${valued},` +
      `"coverage":${textOf(coverage)}}`,
  )
  return `{"ratio":${textOf(balance.ratio)},"withheld":${textOf(balance.withheld)},"sides":${told}}`
}

const balancesOn = (sums: Gathered, prefix: '' | 'in_return_') =>
  `"promised":${balanceOn(sums, 'promised', prefix)},"delivered":${balanceOn(sums, 'delivered', prefix)}`

function reciprocityPart(sums: Gathered): string {
  const compared = comparedSides(sums.sides.map(([side]) => side))
  return (
    `"compared":${compared ? listOf(compared, textOf) : 'null'},${balancesOn(sums, '')},` +
    `"in_return_only":{${balancesOn(sums, 'in_return_')}},"perceived":${JSON.stringify(sums.perceived)},` +
    `"thresholds":{"coverage":"${coverageThreshold}"}`
  )
}

/** How far promises were kept, of some sides together. */
function figuresOf(sides: readonly SideSums[], currency: string): string {
  const sum = (name: Parameters<typeof amountOf>[1]) => sumOf(sides.map((side) => amountOf(side, name)))
  const count = (name: Parameters<typeof countOf>[1]) => sides.reduce((total, side) => total + countOf(side, name), 0)
  const [due, met, promised, kept] = [sum('due'), sum('met'), sum('promised_by'), sum('kept')]
  const [dueCommitments, dueValued] = [count('due_commitments'), count('due_valued')]
  return (
    `"rate":${textOf(ratioOf(met, due))},"kept_as_promised":${textOf(ratioOf(kept, promised))},` +
    `"due":${moneyOf(due, currency)},"met":${moneyOf(met, currency)},"overdue":${moneyOf(sum('overdue'), currency)},` +
    `"promised_by":${moneyOf(promised, currency)},"kept":${moneyOf(kept, currency)},` +
    `"commitments":${count('commitments')},"due_commitments":${dueCommitments},"due_valued":${dueValued},` +
    `"coverage":${textOf(shareOf(dueValued, dueCommitments))},"undated":${count('undated')},` +
    `"taken_over_as_fulfilled":${count('taken_over_as_fulfilled')}`
  )
}

const fulfilmentPart = ({ sides, currency }: Gathered) =>
  `${figuresOf(sides, currency)},"sides":` +
  listOf(sides, (side) => `{"side":"${side[0]}",${figuresOf([side], currency)}}`)

/** What both sides give, from what the statement gathers: JSON text to JSON text. */
export function reciprocityAnswer(body: string): string {
  const sums = read(body)
  return `{${sums.head},${reciprocityPart(sums)}}`
}

/** How far what was promised has been delivered. */
export function fulfilmentAnswer(body: string): string {
  const sums = read(body)
  return `{${sums.head},${fulfilmentPart(sums)}}`
}

/** All measures of one of many partnerships. */
export function measuresAnswer(body: string): string {
  const sums = read(body)
  return `{${sums.head},"fulfilment":{${fulfilmentPart(sums)}},"reciprocity":{${reciprocityPart(sums)}}}`
}
