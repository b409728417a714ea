import { pino } from 'pino'
import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { wholeTenant } from '../src/db/database.ts'
import { startJobs } from '../src/platform/job-runner.ts'
import type { JobHandler } from '../src/platform/jobs.ts'
import { closeAtDeadlines } from '../src/resources/evaluations/close-job.ts'
import { type Answer, type Client, type Json, startService } from './support/harness.ts'
import {
  answersWith,
  faults,
  individualRound,
  partnershipOf,
  plan,
  respond,
  review,
  stepRound,
} from './support/rounds.ts'

const open = { key: null }
const clock = fixedClock('2026-06-15T10:00:00Z')
const shared = await startService(t, { clock })
t.beforeEach(() => clock.set('2026-06-15T10:00:00Z'))

const submit = (client: Client, token: string, answers: Json[] = answersWith(3)): Promise<Answer> =>
  client.call('POST', `/v1/answers/${token}/submit`, { answers }, open)

const must = async (client: Client, tokens: readonly string[] = [], points: readonly number[] = []): Promise<void> => {
  for (const [at, token] of tokens.entries()) {
    const { status, text } = await submit(client, token, answersWith(points[at] ?? 3))
    if (status !== 200) throw new Error(text)
  }
}

t.test('an individual round asks persons, at least the minimum of each side', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const wrong = { partnership_id: partnership.id, kind: 'periodic', period_from: '2026-01-01', period_to: '2026-06-30' }
  const beside = await service.call('POST', '/v1/evaluations', { ...wrong, minimum_per_side: 4 })
  t.strictSame([beside.status, faults(beside)], [422, ['/minimum_per_side exclusive']])
  const low = await service.call('POST', '/v1/evaluations', {
    ...wrong,
    response_mode: 'individual',
    minimum_per_side: 2,
  })
  t.strictSame([low.status, faults(low)], [400, ['/minimum_per_side minimum']])

  const round = await plan(service, partnership, { response_mode: 'individual' })
  t.equal(round.minimum_per_side, 3)
  const path = `/v1/evaluations/${round.id}`
  const all = await service.step(path, 'open', { invite_all_parties: true })
  t.strictSame([all.status, all.body.code], [422, 'condition_unmet'])
  t.ok(faults(all).includes('/invite_all_parties individual'))
  const [company, charity] = partnership.parties
  for (const party_id of [company.id, company.id, company.id, charity.id, charity.id]) {
    await service.make(`${path}/invitations`, { party_id })
  }
  const few = await service.step(path, 'open')
  t.strictSame([few.status, faults(few)], [422, [' too_few_invited']])
  t.match(few.body.detail, /non_profit/)
  const person = await service.make(`/v1/organisations/${charity.organisation_id}/contacts`, {
    name: 'Noor de Vries',
    function: 'operations',
  })
  const invited = { party_id: charity.id, contact_id: person.id }
  await service.make(`${path}/invitations`, invited)
  const twice = await service.call('POST', `${path}/invitations`, invited)
  t.strictSame([twice.status, twice.body.code], [409, 'duplicate'])
  t.equal((await service.step(path, 'open')).status, 200)
})

t.test('the minimum is raised while the round is open, and never lowered', async (t) => {
  const service = await shared.afresh()
  const { round } = await individualRound(service, await partnershipOf(service), { company: 4, non_profit: 4 })
  const path = `/v1/evaluations/${round.id}`
  const patch = (body: object) => service.call('PATCH', path, body, { ifMatch: '*' })
  t.equal((await patch({ minimum_per_side: 4 })).body.minimum_per_side, 4)
  const lowered = await patch({ minimum_per_side: 3 })
  t.strictSame([lowered.status, faults(lowered)], [409, ['/minimum_per_side lowered']])
  const cleared = await patch({ minimum_per_side: null })
  t.equal(cleared.status, 409, 'nor is the default less')
  const other = await patch({ response_mode: 'organisation', minimum_per_side: null })
  t.strictSame([other.status, faults(other)], [409, ['/response_mode fixed']])
  await stepRound(service, round, 'close')
  t.equal((await patch({ minimum_per_side: 5 })).status, 409)
})

