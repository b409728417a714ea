import t from 'tap'
import { asOwner } from '../src/db/tenants.ts'
import { partnerOperations } from '../src/platform/partners/operations.ts'
import { everyOperation } from './support/every-operation.ts'
import type { Answer, Json } from './support/harness.ts'
import { oneOfEach, startForAll } from './support/one-of-each.ts'
import { portalKey } from './support/partners.ts'
import { agreed, allianceTakenOver, commitment, pathOf } from './support/promises.ts'
import { closedReadiness, openRound } from './support/rounds.ts'
import { stepOf } from './support/world.ts'

// No answer names a record that is not there for the partner who asks.

const service = await startForAll(t)
const ours = await oneOfEach(service)
const { guarded, oursFor, ask } = everyOperation(service, ours)
const partnership = (await service.get(`/v1/partnerships/${ours['partnerships']}`)).body
const [company, charity] = partnership.parties
const seats = { partnership, company: company.id, charity: charity.id }

const thought = (more: object = {}) => commitment(service, seats, { title: 'Only thought of', ...more })
const objective = (organisation_id: string): Promise<Json> =>
  service.make('/v1/objectives', {
    ...{ organisation_id, level: 'outcome', title: 'Of its own', importance: 3 },
    active_from: '2026-01-01',
  })

/** What the company keeps to itself, named by what both see wherever that can name it. */
async function kept(): Promise<{ offered: string }> {
  const returns = { from_party_id: charity.id, to_party_id: company.id }
  const [draft, offered, back] = [await thought(), await thought(), await thought()]
  const answering = await agreed(service, seats, { ...returns, in_return_for: [draft.id, back.id] })
  await stepOf(service, pathOf(back), 'propose')
  await stepOf(service, pathOf(back), 'withdraw')
  for (const in_return_for of [[offered.id], [draft.id]]) {
    await service.make(`/v1/partnerships/${partnership.id}/amendments`, {
      ...{ cause: 'renewal', proposed_by_party_id: company.id },
      changes: { commitments: [{ commitment_id: answering.id, terms: { in_return_for } }] },
    })
  }
  const substitution = await service.make('/v1/substitutions', {
    replaces_commitment_id: (await agreed(service, seats)).id,
    by_commitment_id: offered.id,
    ...{ reason: 'It rains', proposed_by_party_id: company.id },
  })
  await stepOf(service, `/v1/substitutions/${substitution.id}`, 'withdraw', { party_id: company.id })
  const own = await objective(company.organisation_id)
  await service.make('/v1/objective-links', { partnership_id: partnership.id, objective_id: own.id, contribution: 2 })
  await closedReadiness(service, { id: company.organisation_id })
  await openRound(service, partnership)
  await allianceTakenOver(service, { company: { id: company.organisation_id } })
  return { offered: offered.id }
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** The ids of the tenant's records, and of these those that the wall of the database lets a partner see. */
const idsFor = (organisation: string): Promise<{ all: Set<string>; seen: Set<string> }> =>
  asOwner(service.url, async (client) => {
    const tables = await client.query<{ name: string; is_open: boolean }>(
      `select c.relname as name, has_table_privilege('beide_partner', c.oid, 'select') as is_open
       from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and 2 = (
         select count(*) from pg_attribute a where a.attrelid = c.oid and a.attname in ('id', 'tenant_id'))`,
    )
    const settings = `select set_config('beide.tenant_id', $1, true), set_config('beide.organisations', $2, true)`
    await client.query(settings, [service.tenantId, organisation])
    const idsOf = async (names: readonly string[]) => {
      const ids = names.map((name) => `select id::text from ${name} where tenant_id = current_tenant()`)
      return new Set((await client.query(ids.join(' union '))).rows.map(({ id }) => String(id)))
    }
    const all = await idsOf(tables.rows.map(({ name }) => name))
    await client.query('set local role beide_partner')
    return { all, seen: await idsOf(tables.rows.flatMap(({ name, is_open }) => (is_open ? [name] : []))) }
  })

/** An answer without the events which tell that a proposal was taken back. */
const untaken = ({ text, body }: Answer): string =>
  Array.isArray(body?.data)
    ? JSON.stringify(body.data.filter(({ type }: Json) => !/withdrawn$/.test(type ?? '')))
    : text

t.test('an answer names only what the partner may read', async (t) => {
  const { offered } = await kept()
  for (const { organisation_id } of [company, charity]) {
    const key = await portalKey(service, [{ id: organisation_id }])
    const me = (await service.get('/v1/me', { key })).body
    const own = [me.tenant.id, me.api_key.id]
    const { all, seen } = await idsFor(organisation_id)
    t.ok(all.size > seen.size && seen.size > 20)
    const named = new Set<string>()
    for (const operation of guarded.filter(({ id, method }) => id in partnerOperations && method === 'GET')) {
      const naming = oursFor(operation)
      const query = operation.id === 'list_events' ? { query: '?limit=500' } : {}
      const answer = await ask(service, operation, naming, { key, ...query })
      if (answer.status !== 200) continue
      for (const [id] of untaken(answer).matchAll(uuid)) {
        named.add(id)
        if (seen.has(id) || !all.has(id) || id === naming.id) continue
        // Of itself a credential is told, as staff are.
        if (operation.id === 'get_me' && own.includes(id)) continue
        // What was offered in the place of a promise was shown while the offer stood.
        if (id === offered && /substitution|event/.test(operation.id)) continue
        t.fail(`${operation.id} names ${id}`)
      }
    }
    t.ok(named.size > 60, `${named.size} were named`)
  }
})
