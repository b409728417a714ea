import t from 'tap'
import { ConfigError, linesOf, readClientConfig, readConfig } from '../src/config.ts'

const faultsOf = (env: Record<string, string>): readonly string[] => {
  try {
    readConfig(env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}

t.test('an empty environment is enough', async (t) => {
  t.strictSame(readConfig({}), {
    host: '127.0.0.1',
    port: 3000,
    publicUrl: 'http://127.0.0.1:3000',
    databaseUrl: undefined,
    ownerUrl: undefined,
    dataDir: '.data',
    poolSize: 20,
    keptBytes: 16_000_000,
    statementTimeoutMs: 10_000,
    logLevel: 'info',
    logFormat: 'json',
    bodyLimitBytes: 1_048_576,
    requestsPerMinute: 6000,
    tenantRequestsPerMinute: 60_000,
    exportStreams: { perCredential: 2, perTenant: 4 },
    corsOrigins: true,
    trustProxy: false,
    drainDelayMs: 0,
    drainTimeoutMs: 25_000,
    jobConcurrency: 8,
    eventsKeptDays: 90,
    auditKeptDays: 2557,
    invitationsKeptDays: 365,
    exportsKeptHours: 168,
    webhookAllowPrivate: false,
    oidcAllowPrivate: false,
    secretsKeys: [],
    bootstrapTenant: 'default',
    bootstrapApiKey: undefined,
  })
})

t.test('everything can be set, and white space around it does not count', async (t) => {
  const key = `beide_${'k'.repeat(12)}_${'s'.repeat(43)}`
  const config = readConfig({
    HOST: '::1',
    PORT: ' 8080 ',
    PUBLIC_URL: 'https://beide.example.org',
    DATABASE_URL: 'postgres://beide@db.example.org/beide',
    MIGRATION_DATABASE_URL: 'postgres://owner@db.example.org/beide',
    INVITATIONS_KEPT_DAYS: '90',
    DATA_DIR: '/var/lib/beide',
    POOL_SIZE: '5',
    KEPT_MB: '0',
    STATEMENT_TIMEOUT_MS: '2000',
    LOG_LEVEL: 'debug',
    LOG_FORMAT: 'pretty',
    BODY_LIMIT_BYTES: '2048',
    REQUESTS_PER_MINUTE: '60',
    TENANT_REQUESTS_PER_MINUTE: '600',
    EXPORT_STREAMS: '1',
    TENANT_EXPORT_STREAMS: '3',
    CORS_ORIGINS: 'https://portal.example.org, http://localhost:5173',
    TRUST_PROXY: 'true',
    DRAIN_DELAY_MS: '5000',
    DRAIN_TIMEOUT_MS: '10000',
    JOB_CONCURRENCY: '2',
    EVENTS_KEPT_DAYS: '365',
    AUDIT_KEPT_DAYS: '3650',
    OIDC_ALLOW_PRIVATE: 'true',
    WEBHOOK_ALLOW_PRIVATE: 'true',
    SECRETS_KEYS: `${Buffer.alloc(32, 1).toString('base64')}, ${Buffer.alloc(32, 2).toString('base64')}`,
    BOOTSTRAP_TENANT: 'Stichting Voorbeeld',
    BOOTSTRAP_API_KEY: key,
  })
  t.strictSame(config, {
    host: '::1',
    port: 8080,
    publicUrl: 'https://beide.example.org',
    databaseUrl: 'postgres://beide@db.example.org/beide',
    ownerUrl: 'postgres://owner@db.example.org/beide',
    dataDir: '/var/lib/beide',
    poolSize: 5,
    keptBytes: 0,
    statementTimeoutMs: 2000,
    logLevel: 'debug',
    logFormat: 'pretty',
    bodyLimitBytes: 2048,
    requestsPerMinute: 60,
    tenantRequestsPerMinute: 600,
    exportStreams: { perCredential: 1, perTenant: 3 },
    corsOrigins: ['https://portal.example.org', 'http://localhost:5173'],
    trustProxy: true,
    drainDelayMs: 5000,
    drainTimeoutMs: 10_000,
    jobConcurrency: 2,
    eventsKeptDays: 365,
    auditKeptDays: 3650,
    invitationsKeptDays: 90,
    exportsKeptHours: 168,
    webhookAllowPrivate: true,
    oidcAllowPrivate: true,
    secretsKeys: [Buffer.alloc(32, 1), Buffer.alloc(32, 2)],
    bootstrapTenant: 'Stichting Voorbeeld',
    bootstrapApiKey: key,
  })
})

t.test('empty is not set', async (t) => {
  t.strictSame(readConfig({ PORT: '', DATABASE_URL: ' ', BOOTSTRAP_API_KEY: '' }), readConfig({}))
})

t.test('the address for clients is one that they can use', async (t) => {
  for (const [host, address] of [
    ['0.0.0.0', 'http://localhost:80'],
    ['::', 'http://localhost:80'],
    ['::1', 'http://[::1]:80'],
    ['beide.internal', 'http://beide.internal:80'],
  ] as const)
    t.equal(readConfig({ HOST: host, PORT: '80' }).publicUrl, address)
})

t.test('each fault is named, all at once, and no secret with it', async (t) => {
  const faults = faultsOf({
    PORT: '70000',
    POOL_SIZE: 'many',
    PUBLIC_URL: 'beide.example.org',
    DATABASE_URL: 'mysql://beide:hunter2@db/beide',
    LOG_LEVEL: 'loud',
    LOG_FORMAT: 'xml',
    TRUST_PROXY: 'yes',
    CORS_ORIGINS: 'https://portal.example.org/,https://other.example.org',
    DRAIN_DELAY_MS: '5000',
    DRAIN_TIMEOUT_MS: '5000',
    SECRETS_KEYS: 'c2hvcnQ=',
    WEBHOOK_ALLOW_PRIVATE: 'maybe',
    BOOTSTRAP_API_KEY: 'hunter2',
  })
  t.strictSame(
    [...faults].sort(),
    [
      'BOOTSTRAP_API_KEY: A key has the form beide_<12 letters or digits>_<32 to 64 letters or digits>.',
      'CORS_ORIGINS must be * or origins such as https://portal.example.org, with commas; not "https://portal.example.org/".',
      'DATABASE_URL must be an address with postgres:// or postgresql://.',
      'DRAIN_DELAY_MS must be less than DRAIN_TIMEOUT_MS.',
      'LOG_FORMAT must be one of json, pretty, not "xml".',
      'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, not "loud".',
      'POOL_SIZE must be a whole number from 2 to 500, not "many".',
      'PORT must be a whole number from 0 to 65535, not "70000".',
      'PUBLIC_URL must be an address with http:// or https://.',
      'SECRETS_KEYS must be keys of 32 bytes in base64, with commas: make one with "openssl rand -base64 32".',
      'TRUST_PROXY must be true, false, or networks such as 10.0.0.0/8 with commas, not "yes".',
      'WEBHOOK_ALLOW_PRIVATE must be one of true, false, not "maybe".',
    ].sort(),
  )
  t.notMatch(faults.join(), /hunter2/)
})

t.test('numbers are whole and decimal', async (t) => {
  for (const given of ['1.5', '-1', '1e3x', 'NaN', 'Infinity'])
    t.strictSame(faultsOf({ PORT: given }), [`PORT must be a whole number from 0 to 65535, not "${given}".`])
})

t.test('what stops a program is told in lines that are not empty', async (t) => {
  t.strictSame(linesOf(new ConfigError(['one', 'two'])), ['one', 'two'])
  t.strictSame(linesOf(new Error('closed')), ['closed'])
  t.strictSame(linesOf(new AggregateError([new Error('refused'), new Error('refused')])), ['refused'])
  t.strictSame(linesOf(new TypeError('')), ['TypeError'])
  t.strictSame(linesOf('text'), ['text'])
})

t.test('a client needs a key, and by default finds the service on its own machine', async (t) => {
  t.strictSame(readClientConfig({ BEIDE_API_KEY: 'beide_x_y' }), { url: 'http://127.0.0.1:3000', key: 'beide_x_y' })
  const url = 'https://beide.example.org'
  t.equal(readClientConfig({ BEIDE_API_KEY: 'beide_x_y', BEIDE_URL: url }).url, url)
  try {
    readClientConfig({ BEIDE_URL: 'beide' })
    t.fail('it should be refused')
  } catch (error) {
    t.strictSame(linesOf(error), [
      'BEIDE_URL must be an address with http:// or https://.',
      'BEIDE_API_KEY must hold an API key of the service.',
    ])
  }
})

t.test('an owner beside the login of the service', async (t) => {
  t.same(faultsOf({ MIGRATION_DATABASE_URL: 'none' }), [
    'MIGRATION_DATABASE_URL goes with DATABASE_URL, the login of the service itself.',
    'JOB_CONCURRENCY must be 0 where MIGRATION_DATABASE_URL is none: the queue belongs to the owner.',
  ])
  const env = { DATABASE_URL: 'postgres://web@db/beide', MIGRATION_DATABASE_URL: 'none', JOB_CONCURRENCY: '0' }
  t.equal(readConfig(env).ownerUrl, null)
})
