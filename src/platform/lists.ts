import type { FastifyReply, FastifyRequest } from 'fastify'
import { type IdentifierNode, type RawBuilder, sql } from 'kysely'
import { type TSchema, Type } from 'typebox'
import { decodeCursor, encodeCursor, invalid, scopeOf } from '../core/cursor.ts'
import { codes, idOf, instant, pageOf } from '../core/schemas.ts'
import type { Database, ReadTx } from '../db/database.ts'
import { type Prepared, param, prepare, tenantParam } from '../db/prepared.ts'
import { principalOf } from './auth.ts'
import type { View } from './resource.ts'

/** How a sort key is compared: its SQL on the alias `r` (never null), its Postgres type, and the form of its text. */
export interface SortKey {
  key: RawBuilder<unknown>
  type: 'timestamptz' | 'text' | 'date' | 'bigint'
}

export const byInstant = (column: string): SortKey => ({ key: sql.ref(`r.${column}`), type: 'timestamptz' })
export const byText = (column: string): SortKey => ({ key: sql.ref(`r.${column}`), type: 'text' })
export const byNumber = (column: string): SortKey => ({ key: sql.ref(`r.${column}`), type: 'bigint' })
/** Dates that may be missing sort last, as if they never came. */
export const byDate = (column: string): SortKey => ({
  key: sql`coalesce(${sql.ref(`r.${column}`)}, 'infinity'::date)`,
  type: 'date',
})

/** What a filter does with the value of its parameter; the parameter's value reaches SQL under the filter's own name. */
export interface Filter {
  schema: TSchema
  where: RawBuilder<boolean>
  /** The value as SQL takes it, where that differs from the one on the wire. */
  value?: (given: never) => unknown
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
  /** Makes the representation of what Postgres gathered, where that is more than rows: JSON text to JSON text. */
  present?: (body: string) => string
}

interface Row {
  id: string
  key: string
  body: string
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
  const shapes = new Map<string, { page: Prepared<Row>; total: Prepared<{ total: string }> }>()

  function shape(sort: string, used: readonly string[], hasCursor: boolean) {
    const name = JSON.stringify([sort, used, hasCursor])
    const known = shapes.get(name)
    if (known) return known
    const made = compile(options, sort, used, hasCursor)
    if (shapes.size < keptShapes) shapes.set(name, made)
    return made
  }

  async function send(
    database: Database,
    request: FastifyRequest,
    reply: FastifyReply,
    parent: Values = {},
    moment: Values = {},
  ) {
    const given = request.query as PageQuery & Record<string, unknown>
    const { limit, cursor, sort, include_total } = given
    const used = Object.keys(filters).filter((name) => given[name] !== undefined)
    const scope = scopeOf([options.name, parent, sort, used.map((name) => [name, given[name]])])
    const position = cursor === undefined ? undefined : checked(decodeCursor(scope, cursor), sorts, sort)
    const { page, total } = shape(sort, used, position !== undefined)
    const values: Record<string, unknown> = {
      ...parent,
      ...moment,
      limit: limit + 1,
      key: position?.key,
      id: position?.id,
    }
    for (const name of used) {
      const convert = filters[name]?.value
      values[name] = convert ? convert(given[name] as never) : given[name]
    }
    const [rows, counted] = await database.read(principalOf(request), (tx: ReadTx) =>
      Promise.all([page.run(tx, values), include_total ? total.run(tx, values) : undefined]),
    )
    const more = rows.length > limit
    if (more) rows.length = limit
    const last = rows.at(-1)
    const next = more && last ? encodeCursor(scope, last) : null
    if (next !== null) reply.header('link', `<${nextAddress(request.url, next)}>; rel="next"`)
    const tail = counted ? `,"total":${counted[0]?.total ?? 0}` : ''
    const present = options.present
    const data = rows.map(({ body }) => (present ? present(body) : body)).join(',')
    return reply
      .type('application/json; charset=utf-8')
      .send(`{"data":[${data}],"next_cursor":${next === null ? 'null' : `"${next}"`}${tail}}`)
  }

  return { query, page: pageOf(options.item, `${idOf(options.item)}Page`), send }
}

function compile(options: ListOptions, sort: string, used: readonly string[], hasCursor: boolean) {
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
  const rows = options.view
    .select(sql<string>`(${chosen.key})::text`.as('sort_key'))
    .where(hasCursor ? sql<boolean>`${all} and ${after}` : all)
    .orderBy(sql`${chosen.key} ${direction}`)
    .orderBy(sql`r.id ${direction}`)
    .limit(param<number>('limit'))
  const columns = columnsOf(options.view).map((name) => sql.ref(`w.${name}`))
  return {
    // The sort key travels beside the representation: the lateral row is the view without it, and costs nothing.
    page: prepare<Row>(sql`
      select w.id, w.sort_key as key, row_to_json(v)::text as body
      from (${rows}) w cross join lateral (select ${sql.join(columns)}) v`),
    total: prepare<{ total: string }>(options.view.clearSelect().select(sql<string>`count(*)`.as('total')).where(all)),
  }
}

/** The names of a view's columns, in their order on the wire. */
function columnsOf(view: View<unknown>): string[] {
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

/** A cursor holds what Postgres wrote; one that was tampered with must not reach a cast. */
function checked(position: { key: string; id: string }, sorts: Record<string, SortKey>, sort: string) {
  const type = sorts[sort.replace(/^-/, '')]?.type
  const fits =
    type === 'text' ||
    (type === 'bigint' && /^\d{1,18}$/.test(position.key)) ||
    (type === 'date' && /^(infinity|\d{4,6}-\d{2}-\d{2})$/.test(position.key)) ||
    (type === 'timestamptz' && /^\d{4,6}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?\+00$/.test(position.key))
  if (!fits) throw invalid('This is not a cursor of this service. Take next_cursor from an answer as it is.')
  return position
}

function nextAddress(url: string, cursor: string): string {
  const [path, search = ''] = url.split('?')
  const parameters = new URLSearchParams(search)
  parameters.set('cursor', cursor)
  return `${path}?${parameters}`
}
