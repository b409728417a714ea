import { Problem } from '../../core/problem.ts'
import type { GatheredChange, Tx } from '../../db/database.ts'
import { Ambiguous, takenBy, type Work, workOf, writeRow } from './kinds.ts'
import type { ImportState, RowResult, RowToDo } from './store.ts'

/** What a batch did: what became of its rows, and the changes to tell of. */
export interface BatchDone {
  results: RowResult[]
  changes: GatheredChange[]
}

interface RowDone {
  result: RowResult
  changes: GatheredChange[]
}

type Attempt = { work: Work; done: RowDone } | { work: Work; problem: Problem }

/** What ends a transaction rather than a row of it: it is tried again, or the job is. */
const notOfTheRow = /^(40001|40P01|57|53|08|25P03)/

/** Rows that were read and checked against the contract: that needs no database, and may be done ahead. */
export interface Prepared {
  rows: readonly RowToDo[]
  works: readonly Work[]
  refused: readonly RowResult[]
  /** What its rows are known by. */
  names: ReadonlySet<string>
}

export function prepareRows(
  state: Pick<ImportState, 'format' | 'facts' | 'scopes'>,
  rows: readonly RowToDo[],
): Prepared {
  const refused: RowResult[] = []
  const works: Work[] = []
  for (const row of rows) {
    try {
      works.push(workOf(row, state.format, state.facts, state.scopes))
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      refused.push(refusal(row.id, error))
    }
  }
  return { rows, works, refused, names: new Set(works.flatMap(({ names }) => names)) }
}

/**
 * Writes rows within one transaction. They are tried all at once, for most files are good and their statements then
 * travel together; where one is refused, the good ones are done again together, and the refused by themselves, each
 * behind a savepoint.
 */
export async function runBatch(tx: Tx, prepared: Prepared): Promise<BatchDone> {
  return doneWith(prepared, await writeAll(tx, prepared.works))
}

/** Writes rows all at once, or tells that one of them is refused: then nothing of any of them stays. */
export async function runGood(tx: Tx, prepared: Prepared): Promise<BatchDone | undefined> {
  const attempts = await together(tx, prepared.works)
  if (!attempts.every((one) => 'done' in one)) return undefined
  const dones = attempts.map(({ done }) => done)
  return doneWith(prepared, dones)
}

function doneWith({ rows, refused }: Prepared, dones: readonly RowDone[]): BatchDone {
  const byRow = new Map([...refused, ...dones.map(({ result }) => result)].map((result) => [result.row_id, result]))
  return {
    results: rows.map(({ id }) => byRow.get(id) as RowResult),
    changes: dones.flatMap(({ changes }) => changes),
  }
}

/** True where no row of one batch is known by a reference of a row of the other. */
export function areApart(one: Prepared, other: Prepared): boolean {
  return other.works.every(({ names }) => names.every((name) => !one.names.has(name)))
}

