import type { Client, Json } from './harness.ts'
import { type Alliance, allianceTakenOver } from './promises.ts'
import { organisation } from './world.ts'

// Portfolios that several tests begin with, made through the public interface.

/** An alliance of a charity with managers on both sides. */
export async function managed(client: Client, charity: Json, more: object = {}): Promise<Alliance> {
  const company = await organisation(client, 'company')
  const managers = []
  for (const { id } of [company, charity]) {
    const contact = await client.make(`/v1/organisations/${id}/contacts`, {
      name: 'Noor',
      function: 'alliance_manager',
    })
    managers.push({ organisation_id: id, contact_id: contact.id })
  }
  return allianceTakenOver(client, { charity, company, partnership: { managers, ...more } })
}

/** A page of the portfolio of an organisation, which must be answered. */
export async function portfolioOf(client: Client, { id }: Json, query = ''): Promise<Json> {
  const answer = await client.get(`/v1/portfolio?organisation_id=${id}${query}`)
  if (answer.status !== 200) throw new Error(answer.text)
  return answer.body
}
