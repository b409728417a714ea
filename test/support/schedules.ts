import type { Client, Json } from './harness.ts'
import { type Alliance, agreed, deliver, entryPath, pathOf } from './promises.ts'
import { stepOf } from './world.ts'

// Commitments with a schedule, and what became of their instalments.

export const monthly = (more: object = {}): object => ({
  frequency: 'monthly',
  day_of_month: 'last',
  starts_on: '2026-01-01',
  count: 4,
  ...more,
})

/** A gift of 1,000 euro that was agreed, in instalments. */
export const scheduled = (client: Client, seats: Alliance, schedule: object = monthly(), more = {}): Promise<Json> =>
  agreed(client, seats, { schedule, ...more })

/** The instalments of a commitment. */
export async function instalmentsOf(client: Client, { id }: Json, query = ''): Promise<Json[]> {
  const answer = await client.get(`/v1/commitments/${id}/instalments${query}`)
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
  return answer.body.data
}

/** When each instalment in the plan is due, in which state, and what of it is settled. */
export const planOf = async (client: Client, commitment: Json): Promise<string[]> =>
  (await instalmentsOf(client, commitment))
    .filter(({ superseded_on }) => superseded_on === null)
    .map(({ due_on, state, settled }) => `${due_on} ${state} ${settled.amount ?? settled.quantity}`)

/** Reports a delivery, and lets the other side confirm it. @returns the entry */
export async function confirmed(
  client: Client,
  seats: Alliance,
  commitment: Json,
  amount: string,
  more: object = {},
): Promise<Json> {
  const entry = await deliver(client, commitment, amount, more)
  const decider = commitment.from_party_id === seats.company ? seats.charity : seats.company
  return stepOf(client, entryPath(entry), 'confirm', { party_id: decider })
}

/** Takes an entry of the ledger back. */
export const reverse = (client: Client, entry: Json, partyId: string): Promise<Json> =>
  stepOf(client, entryPath(entry), 'reverse', { party_id: partyId, reason: 'A mistake' })

/** The commitment as it is now. */
export const now = async (client: Client, commitment: Json): Promise<Json> =>
  (await client.get(pathOf(commitment))).body
