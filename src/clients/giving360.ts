import { identifierFault } from '../core/identifiers.ts'
import { type Client, eachOf, Refused } from './client.ts'
import { type Grant, type GrantOrganisation, type ParsedGrants, type Remark, textOf } from './giving360-file.ts'

/**
 * Loads grants in the 360Giving Data Standard (JSON) through the public interface: funder and recipients become
 * organisations, each pair of them a partnership, each grant a commitment. Every record is written by its reference in
 * the system `360giving`, so that a second run changes nothing.
 */
export const system = '360giving'

export interface LoadReport {
  /** The day of the newest award: the file tells what was so on that day. */
  as_of: string
  created: number
  unchanged: number
  updated: number
  /** Rows that are not in the service now. */
  refused: Remark[]
  /** Rows that are, but for something that could not be taken over. */
  remarks: Remark[]
}

const refPath = (collection: string, id: string): string =>
  `/v1/${collection}/by-ref/${system}/${encodeURIComponent(id)}`

const pairId = (grant: Grant): string => `${grant.funder.id.trim()}/${grant.recipient.id.trim()}`

/**
 * Writes a parsed file to the service; `progress` hears how many of all records are done.
 * @throws Refused where the credential is not good for this; Error where the service does not answer
 */
export async function loadGrants(
  client: Client,
  { grants, refused }: ParsedGrants,
  progress: (done: number, all: number) => void = () => {},
): Promise<LoadReport> {
  const asOf = grants.reduce((latest, { awardedOn }) => (awardedOn > latest ? awardedOn : latest), '0001-01-01')
  const report: LoadReport = { as_of: asOf, created: 0, unchanged: 0, updated: 0, refused: [...refused], remarks: [] }
  const organisations = organisationsOf(grants, report)
  const partnerships = partnershipsOf(grants, asOf)
  const commitments = grants.map((grant) => commitmentOf(grant, asOf))
  const all = organisations.length + partnerships.length + commitments.length
  let done = 0
  // Each kind names the one before it, so they go in turn.
  for (const writes of [organisations, partnerships, commitments]) {
    await eachOf(writes, 8, async (write) => {
      await put(client, write, report)
      done += 1
      progress(done, all)
    })
  }
  report.refused.sort((a, b) => a.line - b.line)
  return report
}

interface Write {
  line: number
  id: string
  path: string
  body: Record<string, unknown>
}

async function put(client: Client, { line, id, path, body }: Write, report: LoadReport): Promise<void> {
  const reply = await client.send('PUT', path, body)
  if (reply.status === 201) report.created += 1
  // A record that was never changed is at its first version.
  else if (reply.status === 200 && reply.etag === '"1"') report.unchanged += 1
  else if (reply.status === 200) report.updated += 1
  // Not the fault of a row: the others would meet with the same.
  else if (reply.status === 401 || reply.status === 403) throw new Refused('PUT', path, reply)
  else {
    const faults = (reply.body?.errors ?? []) as { pointer: string; detail: string }[]
    const named = faults.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ')
    report.refused.push({ line, id, reason: `${reply.status} ${reply.body?.detail ?? ''} ${named}`.trim() })
  }
}

function organisationsOf(grants: readonly Grant[], report: LoadReport): Write[] {
  const byId = new Map<string, Write & { body: { name: string; alternate_names: string[] } }>()
  const add = (grant: Grant, organisation: GrantOrganisation, sector: string) => {
    const id = organisation.id.trim()
    const name = organisation.name.trim()
    const known = byId.get(id)
    if (known) {
      const names = [known.body.name, ...known.body.alternate_names]
      if (!names.includes(name)) known.body.alternate_names.push(name)
      return
    }
    const remark = (reason: string) => report.remarks.push({ line: grant.line, id: grant.id, reason })
    byId.set(id, {
      line: grant.line,
      id,
      path: refPath('organisations', id),
      body: {
        name,
        sector,
        alternate_names: [],
        identifiers: identifiersOf(id, remark),
        website: websiteOf(organisation.url, remark),
        metadata: addressOf(organisation),
      },
    })
  }
  for (const grant of grants) {
    add(grant, grant.funder, 'company')
    add(grant, grant.recipient, 'non_profit')
  }
  return [...byId.values()]
}

/** `GB-CHC-327114` is the value 327114 of the list GB-CHC; ids that start with 360G- are the publisher's own. */
function identifiersOf(id: string, remark: (reason: string) => void): object[] {
  const match = /^([A-Z]{2}-[A-Z0-9_]+)-(.+)$/.exec(id)
  if (id.startsWith('360G-') || !match?.[1] || !match[2]) return []
  const [scheme, value] = [match[1], match[2].trim()]
  const fault = identifierFault(scheme, value)
  if (fault === undefined) return [{ scheme, value }]
  remark(`${fault} Kept as a reference, not as an identifier.`)
  return []
}

function websiteOf(url: string | undefined, remark: (reason: string) => void): string | null {
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

function partnershipsOf(grants: readonly Grant[], asOf: string): Write[] {
  const pairs = Map.groupBy(grants, pairId)
  return [...pairs].map(([id, [first, ...others]]) => {
    const grant = first as Grant
    const all = [grant, ...others]
    const startsOn = all.map(({ startsOn: on, awardedOn }) => on ?? awardedOn).reduce((a, b) => (a < b ? a : b))
    const ends = all.map(({ endsOn }) => endsOn)
    const endsOn = ends.includes(null) ? null : ends.reduce((a, b) => ((a as string) > (b as string) ? a : b))
    const isOver = endsOn != null && endsOn < asOf
    return {
      line: grant.line,
      id,
      path: refPath('partnerships', id),
      body: {
        name: `${grant.funder.name.trim()} – ${grant.recipient.name.trim()}`.slice(0, 300),
        parties: [
          { organisation_ref: { system, id: grant.funder.id.trim() }, side: 'company', role: 'lead' },
          { organisation_ref: { system, id: grant.recipient.id.trim() }, side: 'non_profit' },
        ],
        relationship_type: 'philanthropic',
        starts_on: startsOn,
        ends_on: endsOn,
        base_currency: grant.currency,
        time_zone: 'Europe/London',
        status: isOver ? 'ended' : 'active',
        ...(isOver ? { end_reason: 'completed' } : {}),
        taken_over: { on: asOf, from_system: system },
      },
    }
  })
}

function commitmentOf(grant: Grant, asOf: string): Write {
  const { startsOn, endsOn } = grant
  const metadata = {
    award_date: grant.awardedOn,
    grant_programme: grant.programme,
    from_open_call: grant.fromOpenCall,
  }
  return {
    line: grant.line,
    id: grant.id,
    path: refPath('commitments', grant.id),
    body: {
      partnership_ref: { system, id: pairId(grant) },
      from_organisation_ref: { system, id: grant.funder.id.trim() },
      to_organisation_ref: { system, id: grant.recipient.id.trim() },
      kind: 'cash',
      title: grant.title,
      description: grant.description,
      binding: 'firm',
      reciprocity: 'unconditional',
      measure: { type: 'money', amount: grant.amount, currency: grant.currency },
      schedule: startsOn === null ? null : { frequency: 'once', starts_on: startsOn, ends_on: endsOn },
      status: 'agreed',
      taken_over: { on: asOf, from_system: system },
      metadata: Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== null)),
    },
  }
}
