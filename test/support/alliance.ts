import type { Json, Service } from './harness.ts'

/** A partnership as tests need it: active since 2026-01-01, between a company and a non-profit. */
export interface Alliance {
  company: Json
  charity: Json
  partnership: Json
  /** The seats in the partnership. */
  companyParty: string
  charityParty: string
}

let made = 0

export async function makeOrganisation(service: Service, sector: string, more: object = {}): Promise<Json> {
  made += 1
  return service.make('/v1/organisations', { name: `${sector} ${made}`, sector, ...more })
}

/** Takes an alliance over in the state that a test starts from; its organisations may be given. */
export async function makeAlliance(
  service: Service,
  given: { company?: Json; charity?: Json; status?: string; partnership?: object } = {},
): Promise<Alliance> {
  const company = given.company ?? (await makeOrganisation(service, 'company'))
  const charity = given.charity ?? (await makeOrganisation(service, 'non_profit'))
  made += 1
  const partnership = await service.make('/v1/partnerships', {
    name: `Alliance ${made}`,
    parties: [
      { organisation_id: company.id, side: 'company', role: 'lead' },
      { organisation_id: charity.id, side: 'non_profit' },
    ],
    starts_on: '2026-01-01',
    status: given.status ?? 'active',
    taken_over: { on: '2026-01-01', from_system: 'tests' },
    ...given.partnership,
  })
  const [companyParty, charityParty] = partnership.parties.map((party: Json) => party.id)
  return { company, charity, partnership, companyParty, charityParty }
}
