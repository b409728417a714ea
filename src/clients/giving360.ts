import type { Grant, GrantOrganisation } from '../core/giving360.ts'
import {
  addSpelling,
  addToPair,
  commitmentRecord,
  type GrantOrganisationRecord,
  type GrantPair,
  type GrantRecord,
  organisationRecord,
  pairId,
  partnershipRecord,
  givingSystem as system,
} from '../core/giving360-records.ts'
import { type Client, eachOf, Refused } from './client.ts'
import type { ParsedGrants, Remark } from './giving360-file.ts'

/**
 * Loads grants in the 360Giving Data Standard (JSON) through the public interface: funder and recipients become
 * organisations, each pair of them a partnership, each grant a commitment. Every record is written by its reference in
 * the system `360giving`, so that a second run changes nothing.
 */
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
  const commitments = grants.map((grant) => writeOf('commitments', commitmentRecord(grant, asOf)))
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

interface Write extends GrantRecord {
  path: string
}

const writeOf = (collection: string, record: GrantRecord): Write => ({
  ...record,
  path: refPath(collection, record.id),
})

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
  const byId = new Map<string, GrantOrganisationRecord>()
  const add = ({ line, id: grantId }: Grant, organisation: GrantOrganisation, sector: string) => {
    const id = organisation.id.trim()
    const known = byId.get(id)
    if (known) return addSpelling(known, organisation.name.trim())
    const remark = (reason: string) => report.remarks.push({ line, id: grantId, reason })
    byId.set(id, organisationRecord(line, organisation, sector, remark))
  }
  for (const grant of grants) {
    add(grant, grant.funder, 'company')
    add(grant, grant.recipient, 'non_profit')
  }
  return [...byId.values()].map((record) => writeOf('organisations', record))
}

function partnershipsOf(grants: readonly Grant[], asOf: string): Write[] {
  const pairs = new Map<string, GrantPair>()
  for (const grant of grants) pairs.set(pairId(grant), addToPair(pairs.get(pairId(grant)), grant))
  return [...pairs.values()].map((pair) => writeOf('partnerships', partnershipRecord(pair, asOf)))
}
