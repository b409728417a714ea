import { type RawBuilder, sql } from 'kysely'
import { Problem } from '../../core/problem.ts'
import { isPartner, type ReadTx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import type { Sight } from '../../platform/visibility.ts'

/** How many sequences one answer looks at, at most: a filter that lets little through does not read the whole feed. */
const stretch = 10_000
/** Of each event the database asks whether the partner sees its record. */
const partnerStretch = 2000

const isSeen = sql`(${param('sees_all')}::boolean or e.resource_type = any(${param('readable')}::text[]))`

/** An event as this reader may see it; the table goes by the alias `e`. */
export const eventColumns = sql`e.sequence, e.id, e.type, e.resource_type, e.resource_id, e.version, e.changed, e.actor,
  e.request_id, e.occurred_at, case when ${isSeen} then e.representation end as data,
  case when not ${isSeen} then coalesce(${param('needed')}::json ->> e.resource_type, 'admin') end as needs_scope`

/** The values of `eventColumns`. */
export const sightValues = ({ seesAll, readable, needed }: Sight) => ({ sees_all: seesAll, readable, needed })

interface Row {
  latest: string
  oldest: string
  last: string | null
  count: string
  body: string
}

const bounds = sql`select c.event_sequence as latest, coalesce(
    (select sequence from events where tenant_id = ${tenantParam} order by sequence limit 1), c.event_sequence + 1
  ) as oldest
  from tenant_counters c where c.tenant_id = ${tenantParam}`

// One statement, one snapshot: the counter and the events agree.
const pageOf = (bounds: RawBuilder<unknown>, stretch: number) =>
  prepare<Row>(sql`
  with bounds as (${bounds}),
  found as (
    select ${eventColumns} from events e
    where e.tenant_id = ${tenantParam} and e.sequence > ${param('after')}::bigint
      and e.sequence <= ${param('after')}::bigint + ${sql.lit(stretch)}
      and (${param('types')}::text[] is null or e.type = any(${param('types')}::text[])
        or e.resource_type || '.*' = any(${param('types')}::text[]))
    order by e.sequence limit ${param('limit')}
  )
  select latest, oldest, (select max(sequence) from found) as last, (select count(*) from found) as count,
    coalesce((select string_agg(row_to_json(found)::text, ',' order by sequence) from found), '') as body
  from bounds`)

const page = pageOf(bounds, stretch)
// Of the events themselves a partner sees those alone that the policies of its role let through.
const partnerPage = pageOf(sql`select latest, oldest from partner_feed_bounds()`, partnerStretch)

export interface FeedQuestion {
  after: number
  limit: number
  types: readonly string[] | undefined
}

export interface FeedPage {
  isEmpty: boolean
  /** The position from which to go on. */
  nextAfter: number
  /** The answer, as JSON text. */
  body: string
}

/** A stretch of the feed. @throws Problem `gone` for a position that is no longer kept, or was never reached */
export async function feedPage(tx: ReadTx, sight: Sight, question: FeedQuestion): Promise<FeedPage> {
  const { after, limit, types } = question
  const [row] = await (isPartner(tx) ? partnerPage : page).run(tx, {
    ...sightValues(sight),
    after,
    limit,
    types: types ?? null,
  })
  if (!row) throw new Error('The tenant has no counter')
  const [latest, oldest, count] = [Number(row.latest), Number(row.oldest), Number(row.count)]
  checkPosition(after, oldest, latest)
  const nextAfter =
    count === limit ? Number(row.last) : Math.min(after + (isPartner(tx) ? partnerStretch : stretch), latest)
  return {
    isEmpty: count === 0,
    nextAfter,
    body: `{"data":[${row.body}],"next_after":${nextAfter},"latest":${latest}}`,
  }
}

/** @throws Problem `gone` where events after this position are missing */
export function checkPosition(after: number, oldest: number, latest: number): void {
  if (after + 1 >= oldest && after <= latest) return
  const what =
    after > latest
      ? `The feed ends at ${latest}: position ${after} was never reached here.`
      : `Events up to ${oldest - 1} are no longer kept.`
  const detail = `${what} Read the records anew, from an export or the lists, and go on with after=${latest}, which you take first.`
  throw new Problem('gone', detail, { members: { oldest_after: oldest - 1, latest } })
}
