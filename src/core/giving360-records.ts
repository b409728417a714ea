import { type Grant, type GrantOrganisation, grantTimeZone, textOf } from './giving360.ts'
import { identifierFault } from './identifiers.ts'

// What grants become here: funder and recipients organisations, each pair of them a partnership, each grant a commitment.
// Every record is written by its reference in the system `360giving`.

export const givingSystem = '360giving'

export const pairId = (grant: Grant): string => `${grant.funder.id.trim()}/${grant.recipient.id.trim()}`

/** A record to be written: the line of the file that it comes from first, its reference, and its members. */
export interface GrantRecord {
  line: number
  id: string
  body: Record<string, unknown>
}

export interface GrantOrganisationRecord extends GrantRecord {
  body: { name: string; alternate_names: string[] } & Record<string, unknown>
}

/** What hears of a value that cannot be taken over as it is. */
export type Remarking = (reason: string) => void

export function organisationRecord(
  line: number,
  organisation: GrantOrganisation,
  sector: string,
  remark: Remarking,
): GrantOrganisationRecord {
  const id = organisation.id.trim()
  return {
    line,
    id,
    body: {
      name: organisation.name.trim(),
      sector,
      alternate_names: [],
      identifiers: identifiersOf(id, remark),
      website: websiteOf(organisation.url, remark),
      metadata: addressOf(organisation),
    },
  }
}

/** Keeps the other spellings under which an organisation stands in the file. */
export function addSpelling({ body }: GrantOrganisationRecord, name: string): void {
  if (![body.name, ...body.alternate_names].includes(name)) body.alternate_names.push(name)
}

/** `GB-CHC-327114` is the value 327114 of the list GB-CHC; ids that start with 360G- are the publisher's own. */
function identifiersOf(id: string, remark: Remarking): object[] {
  const match = /^([A-Z]{2}-[A-Z0-9_]+)-(.+)$/.exec(id)
  if (id.startsWith('360G-') || !match?.[1] || !match[2]) return []
  const [scheme, value] = [match[1], match[2].trim()]
  const fault = identifierFault(scheme, value)
  if (fault === undefined) return [{ scheme, value }]
  remark(`${fault} Kept as a reference, not as an identifier.`)
  return []
}

function websiteOf(url: string | undefined, remark: Remarking): string | null {
  const given = textOf(url)
  if (given === null) return null
  const address = URL.parse(/^[a-z]+:\/\//i.test(given) ? given : `http://${given}`)
  if (address && /^https?:$/.test(address.protocol) && /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(address.hostname)) {
    return address.href
  }
  remark(`"${given}" is no web address: left out.`)
  return null
}

function addressOf(organisation: GrantOrganisation): Record<string, string> {
  const entries = {
    charity_number: textOf(organisation.charityNumber),
    street_address: textOf(organisation.streetAddress),
    address_locality: textOf(organisation.addressLocality),
    postal_code: textOf(organisation.postalCode),
  }
  return Object.fromEntries(Object.entries(entries).filter((entry): entry is [string, string] => entry[1] !== null))
}

/** What the grants of a pair say together. */
export interface GrantPair {
  first: Grant
  startsOn: string
  /** Null where one of them does not say its end. */
  endsOn: string | null
}

export function addToPair(pair: GrantPair | undefined, grant: Grant): GrantPair {
  const startsOn = grant.startsOn ?? grant.awardedOn
  if (!pair) return { first: grant, startsOn, endsOn: grant.endsOn }
  const { first, endsOn } = pair
  const latest = endsOn !== null && grant.endsOn !== null && endsOn > grant.endsOn ? endsOn : grant.endsOn
  return {
    first,
    startsOn: startsOn < pair.startsOn ? startsOn : pair.startsOn,
    endsOn: endsOn === null ? null : latest,
  }
}

/** @param asOf the day of the newest award: the file tells what was so on that day */
export function partnershipRecord({ first: grant, startsOn, endsOn }: GrantPair, asOf: string): GrantRecord {
  const isOver = endsOn != null && endsOn < asOf
  return {
    line: grant.line,
    id: pairId(grant),
    body: {
      name: `${grant.funder.name.trim()} – ${grant.recipient.name.trim()}`.slice(0, 300),
      parties: [
        { organisation_ref: { system: givingSystem, id: grant.funder.id.trim() }, side: 'company', role: 'lead' },
        { organisation_ref: { system: givingSystem, id: grant.recipient.id.trim() }, side: 'non_profit' },
      ],
      relationship_type: 'philanthropic',
      starts_on: startsOn,
      ends_on: endsOn,
      base_currency: grant.currency,
      time_zone: grantTimeZone,
      status: isOver ? 'ended' : 'active',
      ...(isOver ? { end_reason: 'completed' } : {}),
      taken_over: { on: asOf, from_system: givingSystem },
    },
  }
}

export function commitmentRecord(grant: Grant, asOf: string): GrantRecord {
  const { startsOn, endsOn } = grant
  const metadata = {
    award_date: grant.awardedOn,
    grant_programme: grant.programme,
    from_open_call: grant.fromOpenCall,
  }
  return {
    line: grant.line,
    id: grant.id,
    body: {
      partnership_ref: { system: givingSystem, id: pairId(grant) },
      from_organisation_ref: { system: givingSystem, id: grant.funder.id.trim() },
      to_organisation_ref: { system: givingSystem, id: grant.recipient.id.trim() },
      kind: 'cash',
      title: grant.title,
      description: grant.description,
      binding: 'firm',
      reciprocity: 'unconditional',
      measure: { type: 'money', amount: grant.amount, currency: grant.currency },
      schedule: startsOn === null ? null : { frequency: 'once', starts_on: startsOn, ends_on: endsOn },
      status: 'agreed',
      taken_over: { on: asOf, from_system: givingSystem },
      metadata: Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== null)),
    },
  }
}
