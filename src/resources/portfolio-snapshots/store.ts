import { sql } from 'kysely'
import { newId } from '../../core/ids.ts'
import type { Tx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import type { Reckoned } from '../portfolio/read.ts'

/** A month of an organisation of which there is no snapshot yet. */
export interface DueSnapshot {
  organisation_id: string
  as_of: string
}

/**
 * The months that are over everywhere on earth, from the one on in which the organisation was recorded: of those that have
 * objectives or take part in two partnerships or more, for a portfolio of one is a partnership. The oldest come first.
 */
export const dueSnapshots = prepare<DueSnapshot>(sql`
  with portfolios as (
    select o.id, date_trunc('month', o.created_at at time zone 'UTC') as since
    from organisations o
    where o.tenant_id = ${tenantParam} and o.merged_into_id is null and (
      exists (select from objectives j where j.tenant_id = o.tenant_id and j.organisation_id = o.id)
      or 2 = (select count(*) from (select from partnership_parties p
        where p.tenant_id = o.tenant_id and p.organisation_id = o.id limit 2) two))
  )
  select f.id as organisation_id, m.last_day::text as as_of
  from portfolios f
  cross join lateral (
    select (month + interval '1 month')::date - 1 as last_day
    from generate_series(f.since,
      date_trunc('month', ${param('now')}::timestamptz at time zone 'Etc/GMT+12') - interval '1 month',
      interval '1 month') month
  ) m
  where not exists (
    select from portfolio_snapshots s
    where s.tenant_id = ${tenantParam} and s.organisation_id = f.id and s.as_of = m.last_day)
  order by m.last_day, f.id limit ${param('limit')}::integer`)

/** @returns false where another process took it */
export async function snapshotInsert(tx: Tx, id: string, due: DueSnapshot, { summary }: Reckoned): Promise<boolean> {
  const { organisation_id, as_of } = due
  const written = await tx.db
    .insertInto('portfolio_snapshots')
    .values({
      ...{ tenant_id: tx.tenantId, id, created_at: tx.now, updated_at: tx.now },
      ...{ organisation_id, as_of, period: as_of.slice(0, 7), summary: JSON.stringify(summary) },
    })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'organisation_id', 'as_of']).doNothing())
    .returning('id')
    .execute()
  return written.length > 0
}

/** How many rows are written in one statement. */
const together = 500

const insertion = prepare(sql`
  insert into portfolio_snapshot_rows (tenant_id, id, snapshot_id, period, partnership_id, is_at_risk, figures)
  select ${tenantParam}, n.id, ${param('snapshot_id')}::uuid, ${param('period')},
    (n.figures ->> 'partnership_id')::uuid, (n.figures ->> 'is_at_risk')::boolean, n.figures
  from json_to_recordset(${param('rows')}::json) as n (id uuid, figures json)`)

export async function snapshotRowsInsert(
  tx: Tx,
  snapshotId: string,
  { as_of }: DueSnapshot,
  rows: Reckoned['rows'],
): Promise<void> {
  for (let from = 0; from < rows.length; from += together) {
    const some = rows.slice(from, from + together).map((figures) => ({ id: newId(), figures }))
    await insertion.run(tx, { snapshot_id: snapshotId, period: as_of.slice(0, 7), rows: JSON.stringify(some) })
  }
}
