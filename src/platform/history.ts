import { sql } from 'kysely'
import { type Static, Type } from 'typebox'
import { newId } from '../core/ids.ts'
import { date, instant, nullable, uuid } from '../core/schemas.ts'
import type { Tx } from '../db/database.ts'
import { compiler, param, prepare, tenantParam } from '../db/prepared.ts'
import { insertMany } from '../db/records.ts'
import { together } from '../db/together.ts'
import { byInstant, defineList, type List } from './lists.ts'

export interface StatusChange {
  /** The singular noun of the resource. */
  type: string
  id: string
  /** The version of the record after the change. */
  version: number
  from: string | null
  to: string
  /** The day it counts from, in the time zone of the partnership. */
  on: string
  decidedByPartyId?: string | null
  reason?: string | null
  /** The disruption that brought it about. */
  disruptionId?: string | null
  /** The amendment that changed the terms; the state is then the same before and after. */
  amendmentId?: string | null
}

const insertion = prepare(
  compiler.insertInto('status_changes').values({
    tenant_id: tenantParam,
    id: param<string>('entry_id'),
    resource_type: param<string>('type'),
    resource_id: param<string>('id'),
    version: param<number>('version'),
    from_status: param<string | null>('from'),
    to_status: param<string>('to'),
    changed_on: param<string>('on'),
    changed_at: param<string>('now'),
    decided_by_party_id: param<string | null>('decided_by_party_id'),
    reason: param<string | null>('reason'),
    actor: param<string>('actor'),
    disruption_id: param<string | null>('disruption_id'),
    amendment_id: param<string | null>('amendment_id'),
  }),
)

/**
 * Keeps what state a record was in since when, and who decided it; nothing of it is ever changed. It is sent when it is
 * called, so that it may also go with the commit.
 */
export async function recordStatusChange(tx: Tx, change: StatusChange): Promise<void> {
  await inserted(tx, change)
}

const insertedTogether = insertMany('status_changes', [
  ...['id', 'resource_type', 'resource_id', 'version', 'from_status', 'to_status', 'changed_on', 'changed_at'],
  ...['decided_by_party_id', 'reason', 'disruption_id', 'amendment_id', 'actor'],
])

const inserted = together(
  async (tx: Tx, change: StatusChange): Promise<void> => {
    const { decidedByPartyId = null, reason = null, disruptionId = null, amendmentId = null, ...values } = change
    await insertion.run(tx, {
      ...values,
      entry_id: newId(),
      decided_by_party_id: decidedByPartyId,
      reason,
      disruption_id: disruptionId,
      amendment_id: amendmentId,
      now: tx.now,
      actor: JSON.stringify(tx.actor),
    })
  },
  async (tx, changes) => {
    const rows = changes.map((change) => ({
      id: newId(),
      resource_type: change.type,
      resource_id: change.id,
      version: change.version,
      from_status: change.from,
      to_status: change.to,
      changed_on: change.on,
      changed_at: tx.now,
      decided_by_party_id: change.decidedByPartyId,
      reason: change.reason,
      disruption_id: change.disruptionId,
      amendment_id: change.amendmentId,
      actor: tx.actor,
    }))
    await insertedTogether(tx, rows)
    return changes.map(() => undefined)
  },
)

const HistoryActor = Type.Object(
  { type: Type.String({ examples: ['api_key'] }), id: nullable(Type.String()) },
  { $id: 'HistoryActor', description: 'Whose credential recorded it' },
)

export const HistoryEntry = Type.Object(
  {
    id: uuid(),
    version: Type.Integer({ minimum: 1, description: 'The version of the record after the change' }),
    from_status: nullable(Type.String({ description: 'Null where the record began', examples: ['proposed'] })),
    to_status: Type.String({ examples: ['active'] }),
    changed_on: date({ description: 'The day from which the state counts' }),
    changed_at: instant({ description: 'When it was recorded here' }),
    decided_by_party_id: nullable(uuid({ description: 'The party whose decision it was' })),
    reason: nullable(Type.String()),
    disruption_id: nullable(uuid({ description: 'The disruption that brought it about' })),
    amendment_id: nullable(uuid({ description: 'The amendment that changed the terms; the state stays as it was' })),
    actor: Type.Unsafe<Static<typeof HistoryActor>>({ $ref: 'HistoryActor#' }),
  },
  { $id: 'HistoryEntry', description: 'One change of the state of a record, or of its agreed terms' },
)

export const historySchemas = [HistoryActor, HistoryEntry]

const view = compiler
  .selectFrom('status_changes as r')
  .select([
    'r.id',
    'r.version',
    'r.from_status',
    'r.to_status',
    'r.changed_on',
    'r.changed_at',
    'r.decided_by_party_id',
    'r.reason',
    'r.disruption_id',
    'r.amendment_id',
    'r.actor',
  ])

/** The history of one record, oldest first; its value is `<type>_id`, such as `partnership_id`. */
export const historyOf = (type: string): List =>
  defineList({
    name: `${type}_history`,
    item: HistoryEntry,
    view,
    sorts: { changed_at: byInstant('changed_at') },
    defaultSort: 'changed_at',
    filters: {},
    within: sql<boolean>`r.resource_type = ${sql.lit(type)} and r.resource_id = ${param(`${type}_id`)}::uuid`,
  })
