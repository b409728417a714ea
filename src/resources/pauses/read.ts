import { type ExpressionBuilder, type RawBuilder, sql } from 'kysely'
import { jsonObjectFrom } from 'kysely/helpers/postgres'
import { Type } from 'typebox'
import { uuid } from '../../core/schemas.ts'
import type { ReadTx } from '../../db/database.ts'
import { compiler, param } from '../../db/prepared.ts'
import type { DB } from '../../db/rows.ts'
import { byDate, byInstant, defineList, oneOf } from '../../platform/lists.ts'
import type { PauseScope } from './rules.ts'
import { Pause, pauseReasons } from './schemas.ts'

/** The columns of a pause on the wire, of the table by the alias given. */
export const pauseColumns = <A extends string>(alias: A) =>
  [
    `${alias}.id`,
    `${alias}.version`,
    `${alias}.created_at`,
    `${alias}.updated_at`,
    `${alias}.partnership_id`,
    `${alias}.commitment_id`,
    `${alias}.starts_on`,
    `${alias}.planned_resume_on`,
    `${alias}.review_on`,
    `${alias}.resumed_on`,
    `${alias}.reason`,
    `${alias}.initiated_by_party_id`,
    `${alias}.on_behalf_of_party_id`,
    `${alias}.disruption_id`,
    `${alias}.note`,
    `${alias}.schedule_effect`,
  ] as const

/** The `pause` member of a view over `r`: the open pause of that partnership (or commitment), else null. */
// biome-ignore lint/suspicious/noExplicitAny: called from views over partnerships and over commitments.
export const openPauseOf = (eb: ExpressionBuilder<any, any>, of: 'partnership' | 'commitment') =>
  jsonObjectFrom(
    (eb as unknown as ExpressionBuilder<DB, never>)
      .selectFrom('pauses as p')
      .select(pauseColumns('p'))
      .where('p.tenant_id', '=', sql.ref<string>('r.tenant_id'))
      .where(
        of === 'partnership'
          ? sql<boolean>`p.partnership_id = r.id and coalesce(p.commitment_id, p.partnership_id) = r.id`
          : sql<boolean>`p.partnership_id = r.partnership_id and coalesce(p.commitment_id, p.partnership_id) = r.id`,
      )
      .where('p.resumed_on', 'is', null),
  ).$castTo<Pause | null>()

const ofScope = (name: string, within: RawBuilder<boolean>) =>
  defineList({
    name,
    item: Pause,
    view: compiler.selectFrom('pauses as r').select(pauseColumns('r')),
    sorts: { starts_on: { ...byDate('starts_on'), isFixed: true }, created_at: byInstant('created_at') },
    defaultSort: 'starts_on',
    filters: {
      reason: oneOf('reason', pauseReasons),
      disruption_id: { schema: uuid(), where: sql`r.disruption_id = ${param('disruption_id')}::uuid` },
      is_open: {
        schema: Type.Boolean({ description: 'True for what has not resumed' }),
        where: sql`(r.resumed_on is null) = ${param('is_open')}::boolean`,
      },
    },
    within,
  })

/** The pauses of a partnership as a whole; its value is `partnership_id`. */
export const pausesOfPartnership = ofScope(
  'partnership_pauses',
  sql<boolean>`r.partnership_id = ${param('partnership_id')}::uuid and r.commitment_id is null`,
)

/** The pauses of one commitment; its value is `commitment_id`. */
export const pausesOfCommitment = ofScope(
  'commitment_pauses',
  sql<boolean>`r.commitment_id = ${param('commitment_id')}::uuid`,
)

/** The open pause of a partnership or of a commitment. */
export async function openPause(
  tx: ReadTx,
  { partnershipId, commitmentId }: PauseScope,
): Promise<{ id: string; starts_on: string } | undefined> {
  return tx.db
    .selectFrom('pauses')
    .select(['id', 'starts_on'])
    .where('tenant_id', '=', tx.tenantId)
    .where('partnership_id', '=', partnershipId)
    .where('commitment_id', commitmentId === null ? 'is' : '=', commitmentId)
    .where('resumed_on', 'is', null)
    .executeTakeFirst()
}
