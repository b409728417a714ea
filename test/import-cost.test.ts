import t from 'tap'
import { systemClock } from '../src/core/clock.ts'
import { readTx } from '../src/db/builder.ts'
import { type Tx, wholeTenant } from '../src/db/database.ts'
import { serviceRole } from '../src/db/pool.ts'
import { type ImportState, personsForget, rowsToDo, waitingRefuse } from '../src/transfer/imports/store.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import { importFile, startImports } from './support/imports.ts'
import { owner } from './support/requests.ts'

// What an import costs, in rows that Postgres looks at: so many for each row of the file, however long it is.

const shared = await startService(t)
await startImports(t, shared)

/** The rows that the parts of a plan, as it was run, gave and left out. */
function rowsOf(node: Json): number {
  const left = Object.keys(node).filter((name) => name.startsWith('Rows Removed by'))
  const each = ['Actual Rows', ...left].reduce((sum, name) => sum + node[name], 0)
  const parts: Json[] = node['Plans'] ?? []
  return each * node['Actual Loops'] + parts.reduce((sum, part) => sum + rowsOf(part), 0)
}

/** A transaction whose statements are run to tell of their plans. @returns how many rows they looked at */
async function rowsLookedAt({ url, tenantId }: Service, work: (tx: Tx) => Promise<void>): Promise<number> {
  const client = await owner(t, url)
  await client.query(`set role ${serviceRole}`)
  await client.query("select set_config('beide.tenant_id', $1, false)", [tenantId])
  let looked = 0
  const query = async ({ text, values }: { text: string; values: unknown[] }) => {
    const told = await client.query(`explain (analyze, format json) ${text}`, values)
    looked += rowsOf(told.rows[0]['QUERY PLAN'][0]['Plan'])
    return { command: 'UPDATE', rowCount: 0, rows: [] }
  }
  const tx = Object.assign(readTx({ query } as never, wholeTenant(tenantId)), { now: systemClock.now() })
  await work(tx as Tx)
  await client.end()
  return looked
}

/** A file of which a third of the rows are refused, a third of persons, and a third neither. */
const fileOf = (thirds: number, organisation_id: string): object[] =>
  Array.from({ length: thirds }, (_, at) => {
    const members = (what: string) => ({
      external_refs: [{ system: 'crm', id: `${what} ${at}` }],
      name: `Number ${at}`,
    })
    return [
      { type: 'organisation', ...members('refused') },
      { type: 'contact', organisation_id, function: 'other', ...members('contact') },
      { type: 'organisation', sector: 'company', ...members('good') },
    ]
  }).flat()

/** What Postgres knows of the rows: nothing, what there was before the import, or all. */
const knowledge = ['no statistics', 'statistics from before', 'statistics of its own'] as const

/** What an import of such a file costs. */
async function costsOf(thirds: number, known: (typeof knowledge)[number]): Promise<{ ofBatch: number; ofEnd: number }> {
  const service = await shared.afresh()
  const client = await owner(t, service.url)
  const measure = () => client.query('analyze import_rows, import_results')
  for (const table of ['import_rows', 'import_results']) {
    await client.query(`alter table ${table} set (autovacuum_enabled = off)`)
  }
  const { id: organisation_id } = await service.make('/v1/organisations', { name: 'Doel', sector: 'non_profit' })
  if (known === 'statistics from before') {
    await importFile(service, fileOf(600, organisation_id))
    await measure()
  }
  const made = await importFile(service, fileOf(thirds, organisation_id))
  t.match(made, { status: 'finished', invalid: thirds })
  if (known === 'statistics of its own') await measure()
  if (known === 'no statistics') {
    await client.query(
      `delete from pg_statistic where starelid in ('import_rows'::regclass, 'import_results'::regclass)`,
    )
  }
  const state = { id: made.id, phase: 2, round: 1, done_to: null } as ImportState
  return {
    ofBatch: await rowsLookedAt(service, async (tx) => {
      await rowsToDo(tx, state, { limit: 10, bytes: 1_000_000 })
    }),
    ofEnd: await rowsLookedAt(service, async (tx) => {
      await waitingRefuse(tx, made.id)
      await personsForget(tx, made.id)
    }),
  }
}

for (const known of knowledge) {
  t.test(`each row is looked at a few times, with ${known}`, async (t) => {
    for (const thirds of [60, 600]) {
      const { ofBatch, ofEnd } = await costsOf(thirds, known)
      t.ok(ofBatch >= 10, `a batch of 10 looks at ${ofBatch} of ${3 * thirds}: its own at least`)
      // A short file Postgres may read whole, and sort: a few times its rows, which is cheap.
      const most = thirds === 60 ? 4 * 3 * thirds : 100
      t.ok(ofBatch <= most, `a batch of 10 looks at ${ofBatch} of ${3 * thirds}: every third is of its kind`)
      const times = ofEnd / (3 * thirds)
      t.ok(times > 0.5, `the end: ${times} times in ${3 * thirds} rows: those that are blanked at least`)
      t.ok(times < 10, `the end: ${times} times in ${3 * thirds} rows`)
    }
  })
}
