import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { evaluationLifecycle, subjectStates } from '../src/resources/evaluations/lifecycle.ts'
import { evaluationStatuses } from '../src/resources/evaluations/schemas.ts'
import { type Json, startService } from './support/harness.ts'
import { conclusion, openRound, partnershipOf, plan, respond, roundIn, stepRound, untold } from './support/rounds.ts'

const shared = await startService(t)

/** Each step: where it leads, the state that it starts from, and a body that lets it succeed. */
const steps: Record<string, { to: string; from: readonly string[]; body: object }> = {
  open: { to: 'open', from: ['planned'], body: { invite_all_parties: true } },
  close: { to: 'closed', from: ['open'], body: {} },
  conclude: { to: 'concluded', from: ['closed'], body: conclusion },
  cancel: { to: 'cancelled', from: ['planned', 'open'], body: { reason: 'The year is over' } },
}

t.test(
  'every step from every state: taken where the lifecycle has it, else refused with what is allowed',
  async (t) => {
    const service = await shared.afresh()
    const partnership = await partnershipOf(service)
    for (const from of evaluationStatuses) {
      for (const [verb, { to, from: allowed, body }] of Object.entries(steps)) {
        await t.test(`${verb} from ${from}`, async (t) => {
          const round = await roundIn(service, partnership, from)
          const answer = await service.step(`/v1/evaluations/${round.id}`, verb, body)
          const after = await service.get(`/v1/evaluations/${round.id}`)
          if (allowed.includes(from)) {
            t.equal(answer.status, 200)
            t.equal(answer.body.status, to)
            t.equal(answer.etag, `"${round.version + 1}"`)
            t.strictSame(after.body, answer.body)
          } else {
            t.equal(answer.status, 409)
            const { code, from: was, to: asked, allowed: may } = answer.body
            t.strictSame([code, was, asked, may], ['transition_not_allowed', from, to, evaluationLifecycle[from]])
            t.strictSame(after.body, round, 'nothing has changed')
          }
        })
      }
    }
  },
)

t.test('every step needs the ETag of the round', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  for (const [verb, { from, body }] of Object.entries(steps)) {
    const round = await roundIn(service, partnership, from[0] as string)
    const path = `/v1/evaluations/${round.id}/${verb}`
    t.equal((await service.call('POST', path, body)).status, 428)
    t.equal((await service.call('POST', path, body, { ifMatch: '"99"' })).status, 412)
  }
})

t.test('the history keeps every step, its day and its reason', async (t) => {
  const clock = fixedClock('2026-06-30T22:30:00Z')
  const service = await startService(t, { clock })
  const partnership = await partnershipOf(service)
  const round = await roundIn(service, partnership, 'open')
  clock.set('2026-07-02T09:00:00Z')
  await stepRound(service, round, 'cancel', { reason: 'The year is over' })
  const { data } = (await service.get(`/v1/evaluations/${round.id}/history`)).body
  t.strictSame(
    data.map((row: Json) => [row.version, row.from_status, row.to_status, row.changed_on, row.reason]),
    [
      [1, null, 'planned', '2026-07-01', null],
      [2, 'planned', 'open', '2026-07-01', null],
      [3, 'open', 'cancelled', '2026-07-02', 'The year is over'],
    ],
    'days are those of the partnership',
  )
})

t.test('a round of each kind is planned and opened in the states of a partnership that suit it', async (t) => {
  const service = await shared.afresh()
  const { readiness: _of, ...partnershipStates } = subjectStates
  for (const status of ['draft', 'proposed', 'declined', 'active', 'paused', 'ending', 'ended']) {
    const partnership = await partnershipOf(service, status)
    for (const [kind, states] of Object.entries(partnershipStates)) {
      const body = { partnership_id: partnership.id, kind, period_from: '2026-01-01', period_to: '2026-06-30' }
      const answer = await service.call('POST', '/v1/evaluations', body)
      if (states.includes(status)) {
        t.equal(answer.status, 201, `${kind} while ${status}`)
        t.equal((await stepRound(service, answer.body, 'open', { invite_all_parties: true })).status, 'open')
      } else {
        t.strictSame([answer.status, answer.body.code], [409, 'state_forbids'], `${kind} while ${status}`)
        t.equal(answer.body.partnership_status, status)
      }
    }
  }
})

t.test(
  'opening needs an invitation on each side, two parties at least, and names the sides that lack one',
  async (t) => {
    const service = await shared.afresh()
    const partnership = await partnershipOf(service, 'active', ['company', 'company', 'non_profit', 'public'])
    const round = await plan(service, partnership)
    const path = `/v1/evaluations/${round.id}`
    const codes = (answer: Json) =>
      answer.body.errors.map(({ code, detail }: Json) => [code, /side (\w+)/.exec(detail)?.[1]])

    const none = await service.step(path, 'open')
    t.strictSame([none.status, none.body.code], [422, 'condition_unmet'])
    t.strictSame(
      codes(none),
      ['company', 'non_profit', 'public'].map((side) => ['side_not_invited', side]),
    )

    const [first, , charity, authority] = partnership.parties
    await service.make(`${path}/invitations`, { party_id: first.id })
    await service.make(`${path}/invitations`, { party_id: charity.id })
    t.strictSame(codes(await service.step(path, 'open')), [['side_not_invited', 'public']])

    await service.make(`${path}/invitations`, { party_id: authority.id })
    t.equal((await service.step(path, 'open')).status, 200, 'one of two on a side is enough')
    t.equal((await service.get(`${path}/invitations?include_total=true`)).body.total, 3)

    const alike = await partnershipOf(service, 'active', ['company', 'company'])
    const among = await plan(service, alike)
    await service.make(`/v1/evaluations/${among.id}/invitations`, { party_id: alike.parties[0].id })
    const alone = await service.step(`/v1/evaluations/${among.id}`, 'open')
    t.strictSame([alone.status, codes(alone)], [422, [['two_parties', undefined]]])
  },
)

