import currencies from 'currency-codes'

/** Money as it is on the wire: a decimal string and an ISO 4217 code; never a floating-point number. */
export interface Money {
  amount: string
  currency: string
}

// The library looks through its whole list for each.
const digitsByCode = new Map(currencies.codes().map((code) => [code, currencies.code(code)?.digits]))

/** The minor digits of an ISO 4217 currency (JPY 0, EUR 2, KWD 3); undefined for what is no currency. */
export function minorDigits(currency: string): number | undefined {
  return digitsByCode.get(currency)
}

const decimalForm = /^(0|[1-9]\d*)(?:\.(\d+))?$/

/** The digits behind the point of a plain decimal such as `1250.00`; undefined for anything else. */
export function scaleOf(decimal: string): number | undefined {
  const match = decimalForm.exec(decimal)
  return match ? (match[2]?.length ?? 0) : undefined
}

/** One decimal, one spelling: exactly `digits` behind the point. The text must be a decimal of at most that scale. */
export function withScale(decimal: string, digits: number): string {
  const [whole = '0', fraction = ''] = decimal.split('.')
  return digits === 0 ? whole : `${whole}.${fraction.padEnd(digits, '0')}`
}

/** A decimal without trailing zeros behind the point: `3.50` → `3.5`, `4.0` → `4`. For quantities. */
export function plainDecimal(decimal: string): string {
  return decimal.includes('.') ? decimal.replace(/0+$/, '').replace(/\.$/, '') : decimal
}

/** Two plain decimals compared exactly: negative, zero or positive, as a sort function wants it. */
export function compareDecimals(a: string, b: string): number {
  const scale = Math.max(scaleOf(a) ?? 0, scaleOf(b) ?? 0)
  const scaled = (decimal: string) => BigInt(withScale(decimal, scale).replace('.', ''))
  const difference = scaled(a) - scaled(b)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** What is wrong with this money, in words for the caller; undefined where nothing is. */
export function moneyFault({ amount, currency }: Money): { at: 'amount' | 'currency'; detail: string } | undefined {
  const digits = minorDigits(currency)
  if (digits === undefined) return { at: 'currency', detail: `${currency} is not an ISO 4217 currency code.` }
  const scale = scaleOf(amount)
  if (scale === undefined) return { at: 'amount', detail: 'Write the amount as a plain decimal such as "1250.00".' }
  if (scale > digits)
    return { at: 'amount', detail: `${currency} has ${digits} digits behind the point, not ${scale}.` }
  return undefined
}

/** Money in its one spelling: as many minor digits as the currency has. It must be free of faults. */
export function normaliseMoney({ amount, currency }: Money): Money {
  return { amount: withScale(amount, minorDigits(currency) ?? 2), currency }
}
