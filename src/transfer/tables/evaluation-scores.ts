import { sql } from 'kysely'
import { instant, uuid } from '../../core/schemas.ts'
import { compiler, param } from '../../db/prepared.ts'
import { type Filter, someOf } from '../../platform/lists.ts'
import { ofOrganisation } from '../../resources/evaluations/of-organisation.ts'
import { evaluationKinds, responseModes } from '../../resources/evaluations/schemas.ts'
import { scoreLevels, suppressionReasons } from '../../resources/evaluations/score-schemas.ts'
import { sides } from '../../resources/partnerships/schemas.ts'
import { defineTable } from '../table.ts'
import { evaluationUnit, within } from '../touched.ts'

/** The states of a round whose scores exist: frozen at closing, and blind before. */
const shownStatuses = ['closed', 'concluded'] as const

/** The scores of rounds by the alias `r`, their rounds by the alias `e`. */
export const scoresSource = compiler.selectFrom('evaluation_scores as r').innerJoin('evaluations as e', (join) =>
  join
    .onRef('e.tenant_id', '=', 'r.tenant_id')
    .onRef('e.id', '=', 'r.evaluation_id')
    .on('e.status', 'in', [sql.lit('closed'), sql.lit('concluded')]),
)

/** What narrows rounds by the alias `e`. */
export const roundFilters = {
  status: { schema: someOf(shownStatuses), where: sql<boolean>`e.status = any(${param('status')}::text[])` },
  kind: { schema: someOf(evaluationKinds), where: sql<boolean>`e.kind = any(${param('kind')}::text[])` },
  partnership_id: { schema: uuid(), where: sql<boolean>`e.partnership_id = ${param('partnership_id')}::uuid` },
  organisation_id: ofOrganisation('evaluations', 'e.id'),
  closed_since: {
    schema: instant({ description: 'Rounds closed at this instant or later' }),
    where: sql<boolean>`e.closed_at >= ${param('closed_since')}::timestamptz`,
  },
  closed_before: {
    schema: instant({ description: 'Rounds closed before this instant' }),
    where: sql<boolean>`e.closed_at < ${param('closed_before')}::timestamptz`,
  },
} satisfies Record<string, Filter>

export const levelFilter = (levels: readonly string[]): Filter => ({
  schema: someOf(levels),
  where: sql`r.level = any(${param('level')}::text[])`,
})
export const scoreLevelFilter = levelFilter(scoreLevels)

/** The analysts' main table: what each side of each round finds. */
export const evaluationScoresTable = defineTable(scoresSource, {
  name: 'evaluation_scores',
  rowName: 'ExportedEvaluationScore',
  grain: 'closed round, side and overall, dimension or item',
  notes:
    'Only closed and concluded rounds have scores, frozen at closing. A row whose score is null stays: nobody of that ' +
    'side answered, or it is withheld and suppression_reason says why. Compare sides by joining rows of one evaluation_id, level and code.',
  key: ['evaluation_id', 'level', 'code', 'side'],
  unit: within('evaluation_id', evaluationUnit),
  columns: {
    evaluation_id: {
      type: 'uuid',
      meaning: 'The round',
      references: { table: 'evaluations', column: 'id' },
      value: 'r.evaluation_id',
    },
    partnership_id: {
      type: 'uuid',
      meaning: 'The partnership that was judged; null in a readiness round',
      references: { table: 'partnerships', column: 'id' },
      isNullable: true,
      value: 'e.partnership_id',
    },
    kind: { type: 'code', codes: evaluationKinds, meaning: 'Why the round was held', value: 'e.kind' },
    status: {
      type: 'code',
      codes: shownStatuses,
      meaning: 'Whether decisions were drawn from the round yet',
      value: 'e.status',
    },
    template_code: { type: 'text', meaning: 'The questionnaire', value: 'e.template_code' },
    template_version: { type: 'integer', meaning: 'Its version', value: 'e.template_version' },
    period_from: { type: 'date', meaning: 'First day of the period that was judged', value: 'e.period_from' },
    period_to: { type: 'date', meaning: 'Last day of it', value: 'e.period_to' },
    closed_at: { type: 'instant', meaning: 'When answers closed and scores were frozen', value: 'e.closed_at' },
    side: {
      type: 'code',
      codes: sides,
      meaning: 'Whose judgement it is; of an organisation that judges itself by its sector',
      value: 'r.side',
    },
    level: {
      type: 'code',
      codes: scoreLevels,
      meaning: 'Whether the row is of the whole, of a dimension, of an item or of an item that predicts the other side',
      value: 'r.level',
    },
    dimension: {
      type: 'text',
      meaning: 'The dimension, also of an item; null for the whole',
      isNullable: true,
      value: 'r.dimension',
    },
    code: {
      type: 'text',
      meaning: 'The item or dimension in the questionnaire; overall for the whole',
      value: 'r.code',
    },
    position: { type: 'integer', meaning: 'The order of the row within its round, from 0', value: 'r.position' },
    n: {
      type: 'integer',
      unit: 'respondents',
      meaning: 'How many of the side the score rests on; null where it is withheld',
      isNullable: true,
      value: 'r.n',
    },
    score: {
      type: 'decimal',
      digits: 3,
      unit: 'points, 0 to 100, higher is better',
      meaning: 'What the side finds; null where nobody answered, and where it is withheld',
      isNullable: true,
      value: 'r.score',
    },
    spread: {
      type: 'decimal',
      unit: 'points',
      meaning:
        'The standard deviation of those who count in it, taken as all there are; null of the overall, of fewer than two, and ' +
        'where it is withheld',
      isNullable: true,
      value: 'r.spread',
    },
    suppression_reason: {
      type: 'code',
      codes: suppressionReasons,
      meaning: 'Why n, score and spread are withheld; null where they are not',
      isNullable: true,
      value: 'r.suppression_reason',
    },
    response_mode: {
      type: 'code',
      codes: responseModes,
      meaning: 'Whether parties answered in their own name or persons did',
      value: 'e.response_mode',
    },
    organisation_id: {
      type: 'uuid',
      meaning: 'The organisation that judged itself; null but in a readiness round',
      references: { table: 'organisations', column: 'id' },
      isNullable: true,
      value: 'e.organisation_id',
    },
  },
  filters: {
    ...roundFilters,
    level: scoreLevelFilter,
  },
})
