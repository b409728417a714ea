import fc from 'fast-check'
import t from 'tap'
import {
  gapsOf,
  orderedSides,
  type Scored,
  type ScoringTemplate,
  type Side,
  scoresOf,
} from '../src/resources/evaluations/scoring.ts'

const everySide: readonly Side[] = ['company', 'non_profit', 'public', 'other']
const scales = [
  { minimum: 1, maximum: 5 },
  { minimum: 1, maximum: 7 },
  { minimum: 1, maximum: 3 },
  { minimum: 0, maximum: 1 },
  { minimum: null, maximum: null },
] as const

/** A template of any shape, with answers of any number of respondents, each item answered or not. */
const rounds = fc
  .record({ dimensions: fc.integer({ min: 1, max: 5 }), items: fc.integer({ min: 1, max: 14 }) })
  .chain(({ dimensions, items }) =>
    fc.record({
      weights: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: dimensions, maxLength: dimensions }),
      items: fc.array(
        fc.record({
          dimension: fc.integer({ min: 0, max: dimensions - 1 }),
          scale: fc.constantFrom(...scales),
          reverse: fc.boolean(),
          perspective: fc.constantFrom('own' as const, 'own' as const, 'own' as const, 'predict_other' as const),
        }),
        { minLength: items, maxLength: items },
      ),
      respondents: fc.array(
        fc.record({
          side: fc.constantFrom(...everySide.slice(0, 3)),
          answers: fc.array(fc.option(fc.integer({ min: 0, max: 6 }), { freq: 4 }), {
            minLength: items,
            maxLength: items,
          }),
        }),
        { maxLength: 7 },
      ),
    }),
  )
  .map(({ weights, items, respondents }) => {
    const template: ScoringTemplate = {
      dimensions: weights.map((weight, at) => ({ code: `d${at}`, weight, label: {} })),
      items: items.map(({ dimension, scale, reverse, perspective }, at) => ({
        code: `i${at}`,
        dimension: `d${dimension}`,
        ...scale,
        reverse,
        perspective,
      })),
    }
    const responses: Scored[] = respondents.map(({ side, answers }) => ({
      side,
      scores: new Map(
        answers.flatMap((points, at): [string, number][] => {
          const { minimum, maximum } = items[at]?.scale ?? { minimum: null, maximum: null }
          if (points === null || minimum === null || maximum === null) return []
          return [[`i${at}`, Math.min(minimum + points, maximum)]]
        }),
      ),
    }))
    return { template, responses, sides: orderedSides(everySide.slice(0, 3)) }
  })

const deviation = (numbers: readonly number[]): number | null => {
  const centre = average(numbers)
  if (centre === null || numbers.length < 2) return null
  return Math.sqrt(numbers.reduce((sum, number) => sum + (number - centre) ** 2, 0) / numbers.length)
}

const average = (numbers: readonly number[]): number | null =>
  numbers.length === 0 ? null : numbers.reduce((a, b) => a + b, 0) / numbers.length

/** The definitions of the domain, put down anew in floating point. */
function independent(template: ScoringTemplate, side: string, responses: readonly Scored[]) {
  const own = responses.filter((response) => response.side === side)
  const value = (item: ScoringTemplate['items'][number], { scores }: Scored): number | null => {
    const x = scores.get(item.code)
    if (x === undefined || item.minimum === null || item.maximum === null) return null
    const s = (100 * (x - item.minimum)) / (item.maximum - item.minimum)
    return item.reverse ? 100 - s : s
  }
  const present = (numbers: readonly (number | null)[]) => numbers.filter((number) => number !== null)
  const items = template.items.map((item) => {
    const values = present(own.map((response) => value(item, response)))
    const level = item.perspective === 'own' ? 'item' : 'prediction'
    return { key: `${level} ${item.code}`, n: values.length, score: average(values), spread: deviation(values) }
  })
  const dimensions = template.dimensions.map(({ code, weight }) => {
    const within = template.items.filter((item) => item.perspective === 'own' && item.dimension === code)
    const means = present(own.map((response) => average(present(within.map((item) => value(item, response))))))
    return { key: `dimension ${code}`, n: means.length, score: average(means), weight, spread: deviation(means) }
  })
  let [total, weights] = [0, 0]
  for (const { score, weight } of dimensions) {
    if (score === null) continue
    total += score * weight
    weights += weight
  }
  const answered = (item: ScoringTemplate['items'][number], response: Scored) =>
    item.perspective === 'own' && value(item, response) !== null
  const n = own.filter((response) => template.items.some((item) => answered(item, response))).length
  return [
    { key: 'overall overall', n, score: weights === 0 ? null : total / weights, spread: null },
    ...dimensions,
    ...items,
  ]
}

