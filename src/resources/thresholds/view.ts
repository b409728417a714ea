import { sql } from 'kysely'
import { compiler } from '../../db/prepared.ts'
import { defineResource, type View } from '../../platform/resource.ts'
import { standardThresholds, type Thresholds, thresholdNames } from './schemas.ts'

const sinceSet = (column: string) => sql`case when r.version > 0 then ${sql.ref(column)} end`

/** Row to wire: what a tenant has not set is as the service has it. */
const view = compiler
  .selectFrom('thresholds as r')
  .select([sinceSet('r.id').as('id'), 'r.version', sinceSet('r.updated_at').as('updated_at')])
  .select(
    thresholdNames.map((name) =>
      sql<number>`coalesce(${sql.ref(`r.${name}`)}, ${sql.lit(standardThresholds[name])})`.as(name),
    ),
  ) as View<Thresholds & { id: string }>

export const thresholdsResource = defineResource<Thresholds & { id: string }>({
  type: 'thresholds',
  path: 'thresholds',
  table: 'thresholds',
  view,
})
