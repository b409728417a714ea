import { dateIn, isDate, isInstant } from './dates.ts'

// Grants in the 360Giving Data Standard (JSON), as published files have them.

export interface GrantOrganisation {
  id: string
  name: string
  charityNumber?: string
  url?: string
  streetAddress?: string
  addressLocality?: string
  postalCode?: string
}

export interface Grant {
  /** Where it stands in the file. */
  line: number
  id: string
  title: string
  description: string | null
  amount: string
  currency: string
  awardedOn: string
  startsOn: string | null
  endsOn: string | null
  programme: string | null
  fromOpenCall: string | null
  funder: GrantOrganisation
  recipient: GrantOrganisation
}

/** Where grants are made: an instant is of the day that it was there. */
export const grantTimeZone = 'Europe/London'

const dateOf = (value: unknown): string | null => {
  const text = typeof value === 'string' ? value : ''
  const date = isInstant(text) ? dateIn(grantTimeZone, text) : text.slice(0, 10)
  return isDate(date) ? date : null
}

export const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value.trim() ? value.trim() : null

/** @throws Error that says what a grant lacks */
export function parseGrant(line: number, row: Record<string, unknown>): Grant {
  const required = (value: unknown, name: string): string => {
    const text = textOf(value)
    if (text === null) throw new Error(`${name} is missing`)
    return text
  }
  const party = (name: string): GrantOrganisation => {
    const first = (row[name] as Record<string, unknown>[] | undefined)?.[0]
    if (!first) throw new Error(`${name} is missing`)
    return { ...first, id: required(first['id'], `${name} id`), name: required(first['name'], `${name} name`) }
  }
  const amount = row['amountAwarded']
  if (typeof amount !== 'number' || !(amount >= 0)) throw new Error('amountAwarded is not a number of 0 or more')
  const awardedOn = dateOf(row['awardDate'])
  if (awardedOn === null) throw new Error('awardDate is missing or no date')
  const planned = (row['plannedDates'] as Record<string, unknown>[] | undefined)?.[0]
  const programme = (row['grantProgramme'] as Record<string, unknown>[] | undefined)?.[0]
  return {
    line,
    id: required(row['id'], 'id'),
    title: required(row['title'], 'title'),
    description: textOf(row['description']),
    // The shortest decimal that the number stands for is the one that was written.
    amount: String(amount),
    currency: required(row['currency'], 'currency'),
    awardedOn,
    startsOn: dateOf(planned?.['startDate']),
    endsOn: dateOf(planned?.['endDate']),
    programme: textOf(programme?.['title']),
    fromOpenCall: textOf(row['fromOpenCall']),
    funder: party('fundingOrganization'),
    recipient: party('recipientOrganization'),
  }
}
