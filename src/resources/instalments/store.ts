import { sql } from 'kysely'
import type { Rhythm } from '../../core/due-dates.ts'
import { newId } from '../../core/ids.ts'
import type { Held } from '../../core/instalments.ts'
import type { ScheduleEffect } from '../../core/paused-plan.ts'
import type { Tx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import { together } from '../../db/together.ts'

export type InstalmentState = 'scheduled' | 'skipped' | 'settled' | 'void'

/** An instalment of the plan in hand, as it is kept; decimals in the unit of the commitment. */
export interface PartRow {
  seq: number
  made_on: string
  anchor_day: number | null
  keeps_weekday: boolean
  original_due_on: string | null
  due_on: string | null
  measure: string
  replaced: string
  settled: string
  state: InstalmentState
  is_suspended: boolean
  skipped_on: string | null
  held: Held[]
}

/** All that decides what becomes of the instalments of one commitment. */
export interface ScheduleFacts {
  id: string
  status: string
  /** The day it was closed; null while it lives. */
  closed_since: string | null
  measure: string
  skipped: string
  replaced: string
  parts: PartRow[]
  pauses: { starts_on: string; until: string; effect: ScheduleEffect; is_open: boolean }[]
  entries: { seq: number | null; magnitude: string; on: string; reversed_on: string | null }[]
}

/** The states in which a commitment has come to an end with something undelivered. */
export const closedStatuses = ['lapsed', 'released', 'cancelled', 'substituted'] as const

const closed = sql.lit(`{${closedStatuses.join(',')}}`)

// Closed since the first of the closing steps that no other step followed: what lapses may be released later.
const facts = prepare<{ body: string }>(sql`
  select json_build_object(
    'id', c.id, 'status', c.status, 'measure', coalesce(c.amount, c.quantity)::text,
    'skipped', c.skipped::text, 'replaced', c.replaced::text,
    'closed_since', (
      select min(h.changed_on) from status_changes h
      where h.tenant_id = c.tenant_id and h.resource_type = 'commitment' and h.resource_id = c.id
        and h.to_status = any(${closed}::text[]) and c.status = any(${closed}::text[])
        and h.version > coalesce((
          select max(o.version) from status_changes o
          where o.tenant_id = c.tenant_id and o.resource_type = 'commitment' and o.resource_id = c.id
            and o.to_status <> all(${closed}::text[])), 0)),
    'parts', (
      select coalesce(json_agg(json_build_object(
        'seq', i.seq, 'made_on', i.made_on, 'anchor_day', i.anchor_day,
        'keeps_weekday', i.keeps_weekday, 'original_due_on', i.original_due_on, 'due_on', i.due_on,
        'measure', i.measure::text, 'replaced', i.replaced::text, 'settled', i.settled::text, 'state', i.state,
        'is_suspended', i.is_suspended, 'skipped_on', i.skipped_on, 'held', i.held) order by i.seq), '[]')
      from instalments i
      where i.tenant_id = c.tenant_id and i.commitment_id = c.id and i.superseded_on is null),
    'pauses', (
      select coalesce(json_agg(json_build_object(
        'starts_on', p.starts_on,
        'until', coalesce(least(cp.resumed_on, p.resumed_on), p.planned_resume_on, p.review_on),
        'effect', p.schedule_effect, 'is_open', cp.resumed_on is null and p.resumed_on is null)
        order by p.starts_on, p.id), '[]')
      from commitment_pauses cp join pauses p on p.tenant_id = cp.tenant_id and p.id = cp.pause_id
      where cp.tenant_id = c.tenant_id and cp.commitment_id = c.id),
    'entries', (
      select coalesce(json_agg(json_build_object(
        'seq', f.instalment_seq, 'magnitude', coalesce(f.amount, f.quantity)::text,
        'on', greatest(f.delivered_on, f.decided_on), 'reversed_on', (v.created_at at time zone s.time_zone)::date)), '[]')
      from fulfilments f
      left join fulfilments v on v.tenant_id = f.tenant_id and v.reversal_of = f.id
      where f.tenant_id = c.tenant_id and f.commitment_id = c.id and f.reversal_of is null
        and f.confirmation = 'confirmed')
  )::text as body
  from commitments c
  join partnerships s on s.tenant_id = c.tenant_id and s.id = c.partnership_id
  where c.tenant_id = ${tenantParam} and c.id = any(${param('ids')}::uuid[])`)

export async function scheduleFacts(tx: Tx, ids: readonly string[]): Promise<ScheduleFacts[]> {
  const rows = await facts.run(tx, { ids: [...ids] })
  return rows.map((row) => JSON.parse(row.body) as ScheduleFacts)
}

const insert = prepare(sql`
  insert into instalments (tenant_id, id, created_at, updated_at, commitment_id, seq, made_on, anchor_day, keeps_weekday,
    original_due_on, due_on, measure, settled, state)
  select ${tenantParam}, p.id, ${param('now')}::timestamptz, ${param('now')}::timestamptz, p.commitment_id, p.seq,
    p.made_on, p.anchor_day, p.keeps_weekday, p.due_on, p.due_on, p.measure, 0, p.state
  from json_to_recordset(${param('parts')}::json) as p (id uuid, commitment_id uuid, seq integer, made_on date,
    anchor_day integer, keeps_weekday boolean, due_on date, measure numeric, state text)`)

/** An instalment that is new. */
export interface NewPart {
  seq: number
  due_on: string | null
  measure: string
  state: InstalmentState
}

export async function instalmentsInsert(
  tx: Tx,
  commitmentId: string,
  { madeOn, rhythm }: { madeOn: string; rhythm: Rhythm },
  parts: readonly NewPart[],
): Promise<void> {
  if (parts.length === 0) return
  const common = {
    commitment_id: commitmentId,
    made_on: madeOn,
    anchor_day: rhythm.by === 'months' ? rhythm.anchor : null,
    keeps_weekday: rhythm.by === 'weeks',
  }
  await partsInsert(
    tx,
    parts.map((part) => ({ id: newId(), ...common, ...part })),
  )
}

const partsInsert = together(
  async (tx: Tx, rows: object[]): Promise<void> => {
    await insert.run(tx, { now: tx.now, parts: JSON.stringify(rows) })
  },
  async (tx, lists) => {
    await insert.run(tx, { now: tx.now, parts: JSON.stringify(lists.flat()) })
    return lists.map(() => undefined)
  },
)

/** What became of an instalment, as it is to be kept. */
export type PartChange = Pick<
  PartRow,
  'seq' | 'due_on' | 'settled' | 'state' | 'is_suspended' | 'skipped_on' | 'held'
> & {
  commitment_id: string
  held_until: string | null
}

const update = prepare(sql`
  update instalments i set due_on = p.due_on, settled = p.settled, state = p.state, is_suspended = p.is_suspended,
    skipped_on = p.skipped_on, held = p.held, held_until = p.held_until, version = i.version + 1,
    updated_at = ${param('now')}::timestamptz
  from json_to_recordset(${param('parts')}::json) as p (commitment_id uuid, seq integer, due_on date, settled numeric,
    state text, is_suspended boolean, skipped_on date, held jsonb, held_until date)
  where i.tenant_id = ${tenantParam} and i.commitment_id = p.commitment_id and i.seq = p.seq`)

export async function instalmentsUpdate(tx: Tx, parts: readonly PartChange[]): Promise<void> {
  if (parts.length > 0) await update.run(tx, { now: tx.now, parts: JSON.stringify(parts) })
}

const totals = prepare(sql`
  update commitments c set skipped = t.skipped, replaced = t.replaced
  from json_to_recordset(${param('totals')}::json) as t (id uuid, skipped numeric, replaced numeric)
  where c.tenant_id = ${tenantParam} and c.id = t.id`)

/** Keeps what of commitments is not owed any more. Their versions are for whoever takes the step. */
export async function commitmentTotalsUpdate(
  tx: Tx,
  changed: readonly { id: string; skipped: string; replaced: string }[],
): Promise<void> {
  if (changed.length > 0) await totals.run(tx, { totals: JSON.stringify(changed) })
}

// Whether it was held up is kept: answers about the days before rest on it.
const supersede = prepare(sql`
  update instalments set superseded_on = ${param('on')}::date, state = 'void',
    version = version + 1, updated_at = ${param('now')}::timestamptz
  where tenant_id = ${tenantParam} and commitment_id = ${param('commitment_id')}::uuid and superseded_on is null
    and seq = any(${param('seqs')}::integer[])`)

/** Takes instalments out of the plan: another takes their place from a day on. */
export async function instalmentsSupersede(
  tx: Tx,
  commitmentId: string,
  seqs: readonly number[],
  on: string,
): Promise<void> {
  if (seqs.length > 0) await supersede.run(tx, { commitment_id: commitmentId, seqs: [...seqs], on, now: tx.now })
}

const reduce = prepare(sql`
  with given as (
    select * from json_to_recordset(${param('parts')}::json) as p (id uuid, seq integer, measure numeric)
  ), ledger as (
    insert into instalment_reductions (tenant_id, id, created_at, commitment_id, seq, measure, reduced_on)
    select ${tenantParam}, g.id, ${param('now')}::timestamptz, ${param('commitment_id')}::uuid, g.seq, g.measure,
      ${param('on')}::date
    from given g
  )
  update instalments i set replaced = i.replaced + g.measure, version = i.version + 1,
    updated_at = ${param('now')}::timestamptz
  from given g
  where i.tenant_id = ${tenantParam} and i.commitment_id = ${param('commitment_id')}::uuid and i.seq = g.seq`)

/** Takes a part of instalments away, from a day on. */
export async function instalmentsReduce(
  tx: Tx,
  commitmentId: string,
  parts: readonly { seq: number; measure: string }[],
  on: string,
): Promise<void> {
  if (parts.length === 0) return
  const rows = parts.map((part) => ({ id: newId(), ...part }))
  await reduce.run(tx, { commitment_id: commitmentId, on, now: tx.now, parts: JSON.stringify(rows) })
}

const lastSeq = prepare<{ last: number }>(sql`
  select coalesce(max(seq), 0) as last from instalments
  where tenant_id = ${tenantParam} and commitment_id = ${param('commitment_id')}::uuid`)

/** The highest number that was given to an instalment of a commitment; 0 where it has none. */
export async function lastInstalmentSeq(tx: Tx, commitmentId: string): Promise<number> {
  const [row] = await lastSeq.run(tx, { commitment_id: commitmentId })
  return row?.last ?? 0
}
