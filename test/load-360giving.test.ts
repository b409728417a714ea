import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'csv-parse/sync'
import t, { type Test } from 'tap'
import { connectClient } from '../src/clients/client.ts'
import { loadGrants } from '../src/clients/giving360.ts'
import { parseGrants } from '../src/clients/giving360-file.ts'
import type { Grant } from '../src/core/giving360.ts'
import { cloneDatabase } from './support/database.ts'
import type { Client, Json } from './support/harness.ts'
import { clientOfProcess, type ServiceProcess, startProcess } from './support/process.ts'
import { expectedScores } from './support/scores.ts'

// The main job on real input: a public file of grants becomes a portfolio, and a round on a part of it becomes a table.

const standard = new URL('../../shared/data/360giving-lloyds-bank-foundation.json', import.meta.url)
const file = process.env['BEIDE_360GIVING_FILE'] || fileURLToPath(standard)
const isThere = await access(file).then(
  () => true,
  () => false,
)

/** The service as a process of its own, whose clients are programs. */
async function running(t: Test): Promise<ServiceProcess & { key: string; client: Client }> {
  const process = await startProcess(t, { DATABASE_URL: await cloneDatabase(t), REQUESTS_PER_MINUTE: '1000000' })
  return { ...process, key: process.key as string, client: await clientOfProcess(process) }
}

