import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { takeSnapshot } from '../src/resources/portfolio-snapshots/commands.ts'
import { tables } from '../src/transfer/catalogue.ts'
import type { Column } from '../src/transfer/columns.ts'
import { duckdb } from './support/duckdb.ts'
import { exported, fileOf, makeExports } from './support/exporting.ts'
import type { Json } from './support/harness.ts'
import { oneOfEach, startForAll } from './support/one-of-each.ts'
import { answersWith, individualRound } from './support/rounds.ts'
import { programFor, run, snippetsOf } from './support/snippets.ts'
import { temporaryDirectory } from './support/temporary.ts'
import { organisation, stepOf } from './support/world.ts'

// Exports as programs read them that know nothing of this service.

const service = await startForAll(t)
const ours = await oneOfEach(service)
await enrich()
await makeExports(t, service)
const directory = await temporaryDirectory()
t.teardown(() => rm(directory, { recursive: true }))
const client = new pg.Client({ connectionString: service.url })
await client.connect()
t.teardown(() => client.end())
await client.query("select set_config('beide.tenant_id', $1, false)", [service.tenantId])

const whole: Record<string, Json> = {}
for (const format of ['csv', 'parquet']) whole[format] = await kept({ format }, format)

/** Orders an export. @returns it, with its files in a folder */
async function kept(order: object, folder: string): Promise<Json> {
  const done = await exported(service, order)
  await mkdir(join(directory, folder), { recursive: true })
  for (const { name } of done.files) await writeFile(join(directory, folder, name), await fileOf(service, done, name))
  return done
}

/** What one of each leaves out: numbers in every column that may have one. */
async function enrich(): Promise<void> {
  const { body: partnership } = await service.get(`/v1/partnerships/${ours['partnerships']}`)
  const [giver, receiver] = partnership.parties
  const numbers = {
    identifiers: [{ scheme: 'NL-KVK', value: '01234567' }],
    alternate_names: ['Ons Doel, "de club"\n=1+1'],
  }
  await service.call('PATCH', `/v1/organisations/${ours['organisations']}`, numbers, { ifMatch: '*' })
  const hours = await service.make('/v1/commitments', {
    partnership_id: partnership.id,
    from_party_id: receiver.id,
    to_party_id: giver.id,
    kind: 'volunteer_time',
    title: '"Uren", in te vullen',
    measure: { type: 'quantity', quantity: '12.50', unit: 'hour' },
    valuations: ['250.00', '300.10'].map((amount) => ({
      money: { amount, currency: 'EUR' },
      basis: 'agreed',
      declared_by: 'giver',
      valued_on: '2026-01-01',
    })),
    schedule: { frequency: 'monthly', starts_on: '2026-01-31', count: 3 },
    in_return_for: [ours['commitments']],
    status: 'agreed',
    agreed_on: '2026-01-01',
    taken_over: { on: '2026-01-01', from_system: 'tests' },
  })
  const delivery = await service.make(`/v1/commitments/${hours.id}/fulfilments`, {
    delivered_on: '2026-02-03',
    measure: { type: 'quantity', quantity: '5.25', unit: 'hour' },
    reach: { audience: 5_000_000_000, countries: ['NL'] },
    reported_by_party_id: receiver.id,
  })
  await stepOf(service, `/v1/fulfilments/${delivery.id}`, 'confirm', { party_id: giver.id })
  await stepOf(service, `/v1/partnerships/${partnership.id}`, 'pause', {
    reason: 'solidarity',
    initiated_by_party_id: giver.id,
    // Nanoseconds of pandas end in 2262.
    review_on: '9999-12-31',
  })
  const { tokens } = await individualRound(service, partnership, { company: 3, non_profit: 3 })
  for (const [at, token] of Object.values(tokens).flat().entries()) {
    const answers = { answers: answersWith(at % 5) }
    const { status, text } = await service.call('POST', `/v1/answers/${token}/submit`, answers, { key: null })
    if (status !== 200) throw new Error(text)
  }
  const caller = { ...service, actor: { type: 'system', id: null }, scopes: ['admin'], requestId: 'tests' } as const
  const due = { organisation_id: partnership.parties[1].organisation_id, as_of: '2026-12-31' }
  await takeSnapshot(service.database, { ...caller, now: new Date().toISOString() }, due)
}

