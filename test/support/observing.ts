import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { wholeTenant } from '../../src/db/database.ts'
import type { duckdb } from './duckdb.ts'
import { makeExport } from './exporting.ts'
import type { Answer, Client, Json, Service } from './harness.ts'

// All that can be read of a round, by anyone, in one list of strings: what two worlds are compared by.

/** A round and those who were asked, in a tenant of its own. */
export interface World {
  service: Service
  partnership: Json
  round: Json
  invitations: Json[]
  contacts: Json[]
  /** Reads the files, and where they may stand. */
  duck: Awaited<ReturnType<typeof duckdb>>
  directory: string
}

const tables = ['evaluations', 'evaluation_scores', 'evaluation_gaps', 'evaluation_decisions']
const stored = ['invitations', 'anonymous_responses', 'drafts', 'responses', 'scores', 'texts', 'decisions']
const open = { key: null }
const about = /^[/]v1[/](evaluation|exports[/]evaluation|events|audit|portfolio|partnership|contacts[/][{]id[}]$)/
/** What partners may read: not the exports, not the audit. */
const forPartners = /^[/]v1[/](evaluation|events|partnerships[/][{]id[}]([/]reciprocity)?$)/
/** What differs from request to request, or stands for the credential. */
const passing = /^(x-request-id|date|ratelimit|content-length|connection|keep-alive)/

/** What is read at an address beside its plain form. */
function queriesOf(path: string, parameters: readonly string[], { partnership, round }: World): string[] {
  const has = (name: string) => parameters.includes(name)
  const whose = path.startsWith('/v1/portfolio') && has('organisation_id')
  const of = whose ? `organisation_id=${partnership.parties[0].organisation_id}&` : ''
  const limit = has('limit') ? 'limit=200&' : ''
  return [
    '',
    ...(has('include_total') && has('status') ? ['include_total=true'] : []),
    ...(has('as_of') ? ['as_of=2026-06-14', 'as_of=2026-06-15'] : []),
    ...(has('language') ? ['language=nl'] : []),
    ...(has('updated_since') ? ['updated_since=2026-06-15T10:30:00Z'] : []),
    ...(has('closed_since') ? ['closed_since=2026-06-15T00:00:00Z'] : []),
    ...(has('score_from') ? ['score_from=50', 'widest_gap_from=10'] : []),
    ...(has('is_evaluation_overdue') ? ['is_evaluation_overdue=true', 'evaluation_due_before=2027-01-01'] : []),
    ...(has('evaluation_id') ? [`evaluation_id=${round.id}`] : []),
    ...(has('types') ? ['types=evaluation.closed,evaluation_invitation.answered'] : []),
  ].map((query) => `?${of}${limit}${query}`)
}

/** The records whose addresses a path stands for. */
function namesFor(path: string, world: World, decisions: readonly Json[]): string[] {
  if (!path.includes('{')) return [path]
  const { partnership, round, invitations, contacts } = world
  const organisations = partnership.parties.map((party: Json) => ({ id: party.organisation_id }))
  const records: Record<string, readonly Json[]> = {
    evaluations: [round],
    'evaluation-invitations': invitations,
    'evaluation-decisions': decisions,
    'evaluation-templates': [{ id: 'partnership-review' }],
    partnerships: [partnership],
    organisations,
    contacts,
  }
  const named = path.replace('{system}', 'crm').replace('{ref_id}', 'E-1')
  return (records[path.split('/')[2] as string] ?? []).map(({ id }) => named.replace('{id}', id))
}

