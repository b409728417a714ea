import { spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { startEmbedded } from '../../src/db/embedded.ts'
import { migrate } from '../../src/db/migrate.ts'
import { temporaryDirectory } from './temporary.ts'

// `npm run codegen`: the types of the rows as the migrations leave them; with --verify only says whether they are current.

const file = 'src/db/rows.ts'
const program = fileURLToPath(import.meta.resolve('kysely-codegen')).replace(/dist\/.*$/, 'dist/cli/bin.js')

const dataDir = await temporaryDirectory()
const { url, stop } = await startEmbedded({ dataDir, settings: { fsync: 'off' } })
try {
  await migrate(url)
  const options = {
    '--dialect': 'postgres',
    '--url': url,
    '--out-file': file,
    '--date-parser': 'string',
    // Text in, text out: see src/db/pool.ts.
    '--type-mapping': JSON.stringify({ timestamptz: 'string', int8: 'string', numeric: 'string' }),
    '--exclude-pattern': '(kysely_*|graphile_worker.*)',
  }
  const args = [program, ...Object.entries(options).flat(), ...process.argv.slice(2)]
  const child = spawn(process.execPath, args, { stdio: 'inherit' })
  process.exitCode = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)))
} finally {
  await stop()
  await rm(dataDir, { recursive: true, force: true })
}