t.test('a token shows the questionnaire in the language of its respondent, and takes the answers once', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const [company] = partnership.parties
  const { round, tokens } = await individualRound(service, partnership, { company: 3, non_profit: 3 })
  const issued = await service.call('POST', `/v1/evaluations/${round.id}/invitations`, {
    party_id: company.id,
    language: 'nl-BE',
  })
  t.equal(issued.headers['cache-control'], 'no-store')
  const { token, answer_url } = issued.body
  t.equal(answer_url, `http://127.0.0.1:3000/answer/${token}`)
  const form = await service.get(`/v1/answers/${token}`, open)
  t.equal(form.headers['cache-control'], 'no-store')
  const { questionnaire, ...about } = form.body
  t.match(about, {
    status: 'open',
    language: 'nl',
    languages: ['en', 'nl'],
    partnership: 'Samen naar school',
    organisation: 'The company',
    response_mode: 'individual',
    minimum_per_side: 3,
    draft: null,
  })
  t.equal(questionnaire.title, 'Terugblik op de samenwerking')
  t.equal(questionnaire.questions.length, review.items.length)
  t.strictSame(questionnaire.questions[0].options[0], { score: 1, label: 'helemaal oneens' })
  const english = await service.get(`/v1/answers/${token}?language=en-GB`, open)
  t.equal(english.body.questionnaire.title, 'Partnership review')
  t.equal((await service.get(`/v1/answers/${tokens['non_profit']?.[0]}`, open)).body.language, 'en')

  const bad = await submit(service, token, [{ item_code: 'why_goal_clear', score: 9 }])
  t.equal(bad.status, 422)
  t.ok(faults(bad).includes('/answers/0/score out_of_range'))
  const taken = await submit(service, token)
  t.strictSame([taken.status, taken.body], [200, { status: 'answered', on: '2026-06-15', evaluation_status: 'open' }])
  const again = await submit(service, token)
  t.strictSame([again.status, again.body.code], [409, 'duplicate'])
  const after = await service.get(`/v1/answers/${token}`, open)
  t.strictSame([after.body.status, after.body.questionnaire, after.body.draft], ['answered', null, null])

  const [second = '', third = ''] = tokens['company'] ?? []
  const declined = await service.call('POST', `/v1/answers/${second}/decline`, {}, open)
  t.strictSame(declined.body, { status: 'declined', on: '2026-06-15', evaluation_status: 'open' })
  t.strictSame((await submit(service, second)).body.code, 'state_forbids')
  for (const [at, unknown] of [`${third.slice(0, -1)}_`, 'short', 'A'.repeat(43)].entries()) {
    t.equal((await service.get(`/v1/answers/${unknown}`, open)).status, 404, `${at}`)
  }
})

