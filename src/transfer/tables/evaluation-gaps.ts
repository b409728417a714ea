import { sql } from 'kysely'
import { compiler } from '../../db/prepared.ts'
import { gapLevels, suppressionReasons } from '../../resources/evaluations/score-schemas.ts'
import { gapThreshold } from '../../resources/evaluations/scoring.ts'
import { sides } from '../../resources/partnerships/schemas.ts'
import { codeColumn, evaluationKey, optional, partnershipKey } from '../columns.ts'
import { defineTable } from '../table.ts'
import { evaluationUnit, within } from '../touched.ts'
import { levelFilter, roundFilters } from './evaluation-scores.ts'

const order = (side: string) => sql`array_position(${sql.lit(`{${sides.join(',')}}`)}::text[], ${sql.ref(side)})`

/** Pairs of scores by the aliases `r` and `o`, their rounds by the alias `e`. */
export const gapsSource = compiler
  .selectFrom('evaluation_scores as r')
  .innerJoin('evaluation_scores as o', (join) =>
    join
      .onRef('o.tenant_id', '=', 'r.tenant_id')
      .onRef('o.evaluation_id', '=', 'r.evaluation_id')
      .onRef('o.level', '=', 'r.level')
      .onRef('o.code', '=', 'r.code')
      .on(sql<boolean>`${order('r.side')} < ${order('o.side')}`),
  )
  .where('r.level', '<>', 'prediction')
  .innerJoin('evaluations as e', (join) =>
    join
      .onRef('e.tenant_id', '=', 'r.tenant_id')
      .onRef('e.id', '=', 'r.evaluation_id')
      .on('e.status', 'in', [sql.lit('closed'), sql.lit('concluded')]),
  )

export const gapLevelFilter = levelFilter(gapLevels)

/** How far two sides are apart. */
export const evaluationGapsTable = defineTable(gapsSource, {
  name: 'evaluation_gaps',
  rowName: 'ExportedEvaluationGap',
  grain: 'closed round, pair of sides and overall, dimension or item',
  notes:
    'Only closed and concluded rounds of partnerships have gaps. A row whose gap is null stays: one of the two sides has no score.',
  key: ['evaluation_id', 'level', 'code', 'first_side', 'second_side'],
  unit: within('evaluation_id', evaluationUnit),
  columns: {
    evaluation_id: evaluationKey('The round'),
    partnership_id: partnershipKey('The partnership that was judged', { value: sql.ref('e.partnership_id') }),
    first_side: codeColumn(sides, 'The side from whose score that of the other is taken', { value: sql.ref('r.side') }),
    second_side: codeColumn(sides, 'The other side', { value: sql.ref('o.side') }),
    level: codeColumn(gapLevels, 'Whether the row is of the whole, of a dimension or of an item'),
    code: { type: 'text', meaning: 'The item or dimension in the questionnaire; overall for the whole' },
    position: { type: 'integer', meaning: 'The order of the row within its round, from 0' },
    gap: {
      type: 'decimal',
      unit: 'points',
      isSigned: true,
      digits: 3,
      meaning: 'The score of the first side less that of the second; null where one of them is null',
      ...optional,
      value: sql`trim_scale(r.score - o.score)`,
    },
    is_flagged: {
      type: 'boolean',
      meaning: `Whether its size reaches ${gapThreshold} points`,
      value: sql`coalesce(abs(r.score - o.score) >= ${sql.lit(Number(gapThreshold))}, false)`,
    },
    suppression_reason: codeColumn(suppressionReasons, 'Why one of the two scores is withheld; null where neither is', {
      ...optional,
      value: sql`coalesce(r.suppression_reason, o.suppression_reason)`,
    }),
  },
  filters: {
    ...roundFilters,
    level: gapLevelFilter,
  },
})
