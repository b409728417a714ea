import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { connectClient } from './clients/client.ts'
import { loadDemo } from './clients/demo.ts'
import { loadGrants } from './clients/giving360.ts'
import { parseGrants, type Remark } from './clients/giving360-file.ts'
import { barOf, importFile, type Progress } from './clients/import.ts'
import { type Config, clientConfig, linesOf, processConfig } from './config.ts'
import { contract } from './contract.ts'
import { systemClock } from './core/clock.ts'
import { verifyAudit } from './db/audit-chain.ts'
import { startEmbedded } from './db/embedded.ts'
import { migrate } from './db/migrate.ts'
import { asOwner, createKey, findTenant } from './db/tenants.ts'
import { type Contract, partnersPage } from './platform/partners/page.ts'
import { problemsPage } from './platform/problems-page.ts'
import { scopes } from './platform/scopes.ts'
import { codebook } from './transfer/codebook.ts'

/** A command of the programs beside the service: its name, what it takes, what it does. */
interface Command {
  usage: string
  does: string
  run(args: string[]): Promise<void>
}

const print = (line: string): void => void process.stdout.write(`${line}\n`)

const commands: Record<string, Command> = {
  migrate: {
    usage: 'migrate',
    does: 'Brings the database up to this program.',
    run: () =>
      withDatabase(async (url) => {
        const applied = await migrate(url)
        print(applied.length > 0 ? `Applied ${applied.join(', ')}.` : 'The database is up to date.')
      }),
  },
  key: {
    usage: 'key create --name NAME --scopes SCOPE,SCOPE [--tenant TENANT]',
    does: 'Makes an API key and shows it once.',
    run: createApiKey,
  },
  audit: {
    usage: 'audit verify [--tenant TENANT] [--noted SEQUENCE:HASH]',
    does: 'Checks that nothing of the audit was changed, removed or put in since; with --noted, since that head was noted.',
    run: checkAudit,
  },
  openapi: {
    usage: 'openapi [--check]',
    does: 'Writes the contract and the pages of docs/ that come from the code, or only says whether they are current.',
    run: writeGenerated,
  },
  'load:360giving': {
    usage: 'load:360giving FILE',
    does: 'Loads grants (360Giving, JSON) through the API at BEIDE_URL as BEIDE_API_KEY. A second run changes nothing.',
    run: loadFile,
  },
  import: {
    usage: 'import FILE [--type TYPE] [--dry-run] [--all-or-nothing]',
    does: 'Imports rows (NDJSON, CSV, 360Giving JSON) through the API at BEIDE_URL as BEIDE_API_KEY, and tells of each refused.',
    run: importRows,
  },
  demo: {
    usage: 'demo',
    does: 'Fills the service at BEIDE_URL, as BEIDE_API_KEY, with a small invented portfolio. A second run changes nothing.',
    run: async () => {
      const { created, found, steps } = await loadDemo(connectClient(clientConfig()))
      print(`${created} records made, ${found} were there already, ${steps} steps taken in their lives.`)
    },
  },
}

/** The database of the configuration: the one at DATABASE_URL, or the embedded one while the service is not running. */
async function withDatabase(work: (url: string, config: Config) => Promise<void>): Promise<void> {
  const config = processConfig()
  const embedded = config.databaseUrl === undefined ? await startEmbedded({ dataDir: config.dataDir }) : undefined
  try {
    await work(config.ownerUrl ?? config.databaseUrl ?? (embedded?.url as string), config)
  } finally {
    await embedded?.stop()
  }
}

async function createApiKey(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { name: { type: 'string' }, scopes: { type: 'string' }, tenant: { type: 'string' } },
  })
  const wanted = values.scopes?.split(',').map((scope) => scope.trim()) ?? []
  if (positionals[0] !== 'create' || !values.name || wanted.length === 0) throw new Error(usageOf('key'))
  const unknown = wanted.filter((scope) => !(scopes as readonly string[]).includes(scope))
  if (unknown.length > 0) {
    throw new Error(`There is no scope ${unknown.join(', ')}. There are: ${scopes.join(', ')}.`)
  }
  const keyName = values.name
  await withDatabase((url, config) =>
    asOwner(url, async (client) => {
      const tenant = values.tenant ?? config.bootstrapTenant
      const tenantId = await findTenant(client, tenant)
      if (tenantId === undefined) throw new Error(`There is no tenant "${tenant}".`)
      const { key } = await createKey(client, systemClock, tenantId, { keyName, scopes: wanted })
      print(key)
    }),
  )
}

