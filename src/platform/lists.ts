import type { FastifyReply, FastifyRequest } from 'fastify'
import { type RawBuilder, sql } from 'kysely'
import { type TSchema, Type } from 'typebox'
import { decodeCursor, encodeCursor, invalid, scopeOf } from '../core/cursor.ts'
import { isUuid } from '../core/ids.ts'
import { codes, idOf, instant, pageOf } from '../core/schemas.ts'
import type { Database, ReadTx } from '../db/database.ts'
import { type Prepared, param, prepare, tenantParam } from '../db/prepared.ts'
import type { DB } from '../db/rows.ts'
import { principalOf } from './auth.ts'
import { survivorsOf } from './merged.ts'
import { type Page, sendPage } from './pages.ts'
import type { View } from './resource.ts'

/** How a sort key is compared: its SQL on the alias `r` (never null), its Postgres type, and the form of its text. */
export interface SortKey {
  key: RawBuilder<unknown>
  type: 'timestamptz' | 'text' | 'date' | 'bigint' | 'uuid'
}

export const byInstant = (column: string): SortKey => ({ key: sql.ref(`r.${column}`), type: 'timestamptz' })
export const byText = (column: string): SortKey => ({ key: sql.ref(`r.${column}`), type: 'text' })
export const byNumber = (column: string): SortKey => ({ key: sql.ref(`r.${column}`), type: 'bigint' })
/** Records in the order in which they were made, to which their ids grow. */
export const byId: SortKey = { key: sql.ref('r.id'), type: 'uuid' }
/** Dates that may be missing sort last, as if they never came. */
export const byDate = (column: string): SortKey => ({
  key: sql`coalesce(${sql.ref(`r.${column}`)}, 'infinity'::date)`,
  type: 'date',
})

/** What a filter does with the value of its parameter; the parameter's value reaches SQL under the filter's own name. */
export interface Filter {
  schema: TSchema
  where: RawBuilder<boolean>
  /** True where it lets very different numbers of rows through, so that the plan has to fit the value. */
  isUneven?: boolean
  /** The value as SQL takes it, where that differs from the one on the wire. */
  value?: (given: never) => unknown
  /** The table of the record whose id is its value, where records of it are merged: an id that went stands for its survivor. */
  names?: keyof DB
}

/** Rows whose column is one of the codes given: `status=active,paused`. */
export const oneOf = (name: string, values: readonly string[], column = name): Filter => ({
  schema: Type.Array(codes(values), { minItems: 1, maxItems: 50, description: `One or more, with commas` }),
  where: sql`${sql.ref(`r.${column}`)} = any(${param(name)}::text[])`,
})

export const updatedSince: Filter = {
  schema: instant({ description: 'Changed at this instant or later' }),
  where: sql`r.updated_at >= ${param('updated_since')}::timestamptz`,
}

/** Records by the client's own id, written `system:id`. */
export const externalRef = (type: string): Filter => ({
  schema: Type.String({ pattern: '^[^:]+:.+$', maxLength: 300, description: 'The id in another system, as system:id' }),
  where: sql`r.id in (
    select resource_id from external_refs x where x.tenant_id = ${tenantParam} and x.resource_type = ${sql.lit(type)}
      and x.system = split_part(${param('external_ref')}, ':', 1)
      and x.ref_id = substr(${param('external_ref')}, strpos(${param('external_ref')}, ':') + 1))`,
})

export interface ListOptions {
  /** The name of the list; with it, the list of one parent is told apart from another's. */
  name: string
  item: TSchema
  view: View<unknown>
  sorts: Record<string, SortKey>
  filters: Record<string, Filter>
  defaultSort: string
  /** Narrows the list to one parent; its values are given at each call. */
  within?: RawBuilder<boolean>
  /** True where that lets very different numbers of rows through. */
  isUneven?: boolean
  /** What finds records beside their `ids`, where no index begins with those; `keys` are their places by the sort. */
  foundBy?: RawBuilder<boolean>
  /** Makes the representation of what Postgres gathered, where that is more than rows: JSON text to JSON text. */
  present?: (body: string) => string
}

/** A record of a list, and its place by the sort. */
export interface Place {
  id: string
  key: string
}

