import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Clock } from '../../core/clock.ts'
import { Faults, notFound } from '../../core/problem.ts'
import type { Database } from '../../db/database.ts'
import { principalOf } from '../auth.ts'
import { type PartnerUse, partnerOperations } from './operations.ts'
import { type Reachable, reachableBy, takesPart } from './reach.ts'

/** Members that speak of the tenant's own systems: partners neither see nor write them. */
const isOfTenant = (member: string): boolean =>
  member === 'external_refs' ||
  member === 'refs' ||
  member === 'metadata' ||
  member.endsWith('_ref') ||
  member.endsWith('_refs')

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

interface Named {
  pointer: string
  id: string
}

/** Every id in a body, wherever it stands, with its pointer; free texts are none, even those that look like one. */
function idsIn(value: unknown, pointer = '', member = ''): Named[] {
  if (typeof value === 'string') {
    return uuidForm.test(value) && /(_id|_ids|_for)$/.test(member) ? [{ pointer, id: value.toLowerCase() }] : []
  }
  if (Array.isArray(value)) return value.flatMap((item, at) => idsIn(item, `${pointer}/${at}`, member))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => idsIn(inner, `${pointer}/${name}`, name))
}

/** The pointers of what a partner does not write, wherever it stands: records named by ids in other systems, too. */
function tenantMembersIn(value: unknown, pointer = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item, at) => tenantMembersIn(item, `${pointer}/${at}`))
  if (typeof value !== 'object' || value === null) return []
  if ('system' in value) return [pointer]
  return Object.entries(value).flatMap(([name, inner]) =>
    isOfTenant(name) ? [`${pointer}/${name}`] : tenantMembersIn(inner, `${pointer}/${name}`),
  )
}

function addTenantMembers(body: unknown, faults: Faults): void {
  for (const pointer of tenantMembersIn(body)) faults.add(pointer, 'not_for_partners', 'A partner does not write this.')
}

/** A question that is asked with a body names nothing of the tenant's own systems either. */
function checkMembers(body: unknown): void {
  const faults = new Faults()
  addTenantMembers(body, faults)
  faults.refuse()
}

/** Whose side acts must be the partner's own. */
function checkActors(
  acts: readonly string[],
  body: Record<string, unknown>,
  { parties, itself }: Reachable,
  faults: Faults,
) {
  const own = new Set([...parties.flatMap((party) => Object.values(party)), itself])
  const given = acts.filter((member) => body[member] != null)
  for (const member of given) {
    if (own.has(String(body[member]).toLowerCase())) continue
    faults.add(
      `/${member}`,
      'not_own_party',
      'Name a party of your own that takes part: a partner acts for its own side alone.',
    )
  }
  if (acts.length > 0 && given.length === 0) {
    faults.add(`/${acts[0]}`, 'required', 'Name your own party: a partner says for which of its parties it acts.')
  }
}

/**
 * What a partner's write names must be there for the partner, and it must act for its own side; then the command decides
 * as it does for everybody, with all there is in sight.
 */
async function checkWrite(
  request: FastifyRequest,
  { acts = [] }: PartnerUse,
  database: Database,
  clock: Clock,
): Promise<void> {
  const { id } = (request.params ?? {}) as { id?: string }
  const body = (request.body ?? {}) as Record<string, unknown>
  const named = idsIn(body)
  const ids = named.map((each) => each.id)
  const atHand = id === undefined ? ids : [id.toLowerCase()]
  const reach = await reachableBy(database, principalOf(request), [...ids, ...atHand], atHand, clock.now())
  const isAlone = reach.parties.length === 0 && reach.itself === undefined
  if (id !== undefined && (!reach.ids.has(id.toLowerCase()) || (acts.length === 0 && isAlone))) throw notFound()
  const faults = new Faults()
  addTenantMembers(body, faults)
  for (const { pointer, id: asked } of named) {
    if (reach.ids.has(asked)) continue
    faults.add(pointer, 'unknown_reference', 'There is no such record, or it is not yours to see.')
  }
  checkActors(acts, body, reach, faults)
  faults.refuse()
}

/** A figure over a whole partnership, of one that the partner has left, would be of a part of it. */
async function checkPresent(request: FastifyRequest, database: Database, clock: Clock): Promise<void> {
  const { id } = request.params as { id: string }
  if (!(await takesPart(database, principalOf(request), id, clock.now()))) throw notFound()
}

/** Stands before the handlers of partners' requests; what they read, the database itself bounds. */
export const partnerGate = fp(
  async (app: FastifyInstance, { database, clock }: { database: Database; clock: Clock }) => {
    app.addHook('preHandler', async (request) => {
      if (!request.principal || request.principal.organisations === null) return
      const operation = request.routeOptions.config.operation
      const use = partnerOperations[operation?.id ?? '']
      if (!operation || !use) throw new Error(`${operation?.id} is not open to partners`)
      if (use.isForPresent) await checkPresent(request, database, clock)
      if (request.method === 'GET' || request.method === 'HEAD') return
      if (operation.changesNothing) checkMembers(request.body)
      else await checkWrite(request, use, database, clock)
    })
  },
  { name: 'partner-gate', dependencies: ['authentication'] },
)
