import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { wholeTenant } from '../src/db/database.ts'
import { duckdb } from './support/duckdb.ts'
import { type Json, startService } from './support/harness.ts'
import { cells, differences, everything, partnerOf, type World } from './support/observing.ts'
import { answersWith, conclusion, partnershipOf, plan, stepRound } from './support/rounds.ts'

// An attack on the anonymity of a round that persons answer. If two worlds, in which the same answers came from other
// people, cannot be told apart by anything that can be read, then nothing that can be read tells who answered what.

const clock = fixedClock('2026-06-15T10:00:00Z')
const shared = await startService(t, { clock })
const open = { key: null }
const files = { duck: await duckdb(t), directory: t.testdir({}) }

/** Three persons a side, of whom the first is a contact known by name and function. */
async function world(more: object = {}): Promise<World> {
  clock.set('2026-06-15T10:00:00Z')
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const planned = await plan(service, partnership, {
    response_mode: 'individual',
    external_refs: [{ system: 'crm', id: 'E-1' }],
    ...more,
  })
  const invitations: Json[] = []
  const contacts: Json[] = []
  for (const { id, organisation_id } of partnership.parties) {
    const path = `/v1/organisations/${organisation_id}/contacts`
    const contact = await service.make(path, { name: 'Noor de Vries', function: 'operations' })
    contacts.push(contact)
    for (const more of [{ contact_id: contact.id, function: 'operations' }, {}, {}]) {
      invitations.push(await service.make(`/v1/evaluations/${planned.id}/invitations`, { party_id: id, ...more }))
    }
  }
  const round = await stepRound(service, planned, 'open')
  return { service, partnership, round, invitations, contacts, ...files }
}

const submit = ({ service, invitations }: World, at: number, points: number) =>
  service.call(
    'POST',
    `/v1/answers/${invitations[at]?.token}/submit`,
    { answers: answersWith(points, `Woorden van soort ${points}`) },
    open,
  )

/** The points of each person asked; who has none does not answer. */
async function answer(one: World, points: readonly (number | undefined)[]): Promise<void> {
  for (const [at, given] of points.entries()) {
    if (given === undefined) continue
    clock.advance(3_600_000)
    const { status, text } = await submit(one, at, given)
    if (status !== 200) throw new Error(text)
  }
}

// One after the other, so that the feed tells of them in one order.
const both = async (one: World) => [await partnerOf(one, 'company'), await partnerOf(one, 'non_profit')] as const

t.test('worlds in which the same answers came from other people cannot be told apart', async (t) => {
  const observations: string[][] = []
  for (const points of [
    [0, 2, 4, 1, 3, 3],
    [4, 0, 2, 3, 1, 3],
  ]) {
    const one = await world()
    const partners = await both(one)
    await answer(one, points)
    await stepRound(one.service, one.round, 'conclude', conclusion)
    observations.push(await everything(one, partners))
  }
  const [first = [], second = []] = observations
  t.strictSame(differences(first, second), [], `${first.length} reads were compared`)
  for (const channel of [
    /^[/]v1[/]evaluations[/][{]id[}][/]scores[?] 200 .*"n":3/,
    /^[/]v1[/]evaluations[/][{]id[}][/]texts[?] 200.*Woorden van soort 2/,
    /^[/]v1[/]evaluations[/][{]id[}][/]chart.svg[?]language=nl 200 .*<svg/s,
    /^[/]v1[/]evaluations[/][{]id[}][?] again 304/,
    /^[/]v1[/]evaluation-decisions[/][{]id[}][?] 200/,
    /^[/]v1[/]portfolio[?]organisation_id=.*as_of=2026-06-15 200 .*"lowest_score":"\d/,
    /^[/]v1[/]events[?]limit=200&types=.* 200 .*evaluation.closed/,
    /^[/]v1[/]exports[/]evaluation_scores.csv[?] 200 .*reciprocity/s,
    /^partner 1 [/]v1[/]evaluations[/][{]id[}][/]scores[?] 200/,
    /^page .*Thank you/s,
    /^evaluation_scores.parquet .*"score":"?\d/,
    /^evaluation_scores.parquet statistics .*stats_min/,
    /^changes evaluation_scores.ndjson [1-9].*"n":3/,
    /^changes evaluation_gaps_changes.ndjson 1 /,
    /^stored scores .*"n":3/,
  ]) {
    t.ok(
      first.some((line) => channel.test(line)),
      `${channel} is among what was compared`,
    )
  }
  t.notMatch(
    first.filter((line) => !/[/]texts[? ]|^stored texts/.test(line)).join(),
    /Woorden van soort/,
    'texts stand in one place alone',
  )
})

