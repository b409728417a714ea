import pg from 'pg'
import type { Test } from 'tap'
import { newId } from '../../src/core/ids.ts'
import { wholeTenant } from '../../src/db/database.ts'
import { makeOutbound } from '../../src/platform/outbound.ts'
import { secretBox } from '../../src/platform/secrets.ts'
import { takeSnapshot } from '../../src/resources/portfolio-snapshots/commands.ts'
import { exportIn, makeExport } from './exporting.ts'
import { type Json, type Service, startService } from './harness.ts'
import { type Alliance, allianceTakenOver, commitment } from './promises.ts'
import { closedReadiness, conclusion, openRound, ownTemplate, respond, stepRound } from './rounds.ts'

/** A service in which every kind of record can be made: webhooks may go to this machine, so a target needs no name server. */
export const startForAll = (t: Test): Promise<Service> =>
  startService(t, {
    webhooks: {
      outbound: makeOutbound({ allowPrivate: true, timeoutMs: 1000 }),
      box: secretBox([Buffer.alloc(32, 7)]),
    },
  })

/** The reference of every record here that may have one. */
export const ourRef = { system: 'world', id: 'ours' }

/**
 * One record of each kind that has an address of its own, by the first part of that address. A new kind of record is
 * added here: the test of all operations asks for it.
 */
export async function oneOfEach(service: Service, ref = ourRef): Promise<Record<string, string>> {
  const external_refs = [ref]
  const organisation = await service.make('/v1/organisations', {
    name: 'Ons Doel',
    sector: 'non_profit',
    external_refs,
  })
  const contact = await service.make(`/v1/organisations/${organisation.id}/contacts`, {
    name: 'Fatima de Vries',
    function: 'alliance_manager',
    external_refs,
  })
  const seats = await allianceTakenOver(service, {
    charity: organisation,
    partnership: { external_refs, purpose: { why: { nl: 'Lezen' }, what: { nl: 'Bijles' }, how: { nl: 'Samen' } } },
  })
  const { partnership } = seats
  const gift = await service.make('/v1/commitments', {
    partnership_id: partnership.id,
    from_party_id: seats.company,
    to_party_id: seats.charity,
    kind: 'cash',
    title: 'A yearly gift',
    measure: { type: 'money', amount: '1000.00', currency: 'EUR' },
    status: 'agreed',
    agreed_on: '2026-01-01',
    taken_over: { on: '2026-01-01', from_system: 'tests' },
    external_refs,
  })
  const fulfilment = await service.make(`/v1/commitments/${gift.id}/fulfilments`, {
    delivered_on: '2026-02-01',
    measure: { type: 'money', amount: '100.00', currency: 'EUR' },
    reported_by_party_id: seats.company,
    external_refs,
  })
  const objective = await service.make('/v1/objectives', {
    organisation_id: organisation.id,
    level: 'outcome',
    title: 'More children read',
    importance: 4,
    active_from: '2026-01-01',
    external_refs,
  })
  const link = await service.make('/v1/objective-links', {
    partnership_id: partnership.id,
    objective_id: objective.id,
    contribution: 2,
  })
  const disruption = await service.make('/v1/disruptions', {
    title: 'A flood',
    type: 'natural_disaster',
    started_on: '2026-02-01',
    external_refs,
  })
  const impact = await service.make('/v1/impacts', {
    disruption_id: disruption.id,
    partnership_id: partnership.id,
    severity: 'low',
    effects: ['demand_up'],
    response: 'none_needed',
    external_refs,
  })
  await stepRound(service, await closedReadiness(service, organisation), 'conclude', conclusion)
  const line = `${JSON.stringify({ type: 'organisation', external_refs: [{ system: 'world', id: 'row' }] })}\n`
  const exported = await service.make('/v1/exports', { format: 'csv', tables: ['pauses'] })
  await makeExport(service, exported.id).catch((error: Error) => {
    // Where jobs run, one of them has begun it since.
    if (!/taken up/.test(error.message)) throw error
    return exportIn(service, exported.id, 'succeeded')
  })
  const imported = await service.make('/v1/imports', line, { type: 'application/x-ndjson' })
  const apiKey = await service.make('/v1/api-keys', { name: 'Ours', scopes: ['organisations:read'] })
  const issuer = await service.make('/v1/oidc-issuers', {
    name: 'Our sign-in',
    issuer: `https://id.example.org/${apiKey.id}`,
    audience: 'https://api.example.org',
    signs_in: 'staff',
    scopes: ['partnerships:read'],
  })
  return {
    organisations: organisation.id,
    contacts: contact.id,
    partnerships: partnership.id,
    commitments: gift.id,
    fulfilments: fulfilment.id,
    objectives: objective.id,
    'objective-links': link.id,
    disruptions: disruption.id,
    impacts: impact.id,
    imports: imported.id,
    exports: exported.id,
    'api-keys': apiKey.id,
    'oidc-issuers': issuer.id,
    'portfolio-snapshots': await snapshot(service, organisation.id),
    ...(await changes(service, seats, gift)),
    ...(await round(service, partnership, external_refs)),
    ...(await webhook(service)),
  }
}

