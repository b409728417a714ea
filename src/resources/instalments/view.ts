import { type RawBuilder, sql } from 'kysely'
import { compiler, param } from '../../db/prepared.ts'
import { measureJson } from '../../platform/measures.ts'
import type { View } from '../../platform/resource.ts'
import type { Instalment } from './schemas.ts'

/** Today where the partnership `p` is, at the instant that the list is asked for. */
const today = sql<string>`(${param('now')}::timestamptz at time zone p.time_zone)::date`

/** True for what should have been delivered by yesterday. */
export const isOverdue: RawBuilder<boolean> = sql`
  (r.state = 'scheduled' and not r.is_suspended and coalesce(r.due_on < ${today}, false))`

/** Of a part of a former plan it is kept how it stood when that went: figures of past days rest on it. */
const isSuspended = sql<boolean>`(r.is_suspended and r.superseded_on is null)`

const measure = (magnitude: RawBuilder<unknown>) => measureJson<never>(magnitude, 'c')

/** Row to wire: explicit, so that a new column never leaks. */
export const instalmentView: View<Instalment> = compiler
  .selectFrom('instalments as r')
  .innerJoin('commitments as c', (join) =>
    join.onRef('c.tenant_id', '=', 'r.tenant_id').onRef('c.id', '=', 'r.commitment_id'),
  )
  .innerJoin('partnerships as p', (join) =>
    join.onRef('p.tenant_id', '=', 'c.tenant_id').onRef('p.id', '=', 'c.partnership_id'),
  )
  .select((eb) => [
    'r.id',
    'r.version',
    'r.created_at',
    'r.updated_at',
    'c.partnership_id',
    'r.commitment_id',
    'r.seq',
    'r.due_on',
    'r.original_due_on',
    measure(sql`r.measure`).as('measure'),
    // In the digits of the measure, whatever was written.
    measure(sql`r.measure - r.measure + r.replaced`).as('replaced'),
    measure(sql`r.measure - r.measure + r.settled`).as('settled'),
    measure(sql`case when r.state = 'scheduled' then r.measure - r.replaced - r.settled
      else r.measure - r.measure end`).as('open'),
    eb.ref('r.state').$castTo<Instalment['state']>().as('state'),
    isSuspended.as('is_suspended'),
    isOverdue.as('is_overdue'),
    'r.superseded_on',
  ])
