import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import t from 'tap'
import { duckdb } from './support/duckdb.ts'
import { exported, fileOf, makeExports } from './support/exporting.ts'
import { type Json, startService } from './support/harness.ts'
import {
  closedReadiness,
  conclusion,
  individualRound,
  openRound,
  partnershipOf,
  respond,
  review,
  roundIn,
  stepRound,
} from './support/rounds.ts'

// What analysts are given of rounds is what the service itself answers of each, whoever answered them.

const count = Number(process.env['EVALUATION_ROUNDS'] ?? 40)
const lanes = 4
// 2,000 rounds take ten minutes or more.
t.setTimeout(1_800_000)
let service = await startService(t)

/** Numbers that look random and are the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 16) % below
  }
}

/** Answers to all items, some of them not applicable. */
const answersBy = (next: (below: number) => number): Json[] =>
  review.items.flatMap(({ code, minimum, maximum }): Json[] => {
    if (minimum === null || maximum === null) return []
    if (next(12) === 0) return [{ item_code: code, not_applicable: true }]
    return [{ item_code: code, score: minimum + next(maximum - minimum + 1) }]
  })

/** Holds a round: of every two one that persons answer, of whom now and then too few do. */
async function held(partnership: Json, at: number): Promise<string> {
  const next = numbers(at + 1)
  if (at % 2 === 0) {
    const round = await openRound(service, partnership)
    for (const party of partnership.parties) if (next(8) > 0) await respond(service, round, party, answersBy(next))
    const { body } = await service.get(`/v1/evaluations/${round.id}`)
    if (body.status === 'open') await stepRound(service, body, 'close')
    return round.id
  }
  const { round, tokens } = await individualRound(service, partnership, { company: 3, non_profit: 4 })
  for (const token of Object.values(tokens).flat()) {
    if (next(10) === 0) continue
    const answers = answersBy(next)
    const { status, text } = await service.call('POST', `/v1/answers/${token}/submit`, { answers }, { key: null })
    if (status !== 200) throw new Error(text)
  }
  const { body } = await service.get(`/v1/evaluations/${round.id}`)
  if (body.status === 'open') await stepRound(service, body, 'close')
  return round.id
}

const plain = (value: unknown): string | null => {
  if (value === null || value === undefined || value === '') return null
  const text = String(value)
  return /^-?\d+[.]\d+$/.test(text) ? text.replace(/[.]?0+$/, '') : text
}
const line = (values: unknown[]): string => JSON.stringify(values.map(plain))

t.test('scores and gaps of rounds in every export are those that the service answers', async (t) => {
  const expected = { scores: [] as string[], gaps: [] as string[] }
  let withheld = 0
  const answered = async (partnership: Json, at: number): Promise<void> => {
    const id = await held(partnership, at)
    const { scores, gaps } = (await service.get(`/v1/evaluations/${id}/scores`)).body
    for (const row of scores) {
      const { side, level, code, dimension, n, score, spread, suppression_reason } = row
      if (suppression_reason) withheld += 1
      expected.scores.push(line([id, side, level, code, dimension, n, score, spread, suppression_reason]))
    }
    for (const { level, code, sides, gap, is_flagged, suppression_reason } of gaps) {
      expected.gaps.push(line([id, sides[0], sides[1], level, code, gap, is_flagged, suppression_reason]))
    }
  }
  // Several partnerships hold their rounds at the same time.
  const lane = async (first: number): Promise<void> => {
    const partnership = await partnershipOf(service)
    for (let at = first; at < count; at += lanes) await answered(partnership, at)
  }
  await Promise.all(Array.from({ length: lanes }, (_, first) => lane(first)))
  t.ok(withheld > 0, `${withheld} of ${expected.scores.length} scores are withheld`)
  const duck = await duckdb(t)
  const directory = t.testdir({})
  const read: Record<string, (table: string) => Promise<Json[]>> = {
    csv: async (table) => parse((await service.get(`/v1/exports/${table}.csv`)).text, { columns: true }),
    ndjson: async (table) =>
      (await service.get(`/v1/exports/${table}.ndjson`)).text
        .split('\n')
        .flatMap((text) => (text === '' ? [] : [JSON.parse(text)])),
    parquet: async (table) => {
      const headers = { authorization: `Bearer ${service.key}` }
      const { rawPayload } = await service.app.inject({ url: `/v1/exports/${table}.parquet`, headers })
      const file = join(directory, `${table}.parquet`)
      await writeFile(file, rawPayload)
      return duck(`select * from read_parquet('${file}')`)
    },
  }
  for (const [format, rowsOf] of Object.entries(read)) {
    const scores = (await rowsOf('evaluation_scores')).map((row) =>
      line([
        row.evaluation_id,
        row.side,
        row.level,
        row.code,
        row.dimension,
        row.n,
        row.score,
        row.spread,
        row.suppression_reason,
      ]),
    )
    t.strictSame(scores.sort(), expected.scores.sort(), `${format}: ${scores.length} scores`)
    const gaps = (await rowsOf('evaluation_gaps')).map((row) =>
      line([
        row.evaluation_id,
        row.first_side,
        row.second_side,
        row.level,
        row.code,
        row.gap,
        row.is_flagged,
        row.suppression_reason,
      ]),
    )
    t.strictSame(gaps.sort(), expected.gaps.sort(), `${format}: ${gaps.length} gaps`)
  }
})