const ledger = (confirmation: string) => `coalesce((select sum(
  case when f.reversal_of is null then 1 else -1 end * coalesce(f.amount, f.quantity)) from fulfilments f
  where f.tenant_id = r.tenant_id and f.commitment_id = r.id and f.confirmation = '${confirmation}'), 0)`
const stands = 'coalesce(r.amount, r.quantity) - r.skipped - r.replaced'
const figure = (path: string, type = 'numeric') => `(r.figures #>> '{${path}}')::${type}`

/** What SQL over the tables of the service itself has in the place of a table, and of columns that no table has. */
const otherwise: Record<string, { from?: string; columns?: Record<string, string> }> = {
  partnership_status_history: { from: `status_changes r where r.resource_type = 'partnership'` },
  commitments: {
    from: `commitments r cross join lateral (select ${ledger('confirmed')} as sum) l where true`,
    columns: {
      delivered: 'l.sum',
      reported: ledger('reported'),
      outstanding: `case when r.status in ('agreed', 'paused', 'lapsed') then greatest(${stands} - l.sum, 0) else 0 end`,
      fulfilment_rate: `case when r.status not in ('draft', 'proposed', 'declined')
        then trunc(least(l.sum, ${stands}) / nullif(${stands}, 0), 4) end`,
    },
  },
  instalments: {
    columns: { open: `case when r.state = 'scheduled' then r.measure - r.replaced - r.settled else 0 end` },
  },
  fulfilments: { columns: { reach_audience: `(r.reach ->> 'audience')::bigint` } },
  substitutions: { columns: { value_difference_amount: `(r.value_difference ->> 'amount')::numeric` } },
  evaluation_scores: {
    from: `evaluation_scores r join evaluations e on e.tenant_id = r.tenant_id and e.id = r.evaluation_id
      where e.status in ('closed', 'concluded')`,
    columns: { template_version: 'e.template_version' },
  },
  evaluation_gaps: {
    from: `evaluation_scores r join evaluation_scores o using (tenant_id, evaluation_id, level, code)
      where r.side = 'company' and o.side = 'non_profit' and r.level <> 'prediction'`,
    columns: { gap: 'r.score - o.score', suppression_reason: 'coalesce(r.suppression_reason, o.suppression_reason)' },
  },
  portfolio_snapshots: {
    from: 'portfolio_snapshot_rows r where true',
    columns: {
      fulfilment_rate: figure('fulfilment,rate'),
      kept_as_promised: figure('fulfilment,kept_as_promised'),
      due: figure('fulfilment,due,amount'),
      late: figure('fulfilment,late,amount'),
      outstanding: figure('outstanding,value,amount'),
      reciprocity_promised: figure('reciprocity,promised'),
      reciprocity_delivered: figure('reciprocity,delivered'),
      score: figure('scores,score'),
      overall_gap: figure('scores,gap'),
      lowest_score: figure('scores,lowest_score'),
      widest_gap: figure('scores,widest_gap'),
      fit: figure('strategy,fit'),
      fit_change: figure('strategy,change'),
      breadth: figure('strategy,breadth'),
      evaluation_overdue_days: figure('evaluation,overdue_days'),
      open_impacts: figure('open_impacts'),
    },
  },
}

