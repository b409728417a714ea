import { sql } from 'kysely'
import type { ReadTx } from '../../db/database.ts'
import { prepare, tenantParam } from '../../db/prepared.ts'
import { figures } from './figures.ts'
import { sideSums, sides } from './sums.ts'

/** What both sides say of the reciprocity of `k`: the last round closed by the day that asked for it. */
const perceived = sql`(
  select json_build_object('evaluation_id', e.id, 'closed_on', (e.closed_at at time zone k.time_zone)::date, 'sides', (
    select json_agg(json_build_object('side', o.side, 'score', trim_scale(o.score)::text)
      order by array_position(array['company', 'non_profit', 'public', 'other'], o.side))
    from evaluation_scores o
    where o.tenant_id = e.tenant_id and o.evaluation_id = e.id and o.level = 'dimension' and o.code = 'reciprocity'))
  from evaluations e
  where e.tenant_id = ${tenantParam} and e.partnership_id = k.id and e.status in ('closed', 'concluded')
    and (e.closed_at at time zone k.time_zone)::date <= k.t
    and exists (
      select from evaluation_scores o where o.tenant_id = e.tenant_id and o.evaluation_id = e.id
        and o.level = 'dimension' and o.code = 'reciprocity')
  order by e.closed_at desc, e.id desc limit 1
)`

const sums = prepare<{ id: string; body: string }>(sql`
  with ${figures}, ${sideSums}, ${sides}
  select k.id, json_build_object('id', k.id, 'as_of', k.t, 'basis', k.basis, 'currency', k.currency,
    'sides', coalesce(s.sides, '{}'), 'sums', coalesce(v.sums, '[]'), 'perceived', ${perceived})::text as body
  from asked k
  left join sides s on s.partnership_id = k.id
  left join side_sums v on v.partnership_id = k.id`)

/**
 * The sums of partnerships by their ids, as JSON text for the answers to be made of: one statement, whatever their number.
 * @param question `now`, and where they are asked for `as_of`, `basis` and `currency`
 */
export async function sumsOf(
  tx: ReadTx,
  ids: readonly string[],
  question: Readonly<Record<string, unknown>>,
): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await sums.run(tx, { ...question, ids })
  return new Map(rows.map(({ id, body }) => [id, body]))
}