t.test('gaps are narrowed to the rounds to which scores are', async (t) => {
  service = await service.afresh()
  const [first, second] = [await partnershipOf(service), await partnershipOf(service)]
  const rounds = [await held(first, 0), await held(second, 0)]
  const { body: closed } = await service.get(`/v1/evaluations/${rounds[1]}`)
  await stepRound(service, closed, 'conclude', conclusion)
  const roundsOf = async (table: string, query: string): Promise<string[]> => {
    const rows: Json[] = parse((await service.get(`/v1/exports/${table}.csv?${query}`)).text, { columns: true })
    return [...new Set(rows.map(({ evaluation_id }) => evaluation_id))].sort()
  }
  const { closed_at, kind } = closed
  const moment = encodeURIComponent(closed_at)
  for (const [query, expected] of [
    ['status=concluded', rounds.slice(1)],
    ['status=closed', rounds.slice(0, 1)],
    [`kind=${kind}`, [...rounds].sort()],
    ['kind=exit', []],
    [`closed_before=${moment}`, rounds.slice(0, 1)],
    [`closed_since=${moment}`, rounds.slice(1)],
    [`partnership_id=${first.id}`, rounds.slice(0, 1)],
  ] as const) {
    for (const table of ['evaluation_scores', 'evaluation_gaps']) t.same(await roundsOf(table, query), expected, query)
  }
  t.same(await roundsOf('evaluation_gaps', 'level=item,overall'), [...rounds].sort())
  const refused = await service.get('/v1/exports/evaluation_gaps.csv?level=prediction')
  t.equal(refused.status, 400, 'no gap is of a prediction')
})

t.test('what an organisation has a part in is exported as it is listed', async (t) => {
  service = await service.afresh()
  await makeExports(t, service)
  const partnership = await partnershipOf(service)
  const organisation = { id: partnership.parties[1].organisation_id }
  const judged = await roundIn(service, partnership, 'concluded')
  const ready = await stepRound(service, await closedReadiness(service, organisation), 'conclude', conclusion)
  const elsewhere = await partnershipOf(service)
  await roundIn(service, elsewhere, 'concluded')
  await closedReadiness(service, { id: elsewhere.parties[1].organisation_id })
  const roundsOf = (csv: string | Buffer): string[] => {
    const rows: Json[] = parse(csv, { columns: true })
    return [...new Set(rows.map((row) => row.evaluation_id ?? row.id))].sort()
  }
  const both = [judged.id, ready.id].sort()
  const expected: Json = {
    evaluations: both,
    evaluation_scores: both,
    evaluation_gaps: [judged.id],
    evaluation_decisions: both,
  }
  const tables = Object.keys(expected)
  const of = { organisation_id: organisation.id }
  const filters = Object.fromEntries(tables.map((table) => [table, of]))
  const ordered = await exported(service, { format: 'csv', tables, filters })
  for (const table of tables) {
    const { text } = await service.get(`/v1/exports/${table}.csv?organisation_id=${organisation.id}`)
    t.strictSame(roundsOf(text), expected[table], table)
    t.strictSame(roundsOf(await fileOf(service, ordered, `${table}.csv`)), expected[table], `${table}, ordered`)
  }
  const listed = async (list: string): Promise<Json[]> =>
    (await service.get(`/v1/${list}?organisation_id=${organisation.id}`)).body.data
  t.strictSame((await listed('evaluations')).map(({ id }) => id).sort(), both)
  t.strictSame((await listed('evaluation-decisions')).map(({ evaluation_id }) => evaluation_id).sort(), both)
  const dated = ['evaluation_scores', 'evaluation_gaps']
  const narrowed = { evaluation_scores: of, evaluation_gaps: of }
  const today = judged.closed_at.slice(0, 10)
  const then = await exported(service, { format: 'csv', tables: dated, as_of: today, filters: narrowed })
  for (const table of dated) {
    t.strictSame(roundsOf(await fileOf(service, then, `${table}.csv`)), expected[table], `${table}, as of a day`)
  }
})