async function checkAudit(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { tenant: { type: 'string' }, noted: { type: 'string' } },
  })
  if (positionals[0] !== 'verify' || (values.noted && !values.tenant)) throw new Error(usageOf('audit'))
  await withDatabase((url) =>
    asOwner(url, async (client) => {
      const reports = await verifyAudit(client, values)
      if (reports.length === 0 && values.tenant) throw new Error(`There is no tenant "${values.tenant}".`)
      for (const { tenant, entries, head, faults } of reports) {
        const end = entries === 0 ? '' : `, the last is ${head.sequence}:${head.hash}`
        print(`${tenant}: ${entries} entries${end}: ${faults.length === 0 ? 'whole' : 'BROKEN'}`)
        for (const fault of faults) print(`  ${fault}`)
        if (faults.length > 0) process.exitCode = 1
      }
    }),
  )
}

/** Writes what is made from the code, or says what of it is not what the code says. */
async function writeGenerated(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { check: { type: 'boolean' } } })
  const document = await contract()
  const generated = {
    'openapi/openapi.json': `${JSON.stringify(document, null, 2)}\n`,
    'docs/codebook.md': codebook(),
    'docs/partners.md': partnersPage(document as Contract),
    'docs/problems.md': problemsPage(),
  }
  for (const [name, text] of Object.entries(generated)) {
    const file = new URL(`../${name}`, import.meta.url)
    if (!values.check) await writeFile(file, text)
    else if ((await readFile(file, 'utf8').catch(() => '')) !== text)
      throw new Error(`${name} is not what the code says: run \`npm run openapi\`.`)
  }
}

async function loadFile(args: string[]): Promise<void> {
  const [file] = args
  if (!file || args.length > 1) throw new Error(usageOf('load:360giving'))
  const client = connectClient(clientConfig())
  const parsed = parseGrants(await readFile(file, 'utf8'))
  print(`${parsed.grants.length + parsed.refused.length} grants in ${file}`)
  let told = Date.now()
  const report = await loadGrants(client, parsed, (done, all) => {
    if (Date.now() - told < 2000 && done < all) return
    told = Date.now()
    print(`${done} of ${all} records`)
  })
  const { created, updated, unchanged, refused, remarks } = report
  tell('Taken, but for this', remarks)
  tell('Refused', refused)
  print(`${created} created, ${updated} updated, ${unchanged} unchanged, ${refused.length} refused.`)
  if (refused.length > 0) process.exitCode = 1
}

async function importRows(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { type: { type: 'string' }, 'dry-run': { type: 'boolean' }, 'all-or-nothing': { type: 'boolean' } },
  })
  const [file] = positionals
  if (!file || positionals.length > 1) throw new Error(usageOf('import'))
  const config = clientConfig()
  const request = { file, type: values.type, dryRun: values['dry-run'], allOrNothing: values['all-or-nothing'] }
  const { status, failure, counts, refused } = await importFile(
    { ...config, client: connectClient(config) },
    request,
    progressBar(),
  )
  tell(
    'Refused',
    refused.map(({ line, outcome, reason }) => ({ line, id: outcome, reason })),
  )
  print(
    `${status}: ${Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')}.`,
  )
  if (failure !== null) print(failure)
  if (status !== 'finished' || counts.invalid + counts.ambiguous > 0) process.exitCode = 1
}

/** On a terminal a bar that moves, elsewhere a line now and then. */
function progressBar(): (progress: Progress) => void {
  let told = 0
  return (progress) => {
    const isDone = progress.done >= progress.all
    const everyMs = process.stdout.isTTY ? 100 : 2000
    if (Date.now() - told < everyMs && !isDone) return
    told = Date.now()
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${barOf(progress)}${isDone ? '\n' : ''}`)
    else print(barOf(progress))
  }
}

function tell(heading: string, remarks: readonly Remark[]): void {
  if (remarks.length === 0) return
  print(`${heading}:`)
  for (const { line, id, reason } of remarks) print(`  line ${line}${id === null ? '' : ` (${id})`}: ${reason}`)
}

const usageOf = (name: string): string => `Usage: node src/cli.ts ${commands[name]?.usage}`

const [name = '', ...args] = process.argv.slice(2)
const command = commands[name]
try {
  if (command) await command.run(args)
  else {
    const lines = Object.values(commands).map(({ usage, does }) => `  ${usage}\n      ${does}`)
    throw new Error(`node src/cli.ts COMMAND\n\n${lines.join('\n')}`)
  }
} catch (error) {
  for (const line of linesOf(error)) process.stderr.write(`${line}\n`)
  process.exitCode = 1
}
