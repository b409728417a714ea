import { createHash } from 'node:crypto'
import type pg from 'pg'

/** What a check of one tenant's chain found. */
export interface ChainReport {
  tenant: string
  entries: number
  /** The sequence and the hash, in hexadecimal, of the last entry: noted elsewhere, they show a chain that was rewritten. */
  head: { sequence: string; hash: string }
  /** Each break, in words; none where the chain is whole. */
  faults: string[]
}

interface Row {
  sequence: string
  id: string
  micros: string
  category: string
  action: string
  resource_type: string
  resource_id: string
  version: string
  changed: string[]
  actor: string
  request_id: string
  operation: string
  details: string
  after: string | null
  previous_hash: string
  hash: string
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** The hash that an entry must have, made anew from what it holds. */
function hashOf(tenantId: string, row: Row): string {
  const lines = [
    'beide audit 1',
    tenantId,
    row.sequence,
    row.id,
    row.micros,
    row.category,
    row.action,
    row.resource_type,
    row.resource_id,
    row.version,
    row.changed.join(','),
    row.actor,
    row.request_id,
    row.operation,
    row.details,
    row.after === null ? '' : sha256(row.after),
    row.previous_hash,
  ]
  return sha256(lines.join('\n'))
}

const batch = 2000
const faultsMax = 20

/** The next entries of a chain, in its order. */
async function nextOf(client: pg.Client, tenantId: string, after: string): Promise<Row[]> {
  const { rows } = await client.query<Row>(
    `select sequence::text, id::text, (extract(epoch from occurred_at) * 1000000)::bigint::text as micros, category, action,
       coalesce(resource_type, '') as resource_type, coalesce(resource_id::text, '') as resource_id,
       coalesce(version::text, '') as version, changed, actor::text, coalesce(request_id, '') as request_id,
       coalesce(operation, '') as operation, coalesce(details::text, '') as details, after::text,
       encode(previous_hash, 'hex') as previous_hash, encode(hash, 'hex') as hash
     from audit_entries where tenant_id = $1 and sequence > $2 order by audit_entries.sequence limit ${batch}`,
    [tenantId, after],
  )
  return rows
}

/**
 * Checks the chain of every tenant: each entry's hash is made anew, entries follow each other without a gap, and the
 * last one is the one that the head names.
 * @param noted heads that were noted before, as sequence:hash by the name of the tenant
 */
export async function verifyAudit(
  client: pg.Client,
  { tenant, noted }: { tenant?: string | undefined; noted?: string | undefined } = {},
): Promise<ChainReport[]> {
  // One snapshot: what is written meanwhile is for the next time.
  await client.query('set transaction isolation level repeatable read')
  const { rows } = await client.query<{ id: string; name: string; sequence: string; hash: string }>(
    `select t.id, t.name, coalesce(h.sequence, 0)::text as sequence, coalesce(encode(h.hash, 'hex'), '') as hash
     from tenants t left join audit_heads h on h.tenant_id = t.id
     where $1::text is null or t.name = $1 order by t.name`,
    [tenant ?? null],
  )
  const reports: ChainReport[] = []
  for (const { id, name, sequence, hash } of rows) {
    const { entries, faults, last, seen } = await walk(client, id, noted)
    if (last.sequence !== sequence || last.hash !== hash)
      faults.push(`The chain ends at ${last.sequence}; it should end at ${sequence}: entries are missing at its end.`)
    if (noted !== undefined && !seen)
      faults.push(`No entry is ${noted}, which was noted before: the chain was rewritten.`)
    reports.push({ tenant: name, entries, head: { sequence, hash }, faults: faults.slice(0, faultsMax) })
  }
  return reports
}

async function walk(client: pg.Client, tenantId: string, noted: string | undefined) {
  const faults: string[] = []
  let last = { sequence: '0', hash: '' }
  let entries = 0
  let seen = false
  for (let rows = await nextOf(client, tenantId, '0'); rows.length > 0; ) {
    for (const row of rows) {
      const isFirst = entries === 0
      entries += 1
      if (hashOf(tenantId, row) !== row.hash) faults.push(`Entry ${row.sequence} is not what was written.`)
      // What is older than is kept is gone: the chain begins at the oldest entry that is left.
      if (!isFirst && BigInt(row.sequence) !== BigInt(last.sequence) + 1n)
        faults.push(`Entries between ${last.sequence} and ${row.sequence} are missing.`)
      else if (!isFirst && row.previous_hash !== last.hash)
        faults.push(`Entry ${row.sequence} does not follow the one before it.`)
      last = { sequence: row.sequence, hash: row.hash }
      seen ||= noted === `${row.sequence}:${row.hash}`
    }
    rows = rows.length < batch ? [] : await nextOf(client, tenantId, last.sequence)
  }
  return { faults, last, entries, seen }
}
