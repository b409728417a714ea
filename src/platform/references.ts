import { type Expression, type ExpressionBuilder, sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import { type Fault, type Faults, notFound, Problem } from '../core/problem.ts'
import type { ReadTx, Tx } from '../db/database.ts'
import { param, prepare, tenantParam } from '../db/prepared.ts'
import type { DB } from '../db/rows.ts'
import { populated, rowsAndBase, together } from '../db/together.ts'

/** A record's id in another system. */
export interface ExternalRefWrite {
  system: string
  id: string
  url?: string | null
}

/** The `external_refs` member of a view whose record goes by the alias `r`. */
// biome-ignore lint/suspicious/noExplicitAny: called from views over any table that has an id.
export const externalRefsOf = (eb: ExpressionBuilder<any, any>, type: string) =>
  jsonArrayFrom(
    (eb as unknown as ExpressionBuilder<DB, never>)
      .selectFrom('external_refs as x')
      .select(['x.system', 'x.ref_id as id', 'x.url'])
      .where('x.tenant_id', '=', sql.ref<string>('r.tenant_id') as Expression<string>)
      .where('x.resource_type', '=', sql.lit(type))
      .where('x.resource_id', '=', sql.ref<string>('r.id') as Expression<string>)
      .orderBy('x.position'),
  )

/**
 * The ids that the parameter `namings` stands for, a JSON list of {position, id} or {position, system, ref_id}: rows of
 * (position, id). Each is looked up by itself: a join would read every reference of the tenant, for Postgres expects a
 * hundred rows of any list. Measured with 11,000 references: 14 ms against 0.3. Join records to it by `lateral … limit 1`,
 * for the same reason.
 */
export const namedIds = (type: string) => sql`(
  select n.position, coalesce(n.id, (
    select x.resource_id from external_refs x where x.tenant_id = ${tenantParam}
      and x.resource_type = ${sql.lit(type)} and x.system = n.system and x.ref_id = n.ref_id)) as id
  from json_to_recordset(${param('namings')}::json) as n (position integer, id uuid, system text, ref_id text)
  offset 0)`

/** Sets the external refs of a record. @throws Problem `duplicate` where another record has one of them. */
export async function writeExternalRefs(
  tx: Tx,
  type: string,
  id: string,
  refs: readonly ExternalRefWrite[],
): Promise<void> {
  await removeExternalRefs(tx, type, id)
  await insertExternalRefs(tx, type, id, refs)
}

/** Takes all external refs from a record. */
export async function removeExternalRefs(tx: Tx, type: string, id: string): Promise<void> {
  await tx.db
    .deleteFrom('external_refs')
    .where('tenant_id', '=', tx.tenantId)
    .where('resource_type', '=', type)
    .where('resource_id', '=', id)
    .execute()
}

interface RefRow {
  resource_type: string
  system: string
  ref_id: string
  resource_id: string
  url: string | null
  position: number
}

const refsInsertion = prepare<Pick<RefRow, 'system' | 'ref_id' | 'resource_id'>>(sql`
  insert into external_refs (tenant_id, resource_type, system, ref_id, resource_id, url, position)
  select ${tenantParam}, n.resource_type, n.system, n.ref_id, n.resource_id, n.url, n.position
  from ${populated('external_refs')} n
  on conflict do nothing returning system, ref_id, resource_id`)

const refsInserted = (tx: Tx, rows: readonly RefRow[]) => refsInsertion.run(tx, rowsAndBase(rows))

/** Those of the rows that were free. */
const refsWritten = together(refsInserted, async (tx, lists) => {
  const byRecord = Map.groupBy(await refsInserted(tx, lists.flat()), ({ resource_id }) => resource_id)
  return lists.map(([first]) => byRecord.get(first?.resource_id ?? '') ?? [])
})

/** Adds external refs to a record that has none yet. */
export async function insertExternalRefs(
  tx: Tx,
  type: string,
  id: string,
  refs: readonly ExternalRefWrite[],
): Promise<void> {
  if (refs.length === 0) return
  const rows = refs.map((ref, position) => ({
    resource_type: type,
    system: ref.system,
    ref_id: ref.id,
    resource_id: id,
    url: ref.url ?? null,
    position,
  }))
  const written = await refsWritten(tx, rows)
  if (written.length === refs.length) return
  const free = new Set(written.map((row) => `${row.system}:${row.ref_id}`))
  const errors = refs.flatMap((ref, at): Fault[] => {
    if (free.delete(`${ref.system}:${ref.id}`)) return []
    const detail = `${ref.system}:${ref.id} is the reference of another ${type}, or stands here twice.`
    return [{ pointer: `/external_refs/${at}`, code: 'taken', detail }]
  })
  throw new Problem('duplicate', errors[0]?.detail ?? 'A reference is taken.', { errors })
}

const byRef = prepare<{ resource_id: string }>(sql`
  select resource_id from external_refs
  where tenant_id = ${tenantParam} and resource_type = ${param('type')} and system = ${param('system')}
    and ref_id = ${param('ref_id')}`)

// Each by itself, as in namedIds.
const byRefs = prepare<{ resource_id: string | null }>(sql`
  select (
    select x.resource_id from external_refs x where x.tenant_id = ${tenantParam} and x.resource_type = n.type
      and x.system = n.system and x.ref_id = n.ref_id) as resource_id
  from json_to_recordset(${param('refs')}::json) as n (position integer, type text, system text, ref_id text)
  order by n.position`)

interface RefOfType {
  type: string
  system: string
  ref_id: string
}

const found = together(
  async (tx: ReadTx, ref: RefOfType) => (await byRef.run(tx, { ...ref }))[0]?.resource_id,
  async (tx, refs) => {
    const rows = await byRefs.run(tx, { refs: JSON.stringify(refs.map((ref, position) => ({ position, ...ref }))) })
    return rows.map(({ resource_id }) => resource_id ?? undefined)
  },
)

/** The id of the record that has this external ref. */
export const findByRef = (tx: ReadTx, type: string, system: string, refId: string): Promise<string | undefined> =>
  found(tx, { type, system, ref_id: refId })

const refsHeld = prepare<ExternalRefWrite>(sql`
  select system, ref_id as id, url from external_refs
  where tenant_id = ${tenantParam} and resource_type = ${param('type')} and resource_id = ${param('id')}::uuid
  order by position`)

/** The external refs of a record, in their order. */
export const externalRefsHeld = (tx: ReadTx, type: string, id: string): Promise<ExternalRefWrite[]> =>
  refsHeld.run(tx, { type, id })

const byOthers = prepare<object>(sql`
  select from external_refs
  where tenant_id = ${tenantParam} and resource_type = ${param('type')} and system = ${param('system')}
    and ref_id = ${param('ref_id')} and xmin <> coalesce(pg_current_xact_id_if_assigned()::xid, '0'::xid)`)

/** True where a record has this external ref that another transaction gave it. */
export const isMadeByOthers = async (tx: Tx, type: string, system: string, refId: string): Promise<boolean> =>
  (await byOthers.run(tx, { type, system, ref_id: refId })).length > 0

const lock = prepare<object>(sql`select pg_advisory_xact_lock(hashtextextended(${param('name')}, 0))`)

/** Lets one writer of a tenant at a time go on from here, among those who hold the same name. */
export async function holdName(tx: ReadTx, ...name: readonly string[]): Promise<void> {
  await lock.run(tx, { name: JSON.stringify([tx.tenantId, ...name]) })
}

/** Names another record in a write: by our id, or by the client's own. */
export interface Naming {
  id?: string | null | undefined
  ref?: { system: string; id: string } | null | undefined
}

/**
 * The id that a `…_id` or `…_ref` member of a body names. Faults are gathered: both given, none given though required,
 * or a ref that no record has. Whether an id exists is for the query that uses it.
 */
export async function resolveNaming(
  tx: ReadTx,
  type: string,
  { id, ref }: Naming,
  at: { pointer: string; member: string; required: boolean },
  faults: Faults,
): Promise<string | null> {
  const here = (suffix: string) => `${at.pointer}/${at.member}_${suffix}`
  if (id != null && ref != null) {
    faults.add(here('ref'), 'exclusive', `Give ${at.member}_id or ${at.member}_ref, not both.`)
    return null
  }
  if (ref != null) {
    const found = await findByRef(tx, type, ref.system, ref.id)
    if (found === undefined) {
      faults.add(here('ref'), 'unknown_reference', `No ${type} has the reference ${ref.system}:${ref.id}.`)
    }
    return found ?? null
  }
  if (id == null && at.required) faults.add(here('id'), 'required', `Give ${at.member}_id or ${at.member}_ref.`)
  return id?.toLowerCase() ?? null
}

/** Reads one record by the client's own id. @throws Problem `not_found` */
export async function idByRef(tx: ReadTx, type: string, system: string, refId: string): Promise<string> {
  const id = await findByRef(tx, type, system, refId)
  if (id === undefined) throw notFound()
  return id
}