/** What its portfolio said at the end of a month: of the kinds of record, the one that only a job makes. */
async function snapshot({ database, tenantId, get }: Service, organisation_id: string): Promise<string> {
  const caller = {
    ...wholeTenant(tenantId),
    actor: { type: 'system', id: null },
    scopes: ['admin'],
    requestId: newId(),
  } as const
  const taken = { organisation_id, as_of: '2026-03-31' }
  await takeSnapshot(database, { ...caller, now: new Date().toISOString() }, taken)
  return (await get(`/v1/portfolio-snapshots?organisation_id=${organisation_id}`)).body.data[0].id
}

/** What becomes of an agreed commitment when both sides want it otherwise. */
async function changes(service: Service, seats: Alliance, old: Json): Promise<Record<string, string>> {
  const measure = { type: 'money', amount: '100.00', currency: 'EUR' }
  const next = await commitment(service, seats, { title: 'A gift in kind', kind: 'goods', measure })
  const substitution = await service.make('/v1/substitutions', {
    replaces_commitment_id: old.id,
    replaced_measure: measure,
    by_commitment_id: next.id,
    reason: 'The shop is closed',
    proposed_by_party_id: seats.company,
  })
  const amendment = await service.make(`/v1/partnerships/${seats.partnership.id}/amendments`, {
    cause: 'evaluation',
    proposed_by_party_id: seats.company,
    changes: { commitments: [{ commitment_id: old.id, terms: { title: 'A gift each year' } }] },
  })
  return { substitutions: substitution.id, amendments: amendment.id }
}

/** Nothing is sent: that is for jobs, of which there are none here. */
async function webhook(service: Service): Promise<Record<string, string>> {
  const endpoint = await service.make('/v1/webhook-endpoints', { url: 'http://127.0.0.1:9/hook' })
  const path = `/v1/webhook-endpoints/${endpoint.id}`
  await service.call('POST', `${path}/test`, {}, { ifMatch: '*' })
  const [delivery] = (await service.get(`${path}/deliveries`)).body.data
  return { 'webhook-endpoints': endpoint.id, 'webhook-deliveries': delivery.id }
}

async function round(
  service: Service,
  partnership: Json,
  external_refs: (typeof ourRef)[],
): Promise<Record<string, string>> {
  const template = await service.make('/v1/evaluation-templates', {
    ...ownTemplate(`${external_refs[0]?.id}-review`),
    external_refs,
  })
  const open = await openRound(service, partnership, { template_code: template.code, external_refs })
  for (const party of partnership.parties) await respond(service, open, party)
  await stepRound(service, open, 'conclude', conclusion)
  const [invitations, decisions] = await Promise.all([
    service.get(`/v1/evaluations/${open.id}/invitations`),
    service.get(`/v1/evaluations/${open.id}/decisions`),
  ])
  return {
    'evaluation-templates': template.id,
    evaluations: open.id,
    'evaluation-invitations': invitations.body.data[0].id,
    'evaluation-decisions': decisions.body.data[0].id,
  }
}

/** Every id in the rows of a tenant, whatever the table. */
export async function idsOf(service: Service): Promise<Set<string>> {
  const client = new pg.Client({ connectionString: service.url })
  await client.connect()
  try {
    await client.query(`select set_config('beide.tenant_id', $1, false)`, [service.tenantId])
    const tables = await client.query<{ name: string }>(
      `select table_name as name from information_schema.columns where table_schema = 'public'
       group by table_name having bool_or(column_name = 'tenant_id') and bool_or(column_name = 'id')`,
    )
    const ids = new Set<string>()
    for (const { name } of tables.rows) {
      const rows = await client.query<{ id: string }>(`select id from ${name} where tenant_id = $1`, [service.tenantId])
      for (const { id } of rows.rows) ids.add(id)
    }
    return ids
  } finally {
    await client.end()
  }
}
