import fc from 'fast-check'
import t from 'tap'
import { type Scored, type ScoreRow, type ScoringTemplate, scoresOf } from '../src/resources/evaluations/scoring.ts'
import { suppress } from '../src/resources/evaluations/suppression.ts'

// What is published of a side is a set of weighted sums over the answers of its respondents. Nobody is given away where
// no combination of those sums, whatever an attacker computes, is about fewer than k respondents and of no one else.

const k = 3
const dimensions = ['d0', 'd1']

/** Up to two dimensions of up to three items, up to nine respondents, each item answered or not applicable. */
const rounds = fc
  .record({ items: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 3 })), n: fc.nat({ max: 9 }) })
  .chain(({ items, n }) => {
    const codes = items.flatMap((count, at) => Array.from({ length: count }, (_, item) => `d${at}_i${item}`))
    // Most answer all, as people do; patterns that few share are what gives people away.
    const pattern = fc.array(fc.boolean(), { minLength: codes.length, maxLength: codes.length })
    const all = fc.constant(codes.map(() => true))
    const scores = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: codes.length, maxLength: codes.length })
    const respondent = fc.record({ answered: fc.oneof({ weight: 2, arbitrary: all }, pattern), scores })
    return fc.record({ codes: fc.constant(codes), respondents: fc.array(respondent, { minLength: n, maxLength: n }) })
  })
  .map(({ codes, respondents }) => {
    const template: ScoringTemplate = {
      dimensions: dimensions.map((code, at) => ({ code, weight: at + 1, label: {} })),
      items: codes.map((code) => ({
        code,
        dimension: code.slice(0, 2),
        minimum: 1,
        maximum: 5,
        reverse: false,
        perspective: 'own',
      })),
    }
    const responses: Scored[] = respondents.map(({ answered, scores }) => ({
      side: 'company',
      scores: new Map(codes.flatMap((code, at) => (answered[at] ? [[code, scores[at] as number] as const] : []))),
    }))
    return { template, responses, codes }
  })

/** For each respondent and item, how much an answer weighs in a cell. */
function weightsOf(row: ScoreRow, template: ScoringTemplate, responses: readonly Scored[], codes: string[]): number[] {
  const own = (code: string) => codes.filter((item) => item.startsWith(code))
  const inDimension = (code: string) => {
    const counting = responses.filter(({ scores }) => own(code).some((item) => scores.has(item)))
    return responses.flatMap(({ scores }) => {
      const answered = own(code).filter((item) => scores.has(item))
      return codes.map((item) => (answered.includes(item) ? 1 / answered.length / counting.length : 0))
    })
  }
  if (row.level === 'item') {
    return responses.flatMap(({ scores }) => codes.map((item) => (item === row.code && scores.has(item) ? 1 : 0)))
  }
  if (row.level === 'dimension') return inDimension(row.code)
  const parts = template.dimensions.filter(({ code }) => inDimension(code).some((weight) => weight > 0))
  return responses.flatMap((_, r) =>
    codes.map((_item, i) =>
      parts.reduce((sum, { code, weight }) => sum + weight * (inDimension(code)[r * codes.length + i] as number), 0),
    ),
  )
}

/** The rank of a matrix, by elimination. */
function rank(rows: readonly number[][]): number {
  const matrix = rows.map((row) => [...row])
  let found = 0
  for (let column = 0; column < (matrix[0]?.length ?? 0); column += 1) {
    const pivot = matrix.findIndex((row, at) => at >= found && Math.abs(row[column] as number) > 1e-9)
    if (pivot < 0) continue
    ;[matrix[found], matrix[pivot]] = [matrix[pivot] as number[], matrix[found] as number[]]
    const head = matrix[found] as number[]
    for (const [at, row] of matrix.entries()) {
      if (at === found) continue
      const factor = (row[column] as number) / (head[column] as number)
      for (const [i, value] of head.entries()) row[i] = (row[i] as number) - factor * value
    }
    found += 1
  }
  return found
}

