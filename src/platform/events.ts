import { sql } from 'kysely'
import { newId } from '../core/ids.ts'
import type { GatheredChange, Tx } from '../db/database.ts'
import { param, prepare, tenantParam } from '../db/prepared.ts'
import type { Telling } from '../db/sharing.ts'
import type { EventVerb } from './event-types.ts'
import type { AnyResource, Outcome } from './resource.ts'

export interface Change {
  resource: AnyResource
  id: string
  /** What happened, without the resource: `created`, `paused`. */
  verb: EventVerb
  /** The names of the members that changed; all of them for a new record. */
  changed?: readonly string[]
}

/**
 * Records a change: its event gets the tenant's next sequence at the very end of the transaction, together with the
 * record's representation, which is also the answer to the request.
 */
export function record(tx: Tx, { resource, id, verb, changed = [] }: Change): Outcome {
  const outcome: Outcome = { id, version: 0, body: '' }
  if (tx.gather) {
    tx.gather({ resource, id, verb, changed, outcome })
    return outcome
  }
  tx.atCommit(async () => {
    const [row] = await resource.record.run(tx, {
      id,
      event_id: newId(),
      type: `${resource.type}.${verb}`,
      changed: [...changed],
      actor: JSON.stringify(tx.actor),
      request_id: tx.requestId,
      occurred_at: tx.now,
    })
    if (!row) throw new Error(`${resource.type} ${id} was changed but cannot be read`)
    Object.assign(outcome, row)
  })
  return outcome
}

/** The representation of a record that a write left as it was: no event. */
export function unchanged(tx: Tx, resource: AnyResource, id: string): Outcome {
  const outcome: Outcome = { id, version: 0, body: '' }
  if (tx.gather) return outcome
  tx.atCommit(async () => {
    const [row] = await resource.one.run(tx, { id })
    if (!row) throw new Error(`${resource.type} ${id} cannot be read`)
    Object.assign(outcome, row)
  })
  return outcome
}

/** So many events leave in one statement. */
const together = 500

/**
 * Records changes that were gathered from many rows, at the very end of their transaction: records of one kind in one
 * statement. A record that several rows changed in the same way is told of once. All of it is sent when it is called,
 * so that it may go with the commit.
 */
export async function recordGathered(
  tx: Tx,
  changes: readonly GatheredChange[],
  { answers = false }: { answers?: boolean } = {},
): Promise<void> {
  const once = [...new Map(changes.map((change) => [`${change.verb} ${change.id}`, change])).values()]
  const sent: Promise<void>[] = []
  for (const [resource, ofKind] of Map.groupBy(once, (change) => change.resource as AnyResource)) {
    for (let from = 0; from < ofKind.length; from += together) {
      sent.push(recordMany(tx, resource, ofKind.slice(from, from + together), answers))
    }
  }
  await Promise.all(sent)
}

/** Tells of changes as above, and fills in what they left behind: the answers to those who asked for them. */
export const recordAndAnswer: Telling = (tx, changes) => recordGathered(tx, changes, { answers: true })

async function recordMany(
  tx: Tx,
  resource: AnyResource,
  changes: readonly GatheredChange[],
  answers: boolean,
): Promise<void> {
  // Most of many records were changed in the same way: what that was is told once.
  const kinds = new Map<string, number>()
  const kindOf = ({ verb, changed, requestId = tx.requestId }: GatheredChange) => {
    const name = JSON.stringify({ type: `${resource.type}.${verb}`, changed, request_id: requestId })
    const kind = kinds.get(name) ?? kinds.size
    kinds.set(name, kind)
    return kind
  }
  const written = await resource.recordMany.run(tx, {
    event_ids: changes.map(() => newId()),
    ids: changes.map(({ id }) => id),
    kinds: changes.map(kindOf),
    changes: JSON.stringify([...kinds].map(([name, kind]) => ({ kind, ...JSON.parse(name) }))),
    count: changes.length,
    actor: JSON.stringify(tx.actor),
    occurred_at: tx.now,
    answers,
  })
  if (written.length !== changes.length) throw new Error(`A ${resource.type} was changed but cannot be read`)
  if (!answers) return
  const byId = new Map(written.map((row) => [row.id, row]))
  for (const { id, outcome } of changes) if (outcome) Object.assign(outcome, byId.get(id))
}

const removal = prepare(sql`
  with counter as (
    update tenant_counters set event_sequence = event_sequence + 1 where tenant_id = ${tenantParam} returning event_sequence
  )
  insert into events (tenant_id, sequence, id, type, resource_type, resource_id, version, changed, actor, request_id, occurred_at)
  select ${tenantParam}, event_sequence, ${param('event_id')}::uuid, ${param('type')}, ${param('resource_type')},
    ${param('id')}::uuid, ${param('version')}::integer, '{}', ${param('actor')}::json, ${param('request_id')},
    ${param('occurred_at')}::timestamptz
  from counter
`)

/** Records that a record was deleted: its event has no representation. */
export function recordRemoval(tx: Tx, resource: AnyResource, id: string, version: number): void {
  tx.atCommit(async () => {
    await removal.run(tx, {
      id,
      event_id: newId(),
      type: `${resource.type}.deleted`,
      resource_type: resource.type,
      actor: JSON.stringify(tx.actor),
      request_id: tx.requestId,
      occurred_at: tx.now,
      version: version + 1,
    })
  })
}
