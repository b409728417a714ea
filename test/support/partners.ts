import { partnerScopes } from '../../src/platform/partners/operations.ts'
import type { Json, Service } from './harness.ts'
import { type Alliance, allianceTakenOver } from './promises.ts'

/** The key of a partner that stands for these organisations. */
export const portalKey = async (
  as: Service,
  organisations: readonly Json[],
  scopes: readonly string[] = partnerScopes,
): Promise<string> => {
  const organisation_ids = organisations.map(({ id }) => id)
  return (await as.make('/v1/api-keys', { name: 'A portal', scopes, organisation_ids })).key
}

/** An alliance of a tenant of its own, and the keys of its two sides. */
export async function allianceOfPartners(service: Service, given: Parameters<typeof allianceTakenOver>[1] = {}) {
  const as = await service.afresh()
  const { organisations, ...seats } = await allianceTakenOver(as, given)
  const [companyKey, charityKey] = [
    await portalKey(as, [organisations.company]),
    await portalKey(as, [organisations.charity]),
  ]
  return { as, seats: seats satisfies Alliance, organisations, companyKey, charityKey }
}
