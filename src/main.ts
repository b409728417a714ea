import closeWithGrace from 'close-with-grace'
import { buildApp } from './app.ts'
import { ConfigError, processConfig } from './config.ts'
import { systemClock } from './core/clock.ts'
import { connectDatabase } from './db/database.ts'
import { startEmbedded } from './db/embedded.ts'
import { migrate } from './db/migrate.ts'
import { bootstrap } from './db/tenants.ts'
import { makeLogger } from './platform/log.ts'

/** The service: configuration, database, app, listening, and an end in which no accepted request is cut. */
async function main(): Promise<void> {
  const config = processConfig()
  const logger = makeLogger({ level: config.logLevel, format: config.logFormat })
  const embedded =
    config.databaseUrl === undefined
      ? await startEmbedded({ dataDir: config.dataDir, log: (line) => logger.debug({ postgres: line }) })
      : undefined
  const url = config.databaseUrl ?? (embedded?.url as string)
  try {
    const applied = await migrate(url)
    if (applied.length > 0) logger.info({ applied }, 'migrated')
    const made = await bootstrap(url, systemClock, { tenant: config.bootstrapTenant, key: config.bootstrapApiKey })
    if (made) announce(config.bootstrapTenant, made.key, config.bootstrapApiKey !== undefined)
  } catch (error) {
    await embedded?.stop()
    throw error
  }

  const database = connectDatabase({
    url,
    size: config.poolSize,
    statementTimeoutMs: config.statementTimeoutMs,
    connectTimeoutMs: 5000,
    onError: (error) => logger.warn({ err: error }, 'an idle database connection was lost'),
  })
  const app = await buildApp({ ...config, database, clock: systemClock, logger })

  closeWithGrace({ delay: config.drainTimeoutMs, logger }, async ({ signal, err }) => {
    if (err) logger.fatal({ err }, 'stopping after an error')
    else logger.info({ signal }, 'draining')
    await app.close()
    await database.close()
    await embedded?.stop()
    logger.flush()
  })
  await app.listen({ host: config.host, port: config.port })
}

/** The admin key is shown this once, beside the log and not in it. */
function announce(tenant: string, key: string, given: boolean): void {
  const shown = given ? 'is the one in BOOTSTRAP_API_KEY' : `is shown this once:\n\n    ${key}\n`
  process.stdout.write(`\nThe tenant "${tenant}" was made. Its admin API key ${shown}\n`)
}

try {
  await main()
} catch (error) {
  const lines = error instanceof ConfigError ? error.faults : [(error as Error).message ?? String(error)]
  for (const line of lines) process.stderr.write(`${line}\n`)
  process.exitCode = 1
}
