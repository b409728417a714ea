import currencies from 'currency-codes'
import fc from 'fast-check'
import t from 'tap'
import { checkMeasure, compareMeasures, isAddable, isZero, normaliseMeasure } from '../src/core/measure.ts'
import {
  compareDecimals,
  minorDigits,
  moneyFault,
  normaliseMoney,
  plainDecimal,
  scaleOf,
  withScale,
} from '../src/core/money.ts'
import { Faults } from '../src/core/problem.ts'

/** Plain decimals as clients may write them: up to 15 digits before the point and 6 behind. */
const decimals = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 15n - 1n }), fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 6 }))
  .map(([whole, digits]) => (digits.length === 0 ? `${whole}` : `${whole}.${digits.join('')}`))

/** An independent reading: the number of millionths. */
const millionths = (decimal: string): bigint => {
  const [whole = '', fraction = ''] = decimal.split('.')
  return BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
}
const signOf = (value: bigint): number => (value < 0n ? -1 : value > 0n ? 1 : 0)

const codes = currencies.codes()

t.test('minor digits are those of ISO 4217', async (t) => {
  const known = { EUR: 2, USD: 2, GBP: 2, JPY: 0, KRW: 0, ISK: 0, KWD: 3, BHD: 3, TND: 3, CLF: 4 }
  for (const [currency, digits] of Object.entries(known)) t.equal(minorDigits(currency), digits, currency)
  for (const currency of ['XXZ', 'eurо', '']) t.equal(minorDigits(currency), undefined, currency)
})

t.test('money is good with at most the minor digits of its currency, and then has exactly these', async (t) => {
  const property = fc.property(decimals, fc.constantFrom(...codes), (amount, currency) => {
    const digits = minorDigits(currency) ?? 0
    const fault = moneyFault({ amount, currency })
    const fits = (amount.split('.')[1]?.length ?? 0) <= digits
    if (!fits) return fault?.at === 'amount'
    const { amount: spelled } = normaliseMoney({ amount, currency })
    const again = normaliseMoney({ amount: spelled, currency })
    return (
      fault === undefined &&
      scaleOf(spelled) === digits &&
      millionths(spelled) === millionths(amount) &&
      again.amount === spelled
    )
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2000 }))
})

t.test('the yen has no digits behind the point, the dinar three', async (t) => {
  t.same(normaliseMoney({ amount: '1250', currency: 'JPY' }), { amount: '1250', currency: 'JPY' })
  t.equal(moneyFault({ amount: '1250.0', currency: 'JPY' })?.at, 'amount')
  t.same(normaliseMoney({ amount: '1.5', currency: 'KWD' }), { amount: '1.500', currency: 'KWD' })
  t.equal(moneyFault({ amount: '1.5001', currency: 'KWD' })?.at, 'amount')
  t.equal(moneyFault({ amount: '1', currency: 'ZZZ' })?.at, 'currency')
  t.equal(moneyFault({ amount: '1e3', currency: 'EUR' })?.at, 'amount')
})

t.test('decimals are compared exactly, whatever their spelling', async (t) => {
  const property = fc.property(
    decimals,
    decimals,
    (a, b) => compareDecimals(a, b) === signOf(millionths(a) - millionths(b)),
  )
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2000 }))
  t.equal(compareDecimals('0.1', '0.10'), 0)
  t.equal(compareDecimals('999999999999999.999999', '1000000000000000'), -1, 'beyond the precision of a double')
})

t.test('a quantity is spelled without zeros that say nothing', async (t) => {
  const property = fc.property(decimals, (decimal) => {
    const plain = plainDecimal(decimal)
    return millionths(plain) === millionths(decimal) && !/\.\d*0$|\.$/.test(plain) && plainDecimal(plain) === plain
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2000 }))
  t.equal(plainDecimal('100'), '100', 'zeros before the point stay')
  t.equal(withScale('3', 2), '3.00')
})

t.test('measures of one unit can be added and compared, others not', async (t) => {
  const euro = { type: 'money', amount: '10.00', currency: 'EUR' } as const
  const hours = { type: 'quantity', quantity: '10.50', unit: 'hour' } as const
  t.ok(isAddable(euro, { ...euro, amount: '3' }))
  t.notOk(isAddable(euro, { ...euro, currency: 'GBP' }))
  t.notOk(isAddable(hours, { ...hours, unit: 'day' }))
  t.notOk(isAddable(euro, hours))
  t.equal(compareMeasures(euro, { ...euro, amount: '10' }), 0)
  t.same(normaliseMeasure(hours), { type: 'quantity', quantity: '10.5', unit: 'hour' })
  t.same(normaliseMeasure({ ...euro, amount: '1' }), { type: 'money', amount: '1.00', currency: 'EUR' })
  t.ok(isZero({ ...euro, amount: '0.00' }))
  const faults = new Faults()
  checkMeasure({ ...euro, amount: '1.234' }, '/measure', faults)
  checkMeasure({ ...euro, currency: 'ZZZ' }, '/measure', faults)
  checkMeasure(hours, '/measure', faults)
  t.same(
    faults.list.map(({ pointer }) => pointer),
    ['/measure/amount', '/measure/currency'],
  )
})
