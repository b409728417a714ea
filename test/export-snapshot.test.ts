import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { tables } from '../src/transfer/catalogue.ts'
import { formats } from '../src/transfer/forms.ts'
import { duckdb } from './support/duckdb.ts'
import { exported, fileOf, makeExports } from './support/exporting.ts'
import type { Json, Service } from './support/harness.ts'
import { startForAll } from './support/one-of-each.ts'
import { temporaryDirectory } from './support/temporary.ts'
import { stories } from './support/writers.ts'

// All tables of an export are of one moment, whatever is written meanwhile.

const number = 'decimal(38, 6)'
const entries = (confirmation: string) => `(
  select coalesce(sum(case when f.reversal_of is null then 1 else -1 end * coalesce(f.amount, f.quantity)::${number}), 0)
  from fulfilments f where f.commitment_id = c.id and f.confirmation = '${confirmation}')`
const ofPlan = (column: string) => `(
  select sum(i.${column}::${number}) from instalments i where i.commitment_id = c.id and i.superseded_on is null)`
const isScored = `r.status in ('closed', 'concluded')`

/** What two tables say of the same, as `a` and `b`: every text of every format. */
const agreements: Record<string, string> = {
  'what is delivered is the sum of the confirmed entries of the ledger': `
    select c.delivered::${number} as a, ${entries('confirmed')} as b from commitments c`,
  'what is reported is the sum of those that wait': `
    select c.reported::${number} as a, ${entries('reported')} as b from commitments c`,
  'instalments that count add up to what is promised': `
    select coalesce(c.amount, c.quantity)::${number} as a, ${ofPlan('measure')} as b from commitments c where b is not null`,
  'and what was replaced of them to what was replaced': `
    select c.replaced::${number} as a, ${ofPlan('replaced')} as b from commitments c where b is not null`,
  'what is replaced is what accepted substitutions say': `
    select c.replaced::${number} as a, coalesce((select sum(coalesce(s.amount, s.quantity)::${number}) from substitutions s
      where s.replaces_commitment_id = c.id and s.status = 'accepted'), 0) as b from commitments c`,
  'a reversal is of what its entry was': `
    select f.amount::${number} as a, o.amount::${number} as b from fulfilments f join fulfilments o on o.id = f.reversal_of`,
  'a partnership is in the state of the last step of its history': `
    select p.status as a, (select arg_max(h.to_status, h.version::integer) from partnership_status_history h
      where h.partnership_id = p.id) as b from partnerships p`,
  'it is paused while a pause of it lasts': `
    select p.status = 'paused' as a, exists (select 1 from pauses x
      where x.partnership_id = p.id and x.commitment_id is null and x.resumed_on is null) as b from partnerships p`,
  'it has its seats': `
    select 2 as a, (select count(*) from partnership_parties y where y.partnership_id = p.id) as b from partnerships p`,
  'who promises is who has the seat': `
    select c.from_organisation_id as a, y.organisation_id as b from commitments c
    join partnership_parties y on y.id = c.from_party_id`,
  'rounds that were closed have scores, and no others': `
    select ${isScored} as a, exists (select 1 from evaluation_scores s where s.evaluation_id = r.id) as b from evaluations r`,
  'scores say of their round what it says itself': `
    select s.status || s.closed_at as a, r.status || r.closed_at as b from evaluation_scores s
    join evaluations r on r.id = s.evaluation_id`,
  'each side of a closed round has a score of the whole': `
    select case when r.partnership_id is null then 1 else 2 end as a, (select count(*) from evaluation_scores s
      where s.evaluation_id = r.id and s.level = 'overall') as b from evaluations r where ${isScored}`,
  'a gap is the difference of two scores': `
    select g.gap::${number} as a, x.score::${number} - y.score::${number} as b from evaluation_gaps g
    left join evaluation_scores x on x.evaluation_id = g.evaluation_id and x.level = g.level and x.code = g.code
      and x.side = g.first_side
    left join evaluation_scores y on y.evaluation_id = g.evaluation_id and y.level = g.level and y.code = g.code
      and y.side = g.second_side`,
  'rounds that were concluded have decisions, and no others': `
    select r.status = 'concluded' as a, exists (select 1 from evaluation_decisions d where d.evaluation_id = r.id) as b
    from evaluations r`,
  'an assessment counts until the next one does': `
    select x.superseded_on as a, y.assessed_on as b from objective_links x join objective_links y on y.id = x.superseded_by_id`,
  'an impact is answered by a pause of its own disruption': `
    select i.disruption_id as a, x.disruption_id as b from disruption_impacts i join pauses x on x.id = i.response_pause_id`,
  'and its obligation is met by a round that was closed': `
    select i.evaluation_obligation = 'met' as a, ${isScored} as b from disruption_impacts i
    join evaluations r on r.id = i.response_evaluation_id`,
}

