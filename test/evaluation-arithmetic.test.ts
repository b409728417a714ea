import t from 'tap'
import { gapsOf, type Scored, type Side, scoresOf } from '../src/resources/evaluations/scoring.ts'

const item = { dimension: 'd', minimum: 1, maximum: 5, reverse: false, perspective: 'own' } as const
const one = (code: string, more: object = {}) => ({ ...item, code, ...more })
const dimension = (code: string, weight = 1) => ({ code, weight, label: {} })
const of = (side: Side, scores: Record<string, number>): Scored => ({ side, scores: new Map(Object.entries(scores)) })

t.test('each respondent weighs the same in a dimension, however many items it answered', async (t) => {
  const template = { dimensions: [dimension('d')], items: [one('a'), one('b'), one('c')] }
  const rows = scoresOf(template, ['company'], [of('company', { a: 5, b: 5, c: 5 }), of('company', { a: 1 })])
  t.strictSame(
    rows.map(({ level, code, n, score }) => [level, code, n, score]),
    [
      ['overall', 'overall', 2, '50'],
      ['dimension', 'd', 2, '50'],
      ['item', 'a', 2, '50'],
      ['item', 'b', 1, '100'],
      ['item', 'c', 1, '100'],
    ],
  )
})

t.test('undefined dimensions are left out of the whole, with their weight', async (t) => {
  const template = {
    dimensions: [dimension('d', 1), dimension('e', 9)],
    items: [one('a', { reverse: true }), one('b', { dimension: 'e' })],
  }
  const rows = scoresOf(template, ['company', 'public'], [of('company', { a: 2 })])
  t.strictSame(
    rows.map(({ side, level, code, n, score }) => [side, level, code, n, score]),
    [
      ['company', 'overall', 'overall', 1, '75'],
      ['public', 'overall', 'overall', 0, null],
      ['company', 'dimension', 'd', 1, '75'],
      ['public', 'dimension', 'd', 0, null],
      ['company', 'dimension', 'e', 0, null],
      ['public', 'dimension', 'e', 0, null],
      ['company', 'item', 'a', 1, '75'],
      ['public', 'item', 'a', 0, null],
      ['company', 'item', 'b', 0, null],
      ['public', 'item', 'b', 0, null],
    ],
  )
})

t.test('the last decimal is rounded once, halves up', async (t) => {
  const scored = (values: readonly number[], maximum: number) =>
    scoresOf(
      { dimensions: [dimension('d')], items: [one('a', { minimum: 0, maximum })] },
      ['company'],
      values.map((a) => of('company', { a })),
    )[0]?.score
  t.equal(scored([2], 3), '66.666667')
  t.equal(scored([1], 3), '33.333333')
  // 100/128 = 0.78125 and 1/128 of that = 0.006103515625
  t.equal(scored([1], 128), '0.78125')
  t.equal(scored([1, ...Array(127).fill(0)], 128), '0.006104')
  // 100/64/32 = 0.048828125 exactly: the seventh decimal is a 1
  t.equal(scored([1, ...Array(31).fill(0)], 64), '0.048828')
  // 100/2^9 = 0.1953125: a half in the seventh decimal goes up
  t.equal(scored([1], 512), '0.195313')
})

t.test('a gap of exactly the threshold is flagged, in thirds too', async (t) => {
  const rows = scoresOf(
    { dimensions: [dimension('d')], items: [one('a', { minimum: 0, maximum: 15 })] },
    ['company', 'non_profit'],
    [of('company', { a: 2 }), of('non_profit', { a: 5 })],
  )
  t.strictSame(gapsOf(rows, ['company', 'non_profit'])[0], {
    level: 'overall',
    code: 'overall',
    sides: ['company', 'non_profit'],
    gap: '-20',
    is_flagged: true,
    suppression_reason: null,
  })
  t.equal(gapsOf(rows, ['company', 'non_profit'], '20.000001')[0]?.is_flagged, false)
  t.strictSame(gapsOf(rows, ['company']), [], 'one side has nobody to be apart from')
})