/** Every set of so many respondents or fewer. */
const setsOf = (n: number, most: number): number[][] =>
  Array.from({ length: 2 ** n }, (_, bits) =>
    Array.from({ length: n }, (_, at) => at).filter((at) => bits & (1 << at)),
  ).filter((set) => set.length > 0 && set.length <= most)

t.test('no combination of what is published is about fewer than k respondents', async (t) => {
  let [shown, complementary] = [0, 0]
  fc.assert(
    fc.property(rounds, ({ template, responses, codes }) => {
      const rows = suppress(scoresOf(template, ['company'], responses), template, responses, k)
      const published = rows.filter(({ score }) => score !== null)
      shown += published.length
      complementary += rows.filter((row) => row.suppression_reason === 'complementary').length
      const sums = published.map((row) => weightsOf(row, template, responses, codes))
      if (sums.length === 0) return
      const whole = rank(sums)
      for (const set of setsOf(responses.length, k - 1)) {
        // A combination that weighs nobody outside the set shows as a rank that the others alone do not reach.
        const outside = sums.map((row) => row.filter((_, at) => !set.includes(Math.floor(at / codes.length))))
        if (rank(outside) < whole) throw new Error(`${set} are given away by ${published.map(({ code }) => code)}`)
      }
    }),
    { numRuns: Number(process.env['SUPPRESSION_RUNS'] ?? 400) },
  )
  t.ok(shown > 500, `${shown} cells were shown`)
  t.ok(complementary > 50, `${complementary} were withheld beside others`)
})

t.test('what is shown is as it was, what is withheld says why and holds nothing', async (t) => {
  let spreads = 0
  fc.assert(
    fc.property(rounds, ({ template, responses }) => {
      const before = scoresOf(template, ['company'], responses)
      const after = suppress(before, template, responses, k)
      for (const [at, row] of after.entries()) {
        const was = before[at] as ScoreRow
        if (row.suppression_reason !== null) {
          const { n, score, spread } = row
          if (n !== null || score !== null || spread !== null) throw new Error('a withheld cell tells something')
          if (row.suppression_reason === 'too_few' && (was.n ?? 0) >= k) throw new Error(`${was.n} are not too few`)
          continue
        }
        if (row.n !== was.n || row.score !== was.score) throw new Error('a shown cell was changed')
        // A dimension that nothing is asked in has no answers to withhold.
        if ((was.n ?? 0) < k && was.score !== null) throw new Error(`${was.code} shows ${was.n}`)
        if (row.spread === null) continue
        spreads += 1
        if ((was.n ?? 0) < k + 2) throw new Error('a spread of too few')
      }
    }),
    { numRuns: 400 },
  )
  t.ok(spreads > 100, `${spreads} spreads were shown`)
})

t.test('of five who answered one item and four another, nobody is told apart', async (t) => {
  const template: ScoringTemplate = {
    dimensions: [{ code: 'd0', weight: 1, label: {} }],
    items: ['x', 'y'].map((code) => ({
      code,
      dimension: 'd0',
      minimum: 1,
      maximum: 5,
      reverse: false,
      perspective: 'own',
    })),
  }
  const answers: [string, number][][] = [
    ...Array.from({ length: 4 }, (): [string, number][] => [
      ['x', 3],
      ['y', 3],
    ]),
    [['y', 5]],
  ]
  const responses = answers.map((scores): Scored => ({ side: 'company', scores: new Map(scores) }))
  const rows = suppress(scoresOf(template, ['company'], responses), template, responses, k)
  t.strictSame(
    rows.map(({ code, n, score, suppression_reason }) => [code, n, score, suppression_reason]),
    [
      ['overall', 5, '60', null],
      ['d0', 5, '60', null],
      ['x', null, null, 'complementary'],
      ['y', 5, '60', null],
    ],
  )
})
