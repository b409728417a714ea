import type { FastifyReply, FastifyRequest } from 'fastify'
import { sql } from 'kysely'
import { type TSchema, Type } from 'typebox'
import { decodeCursor, encodeCursor, invalid, scopeOf } from '../core/cursor.ts'
import { isUuid } from '../core/ids.ts'
import { codes, idOf, instant, pageOf, uuid } from '../core/schemas.ts'
import { containing } from '../core/text.ts'
import { type Database, isPartner, type ReadTx } from '../db/database.ts'
import { param, tenantParam } from '../db/prepared.ts'
import { principalOf } from './auth.ts'
import {
  type Asked,
  bodiesOf,
  type Filter,
  type ListOptions,
  type Place,
  type Shape,
  type SortKey,
  shapeOf,
} from './list-statements.ts'
import { survivorsOf } from './merged.ts'
import { type Page, sendPage } from './pages.ts'

export type { Filter, SortKey }

export const byInstant = (column: string): SortKey => ({
  key: sql.ref(`r.${column}`),
  type: 'timestamptz',
  isFixed: column === 'created_at',
})
export const byText = (column: string): SortKey => ({ key: sql.ref(`r.${column}`), type: 'text' })
export const byNumber = (column: string): SortKey => ({ key: sql.ref(`r.${column}`), type: 'bigint' })
/** Records in the order in which they were made, to which their ids grow. */
export const byId: SortKey = { key: sql.ref('r.id'), type: 'uuid', isFixed: true }
/** Dates that may be missing sort last, as if they never came. */
export const byDate = (column: string): SortKey => ({
  key: sql`coalesce(${sql.ref(`r.${column}`)}, 'infinity'::date)`,
  type: 'date',
})

/** One or more codes of a closed list: the parameter of a filter. */
export const someOf = (values: readonly string[]) =>
  Type.Array(codes(values), { minItems: 1, maxItems: 50, description: 'One or more, with commas' })

/** Rows in whose texts something stands: the parameter `q`. */
export const searched = (description: string): Filter => ({
  schema: Type.String({ minLength: 1, maxLength: 200, description }),
  where: sql`r.search_text like ${param('q')}`,
  value: containing,
})

/** Rows whose column is one of the codes given: `status=active,paused`. */
export const oneOf = (name: string, values: readonly string[], column = name): Filter => ({
  schema: someOf(values),
  where: sql`${sql.ref(`r.${column}`)} = any(${param(name)}::text[])`,
})

/** Records of the one that they belong to: `partnership_id=…`. */
export const belongingTo = (column: string): Filter => ({
  schema: uuid(),
  where: sql`${sql.ref(`r.${column}`)} = ${param(column)}::uuid`,
  isFixed: true,
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

/** Places, and what a cursor after one of them is bound to. */
export interface Places {
  places: Place[]
  scope: string
  total: string | undefined
}

/** The ids of the records of a page, in its order. */
export interface PageOfIds extends Omit<Page, 'bodies'> {
  ids: string[]
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
  /** The places after the cursor of the query, at most `limit`, for what looks at all of them. */
  places(tx: ReadTx, query: unknown, limit: number, values?: Values, moment?: Values): Promise<Places>
  /** Which records are on a page, for what shows them by itself. `values` and `moment` are as for `read`. */
  ids(tx: ReadTx, query: unknown, values?: Values, moment?: Values): Promise<PageOfIds>
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
  const { keeping } = options.of ?? {}

  function shape(asked: Asked) {
    const name = JSON.stringify(asked)
    const known = shapes.get(name)
    if (known) return known
    const made = shapeOf(options, asked)
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
    const { page, total } = shape({ sort, used, hasCursor: position !== undefined, isByPartner: isPartner(tx) })
    const own = { ...parent, ...moment, ...valuesOf(given, used), limit, key: position?.key, id: position?.id }
    const ask = (values: Values) =>
      Promise.all([page.run(tx, values), include_total ? total.run(tx, values) : undefined])
    let [places, counted] = await ask(own)
    // What was merged away has nothing left: only who finds nothing may have asked by its id.
    const survivors = places.length === 0 ? await survivorsOf(tx, filters, used, own) : undefined
    if (survivors) [places, counted] = await ask({ ...own, ...survivors })
    return { places, scope, total: counted && (counted[0]?.total ?? '0'), own }
  }

  async function page(tx: ReadTx, asked: unknown, parent: Values, moment: Values) {
    const { limit } = asked as PageQuery
    const { places, scope, total, own } = await found(tx, asked, limit + 1, parent, moment)
    const more = places.length > limit
    if (more) places.length = limit
    const last = places.at(-1)
    return { places, next: more && last ? encodeCursor(scope, last) : null, total, own }
  }

  async function ids(tx: ReadTx, asked: unknown, parent: Values = {}, moment: Values = {}): Promise<PageOfIds> {
    const { places, next, total } = await page(tx, asked, parent, moment)
    return { ids: places.map(({ id }) => id), next, total }
  }

  async function read(tx: ReadTx, asked: unknown, parent: Values = {}, moment: Values = {}): Promise<Page> {
    const { places, next, total, own } = await page(tx, asked, parent, moment)
    const { kept } = tx
    const nameOf = ({ id }: Place) => keeping?.nameOf(tx.tenantId, id) ?? id
    const byId = new Map<string, string>()
    const unknown = places.filter((place) => {
      const body = place.stamp === undefined ? undefined : kept?.get(nameOf(place), place.stamp)
      if (body !== undefined) byId.set(place.id, body)
      return body === undefined
    })
    const [ids, keys] = [unknown.map(({ id }) => id), unknown.map(({ key }) => key)]
    const rows = ids.length > 0 ? await bodies.run(tx, { ...own, ids, keys }) : []
    for (const { id, body } of rows) byId.set(id, present(body))
    for (const place of unknown) {
      const body = byId.get(place.id)
      if (kept && place.stamp !== undefined && body !== undefined) kept.set(nameOf(place), place.stamp, body)
    }
    return { bodies: places.flatMap(({ id }) => byId.get(id) ?? []), next, total }
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

  return { query, page: pageOf(options.item, `${idOf(options.item)}Page`), places, ids, read, send }
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
