import { type RawBuilder, sql } from 'kysely'
import type { ReadTx, Tx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import type { FileFacts } from './giving360.ts'
import { type ImportFormat, type ImportType, importTypes, type RowOutcome } from './schemas.ts'

/** How far an import is, as its job needs to know. */
export interface ImportState {
  id: string
  version: number
  format: ImportFormat
  dry_run: boolean
  all_or_nothing: boolean
  status: string
  facts: FileFacts
  actor: { type: 'api_key' | 'system'; id: string | null }
  scopes: string[]
  phase: number
  round: number
  done_to: string | null
  settled_in_round: number
  waiting: number
  ambiguous: number
  invalid: number
  /** How many erasures concerned the rows, or the file while it arrived. */
  erasures: number
  /** How often it was begun from its first row, where it is one transaction. */
  attempt: number
  /** False where the credential that sent the file is good no more. */
  is_allowed: boolean
}

const locked = prepare<ImportState>(sql`
  select i.id, i.version, i.format, i.dry_run, i.all_or_nothing, i.status, i.facts, i.actor, i.scopes, i.phase, i.round, i.done_to,
    i.settled_in_round, i.waiting, i.ambiguous, i.invalid, i.erasures, i.attempt,
    i.actor->>'type' <> 'api_key' or exists (
      select from api_keys k where k.tenant_id = i.tenant_id and k.id = (i.actor->>'id')::uuid and k.revoked_at is null
        and (k.expires_at is null or k.expires_at > ${param('now')}::timestamptz)) as is_allowed
  from imports i where i.tenant_id = ${tenantParam} and i.id = ${param('id')}::uuid for no key update of i`)

/** An import, locked: of two jobs that work at it, one waits for the batch of the other. */
export async function importLocked(tx: Tx, id: string): Promise<ImportState | undefined> {
  return (await locked.run(tx, { id, now: tx.now }))[0]
}

export type ImportChange = Partial<
  Pick<ImportState, 'status' | 'phase' | 'round' | 'done_to' | 'settled_in_round'> & {
    failure: string | null
    started_at: string
    finished_at: string
  }
>

export async function importSet(tx: Tx, id: string, change: ImportChange): Promise<void> {
  await tx.db
    .updateTable('imports')
    .set({ ...change, updated_at: tx.now, version: sql<number>`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}

export interface RowToDo {
  id: string
  line: number
  type: ImportType | null
  payload: string | null
  fault: string | null
}

/** Rows up to so many bytes: at least one. The length of a text is known without reading it. */
const upTo = (rows: RawBuilder<unknown>) =>
  prepare<RowToDo>(sql`
  select n.id, n.line, n.type, n.payload, n.fault
  from (
    select r.*, sum(octet_length(r.payload)) over (order by r.id rows between unbounded preceding and 1 preceding) as bytes
    from (${rows} limit ${param('limit')}::integer) r
  ) n
  where coalesce(n.bytes, 0) < ${param('bytes')}::integer
  order by n.id`)

const firstRound = upTo(sql`
  select r.id, r.line, r.type, r.payload, r.fault from import_rows r
  where r.tenant_id = ${tenantParam} and r.import_id = ${param('import_id')}::uuid and r.phase = ${param('phase')}::smallint
    and r.id > ${param('after')}::uuid
  order by r.id`)

const laterRound = upTo(sql`
  select r.id, r.line, r.type, r.payload, r.fault
  from import_results s join import_rows r on r.tenant_id = s.tenant_id and r.import_id = s.import_id
    and r.phase = ${param('phase')}::smallint and r.id = s.row_id
  where s.tenant_id = ${tenantParam} and s.import_id = ${param('import_id')}::uuid and s.outcome = 'waiting'
    and s.row_id > ${param('after')}::uuid
  order by s.row_id`)

/** The next rows of the phase and round that an import is in: so many at most, and fewer where they are long. */
export function rowsToDo(
  tx: ReadTx,
  { id, phase, round, done_to }: ImportState,
  { limit, bytes }: { limit: number; bytes: number },
): Promise<RowToDo[]> {
  const after = done_to ?? '00000000-0000-0000-0000-000000000000'
  return (round === 1 ? firstRound : laterRound).run(tx, { import_id: id, phase, after, limit, bytes })
}

export interface RowResult {
  row_id: string
  outcome: RowOutcome
  ref?: { system: string; id: string } | undefined
  resource_id?: string | undefined
  faults?: readonly object[] | undefined
  candidates?: readonly string[] | undefined
}

const results = prepare(sql`
  with given as (
    insert into import_results (tenant_id, import_id, row_id, outcome, ref_system, ref_id, resource_id, faults, candidates)
    select ${tenantParam}, ${param('import_id')}::uuid, n.row_id, n.outcome, n.ref->>'system', n.ref->>'id', n.resource_id,
      n.faults, n.candidates
    from json_to_recordset(${param('results')}::json) as n (row_id uuid, outcome text, ref json, resource_id uuid,
      faults json, candidates uuid[])
    on conflict (tenant_id, import_id, row_id) do update set outcome = excluded.outcome, ref_system = excluded.ref_system,
      ref_id = excluded.ref_id, resource_id = excluded.resource_id, faults = excluded.faults,
      candidates = excluded.candidates
  )
  update imports i set version = version + 1, updated_at = ${param('now')}::timestamptz, done_to = ${param('done_to')}::uuid,
    created = i.created + ${param('created')}::integer, updated = i.updated + ${param('updated')}::integer,
    unchanged = i.unchanged + ${param('unchanged')}::integer, ambiguous = i.ambiguous + ${param('ambiguous')}::integer,
    invalid = i.invalid + ${param('invalid')}::integer, waiting = i.waiting + ${param('waiting')}::integer,
    rows_done = i.rows_done + ${param('settled')}::integer,
    settled_in_round = i.settled_in_round + ${param('settled')}::integer
  where i.tenant_id = ${tenantParam} and i.id = ${param('import_id')}::uuid`)

/** Keeps what became of a batch, and counts it. In a later round those rows waited before. */
export async function resultsInsert(
  tx: Tx,
  { id, round }: Pick<ImportState, 'id' | 'round'>,
  batch: readonly RowResult[],
): Promise<void> {
  const count = (outcome: RowOutcome) => batch.filter((result) => result.outcome === outcome).length
  const waiting = count('waiting')
  await results.run(tx, {
    import_id: id,
    results: JSON.stringify(batch),
    now: tx.now,
    done_to: batch.at(-1)?.row_id,
    created: count('created'),
    updated: count('updated'),
    unchanged: count('unchanged'),
    ambiguous: count('ambiguous'),
    invalid: count('invalid'),
    waiting: round === 1 ? waiting : waiting - batch.length,
    settled: batch.length - waiting,
  })
}

/** Nothing comes any more for which rows wait: what they lack is their fault. */
export async function waitingRefuse(tx: Tx, id: string): Promise<void> {
  await sql`update import_results set outcome = 'invalid'
    where tenant_id = ${tx.tenantId} and import_id = ${id} and outcome = 'waiting'`.execute(tx.db)
  await sql`update imports set version = version + 1, updated_at = ${tx.now}, invalid = invalid + waiting,
      rows_done = rows_done + waiting, waiting = 0
    where tenant_id = ${tx.tenantId} and id = ${id}`.execute(tx.db)
}

/** Begins anew what happens in one transaction or not at all, where it broke off. */
export async function importRestart(tx: Tx, id: string): Promise<void> {
  await sql`delete from import_results where tenant_id = ${tx.tenantId} and import_id = ${id}`.execute(tx.db)
  await sql`update imports set version = version + 1, updated_at = ${tx.now}, attempt = attempt + 1, phase = 0, round = 1, done_to = null,
      settled_in_round = 0, rows_done = 0, created = 0, updated = 0, unchanged = 0, ambiguous = 0, invalid = 0, waiting = 0
    where tenant_id = ${tx.tenantId} and id = ${id}`.execute(tx.db)
}

/**
 * What was sent of persons does not outlive its use. A row of no known kind, or one that was refused as another, may tell
 * of a person too; a partnership names its managers.
 */
export async function personsForget(tx: Tx, id: string): Promise<void> {
  await sql`update import_rows set payload = null where tenant_id = ${tx.tenantId} and import_id = ${id}
    and (type is null or type = 'contact' or type = 'partnership' and payload like '%contact_ref%')`.execute(tx.db)
  // Gathered first, so that each row is found by its key: joined, all rows were compared with all that were refused.
  await sql`
    update import_rows r set payload = null
    where r.tenant_id = ${tx.tenantId} and r.import_id = ${id} and r.phase = any(${phases}::smallint[])
      and r.id = any(array(
        select s.row_id from import_results s
        where s.tenant_id = ${tx.tenantId} and s.import_id = ${id} and s.outcome in ('invalid', 'ambiguous')))`.execute(
    tx.db,
  )
}

/** 0 for what has no kind, then the kinds in their order. */
const phases = [0, ...importTypes.map((_type, at) => at + 1)]

const statistics = prepare(sql`select take_statistics()`)

/** Has Postgres look again at tables that an import has made grow, so that it plans for what they hold now. */
export async function takeStatistics(tx: Tx): Promise<void> {
  await statistics.run(tx)
}
