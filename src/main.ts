import { flushCompileCache } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import type { Logger } from 'pino'
import { buildApp } from './app.ts'
import { backgroundWork } from './background.ts'
import { type Config, linesOf, processConfig } from './config.ts'
import { systemClock } from './core/clock.ts'
import { connectDatabase } from './db/database.ts'
import { startEmbedded } from './db/embedded.ts'
import { migrate } from './db/migrate.ts'
import { bootstrap } from './db/tenants.ts'
import { startJobs } from './platform/job-runner.ts'
import { makeLogger } from './platform/log.ts'
import { makeOutbound } from './platform/outbound.ts'
import { secretBox } from './platform/secrets.ts'
import { eventSignals } from './platform/signals.ts'

/** Stops one thing that was started. */
type Stop = () => Promise<void>

/** The service: configuration, database, app, listening, and an end in which no accepted request is cut. */
async function main(): Promise<void> {
  const config = processConfig()
  const logger = makeLogger({ level: config.logLevel, format: config.logFormat })
  const draining = new AbortController()
  const stops: Stop[] = []
  const starting = start(config, logger, draining.signal, stops)

  const grace = closeWithGrace({ delay: config.drainTimeoutMs, logger, skip: [...askedBy] }, async ({ err }) => {
    if (err) logger.fatal({ err }, 'stopping after an error')
    // Asked to stop while it starts: what is half started is finished first, so that nothing is left behind.
    await starting.catch(() => {})
    draining.abort()
    // Those that send requests here see it at /health/ready, and go elsewhere.
    await sleep(config.drainDelayMs)
    await stopAll(stops)
    logger.flush()
  })
  onAsked((signal) => {
    logger.info({ signal }, 'draining')
    void grace.close()
  })

  try {
    await starting
    // Else it would be written at an orderly end alone.
    flushCompileCache()
  } catch (error) {
    await stopAll(stops)
    if (draining.signal.aborted) return
    grace.uninstall()
    throw error
  }
}

/** Starts one thing after another; what was started is noted in `stops`. */
async function start(config: Config, logger: Logger, draining: AbortSignal, stops: Stop[]): Promise<void> {
  const url = config.databaseUrl ?? (await ownDatabase(config, logger, stops))
  const ownerUrl = config.ownerUrl === undefined ? url : config.ownerUrl
  if (ownerUrl !== null) await setUp(ownerUrl, config, logger)

  const database = connectDatabase({
    url,
    size: config.poolSize,
    statementTimeoutMs: config.statementTimeoutMs,
    keptBytes: config.keptBytes,
    connectTimeoutMs: 5000,
    onError: (error) => logger.warn({ err: error }, 'an idle database connection was lost'),
  })
  stops.push(() => database.close())
  const webhooks = {
    outbound: makeOutbound({ allowPrivate: config.webhookAllowPrivate }),
    box: secretBox(config.secretsKeys),
  }
  const issuers = makeOutbound({ allowPrivate: config.oidcAllowPrivate })
  if (config.secretsKeys.length === 0) logger.warn('SECRETS_KEYS is not set: secrets of webhooks are stored unsealed')
  if (config.jobConcurrency > 0 && ownerUrl !== null) {
    const { jobConcurrency: concurrency } = config
    const jobs = await startJobs({
      ...backgroundWork({ ...config, webhooks }),
      url: ownerUrl,
      database,
      clock: systemClock,
      log: logger,
      concurrency,
    })
    stops.push(() => jobs.stop())
  }
  const signals = eventSignals({ url, onError: (error) => logger.warn({ err: error }, 'the feed does not hear') })
  stops.push(() => signals.close())
  const app = await buildApp({ ...config, database, clock: systemClock, logger, draining, signals, webhooks, issuers })
  stops.push(() => app.close())
  await app.listen({ host: config.host, port: config.port, listenTextResolver: (address) => `listening at ${address}` })
}

/** Brings the database up to this program; makes the first tenant of an empty one. */
async function setUp(url: string, config: Config, logger: Logger): Promise<void> {
  const applied = await migrate(url)
  if (applied.length > 0) logger.info({ applied }, 'migrated')
  const made = await bootstrap(url, systemClock, { tenant: config.bootstrapTenant, key: config.bootstrapApiKey })
  if (made) announce(config.bootstrapTenant, made.key, config.bootstrapApiKey !== undefined)
}

async function ownDatabase(config: Config, logger: Logger, stops: Stop[]): Promise<string> {
  const embedded = await startEmbedded({ dataDir: config.dataDir, log: (line) => logger.debug({ postgres: line }) })
  stops.push(embedded.stop)
  return embedded.url
}

/** In the opposite order of starting; each once. */
async function stopAll(stops: Stop[]): Promise<void> {
  for (let stop = stops.pop(); stop; stop = stops.pop()) await stop()
}

const askedBy = ['SIGINT', 'SIGTERM'] as const

/** Hears that the process should stop. A signal that comes again later ends it at once. */
function onAsked(stop: (signal: NodeJS.Signals) => void): void {
  let askedAt: number | undefined
  const asked = (signal: NodeJS.Signals) => {
    const now = performance.now()
    if (askedAt === undefined) {
      askedAt = now
      stop(signal)
    } else if (now - askedAt > 1000) process.exit(1)
    // A Ctrl-C under npm arrives twice in a moment: from the terminal, and passed on by npm.
  }
  for (const signal of askedBy) process.on(signal, asked)
}

/** The admin key is shown this once, beside the log and not in it. */
function announce(tenant: string, key: string, given: boolean): void {
  const shown = given ? 'is the one in BOOTSTRAP_API_KEY.' : `is shown this once:\n\n    ${key}\n`
  process.stdout.write(`\nThe tenant "${tenant}" was made. Its admin API key ${shown}\n`)
}

try {
  await main()
} catch (error) {
  for (const line of linesOf(error)) process.stderr.write(`${line}\n`)
  process.exitCode = 1
}
