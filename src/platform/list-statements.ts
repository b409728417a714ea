import { type RawBuilder, sql } from 'kysely'
import type { TSchema } from 'typebox'
import { type Prepared, param, prepare, tenantParam } from '../db/prepared.ts'
import type { DB } from '../db/rows.ts'
import { type AnyResource, columnsOf, sourceOf, type View } from './resource.ts'

// What a list is made of, and the statements that it comes to: one that finds records, one that counts them, and one
// that shows those that were found.

/** How a sort key is compared: its SQL on the alias `r` (never null), its Postgres type, and the form of its text. */
export interface SortKey {
  key: RawBuilder<unknown>
  type: 'timestamptz' | 'text' | 'date' | 'bigint' | 'uuid'
  /** True where it never changes of a record. */
  isFixed?: boolean
}

/** What a filter does with the value of its parameter; the parameter's value reaches SQL under the filter's own name. */
export interface Filter {
  schema: TSchema
  where: RawBuilder<boolean>
  /** The same for partners, where what they are shown is not what stands in the row. */
  whereByPartner?: RawBuilder<boolean>
  /** True where it lets very different numbers of rows through, so that the plan has to fit the value. */
  isUneven?: boolean
  /** The value as SQL takes it, where that differs from the one on the wire. */
  value?: (given: never) => unknown
  /** The table of the record whose id is its value, where records of it are merged: an id that went stands for its survivor. */
  names?: keyof DB
  /** True where whether it lets a record through never changes. */
  isFixed?: boolean
  /** True where it looks at other records, which change by themselves. */
  isOfOthers?: boolean
}

/** What a list shows: records of a kind, as they are shown one by one. */
interface OfKind {
  of: AnyResource
  view?: never
  present?: never
}

/** What a list shows: rows of a view of its own, read anew each time. */
interface OfView {
  of?: never
  view: View<unknown>
  /** Makes the representation of what Postgres gathered, where that is more than rows: JSON text to JSON text. */
  present?: (body: string) => string
}

export type ListOptions = (OfKind | OfView) & {
  /** The name of the list; with it, the list of one parent is told apart from another's. */
  name: string
  item: TSchema
  sorts: Record<string, SortKey>
  filters: Record<string, Filter>
  defaultSort: string
  /** Narrows the list to one parent; its values are given at each call. */
  within?: RawBuilder<boolean>
  /** True where that lets very different numbers of rows through. */
  isUneven?: boolean
  /** What finds records beside their `ids`, where no index begins with those; `keys` are their places by the sort. */
  foundBy?: RawBuilder<boolean>
}

const viewOf = (options: ListOptions): View<unknown> => (options.of ? options.of.view : options.view)

/** A record of a list, and its place by the sort. */
export interface Place {
  id: string
  key: string
  /** Says which state of the record it is, where representations of its kind are kept. */
  stamp?: string
}

/**
 * The representations of records that were found. Apart from finding them, which is planned anew for the values that are
 * asked for: to plan the representations along with it took a third of what Postgres did for a page. By id they keep
 * their plan.
 */
export function bodiesOf(options: ListOptions): Prepared<{ id: string; body: string }> {
  const { foundBy } = options
  const ofTenant = viewOf(options)
    .where(sql.ref('r.tenant_id'), '=', tenantParam)
    .where(sql<boolean>`r.id = any(${param('ids')}::uuid[])`)
  const ofIds = foundBy ? ofTenant.where(foundBy) : ofTenant
  return prepare(sql`select v.id, row_to_json(v)::text as body from (${ofIds}) v`)
}

/** How records are found and counted by some of the filters, in one of the orders. */
export interface Shape {
  page: Prepared<Place>
  total: Prepared<{ total: string }>
}

/** What a page is asked with that makes another statement of it. */
export interface Asked {
  sort: string
  /** The names of the filters that are given. */
  used: readonly string[]
  hasCursor: boolean
  isByPartner: boolean
}

export function shapeOf(options: ListOptions, { sort, used, hasCursor, isByPartner }: Asked): Shape {
  const down = sort.startsWith('-')
  const chosen = options.sorts[down ? sort.slice(1) : sort]
  if (!chosen) throw new Error(`${options.name} has no sort ${sort}`)
  const direction = sql.raw(down ? 'desc' : 'asc')
  const conditions = [sql<boolean>`r.tenant_id = ${tenantParam}`]
  if (options.within) conditions.push(options.within)
  const filters = used.flatMap((name) => options.filters[name] ?? [])
  for (const { where, whereByPartner } of filters) conditions.push((isByPartner && whereByPartner) || where)
  const changing = filters.filter(({ isFixed }) => !isFixed)
  if (isByPartner && (changing.length > 0 || !chosen.isFixed)) conditions.push(...unchanged(options, changing))
  const all = sql<boolean>`${sql.join(conditions, sql` and `)}`
  const after = sql<boolean>`(${chosen.key}, r.id) ${sql.raw(down ? '<' : '>')}
    (${param('key')}::${sql.raw(chosen.type)}, ${param('id')}::uuid)`
  const isPlannedEachTime = options.isUneven || filters.some(({ isUneven }) => isUneven)
  const bare = viewOf(options).clearSelect()
  const { keeping } = options.of ?? {}
  return {
    page: prepare<Place>(
      bare
        .select([
          sql<string>`r.id`.as('id'),
          sql<string>`(${chosen.key})::text`.as('key'),
          ...(keeping ? [keeping.stamp.as('stamp')] : []),
        ])
        .where(hasCursor ? sql<boolean>`${all} and ${after}` : all)
        .orderBy(sql`${chosen.key} ${direction}`)
        .orderBy(sql`r.id ${direction}`)
        .limit(param<number>('limit')),
      { isPlannedEachTime },
    ),
    total: prepare<{ total: string }>(bare.select(sql<string>`count(*)`.as('total')).where(all)),
  }
}

/**
 * What a partner has left is shown as it was then, so it is not found by what it became: only where it has not changed
 * since, and by other records not at all.
 */
function unchanged(options: ListOptions, filters: readonly Filter[]): RawBuilder<boolean>[] {
  const view = viewOf(options)
  if (!columnsOf(view).includes('updated_at')) return []
  const [partnership, commitment] = [sourceOf(view, 'partnership_id'), sourceOf(view, 'commitment_id')]
  const subject = sql`coalesce(${sql.join([
    ...(partnership ? [sql.ref(partnership)] : []),
    ...(commitment ? [partnershipOf(sql.ref(commitment))] : []),
    sql`r.id`,
  ])})`
  const isKept = sql<boolean>`${subject} <> all ((select partner_left())::uuid[])`
  if (filters.some(({ isOfOthers }) => isOfOthers)) return [isKept]
  return [sql`(${isKept} or r.updated_at < partner_horizon(${subject}))`]
}

const partnershipOf = (commitment: RawBuilder<unknown>) => sql`(
  select c.partnership_id from commitments c where c.tenant_id = ${tenantParam} and c.id = ${commitment})`
