import { isDeepStrictEqual } from 'node:util'
import type { FastifyRequest } from 'fastify'
import type { TSchema } from 'typebox'
import type { IfMatch } from '../core/etag.ts'
import { mergePatch } from '../core/merge-patch.ts'
import { notFound, Problem } from '../core/problem.ts'
import { refsMax } from '../core/schemas.ts'
import type { Tx } from '../db/database.ts'
import { problemOf } from './faults.ts'
import { findByRef, isMadeByOthers } from './references.ts'
import { type Outcome, type Resource, refuseMoved } from './resource.ts'

/**
 * Locks a record and reads it as its clients see it: what a command decides on.
 * @throws Problem `not_found`, `stale` where the caller has seen another version, or Moved where it was merged away
 */
export async function loadForUpdate<Wire extends { version: number }>(
  tx: Tx,
  resource: Resource<Wire>,
  id: string,
  ifMatch?: IfMatch,
): Promise<Wire> {
  const row = await resource.hold(tx, id)
  if (!row) throw notFound()
  await refuseMoved(tx, resource, id, row.merged_into_id)
  ifMatch?.(row.version)
  return JSON.parse(row.body) as Wire
}

/** The names of the members in which two records differ. */
export function changedMembers<T extends object>(before: T, after: T): (keyof T & string)[] {
  const names = Object.keys(after) as (keyof T & string)[]
  return names.filter((name) => !isDeepStrictEqual(before[name], after[name]))
}

/** What a write makes of a record's writable members. */
export type Revision<Write> = (current: Write) => Write

/** The revision of a merge patch (RFC 7396); its result is checked against the writable schema. */
export function patchRevision<Write>(request: FastifyRequest, schema: TSchema, patch: unknown): Revision<Write> {
  return (current) => {
    const next = mergePatch(withoutRenamed(current, patch), patch)
    const validate = request.compileValidationSchema(schema as never, 'body')
    // Defaults stand in where a member was cleared.
    if (!validate(next)) throw problemOf((validate.errors ?? []) as never, 'body')
    return next as Write
  }
}

/** A patch that names another record by `…_ref` replaces the `…_id` that stands. */
function withoutRenamed(current: unknown, patch: unknown): unknown {
  const given = new Set(Object.keys((patch ?? {}) as object))
  const renamed = [...given].flatMap((name) => (name.endsWith('_ref') ? [name.replace(/_ref$/, '_id')] : []))
  const kept = Object.entries(current as object).filter(([name]) => !renamed.includes(name) || given.has(name))
  return Object.fromEntries(kept)
}

export interface Upsert {
  created: boolean
  outcome: Outcome
}

/**
 * Creates or replaces the record that has the client's own id; of many at once, one creates. What tells them apart is the
 * unique index of references, for single requests and for the rows of imports alike: who comes second waits there until
 * the first is done, is refused, and does its transaction again (a row of an import: its part of it), in which it finds
 * the record. So does who found a record that others remove, or merge into another.
 */
export async function upsertByRef(
  tx: Tx,
  type: string,
  { system, id: refId }: { system: string; id: string },
  write: { ifMatch: IfMatch; create: () => Promise<Outcome>; replace: (id: string) => Promise<Outcome> },
): Promise<Upsert> {
  const existing = await findByRef(tx, type, system, refId)
  const isMoved = async () =>
    existing === undefined
      ? isMadeByOthers(tx, type, system, refId)
      : existing !== (await findByRef(tx, type, system, refId))
  try {
    if (existing !== undefined) return { created: false, outcome: await write.replace(existing) }
    write.ifMatch(null)
    return { created: true, outcome: await write.create() }
  } catch (error) {
    const isRefused = error instanceof Problem && error.status < 500 && !tx.gather
    if (isRefused && (await isMoved())) throw new Overtaken()
    throw error
  }
}

/** Something that others did first; the code of Postgres for it has a transaction tried again. */
class Overtaken extends Error {
  readonly code = '40001'
}

/**
 * Rows of a batch are decided on beside each other: what two of them could break between them is asked again when all are
 * written. Where it is broken, each is tried by itself.
 */
export function askAgainInBatch(tx: Tx, isBroken: () => Promise<boolean>): void {
  if (!tx.isTogether) return
  tx.atCommit(async () => {
    if (await isBroken()) throw new Problem('rule_violated', 'Rows of a batch break a rule between them.')
  })
}

interface WireRef {
  system: string
  id: string
  url: string | null
}

/** External refs in their full form. */
export const completeRefs = (refs: readonly { system: string; id: string; url?: string | null }[] = []): WireRef[] =>
  refs.map(({ system, id, url }) => ({ system, id, url: url ?? null }))

/** The refs of a record that is written by one of them: that one is among them, in front where it is new. */
export function refsWith(
  own: { system: string; id: string },
  refs: readonly { system: string; id: string; url?: string | null }[],
): WireRef[] {
  const all = completeRefs(refs)
  return all.some((ref) => ref.system === own.system && ref.id === own.id)
    ? all
    : refsWithin([...completeRefs([own]), ...all])
}

/** Refs that came together: a record with more than a write may name could not be written any more. @throws Problem */
export function refsWithin<R extends readonly unknown[]>(refs: R): R {
  if (refs.length <= refsMax) return refs
  const detail = `A record has at most ${refsMax} references, with those that it had and the one that it is written by.`
  throw new Problem('rule_violated', detail, { errors: [{ pointer: '/external_refs', code: 'too_many', detail }] })
}