type Sum = (column: string) => string
/** The sum of a column, which is counted where it is no number: in Postgres, and in DuckDB. */
const sums: Partial<Record<Column['type'], { postgres: Sum; duck: Sum }>> = {
  decimal: { postgres: (x) => `trim_scale(sum(${x}))`, duck: (x) => `sum(${x}::decimal(38, 6))` },
  integer: { postgres: (x) => `sum(${x})`, duck: (x) => `sum(${x}::bigint)` },
  date: { postgres: (x) => `sum(${x} - date '2000-01-01')`, duck: (x) => `sum(${x}::date - date '2000-01-01')` },
  text: { postgres: (x) => `sum(octet_length(${x}))`, duck: (x) => `sum(strlen(${x}))` },
  code: { postgres: (x) => `sum(octet_length(${x}))`, duck: (x) => `sum(strlen(${x}))` },
  instant: {
    postgres: (x) => `trim_scale(sum(extract(epoch from ${x}) * 1000000))`,
    duck: (x) => `sum(epoch_us(${x}::timestamptz))`,
  },
  boolean: { postgres: (x) => `count(*) filter (where ${x})`, duck: (x) => `count(*) filter (where ${x}::boolean)` },
  uuid: { postgres: (x) => `count(${x})`, duck: (x) => `count(${x}::uuid)` },
}

/** Rows and sums of every table, by SQL of this test's own over the tables of the service. */
async function bySql(): Promise<Record<string, Json>> {
  const { rows } = await client.query(`select table_name || '.' || column_name as name from information_schema.columns`)
  const known = new Set(rows.map(({ name }) => name))
  const expected: Record<string, Json> = {}
  for (const { name, columns } of tables) {
    const { from = `${name} r where true`, columns: own = {} } = otherwise[name] ?? {}
    const base = from.split(' ')[0]
    const selected = Object.entries(columns).flatMap(([column, { type }]) => {
      const value = own[column] ?? (known.has(`${base}.${column}`) ? `r.${column}` : undefined)
      const sum = sums[type]
      if (sum && value) return [`${sum.postgres(value)}::text as ${column}`]
      if (type === 'decimal' || type === 'integer') throw new Error(`This test has no sum of ${name}.${column}`)
      return []
    })
    const statement = `select count(*)::text as rows, ${selected.join(', ')} from ${from} and r.tenant_id = $1`
    const counted = await client.query(statement, [service.tenantId])
    expected[name] = counted.rows[0]
  }
  return expected
}

/** Digits without zeros at their end, as SQL writes a number that has none. */
const plain = (value: unknown) =>
  value === null
    ? null
    : String(value)
        .replace(/(\.\d*?)0+$/, '$1')
        .replace(/\.$/, '')

/** Rows and sums of the same columns, by DuckDB from the files. */
async function byDuck(t: Test, format: string, expected: Record<string, Json>): Promise<Record<string, Json>> {
  const duck = await duckdb(t)
  const found: Record<string, Json> = {}
  for (const { name, columns } of tables) {
    const file = join(directory, format, `${name}.${format}`)
    const selected = Object.keys(expected[name])
      .filter((column) => column !== 'rows')
      .map((column) => `(${sums[columns[column]?.type ?? 'json']?.duck(column)})::varchar as ${column}`)
    const source = format === 'csv' ? `read_csv('${file}', all_varchar = true)` : `'${file}'`
    const [row] = await duck(`select count(*)::varchar as rows, ${selected.join(', ')} from ${source}`)
    found[name] = Object.fromEntries(Object.entries(row ?? {}).map(([column, value]) => [column, plain(value)]))
  }
  return found
}

t.test(
  'rows and sums of every table are those of SQL on the same snapshot, to DuckDB in CSV and Parquet',
  async (t) => {
    const expected = await bySql()
    const { data } = (await service.get(`/v1/events?after=${whole['csv']?.sequence}&limit=500`)).body
    t.ok(
      data.every(({ type }: Json) => type.startsWith('export.')),
      'nothing was written since but the exports',
    )
    for (const format of ['csv', 'parquet']) {
      const found = await byDuck(t, format, expected)
      for (const { name } of tables) {
        t.ok(Number(expected[name].rows) > 0, `${name} has rows`)
        t.strictSame(found[name], expected[name], `${format} ${name}`)
      }
    }
  },
)

