import fc from 'fast-check'
import t from 'tap'
import {
  balanceOf,
  comparedSides,
  isLess,
  ratioOf,
  reciprocityOf,
  rounded,
  shareOf,
  sumOf,
} from '../src/core/measures.ts'
import { decimalOf } from '../src/core/units.ts'

const amount = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 14n }), fc.integer({ min: 0, max: 16 }))
  .map(([units, digits]) => decimalOf(units, digits))
const negated = (ratio: string | null) =>
  ratio === null || /^0\.0+$/.test(ratio) ? ratio : ratio.startsWith('-') ? ratio.slice(1) : `-${ratio}`

t.test('a balance lies between −1 and 1, is even-handed, and does not depend on the scale', async () => {
  fc.assert(
    fc.property(amount, amount, fc.integer({ min: 1, max: 1000 }), (a, b, factor) => {
      const ratio = balanceOf(a, b)
      if (ratio === null) return !isLess('0', a) && !isLess('0', b)
      const times = (decimal: string) => sumOf(Array.from({ length: factor }, () => decimal))
      const inBounds = !isLess(ratio, '-1') && !isLess('1', ratio)
      return inBounds && balanceOf(b, a) === negated(ratio) && balanceOf(times(a), times(b)) === ratio
    }),
  )
})

t.test('a ratio is exact to four digits, cut off: only all of it is 1.0000', async (t) => {
  fc.assert(
    fc.property(amount, amount, (part, whole) => {
      const ratio = ratioOf(part, whole)
      if (ratio === null) return !isLess('0', whole)
      if (isLess(part, whole)) return isLess(ratio, '1')
      return !isLess(ratio, '1')
    }),
  )
  t.equal(ratioOf('2', '3'), '0.6666')
  t.equal(ratioOf('99999', '100000'), '0.9999')
  t.equal(ratioOf('100000', '100000'), '1.0000')
  t.equal(ratioOf('0', '3'), '0.0000')
  t.equal(ratioOf('0', '0.00'), null, 'what is undefined is null, not 0')
  t.equal(balanceOf('0', '0.00'), null)
  t.equal(balanceOf('750.00', '250'), '0.5000')
  t.equal(balanceOf('1', '2'), '-0.3333')
})

t.test('sums are exact, and money is rounded half up in its own minor digits', async (t) => {
  fc.assert(fc.property(amount, amount, amount, (a, b, c) => ratioOf(sumOf([a, b, c]), sumOf([c, a, b])) !== '0.9999'))
  t.equal(sumOf(['0.1', '0.2']), '0.3')
  t.equal(sumOf([]), '0')
  t.equal(rounded('333.3350000000000000', 'EUR'), '333.34')
  t.equal(rounded('333.3349999999999999', 'EUR'), '333.33')
  t.equal(rounded('-0.005', 'EUR'), '-0.01')
  t.equal(rounded('12', 'KWD'), '12.000')
  t.equal(rounded('12.5', 'JPY'), '13')
  t.equal(rounded('0', 'EUR'), '0.00')
  t.equal(rounded('0', 'JPY'), '0')
  t.equal(rounded('-7.1', 'EUR'), '-7.10')
  t.equal(shareOf(2, 3), '0.6666')
  t.equal(shareOf(3, 3), '1.0000')
  t.equal(shareOf(0, 3), '0.0000')
  t.equal(shareOf(0, 0), null)
})

t.test('a reciprocity is withheld, with its reason, where too little carries a value', async (t) => {
  const side = (side: string, value: string, commitments: number, valued: number) => ({
    side,
    value,
    commitments,
    valued,
  })
  const company = side('company', '800', 5, 4)
  t.match(reciprocityOf([company, side('non_profit', '200', 1, 1)]), { ratio: '0.6000', withheld: null })
  t.match(reciprocityOf([company, side('non_profit', '200', 9, 7)]), {
    ratio: null,
    withheld: 'coverage_below_threshold',
    sides: [{ coverage: '0.8000' }, { coverage: '0.7777' }],
  })
  t.match(reciprocityOf([company, side('non_profit', '0', 0, 0)]), { ratio: '1.0000', withheld: null })
  t.match(reciprocityOf([side('company', '0', 0, 0), side('non_profit', '0', 0, 0)]), {
    ratio: null,
    withheld: 'nothing_given',
    sides: [{ coverage: null }, { coverage: null }],
  })
  t.match(reciprocityOf([company]), { ratio: null, withheld: 'one_side_only' })
})

t.test('the company is compared with the charity; without those, the two sides that there are', async (t) => {
  t.same(comparedSides(['public', 'non_profit', 'company']), ['company', 'non_profit'])
  t.same(comparedSides(['public', 'non_profit']), ['non_profit', 'public'])
  t.equal(comparedSides(['company']), undefined)
  t.equal(comparedSides(['public', 'other', 'company']), undefined)
})