t.test('a draft is kept for whoever has its key, and not for whoever has only the token', async (t) => {
  const service = await shared.afresh()
  const { round, tokens, invitations } = await individualRound(service, await partnershipOf(service), {
    company: 3,
    non_profit: 3,
  })
  const [token = ''] = tokens['company'] ?? []
  const path = `/v1/answers/${token}`
  const before = (await service.get('/v1/events?limit=200')).body.data.length
  const some = [{ item_code: 'why_goal_clear', score: 2 }]
  const saved = await service.call('PUT', `${path}/draft`, { answers: some }, open)
  t.strictSame([saved.status, saved.body.saved], [200, 1])
  const { draft_key } = saved.body
  const read = (key?: string) => service.get(path, { ...open, headers: key ? { 'draft-key': key } : {} })
  t.equal((await read()).body.draft, null)
  t.equal((await read('another')).body.draft, null)
  t.match((await read(draft_key)).body.draft, some)
  const more = [...some, { item_code: 'impact_first_change', text: 'Heel geheim' }]
  t.strictSame((await service.call('PUT', `${path}/draft`, { answers: more, draft_key }, open)).body, {
    draft_key,
    saved: 2,
  })
  t.equal((await read(draft_key)).body.draft.length, 2)
  const wrong = await service.call(
    'PUT',
    `${path}/draft`,
    { answers: [{ item_code: 'why_goal_clear', score: 9 }] },
    open,
  )
  t.strictSame([wrong.status, faults(wrong)], [422, ['/answers/0/score out_of_range']])
  t.equal((await service.get('/v1/events?limit=200')).body.data.length, before, 'no event tells of it')
  const stored = await service.database.read(wholeTenant(service.tenantId), (tx) =>
    tx.client.query('select * from evaluation_drafts'),
  )
  t.equal(stored.rows.length, 1)
  t.notMatch((stored.rows[0] as Json).sealed.toString('latin1'), 'geheim')

  const [first] = invitations
  const resent = await service.step(`/v1/evaluation-invitations/${first.id}`, 'resend')
  t.equal(resent.status, 200)
  t.equal((await read(draft_key)).status, 404, 'the old token is dead')
  t.equal((await submit(service, token)).status, 404)
  const renewed = await service.get(`/v1/answers/${resent.body.token}`, {
    ...open,
    headers: { 'draft-key': draft_key },
  })
  t.equal(renewed.body.draft, null)
  t.equal((await submit(service, resent.body.token)).status, 200)
  const late = await service.step(`/v1/evaluation-invitations/${first.id}`, 'resend')
  t.strictSame([late.status, late.body.code], [409, 'state_forbids'])
  const [other = ''] = tokens['non_profit'] ?? []
  await service.call('PUT', `/v1/answers/${other}/draft`, { answers: some }, open)
  await stepRound(service, round, 'close')
  const left = await service.database.read(wholeTenant(service.tenantId), (tx) =>
    tx.client.query('select * from evaluation_drafts'),
  )
  t.equal(left.rows.length, 0, 'closing forgets drafts')
  t.equal((await service.get(`/v1/answers/${other}`, open)).body.status, 'closed')
})

t.test('what persons answer is shown by side alone, frozen, and forgotten otherwise', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const { round, tokens } = await individualRound(service, partnership, { company: 3, non_profit: 4 })
  const path = `/v1/evaluations/${round.id}`
  const inName = await service.call('POST', `${path}/responses`, { party_id: partnership.parties[0].id, answers: [] })
  t.strictSame([inName.status, inName.body.code], [409, 'state_forbids'])
  await must(service, tokens['company'], [4, 2, 0])
  await must(service, tokens['non_profit']?.slice(0, 3), [1, 1, 1])
  t.equal((await service.get(`${path}/scores`)).status, 409, 'blind until all have answered')
  await must(service, tokens['non_profit']?.slice(3), [1])
  t.equal((await service.get(path)).body.status, 'closed', 'the last answer closes it')
  const listed = await service.get(`${path}/responses`)
  t.strictSame([listed.status, listed.body.code], [409, 'state_forbids'])

  const { body } = await service.get(`${path}/scores`)
  t.strictSame(body.thresholds, { gap: '20', minimum_per_side: 3, spread_from: 5 })
  const cell = (side: string, code: string) => body.scores.find((row: Json) => row.side === side && row.code === code)
  t.match(cell('company', 'why_goal_clear'), { n: 3, score: '50', spread: null, suppression_reason: null })
  t.match(cell('non_profit', 'why_goal_clear'), { n: 4, score: '25', spread: null })
  const texts = (await service.get(`${path}/texts`)).body.texts
  t.strictSame(
    texts.map(({ side, texts }: Json) => [side, texts.length]),
    [
      ['company', 3],
      ['non_profit', 4],
    ],
  )
  const kept = await service.database.read(wholeTenant(service.tenantId), (tx) =>
    tx.client.query('select 1 from evaluation_anonymous_responses'),
  )
  t.equal(kept.rows.length, 0)
})

