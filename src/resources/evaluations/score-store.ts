import { sql } from 'kysely'
import type { ReadTx, Tx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import type { EvaluationKind } from './schemas.ts'
import type { ScoreRow } from './scoring.ts'

/** Freezes the scores of a round: written once, in the order in which they are read. */
export async function scoresInsert(tx: Tx, evaluationId: string, rows: readonly ScoreRow[]): Promise<void> {
  if (rows.length === 0) return
  await tx.db
    .insertInto('evaluation_scores')
    .values(rows.map((row, position) => ({ tenant_id: tx.tenantId, evaluation_id: evaluationId, position, ...row })))
    .execute()
}

export async function scoresRead(tx: ReadTx, evaluationId: string): Promise<ScoreRow[]> {
  const rows = await tx.db
    .selectFrom('evaluation_scores')
    .select(['side', 'level', 'code', 'dimension', 'n', 'score', 'spread', 'suppression_reason'])
    .where('tenant_id', '=', tx.tenantId)
    .where('evaluation_id', '=', evaluationId)
    .orderBy('position')
    .execute()
  return rows as ScoreRow[]
}

interface EarlierRound {
  evaluation_id: string
  kind: EvaluationKind
  template_version: number
  period_from: string
  period_to: string
  closed_at: string
  scores: ScoreRow[]
}

const earlier = prepare<{ rounds: EarlierRound[] }>(sql`
  select coalesce(json_agg(x), '[]') as rounds from (
    select e.id as evaluation_id, e.kind, e.template_version, e.period_from, e.period_to, e.closed_at, (
      select coalesce(json_agg(json_build_object('side', s.side, 'level', s.level, 'code', s.code,
        'dimension', s.dimension, 'n', s.n, 'score', s.score::text, 'spread', s.spread::text,
        'suppression_reason', s.suppression_reason) order by s.position), '[]')
      from evaluation_scores s where s.tenant_id = e.tenant_id and s.evaluation_id = e.id) as scores
    from evaluations r join lateral (
      select * from evaluations p where p.tenant_id = r.tenant_id and p.partnership_id = r.partnership_id
      union all
      select * from evaluations o where o.tenant_id = r.tenant_id and o.organisation_id = r.organisation_id
    ) e on e.template_code = r.template_code and e.response_mode = r.response_mode
    where r.tenant_id = ${tenantParam} and r.id = ${param('id')}::uuid and e.status in ('closed', 'concluded')
      and (e.closed_at, e.id) < (r.closed_at, r.id)
    order by e.closed_at desc, e.id desc limit 5) x`)

/** The rounds of the same subject, template and mode that were closed before this one, the latest first; five at most. */
export async function earlierRounds(tx: ReadTx, { id }: { id: string }): Promise<EarlierRound[]> {
  const [row] = await earlier.run(tx, { id })
  return row?.rounds ?? []
}
