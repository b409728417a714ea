import { sql } from 'kysely'
import { Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import type { FileFacts } from './giving360.ts'
import type { FileRow } from './lines.ts'
import type { ImportFormat, ImportType } from './schemas.ts'

export interface ImportOptions {
  format: ImportFormat
  type: ImportType | null
  dryRun: boolean
  allOrNothing: boolean
}

export interface StagedRow extends FileRow {
  id: string
  phase: number
}

export async function importInsert(tx: Tx, id: string, upload: ImportOptions): Promise<void> {
  await tx.db
    .insertInto('imports')
    .values({
      tenant_id: tx.tenantId,
      id,
      created_at: tx.now,
      updated_at: tx.now,
      format: upload.format,
      type: upload.type,
      dry_run: upload.dryRun,
      all_or_nothing: upload.allOrNothing,
      status: 'uploading',
      actor: JSON.stringify(tx.actor),
      scopes: [...tx.scopes],
    })
    .execute()
}

export async function importDelete(tx: Tx, id: string): Promise<void> {
  await tx.db.deleteFrom('imports').where('tenant_id', '=', tx.tenantId).where('id', '=', id).execute()
}

/** Sets a staged import going. */
export async function importBegin(tx: Tx, id: string, rows: number, facts: FileFacts): Promise<void> {
  await tx.db
    .updateTable('imports')
    .set({ status: 'queued', rows_read: rows, facts: JSON.stringify(facts), updated_at: tx.now })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}

const insertion = prepare(sql`
  insert into import_rows (tenant_id, import_id, id, phase, line, type, payload, fault, remarks)
  select ${tenantParam}, ${param('import_id')}::uuid, n.* from unnest(${param('ids')}::uuid[], ${param('phases')}::smallint[],
    ${param('lines')}::integer[], ${param('types')}::text[], ${param('payloads')}::text[], ${param('faults')}::text[],
    ${param('remarks')}::text[]) as n`)

const held = prepare<{ erasures: number }>(sql`
  select erasures from imports where tenant_id = ${tenantParam} and id = ${param('import_id')}::uuid for share`)

/**
 * Stages rows. Of those that tell of persons an erasure either finds all that arrived before it, or none is taken.
 * @throws Problem `state_forbids` where a person was erased since the file began to arrive
 */
export async function rowsInsert(tx: Tx, importId: string, rows: readonly StagedRow[]): Promise<void> {
  const isOfPersons = rows.some(({ type }) => type === null || type === 'contact')
  // Sent together: the rows are written when the import is held.
  const [holds] = await Promise.all([
    isOfPersons ? held.run(tx, { import_id: importId }) : [],
    insert(tx, importId, rows),
  ])
  if ((holds[0]?.erasures ?? 0) === 0) return
  const detail =
    'A person was erased while the file arrived. See that it tells of nobody who was erased, and send it again.'
  throw new Problem('state_forbids', detail)
}

async function insert(tx: Tx, importId: string, rows: readonly StagedRow[]): Promise<void> {
  await insertion.run(tx, {
    import_id: importId,
    ids: rows.map(({ id }) => id),
    phases: rows.map(({ phase }) => phase),
    lines: rows.map(({ line }) => line),
    types: rows.map(({ type }) => type),
    payloads: rows.map(({ payload }) => payload),
    faults: rows.map(({ fault }) => fault),
    remarks: rows.map(({ remarks }) => (remarks.length > 0 ? JSON.stringify(remarks) : null)),
  })
}
