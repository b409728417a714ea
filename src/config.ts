import { fromKey } from './db/tenants.ts'
import { isNetwork } from './platform/networks.ts'

/** All that can be set. This file is the only reader of the environment. */
export interface Config {
  host: string
  port: number
  /** Where clients reach the service; in the contract's `servers`. */
  publicUrl: string
  /** Undefined: the embedded Postgres in `dataDir`. */
  databaseUrl: string | undefined
  /** The owner of the schema, where `databaseUrl` is a login that owns nothing; null: nothing is set up, and no job runs. */
  ownerUrl: string | undefined | null
  dataDir: string
  poolSize: number
  /** How much memory representations may take that were read lately. */
  keptBytes: number
  statementTimeoutMs: number
  logLevel: string
  logFormat: 'json' | 'pretty'
  bodyLimitBytes: number
  requestsPerMinute: number
  /** Of all credentials of a tenant together. */
  tenantRequestsPerMinute: number
  /** Exports that are streamed at once by this process. */
  exportStreams: { perCredential: number; perTenant: number }
  corsOrigins: true | readonly string[]
  /** Whose X-Forwarded-For is believed: nobody's, everybody's, or that of proxies in these networks. */
  trustProxy: boolean | readonly string[]
  /** How long the service still accepts requests after it was asked to stop, while /health/ready says no. */
  drainDelayMs: number
  /** How long it waits for all that it accepted; includes the delay. */
  drainTimeoutMs: number
  /** Jobs that run at once in this process; 0 where other processes do them. */
  jobConcurrency: number
  /** How long events stay in the feed; 90 or more. */
  eventsKeptDays: number
  /** How long the audit is kept; 365 or more. */
  auditKeptDays: number
  /** How long an invitation that is not answered names a person; 30 or more. */
  invitationsKeptDays: number
  /** How long the files of an export are kept. */
  exportsKeptHours: number
  /** Lets webhooks go to http and to private addresses: for development alone. */
  webhookAllowPrivate: boolean
  /** Lets the keys of issuers be had over http and from private addresses: where the sign-in is in the same network. */
  oidcAllowPrivate: boolean
  /** Seal the secrets that sign webhooks; the first seals, all open. */
  secretsKeys: readonly Buffer[]
  bootstrapTenant: string
  bootstrapApiKey: string | undefined
}

