import { sql } from 'kysely'
import { compiler, param, prepare, tenantParam } from '../../db/prepared.ts'
import type { View } from '../../platform/resource.ts'
import type { Gathered } from './answers.ts'
import { perceived, questions } from './store.ts'
import { sideSums, sidesOf } from './sums.ts'

/** The sums of a partnership, for a page and for one alike: one statement, whatever their number. */
export const sumsView: View<Gathered> = compiler
  .selectFrom('partnerships as r')
  .innerJoin(questions.as('k'), (join) => join.onTrue())
  .select([
    'r.id',
    sql.ref<string>('k.t').as('as_of'),
    sql.ref<string>('k.basis').as('basis'),
    sql.ref<string>('k.currency').as('currency'),
    sidesOf.as('sides'),
    sideSums.as('sums'),
    perceived.as('perceived'),
  ])

/** The sums of one partnership, as JSON. */
export const sumsOfOne = prepare<{ body: string }>(sql`
  select row_to_json(v)::text as body
  from (${sumsView.where(sql.ref('r.tenant_id'), '=', tenantParam).where(sql.ref('r.id'), '=', param<string>('id'))}) v`)
