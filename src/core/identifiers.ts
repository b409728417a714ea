/**
 * Identifiers of organisations: schemes are list codes of org-id.guide (`NL-KVK`, `GB-CHC`), or `x-…` for registers
 * which that guide lacks. Values are compared in a normalised form.
 */

/** A known register: the form its values have, in normalised spelling. */
interface Scheme {
  form: RegExp
  says: string
  check?: (value: string) => boolean
}

/** ISO 7064 MOD 97-10 over letters and digits, as the LEI (ISO 17442) uses it. */
function mod97(value: string): number {
  let remainder = 0
  for (const character of value) {
    const digits = String(Number.parseInt(character, 36))
    for (const digit of digits) remainder = (remainder * 10 + Number(digit)) % 97
  }
  return remainder
}

/** The eleven-test of Dutch registers: weights 9 … 2, and -1 for the last digit, a multiple of 11. */
function elevenTest(value: string): boolean {
  const sum = [...value].reduce((total, digit, at) => total + Number(digit) * (at === 8 ? -1 : 9 - at), 0)
  return sum % 11 === 0
}

/** Belgian enterprise numbers end in 97 minus the remainder of the first eight digits. */
const belgianCheck = (value: string): boolean => 97 - (Number(value.slice(0, 8)) % 97) === Number(value.slice(8))

const base32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** The seven characters of a ROR id are a number in Crockford's base 32; two digits check it (ISO 7064 MOD 97-10). */
function rorCheck(value: string): boolean {
  const number = [...value.slice(0, 7)].reduce((total, character) => total * 32 + base32.indexOf(character), 0)
  return 98 - ((number * 100) % 97) === Number(value.slice(7))
}

const schemes: Record<string, Scheme> = {
  'NL-KVK': { form: /^\d{8}$/, says: '8 digits' },
  'x-nl-rsin': { form: /^\d{9}$/, says: '9 digits that pass the eleven-test', check: elevenTest },
  'GB-CHC': { form: /^\d{6,7}$/, says: '6 or 7 digits' },
  'GB-COH': { form: /^([A-Z]{2}\d{6}|\d{8})$/, says: '8 digits, or 2 letters and 6 digits' },
  'BE-BCE_KBO': { form: /^[01]\d{9}$/, says: '10 digits with a valid check number', check: belgianCheck },
  'XI-LEI': { form: /^[A-Z0-9]{18}\d{2}$/, says: '20 characters with a valid checksum', check: (v) => mod97(v) === 1 },
  'XI-ROR': {
    form: /^0[A-HJKMNP-TV-Z0-9]{6}\d{2}$/,
    says: '9 characters that start with 0, with a valid checksum',
    check: rorCheck,
  },
}

/** The form in which values are compared: without spaces, dots, dashes and slashes, in capitals. Leading zeros stay. */
export function normaliseIdentifier(scheme: string, value: string): string {
  const bare = scheme === 'XI-ROR' ? value.replace(/^https?:\/\/ror\.org\//i, '') : value
  return bare.replace(/[\s.\-/]/g, '').toUpperCase()
}

/** What is wrong with an identifier of a known scheme, in words for the caller; undefined where nothing is. */
export function identifierFault(scheme: string, value: string): string | undefined {
  const normalised = normaliseIdentifier(scheme, value)
  if (normalised === '') return 'The value has no letters or digits.'
  const known = schemes[scheme]
  if (!known) return undefined
  if (!known.form.test(normalised) || known.check?.(normalised) === false) {
    return `A value of ${scheme} is ${known.says}; "${value}" is not.`
  }
  return undefined
}