t.test('scores equal an independent computation, to half of the last decimal', async (t) => {
  let compared = 0
  fc.assert(
    fc.property(rounds, ({ template, responses, sides }) => {
      const rows = scoresOf(template, sides, responses)
      const found = new Map(rows.map((row) => [`${row.level} ${row.code} ${row.side}`, row]))
      if (found.size !== rows.length) throw new Error('a row stands twice')
      for (const side of sides) {
        for (const { key, n, score, spread } of independent(template, side, responses)) {
          const row = found.get(`${key} ${side}`)
          found.delete(`${key} ${side}`)
          if (!row) {
            // Texts have no row, and nobody counts in them.
            if (n > 0 || score !== null) throw new Error(`${key} of ${side} is missing`)
            continue
          }
          compared += 1
          if ((row.spread === null) !== (spread === null) || Math.abs(Number(row.spread) - (spread ?? 0)) > 0.005001) {
            throw new Error(`${key} of ${side}: the spread is ${row.spread}, not ${spread}`)
          }
          if (row.n !== n) throw new Error(`${key} of ${side}: n is ${row.n}, not ${n}`)
          if ((row.score === null) !== (score === null))
            throw new Error(`${key} of ${side}: ${row.score}, not ${score}`)
          if (score !== null && Math.abs(Number(row.score) - score) > 0.0000005001) {
            throw new Error(`${key} of ${side}: ${row.score}, not ${score}`)
          }
        }
      }
      if (found.size > 0) throw new Error(`${[...found.keys()]} should not be there`)
    }),
    { numRuns: 500 },
  )
  t.ok(compared > 5000, 'there was much to compare')
})

t.test('scores are decimals from 0 to 100, and the whole lies within its dimensions', async () => {
  fc.assert(
    fc.property(rounds, ({ template, responses, sides }) => {
      const rows = scoresOf(template, sides, responses)
      for (const { n, score, level, side } of rows) {
        if (score === null) {
          if (n !== 0) throw new Error('somebody counts in what is undefined')
          continue
        }
        if (n === 0) throw new Error('a score of nobody')
        if (!/^(100|[1-9]?\d)(\.\d{0,5}[1-9])?$/.test(score)) throw new Error(`${score} is not spelt as it should be`)
        if (level !== 'overall') continue
        const parts = rows.filter((row) => row.level === 'dimension' && row.side === side && row.score !== null)
        const numbers = parts.map((row) => Number(row.score))
        if (Number(score) < Math.min(...numbers) - 1e-6 || Number(score) > Math.max(...numbers) + 1e-6) {
          throw new Error('the whole lies outside its dimensions')
        }
      }
    }),
  )
})

t.test('the order of respondents changes nothing', async () => {
  fc.assert(
    fc.property(rounds, ({ template, responses, sides }) => {
      const there = JSON.stringify(scoresOf(template, sides, responses))
      if (there !== JSON.stringify(scoresOf(template, sides, [...responses].reverse()))) throw new Error('it did')
    }),
  )
})

t.test('gaps are the differences of the scores as published, flagged from the threshold on', async () => {
  const millionths = (decimal: string): number => Math.round(Number(decimal) * 1e6)
  fc.assert(
    fc.property(rounds, ({ template, responses, sides }) => {
      const rows = scoresOf(template, sides, responses)
      const score = (level: string, code: string, side: string) =>
        rows.find((row) => row.level === level && row.code === code && row.side === side)?.score ?? null
      const gaps = gapsOf(rows, sides)
      const cells = rows.filter(({ level }) => level !== 'prediction').length / sides.length
      if (gaps.length !== cells * 3) throw new Error('three pairs of three sides each')
      for (const {
        level,
        code,
        sides: [a, b],
        gap,
        is_flagged,
      } of gaps) {
        const [first, second] = [score(level, code, a), score(level, code, b)]
        if (first === null || second === null) {
          if (gap !== null || is_flagged) throw new Error('a gap to nothing')
          continue
        }
        const difference = millionths(first) - millionths(second)
        if (gap === null || millionths(gap) !== difference) throw new Error(`${first} − ${second} is not ${gap}`)
        if (is_flagged !== Math.abs(difference) >= 20e6) throw new Error(`${gap} is flagged: ${is_flagged}`)
      }
    }),
  )
})
