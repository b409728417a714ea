import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { partnerOperations } from '../src/platform/partners/operations.ts'
import { type Answer, type CallOptions, type Json, startService } from './support/harness.ts'
import { meet } from './support/meeting.ts'
import { allianceOfPartners } from './support/partners.ts'
import { agreed, allianceTakenOver, commitment, deliver, pathOf } from './support/promises.ts'
import { answersWith, openRound, roundIn } from './support/rounds.ts'
import { stepOf } from './support/world.ts'

// What a partner loses while its write is under way is not its own any more.

const clock = fixedClock('2026-03-01T12:00:00.000000Z')
const service = await startService(t, { clock })

interface Asked {
  path: string
  body?: object
}

/** An alliance, the charity's portal in it, and the leaving of the charity. */
async function world() {
  const { as, seats, organisations, charityKey: key } = await allianceOfPartners(service)
  const { partnership, company, charity } = seats
  const leave = async (id: string = partnership.id, left_on: string | null = '2026-03-01') => {
    const { parties } = (await as.get(`/v1/partnerships/${id}`)).body
    const changed = parties.map(({ id: _, assent: _a, ...party }: Json) =>
      party.organisation_id === organisations.charity.id ? { ...party, left_on } : party,
    )
    const answer = await as.call('PATCH', `/v1/partnerships/${id}`, { parties: changed }, { ifMatch: '*' })
    if (answer.status !== 200) throw new Error(answer.text)
  }
  const proposed = async () => stepOf(as, pathOf(await commitment(as, seats)), 'propose')
  const entry = async (party: string) => deliver(as, await agreed(as, seats), '10.00', { reported_by_party_id: party })
  const amendment = async (party: string) => ({
    ...{ cause: 'renewal', proposed_by_party_id: party },
    changes: { commitments: [{ commitment_id: (await agreed(as, seats)).id, terms: { title: 'Anders' } }] },
  })
  const amended = async (party: string) =>
    as.make(`/v1/partnerships/${partnership.id}/amendments`, await amendment(party))
  const substitution = async (party: string) => ({
    replaces_commitment_id: (await agreed(as, seats)).id,
    by_commitment_id: (await agreed(as, seats)).id,
    ...{ reason: 'It rains', proposed_by_party_id: party },
  })
  const substituted = async (party: string) => as.make('/v1/substitutions', await substitution(party))
  const decide = (path: string, more: object = {}): Asked => ({ path, body: { party_id: charity, ...more } })
  const alliance = async () => {
    const { id } = (await allianceTakenOver(as, { ...organisations, status: 'proposed' })).partnership
    const { parties } = (await as.get(`/v1/partnerships/${id}`)).body
    return { id, party: parties[1].id }
  }

  /** Every write of partners: what the charity asks, once all is there for it. */
  const writes: Record<string, () => Promise<Asked & { of?: string }>> = {
    assent_partnership: async () => {
      const { id, party } = await alliance()
      return { path: `/v1/partnerships/${id}/assent`, body: { party_id: party }, of: id }
    },
    decline_partnership: async () => {
      const { id, party } = await alliance()
      return { path: `/v1/partnerships/${id}/decline`, body: { party_id: party, reason: 'No' }, of: id }
    },
    agree_commitment: async () => decide(`${pathOf(await proposed())}/agree`),
    decline_commitment: async () => decide(`${pathOf(await proposed())}/decline`, { reason: 'No' }),
    create_fulfilment: async () => {
      const { measure, ...gift } = await agreed(as, seats)
      const body = { delivered_on: '2026-02-01', measure, reported_by_party_id: charity }
      return { path: `${pathOf(gift)}/fulfilments`, body }
    },
    confirm_fulfilment: async () => decide(`/v1/fulfilments/${(await entry(company)).id}/confirm`),
    dispute_fulfilment: async () => decide(`/v1/fulfilments/${(await entry(company)).id}/dispute`, { reason: 'No' }),
    reverse_fulfilment: async () => decide(`/v1/fulfilments/${(await entry(charity)).id}/reverse`, { reason: 'No' }),
    create_amendment: async () => ({
      path: `/v1/partnerships/${partnership.id}/amendments`,
      body: await amendment(charity),
    }),
    accept_amendment: async () => decide(`/v1/amendments/${(await amended(company)).id}/accept`),
    reject_amendment: async () => decide(`/v1/amendments/${(await amended(company)).id}/reject`),
    withdraw_amendment: async () => decide(`/v1/amendments/${(await amended(charity)).id}/withdraw`),
    create_substitution: async () => ({ path: '/v1/substitutions', body: await substitution(charity) }),
    accept_substitution: async () => decide(`/v1/substitutions/${(await substituted(company)).id}/accept`),
    reject_substitution: async () => decide(`/v1/substitutions/${(await substituted(company)).id}/reject`),
    withdraw_substitution: async () => decide(`/v1/substitutions/${(await substituted(charity)).id}/withdraw`),
    decline_evaluation_invitation: async () => {
      const round = await openRound(as, partnership)
      const [invitation] = (await as.get(`/v1/evaluations/${round.id}/invitations?party_id=${charity}`)).body.data
      return { path: `/v1/evaluation-invitations/${invitation.id}/decline` }
    },
    create_evaluation_response: async () => {
      const { id } = await openRound(as, partnership)
      return decide(`/v1/evaluations/${id}/responses`, { answers: answersWith(3) })
    },
    add_evaluation_statement: async () => {
      const { id } = await roundIn(as, partnership, 'concluded')
      return decide(`/v1/evaluations/${id}/statements`, { text: 'We see it otherwise' })
    },
    create_objective_link: async () => {
      const { id } = await as.make('/v1/objectives', {
        ...{ organisation_id: organisations.charity.id, level: 'outcome', title: 'More', importance: 3 },
        active_from: '2026-01-01',
      })
      return {
        path: '/v1/objective-links',
        body: { partnership_id: partnership.id, objective_id: id, contribution: 2 },
      }
    },
  }
  const write = ({ path, body }: Asked, options: CallOptions = {}): Promise<Answer> =>
    as.call('POST', path, body, { key, ifMatch: '*', ...options })
  return { as, seats, leave, writes, write, proposed, decide }
}