t.test('opening with invite_all_parties invites the rest', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const round = await plan(service, partnership)
  const path = `/v1/evaluations/${round.id}`
  const early = await service.make(`${path}/invitations`, {
    party_id: partnership.parties[1].id,
    function: 'operations',
  })
  await stepRound(service, round, 'open', { invite_all_parties: true })
  const { data } = (await service.get(`${path}/invitations`)).body
  t.strictSame(data[0], untold(early))
  t.strictSame(
    data.map(({ party_id, status }: Json) => [party_id, status]),
    [
      [partnership.parties[1].id, 'pending'],
      [partnership.parties[0].id, 'pending'],
    ],
  )
})

t.test('a round whose deadline has passed does not open', async (t) => {
  const clock = fixedClock('2026-06-01T12:00:00Z')
  const service = await startService(t, { clock })
  const partnership = await partnershipOf(service)
  const round = await plan(service, partnership, { closes_at: '2026-06-01T13:00:00+01:00' })
  const answer = await service.step(`/v1/evaluations/${round.id}`, 'open', { invite_all_parties: true })
  t.strictSame([answer.status, answer.body.errors[0].code], [422, 'deadline_passed'], 'the instant itself is too late')
  t.equal((await service.get(`/v1/evaluations/${round.id}/invitations?include_total=true`)).body.total, 0)
  clock.set('2026-06-01T11:59:59.999Z')
  t.equal((await service.step(`/v1/evaluations/${round.id}`, 'open', { invite_all_parties: true })).status, 200)
})

t.test('a round closes with the last answer, in the same transaction', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service, 'active', ['company', 'non_profit', 'public'])
  const round = await openRound(service, partnership)
  const [a, b, c] = partnership.parties
  t.equal((await respond(service, round, a)).evaluation_status, 'open')
  t.equal((await respond(service, round, b)).evaluation_status, 'open')
  const unchanged = await service.get(`/v1/evaluations/${round.id}`)
  t.strictSame(unchanged.body, round, 'answers leave the round and its ETag alone')
  t.equal((await respond(service, round, c)).evaluation_status, 'closed')
  t.equal((await service.get(`/v1/evaluations/${round.id}`)).body.status, 'closed')
})

t.test('a round closes when the last party that was awaited declines, once somebody has answered', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service, 'active', ['company', 'non_profit', 'public'])
  const round = await openRound(service, partnership)
  const { data } = (await service.get(`/v1/evaluations/${round.id}/invitations`)).body
  const decline = (at: number) => service.step(`/v1/evaluation-invitations/${data[at].id}`, 'decline')
  const status = async () => (await service.get(`/v1/evaluations/${round.id}`)).body.status

  t.equal((await decline(0)).body.status, 'declined')
  await respond(service, round, partnership.parties[1])
  t.equal(await status(), 'open')
  t.equal((await decline(2)).body.status, 'declined')
  t.equal(await status(), 'closed')

  const silent = await openRound(service, partnership)
  const { data: asked } = (await service.get(`/v1/evaluations/${silent.id}/invitations`)).body
  for (const { id } of asked) t.equal((await service.step(`/v1/evaluation-invitations/${id}`, 'decline')).status, 200)
  t.equal((await service.get(`/v1/evaluations/${silent.id}`)).body.status, 'open', 'nobody answered: closed by hand')
})

t.test('closing by hand, or cancelling, lets pending invitations expire', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  for (const [verb, body] of [
    ['close', {}],
    ['cancel', { reason: 'No time' }],
  ] as const) {
    const round = await openRound(service, partnership)
    await respond(service, round, partnership.parties[0])
    await stepRound(service, round, verb, body)
    const { data } = (await service.get(`/v1/evaluations/${round.id}/invitations`)).body
    t.strictSame(
      data.map(({ status, version }: Json) => [status, version]),
      [
        ['answered', 2],
        ['expired', 2],
      ],
    )
    const declined = await service.step(`/v1/evaluation-invitations/${data[1].id}`, 'decline')
    t.strictSame([declined.status, declined.body.from, declined.body.allowed], [409, 'expired', []])
  }
})

t.test('a concluded exit round lets a partnership end; a closed one, or another kind, does not', async (t) => {
  const service = await shared.afresh()
  const more = { ends_on: '2026-06-30', end_reason: 'completed' }
  const partnership = await partnershipOf(service, 'ending', undefined, more)
  const path = `/v1/partnerships/${partnership.id}`
  await roundIn(service, partnership, 'concluded', { kind: 'periodic' })
  const round = await roundIn(service, partnership, 'closed', { kind: 'exit' })
  const early = await service.step(path, 'end')
  t.strictSame([early.status, early.body.errors[0].code], [422, 'exit_evaluation'])
  await stepRound(service, round, 'conclude', conclusion)
  const ended = await service.step(path, 'end')
  t.strictSame([ended.status, ended.body.status], [200, 'ended'])
})
