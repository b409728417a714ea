import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { etagOf, noneMatchHits } from '../../core/etag.ts'
import { notFound } from '../../core/problem.ts'
import { type Database, isPartner, type Reader } from '../../db/database.ts'
import { principalOf } from '../auth.ts'
import { shownOf } from './fields.ts'
import { partnerOperations } from './operations.ts'
import { type Components, type Project, projections, type Sight } from './projection.ts'
import { commitmentsSeen, leftBy, type Shown, versionsBefore } from './reach.ts'

type Component = ReturnType<Components>

/** The kinds of records by the name of their component: those of which earlier versions are kept. */
const kinds: Readonly<Record<string, string>> = {
  Organisation: 'organisation',
  Partnership: 'partnership',
  Commitment: 'commitment',
  Fulfilment: 'fulfilment',
  Pause: 'pause',
  Amendment: 'amendment',
  Substitution: 'substitution',
  Evaluation: 'evaluation',
  EvaluationInvitation: 'evaluation_invitation',
  EvaluationDecision: 'evaluation_decision',
}

const componentOf: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(kinds).map(([component, type]) => [type, component])),
  objective: 'Objective',
  objective_link: 'ObjectiveLink',
}

/** The members of a problem that partners are shown. */
const problemMembers =
  'type title status detail instance code errors scope from to allowed may_decide oldest_after latest'.split(' ')

/** What partners are sent: everything that leaves for them goes through here, whatever the operation. */
export const partnerAnswers = fp(
  async (app: FastifyInstance, { database }: { database: Database }) => {
    const byRoute = new WeakMap<object, Map<number, Project>>()

    app.addHook('onSend', async (request, reply, sent) => {
      if (!request.principal || !isPartner(request.principal)) return sent
      const payload = Buffer.isBuffer(sent) ? sent.toString() : sent
      if (payload === undefined || payload === null || payload === '') return payload
      if (typeof payload !== 'string') throw new Error('A partner is sent JSON and pictures alone')
      if (reply.statusCode === 200 && isPicture(request)) return payload
      const value: unknown = JSON.parse(payload)
      if (reply.statusCode >= 400) return JSON.stringify(pick(value as object, problemMembers))
      const project = projectOf(byRoute, request, reply)
      // What a partner has just written is of what it takes part in, which was judged. Its transaction may be open still, and
      // waits for no second connection.
      const isOwnWrite = request.judge !== null
      const shown = await asSeen(database, principalOf(request), value, project, isOwnWrite)
      if (shown === undefined) throw notFound()
      const { version } = shown as { version?: unknown }
      if (!reply.hasHeader('etag') || typeof version !== 'number') return JSON.stringify(shown)
      const etag = etagOf(version)
      reply.header('etag', etag)
      const isRead = request.method === 'GET' || request.method === 'HEAD'
      if (!isRead || !noneMatchHits(request.headers['if-none-match'], etag)) return JSON.stringify(shown)
      reply.code(304).removeHeader('content-type')
      // For HEAD, Fastify measures what it leaves out.
      return request.method === 'HEAD' ? '' : null
    })
  },
  { name: 'partner-answers', dependencies: ['authentication'] },
)

const isPicture = (request: FastifyRequest): boolean =>
  partnerOperations[request.routeOptions.config.operation?.id ?? '']?.isPicture === true

const pick = (value: object, members: readonly string[]): object =>
  Object.fromEntries(Object.entries(value).filter(([name]) => members.includes(name)))

/** An event with its record as partners are shown records of that kind, and of what changed what they are shown. */
function eventOf(
  event: Record<string, unknown>,
  made: (schema: never) => Project,
  { sees }: Sight,
): Record<string, unknown> | undefined {
  const component = componentOf[String(event['resource_type'])]
  const shown = component === undefined ? undefined : shownOf(component)
  if (!shown) return undefined
  const replace = (_component: string, record: Record<string, unknown>) => record
  const data = isDraft(event) ? null : made({ $ref: component } as never)(event['data'], { replace, sees })
  const changed = (event['changed'] as string[]).filter((member) => shown.has(member))
  return { ...event, data: data ?? null, changed }
}

/** What was taken back is told of, and not shown. */
const isDraft = ({ data }: { data?: unknown }): boolean => (data as { status?: string } | null)?.status === 'draft'

/** How the answers of a route of this status are shown; made when first asked for. */
function projectOf(
  byRoute: WeakMap<object, Map<number, Project>>,
  request: FastifyRequest,
  reply: FastifyReply,
): Project {
  const { config } = request.routeOptions
  const schema = config.operation?.answers[reply.statusCode]?.schema
  if (!schema) throw new Error(`${config.operation?.id} answers ${reply.statusCode}, which it does not document`)
  const statuses = byRoute.get(config) ?? new Map<number, Project>()
  byRoute.set(config, statuses)
  const known = statuses.get(reply.statusCode)
  if (known) return known
  // Those of the document: a slice may answer with a component of another.
  const { components } = request.server.swagger() as unknown as { components: { schemas: Record<string, Component> } }
  const made = projections((name) => components.schemas[name])
  const shown = made(schema as never)
  const project: Project = (value, sight) =>
    shown(value, {
      ...sight,
      replace: (component, record) =>
        component === 'Event' ? eventOf(record, made, sight) : sight.replace(component, record),
    })
  statuses.set(reply.statusCode, project)
  return project
}

/**
 * The answer as its reader may see it: of what was changed after the reader had left, the version from before; and of the
 * commitments that it names, those that are there for the reader. Reads under the partner's role name no others; events,
 * the answers to writes, earlier versions and agreed terms were made with all in sight.
 */
async function asSeen(
  database: Database,
  reader: Reader,
  value: unknown,
  project: Project,
  isOwnWrite: boolean,
): Promise<unknown> {
  const records: Shown[] = []
  const named = new Set<string>()
  const sees = (id: string) => {
    named.add(id.toLowerCase())
    return true
  }
  const replace: Sight['replace'] = (component, record) => {
    const type = kinds[component]
    if (type) records.push(shownAs(type, record))
    return record
  }
  const whole = project(value, { replace, sees })
  const before = isOwnWrite ? new Map<string, null>() : await earlierOf(database, reader, records)
  const asItWas: Sight['replace'] = (component, record) => {
    const earlier = kinds[component] ? before.get(String(record['id'])) : undefined
    if (earlier === undefined) return record
    return earlier ?? (component === 'Pause' ? beforeItsEnd(record) : undefined)
  }
  const then = before.size === 0 ? whole : project(value, { replace: asItWas, sees })
  const seen = await commitmentsSeen(database, reader, [...named])
  if (seen.size === named.size) return then
  return project(value, { replace: asItWas, sees: (id) => seen.has(id.toLowerCase()) })
}

async function earlierOf(database: Database, reader: Reader, records: readonly Shown[]) {
  const left = records.length === 0 ? [] : await leftBy(database, reader)
  return left.length === 0 ? new Map<string, null>() : versionsBefore(database, reader, left, records)
}

/** No version of a pause is kept, and its end is all that ever changes of it. */
const beforeItsEnd = (pause: Record<string, unknown>): Record<string, unknown> => ({
  ...pause,
  version: 1,
  updated_at: pause['created_at'],
  resumed_on: null,
})

const shownAs = (type: string, record: Record<string, unknown>): Shown => ({
  type,
  id: String(record['id']),
  partnership_id: record['partnership_id'] as string | undefined,
  commitment_id: record['commitment_id'] as string | undefined,
  updated_at: String(record['updated_at']),
})