t.test('other answers below the minimum cannot be told apart either, closed and concluded', async (t) => {
  const observations: string[][] = []
  for (const points of [
    [0, 0],
    [4, 1],
  ]) {
    const one = await world()
    const partners = [await partnerOf(one, 'non_profit')]
    await answer(one, points)
    await stepRound(one.service, one.round, 'close')
    await stepRound(one.service, one.round, 'conclude', conclusion)
    observations.push(await everything(one, partners))
  }
  t.strictSame(differences(observations[0] ?? [], observations[1] ?? []), [])
  t.ok((observations[0]?.length ?? 0) > 100)
})

t.test(
  'while a round is open, one more answer, a draft, a withdrawal or an erasure shows nothing of answers',
  async (t) => {
    const observations: string[][] = []
    for (const [points, more, drafted] of [
      [[0, 2, 4], 1, 1],
      [[4, 1, 0], 3, 4],
    ] as const) {
      const one = await world()
      const seen: string[] = []
      const look = async () => {
        const all = await everything(one)
        seen.push(...all.filter((line) => !/^stored (anonymous_responses|drafts)/.test(line)))
      }
      await answer(one, points)
      await look()
      await answer(one, [undefined, undefined, undefined, more])
      await look()
      const [, , , , declining, drafting] = one.invitations
      const draft = { answers: [{ item_code: 'why_goal_clear', score: drafted }] }
      await one.service.call('PUT', `/v1/answers/${drafting?.token}/draft`, draft, open)
      await one.service.call('POST', `/v1/answers/${declining?.token}/decline`, {}, open)
      await one.service.step(`/v1/contacts/${one.contacts[0]?.id}`, 'erase')
      await look()
      observations.push(seen)
    }
    t.strictSame(differences(observations[0] ?? [], observations[1] ?? []), [])
    t.ok((observations[0]?.length ?? 0) > 100)
  },
)

t.test('once a round is closed nothing that happens changes a cell, in any channel', async (t) => {
  const one = await world()
  await answer(one, [0, 2, 4, 1, 3])
  await stepRound(one.service, one.round, 'close')
  await stepRound(one.service, one.round, 'conclude', conclusion)
  const before = await cells(one)
  t.ok(before.some((line) => /"n":3/.test(line)) && before.some((line) => /too_few/.test(line)))
  const late = await submit(one, 5, 4)
  t.strictSame([late.status, late.body.code], [409, 'state_forbids'], 'one more answer is refused')
  for (const at of [0, 5]) {
    const { id } = one.invitations[at] as Json
    const withdrawn = await one.service.step(`/v1/evaluation-invitations/${id}`, 'decline')
    t.strictSame([withdrawn.status, withdrawn.body.code], [409, 'transition_not_allowed'], 'so is a withdrawal')
  }
  t.strictSame(differences(before, await cells(one)), [])
  for (const contact of one.contacts) {
    t.equal((await one.service.step(`/v1/contacts/${contact.id}`, 'erase')).status, 200)
  }
  t.strictSame(differences(before, await cells(one)), [], 'an erasure takes the person away, and no cell')
  const { id } = one.invitations[0] as Json
  t.match((await one.service.get(`/v1/evaluation-invitations/${id}`)).body, { status: 'answered', function: null })
})
t.test(
  'while a round is open, what is stored of its answers has neither time, nor order, nor a number of its own',
  async (t) => {
    const one = await world()
    await answer(one, [0, 2, 4, 1])
    const { rows } = await one.service.database.read(wholeTenant(one.service.tenantId), (tx) =>
      tx.client.query(
        'select r.*, r.xmin::text as written_by from evaluation_anonymous_responses r where tenant_id = $1',
        [one.service.tenantId],
      ),
    )
    t.equal(rows.length, 4)
    t.strictSame(Object.keys(rows[0] as Json).sort(), [
      'answers',
      'evaluation_id',
      'id',
      'side',
      'tenant_id',
      'written_by',
    ])
    t.equal(new Set(rows.map(({ written_by }: Json) => written_by)).size, 1, 'all seem to be of one transaction')
    for (const { id } of rows as Json[]) t.match(id, /^.{14}4/, 'ids are random, and not of their time')
  },
)

t.test('erasing a person ends what it was still asked', async (t) => {
  const other = await world()
  const first = other.invitations[0] as Json
  const saved = await other.service.call(
    'PUT',
    `/v1/answers/${first.token}/draft`,
    { answers: [{ item_code: 'why_goal_clear', score: 1 }] },
    open,
  )
  t.equal(saved.status, 200)
  await other.service.step(`/v1/contacts/${other.contacts[0]?.id}`, 'erase')
  t.match((await other.service.get(`/v1/evaluation-invitations/${first.id}`)).body, {
    status: 'expired',
    function: null,
  })
  t.equal((await other.service.get(`/v1/answers/${first.token}`, open)).body.status, 'closed')
  const late = await other.service.call('POST', `/v1/answers/${first.token}/submit`, { answers: answersWith(2) }, open)
  t.strictSame([late.status, late.body.code], [409, 'state_forbids'])
})