/** Places, and what a cursor after one of them is bound to. */
export interface Places {
  places: Place[]
  scope: string
  total: string | undefined
}

type Values = Readonly<Record<string, unknown>>

/** What a page is asked with, besides its filters. */
interface PageQuery {
  limit: number
  cursor?: string
  sort: string
  include_total: boolean
}

export interface List {
  /** The query parameters of the list operation. */
  query: TSchema
  page: TSchema
  /** The places after the cursor of the query, at most `limit`, for what makes a page of them by itself. */
  places(tx: ReadTx, query: unknown, limit: number, values?: Values, moment?: Values): Promise<Places>
  /**
   * One page, in two statements: it wants a reader that sees one moment. `values` are those of `within`; `moment` is what
   * a view may need to know beside them, such as the time.
   */
  read(tx: ReadTx, query: unknown, values?: Values, moment?: Values): Promise<Page>
  /**
   * Answers the list operation. `values` are those of `within`. `moment` is what a view may need to know beside them,
   * such as the time: a cursor holds over its changes.
   */
  send(
    database: Database,
    request: FastifyRequest,
    reply: FastifyReply,
    values?: Values,
    moment?: Values,
  ): Promise<FastifyReply>
}

/** Statements are compiled once for each combination of filters that is used; the rare ones beyond this are not kept. */
const keptShapes = 256

export function defineList(options: ListOptions): List {
  const { sorts, filters } = options
  const sortNames = Object.keys(sorts).flatMap((name) => [name, `-${name}`])
  const query = Type.Object(
    {
      ...Object.fromEntries(Object.entries(filters).map(([name, { schema }]) => [name, Type.Optional(schema)])),
      limit: Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Rows on a page' }),
      cursor: Type.Optional(
        Type.String({ minLength: 1, maxLength: 2000, description: 'next_cursor of the page before, as it is' }),
      ),
      sort: codes(sortNames, { default: options.defaultSort, description: 'A leading - sorts downwards' }),
      include_total: Type.Boolean({ default: false, description: 'Count all rows that the filter lets through' }),
    },
    { additionalProperties: false },
  )
  const shapes = new Map<string, Shape>()
  const bodies = bodiesOf(options)

  function shape(sort: string, used: readonly string[], hasCursor: boolean) {
    const name = JSON.stringify([sort, used, hasCursor])
    const known = shapes.get(name)
    if (known) return known
    const made = compile(options, sort, used, hasCursor)
    if (shapes.size < keptShapes) shapes.set(name, made)
    return made
  }

  const present = options.present ?? ((body: string) => body)

  function valuesOf(given: Values, used: readonly string[]): Values {
    return Object.fromEntries(
      used.map((name) => {
        const convert = filters[name]?.value
        return [name, convert ? convert(given[name] as never) : given[name]]
      }),
    )
  }

  async function found(tx: ReadTx, asked: unknown, limit: number, parent: Values, moment: Values) {
    const given = asked as PageQuery & Record<string, unknown>
    const { cursor, sort, include_total } = given
    const used = Object.keys(filters).filter((name) => given[name] !== undefined)
    const scope = scopeOf([options.name, parent, sort, used.map((name) => [name, given[name]])])
    const position = cursor === undefined ? undefined : checked(decodeCursor(scope, cursor), sorts, sort)
    const { page, total } = shape(sort, used, position !== undefined)
    const own = { ...parent, ...moment, ...valuesOf(given, used), limit, key: position?.key, id: position?.id }
    const ask = (values: Values) =>
      Promise.all([page.run(tx, values), include_total ? total.run(tx, values) : undefined])
    let [places, counted] = await ask(own)
    // What was merged away has nothing left: only who finds nothing may have asked by its id.
    const survivors = places.length === 0 ? await survivorsOf(tx, filters, used, own) : undefined
    if (survivors) [places, counted] = await ask({ ...own, ...survivors })
    return { places, scope, total: counted && (counted[0]?.total ?? '0'), own }
  }

  async function read(tx: ReadTx, asked: unknown, parent: Values = {}, moment: Values = {}): Promise<Page> {
    const { limit } = asked as PageQuery
    const { places, scope, total, own } = await found(tx, asked, limit + 1, parent, moment)
    const more = places.length > limit
    if (more) places.length = limit
    const last = places.at(-1)
    const ids = places.map(({ id }) => id)
    const rows = ids.length > 0 ? await bodies.run(tx, { ...own, ids, keys: places.map(({ key }) => key) }) : []
    const byId = new Map(rows.map(({ id, body }) => [id, present(body)]))
    return {
      bodies: ids.flatMap((id) => byId.get(id) ?? []),
      next: more && last ? encodeCursor(scope, last) : null,
      total,
    }
  }

  const places: List['places'] = (tx, asked, limit, parent = {}, moment = {}) => found(tx, asked, limit, parent, moment)

  async function send(
    database: Database,
    request: FastifyRequest,
    reply: FastifyReply,
    parent: Values = {},
    moment: Values = {},
  ) {
    const page = await database.moment(principalOf(request), (tx) => read(tx, request.query, parent, moment))
    return sendPage(request, reply, page)
  }

  return { query, page: pageOf(options.item, `${idOf(options.item)}Page`), places, read, send }
}

