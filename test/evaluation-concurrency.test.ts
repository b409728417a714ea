import t from 'tap'
import { type Json, startService } from './support/harness.ts'
import { answersWith, openRound, partnershipOf, plan } from './support/rounds.ts'

const shared = await startService(t)

t.test('of two responses of one party at once, one is taken', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service, 'active', ['company', 'non_profit'])
  for (let trial = 0; trial < 5; trial += 1) {
    const round = await openRound(service, partnership)
    const path = `/v1/evaluations/${round.id}`
    const answers = await Promise.all(
      [0, 4].map((points) =>
        service.call('POST', `${path}/responses`, {
          party_id: partnership.parties[0].id,
          answers: answersWith(points),
        }),
      ),
    )
    t.strictSame(answers.map(({ status }) => status).sort(), [201, 409])
    t.equal(answers.find(({ status }) => status === 409)?.body.code, 'duplicate')
    const taken = answers.findIndex(({ status }) => status === 201)
    await service.step(path, 'close')
    const { data } = (await service.get(`${path}/responses`)).body
    t.equal(data.length, 1)
    t.equal(data[0].answers[0].score, [1, 5][taken], 'the one that was taken')
  }
})

t.test('a response and a closing at once: the response is in the scores, or was refused', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service, 'active', ['company', 'non_profit'])
  const [company] = partnership.parties
  for (let trial = 0; trial < 10; trial += 1) {
    const round = await openRound(service, partnership)
    const path = `/v1/evaluations/${round.id}`
    const respond = () => service.call('POST', `${path}/responses`, { party_id: company.id, answers: answersWith(4) })
    const close = () => service.call('POST', `${path}/close`, {}, { ifMatch: `"${round.version}"` })
    // Either may be first in line.
    const both = trial % 2 === 0 ? [respond(), close()] : [close(), respond()]
    const answers = await Promise.all(both)
    const [response, closing] = trial % 2 === 0 ? answers : answers.reverse()
    t.equal(closing?.status, 200)
    const { scores } = (await service.get(`${path}/scores`)).body
    const { data } = (await service.get(`${path}/responses`)).body
    const { data: invitations } = (await service.get(`${path}/invitations?party_id=${company.id}`)).body
    const outcome = [scores[0].n, scores[0].score === null, data.length, invitations[0].status]
    if (response?.status === 201) t.strictSame(outcome, [1, false, 1, 'answered'])
    else
      t.strictSame([response?.status, response?.body.code, ...outcome], [409, 'state_forbids', 0, true, 0, 'expired'])
  }
})

t.test('when all parties answer at once the round closes once, with all of them', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service, 'active', ['company', 'company', 'company', 'non_profit', 'public'])
  const round = await openRound(service, partnership)
  const path = `/v1/evaluations/${round.id}`
  const answers = await Promise.all(
    partnership.parties.map(({ id }: Json) =>
      service.call('POST', `${path}/responses`, { party_id: id, answers: answersWith(2) }),
    ),
  )
  t.strictSame(
    answers.map(({ status }) => status),
    [201, 201, 201, 201, 201],
  )
  t.strictSame(answers.map(({ body }) => body.evaluation_status).sort(), ['closed', 'open', 'open', 'open', 'open'])
  const { body } = await service.get(path)
  t.strictSame([body.status, body.version], ['closed', round.version + 1])
  t.equal((await service.get(`${path}/scores`)).body.scores[0].n, 3)
  const events = await service.database.read(service, (tx) =>
    tx.db
      .selectFrom('events')
      .select(['type', 'sequence'])
      .where('tenant_id', '=', service.tenantId)
      .where('type', 'in', ['evaluation.closed', 'evaluation_invitation.answered'])
      .orderBy('sequence')
      .execute(),
  )
  t.strictSame(
    events.map(({ type }) => type),
    [...Array(5).fill('evaluation_invitation.answered'), 'evaluation.closed'],
  )
})

t.test('of two invitations of one party at once, one is made', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const round = await plan(service, partnership)
  const path = `/v1/evaluations/${round.id}/invitations`
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => service.call('POST', path, { party_id: partnership.parties[0].id })),
  )
  t.strictSame(answers.map(({ status }) => status).sort(), [201, 409, 409, 409])
  t.equal((await service.get(path)).body.data.length, 1)
})
