import type { Json } from './harness.ts'

// The arithmetic of scores once more, from its definition and not from the service's code: one respondent a side.

/** Twelfths of a point: every scale of 2, 3, 4, 5 or 7 points is whole in them. */
const twelfths = 12n
/** Up to ten items in a dimension are divided whole. */
const shares = 2520n

/** A fraction as a decimal of at most six places, halves up. */
function decimal(over: bigint, under: bigint): string {
  const millionths = (2n * over * 1_000_000n + under) / (2n * under)
  const text = millionths.toString().padStart(7, '0')
  return `${text.slice(0, -6)}.${text.slice(-6)}`.replace(/\.?0+$/, '')
}

interface Row {
  level: string
  code: string
  n: number
  score: string
}

/** The rows that one side's answers should give; an empty score is one that is undefined. */
export function expectedScores(template: Json, answers: readonly Json[]): Row[] {
  const given = new Map(answers.map((answer) => [answer.item_code, answer.score as number | undefined]))
  const rows: Row[] = []
  const row = (level: string, code: string, over: bigint, under: bigint) =>
    rows.push({ level, code, n: under === 0n ? 0 : 1, score: under === 0n ? '' : decimal(over, under) })
  let whole = 0n
  let weights = 0n
  for (const dimension of template.dimensions) {
    let sum = 0n
    let count = 0n
    for (const item of template.items) {
      if (item.dimension !== dimension.code || item.scale === 'text') continue
      const score = given.get(item.code)
      if (score === undefined) {
        row('item', item.code, 0n, 0n)
        continue
      }
      const plain = (twelfths * 100n * BigInt(score - item.minimum)) / BigInt(item.maximum - item.minimum)
      const points = item.reverse ? twelfths * 100n - plain : plain
      row('item', item.code, points, twelfths)
      sum += points
      count += 1n
    }
    row('dimension', dimension.code, sum, twelfths * count)
    if (count === 0n) continue
    whole += (BigInt(dimension.weight) * sum * shares) / count
    weights += BigInt(dimension.weight)
  }
  row('overall', 'overall', whole, twelfths * shares * weights)
  return rows
}