/**
 * The representations of records that were found. Apart from finding them, which is planned anew for the values that are
 * asked for: to plan the representations along with it took a third of what Postgres did for a page. By id they keep
 * their plan.
 */
function bodiesOf({ view, foundBy }: ListOptions): Prepared<{ id: string; body: string }> {
  const ofTenant = view
    .where(sql.ref('r.tenant_id'), '=', tenantParam)
    .where(sql<boolean>`r.id = any(${param('ids')}::uuid[])`)
  const ofIds = foundBy ? ofTenant.where(foundBy) : ofTenant
  return prepare(sql`select v.id, row_to_json(v)::text as body from (${ofIds}) v`)
}

/** How records are found and counted by some of the filters, in one of the orders. */
interface Shape {
  page: Prepared<Place>
  total: Prepared<{ total: string }>
}

function compile(options: ListOptions, sort: string, used: readonly string[], hasCursor: boolean): Shape {
  const down = sort.startsWith('-')
  const chosen = options.sorts[down ? sort.slice(1) : sort]
  if (!chosen) throw new Error(`${options.name} has no sort ${sort}`)
  const direction = sql.raw(down ? 'desc' : 'asc')
  const conditions = [sql<boolean>`r.tenant_id = ${tenantParam}`]
  if (options.within) conditions.push(options.within)
  for (const name of used) {
    const filter = options.filters[name]
    if (filter) conditions.push(filter.where)
  }
  const all = sql<boolean>`${sql.join(conditions, sql` and `)}`
  const after = sql<boolean>`(${chosen.key}, r.id) ${sql.raw(down ? '<' : '>')}
    (${param('key')}::${sql.raw(chosen.type)}, ${param('id')}::uuid)`
  const isPlannedEachTime = options.isUneven || used.some((name) => options.filters[name]?.isUneven)
  const bare = options.view.clearSelect()
  return {
    page: prepare<Place>(
      bare
        .select([sql<string>`r.id`.as('id'), sql<string>`(${chosen.key})::text`.as('key')])
        .where(hasCursor ? sql<boolean>`${all} and ${after}` : all)
        .orderBy(sql`${chosen.key} ${direction}`)
        .orderBy(sql`r.id ${direction}`)
        .limit(param<number>('limit')),
      { isPlannedEachTime },
    ),
    total: prepare<{ total: string }>(bare.select(sql<string>`count(*)`.as('total')).where(all)),
  }
}

/** A cursor holds what Postgres wrote; one that was tampered with must not reach a cast. */
function checked(position: { key: string; id: string }, sorts: Record<string, SortKey>, sort: string) {
  const type = sorts[sort.replace(/^-/, '')]?.type
  const fits =
    type === 'text' ||
    (type === 'uuid' && isUuid(position.key)) ||
    (type === 'bigint' && /^\d{1,18}$/.test(position.key)) ||
    (type === 'date' && /^(infinity|\d{4,6}-\d{2}-\d{2})$/.test(position.key)) ||
    (type === 'timestamptz' && /^\d{4,6}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?\+00$/.test(position.key))
  if (!fits) throw invalid('This is not a cursor of this service. Take next_cursor from an answer as it is.')
  return position
}
