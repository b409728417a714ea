import type { FastifyReply, FastifyRequest } from 'fastify'
import { type IdentifierNode, type SelectQueryBuilder, sql } from 'kysely'
import { etagOf, noneMatchHits } from '../core/etag.ts'
import { Moved, notFound } from '../core/problem.ts'
import { type Database, isPartner, type ReadTx, type Tx } from '../db/database.ts'
import { type Prepared, param, prepare, tenantParam } from '../db/prepared.ts'
import type { DB } from '../db/rows.ts'
import { together } from '../db/together.ts'
import { principalOf } from './auth.ts'
import { type Keeping, keepingOf, keptOne, stampOf } from './keeping.ts'
import { survivorIn } from './merged.ts'

/** A row as it leaves: its version, and its representation as JSON text that Postgres built. */
export interface Represented {
  version: number
  body: string
  /** The record that this one was merged into, of a kind that can be merged. */
  merged_into_id?: string | null
  /** Says which state of the record it is. */
  stamp?: string
}

/** What a change left behind: filled in when its transaction ends. */
export interface Outcome {
  id: string
  version: number
  /** The representation, as JSON text that Postgres built. */
  body: string
}

/** The typed selection from row to wire. The table of the record itself goes by the alias `r`. */
// biome-ignore lint/suspicious/noExplicitAny: views join tables of their own under names of their own.
export type View<Wire> = SelectQueryBuilder<any, any, Wire>

/** A kind of record: one view of it serves detail, list, events and answers to writes alike. */
export interface Resource<Wire> {
  /** The singular noun, in events, references and histories. */
  type: string
  /** The path of the collection below `/v1`, and its name in the contract. */
  path: string
  table: keyof DB
  view: View<Wire>
  /** Follows merges from an `id` to the record that is left; none for a kind that cannot be merged. */
  survivor?: Prepared<{ id: string }>
  /** Reads one by `id`. */
  one: Prepared<Represented>
  /** None for a kind whose representations are read anew each time. */
  keeping: Keeping | undefined
  /** Appends the event of a change to one by `id`, and reads it. */
  record: Prepared<Represented>
  /** Locks one by its id until the transaction ends, and reads it; undefined where there is none. */
  hold: (tx: Tx, id: string) => Promise<Represented | undefined>
  /**
   * Appends the events of changes to many, by `ids`: of one of the `kinds` each, which `changes` lists as JSON. Answers a
   * row for each, with its body where `answers` is true and events keep the whole of it.
   */
  recordMany: Prepared<Outcome>
}

export type AnyResource = Resource<unknown>

export function defineResource<Wire extends { id: string; version: number }>(options: {
  type: string
  path: string
  table: keyof DB
  view: View<Wire>
  /** What events keep of the record, where that is less than the view: they outlive the erasure of a person. */
  kept?: View<unknown>
  /** True where records of this kind can be merged: view and table have `merged_into_id`. */
  merges?: boolean
}): Resource<Wire> {
  const { kept, merges = false, ...known } = options
  const { type, table, view } = known
  const only = <T>(rows: View<T>) =>
    rows.where(sql.ref('r.tenant_id'), '=', tenantParam).where(sql.ref('r.id'), '=', param<string>('id'))
  const one = only(view)
  const representation = kept ? sql`(select row_to_json(k) from (${only(kept)}) k)` : sql.ref('v.body')
  // Of a kind that is not kept whole by events, for the sake of persons, nothing is kept in memory either.
  const isKept = !kept && columnsOf(view).includes('updated_at')
  const reads = readsOf(table, view, one, { merges, isKept })
  return {
    ...known,
    one: reads.one,
    keeping: isKept ? keepingOf(type, table) : undefined,
    hold: together(reads.holdOne, reads.holdMany),
    ...(merges ? { survivor: survivorIn(table) } : {}),
    record: prepare<Represented>(sql`
      with v as (select w.version, row_to_json(w) as body from (${one}) w),
      counter as (
        update tenant_counters set event_sequence = event_sequence + 1 where tenant_id = ${tenantParam}
        returning event_sequence
      ),
      event as (
        insert into events (tenant_id, sequence, id, type, resource_type, resource_id, version, changed, actor,
          request_id, representation, occurred_at)
        select ${tenantParam}, event_sequence, ${param('event_id')}::uuid, ${param('type')}, ${sql.lit(type)},
          ${param('id')}::uuid, v.version, ${param('changed')}::text[], ${param('actor')}::json,
          ${param('request_id')}, ${representation}, ${param('occurred_at')}::timestamptz
        from v, counter
      )
      select version, body::text as body from v`),
    recordMany: prepare<Outcome>(sql`
      with v as (select w.id, w.version, row_to_json(w) as body from (${view
        .where(sql.ref('r.tenant_id'), '=', tenantParam)
        .where(sql<boolean>`${sql.ref('r.id')} = any(${param('ids')}::uuid[])`)}) w),
      counter as (
        update tenant_counters set event_sequence = event_sequence + ${param('count')}::integer
        where tenant_id = ${tenantParam} returning event_sequence - ${param('count')}::integer as base
      ),
      kinds as materialized (
        select n.kind, n.type, n.request_id, array(select json_array_elements_text(n.changed)) as changed
        from json_to_recordset(${param('changes')}::json) as n (kind integer, type text, changed json, request_id text)
      )
      insert into events (tenant_id, sequence, id, type, resource_type, resource_id, version, changed, actor,
        request_id, representation, occurred_at)
      select ${tenantParam}, counter.base + c.ordinal, c.event_id, k.type, ${sql.lit(type)}, c.id, v.version,
        k.changed, ${param('actor')}::json, k.request_id,
        ${kept ? sql`(select row_to_json(k) from (${kept.where(sql.ref('r.tenant_id'), '=', tenantParam).where(sql<boolean>`${sql.ref('r.id')} = c.id`)}) k)` : sql.ref('v.body')},
        ${param('occurred_at')}::timestamptz
      from unnest(${param('event_ids')}::uuid[], ${param('ids')}::uuid[], ${param('kinds')}::integer[])
        with ordinality as c (event_id, id, kind, ordinal)
      join kinds k on k.kind = c.kind join v on v.id = c.id cross join counter
      returning resource_id as id, version, ${kept ? sql`''` : sql`case when ${param('answers')}::boolean then representation::text else '' end`} as body`),
  }
}

