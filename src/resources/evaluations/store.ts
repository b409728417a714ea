import { sql, type Updateable } from 'kysely'
import { newId } from '../../core/ids.ts'
import type { ReadTx, Tx } from '../../db/database.ts'
import type { Evaluations } from '../../db/rows.ts'
import type { EvaluationDecision } from './decision-schemas.ts'
import type { AnswerGiven, EvaluationInvitation } from './response-schemas.ts'
import type { EvaluationState, EvaluationStatus } from './schemas.ts'

/** Instants as Postgres writes them on the wire, so that one instant has one spelling. */
export async function instantsSpelt(
  tx: ReadTx,
  opens: string | null,
  closes: string | null,
): Promise<{ opens_at: string | null; closes_at: string | null }> {
  if (opens === null && closes === null) return { opens_at: null, closes_at: null }
  const { rows } = await sql<{ opens_at: string | null; closes_at: string | null }>`
    select to_jsonb(${opens}::timestamptz) as opens_at, to_jsonb(${closes}::timestamptz) as closes_at`.execute(tx.db)
  return rows[0] ?? { opens_at: null, closes_at: null }
}

/** The columns of a round that a client writes. */
function columnsOf(state: EvaluationState) {
  return {
    partnership_id: state.partnership_id,
    organisation_id: state.organisation_id,
    kind: state.kind,
    disruption_id: state.disruption_id,
    template_code: state.template_code,
    title: state.title,
    period_from: state.period_from,
    period_to: state.period_to,
    opens_at: state.opens_at,
    closes_at: state.closes_at,
    response_mode: state.response_mode,
    minimum_per_side: state.minimum_per_side,
    metadata: JSON.stringify(state.metadata),
  }
}

/** @param side as which an organisation judges itself, until the round opens; null of a partnership */
export async function evaluationInsert(
  tx: Tx,
  id: string,
  state: EvaluationState,
  { version, side }: { version: number; side: string | null },
): Promise<void> {
  await tx.db
    .insertInto('evaluations')
    .values({
      tenant_id: tx.tenantId,
      id,
      created_at: tx.now,
      updated_at: tx.now,
      status: 'planned',
      template_version: version,
      organisation_side: side,
      ...columnsOf(state),
    })
    .execute()
}

export async function evaluationUpdate(tx: Tx, id: string, state: EvaluationState, version: number): Promise<void> {
  await change(tx, id, { ...columnsOf(state), template_version: version })
}

/** What the steps of its life set on a round. */
export interface StepColumns {
  status: EvaluationStatus
  template_version?: number
  opened_at?: string
  closed_at?: string
  concluded_at?: string
  conclusion?: string
  cancel_reason?: string
}

export const evaluationStep = (tx: Tx, id: string, columns: StepColumns): Promise<void> => change(tx, id, columns)

/** Adds what parties say of the outcome; `asChange` where it is a change of its own, not a part of a step. */
export async function statementsAdd(
  tx: Tx,
  id: string,
  statements: readonly { party_id: string | null; text: string }[],
  asChange = false,
): Promise<void> {
  const added = sql<string>`statements || (
    select jsonb_agg(jsonb_build_object('party_id', s.party_id, 'text', s.text, 'stated_at', ${tx.now}::timestamptz))
    from jsonb_to_recordset(${JSON.stringify(statements)}::jsonb) as s(party_id text, text text))`
  await tx.db
    .updateTable('evaluations')
    .set({ statements: added, ...(asChange ? { updated_at: tx.now, version: sql`version + 1` } : {}) })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}

async function change(tx: Tx, id: string, columns: Updateable<Evaluations>): Promise<void> {
  await tx.db
    .updateTable('evaluations')
    .set({ ...columns, updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}

/** Freezes as which side an organisation judges itself: a part of opening its round. */
export async function organisationSideSet(tx: Tx, id: string, side: string): Promise<void> {
  await tx.db
    .updateTable('evaluations')
    .set({ organisation_side: side })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}

export interface InvitationRow {
  id: string
  party_id: string | null
  contact_id: string | null
  status: EvaluationInvitation['status']
}

/** The invitations of a round, oldest first. */
export async function invitationsOf(tx: ReadTx, evaluationId: string): Promise<InvitationRow[]> {
  const rows = await tx.db
    .selectFrom('evaluation_invitations')
    .select(['id', 'party_id', 'contact_id', 'status'])
    .where('tenant_id', '=', tx.tenantId)
    .where('evaluation_id', '=', evaluationId)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  return rows as InvitationRow[]
}

type NewInvitation = Pick<
  EvaluationInvitation,
  'id' | 'evaluation_id' | 'partnership_id' | 'organisation_id' | 'party_id' | 'contact_id' | 'function' | 'language'
>

export async function invitationInsert(tx: Tx, invitation: NewInvitation, tokenHash: Buffer | null): Promise<void> {
  await tx.db
    .insertInto('evaluation_invitations')
    .values({
      tenant_id: tx.tenantId,
      created_at: tx.now,
      updated_at: tx.now,
      status: 'pending',
      token_hash: tokenHash,
      ...invitation,
    })
    .execute()
}

export async function invitationSetStatus(tx: Tx, id: string, status: EvaluationInvitation['status']): Promise<void> {
  await tx.db
    .updateTable('evaluation_invitations')
    .set({ status, updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}

export async function invitationDelete(tx: Tx, id: string): Promise<void> {
  await tx.db.deleteFrom('evaluation_invitations').where('tenant_id', '=', tx.tenantId).where('id', '=', id).execute()
}

export async function responseInsert(
  tx: Tx,
  response: { id?: string; evaluation_id: string; party_id: string | null; answers: readonly AnswerGiven[] },
): Promise<void> {
  await tx.db
    .insertInto('evaluation_responses')
    .values({
      tenant_id: tx.tenantId,
      created_at: tx.now,
      submitted_at: tx.now,
      id: newId(),
      ...response,
      answers: JSON.stringify(response.answers),
    })
    .execute()
}

export async function answersOf(tx: ReadTx, evaluationId: string) {
  const rows = await tx.db
    .selectFrom('evaluation_responses')
    .select(['party_id', 'answers'])
    .where('tenant_id', '=', tx.tenantId)
    .where('evaluation_id', '=', evaluationId)
    .execute()
  return rows as unknown as { party_id: string | null; answers: AnswerGiven[] }[]
}

type NewDecision = Omit<EvaluationDecision, 'version' | 'created_at' | 'updated_at' | 'status' | 'amendment_id'>

export async function decisionsInsert(tx: Tx, decisions: readonly NewDecision[]): Promise<void> {
  await tx.db
    .insertInto('evaluation_decisions')
    .values(
      decisions.map((decision) => ({
        tenant_id: tx.tenantId,
        created_at: tx.now,
        updated_at: tx.now,
        status: 'open',
        ...decision,
      })),
    )
    .execute()
}

export async function decisionUpdate(
  tx: Tx,
  id: string,
  state: Partial<Pick<EvaluationDecision, 'status' | 'due_on' | 'owner_party_id' | 'amendment_id'>>,
): Promise<void> {
  await tx.db
    .updateTable('evaluation_decisions')
    .set({ ...state, updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}
