import { once } from 'node:events'
import { pino } from 'pino'
import { reminders } from '../../src/background.ts'
import { fixedClock } from '../../src/core/clock.ts'
import { connectDatabase } from '../../src/db/database.ts'
import { remind } from '../../src/platform/reminders.ts'
import { takeSnapshots } from '../../src/resources/portfolio-snapshots/commands.ts'

// A process that does one round of what comes round by the clock, as of an instant, when it is told to on its input.

const [url, at] = process.argv.slice(2) as [string, string]
const onError = (error: Error) => {
  throw error
}
const database = connectDatabase({ url, size: 4, statementTimeoutMs: 20_000, connectTimeoutMs: 20_000, onError })
await database.outside({ text: 'select 1' })
process.stdout.write('ready\n')
await once(process.stdin, 'data')
const tools = { database, clock: fixedClock(at), log: pino({ level: 'silent' }), signal: new AbortController().signal }
await remind(reminders, tools)
await takeSnapshots(tools)
await database.close()
process.exit(0)
