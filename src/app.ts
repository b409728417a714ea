import { randomUUID } from 'node:crypto'
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import type { Clock } from './core/clock.ts'
import { patchParts } from './core/patch-schemas.ts'
import { problemSchemas } from './core/problem-schemas.ts'
import { sharedSchemas } from './core/schemas.ts'
import type { Database } from './db/database.ts'
import { arrival } from './platform/arrival.ts'
import { denialNotes } from './platform/audit.ts'
import { authentication } from './platform/auth.ts'
import type { SliceOptions } from './platform/collection.ts'
import { disclosures } from './platform/disclosures.ts'
import { drain } from './platform/drain.ts'
import { answerClientError, answerFrameworkError, errors } from './platform/errors.ts'
import { historySchemas } from './platform/history.ts'
import { idempotency } from './platform/idempotency.ts'
import { keyAuthenticator } from './platform/keys.ts'
import { exportLimits, guessLimit, overload, rateLimits } from './platform/limits.ts'
import { lookupSchemas } from './platform/lookup.ts'
import { answerOtherMethods, collectMethods, maxParamLength } from './platform/methods.ts'
import { observe } from './platform/observe.ts'
import { openapi } from './platform/openapi.ts'
import type { Outbound } from './platform/outbound.ts'
import { partnerAnswers } from './platform/partners/answers.ts'
import { partnerGate } from './platform/partners/gate.ts'
import { reference } from './platform/reference.ts'
import type { EventSignals } from './platform/signals.ts'
import { takenOverSchemas } from './platform/taken-over.ts'
import { tokenAuthenticator } from './platform/tokens/authenticator.ts'
import { keySets } from './platform/tokens/key-sets.ts'
import { validation } from './platform/validation.ts'

import { amendments } from './resources/amendments/routes.ts'
import { apiKeys } from './resources/api-keys/routes.ts'
import { audit } from './resources/audit/routes.ts'
import { commitments } from './resources/commitments/routes.ts'
import { termSchemas } from './resources/commitments/schemas.ts'
import { contacts } from './resources/contacts/routes.ts'
import { disruptionImpacts } from './resources/disruption-impacts/routes.ts'
import { disruptions } from './resources/disruptions/routes.ts'
import { evaluationTemplates } from './resources/evaluation-templates/routes.ts'
import { answerForm } from './resources/evaluations/form/routes.ts'
import { answers } from './resources/evaluations/respondent-routes.ts'
import { evaluations } from './resources/evaluations/routes.ts'
import { events } from './resources/events/routes.ts'
import { fulfilments } from './resources/fulfilments/routes.ts'
import { instalments } from './resources/instalments/routes.ts'
import { me } from './resources/me/routes.ts'
import { measures } from './resources/measures/routes.ts'
import { objectiveLinks } from './resources/objective-links/routes.ts'
import { objectives } from './resources/objectives/routes.ts'
import { protectedResource, resourceMetadataPath } from './resources/oidc-issuers/metadata.ts'
import { oidcIssuers } from './resources/oidc-issuers/routes.ts'
import { organisations } from './resources/organisations/routes.ts'
import { partnerships } from './resources/partnerships/routes.ts'
import { pauseSchemas } from './resources/pauses/schemas.ts'
import { portfolio } from './resources/portfolio/routes.ts'
import { portfolioSnapshots } from './resources/portfolio-snapshots/routes.ts'
import { substitutions } from './resources/substitutions/routes.ts'
import { system } from './resources/system/routes.ts'
import { thresholds } from './resources/thresholds/routes.ts'
import type { Webhooks } from './resources/webhook-endpoints/delivery.ts'
import { sentToEndpoints } from './resources/webhook-endpoints/message.ts'
import { webhookEndpoints } from './resources/webhook-endpoints/routes.ts'
import { tags } from './tags.ts'
import { exportOrders } from './transfer/exports/routes.ts'
import { imports } from './transfer/imports/routes.ts'
import { exports } from './transfer/routes.ts'

export interface Deps {
  database: Database
  clock: Clock
  logger: FastifyBaseLogger | undefined
  publicUrl: string
  bodyLimitBytes: number
  requestsPerMinute: number
  /** Of all credentials of a tenant together; ten times those of one where it is not given. */
  tenantRequestsPerMinute?: number | undefined
  /** Exports streamed at once to one credential, and to a tenant; 2 and 4 where they are not given. */
  exportStreams?: { perCredential: number; perTenant: number }
  corsOrigins: true | readonly string[]
  trustProxy: boolean | readonly string[]
  /** How far the event loop may fall behind before requests are refused; 2000 where it is not given. */
  eventLoopDelayMaxMs?: number
  /** How long the body of a request may take to arrive; a minute where it is not given. */
  bodyWithinMs?: number
  /** Wakes those who wait for events. */
  signals: EventSignals
  /** How webhooks are sent and their secrets kept. */
  webhooks: Webhooks
  /** How the keys of issuers are had; as webhooks are sent where it is not given. */
  issuers?: Pick<Outbound, 'get'>
  /** Aborted when the service is about to stop. */
  draining?: AbortSignal
}

const arrivesWithinMs = 60_000

export const apiVersion = '0.1.0'

