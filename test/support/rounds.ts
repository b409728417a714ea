import { findTemplate } from '../../src/resources/evaluation-templates/read.ts'
import type { Answer, Client, Json } from './harness.ts'
import { organisation } from './world.ts'

// Evaluation rounds that many tests begin with, made through the public interface.

export const review = findTemplate('partnership-review') as NonNullable<ReturnType<typeof findTemplate>>

/** A template of one's own that asks what the built-in review asks. */
export const ownTemplate = (code: string): Json => ({
  code,
  title: review.title,
  dimensions: review.dimensions,
  items: review.items.map(({ minimum: _from, maximum: _to, ...item }) => item),
})

/** A partnership taken over in a state, with a party on each of these sides. */
export async function partnershipOf(
  client: Client,
  status = 'active',
  sides: readonly string[] = ['company', 'non_profit'],
  more: object = {},
): Promise<Json> {
  const parties: Json[] = []
  // One after another, so that all that follows has one order.
  for (const side of sides) parties.push({ organisation_id: (await organisation(client, side)).id, side })
  return client.make('/v1/partnerships', {
    name: 'Samen naar school',
    parties,
    starts_on: '2025-01-01',
    cross_sector_exception: 'Alliances of every kind are judged',
    status,
    taken_over: { on: '2026-01-01', from_system: 'spreadsheet' },
    ...more,
  })
}

/** A planned round on a partnership. */
export const plan = (client: Client, partnership: Json, more: object = {}): Promise<Json> =>
  client.make('/v1/evaluations', {
    partnership_id: partnership.id,
    kind: 'periodic',
    period_from: '2026-01-01',
    period_to: '2026-06-30',
    ...more,
  })

/** A step of a round that must succeed. @returns the round after it */
export async function stepRound(client: Client, round: Json, verb: string, body: object = {}): Promise<Json> {
  const answer = await client.step(`/v1/evaluations/${round.id}`, verb, body)
  if (answer.status !== 200) throw new Error(`${verb}: ${answer.status} ${answer.text}`)
  return answer.body
}

/** A round that every party is invited to and may answer. */
export async function openRound(client: Client, partnership: Json, more: object = {}): Promise<Json> {
  return stepRound(client, await plan(client, partnership, more), 'open', { invite_all_parties: true })
}

/** An answer to every item of the built-in review: the lowest score on each scale and so many points more. */
export const answersWith = (points: number, text = 'Meer samen op pad'): Json[] =>
  review.items.map(({ code, minimum, maximum }) =>
    minimum === null || maximum === null
      ? { item_code: code, text }
      : { item_code: code, score: Math.min(minimum + points, maximum) },
  )

/** The response of a party, which must be taken. */
export const respond = (client: Client, round: Json, party: Json, answers: Json[] = answersWith(3)): Promise<Json> =>
  client.make(`/v1/evaluations/${round.id}/responses`, { party_id: party.id, answers })

/** An individual round that so many persons of each side are invited to. @returns it, open, with their tokens by side */
export async function individualRound(
  client: Client,
  partnership: Json,
  counts: Readonly<Record<string, number>>,
  more: object = {},
): Promise<{ round: Json; tokens: Record<string, string[]>; invitations: Json[] }> {
  const planned = await plan(client, partnership, { response_mode: 'individual', ...more })
  const tokens: Record<string, string[]> = {}
  const invitations: Json[] = []
  for (const { id, side } of partnership.parties) {
    for (let at = 0; at < (counts[side] ?? 0); at += 1) {
      const issued = await client.make(`/v1/evaluations/${planned.id}/invitations`, { party_id: id })
      tokens[side] = [...(tokens[side] ?? []), issued.token]
      invitations.push(issued)
    }
  }
  return { round: await stepRound(client, planned, 'open'), tokens, invitations }
}

/** A planned round in which an organisation judges itself. */
export const planReadiness = (client: Client, organisation: Json, more: object = {}): Promise<Json> =>
  client.make('/v1/evaluations', {
    organisation_id: organisation.id,
    kind: 'readiness',
    period_from: '2026-01-01',
    period_to: '2026-06-30',
    ...more,
  })

const readinessTemplate = findTemplate('alliance-readiness') as NonNullable<ReturnType<typeof findTemplate>>

/** An answer to every item of the built-in readiness questionnaire, in its own words too: so many points above the lowest. */
export const readinessAnswers = (points: number, text = 'Vaker samen evalueren'): Json[] =>
  readinessTemplate.items.map(({ code, minimum, maximum }) =>
    minimum === null || maximum === null
      ? { item_code: code, text }
      : { item_code: code, score: Math.min(minimum + points, maximum) },
  )

/** A round that an organisation has answered in its own name, and with that closed. */
export async function closedReadiness(
  client: Client,
  organisation: Json,
  points = 3,
  more: object = {},
): Promise<Json> {
  const planned = await planReadiness(client, organisation, more)
  const open = await stepRound(client, planned, 'open', { invite_all_parties: true })
  await client.make(`/v1/evaluations/${open.id}/responses`, { answers: readinessAnswers(points) })
  return (await client.get(`/v1/evaluations/${open.id}`)).body
}

/** A round in a state: everyone answered where it was closed. */
export async function roundIn(client: Client, partnership: Json, status: string, more: object = {}): Promise<Json> {
  if (status === 'planned') return plan(client, partnership, more)
  if (status === 'cancelled')
    return stepRound(client, await plan(client, partnership, more), 'cancel', { reason: 'Too soon' })
  const round = await openRound(client, partnership, more)
  if (status === 'open') return round
  for (const party of partnership.parties) await respond(client, round, party)
  if (status === 'closed') return (await client.get(`/v1/evaluations/${round.id}`)).body
  return stepRound(client, round, 'conclude', conclusion)
}

export const conclusion = {
  conclusion: 'We go on, with more time for each other.',
  decisions: [{ aspect: 'how', decision: 'adapt', rationale: 'More contact', due_on: '2026-09-01' }],
}

/** An invitation as it is read later: without the token, which is shown once. */
export const untold = ({ token: _token, answer_url: _url, ...invitation }: Json): Json => invitation

/** The id of nothing. */
export const nowhere = '01990000-0000-7000-8000-000000000000'

/** Pointer and code of every fault that an answer names. */
export const faults = ({ body }: Answer): string[] => body.errors.map(({ pointer, code }: Json) => `${pointer} ${code}`)
