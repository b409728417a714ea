import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Clock } from '../../core/clock.ts'
import { Faults, notFound } from '../../core/problem.ts'
import { readAsPartner } from '../../db/as-partner.ts'
import { type Database, isPartner, type Reader, type ReadTx } from '../../db/database.ts'
import { principalOf } from '../auth.ts'
import { survivorIn } from '../merged.ts'
import type { Operation } from '../operation.ts'
import { isHidden } from './fields.ts'
import { type PartnerUse, partnerOperations } from './operations.ts'
import { holdAtHand, type Reachable, reachableBy, takesPart } from './reach.ts'

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

/** A filter on what partners are not shown would tell it. */
function checkFilters({ query }: FastifyRequest, { answers }: Operation): void {
  const { $ref = '' } = (answers[200]?.schema ?? {}) as { $ref?: string }
  const faults = new Faults()
  for (const name of Object.keys(query as object)) {
    if (!isHidden($ref.replace(/Page#$/, ''), name)) continue
    faults.add(`?${name}`, 'not_for_partners', 'A partner does not see this, nor ask by it.')
  }
  faults.refuse('invalid_request')
}

const survivor = survivorIn('organisations')

/** Whom a write names as acting; an organisation of the partner that was merged away stands for the one that is left. */
async function actorsIn(tx: ReadTx, { acts, body }: Write): Promise<{ member: string; id: string }[]> {
  const given = acts.flatMap((member) =>
    body[member] == null ? [] : [{ member, id: String(body[member]).toLowerCase() }],
  )
  return Promise.all(
    given.map(async ({ member, id }) => {
      const [left] = member.endsWith('organisation_id') ? await survivor.run(tx, { id }) : []
      return { member, id: left?.id ?? id }
    }),
  )
}

/** Whose side acts must be the partner's own. */
function checkActors(
  acts: readonly string[],
  given: readonly { member: string; id: string }[],
  { parties, itself }: Reachable,
  faults: Faults,
) {
  const own = new Set([...parties.flatMap((party) => Object.values(party)), itself])
  for (const { member, id } of given) {
    if (own.has(id)) continue
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

/** What a partner's write asks for, as far as it is the partner that is asked about. */
interface Write {
  reader: Reader
  acts: readonly string[]
  /** The record in the address. */
  id: string | undefined
  body: Record<string, unknown>
  /** The ids in the body. */
  named: readonly Named[]
  /** The records whose partnerships tell for whom it may act. */
  atHand: readonly string[]
}

function writeOf(request: FastifyRequest, { acts = [] }: PartnerUse): Write {
  const id = (request.params as { id?: string } | undefined)?.id?.toLowerCase()
  const body = (request.body ?? {}) as Record<string, unknown>
  const named = idsIn(body)
  const atHand = id === undefined ? named.map((each) => each.id) : [id]
  return { reader: principalOf(request), acts, id, body, named, atHand }
}

/**
 * What a partner's write names must be there for the partner, and it must act for its own side; then the command decides
 * as it does for everybody, with all there is in sight.
 */
async function judge(tx: ReadTx, write: Write, now: string): Promise<void> {
  const { acts, id, body, named, atHand } = write
  const reach = await reachableBy(tx, [...named.map((each) => each.id), ...atHand], atHand, now)
  const isAlone = reach.parties.length === 0 && reach.itself === undefined
  if (id !== undefined && (!reach.ids.has(id) || (acts.length === 0 && isAlone))) throw notFound()
  const faults = new Faults()
  addTenantMembers(body, faults)
  for (const { pointer, id: asked } of named) {
    if (reach.ids.has(asked)) continue
    faults.add(pointer, 'unknown_reference', 'There is no such record, or it is not yours to see.')
  }
  checkActors(acts, await actorsIn(tx, write), reach, faults)
  faults.refuse()
}

/**
 * Judges a write before it begins, and again in its transaction, with what it hangs on held: what the partner has lost in
 * between is not its own any more.
 */
async function judgeWrite(request: FastifyRequest, use: PartnerUse, database: Database, clock: Clock): Promise<void> {
  const write = writeOf(request, use)
  await database.read(write.reader, (tx) => judge(tx, write, clock.now()))
  request.judge = async (tx) => {
    await holdAtHand(tx, write.atHand)
    await readAsPartner(tx, (seen) => judge(seen, write, tx.now))
  }
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
      if (!request.principal || !isPartner(request.principal)) return
      const operation = request.routeOptions.config.operation
      const use = partnerOperations[operation?.id ?? '']
      if (!operation || !use) throw new Error(`${operation?.id} is not open to partners`)
      if (use.isForPresent) await checkPresent(request, database, clock)
      if (request.method === 'GET' || request.method === 'HEAD') checkFilters(request, operation)
      else if (operation.changesNothing) checkMembers(request.body)
      else await judgeWrite(request, use, database, clock)
    })
  },
  { name: 'partner-gate', dependencies: ['authentication'] },
)