/** What is used here of the public validator, which comes without types. */
interface Frictionless {
  Package: {
    load(
      descriptor: Json,
      options: { basePath: string },
    ): Promise<{ valid: boolean; errors: Error[]; profile: { name: string }; resources: Resource[] }>
  }
}
interface Resource {
  name: string
  descriptor: Json
  read(options: { keyed: boolean; relations: boolean }): Promise<Json[]>
}
const { Package } = createRequire(import.meta.url)('datapackage') as Frictionless

const manifestOf = async (format: string): Promise<Json> =>
  JSON.parse(await readFile(join(directory, format, 'datapackage.json'), 'utf8'))

/** The rows of a resource, each checked against its schema, its key and the tables to which it refers. */
const rowsOf = (resource: Resource): Promise<Json[]> =>
  resource.read({ keyed: true, relations: true }).catch((error: Error & { errors?: Error[] }) => {
    throw new Error([error, ...(error.errors ?? [])].map(({ message }) => message).join(' '))
  })

/** Loads the package of CSV with something changed. */
async function loadedWith(change: (resource: (name: string) => Json) => void, folder = 'csv') {
  const manifest = await manifestOf('csv')
  change((name) => manifest.resources.find((resource: Json) => resource.name === name))
  return Package.load(manifest, { basePath: join(directory, folder) })
}

t.test('the package is valid to the public validator, with every row, key and foreign key', async (t) => {
  for (const [format, profile] of Object.entries({ csv: 'tabular-data package', parquet: 'data-package' })) {
    const loaded = await Package.load(await manifestOf(format), { basePath: join(directory, format) })
    t.strictSame([loaded.valid, loaded.errors.map(String), loaded.profile.name], [true, [], profile], format)
  }
  const { resources } = await loadedWith(() => {})
  t.strictSame(
    resources.map(({ name }) => name),
    tables.map(({ name }) => name),
  )
  for (const resource of resources) {
    t.equal((await rowsOf(resource)).length, resource.descriptor.rows, `all rows of ${resource.name}`)
  }
})

t.test('and it finds what is wrong with a package, where something is', async (t) => {
  const unreadable = await loadedWith((resource) => {
    resource('commitments').schema.fields[0].type = 'guid'
    delete resource('pauses').path
  })
  t.notOk(unreadable.valid)
  t.match(unreadable.errors.map(({ message }) => message).join(' '), /commitments|resources/)
  const rejects = async (name: string, why: RegExp, change: Parameters<typeof loadedWith>[0], folder?: string) => {
    const { resources } = await loadedWith(change, folder)
    const resource = resources.find((one) => one.name === name) as Resource
    await t.rejects(rowsOf(resource), why, `${name}: ${why}`)
  }
  const field = (resource: Json, name: string) => resource.schema.fields.find((one: Json) => one.name === name)
  await rejects('commitments', /type|cast/i, (resource) => {
    Object.assign(field(resource('commitments'), 'title'), { type: 'number' })
  })
  await rejects('commitments', /enum|constraint/i, (resource) => {
    field(resource('commitments'), 'kind').constraints.enum = ['goods']
  })
  await rejects('commitments', /required|constraint/i, (resource) => {
    field(resource('commitments'), 'closed_on').constraints = { required: true }
  })
  await rejects('evaluation_scores', /unique/i, (resource) => {
    resource('evaluation_scores').schema.primaryKey = ['evaluation_id']
  })
  await rejects('fulfilments', /header|names/i, (resource) => {
    field(resource('fulfilments'), 'note').name = 'remark'
  })
  await rejects('pauses', /foreign key/i, (resource) => {
    const [key] = resource('pauses').schema.foreignKeys
    key.reference.resource = 'objectives'
  })
})

const page = await readFile(new URL('../docs/analysts.md', import.meta.url), 'utf8')
const snippets = snippetsOf(page)
const url = await service.app.listen({ host: '127.0.0.1', port: 0 })
const credentials = { cwd: directory, env: { BEIDE_URL: url, BEIDE_API_KEY: await service.keyWith(['exports:run']) } }

