import type { Client, Json } from './harness.ts'

// Records that many tests begin with, made through the public interface.

/** An organisation. */
export const organisation = (
  client: Client,
  sector: string,
  name = `The ${sector}`,
  more: object = {},
): Promise<Json> => client.make('/v1/organisations', { name, sector, ...more })

/** A company and a non-profit. */
export async function pair(client: Client): Promise<{ company: Json; charity: Json }> {
  const [company, charity] = await Promise.all([
    organisation(client, 'company', 'Voorbeeld BV'),
    organisation(client, 'non_profit', 'Stichting Voorbeeld'),
  ])
  return { company, charity }
}

/** A draft between a new company and a new non-profit. */
export async function draft(client: Client, more: object = {}): Promise<Json> {
  const { company, charity } = await pair(client)
  return client.make('/v1/partnerships', {
    name: 'Samen naar school',
    parties: [
      { organisation_id: company.id, side: 'company', role: 'lead' },
      { organisation_id: charity.id, side: 'non_profit' },
    ],
    starts_on: '2026-01-01',
    ...more,
  })
}

/** A step that must succeed. @returns the record after it */
export async function stepOf(client: Client, path: string, verb: string, body: object = {}): Promise<Json> {
  const answer = await client.step(path, verb, body)
  if (answer.status !== 200) throw new Error(`${path}/${verb}: ${answer.status} ${answer.text}`)
  return answer.body
}

export const waived = { reciprocity_waiver: 'A pilot' }

/** The shortest way of a draft to each state. Activation waives reciprocity, the end an exit evaluation. */
const ways: Record<string, (partnership: Json) => [verb: string, body: object][]> = {
  draft: () => [],
  proposed: () => [['propose', {}]],
  declined: () => [
    ['propose', {}],
    ['decline', { reason: 'No budget' }],
  ],
  active: ({ parties }) => [
    ['propose', {}],
    ...parties.map(({ id }: Json) => ['assent', { party_id: id }]),
    ['activate', waived],
  ],
  paused: (partnership) => [...(ways['active']?.(partnership) ?? []), ['pause', pauseOf(partnership)]],
  ending: (partnership) => [
    ...(ways['active']?.(partnership) ?? []),
    ['wind-down', { ends_on: '2026-12-31', end_reason: 'completed' }],
  ],
  ended: (partnership) => [
    ...(ways['ending']?.(partnership) ?? []),
    ['end', { exit_evaluation_waiver: 'Too small to evaluate' }],
  ],
}

/** The body of a pause that a partnership's first party asks for. */
export const pauseOf = ({ parties }: Json, more: object = {}): object => ({
  reason: 'solidarity',
  initiated_by_party_id: parties[0].id,
  review_on: '2030-01-01',
  ...more,
})

/** Leads a draft to a state. @returns the partnership in it */
export async function leadTo(client: Client, partnership: Json, status: string): Promise<Json> {
  let current = partnership
  for (const [verb, body] of ways[status]?.(partnership) ?? []) {
    current = await stepOf(client, `/v1/partnerships/${partnership.id}`, verb, body)
  }
  return current
}

/** A partnership between a new company and a new non-profit, in a state. */
export const partnershipIn = async (client: Client, status: string, more: object = {}): Promise<Json> =>
  leadTo(client, await draft(client, more), status)