/** How the machine itself reaches the service. */
function defaultAddress(host: string, port: number): string {
  const isEverywhere = host === '0.0.0.0' || host === '::'
  const name = isEverywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${port}`
}

type Environment = Readonly<Record<string, string | undefined>>

/** One fault a line, each with what was expected. */
export class ConfigError extends Error {
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.faults = faults
  }
}

/** What a person is told when a program cannot go on: one line for each fault. */
export function linesOf(error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.faults
  // Node tries every address of a host and gathers what went wrong, under no message of its own.
  if (error instanceof AggregateError && error.message === '') return [...new Set(error.errors.flatMap(linesOf))]
  return [error instanceof Error && error.message !== '' ? error.message : String(error)]
}

/**
 * Reads and checks the environment.
 * @throws ConfigError that names every fault
 */
export function readConfig(env: Environment): Config {
  const faults: string[] = []
  const text = (name: string, fallback: string) => env[name]?.trim() || fallback
  const whole = (name: string, fallback: number, min: number, max: number): number => {
    const given = env[name]?.trim()
    if (!given) return fallback
    const value = Number(given)
    if (!Number.isInteger(value) || value < min || value > max) {
      faults.push(`${name} must be a whole number from ${min} to ${max}, not "${given}".`)
      return fallback
    }
    return value
  }
  const choice = <const T extends string>(name: string, values: readonly T[], fallback: T): T => {
    const given = text(name, fallback) as T
    if (!values.includes(given)) faults.push(`${name} must be one of ${values.join(', ')}, not "${given}".`)
    return given
  }
  const url = (name: string, given: string | undefined, schemes: readonly string[]) => {
    if (given === undefined) return undefined
    const scheme = URL.parse(given)?.protocol
    if (!scheme || !schemes.includes(scheme))
      faults.push(`${name} must be an address with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}.`)
    return given
  }

  const host = text('HOST', '127.0.0.1')
  const port = whole('PORT', 3000, 0, 65_535)
  const drainTimeoutMs = whole('DRAIN_TIMEOUT_MS', 25_000, 100, 600_000)
  const drainDelayMs = whole('DRAIN_DELAY_MS', 0, 0, 600_000)
  if (drainDelayMs >= drainTimeoutMs) faults.push('DRAIN_DELAY_MS must be less than DRAIN_TIMEOUT_MS.')
  const bootstrapApiKey = env['BOOTSTRAP_API_KEY']?.trim() || undefined
  if (bootstrapApiKey !== undefined) {
    try {
      fromKey(bootstrapApiKey)
    } catch (error) {
      faults.push(`BOOTSTRAP_API_KEY: ${(error as Error).message}.`)
    }
  }
  const owner = env['MIGRATION_DATABASE_URL']?.trim() || undefined
  const ownerUrl = owner === 'none' ? null : url('MIGRATION_DATABASE_URL', owner, ['postgres:', 'postgresql:'])
  const jobConcurrency = whole('JOB_CONCURRENCY', 8, 0, 100)
  if (owner !== undefined && !env['DATABASE_URL']?.trim()) {
    faults.push('MIGRATION_DATABASE_URL goes with DATABASE_URL, the login of the service itself.')
  }
  if (ownerUrl === null && jobConcurrency > 0) {
    faults.push('JOB_CONCURRENCY must be 0 where MIGRATION_DATABASE_URL is none: the queue belongs to the owner.')
  }
  const origins = text('CORS_ORIGINS', '*')
  const corsOrigins = origins === '*' ? true : origins.split(',').map((origin) => origin.trim())
  for (const origin of corsOrigins === true ? [] : corsOrigins) {
    if (URL.parse(origin)?.origin === origin) continue
    faults.push(`CORS_ORIGINS must be * or origins such as https://portal.example.org, with commas; not "${origin}".`)
  }
  const config: Config = {
    host,
    port,
    publicUrl: url('PUBLIC_URL', text('PUBLIC_URL', defaultAddress(host, port)), ['http:', 'https:']) as string,
    databaseUrl: url('DATABASE_URL', env['DATABASE_URL']?.trim() || undefined, ['postgres:', 'postgresql:']),
    ownerUrl,
    dataDir: text('DATA_DIR', '.data'),
    poolSize: whole('POOL_SIZE', 20, 2, 500),
    keptBytes: whole('KEPT_MB', 16, 0, 4000) * 1_000_000,
    statementTimeoutMs: whole('STATEMENT_TIMEOUT_MS', 10_000, 100, 600_000),
    logLevel: choice('LOG_LEVEL', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'info'),
    logFormat: choice('LOG_FORMAT', ['json', 'pretty'], 'json'),
    bodyLimitBytes: whole('BODY_LIMIT_BYTES', 1_048_576, 1024, 104_857_600),
    requestsPerMinute: whole('REQUESTS_PER_MINUTE', 6000, 1, 100_000_000),
    tenantRequestsPerMinute: whole('TENANT_REQUESTS_PER_MINUTE', 60_000, 1, 1_000_000_000),
    exportStreams: {
      perCredential: whole('EXPORT_STREAMS', 2, 1, 500),
      perTenant: whole('TENANT_EXPORT_STREAMS', 4, 1, 500),
    },
    corsOrigins,
    trustProxy: proxiesOf(text('TRUST_PROXY', 'false'), faults),
    drainDelayMs,
    drainTimeoutMs,
    jobConcurrency,
    eventsKeptDays: whole('EVENTS_KEPT_DAYS', 90, 90, 36_500),
    auditKeptDays: whole('AUDIT_KEPT_DAYS', 2557, 365, 36_500),
    invitationsKeptDays: whole('INVITATIONS_KEPT_DAYS', 365, 30, 36_500),
    exportsKeptHours: whole('EXPORTS_KEPT_HOURS', 168, 1, 8760),
    webhookAllowPrivate: choice('WEBHOOK_ALLOW_PRIVATE', ['true', 'false'], 'false') === 'true',
    oidcAllowPrivate: choice('OIDC_ALLOW_PRIVATE', ['true', 'false'], 'false') === 'true',
    secretsKeys: keysOf(env['SECRETS_KEYS'], faults),
    bootstrapTenant: text('BOOTSTRAP_TENANT', 'default'),
    bootstrapApiKey,
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return config
}

/** Where the programs that are clients of the service reach it, and as whom. */
export interface ClientConfig {
  url: string
  key: string
}

/**
 * Reads the environment of a program that is a client.
 * @throws ConfigError that names every fault
 */
export function readClientConfig(env: Environment): ClientConfig {
  const faults: string[] = []
  const url = env['BEIDE_URL']?.trim() || 'http://127.0.0.1:3000'
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    faults.push('BEIDE_URL must be an address with http:// or https://.')
  const key = env['BEIDE_API_KEY']?.trim() ?? ''
  if (key === '') faults.push('BEIDE_API_KEY must hold an API key of the service.')
  if (faults.length > 0) throw new ConfigError(faults)
  return { url, key }
}

/** The configuration of this process as a client. */
export const clientConfig = (): ClientConfig => readClientConfig(process.env)

/** `true`, `false`, or the networks of proxies with commas. */
function proxiesOf(given: string, faults: string[]): boolean | string[] {
  if (given === 'true' || given === 'false') return given === 'true'
  const networks = given.split(',').map((network) => network.trim())
  for (const network of networks.filter((each) => !isNetwork(each))) {
    faults.push(`TRUST_PROXY must be true, false, or networks such as 10.0.0.0/8 with commas, not "${network}".`)
  }
  return networks
}

/** Keys of 32 bytes in base64, with commas. */
function keysOf(given: string | undefined, faults: string[]): Buffer[] {
  const keys = (given?.trim() ? given.split(',') : []).map((key) => Buffer.from(key.trim(), 'base64'))
  if (keys.some((key) => key.length !== 32)) {
    faults.push(
      'SECRETS_KEYS must be keys of 32 bytes in base64, with commas: make one with "openssl rand -base64 32".',
    )
  }
  return keys
}

/** The configuration of this process. */
export const processConfig = (): Config => readConfig(process.env)
