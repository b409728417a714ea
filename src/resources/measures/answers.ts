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

// Answers are written as JSON text in one go, piece by piece, and joined once: made as objects first, and with texts put
// together from texts, a page of 50 took three times as long and left two megabytes to be collected. Amounts, codes and
// ids need no escaping.

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

type Pieces = (string | number)[]

/** An answer in the making. */
interface Answer {
  pieces: Pieces
  sides: SideSums[]
  currency: string
  /** What follows on an amount. */
  inCurrency: string
  perceived: unknown
}

function begun(body: string): Answer {
  const { id, as_of, basis, currency, sides, sums, perceived } = JSON.parse(body) as Sums
  const pieces = ['{"partnership_id":"', id, '","as_of":"', as_of, '","basis":"', basis]
  pieces.push('","currency":"', currency, '",')
  return { pieces, sides: sumsOfSides(sides, sums), currency, inCurrency: `","currency":"${currency}"}`, perceived }
}

const textOf = (code: string | null) => (code === null ? 'null' : `"${code}"`)

function tellMoney({ pieces, currency, inCurrency }: Answer, name: string, amount: string): void {
  pieces.push(name, ':{"amount":"', rounded(amount, currency), inCurrency)
}

function tellBalance(answer: Answer, column: 'promised' | 'delivered', prefix: '' | 'in_return_'): void {
  const { pieces, sides } = answer
  const valued = `${prefix}${column === 'delivered' ? 'delivered_' : ''}valued` as const
  const balance = reciprocityOf(
    sides.map((sums) => ({
      side: sums[0],
      value: amountOf(sums, `${prefix}${column}`),
      commitments: countOf(sums, prefix === '' ? 'commitments' : 'in_return'),
      valued: countOf(sums, valued),
    })),
  )
  pieces.push('"', column, '":{"ratio":', textOf(balance.ratio), ',"withheld":', textOf(balance.withheld), ',"sides":[')
  balance.sides.forEach((side, at) => {
    pieces.push(at === 0 ? '{"side":"' : ',{"side":"', side.side)
    tellMoney(answer, '","value"', side.value)
    pieces.push(
      ',"commitments":',
      side.commitments,
      ',"valued":',
      side.valued,
      ',"coverage":',
      textOf(side.coverage),
      '}',
    )
  })
  pieces.push(']}')
}

function tellReciprocity(answer: Answer): void {
  const { pieces, sides, perceived } = answer
  pieces.push('"compared":', JSON.stringify(comparedSides(sides.map(([side]) => side)) ?? null), ',')
  tellBalance(answer, 'promised', '')
  pieces.push(',')
  tellBalance(answer, 'delivered', '')
  pieces.push(',"in_return_only":{')
  tellBalance(answer, 'promised', 'in_return_')
  pieces.push(',')
  tellBalance(answer, 'delivered', 'in_return_')
  pieces.push('},"perceived":', JSON.stringify(perceived), ',"thresholds":{"coverage":"', coverageThreshold, '"}')
}

/** How far promises were kept, of some sides together. */
function tellFigures(answer: Answer, sides: readonly SideSums[]): void {
  const { pieces } = answer
  const [due, met, promised, kept] = [
    total(sides, 'due'),
    total(sides, 'met'),
    total(sides, 'promised_by'),
    total(sides, 'kept'),
  ]
  const [dueCommitments, dueValued] = [countAll(sides, 'due_commitments'), countAll(sides, 'due_valued')]
  pieces.push('"rate":', textOf(ratioOf(met, due)), ',"kept_as_promised":', textOf(ratioOf(kept, promised)))
  tellMoney(answer, ',"due"', due)
  tellMoney(answer, ',"met"', met)
  tellMoney(answer, ',"overdue"', total(sides, 'overdue'))
  tellMoney(answer, ',"promised_by"', promised)
  tellMoney(answer, ',"kept"', kept)
  pieces.push(',"commitments":', countAll(sides, 'commitments'), ',"due_commitments":', dueCommitments)
  pieces.push(',"due_valued":', dueValued, ',"coverage":', textOf(shareOf(dueValued, dueCommitments)))
  pieces.push(',"undated":', countAll(sides, 'undated'))
  pieces.push(',"taken_over_as_fulfilled":', countAll(sides, 'taken_over_as_fulfilled'))
}

const total = (sides: readonly SideSums[], name: Parameters<typeof amountOf>[1]): string =>
  sides[0] && sides.length === 1 ? amountOf(sides[0], name) : sumOf(sides.map((side) => amountOf(side, name)))

function countAll(sides: readonly SideSums[], name: Parameters<typeof countOf>[1]): number {
  let all = 0
  for (const side of sides) all += countOf(side, name)
  return all
}

function tellFulfilment(answer: Answer): void {
  const { pieces, sides } = answer
  tellFigures(answer, sides)
  pieces.push(',"sides":[')
  sides.forEach((side, at) => {
    pieces.push(at === 0 ? '{"side":"' : ',{"side":"', side[0], '",')
    tellFigures(answer, [side])
    pieces.push('}')
  })
  pieces.push(']')
}

/** What both sides give, from what the statement gathers: JSON text to JSON text. */
export function reciprocityAnswer(body: string): string {
  const answer = begun(body)
  tellReciprocity(answer)
  return `${answer.pieces.join('')}}`
}

/** How far what was promised has been delivered. */
export function fulfilmentAnswer(body: string): string {
  const answer = begun(body)
  tellFulfilment(answer)
  return `${answer.pieces.join('')}}`
}

/** All measures of one of many partnerships. */
export function measuresAnswer(body: string): string {
  const answer = begun(body)
  answer.pieces.push('"fulfilment":{')
  tellFulfilment(answer)
  answer.pieces.push('},"reciprocity":{')
  tellReciprocity(answer)
  answer.pieces.push('}}')
  return answer.pieces.join('')
}