t.test('a side with fewer answers than the minimum is withheld everywhere, and its cells stay', async (t) => {
  const service = await shared.afresh()
  const { round, tokens } = await individualRound(service, await partnershipOf(service), { company: 5, non_profit: 3 })
  await must(service, tokens['company'], [4, 3, 2, 1, 0])
  await must(service, tokens['non_profit']?.slice(0, 2), [4, 4])
  await stepRound(service, round, 'close')
  const { scores, gaps } = (await service.get(`/v1/evaluations/${round.id}/scores`)).body
  const charity = scores.filter((row: Json) => row.side === 'non_profit')
  t.equal(charity.length, scores.length / 2)
  for (const row of charity) {
    t.match(row, { n: null, score: null, spread: null, suppression_reason: 'too_few' })
  }
  t.match(
    scores.find((row: Json) => row.side === 'company' && row.code === 'why_goal_clear'),
    { n: 5, score: '50', spread: '35.36' },
  )
  for (const gap of gaps) t.match(gap, { gap: null, is_flagged: false, suppression_reason: 'too_few' })
  const csv = (await service.get('/v1/exports/evaluation_scores.ndjson')).text
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l))
  for (const row of csv.filter(({ side }: Json) => side === 'non_profit')) {
    t.match(row, { n: null, score: null, spread: null, suppression_reason: 'too_few', response_mode: 'individual' })
  }
  const texts = (await service.get(`/v1/evaluations/${round.id}/texts`)).body.texts
  t.match(
    texts.find(({ side }: Json) => side === 'non_profit'),
    { texts: null, suppression_reason: 'too_few' },
  )
})

t.test('a party may answer by its token too, and in its name', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const [company, charity] = partnership.parties
  const round = await plan(service, partnership)
  const { token } = await service.make(`/v1/evaluations/${round.id}/invitations`, { party_id: company.id })
  t.equal((await service.get(`/v1/answers/${token}`, open)).body.status, 'not_open')
  t.equal((await submit(service, token)).body.code, 'state_forbids')
  await stepRound(service, round, 'open', { invite_all_parties: true })
  await must(service, [token], [4])
  await respond(service, round, charity)
  const { data } = (await service.get(`/v1/evaluations/${round.id}/responses`)).body
  t.strictSame(data.map(({ party_id }: Json) => party_id).sort(), [company.id, charity.id].sort())
})

t.test('rounds compare with those before, where the questions are the same', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const held: Json[] = []
  for (const points of [1, 3]) {
    const { round, tokens } = await individualRound(service, partnership, { company: 3, non_profit: 3 })
    for (const side of ['company', 'non_profit']) await must(service, tokens[side], [points, points, points])
    held.push(round)
    clock.advance(86_400_000)
  }
  const first = (await service.get(`/v1/evaluations/${held[0].id}/scores`)).body
  t.strictSame([first.previous, first.changes], [[], []])
  const { previous, changes, scores } = (await service.get(`/v1/evaluations/${held[1].id}/scores`)).body
  t.strictSame(
    previous.map(({ evaluation_id }: Json) => evaluation_id),
    [held[0].id],
  )
  t.equal(changes.length, scores.length)
  const change = changes.find((row: Json) => row.side === 'company' && row.code === 'why_goal_clear')
  t.strictSame([change.previous, change.change], ['25', '50'])
})

t.test('a deadline closes its round by itself, once', async (t) => {
  clock.set('2020-06-15T10:00:00Z')
  const service = await shared.afresh()
  const { round, tokens } = await individualRound(
    service,
    await partnershipOf(service),
    { company: 3, non_profit: 3 },
    { closes_at: '2020-06-30T10:00:00Z' },
  )
  await must(service, tokens['company'])
  clock.set('2020-06-30T10:00:00Z')
  const late = await submit(service, tokens['non_profit']?.[0] ?? '')
  t.strictSame([late.status, late.body.code], [409, 'state_forbids'])
  const ran = Promise.withResolvers<void>()
  const handler: JobHandler = {
    name: closeAtDeadlines.name,
    async run(context, payload) {
      await Promise.all([closeAtDeadlines.run(context, payload), closeAtDeadlines.run(context, payload)])
      ran.resolve()
    },
  }
  const { url, database } = service
  const log = pino({ level: 'silent' })
  const jobs = await startJobs({ url, database, clock, log, handlers: [handler], chores: [], concurrency: 2 })
  await ran.promise
  await jobs.stop()
  t.match((await service.get(`/v1/evaluations/${round.id}`)).body, { status: 'closed' })
  const closed = (await service.get('/v1/events?limit=200')).body.data.filter(
    ({ type }: Json) => type === 'evaluation.closed',
  )
  t.equal(closed.length, 1)
})