const told = ({ status, body }: Answer) => [status, body.code, body.errors]

t.test('no write of who leaves meanwhile is done', async (t) => {
  const { as, leave, writes, write } = await world()
  const names = Object.entries(partnerOperations).flatMap(([id, { acts }]) => (acts ? [id] : []))
  t.same(Object.keys(writes).sort(), names.sort(), 'every write of partners stands here')
  for (const [name, prepare] of Object.entries(writes)) {
    const { of, ...asked } = await prepare()
    const [, answer] = await meet(
      t,
      as,
      () => leave(of),
      () => write(asked),
    )
    const again = await write(asked)
    t.ok([404, 422].includes(again.status), `${name}: ${again.text}`)
    t.same(told(answer), told(again), `${name}: as for who has left already`)
    await leave(of, null)
    const done = await write(asked)
    t.ok(done.status < 300, `${name} is done for who takes part: ${done.text}`)
  }
})

t.test('what is a draft again meanwhile is not there, whatever the key of the request', async (t) => {
  const { as, write, proposed, decide } = await world()
  for (const headers of [{}, { 'idempotency-key': 'once' }]) {
    const promise = await proposed()
    const [, answer] = await meet(
      t,
      as,
      () => stepOf(as, pathOf(promise), 'withdraw'),
      () => write(decide(`${pathOf(promise)}/agree`), { headers }),
    )
    t.match(answer, { status: 404, body: { code: 'not_found' } })
    t.notMatch(answer.text, 'draft')
  }
})

t.test('partners of one partnership that write at once do not undo each other', async (t) => {
  const { as, writes, write } = await world()
  for (const name of ['create_amendment', 'accept_amendment', 'agree_commitment', 'create_evaluation_response']) {
    const [first, second] = [await writes[name]?.(), await writes[name]?.()] as [Asked, Asked]
    const answers = await meet(
      t,
      as,
      () => write(first),
      () => write(second),
    )
    for (const { status, text } of answers) t.ok(status < 300, `${name}: ${text}`)
  }
})