/** The table of contents: every plugin and every slice, in order. Builds without touching the database. */
export async function buildApp(deps: Deps): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify({
    ...(deps.logger ? { loggerInstance: deps.logger } : {}),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    bodyLimit: deps.bodyLimitBytes,
    trustProxy: typeof deps.trustProxy === 'boolean' ? deps.trustProxy : [...deps.trustProxy],
    clientErrorHandler: answerClientError,
    frameworkErrors: answerFrameworkError,
    // Its head arrives in time, and its body: see arrival.ts. A file that is streamed takes longer; so may answers.
    http: { headersTimeout: arrivesWithinMs },
    requestTimeout: 0,
    requestIdHeader: false,
    genReqId: (request) => saneRequestId(request.headers['x-request-id']) ?? randomUUID(),
    routerOptions: { maxParamLength },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
  })
  const methodsByUrl = collectMethods(app)

  await app.register(errors)
  await app.register(arrival, { withinMs: deps.bodyWithinMs ?? arrivesWithinMs })
  await app.register(observe)
  // What an API needs of it; the rest is for pages that embed others.
  await app.register(helmet, {
    contentSecurityPolicy: false,
    crossOriginEmbedderPolicy: false,
    crossOriginOpenerPolicy: false,
    crossOriginResourcePolicy: false,
    dnsPrefetchControl: false,
    originAgentCluster: false,
    referrerPolicy: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  })
  await app.register(cors, {
    origin: deps.corsOrigins === true ? '*' : [...deps.corsOrigins],
    exposedHeaders: [
      'ETag',
      'Idempotent-Replayed',
      'Link',
      'Location',
      'RateLimit',
      'RateLimit-Policy',
      'Retry-After',
      'WWW-Authenticate',
      'X-Request-Id',
    ],
    // Each address answers for itself: see methods.ts.
    preflight: false,
  })
  await app.register(validation)
  for (const schema of [
    ...sharedSchemas,
    ...problemSchemas,
    ...takenOverSchemas,
    ...historySchemas,
    ...lookupSchemas,
    ...pauseSchemas,
    ...termSchemas,
    ...patchParts(),
  ])
    app.addSchema(schema)
  await app.register(openapi, { publicUrl: deps.publicUrl, version: apiVersion, tags, webhooks: sentToEndpoints })
  await app.register(overload, { eventLoopDelayMaxMs: deps.eventLoopDelayMaxMs ?? 2000 })
  const draining = deps.draining ?? new AbortController().signal
  await app.register(drain, { draining })
  await app.register(reference)

  const slice: SliceOptions = { database: deps.database, clock: deps.clock }
  await app.register(system, { ...slice, draining })
  await app.register(protectedResource, { ...slice, publicUrl: deps.publicUrl })
  const sets = keySets(deps.issuers ?? deps.webhooks.outbound, (err) =>
    app.log.warn({ err }, 'an issuer gives no keys'),
  )
  const tokens = tokenAuthenticator(deps.database, deps.clock, sets)
  await app.register(answerForm, {
    ...slice,
    publicUrl: deps.publicUrl,
    requestsPerMinute: deps.requestsPerMinute,
  })
  await app.register(
    async (v1) => {
      await v1.register(guessLimit, { requestsPerMinute: deps.requestsPerMinute })
      const { database, clock } = slice
      await v1.register(authentication, {
        authenticate: keyAuthenticator(database, clock, tokens),
        noteDenial: denialNotes(database, clock),
        resourceMetadata: `${deps.publicUrl.replace(/\/$/, '')}${resourceMetadataPath}`,
      })
      await v1.register(idempotency, { clock: deps.clock })
      await v1.register(disclosures, slice)
      await v1.register(partnerGate, slice)
      await v1.register(partnerAnswers, slice)
      await v1.register(rateLimits, {
        requestsPerMinute: deps.requestsPerMinute,
        tenantRequestsPerMinute: deps.tenantRequestsPerMinute ?? deps.requestsPerMinute * 10,
      })
      await v1.register(exportLimits, deps.exportStreams ?? { perCredential: 2, perTenant: 4 })
      await v1.register(me, { ...slice, requestsPerMinute: deps.requestsPerMinute })
      await v1.register(organisations, slice)
      await v1.register(contacts, slice)
      await v1.register(partnerships, slice)
      await v1.register(commitments, slice)
      await v1.register(instalments, slice)
      await v1.register(measures, slice)
      await v1.register(fulfilments, slice)
      await v1.register(substitutions, slice)
      await v1.register(amendments, slice)
      await v1.register(evaluationTemplates, slice)
      await v1.register(evaluations, { ...slice, publicUrl: deps.publicUrl })
      await v1.register(answers, slice)
      await v1.register(objectives, slice)
      await v1.register(objectiveLinks, slice)
      await v1.register(disruptions, slice)
      await v1.register(disruptionImpacts, slice)
      await v1.register(thresholds, slice)
      await v1.register(portfolio, slice)
      await v1.register(portfolioSnapshots, slice)
      await v1.register(events, { ...slice, signals: deps.signals, draining })
      await v1.register(webhookEndpoints, { ...slice, webhooks: deps.webhooks })
      await v1.register(imports, slice)
      await v1.register(exports, slice)
      await v1.register(exportOrders, slice)
      await v1.register(audit, slice)
      await v1.register(apiKeys, slice)
      await v1.register(oidcIssuers, slice)
    },
    { prefix: '/v1' },
  )

  answerOtherMethods(app, methodsByUrl)
  return app
}

/** A request id of the caller's is taken over where it cannot harm a log. */
function saneRequestId(given: string | string[] | undefined): string | undefined {
  return typeof given === 'string' && /^[A-Za-z0-9._:-]{1,100}$/.test(given) ? given : undefined
}
