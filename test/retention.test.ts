import pino from 'pino'
import t from 'tap'
import { backgroundWork } from '../src/background.ts'
import { fixedClock } from '../src/core/clock.ts'
import { forgetUnanswered } from '../src/resources/evaluations/retention.ts'
import { type Json, startService } from './support/harness.ts'
import { answersWith, partnershipOf, plan, stepRound } from './support/rounds.ts'

const clock = fixedClock('2026-03-01T12:00:00.000000Z')
const service = await startService(t, { clock })
const night = () =>
  forgetUnanswered(365).run({
    database: service.database,
    clock,
    log: pino({ level: 'silent' }),
    signal: new AbortController().signal,
  } as never)

t.test('who did not answer is not kept for ever', async (t) => {
  const partnership = await partnershipOf(service)
  const planned = await plan(service, partnership, { response_mode: 'individual' })
  const made: Json[] = []
  for (const { id, organisation_id } of partnership.parties) {
    for (let at = 0; at < 3; at += 1) {
      const body = { name: `Persoon ${at}`, function: 'operations', language: 'nl' }
      const contact = await service.make(`/v1/organisations/${organisation_id}/contacts`, body)
      const invited = { party_id: id, contact_id: contact.id }
      made.push(await service.make(`/v1/evaluations/${planned.id}/invitations`, invited))
    }
  }
  await stepRound(service, planned, 'open')
  const open = { key: null }
  const draft = { answers: [{ item_code: 'why_goal_clear', score: 1 }] }
  await service.call('PUT', `/v1/answers/${made[1].token}/draft`, draft, open)
  await service.call('POST', `/v1/answers/${made[0].token}/submit`, { answers: answersWith(2) }, open)
  const read = async (invitation: Json) => (await service.get(`/v1/evaluation-invitations/${invitation.id}`)).body
  const [answered, awaited] = [await read(made[0]), await read(made[1])]

  clock.set('2027-02-28T12:00:00.000000Z')
  await night()
  t.same(await read(made[1]), awaited, 'not before its time')
  clock.set('2027-03-02T12:00:00.000000Z')
  await night()
  t.match(await read(made[1]), { status: 'expired', contact_id: null, function: null, language: null, version: 2 })
  t.same((await read(made[0])).contact_id, answered.contact_id, 'who answered stays with the round')
  t.equal((await service.get(`/v1/answers/${made[1].token}`, open)).status, 404, 'its link leads nowhere')
  const { rows } = await service.database.read(service, (tx) =>
    tx.client.query(
      'select 1 from evaluation_drafts union all select 1 from evaluation_invitations where status = $1',
      ['pending'],
    ),
  )
  t.equal(rows.length, 0)
  t.equal((await service.get(`/v1/evaluations/${planned.id}`)).body.status, 'closed', 'nobody is waited for any more')
  const told = (await service.get('/v1/events?limit=500&types=evaluation_invitation.expired')).body.data
  t.equal(told.length, 5)
  t.match(told[0], { actor: { type: 'system' }, data: { contact_id: null } })
  const before = (await service.get('/v1/events?limit=500')).body.latest
  await night()
  t.equal((await service.get('/v1/events?limit=500')).body.latest, before, 'once')
})

t.test('it is one of the chores', async (t) => {
  const work = backgroundWork({ eventsKeptDays: 90, auditKeptDays: 2557, exportsKeptHours: 168, webhooks: {} as never })
  t.ok(work.chores.some(({ name }) => name === 'forget_unanswered_invitations'))
})