/** The ways to read records of a kind, and to lock them first. */
function readsOf(
  table: keyof DB,
  view: View<unknown>,
  ofOne: View<unknown>,
  { merges, isKept }: { merges: boolean; isKept: boolean },
) {
  const columns = sql.raw(`v.id, v.version, row_to_json(v)::text as body${merges ? ', v.merged_into_id' : ''}`)
  const stamp = isKept ? sql`, ${stampOf('v')} as stamp` : sql``
  const one = prepare<Represented>(sql`select ${columns}${stamp} from (${ofOne}) v`)
  const lock = prepare<object>(sql`
    select from ${sql.table(table)} where tenant_id = ${tenantParam} and id = ${param('id')} for no key update`)
  const ofMany = view
    .where(sql.ref('r.tenant_id'), '=', tenantParam)
    .where(sql<boolean>`${sql.ref('r.id')} = any(${param('ids')}::uuid[])`)
  const many = prepare<Represented & { id: string }>(sql`select ${columns} from (${ofMany}) v`)
  const lockMany = prepare<object>(sql`
    select from ${sql.table(table)} where tenant_id = ${tenantParam} and id = any(${param('ids')}::uuid[])
    order by id for no key update`)
  return {
    one,
    async holdOne(tx: Tx, id: string): Promise<Represented | undefined> {
      // Both are sent at once, in this order: the read runs after the lock is had, and sees what the writer before us left.
      const locked = lock.run(tx, { id })
      const [[row]] = await Promise.all([one.run(tx, { id }), locked])
      return row
    },
    async holdMany(tx: Tx, ids: string[]): Promise<(Represented | undefined)[]> {
      const locked = lockMany.run(tx, { ids })
      const [rows] = await Promise.all([many.run(tx, { ids }), locked])
      const byId = new Map(rows.map((row) => [row.id, row]))
      return ids.map((id) => byId.get(id.toLowerCase()))
    },
  }
}

/** The current representation of one record. @throws Problem `not_found`, or Moved where it was merged into another */
export async function readOne(tx: ReadTx, resource: AnyResource, id: string): Promise<Represented> {
  const { keeping } = resource
  const known = keeping && (await keptOne(tx, keeping, id))
  if (known) return known
  const [row] = await resource.one.run(tx, { id })
  if (!row) throw notFound()
  await refuseMoved(tx, resource, id, row.merged_into_id)
  if (keeping && row.stamp !== undefined) tx.kept?.set(keeping.nameOf(tx.tenantId, id), row.stamp, row.body)
  return row
}

/** @throws Moved where the record was merged into another */
export async function refuseMoved(
  tx: ReadTx,
  { survivor }: Pick<AnyResource, 'survivor'>,
  id: string,
  mergedIntoId: string | null | undefined,
): Promise<void> {
  if (mergedIntoId == null) return
  const [last] = (await survivor?.run(tx, { id })) ?? []
  // For a partner that left before, it is as it was.
  if (last?.id === id.toLowerCase()) return
  throw new Moved(id, last?.id ?? mergedIntoId)
}

const json = 'application/json; charset=utf-8'

/** Answers a GET of one record, with 304 where the caller has this version already; which one a partner sees is known later. */
export async function sendOne(
  database: Database,
  resource: AnyResource,
  id: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const reader = principalOf(request)
  const { version, body } = await database.read(reader, (tx) => readOne(tx, resource, id))
  const etag = etagOf(version)
  reply.header('etag', etag)
  const isHad = !isPartner(reader) && noneMatchHits(request.headers['if-none-match'], etag)
  if (isHad) return reply.code(304).send()
  return reply.type(json).send(body)
}

/** Answers a write with the representation that it left. */
export function sendOutcome(reply: FastifyReply, outcome: Outcome): FastifyReply {
  return reply.header('etag', etagOf(outcome.version)).type(json).send(outcome.body)
}

/** Answers a write that made a record: 201 with its address. */
export function sendCreated(reply: FastifyReply, path: string, outcome: Outcome): FastifyReply {
  return sendOutcome(reply.code(201).header('location', `/v1/${path}/${outcome.id}`), outcome)
}

/** Where a view has a column from, such as `r.partnership_id`; undefined for one that it does not have as it is. */
export function sourceOf(view: View<unknown>, column: string): string | undefined {
  for (const { selection } of view.toOperationNode().selections ?? []) {
    if (selection.kind !== 'ReferenceNode' || selection.column.kind !== 'ColumnNode') continue
    if (selection.column.column.name === column) return `${selection.table?.table.identifier.name}.${column}`
  }
}

/** The names of a view's columns, in their order on the wire. */
export function columnsOf(view: View<unknown>): string[] {
  return (view.toOperationNode().selections ?? []).map(({ selection }) => {
    if (selection.kind === 'AliasNode' && selection.alias.kind === 'IdentifierNode') {
      return (selection.alias as IdentifierNode).name
    }
    if (selection.kind === 'ReferenceNode' && selection.column.kind === 'ColumnNode') {
      return selection.column.column.name
    }
    throw new Error('A view names each of its columns')
  })
}