const told = (path: string, { status, headers, text }: Answer): string => {
  const kept = Object.entries(headers).filter(([name]) => !passing.test(name))
  // Texts stand in random order: as many of each is all that they tell.
  const ordered = text.replace(
    /"texts":(\["Woorden[^\]]*\])/g,
    (_, list) => `"texts":${JSON.stringify(JSON.parse(list).sort())}`,
  )
  // The ETag of what depends on the credential stands for that too.
  return `${path} ${status} ${JSON.stringify(kept).replace(/-[\w-]{16}\\"/g, '\\"')} ${ordered}`
}

/** Every GET of the contract that has to do with rounds, with its headers, and once more as a cache would ask. */
async function reads(client: Client, world: World, which: RegExp): Promise<string[]> {
  const { paths } = world.service.document
  const seen: string[] = []
  const decisions = (await client.get(`/v1/evaluations/${world.round.id}/decisions`)).body.data ?? []
  for (const [path, { get }] of Object.entries<Json>(paths)) {
    if (!get || !which.test(path) || path.endsWith('.parquet')) continue
    const parameters = (get.parameters ?? []).map(({ name }: Json) => name)
    const isList = parameters.includes('cursor')
    for (const address of namesFor(path, world, decisions)) {
      for (const query of queriesOf(path, parameters, world)) {
        const answer = await client.get(`${address}${query}`)
        seen.push(told(`${path}${query}`, answer))
        if (answer.etag === 'undefined' || isList) continue
        const again = await client.get(`${address}${query}`, { headers: { 'if-none-match': answer.etag } })
        seen.push(told(`${path}${query} again`, again))
      }
    }
  }
  return seen
}

/** The cells of Parquet files, as a reader that knows nothing of this service has them. */
async function parquetOf({ service, duck, directory }: World): Promise<string[]> {
  const seen: string[] = []
  for (const table of tables) {
    const headers = { authorization: `Bearer ${service.key}` }
    const { rawPayload } = await service.app.inject({ url: `/v1/exports/${table}.parquet`, headers })
    const file = join(directory, `${table}.parquet`)
    await writeFile(file, rawPayload)
    seen.push(`${table}.parquet ${JSON.stringify(await duck(`select * from read_parquet('${file}')`))}`)
    const kept = 'path_in_schema, num_values, stats_min, stats_max, stats_null_count'
    const chunks = await duck(`select ${kept} from parquet_metadata('${file}')`)
    // Ids are drawn, and so is which of them is the least.
    seen.push(
      `${table}.parquet statistics ${JSON.stringify(chunks.filter(({ path_in_schema: at }) => !/id$/.test(String(at))))}`,
    )
  }
  return seen
}

/** The files of an export of what changed since the beginning. It leaves events: it is asked for last. */
async function changesOf({ service }: World): Promise<string[]> {
  const order = { tables, format: 'ndjson', changed_after_sequence: 0 }
  const { id } = await service.make('/v1/exports', order)
  await makeExport(service, id)
  const { files } = (await service.get(`/v1/exports/${id}`)).body
  const seen: string[] = []
  for (const { name, rows, bytes } of files) {
    const { text } = await service.get(`/v1/exports/${id}/files/${name}`)
    seen.push(`changes ${name} ${rows} ${name.endsWith('.json') ? '' : bytes} ${text}`)
  }
  return seen
}

/** The rows that are stored, as far as no reading shows them: what a copy of the database would tell. */
async function rowsOf({ service }: World): Promise<string[]> {
  const seen: string[] = []
  for (const table of stored) {
    const { rows } = await service.database.read(wholeTenant(service.tenantId), (tx) =>
      tx.client.query(`select * from evaluation_${table} where tenant_id = $1`, [service.tenantId]),
    )
    // Places are drawn too, and only texts have no code of their own.
    const drawn = table === 'texts' ? ['position'] : ['token_hash', 'sealed']
    const kept = rows.map((row: Json) =>
      JSON.stringify(row, (name, value) => (drawn.includes(name) ? undefined : value)),
    )
    seen.push(`stored ${table} ${withoutIds(kept.sort()).sort()}`)
  }
  return seen
}

/** All that staff, each partner and the respondents can read, and what is stored. */
export async function everything(world: World, partners: readonly Client[] = []): Promise<string[]> {
  const seen = await reads(world.service, world, about)
  for (const [at, partner] of partners.entries()) {
    seen.push(...(await reads(partner, world, forPartners)).map((line) => `partner ${at} ${line}`))
  }
  for (const { token } of world.invitations) {
    seen.push(told('token', await world.service.get(`/v1/answers/${token}`, open)))
    const { payload } = await world.service.app.inject({ url: `/answer/${token}` })
    seen.push(`page ${payload}`)
  }
  seen.push(...(await parquetOf(world)), ...(await changesOf(world)))
  return [...withoutIds(seen), ...(await rowsOf(world))]
}

/** Where two worlds differ: of each line the first words of the difference. */
export function differences(first: readonly string[], second: readonly string[]): string[] {
  const apart = first.flatMap((line, at) => {
    const other = second[at] ?? ''
    if (line === other) return []
    const from = [...line].findIndex((character, place) => character !== other[place])
    const start = Math.max(from - 60, 0)
    return `${line.slice(0, 80)}: …${line.slice(start, from + 60)}… and …${other.slice(start, from + 60)}…`
  })
  return first.length === second.length ? apart : [`${first.length} lines and ${second.length}`, ...apart]
}

/** The channels that hold cells of a round, to the letter: what must not change any more once it is closed. */
export async function cells(world: World): Promise<string[]> {
  const { service, round } = world
  const paths = ['scores', 'texts', 'chart.svg', 'chart.svg?language=nl', 'decisions', 'responses'].map(
    (path) => `/v1/evaluations/${round.id}/${path}`,
  )
  const streams = ['csv', 'ndjson'].flatMap((format) => tables.map((table) => `/v1/exports/${table}.${format}`))
  const seen: string[] = []
  for (const path of [...paths, ...streams]) {
    const { status, text } = await service.get(path)
    seen.push(`${path} ${status} ${text.replace(/"instance":"[^"]+"/, '')}`)
  }
  const changed = (await changesOf(world)).filter((line) => /^changes evaluation_(scores|gaps|decisions)[.]/.test(line))
  return [...seen, ...(await parquetOf(world)), ...changed]
}

/** A client of a partner, bound to the organisation of this side. */
export async function partnerOf({ service, partnership }: World, side: string): Promise<Client> {
  const party = partnership.parties.find((one: Json) => one.side === side)
  const { key } = await service.make('/v1/api-keys', {
    name: 'A portal',
    scopes: ['evaluations:read', 'partnerships:read'],
    organisation_ids: [party.organisation_id],
  })
  const call: Client['call'] = (method, path, body, options) => service.call(method, path, body, { ...options, key })
  return {
    call,
    get: (path, options) => call('GET', path, undefined, options),
    make: (path, body, options) => service.make(path, body, { ...options, key }),
    step: (path, verb, body, options) => service.step(path, verb, body, { ...options, key }),
  }
}

/** Ids, hashes and secrets differ from world to world: each becomes its place in the order in which they appear. */
function withoutIds(seen: readonly string[]): string[] {
  const places = new Map<string, number>()
  const id =
    /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{64}|afresh [\w-]+|beide_\w+|(?<="prefix":")[^"]+|(?<![\w-])[\w-]{43}(?![\w-])/g
  // Jobs that make exports live by the real time.
  const now = /20\d\d-(?!06-15T)\d\d-\d\dT[\d:.]+(Z|\+00:00)/g
  return seen.map((text) =>
    text.replace(now, 'now').replace(id, (found) => {
      if (!places.has(found)) places.set(found, places.size)
      return `#${places.get(found)}`
    }),
  )
}
