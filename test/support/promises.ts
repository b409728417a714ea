import type { Client, Json } from './harness.ts'
import { organisation, partnershipIn, stepOf } from './world.ts'

// Commitments that many tests begin with, made through the public interface.

/** A partnership in a state and its two seats: what most promises are made in. */
export interface Alliance {
  partnership: Json
  company: string
  charity: string
}

export async function alliance(client: Client, status = 'active', more: object = {}): Promise<Alliance> {
  const partnership = await partnershipIn(client, status, more)
  const [company, charity] = partnership.parties
  return { partnership, company: company.id, charity: charity.id }
}

interface Given {
  /** The organisations, where they are there already. */
  company?: Json
  charity?: Json
  status?: string
  partnership?: object
}

/** An alliance since 2026-01-01 that was taken over in a state: that takes fewer requests than leading one there. */
export async function allianceTakenOver(
  client: Client,
  given: Given = {},
): Promise<Alliance & { organisations: { company: Json; charity: Json } }> {
  const company = given.company ?? (await organisation(client, 'company'))
  const charity = given.charity ?? (await organisation(client, 'non_profit'))
  const partnership = await client.make('/v1/partnerships', {
    name: 'Samen naar school',
    parties: [
      { organisation_id: company.id, side: 'company', role: 'lead' },
      { organisation_id: charity.id, side: 'non_profit' },
    ],
    starts_on: '2026-01-01',
    status: given.status ?? 'active',
    taken_over: { on: '2026-01-01', from_system: 'tests' },
    ...given.partnership,
  })
  const seats = partnership.parties.map(({ id }: Json) => id)
  return { partnership, company: seats[0], charity: seats[1], organisations: { company, charity } }
}

/** A partnership of three: a company that promises, a charity that receives, and another charity. */
export async function allianceOfThree(client: Client): Promise<Alliance & { other: string }> {
  const [first, second, third] = await Promise.all([
    organisation(client, 'company'),
    organisation(client, 'non_profit'),
    organisation(client, 'non_profit', 'Another'),
  ])
  const parties = [
    { organisation_id: first.id, side: 'company' },
    { organisation_id: second.id, side: 'non_profit' },
    { organisation_id: third.id, side: 'non_profit' },
  ]
  const partnership = await client.make('/v1/partnerships', { name: 'Three', parties, starts_on: '2026-01-01' })
  const [company, charity, other] = partnership.parties.map(({ id }: Json) => id)
  return { partnership, company, charity, other }
}

/** The body of a promise of the company to the charity. */
export const promise = ({ partnership, company, charity }: Alliance, more: object = {}): Json => ({
  partnership_id: partnership.id,
  from_party_id: company,
  to_party_id: charity,
  kind: 'cash',
  title: 'A gift',
  measure: { type: 'money', amount: '1000.00', currency: 'EUR' },
  ...more,
})

export const commitment = (client: Client, seats: Alliance, more: object = {}): Promise<Json> =>
  client.make('/v1/commitments', promise(seats, more))

export const pathOf = ({ id }: Json): string => `/v1/commitments/${id}`

/** A commitment that was proposed and agreed. */
export async function agreed(client: Client, seats: Alliance, more: object = {}): Promise<Json> {
  const made = await commitment(client, seats, more)
  await stepOf(client, pathOf(made), 'propose')
  const decider = made.from_party_id === seats.company ? seats.charity : seats.company
  return stepOf(client, pathOf(made), 'agree', { party_id: decider })
}

/** A commitment that was taken over in a state. */
export const takenOver = (client: Client, seats: Alliance, status: string, more: object = {}): Promise<Json> =>
  commitment(client, seats, { status, taken_over: { on: '2026-01-01', from_system: 'old' }, ...more })

/** Reports a delivery on a commitment in its own unit. */
export const deliver = (client: Client, { id, measure }: Json, amount: string, more: object = {}): Promise<Json> =>
  client.make(`/v1/commitments/${id}/fulfilments`, {
    delivered_on: '2026-01-15',
    measure: measure.type === 'money' ? { ...measure, amount } : { ...measure, quantity: amount },
    ...more,
  })

export const entryPath = ({ id }: Json): string => `/v1/fulfilments/${id}`

/** The pointers of a refusal, in order, with the code of each. */
export const faultsOf = ({ body }: { body: Json }): string[] =>
  (body.errors ?? []).map(({ pointer, code }: Json) => `${pointer} ${code}`)