const shell = programFor(['bash'], ['-c', 'curl --version && jq --version'])
const python = programFor(['python3', '/usr/bin/python3'], ['-c', 'import pandas'])
const r = programFor(['Rscript'], ['-e', 'library(jsonlite)'])
/** What a test that needs a program is skipped for, where it is not here. */
const needs = (program: string | undefined, what: string) => (program ? {} : { skip: `${what}: not here` })

/** Runs a script that ends by writing a line of JSON. */
async function scripted(program: string, name: string, ...code: string[]): Promise<{ text: string; last: Json }> {
  await writeFile(join(directory, name), code.join('\n'))
  const text = await run(program, [name], credentials)
  return { text, last: JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') }
}

t.test('the page for analysts has snippets for each of them', async (t) => {
  const counts = Object.entries(snippets).map(([language, list]) => [language, list.length])
  t.strictSame(Object.fromEntries(counts), { sh: 2, sql: 7, python: 4, r: 2, powerquery: 1 })
})

t.test('what it shows of the shell brings the files here', needs(shell, 'bash, curl, jq'), async (t) => {
  await writeFile(join(directory, 'snippet.sh'), (snippets['sh'] ?? []).join('\n'))
  await run(shell ?? '', ['-eu', 'snippet.sh'], credentials)
  for (const { name } of tables) {
    const [got, served] = [`export/${name}.csv`, `csv/${name}.csv`].map((file) => readFile(join(directory, file)))
    t.ok((await got)?.equals((await served) as Buffer), name)
  }
  const streamed = await readFile(join(directory, 'evaluation_scores.csv'))
  t.ok(streamed.equals(await readFile(join(directory, 'csv/evaluation_scores.csv'))))
})

t.test('what it shows of DuckDB works as it stands there', async (t) => {
  await organisation(service, 'company', 'One more')
  const changed = { format: 'parquet', changed_after_sequence: whole['parquet']?.sequence }
  await kept(changed, 'parquet/changes')
  const duck = await duckdb(t)
  await duck(`set file_search_path = '${directory}/parquet,${directory}/csv'`)
  for (const code of snippets['sql'] ?? []) {
    for (const statement of code.split(/;\n/).filter((part) => part.trim() !== '')) {
      const rows = await duck(statement)
      t.ok(rows.length > 0 && Object.keys(rows[0] ?? {}).length > 0, statement.split('\n')[0] ?? '')
    }
  }
})

/** Of each table its rows and the sum of each exact number in it, which a script must find too. */
const exact = (expected: Record<string, Json>): Record<string, Record<string, string | null>> =>
  Object.fromEntries(
    tables.map(({ name, columns }) => {
      const names = Object.keys(columns).filter((column) => columns[column]?.type === 'decimal')
      return [name, Object.fromEntries(['rows', ...names].map((column) => [column, expected[name][column]]))]
    }),
  )

const pythonCheck = (folder: string) => `
found = {}
for resource in json.loads(Path("${folder}", "datapackage.json").read_text("utf-8"))["resources"]:
    table = read_table("${folder}", resource["name"])
    numbers = [field["name"] for field in resource["schema"]["fields"] if field["type"] == "number"]
    sums = {name: table[name].dropna() for name in numbers}
    found[resource["name"]] = {"rows": len(table)} | {name: str(sum(s)) if len(s) else None for name, s in sums.items()}
gift = read_table("${folder}", "commitments").sort_values("amount").iloc[0]
fulfilments = read_table("${folder}", "fulfilments")
registered = read_table("${folder}", "organisation_identifiers")
print(json.dumps({
    "found": found, "gift": [repr(gift["amount"]), str(gift["agreed_on"]), str(gift["created_at"].tz), gift["in_return_for"]],
    "missing": [bool(pd.isna(gift["close_reason"])), bool(pd.isna(gift["closed_on"])), bool(pd.isna(gift["quantity"]))],
    "types": [str(fulfilments["reach_audience"].dtype), str(fulfilments["confirmation"].dtype)],
    "days": [str(read_table("${folder}", "pauses")["review_on"].dt.year.max()), str(fulfilments["delivered_on"].min())],
    "audience": int(fulfilments["reach_audience"].max()), "register": registered["value"].iloc[0],
}))
`

t.test('what it shows of pandas works as it stands there, types and all', needs(python, 'pandas'), async (t) => {
  const program = python ?? ''
  const expected = await bySql()
  const code = snippets['python'] ?? []
  const plainly = code.filter((snippet) => !snippet.startsWith('# needs pyarrow'))
  t.equal(code.length - plainly.length, 1)
  await rm(join(directory, 'export'), { recursive: true, force: true })
  const { text, last } = await scripted(program, 'snippet.py', ...plainly, pythonCheck('export'))
  t.match(text, /^code +\n/m, 'scores by side')
  t.match(text, /^EUR +1100\.00/m, 'sums by currency')
  const found = Object.entries(last.found as Record<string, Json>).map(([name, sums]) => [
    name,
    Object.fromEntries(Object.entries(sums).map(([column, value]) => [column, plain(value)])),
  ])
  t.strictSame(Object.fromEntries(found), exact(expected), 'rows and sums of every table, to the last digit')
  t.strictSame(last.gift, ["Decimal('100.00')", 'NaT', 'UTC', []])
  t.strictSame(last.missing, [true, true, true])
  t.strictSame(last.types, ['Int64', 'category'])
  t.strictSame(last.days, ['9999', '2026-02-01'])
  t.equal(last.audience, 5_000_000_000)
  t.equal(last.register, '01234567', 'a register number keeps its zero')

  if (!programFor([program], ['-c', 'import pyarrow'])) {
    t.comment('pyarrow is not here: its snippet is not run')
    return
  }
  const parquet = await scripted(
    program,
    'parquet.py',
    ...code,
    'print(json.dumps(str(scores["score"].dropna().iloc[0])))',
  )
  t.match(parquet.text, /Samen naar school +company/)
  t.match(parquet.last, /^\d+\.\d{6}$/, 'decimals stay decimals')
})

const rCheck = `
manifest <- fromJSON("export/datapackage.json", simplifyVector = FALSE)
found <- list()
for (resource in manifest$resources) {
  table <- read_table("export", resource$name)
  numbers <- Filter(function(field) field$type == "number", resource$schema$fields)
  sums <- list(rows = nrow(table))
  for (field in numbers) {
    column <- table[[field$name]]
    sums[[field$name]] <- if (all(is.na(column))) NA else sum(column, na.rm = TRUE)
  }
  found[[resource$name]] <- sums
}
fulfilments <- read_table("export", "fulfilments")
registered <- read_table("export", "organisation_identifiers")
kinds <- sapply(commitments, function(column) class(column)[1])
cat(toJSON(list(found = found, types = as.list(kinds[c("id", "amount", "agreed_on", "created_at", "status", "in_return_for")]),
  audience = max(fulfilments$reach_audience, na.rm = TRUE), register = registered$value[1],
  missing = is.na(commitments$close_reason[1])), auto_unbox = TRUE, digits = NA, na = "null"), "\n", sep = "")
`

t.test('what it shows of R works as it stands there, types and all', needs(r, 'R with jsonlite'), async (t) => {
  const expected = await bySql()
  await kept({ format: 'csv' }, 'export')
  const { text, last } = await scripted(r ?? '', 'snippet.R', ...(snippets['r'] ?? []), rCheck)
  t.match(text, /code +side +score/)
  t.match(text, /EUR +1\d\d\d/)
  const inR = (sums: Json) =>
    Object.fromEntries(Object.entries(sums).map(([name, value]) => [name, value === null ? null : Number(value)]))
  for (const [name, sums] of Object.entries(exact(expected))) t.strictSame(last.found[name], inR(sums), name)
  t.strictSame(last.types, {
    id: 'character',
    amount: 'numeric',
    agreed_on: 'Date',
    created_at: 'POSIXct',
    status: 'factor',
    in_return_for: 'AsIs',
  })
  t.strictSame([last.audience, last.register, last.missing], [5_000_000_000, '01234567', true])
})
