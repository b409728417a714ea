import { readFile } from 'node:fs/promises'
import { pino } from 'pino'
import t from 'tap'
import { backgroundWork } from '../src/background.ts'
import { fixedClock } from '../src/core/clock.ts'
import { asOwner } from '../src/db/tenants.ts'
import { makeOutbound } from '../src/platform/outbound.ts'
import { secretBox } from '../src/platform/secrets.ts'
import { takeSnapshots } from '../src/resources/portfolio-snapshots/commands.ts'
import { type Json, startService } from './support/harness.ts'
import { agreed, allianceTakenOver } from './support/promises.ts'
import { answersWith, openRound, respond } from './support/rounds.ts'
import { organisation, stepOf } from './support/world.ts'

const clock = fixedClock('2026-01-10T12:00:00Z')
const service = await startService(t, { clock })
const tools = {
  database: service.database,
  clock,
  log: pino({ level: 'silent' }),
  signal: new AbortController().signal,
}

/** A round at an instant, of several processes at once. */
async function round(at: string, processes = 1): Promise<void> {
  clock.set(at)
  await Promise.all(Array.from({ length: processes }, () => takeSnapshots(tools)))
}
const all = async (path: string): Promise<Json[]> => {
  const answer = await service.get(`/v1/${path}`)
  if (answer.status !== 200) throw new Error(answer.text)
  return answer.body.data
}

t.test('the end of each month is kept, once, and stays as it was', async (t) => {
  const charity = await organisation(service, 'non_profit')
  const { id } = charity
  const first = await allianceTakenOver(service, { charity, partnership: { name: 'First' } })
  const second = await allianceTakenOver(service, { charity, partnership: { name: 'Second' } })
  const gift = await agreed(service, first, { schedule: { frequency: 'once', starts_on: '2026-06-01' } })
  const page = async (day: string) => (await service.get(`/v1/portfolio?organisation_id=${id}&as_of=${day}`)).body
  const summary = async (day: string) =>
    (await service.get(`/v1/portfolio/summary?organisation_id=${id}&as_of=${day}`)).body

  // The month is not over in the west of the Pacific until noon in UTC.
  await round('2026-02-01T11:59:59Z')
  t.same(await all('portfolio-snapshots'), [])
  await round('2026-02-01T12:00:00Z', 4)
  await round('2026-02-01T13:00:00Z', 2)
  const [january, ...more] = await all('portfolio-snapshots')
  t.same(more, [], 'of the companies nothing is kept: each has one partnership')
  t.match(january, { organisation_id: id, period: '2026-01', as_of: '2026-01-31', version: 1 })
  t.strictSame(january.summary, await summary('2026-01-31'))
  const told = (await all('events?limit=200')).filter(({ type }) => type.startsWith('portfolio_snapshot.'))
  t.match(told, [{ type: 'portfolio_snapshot.taken', actor: { type: 'system' }, resource_id: january.id }])
  const rows = await all(`portfolio-snapshot-rows?snapshot_id=${january.id}`)
  t.strictSame(
    rows.map(({ figures }) => figures).sort((a, b) => (a.name < b.name ? -1 : 1)),
    (await page('2026-01-31')).data,
  )

  // In March the gift is released; the service was away from February on, and makes up for it in May.
  clock.set('2026-03-15T12:00:00Z')
  await stepOf(service, `/v1/commitments/${gift.id}`, 'release', { party_id: first.charity, reason: 'Keep it' })
  await stepOf(service, `/v1/partnerships/${second.partnership.id}`, 'pause', {
    ...{ reason: 'solidarity', initiated_by_party_id: second.company, review_on: '2026-09-01' },
  })
  await round('2026-05-04T09:00:00Z')
  const months = await all(`portfolio-snapshots?organisation_id=${id}`)
  t.same(
    months.map(({ period, summary }) => [
      period,
      summary.values[0].outstanding.amount,
      summary.by_status.map(({ status, partnerships }: Json) => `${partnerships} ${status}`).join(),
    ]),
    [
      ['2026-01', '1000.00', '2 active'],
      ['2026-02', '1000.00', '2 active'],
      ['2026-03', '0.00', '1 active,1 paused'],
      ['2026-04', '0.00', '1 active,1 paused'],
    ],
  )
  const of = `portfolio-snapshot-rows?partnership_id=${second.partnership.id}`
  t.same(
    (await all(of)).map(({ period, figures }) => [period, figures.status]),
    [
      ['2026-01', 'active'],
      ['2026-02', 'active'],
      ['2026-03', 'paused'],
      ['2026-04', 'paused'],
    ],
  )
  const periods = async (query: string) => (await all(`${of}&${query}`)).map(({ period }) => period)
  t.same(await periods('period=2026-02'), ['2026-02'])
  t.same(await periods('period_from=2026-02&period_before=2026-04&sort=-period'), ['2026-03', '2026-02'])
  t.equal((await all('portfolio-snapshots?period_from=2026-04&period_before=2026-04')).length, 0)
  t.same(await periods('is_at_risk=false'), [])
  t.equal((await all(`portfolio-snapshots?period_from=2026-04`)).length, 1)
  t.equal((await service.get('/v1/portfolio-snapshots?period=2026-13')).status, 400)

  // Thresholds that are set later change answers about that day, and no snapshot.
  await service.call('PATCH', '/v1/thresholds', { ending_days: 10 }, { ifMatch: '*' })
  t.equal((await summary('2026-01-31')).thresholds.ending_days, 10)
  t.strictSame((await service.get(`/v1/portfolio-snapshots/${january.id}`)).body, january)
  const exported = await service.get(`/v1/exports/portfolio_snapshots.ndjson?period=2026-03&organisation_id=${id}`)
  t.match(
    exported.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .find((row) => row.partnership_id === first.partnership.id),
    { as_of: '2026-03-31', status: 'active', outstanding: '0.00', currency: 'EUR', is_at_risk: true },
  )
})

