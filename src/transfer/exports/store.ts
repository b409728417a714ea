import { sql } from 'kysely'
import type { ReadTx, Tx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import type { ExportFormat } from '../forms.ts'
import type { Export } from './schemas.ts'

/** What was asked for, complete. */
export interface ExportOrder {
  tables: string[]
  format: ExportFormat
  dialect: Export['dialect']
  compression: Export['compression']
  filters: Record<string, Record<string, unknown>>
  changed_after_sequence: number | null
  /** The day as of which the tables are told. */
  as_of: string | null
}

export async function exportInsert(tx: Tx, id: string, { as_of, ...order }: ExportOrder): Promise<void> {
  await tx.db
    .insertInto('exports')
    .values({
      tenant_id: tx.tenantId,
      id,
      created_at: tx.now,
      updated_at: tx.now,
      ...order,
      as_of_day: as_of,
      filters: JSON.stringify(order.filters),
      changed_after_sequence: order.changed_after_sequence?.toString() ?? null,
      status: 'queued',
      ordered_by: tx.actor.id,
    })
    .execute()
}

/** How many exports of the tenant wait or run, and how many of them the caller's credential ordered. */
export async function exportsUnderWay(tx: Tx): Promise<{ tenant: number; credential: number }> {
  return tx.db
    .selectFrom('exports')
    .select([
      sql<number>`count(*)::integer`.as('tenant'),
      sql<number>`(count(*) filter (where ordered_by = ${tx.actor.id}))::integer`.as('credential'),
    ])
    .where('tenant_id', '=', tx.tenantId)
    .where('status', 'in', ['queued', 'running'])
    .executeTakeFirstOrThrow()
}

/** A try that has begun. */
export interface Attempt extends ExportOrder {
  id: string
  attempt: number
}

const beginning = prepare<Attempt>(sql`
  update exports set status = 'running', attempt = attempt + 1, version = version + 1, updated_at = ${param('now')}::timestamptz,
    started_at = coalesce(started_at, ${param('now')}::timestamptz), rows_done = 0, rows_expected = null
  where tenant_id = ${tenantParam} and id = ${param('id')}::uuid and status in ('queued', 'running')
  returning id, attempt, tables, format, dialect, compression, filters, changed_after_sequence::integer,
    as_of_day as as_of`)
const clearing = prepare(
  sql`delete from export_chunks where tenant_id = ${tenantParam} and export_id = ${param('id')}::uuid`,
)

/** Begins a try: what earlier ones left is removed, and what they may still write is refused. Undefined where none is due. */
export async function attemptBegin(tx: Tx, id: string): Promise<Attempt | undefined> {
  const [begun] = await beginning.run(tx, { id, now: tx.now })
  if (begun) await clearing.run(tx, { id })
  return begun
}

/** Removes the bytes of an export that comes to nothing. */
export async function chunksDelete(tx: Tx, id: string): Promise<void> {
  await clearing.run(tx, { id })
}

const isMine = sql`tenant_id = ${tenantParam} and id = ${param('id')}::uuid and attempt = ${param('attempt')}::integer
  and status = 'running'`

const looking = prepare<object>(sql`select from exports where ${isMine}`)

/** True while this try is the one that counts. */
export const attemptCounts = async (tx: ReadTx, { id, attempt }: Attempt): Promise<boolean> =>
  (await looking.run(tx, { id, attempt })).length > 0

const takenUp = prepare<object>(sql`
  select from exports where tenant_id = ${tenantParam} and id = ${param('id')}::uuid and status = 'running'
    and attempt <> ${param('attempt')}::integer`)

/** True where another try has begun since and is under way. */
export const attemptIsSuperseded = async (tx: ReadTx, { id, attempt }: Attempt): Promise<boolean> =>
  (await takenUp.run(tx, { id, attempt })).length > 0

const noting = prepare<object>(sql`
  update exports set rows_expected = ${param('expected')}::bigint, as_of = ${param('snapshot_at')}::timestamptz,
    sequence = ${param('sequence')}::bigint, version = version + 1, updated_at = ${param('now')}::timestamptz
  where ${isMine} returning id`)

/** Notes what the snapshot is, and how much it holds. @returns false where the try does not count any more */
export async function snapshotNote(
  tx: Tx,
  { id, attempt }: Attempt,
  { snapshotAt, sequence, expected }: { snapshotAt: string; sequence: string; expected: number },
): Promise<boolean> {
  const noted = await noting.run(tx, { id, attempt, snapshot_at: snapshotAt, sequence, expected, now: tx.now })
  return noted.length > 0
}

const progressing = sql`
  update exports set rows_done = ${param('rows_done')}::bigint, version = version + 1, updated_at = ${param('now')}::timestamptz
  where ${isMine} returning tenant_id, id, attempt`

const proceeding = prepare<object>(progressing)

/** Notes how far the export is. @returns false where the try does not count any more */
export async function progressNote(tx: Tx, { id, attempt }: Attempt, rowsDone: number): Promise<boolean> {
  return (await proceeding.run(tx, { id, attempt, rows_done: rowsDone, now: tx.now })).length > 0
}

const adding = prepare<object>(sql`
  with mine as (${progressing})
  insert into export_chunks (tenant_id, export_id, attempt, name, seq, bytes)
  select tenant_id, id, attempt, ${param('name')}, ${param('seq')}::integer, ${param('bytes')}::bytea from mine
  returning seq`)

/** Keeps a piece of a file, and how far the export is. @returns false where the try does not count any more */
export async function chunkAdd(
  tx: Tx,
  { id, attempt }: Attempt,
  chunk: { name: string; seq: number; bytes: Buffer; rowsDone: number },
): Promise<boolean> {
  const { name, seq, bytes, rowsDone } = chunk
  return (await adding.run(tx, { id, attempt, name, seq, bytes, rows_done: rowsDone, now: tx.now })).length > 0
}

/** A file that is complete. */
export interface ExportFileRow {
  name: string
  table_name: string | null
  media_type: string
  rows: number | null
  bytes: number
  sha256: string
}

const ending = prepare<object>(sql`
  update exports set status = ${param('status')}, failure = ${param('failure')}, version = version + 1,
    updated_at = ${param('now')}::timestamptz, finished_at = ${param('now')}::timestamptz,
    expires_at = ${param('expires_at')}::timestamptz,
    rows_done = case when ${param('status')} = 'succeeded' then rows_expected else rows_done end
  where ${isMine} returning id`)

/** Ends a try that counts, with its files or without any. @returns false where it does not count any more */
export async function attemptEnd(
  tx: Tx,
  { id, attempt }: Attempt,
  end: { status: 'succeeded'; files: ExportFileRow[]; expiresAt: string } | { status: 'failed'; failure: string },
): Promise<boolean> {
  const isGood = end.status === 'succeeded'
  const values = { failure: isGood ? null : end.failure, expires_at: isGood ? end.expiresAt : null }
  const ended = await ending.run(tx, { id, attempt, status: end.status, now: tx.now, ...values })
  if (ended.length === 0) return false
  if (isGood) {
    const rows = end.files.map((file, position) => ({
      tenant_id: tx.tenantId,
      export_id: id,
      position,
      ...file,
      rows: file.rows?.toString() ?? null,
      bytes: String(file.bytes),
    }))
    await tx.db.insertInto('export_files').values(rows).execute()
  } else {
    await chunksDelete(tx, id)
  }
  return true
}

const cancelling = prepare<object>(sql`
  update exports set status = 'cancelled', version = version + 1, updated_at = ${param('now')}::timestamptz,
    finished_at = ${param('now')}::timestamptz
  where tenant_id = ${tenantParam} and id = ${param('id')}::uuid`)

export async function exportCancel(tx: Tx, id: string): Promise<void> {
  await cancelling.run(tx, { id, now: tx.now })
  await chunksDelete(tx, id)
}

/** What is known of a file of an export; null members where the export has no such file. */
export interface FoundFile {
  status: Export['status']
  attempt: number
  bytes: string | null
  sha256: string | null
}

const finding = prepare<FoundFile>(sql`
  select e.status, e.attempt, f.bytes, f.sha256 from exports e
  left join export_files f on f.tenant_id = e.tenant_id and f.export_id = e.id and f.name = ${param('name')}
  where e.tenant_id = ${tenantParam} and e.id = ${param('id')}::uuid`)

/** Looks for a file; undefined where there is no such export. */
export async function fileFind(tx: ReadTx, id: string, name: string): Promise<FoundFile | undefined> {
  const [found] = await finding.run(tx, { id, name })
  return found
}

const reading = prepare<{ bytes: Buffer }>(sql`
  select bytes from export_chunks
  where tenant_id = ${tenantParam} and export_id = ${param('id')}::uuid and attempt = ${param('attempt')}::integer
    and name = ${param('name')} and seq = ${param('seq')}::integer`)

/** A piece of a file. @throws Error where it was removed meanwhile */
export async function chunkRead(
  tx: ReadTx,
  of: { id: string; attempt: number; name: string; seq: number },
): Promise<Buffer> {
  const [chunk] = await reading.run(tx, of)
  if (!chunk) throw new Error(`Piece ${of.seq} of ${of.name} is no longer kept`)
  return chunk.bytes
}
