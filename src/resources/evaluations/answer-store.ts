import { sql } from 'kysely'
import type { ReadTx, Tx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import type { AnswerGiven } from './response-schemas.ts'
import type { Side } from './scoring.ts'

// What persons answer and write, as it is kept: apart from who they are.

// The rows that are inserted see nothing of those that go, so each round has its old ones and the new one, all as if
// they had been written in this moment.
const mixing = prepare(sql`
  with gone as (
    delete from evaluation_anonymous_responses
    where tenant_id = ${tenantParam} and evaluation_id = ${param('evaluation_id')}::uuid
    returning side, answers
  )
  insert into evaluation_anonymous_responses (tenant_id, evaluation_id, side, answers)
  select ${tenantParam}, ${param('evaluation_id')}::uuid, a.side, a.answers
  from (select side, answers from gone union all select ${param('side')}, ${param('answers')}::jsonb) a
  order by random()`)

/** Adds the answers of a person to those of a round, and mixes them all. */
export async function anonymousInsert(
  tx: Tx,
  response: { evaluation_id: string; side: Side; answers: readonly AnswerGiven[] },
): Promise<void> {
  await mixing.run(tx, { ...response, answers: JSON.stringify(response.answers) })
}

export async function anonymousOf(tx: ReadTx, evaluationId: string) {
  const rows = await tx.db
    .selectFrom('evaluation_anonymous_responses')
    .select(['side', 'answers'])
    .where('tenant_id', '=', tx.tenantId)
    .where('evaluation_id', '=', evaluationId)
    .execute()
  return rows as unknown as { side: Side; answers: AnswerGiven[] }[]
}

/** Forgets what persons answered to a round, in draft and for good. */
export async function forgetAnswers(tx: Tx, evaluationId: string): Promise<void> {
  for (const table of ['evaluation_anonymous_responses', 'evaluation_drafts'] as const) {
    await tx.db
      .deleteFrom(table)
      .where('tenant_id', '=', tx.tenantId)
      .where('evaluation_id', '=', evaluationId)
      .execute()
  }
}

export async function draftWrite(
  tx: Tx,
  draft: { invitation_id: string; evaluation_id: string; sealed: Buffer },
): Promise<void> {
  await tx.db
    .insertInto('evaluation_drafts')
    .values({ tenant_id: tx.tenantId, ...draft })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'invitation_id']).doUpdateSet({ sealed: draft.sealed }))
    .execute()
}

export async function draftRead(tx: ReadTx, invitationId: string): Promise<Buffer | undefined> {
  const row = await tx.db
    .selectFrom('evaluation_drafts')
    .select('sealed')
    .where('tenant_id', '=', tx.tenantId)
    .where('invitation_id', '=', invitationId)
    .executeTakeFirst()
  return row?.sealed
}

export async function draftDelete(tx: Tx, invitationId: string): Promise<void> {
  await tx.db
    .deleteFrom('evaluation_drafts')
    .where('tenant_id', '=', tx.tenantId)
    .where('invitation_id', '=', invitationId)
    .execute()
}

interface TextRow {
  side: Side
  code: string
  position: number
  text: string
}

/** Freezes what was answered in words. */
export async function textsInsert(tx: Tx, evaluationId: string, rows: readonly TextRow[]): Promise<void> {
  if (rows.length === 0) return
  const values = rows.map((row) => ({ tenant_id: tx.tenantId, evaluation_id: evaluationId, ...row }))
  await tx.db.insertInto('evaluation_texts').values(values).execute()
}

export async function textsRead(tx: ReadTx, evaluationId: string): Promise<TextRow[]> {
  const rows = await tx.db
    .selectFrom('evaluation_texts')
    .select(['side', 'code', 'position', 'text'])
    .where('tenant_id', '=', tx.tenantId)
    .where('evaluation_id', '=', evaluationId)
    .orderBy('code')
    .orderBy('side')
    .orderBy('position')
    .execute()
  return rows as TextRow[]
}

/** Gives an invitation another token; the one before is dead from then on. */
export async function tokenReplace(tx: Tx, invitationId: string, hash: Buffer): Promise<void> {
  await tx.db
    .updateTable('evaluation_invitations')
    .set({ token_hash: hash, updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', invitationId)
    .execute()
}

export interface Asked {
  token_hash: Buffer | null
  /** In which language the respondent is asked, as far as anyone said. */
  language: string | null
  organisation: string
  /** Null where an organisation is asked about itself. */
  partnership: string | null
  time_zone: string | null
}

/** What a respondent is told of who is asked. */
export async function askedBy(tx: ReadTx, invitationId: string): Promise<Asked | undefined> {
  const [row] = await asked.run(tx, { id: invitationId })
  return row
}

const asked = prepare<Asked>(sql`
  select i.token_hash, coalesce(i.language, c.language, o.preferred_language) as language, o.name as organisation,
    r.name as partnership, r.time_zone
  from evaluation_invitations i
  left join partnership_parties p on p.tenant_id = i.tenant_id and p.id = i.party_id
  join organisations o on o.tenant_id = i.tenant_id and o.id = coalesce(i.organisation_id, p.organisation_id)
  left join partnerships r on r.tenant_id = p.tenant_id and r.id = p.partnership_id
  left join contacts c on c.tenant_id = i.tenant_id and c.id = i.contact_id
  where i.tenant_id = ${tenantParam} and i.id = ${param('id')}::uuid`)