/** The longest beginning of a list of rows in which no record stands twice: each change gets a version of its own. */
export function untilRepeated(rows: readonly RowToDo[]): readonly RowToDo[] {
  const seen = new Set<string>()
  const end = rows.findIndex(({ payload }) => {
    const ref = /"external_refs"\s*:\s*\[\s*\{[^{}]*\}/.exec(payload ?? '')?.[0]
    if (ref === undefined) return false
    const isRepeated = seen.has(ref)
    seen.add(ref)
    return isRepeated
  })
  return end < 0 ? rows : rows.slice(0, end)
}

async function writeAll(tx: Tx, works: readonly Work[]): Promise<RowDone[]> {
  if (works.length === 0) return []
  const first = await together(tx, works)
  if (first.every((attempt) => 'done' in attempt)) return first.map(({ done }) => done)
  const good = first.filter((attempt) => 'done' in attempt).map(({ work }) => work)
  const again = good.length > 0 && good.length < works.length ? await together(tx, good) : undefined
  const isGood = again?.every((attempt) => 'done' in attempt)
  const dones = isGood ? (again as { done: RowDone }[]).map(({ done }) => done) : []
  const done = new Set(dones.map(({ result }) => result.row_id))
  for (const work of works) if (!done.has(work.row.id)) dones.push(await alone(tx, work))
  return dones
}

/** Tries rows all at once, lanes beside each other; where one is refused nothing of any of them stays. */
async function together(tx: Tx, works: readonly Work[]): Promise<Attempt[]> {
  await tx.client.query('savepoint batch')
  const lanes = [...Map.groupBy(works, ({ lane }) => lane).values()]
  const ends: (() => Promise<void>)[] = []
  const beside: Tx = { ...tx, isTogether: true }
  const attempts = (
    await Promise.all(
      lanes.map(async (lane) => {
        const attempts: Attempt[] = []
        for (const work of lane) attempts.push(await attempt(beside, work, ends))
        return attempts
      }),
    )
  ).flat()
  const isGood = attempts.every((one) => 'done' in one) && (await ended(ends))
  if (isGood) {
    await tx.client.query('release savepoint batch')
    return attempts
  }
  await tx.client.query('rollback to savepoint batch')
  // The fault of an end is nobody's: each row is tried by itself.
  return attempts.some((one) => 'problem' in one)
    ? attempts
    : works.map((work) => ({ work, problem: new Problem('internal', 'Tried again by itself') }))
}

async function ended(ends: readonly (() => Promise<void>)[]): Promise<boolean> {
  const outcomes = await Promise.allSettled(ends.map((end) => end()))
  for (const outcome of outcomes) if (outcome.status === 'rejected') rethrow(outcome.reason)
  return outcomes.every(({ status }) => status === 'fulfilled')
}

/** Writes a row behind a savepoint. */
async function alone(tx: Tx, work: Work): Promise<RowDone> {
  await tx.client.query('savepoint a_row')
  const ends: (() => Promise<void>)[] = []
  let tried = await attempt(tx, work, ends)
  if ('done' in tried) {
    try {
      // One after another: the first that fails says why.
      for (const end of ends) await end()
      await tx.client.query('release savepoint a_row')
      return tried.done
    } catch (error) {
      tried = { work, problem: problemOf(error) }
    }
  }
  await tx.client.query('rollback to savepoint a_row')
  const { problem } = tried
  const { row, ref } = work
  const candidates = problem.code === 'duplicate' ? await takenBy(tx, work) : undefined
  return { result: { ...refusal(row.id, problem, candidates), ref: { system: ref.system, id: ref.id } }, changes: [] }
}

async function attempt(tx: Tx, work: Work, ends: (() => Promise<void>)[]): Promise<Attempt> {
  const changes: GatheredChange[] = []
  const ofRow: Tx = {
    ...tx,
    atCommit: (run) => void ends.push(run),
    gather: (change) => void changes.push(change),
  }
  try {
    const { created, outcome } = await writeRow(ofRow, work)
    const { system, id } = work.ref
    const became = created ? 'created' : changes.some((change) => change.id === outcome.id) ? 'updated' : 'unchanged'
    const result = { row_id: work.row.id, outcome: became, ref: { system, id }, resource_id: outcome.id } as const
    return { work, done: { result, changes } }
  } catch (error) {
    return { work, problem: problemOf(error) }
  }
}

/** @throws what is not the fault of a row */
function problemOf(error: unknown): Problem {
  if (error instanceof Problem && error.status < 500) return error
  rethrow(error)
  const { constraint } = error as { constraint?: string }
  const detail = `The row breaks a rule of the database${constraint ? ` (${constraint})` : ''}.`
  return new Problem('rule_violated', detail, { cause: error })
}

function rethrow(error: unknown): void {
  if (error instanceof Problem && error.status < 500) return
  const code = (error as { code?: unknown }).code
  // A statement that only came after a failed one says nothing; a fault of our own ends the job loudly.
  if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code) || notOfTheRow.test(code)) throw error
}

function refusal(rowId: string, problem: Problem, taken?: readonly string[]): RowResult {
  const faults = problem.errors?.length
    ? problem.errors
    : [{ pointer: '', code: problem.code, detail: problem.message }]
  const candidates = problem instanceof Ambiguous ? problem.candidates : taken
  return { row_id: rowId, outcome: outcomeOf(problem), faults, candidates }
}

function outcomeOf({ code, errors = [] }: Problem): RowResult['outcome'] {
  if (code === 'duplicate' || code === 'ambiguous_ref') return 'ambiguous'
  // What it names may come with a later row.
  return errors.some((fault) => fault.code === 'unknown_reference') ? 'waiting' : 'invalid'
}
