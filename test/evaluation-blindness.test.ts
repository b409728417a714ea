import t, { type Test } from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import { answersWith, openRound, partnershipOf, respond, stepRound } from './support/rounds.ts'

/** Ids differ from run to run: each becomes its place in the order in which they appear. */
function withoutIds(text: string): string {
  const places = new Map<string, number>()
  return text.replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) => {
    if (!places.has(id)) places.set(id, places.size)
    return `#${places.get(id)}`
  })
}

/** Every address from which evaluations can be read, by the contract itself, so that a new one is looked at too. */
async function addresses({ document, ...service }: Service, round: Json): Promise<string[]> {
  const { data } = (await service.get(`/v1/evaluations/${round.id}/invitations`)).body
  return (
    Object.keys(document.paths)
      .filter((path) => document.paths[path].get && /^[/]v1[/](evaluation|exports[/]evaluation|events)/.test(path))
      .filter((path) => !path.startsWith('/v1/evaluation-decisions/'))
      // The same rows as in the other formats, with ids as bytes.
      .filter((path) => !path.endsWith('.parquet'))
      .flatMap((path) => {
        const filled = path
          .replace('{system}', 'crm')
          .replace('{ref_id}', 'E-1')
          .replace('/evaluation-templates/{id}', '/evaluation-templates/partnership-review')
        if (!filled.startsWith('/v1/evaluation-invitations/')) return [filled.replace('{id}', round.id)]
        return data.map(({ id }: Json) => filled.replace('{id}', id))
      })
  )
}

/** All that can be seen of a round: each read with its status, ETag and length, and the rows that feeds are made of. */
async function observe(service: Service, round: Json): Promise<string[]> {
  const seen: string[] = []
  for (const address of await addresses(service, round)) {
    const { status, etag, headers, text } = await service.get(address)
    // The ETag of an export is the position in the feed, and a mark of the statement with its tenant.
    const mark = etag.replace(/^"(\d+)-[\w-]{16}"$/, '$1 of the tenant')
    seen.push(`GET ${address} ${status} ${mark} ${headers['content-length']} ${headers['link']} ${text}`)
  }
  for (const query of ['status=open', 'sort=-updated_at', 'include_total=true&updated_since=2026-06-15T10:00:30Z']) {
    seen.push((await service.get(`/v1/evaluations?${query}`)).text)
  }
  const rows = await service.database.read(service, (tx) =>
    Promise.all([
      tx.db.selectFrom('events').selectAll().where('tenant_id', '=', service.tenantId).orderBy('sequence').execute(),
      tx.db
        .selectFrom('status_changes')
        .selectAll()
        .where('tenant_id', '=', service.tenantId)
        .orderBy('changed_at')
        .execute(),
      tx.db
        .selectFrom('evaluation_scores')
        .selectAll()
        .where('tenant_id', '=', service.tenantId)
        .orderBy('position')
        .execute(),
    ]),
  )
  seen.push(...rows.flat().map((row) => JSON.stringify(row)))
  return seen
}

/** For each way to answer, in a tenant of its own: a round that one party has answered so, and what is done then. */
async function observed(t: Test, ways: Json[][], then: (service: Service, round: Json) => Promise<unknown>) {
  const clock = fixedClock('2026-06-15T10:00:00Z')
  const shared = await startService(t, { clock })
  const observations: string[][] = []
  for (const answers of ways) {
    clock.set('2026-06-15T10:00:00Z')
    const service = await shared.afresh()
    const partnership = await partnershipOf(service)
    const round = await openRound(service, partnership, { external_refs: [{ system: 'crm', id: 'E-1' }] })
    clock.advance(60_000)
    const receipt = await respond(service, round, partnership.parties[0], answers)
    await then(service, round)
    // As one text, so that an id which differs between two places shows.
    observations.push(withoutIds([JSON.stringify(receipt), ...(await observe(service, round))].join('\n')).split('\n'))
  }
  return observations
}

const low = answersWith(0, 'Wij twijfelen over deze samenwerking')
const high = answersWith(4, 'Wij zijn zeer tevreden').map((answer) =>
  answer.item_code === 'impact_learning' ? { item_code: answer.item_code, not_applicable: true } : answer,
)
const short = low.filter(({ item_code }) => item_code !== 'impact_first_change')

const blind: [string, (service: Service, round: Json) => Promise<unknown>][] = [
  ['open', async () => undefined],
  ['cancelled', (service, round) => stepRound(service, round, 'cancel', { reason: 'The year is over' })],
]

for (const [state, then] of blind) {
  t.test(`while a round is ${state} nothing that can be seen depends on what was answered`, async (t) => {
    const [seen = [], other, less] = await observed(t, [low, high, short], then)
    t.strictSame(other, seen)
    t.strictSame(less, seen, 'nor on how much')
    const text = seen.join('\n')
    for (const { text: words } of [low, high].map((answers) => answers.at(-1))) t.notMatch(text, words)
    t.notMatch(text, /why_goal_clear.{0,40}score":\d/)
    t.ok(seen.some((line) => /GET [/]v1[/]evaluations[/]#\d+[/]scores 409/.test(line)))
    t.ok(seen.some((line) => /GET [/]v1[/]evaluations[/]#\d+[/]responses 409/.test(line)))
    t.ok(
      seen.some((line) => line.includes('"status":"answered"')),
      'that it was answered shows',
    )
  })
}

t.test('once the round is closed the same reads differ by the answers', async (t) => {
  const close = (service: Service, round: Json) => stepRound(service, round, 'close')
  const [one = [], other = []] = await observed(t, [low, high], close)
  const differing = one.filter((line, at) => line !== other[at]).join('\n')
  t.match(differing, /scores 200/)
  t.match(differing, /responses 200/)
  t.match(differing, low.at(-1)?.text)
  t.notMatch(differing, /"type":"evaluation/, 'events hold no answers, then either')
})