/** Runs `npm run load:360giving -- PATH` without npm, or another command with a file. */
async function load({ url, key }: { url: string; key: string }, path: string, command = 'load:360giving') {
  const program = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
  const env = { PATH: process.env['PATH'], BEIDE_URL: url, BEIDE_API_KEY: key }
  const child = spawn(process.execPath, [program, command, path], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let told = ''
  const hear = (chunk: Buffer) => {
    told += chunk
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const [code] = await once(child, 'close')
  return { code, told }
}

/**
 * How many grants, or a few more, are loaded by a request for each record; the others of the file, in one call. All of
 * them, 4,116, are some 23,000 requests.
 */
const rowByRow = Number(process.env['BEIDE_360GIVING_GRANTS'] ?? 60)
t.setTimeout(1_800_000)

const organisation = (id: string, name: string) => [{ id, name }]
const grant = (id: string, more: object = {}) => ({
  id,
  title: `Grant ${id}`,
  currency: 'GBP',
  amountAwarded: 1000.5,
  awardDate: '2020-03-01T00:00:00+00:00',
  fundingOrganization: organisation('GB-CHC-327114', 'A Foundation'),
  recipientOrganization: organisation('360G-recipient', 'Cwmni Theatr Tŷ Bach'),
  ...more,
})

/** Eight rows, of which two can be taken; each on a line of its own, the first on line 2. */
const rows = [
  JSON.stringify(grant('good-1')),
  '{"id": "torn", "title": "An "inner" quote"}',
  JSON.stringify(grant('no-title', { title: ' ' })),
  JSON.stringify(grant('no-number', { amountAwarded: '100' })),
  JSON.stringify(grant('no-date', { awardDate: '2020-02-30' })),
  JSON.stringify(grant('good-1')),
  JSON.stringify(grant('half-pennies', { amountAwarded: 10.005 })),
  JSON.stringify(
    grant('good-2', { plannedDates: [{ startDate: '2019-01-01T00:00:00+00:00', endDate: '2019-12-31' }] }),
  ),
]
const malformed = `{"grants": [\n${rows.join(',\n')}\n]}`

t.test('an instant is of the day that it was in London', async (t) => {
  // Midnight of summer time, as JavaScript writes it; the others are days however they are written.
  const instants = ['2020-06-30T23:00:00Z', '2020-07-01T00:30:00+01:00', '2020-07-01T00:00:00', '2020-07-01']
  const grants = instants.map((awardDate, at) =>
    grant(`${at}`, { awardDate, plannedDates: [{ startDate: awardDate }] }),
  )
  const parsed = parseGrants(JSON.stringify({ grants }))
  t.strictSame(
    parsed.grants.map(({ awardedOn, startsOn }) => [awardedOn, startsOn]),
    instants.map(() => ['2020-07-01', '2020-07-01']),
  )
})

t.test('a later edition of a file adds what is new, and takes nothing ill', async (t) => {
  const service = await running(t)
  const load = (...grants: object[]) => loadGrants(connectClient(service), parseGrants(JSON.stringify({ grants })))
  const march = grant('march')
  t.match(await load(march), { as_of: '2020-03-01', created: 4, unchanged: 0, refused: [] })
  const edition = await load(march, grant('june', { awardDate: '2020-06-01', title: 'Another grant' }))
  t.match(edition, { as_of: '2020-06-01', created: 1, updated: 0, unchanged: 4, refused: [] })
  const { data } = (await service.client.get('/v1/commitments?sort=created_at')).body
  t.strictSame(
    data.map((one: Json) => one.taken_over.on),
    ['2020-03-01', '2020-06-01'],
  )
  // An earlier edition is not what this came from.
  t.match(await load(grant('march', { awardDate: '2020-02-01' })), { refused: [{ id: /./ }, { id: 'march' }] })
})

t.test('malformed rows are told by line and reason, and the others are taken', async (t) => {
  const service = await running(t)
  const client = connectClient(service)
  const heard: number[] = []
  const report = await loadGrants(client, parseGrants(malformed), (done, all) => heard.push(all - done))
  t.match(report, { as_of: '2020-03-01', created: 5, updated: 0, unchanged: 0, remarks: [] })
  t.equal(heard.at(-1), 0, 'progress reaches the end')
  t.match(report.refused, [
    { line: 3, id: 'torn', reason: /JSON/ },
    { line: 4, id: 'no-title', reason: 'title is missing' },
    { line: 5, id: 'no-number', reason: 'amountAwarded is not a number of 0 or more' },
    { line: 6, id: 'no-date', reason: 'awardDate is missing or no date' },
    { line: 7, id: 'good-1', reason: 'a grant with this id stands in the file already' },
    { line: 8, id: 'half-pennies', reason: /^4\d\d .*\/measure\/amount/ },
  ])
  t.equal(report.refused.length, 6)
  const { data } = (await service.client.get('/v1/commitments')).body
  t.strictSame(data.map((one: Json) => one.external_refs[0].id).sort(), ['good-1', 'good-2'])
  await t.rejects(loadGrants(connectClient({ ...service, key: 'beide_no_key' }), parseGrants(malformed)), /401/)

  const directory = await mkdtemp(join(tmpdir(), 'beide-load-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const path = join(directory, 'grants.json')
  const command = async (text: string) => {
    await writeFile(path, text)
    return load(service, path)
  }
  const first = await command(malformed)
  t.equal(first.code, 1, 'the command fails where a row was refused')
  t.match(first.told, '  line 5 (no-number): amountAwarded is not a number of 0 or more\n')
  t.match(first.told, '\n0 created, 0 updated, 5 unchanged, 6 refused.\n')
  const second = await command(`{"grants": [${rows[0]}, ${rows.at(-1)}]}`)
  t.equal(second.code, 0, second.told)
  t.match(second.told, '\n0 created, 0 updated, 5 unchanged, 0 refused.\n')
  const cut = await command('{"grants": [')
  t.equal(cut.code, 1)
  t.match(cut.told, 'the text is cut off')
})

const round = { kind: 'periodic', period_from: '2014-07-01', period_to: '2015-06-30' }

/** Answers of every kind; which, depends on the number alone. */
function answersOf(template: Json, seed: number): Json[] {
  return template.items.flatMap((item: Json, at: number) => {
    if (item.scale === 'text') return seed % 2 ? [{ item_code: item.code, text: `Number ${seed}` }] : []
    const turn = (seed * 7 + at * 3) % 11
    if (turn === 10) return [{ item_code: item.code, not_applicable: true }]
    return [{ item_code: item.code, score: item.minimum + (turn % (item.maximum - item.minimum + 1)) }]
  })
}

t.test(
  'a public file of 4,116 grants, loaded twice, row by row and in one call, then a round on 50 of its partnerships',
  isThere ? {} : { skip: `${file} is not here` },
  async (t) => {
    const started = await running(t)
    const service = started.client
    const parsed = parseGrants(await readFile(file, 'utf8'))
    t.equal(parsed.grants.length, 4116)

    const total = async (path: string): Promise<number> =>
      (await service.get(`${path}${path.includes('?') ? '&' : '?'}limit=1&include_total=true`)).body.total
    const all = 3625 + 3624 + 4116
    const part = await partOf(t, parsed.grants)
    const first = await load(started, part.path)
    t.match(first, { code: 0, told: `\n${part.records} created, 0 updated, 0 unchanged, 0 refused.\n` })
    const again = await load(started, part.path)
    t.match(again, { code: 0, told: `\n0 created, 0 updated, ${part.records} unchanged, 0 refused.\n` }, 'all 200')
    // What was loaded row by row is what the file says in one call, and the other way round.
    const whole = await load(started, file, 'import')
    const counts = `${all - part.records} created, 0 updated, ${part.records} unchanged, 0 ambiguous, 0 invalid`
    t.match(whole, { code: 0, told: `finished: ${counts}.` })
    t.equal(await total('/v1/organisations'), 3625)
    t.equal(await total('/v1/organisations?sector=company'), 1)
    t.equal(await total('/v1/commitments?status=agreed'), 4116)
    const asOf = parsed.grants.reduce((latest, { awardedOn }) => (awardedOn > latest ? awardedOn : latest), '')
    const byStatus = Map.groupBy(Map.groupBy(parsed.grants, (one) => one.recipient.id.trim()).values(), (grants) =>
      grants.every(({ endsOn }) => endsOn !== null && endsOn < asOf) ? 'ended' : 'active',
    )
    for (const status of ['active', 'ended'] as const)
      t.equal(await total(`/v1/partnerships?status=${status}`), byStatus.get(status)?.length, status)

    const written = parsed.grants[0] as (typeof parsed.grants)[number]
    const commitment = (await service.get(`/v1/commitments/by-ref/360giving/${written.id}`)).body
    t.match(commitment, {
      status: 'agreed',
      kind: 'cash',
      binding: 'firm',
      reciprocity: 'unconditional',
      title: written.title,
      measure: { type: 'money', currency: 'GBP' },
      taken_over: { on: asOf, from_system: '360giving', status: 'agreed' },
    })
    t.equal(Number(commitment.measure.amount), Number(written.amount))

    const second = await load(started, file, 'import')
    t.match(second, { code: 0, told: `finished: 0 created, 0 updated, ${all} unchanged, 0 ambiguous, 0 invalid.` })
    const other = await partOf(t, parsed.grants, 1)
    const others = await load(started, other.path)
    t.match(others, { code: 0, told: `\n0 created, 0 updated, ${other.records} unchanged, 0 refused.\n` }, 'all 200')
    t.match(others.told, 'is no web address: left out.', 'what could not be taken over as it stood is told')
    t.strictSame((await service.get(`/v1/commitments/${commitment.id}`)).body, commitment, 'to the letter')

    const template = (await service.get('/v1/evaluation-templates/partnership-review')).body
    const { data: partnerships } = (await service.get('/v1/partnerships?status=active&limit=50')).body
    t.equal(partnerships.length, 50)
    const expected: Json[] = []
    for (const [at, { id }] of partnerships.entries()) {
      const evaluation = await service.make('/v1/evaluations', { partnership_id: id, ...round })
      const path = `/v1/evaluations/${evaluation.id}`
      t.equal((await service.step(path, 'open', { invite_all_parties: true })).status, 200)
      const sides = await answerAll(service, path, template, at)
      t.equal((await service.get(path)).body.status, 'closed', 'the last answer closes the round')
      const decisions = [{ aspect: 'how', decision: at % 3 ? 'continue' : 'adapt' }]
      const conclusion = { conclusion: 'Beide kanten hebben gesproken.', decisions }
      t.match(await service.step(path, 'conclude', conclusion), { status: 200, body: { status: 'concluded' } })
      for (const { side, answers } of sides)
        for (const row of expectedScores(template, answers))
          expected.push({ evaluation_id: evaluation.id, partnership_id: id, side, ...row })
    }

    const csv = await service.get('/v1/exports/evaluation_scores.csv')
    t.equal(csv.status, 200)
    const names = ['evaluation_id', 'partnership_id', 'side', 'level', 'code', 'n', 'score']
    const found = (parse(csv.text, { columns: true }) as Record<string, string>[]).map((row) =>
      names.map((name) => row[name]).join(' '),
    )
    const wanted = expected.map((row) => names.map((name) => row[name]).join(' '))
    t.equal(found.length, 50 * 2 * (1 + template.dimensions.length + 19))
    t.strictSame(found.sort(), wanted.sort())
  },
)

/** True of a grant whose recipient gave what is no web address. */
const isTold = ({ recipient: { url } }: Grant): boolean => url !== undefined && !/^[a-z0-9.:/-]+$/i.test(url.trim())

/**
 * A file of about as many grants as are loaded row by row: all that some of the recipients got, so that what is said of
 * them together is what the whole file says, and those of the day that it was made.
 */
async function partOf(t: Test, grants: readonly Grant[], from = 0) {
  const asOf = grants.reduce((latest, { awardedOn }) => (awardedOn > latest ? awardedOn : latest), '')
  const byRecipient = Map.groupBy(grants, ({ recipient }) => recipient.id.trim())
  const every = Math.max(1, Math.floor(grants.length / rowByRow))
  const isChosen = (ofOne: readonly Grant[], at: number) => at % every === from % every || ofOne.some(isTold)
  const chosen = new Set([...byRecipient.values()].filter(isChosen).map(([first]) => first?.recipient.id.trim()))
  chosen.add(grants.find(({ awardedOn }) => awardedOn === asOf)?.recipient.id.trim())
  const { grants: written } = JSON.parse(await readFile(file, 'utf8')) as { grants: Json[] }
  const part = written.filter((one) => chosen.has(one.recipientOrganization[0].id.trim()))
  const directory = await mkdtemp(join(tmpdir(), 'beide-part-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const path = join(directory, 'grants.json')
  await writeFile(path, JSON.stringify({ grants: part }, null, 1))
  return { path, records: 1 + 2 * chosen.size + part.length }
}

/** Each party of a round answers in its own name. */
async function answerAll(service: Client, path: string, template: Json, at: number) {
  const { data: invitations } = (await service.get(`${path}/invitations`)).body
  const { partnership_id } = (await service.get(path)).body
  const { parties } = (await service.get(`/v1/partnerships/${partnership_id}`)).body
  const sides: { side: string; answers: Json[] }[] = []
  for (const [number, { party_id }] of invitations.entries()) {
    const answers = answersOf(template, at * 2 + number)
    await service.make(`${path}/responses`, { party_id, answers })
    sides.push({ side: parties.find((party: Json) => party.id === party_id).side, answers })
  }
  return sides
}