const service = await startForAll(t)
await makeExports(t, service)

/** Tells every story again and again. @returns what ends that */
function startWriters(t: Test): { end(): Promise<void> } {
  let isOver = false
  const writers = Object.entries(stories).map(async ([name, story]) => {
    for (let round = 1; !isOver; round += 1) await story(service, `${name} ${round}`)
  })
  const all = Promise.all(writers)
  all.catch(() => {})
  const end = async () => {
    isOver = true
    await all
  }
  t.teardown(end)
  return { end }
}

/** The tables of an export as DuckDB reads them, every value as text, and what its manifest says of them. */
async function loaded(t: Test, done: Json): Promise<{ resources: Json[]; duck: Awaited<ReturnType<typeof duckdb>> }> {
  const duck = await duckdb(t)
  const directory = await temporaryDirectory()
  t.teardown(() => rm(directory, { recursive: true }))
  const sources: Record<string, (path: string, columns: readonly string[]) => string> = {
    csv: (path) => `read_csv('${path}', all_varchar = true)`,
    ndjson: (path, columns) => `read_json('${path}', columns = {${columns.map((name) => `'${name}': 'varchar'`)}})`,
    parquet: (path) => `'${path}'`,
  }
  for (const { name } of done.files) await writeFile(join(directory, name), await fileOf(service, done, name))
  const { resources } = JSON.parse(String(await fileOf(service, done, 'datapackage.json')))
  t.strictSame(
    resources.map(({ name }: Json) => name),
    tables.map(({ name }) => name),
  )
  for (const { name, path, schema } of resources) {
    const columns = schema.fields.map((field: Json) => field.name)
    const source = sources[done.format]?.(join(directory, path), columns)
    await duck(`create table ${name} as select columns(*)::varchar from ${source}`)
  }
  return { resources, duck }
}

/** The last version that the feed gives of every record up to a position; 0 of one that is no more. */
async function versionsAt(client: Service, position: number): Promise<Map<string, number>> {
  const versions = new Map<string, number>()
  for (let after = 0; after < position; ) {
    const { data } = (await client.get(`/v1/events?after=${after}&limit=500`)).body
    for (const { sequence, type, resource_id, version } of data) {
      if (sequence <= position) versions.set(resource_id, type.endsWith('.deleted') ? 0 : version)
      after = sequence
    }
  }
  return versions
}

t.test('while others write, all tables are of one moment: every key resolves, and what they say agrees', async (t) => {
  for (const [name, story] of Object.entries(stories)) await story(service, `${name} 0`)
  const writers = startWriters(t)
  const made: Json[] = []
  for (const format of formats) {
    const done = await exported(service, { format })
    const { latest } = (await service.get(`/v1/events?after=${done.sequence}&limit=1`)).body
    t.ok(latest > done.sequence + 10, `${latest - done.sequence} changes were written meanwhile`)
    made.push(done)
  }
  await writers.end()

  for (const done of made) {
    const { format } = done
    const { resources, duck } = await loaded(t, done)
    const one = async (statement: string): Promise<Json> => (await duck(statement))[0] as Json
    const feed = await versionsAt(service, done.sequence)
    for (const { name, rows, schema } of resources) {
      const what = `${format} ${name}`
      const keys: Json[] = schema.foreignKeys ?? []
      const lost = keys.map(({ fields, reference }) => {
        const there = `select ${reference.fields} from ${reference.resource || name} where ${reference.fields} is not null`
        return `count(*) filter (where ${fields} is not null and ${fields} not in (${there}))::integer as ${fields}`
      })
      const { n, distinct_keys, ...unresolved } = await one(`select count(*)::integer as n,
        count(distinct (${schema.primaryKey.join(', ')}))::integer as distinct_keys, ${lost.join(', ')} from ${name}`)
      t.ok(rows > 0, `${what} has rows`)
      t.strictSame([n, distinct_keys], [rows, rows], `${what} has ${rows}, each with a key of its own`)
      t.strictSame(unresolved, Object.fromEntries(keys.map(({ fields }) => [fields, 0])), `${what}: its keys resolve`)
      if (!schema.fields.some((field: Json) => field.name === 'version') || schema.primaryKey[0] !== 'id') continue
      const records = await duck(`select id, version::integer as version from ${name}`)
      const other = records.filter(({ id, version }) => (feed.get(String(id)) ?? version) !== version)
      t.strictSame(other, [], `${what} is what the feed had told by then`)
    }
    for (const [what, statement] of Object.entries(agreements)) {
      const { n, wrong } = await one(`select count(*)::integer as n,
        (count(*) filter (where a is distinct from b))::integer as wrong from (${statement})`)
      t.ok(n > 0 && wrong === 0, `${format}: ${what}`, { n, wrong })
    }
  }
})
