import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { wholeTenant } from '../src/db/database.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import { answersWith, partnershipOf, plan, stepRound } from './support/rounds.ts'

// An attack on the anonymity of a round that persons answer. If two worlds, in which the same answers came from other
// people, cannot be told apart by anything that can be read, then nothing that can be read tells who answered what.

const clock = fixedClock('2026-06-15T10:00:00Z')
const shared = await startService(t, { clock })
const open = { key: null }

interface World {
  service: Service
  round: Json
  invitations: Json[]
  contacts: Json[]
}

/** Three persons a side, of whom the first is a contact known by name and function. */
async function world(): Promise<World> {
  clock.set('2026-06-15T10:00:00Z')
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const planned = await plan(service, partnership, {
    response_mode: 'individual',
    external_refs: [{ system: 'crm', id: 'E-1' }],
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
  return { service, round: await stepRound(service, planned, 'open'), invitations, contacts }
}

async function answer({ service, invitations }: World, points: readonly number[]): Promise<void> {
  for (const [at, { token }] of invitations.entries()) {
    if (points[at] === undefined) continue
    clock.advance(3_600_000)
    const answers = answersWith(points[at], `Woorden van soort ${points[at]}`)
    const { status, text } = await service.call('POST', `/v1/answers/${token}/submit`, { answers }, open)
    if (status !== 200) throw new Error(text)
  }
}

/** Everything that can be read of evaluations, invitations, feeds, exports and audit, by the contract itself. */
async function everything({ service, round, invitations }: World): Promise<string[]> {
  const about =
    /^[/]v1[/](evaluation|exports[/]evaluation|events|audit|portfolio|partnerships[/][{]id[}][/]reciprocity)/
  const paths = Object.keys(service.document.paths).filter(
    (path) => service.document.paths[path].get && about.test(path),
  )
  const seen: string[] = []
  for (const path of paths) {
    if (/parquet|evaluation-decisions[/]/.test(path)) continue
    const named = path
      .replace('{system}', 'crm')
      .replace('{ref_id}', 'E-1')
      .replace('/evaluation-templates/{id}', '/evaluation-templates/partnership-review')
    const ids = path.startsWith('/v1/evaluation-invitations/')
      ? invitations.map(({ id }) => id)
      : [path.startsWith('/v1/partnerships/') ? round.partnership_id : round.id]
    for (const id of ids) {
      const { status, etag, text } = await service.get(`${named.replace('{id}', id)}${query(path)}`)
      const mark = etag.replace(/-[\w-]{16}"/, '"')
      seen.push(`${path} ${status} ${mark} ${inOrder(text)}`)
    }
  }
  for (const { token } of invitations) seen.push((await service.get(`/v1/answers/${token}`, open)).text)
  // What is stored beside: the tables that remain once a round is closed.
  for (const table of [
    'evaluation_invitations',
    'evaluation_anonymous_responses',
    'evaluation_drafts',
    'evaluation_responses',
  ]) {
    const { rows } = await service.database.read(wholeTenant(service.tenantId), (tx) =>
      tx.client.query(`select * from ${table} where tenant_id = $1 order by 2`, [service.tenantId]),
    )
    seen.push(`${table} ${JSON.stringify(rows.map(({ token_hash: _, ...row }: Json) => row))}`)
  }
  return withoutIds(seen)
}

const query = (path: string): string => (/events$|audit$/.test(path) ? '?limit=200' : '')

/** Texts stand in random order: as many of each is all that they tell. */
const inOrder = (text: string): string =>
  text.replace(/"texts":(\["Woorden[^\]]*\])/g, (_, list) => `"texts":${JSON.stringify(JSON.parse(list).sort())}`)

/** Ids and hashes differ from world to world: each becomes its place in the order in which they appear. */
function withoutIds(seen: string[]): string[] {
  const places = new Map<string, number>()
  const id = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{64}|afresh [\w-]+|[\w-]{43}(?=")/g
  return seen.map((text) =>
    text.replace(id, (found) => {
      if (!places.has(found)) places.set(found, places.size)
      return `#${places.get(found)}`
    }),
  )
}

t.test('worlds in which the same answers came from other people cannot be told apart', async (t) => {
  const observations: string[][] = []
  for (const points of [
    [0, 2, 4, 1, 3, 3],
    [4, 0, 2, 3, 1, 3],
  ]) {
    const one = await world()
    await answer(one, points)
    observations.push(await everything(one))
  }
  const [first = [], second = []] = observations
  t.ok(first.length > 30, `${first.length} reads were compared`)
  t.strictSame(second, first)
  t.ok(first.some((line) => /[/]scores 200/.test(line)))
  t.ok(first.some((line) => /[/]texts 200.*Woorden van soort 2/.test(line)))
  t.notMatch(
    first.filter((line) => !/[/]texts /.test(line)).join(),
    /Woorden van soort/,
    'texts stand in one place alone',
  )
})

t.test('other answers below the minimum cannot be told apart either, closed or still open', async (t) => {
  const observations: string[][] = []
  for (const points of [
    [0, 0],
    [4, 1],
  ]) {
    const one = await world()
    await answer(one, points)
    const whileOpen = await everything(one).then((seen) => seen.filter((line) => !/^evaluation_anonymous/.test(line)))
    await stepRound(one.service, one.round, 'close')
    observations.push([...whileOpen, ...(await everything(one))])
  }
  t.strictSame(observations[1], observations[0])
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

t.test('erasing a person changes nothing that was published, and ends what it was still asked', async (t) => {
  const one = await world()
  await answer(one, [0, 2, 4, 1, 3, 3])
  const path = `/v1/evaluations/${one.round.id}`
  const published = async () => [
    (await one.service.get(`${path}/scores`)).text,
    (await one.service.get(`${path}/texts`)).text,
    (await one.service.get('/v1/exports/evaluation_scores.csv')).text,
  ]
  const before = await published()
  const [contact] = one.contacts
  const erased = await one.service.step(`/v1/contacts/${contact.id}`, 'erase')
  t.equal(erased.status, 200)
  t.strictSame(await published(), before)
  const invitation = await one.service.get(`/v1/evaluation-invitations/${one.invitations[0].id}`)
  t.match(invitation.body, { status: 'answered', function: null, contact_id: contact.id })

  const other = await world()
  const [first] = other.invitations
  const saved = await other.service.call(
    'PUT',
    `/v1/answers/${first.token}/draft`,
    { answers: [{ item_code: 'why_goal_clear', score: 1 }] },
    open,
  )
  t.equal(saved.status, 200)
  await other.service.step(`/v1/contacts/${other.contacts[0].id}`, 'erase')
  t.match((await other.service.get(`/v1/evaluation-invitations/${first.id}`)).body, {
    status: 'expired',
    function: null,
  })
  t.equal((await other.service.get(`/v1/answers/${first.token}`, open)).body.status, 'closed')
  const late = await other.service.call('POST', `/v1/answers/${first.token}/submit`, { answers: answersWith(2) }, open)
  t.strictSame([late.status, late.body.code], [409, 'state_forbids'])
})