t.test(
  'an organisation with objectives has a portfolio, whatever is in it; one that was merged has none',
  async (t) => {
    const own = await service.afresh()
    clock.set('2026-06-02T12:00:00Z')
    const [small, gone, left] = [
      await organisation(own, 'non_profit', 'Small'),
      await organisation(own, 'non_profit', 'Gone'),
      await organisation(own, 'non_profit', 'Left'),
    ]
    for (const { id } of [small, gone]) {
      await own.make('/v1/objectives', {
        ...{ organisation_id: id, level: 'impact', title: 'Reading', importance: 3, active_from: '2026-01-01' },
      })
    }
    const merged = await own.step(`/v1/organisations/${left.id}`, 'merge', { duplicate_id: gone.id })
    t.equal(merged.status, 200, merged.text)
    await round('2026-07-02T09:00:00Z')
    const { data } = (await own.get('/v1/portfolio-snapshots')).body
    t.match(
      data.map(({ organisation_id, period, summary }: Json) => [organisation_id, period, summary.partnerships]),
      [small, left].map(({ id }) => [id, '2026-06', 0]).sort(),
    )
    const [{ id: objective }] = (await own.get(`/v1/objectives?organisation_id=${small.id}`)).body.data
    await own.call('DELETE', `/v1/objectives/${objective}`, undefined, { ifMatch: '*' })
    const refused = await own.call('DELETE', `/v1/organisations/${small.id}`, undefined, { ifMatch: '*' })
    t.match(refused, { status: 409, body: { code: 'in_use', dependants: ['portfolio snapshots'] } })
  },
)

t.test('the round is one of the chores', async (t) => {
  const work = backgroundWork({
    ...{ eventsKeptDays: 90, auditKeptDays: 90, exportsKeptHours: 168 },
    webhooks: { outbound: makeOutbound({ allowPrivate: false }), box: secretBox([]) },
  })
  t.ok(work.chores.some(({ name }) => name === 'portfolio_snapshots'))
})

t.test('those that were kept under other names say what they said, by the names of now', async (t) => {
  const as = await service.afresh()
  const charity = await organisation(as, 'non_profit')
  // Names are words of the client, whatever they look like.
  for (const name of ['score_gap', '[,"score_gap"', 'at_risk']) {
    const { partnership } = await allianceTakenOver(as, { charity, partnership: { name, reference: name } })
    const round = await openRound(as, partnership)
    for (const [at, party] of partnership.parties.entries()) await respond(as, round, party, answersWith(at * 3))
  }
  clock.set('2026-09-30T12:00:00Z')
  await takeSnapshots(tools)
  const kept = `select s.summary::text, r.figures::text from portfolio_snapshots s
    join portfolio_snapshot_rows r on r.tenant_id = s.tenant_id and r.snapshot_id = s.id
    where s.tenant_id = '${as.tenantId}' order by r.id`
  const query = (text: string) => asOwner(as.url, async (client) => (await client.query(text)).rows)
  const now = await query(kept)
  t.ok(now.some(({ figures }) => JSON.parse(figures).rules_fired.includes('wide_gap')))
  // As text, so that nothing else of it moves: the later of two names, and the earlier.
  const kinds = {
    summary: [
      ['"rule":"wide_gap"', '"rule":"score_gap"'],
      ['"dimension_gap":', '"score_gap":'],
      ['"partnerships_at_risk":', '"at_risk":'],
      ['"outstanding_at_risk":', '"at_risk":'],
      ['"fulfilment_rate":', '"fulfilment":'],
    ],
    figures: [['"wide_gap"', '"score_gap"']],
  }
  for (const [column, names] of Object.entries(kinds)) {
    const table = column === 'summary' ? 'portfolio_snapshots' : 'portfolio_snapshot_rows'
    const earlier = names.reduce((text, [later, name]) => `replace(${text}, '${later}', '${name}')`, `${column}::text`)
    await query(`update ${table} set ${column} = (${earlier})::json`)
  }
  t.notMatch(JSON.stringify(await query(kept)), /wide_gap|dimension_gap|[a-z]_at_risk.":.?[{\d]|fulfilment_rate/)
  for (const file of ['000231_wide_gaps.sql', '000232_at_risk.sql']) {
    const migration = await readFile(`migrations/${file}`, 'utf8')
    for (const [update] of migration.matchAll(/^update .*?;$/gms)) await query(update)
  }
  t.strictSame(await query(kept), now)
})
