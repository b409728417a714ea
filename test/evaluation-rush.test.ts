import { pino } from 'pino'
import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { wholeTenant } from '../src/db/database.ts'
import { closeAtDeadlines } from '../src/resources/evaluations/close-job.ts'
import { cellsOf } from './support/definitions.ts'
import { type Answer, type Json, startService } from './support/harness.ts'
import { startProcess } from './support/process.ts'
import { answersWith, individualRound, partnershipOf, review } from './support/rounds.ts'

// Everybody answers at once: each answer counts once, or is refused with a reason.

const clock = fixedClock('2026-06-15T10:00:00Z')
const service = await startService(t, { clock })
const counts = { company: 20, non_profit: 20 }
const deadline = '2026-06-15T11:00:00Z'

const submit = (token: string, points: number): Promise<Answer> =>
  service.call('POST', `/v1/answers/${token}/submit`, { answers: answersWith(points) }, { key: null })
/** The scores of a round, and what they should be where just these answers count: their points by side. */
async function countedIn(round: Json, points: Readonly<Record<string, readonly number[]>>) {
  const { scores } = (await service.get(`/v1/evaluations/${round.id}/scores`)).body
  const respondents = Object.entries(points).flatMap(([side, all]) =>
    all.map((given) => ({
      side,
      answers: new Map<string, number>(
        answersWith(given).flatMap(({ item_code, score }) => (score === undefined ? [] : [[item_code, score]])),
      ),
    })),
  )
  const cells = cellsOf(review, Object.keys(points), respondents, 3)
  const spelt = (rows: readonly Json[]) =>
    rows.map(({ side, level, code, n, score }) => `${side} ${level} ${code} ${n} ${score}`).sort()
  const whole = scores.filter(({ level }: Json) => level === 'overall').map(({ n }: Json) => n)
  return { found: spelt(scores), expected: spelt(cells), whole }
}

/** The closing at the deadline, as a process of its own would do it. */
async function closeByJob(round: Json): Promise<void> {
  const caller = () => ({
    ...wholeTenant(service.tenantId),
    actor: { type: 'system', id: null } as const,
    scopes: ['admin'],
    requestId: 'tests',
    now: clock.now(),
  })
  const { signal } = new AbortController()
  const log = pino({ level: 'silent' })
  const tools = { database: service.database, clock, log, signal, caller, tenantId: service.tenantId, attempt: 1 }
  await closeAtDeadlines.run(tools, { evaluation_id: round.id })
}

t.test('forty answer at once, one of them twice, and the deadline falls meanwhile', async (t) => {
  clock.set('2026-06-15T10:00:00Z')
  const partnership = await partnershipOf(service)
  const { round, tokens } = await individualRound(service, partnership, counts, { closes_at: deadline })
  const sides = ['company', 'non_profit'].map((side) => tokens[side] as string[])
  // The first half of each side in time, one of them twice; then the rest, while the round is being closed.
  const early = sides.flatMap((own) => own.slice(0, 10))
  const late = sides.flatMap((own) => own.slice(10))
  const twice = [...early, early[0] as string]
  // With one token two different answers: only one of them is in the scores.
  const first = twice.map((token, at) => submit(token, at % 3))
  await first[0]
  clock.set(deadline)
  const second = late.map((token, at) => submit(token, at % 5))
  const [taken, refused] = await Promise.all([Promise.all(first), Promise.all(second), closeByJob(round)])
  const told = ({ status, body }: Answer): string => `${status} ${status === 200 ? body.status : body.code}`
  for (const answer of [...taken, ...refused]) {
    t.ok(['200 answered', '409 duplicate', '409 state_forbids'].includes(told(answer)), told(answer))
  }
  const both = [taken[0], taken.at(-1)].map((answer) => answer?.status).sort()
  t.strictSame(both, [200, 409], 'of two answers with one token one is taken')
  t.ok(
    refused.every(({ status }) => status === 409),
    'nobody answers after the deadline',
  )
  const answered = taken.filter(({ status }) => status === 200).length
  const points = (own: readonly string[]): number[] =>
    twice.flatMap((token, at) => (own.includes(token) && taken[at]?.status === 200 ? [at % 3] : []))
  const [company = [], charity = []] = sides.map(points)
  t.equal(company.length + charity.length, answered)
  const { found, expected } = await countedIn(round, { company, non_profit: charity })
  t.strictSame(found, expected, `${answered} were taken, and count as they were given`)
  const { data } = (await service.get(`/v1/evaluations/${round.id}/invitations?limit=200`)).body
  const by = (status: string) => data.filter((one: Json) => one.status === status).length
  t.strictSame([by('answered'), by('expired')], [answered, 40 - answered])
})

t.test('a process that is killed while forty answer loses no answer that it has taken', async (t) => {
  clock.set(new Date().toISOString())
  const partnership = await partnershipOf(service)
  const { round, tokens } = await individualRound(service, partnership, counts)
  const all = Object.values(tokens).flat()
  const running = await startProcess(t, { DATABASE_URL: service.url, REQUESTS_PER_MINUTE: '100000' })
  const taken = new Set<string>()
  let killed: Promise<number | null> | undefined
  const sent = all.map(async (token, at) => {
    const response = await fetch(`${running.url}/v1/answers/${token}/submit`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ answers: answersWith(at % 5) }),
    }).catch(() => undefined)
    if (response?.status !== 200) return
    taken.add(token)
    if (taken.size === 10) killed = running.end('SIGKILL')
  })
  await Promise.all(sent)
  t.ok(killed, 'it was killed')
  await killed
  t.ok(taken.size >= 10 && taken.size < 40, `${taken.size} had their answer`)
  const again = await Promise.all(all.map(async (token) => ({ token, answer: await submit(token, 1) })))
  for (const { token, answer } of again) {
    if (taken.has(token)) t.equal(answer.body.code, 'duplicate', 'what was taken is there')
    else t.ok(answer.status === 200 || answer.body.code === 'duplicate', 'what was cut off was taken, or is taken now')
  }
  const points = (side: string): number[] =>
    all.flatMap((token, at) => {
      if (!tokens[side]?.includes(token)) return []
      return again[at]?.answer.status === 200 ? [1] : [at % 5]
    })
  t.equal((await service.get(`/v1/evaluations/${round.id}`)).body.status, 'closed', 'with the last it closes')
  const counted = await countedIn(round, { company: points('company'), non_profit: points('non_profit') })
  t.strictSame(counted.whole, [20, 20], 'each counts once')
  t.strictSame(counted.found, counted.expected, 'and as it was given')
})
