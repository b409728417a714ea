import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { dateIn } from '../src/core/dates.ts'
import { takeSnapshot } from '../src/resources/portfolio-snapshots/commands.ts'
import { tables } from '../src/transfer/catalogue.ts'
import { isDated } from '../src/transfer/dated.ts'
import { historyOf } from '../src/transfer/history.ts'
import { duckdb } from './support/duckdb.ts'
import { fileOf, makeExport } from './support/exporting.ts'
import { type Json, startService } from './support/harness.ts'
import {
  type Alliance,
  agreed,
  alliance,
  commitment,
  deliver,
  entryPath,
  faultsOf,
  pathOf,
  takenOver,
} from './support/promises.ts'
import { answersWith, closedReadiness, conclusion, openRound, respond, stepRound } from './support/rounds.ts'
import { monthly, reverse, scheduled } from './support/schedules.ts'
import { temporaryDirectory } from './support/temporary.ts'
import { pauseOf, stepOf } from './support/world.ts'

// An export of a past day says what an export of that day said on it.

const clock = fixedClock('2026-01-10T12:00:00Z')
const service = await startService(t, { clock })
const today = () => dateIn('Europe/Amsterdam', clock.now())
const told = tables.filter(({ name }) => isDated(historyOf(name))).map(({ name }) => name)
const linesOf = (text: string): Json[] => text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))

/** The tables as they are now, each read at once. */
async function present(): Promise<Record<string, Json[]>> {
  const rows: Record<string, Json[]> = {}
  for (const name of told) rows[name] = linesOf((await service.get(`/v1/exports/${name}.ndjson`)).text)
  return rows
}

/** An export with its files, made here and now. */
async function ordered(order: object): Promise<Json> {
  const { id } = await service.make('/v1/exports', order)
  await makeExport(service, id)
  return (await service.get(`/v1/exports/${id}`)).body
}

async function asOf(day: string, more: object = {}): Promise<Record<string, Json[]>> {
  const done = await ordered({ format: 'ndjson', as_of: day, ...more })
  t.match(done, { status: 'succeeded', as_of: day })
  const rows: Record<string, Json[]> = {}
  for (const name of done.tables) rows[name] = linesOf(String(await fileOf(service, done, `${name}.ndjson`)))
  return rows
}

const days: { day: string; rows: Record<string, Json[]> }[] = []
async function untilNoon(day: string): Promise<void> {
  days.push({ day: today(), rows: await present() })
  clock.set(`${day}T12:00:00Z`)
}

const taken = (organisation_id: string, as_of: string) =>
  takeSnapshot(
    service.database,
    { ...service, actor: { type: 'system', id: null }, scopes: ['admin'], requestId: 'tests', now: clock.now() },
    { organisation_id, as_of },
  )
const value = (amount: string) => ({
  money: { amount, currency: 'EUR' },
  ...{ basis: 'fair_value', declared_by: 'giver', valued_on: today() },
})

/** Four months in the life of an alliance, in which all that has a day changes at least once. */
async function live(seats: Alliance): Promise<void> {
  const { partnership, company, charity } = seats
  const path = `/v1/partnerships/${partnership.id}`
  const gift = await scheduled(service, seats, monthly({ starts_on: today() }), { valuations: [value('1000.00')] })
  const evenings = { from_party_id: charity, to_party_id: company, kind: 'access', title: 'Evenings' }
  const measure = { type: 'quantity', quantity: '4.5', unit: 'event' }
  const access = await agreed(service, seats, { ...evenings, measure, in_return_for: [gift.id] })
  const goods = await agreed(service, seats, { title: 'Books', kind: 'goods' })
  await takenOver(service, seats, 'fulfilled', { title: 'Long ago', agreed_on: '2026-01-02', closed_on: '2026-01-05' })
  await commitment(service, seats, { title: 'Not agreed' })
  const [, nonProfit] = partnership.parties
  const objective = await service.make('/v1/objectives', {
    ...{ organisation_id: nonProfit.organisation_id, level: 'outcome', title: 'Reading', importance: 4 },
    active_from: '2026-01-01',
  })
  const link = (contribution: number) =>
    service.make('/v1/objective-links', { partnership_id: partnership.id, objective_id: objective.id, contribution })
  await link(1)
  const round = await openRound(service, partnership)
  for (const [at, party] of partnership.parties.entries()) await respond(service, round, party, answersWith(at + 1))

  await untilNoon('2026-02-15')
  await taken(nonProfit.organisation_id, '2026-01-31')
  const [plain, doubtful, wrong, late] = [
    await deliver(service, gift, '100.00'),
    await deliver(service, gift, '50.00', { delivered_on: '2026-02-10', reach: { audience: 12, countries: ['NL'] } }),
    await deliver(service, gift, '25.00'),
    await deliver(service, access, '1.5'),
  ]
  await stepOf(service, entryPath(plain), 'confirm', { party_id: charity, note: 'Thanks' })
  await stepOf(service, entryPath(doubtful), 'dispute', { party_id: charity, reason: 'Never seen' })
  await stepOf(service, entryPath(wrong), 'confirm', { party_id: charity })
  const amendment = () =>
    service.make(`${path}/amendments`, {
      ...{ cause: 'evaluation', proposed_by_party_id: company },
      changes: {
        commitments: [
          { commitment_id: access.id, terms: { title: 'Lunches', mode: 'online', in_return_for: [] } },
          { commitment_id: gift.id, terms: { measure: { type: 'money', amount: '1200.00', currency: 'EUR' } } },
        ],
      },
    })
  const unwanted = await amendment()
  const instead = await commitment(service, seats, { title: 'Clothes', kind: 'goods' })
  const substitution = await service.make('/v1/substitutions', {
    ...{ replaces_commitment_id: goods.id, by_commitment_id: instead.id, proposed_by_party_id: company },
    ...{ replaced_measure: { type: 'money', amount: '400.00', currency: 'EUR' }, reason: 'Too many books' },
  })
  await link(3)
  await stepRound(service, round, 'conclude', conclusion)

  await untilNoon('2026-03-20')
  await stepOf(service, entryPath(doubtful), 'confirm', { party_id: charity, note: 'Found' })
  await stepOf(service, entryPath(late), 'confirm', { party_id: company })
  await reverse(service, wrong, charity)
  await stepOf(service, `/v1/amendments/${unwanted.id}`, 'reject', { party_id: charity, note: 'Not yet' })
  await stepOf(service, `/v1/amendments/${(await amendment()).id}`, 'accept', { party_id: charity, note: 'Good' })
  await stepOf(service, `/v1/substitutions/${substitution.id}`, 'accept', { party_id: charity })
  await service.call('PATCH', pathOf(gift), { valuations: [...gift.valuations, value('1300.00')] }, { ifMatch: '*' })
  await stepOf(service, path, 'pause', pauseOf(partnership, { schedule_effect: 'skip' }))

  await closedReadiness(service, { id: nonProfit.organisation_id })
  await untilNoon('2026-04-25')
  await stepOf(service, path, 'resume', {})
  await stepOf(service, pathOf(access), 'lapse', { party_id: charity, reason: 'A flood' })
  await stepOf(service, pathOf(goods), 'cancel', { party_id: company, reason: 'No more books' })
  const again = await openRound(service, partnership, { period_to: '2026-04-01' })
  for (const party of partnership.parties) await respond(service, again, party)

  await untilNoon('2026-05-30')
  await stepOf(service, pathOf(access), 'release', { party_id: company, reason: 'Let it be' })
  await stepOf(service, pathOf(gift), 'lapse', { party_id: company, reason: 'No sales' })
  await untilNoon('2026-06-30')
  await stepOf(service, pathOf(gift), 'reinstate', { party_id: company })
  await stepOf(service, path, 'wind-down', { ends_on: '2026-12-31', end_reason: 'completed' })
  await untilNoon('2026-07-15')
}

const seats = await alliance(service)
await live(seats)

/** What commitments of the day have to look ahead for, or carry over, is compared with the measures of the day instead. */
const reckoned = ['skipped', 'outstanding', 'fulfilment_rate', 'delivered']

t.test('every table of a past day is what it was on that day', async (t) => {
  t.strictSame(told.length, 11)
  const seen = new Map<string, Set<string>>()
  for (const { day, rows } of days) {
    const found = await asOf(day)
    t.strictSame(Object.keys(found), told, 'all that can be told, where no table is named')
    const ofDay = new Set(found['commitments']?.map(({ id }) => id))
    for (const name of told) {
      const history = historyOf(name)
      const undated = 'undated' in history ? history.undated : []
      const without = name === 'commitments' ? [...undated, ...reckoned] : undated
      const plain = (list: Json[] = []) =>
        list.map((row) => Object.fromEntries(Object.entries(row).filter(([column]) => !without.includes(column))))
      const expected = rows[name]?.filter(
        (row) =>
          (name !== 'commitments' || !['draft', 'proposed', 'declined'].includes(row.status)) &&
          (name !== 'commitment_valuations' || ofDay.has(row.commitment_id)),
      )
      t.strictSame(plain(found[name]), plain(expected), `${name} of ${day}`)
      seen.set(name, (seen.get(name) ?? new Set()).add(JSON.stringify(plain(found[name]))))
    }
  }
  for (const [name, versions] of seen) t.ok(versions.size > 1, `${name} was not the same on all days`)
})

t.test('figures of commitments are those that the service itself answers about the day', async (t) => {
  let count = 0
  for (const { day } of days) {
    const { commitments } = await asOf(day, { tables: ['commitments'] })
    for (const row of commitments ?? []) {
      const { body } = await service.get(`/v1/commitments/${row.id}/fulfilment?as_of=${day}`)
      const size = (measure: Json) => measure.amount ?? measure.quantity
      t.strictSame(
        [row.status, row.amount ?? row.quantity, row.skipped, row.replaced, row.delivered, row.outstanding],
        [body.status, ...[body.measure, body.skipped, body.replaced, body.delivered, body.outstanding].map(size)],
        `${row.title} on ${day}`,
      )
      const { title, kind } = (await service.get(`/v1/commitments/${row.id}/terms?as_of=${day}`)).body.terms
      t.strictSame([row.title, row.kind], [title, kind])
      count += 1
    }
  }
  t.ok(count > 20, `${count} of them`)
})

t.test('sums agree across the tables of a day, and say what its measures say', async (t) => {
  for (const { day } of days) {
    const { commitments, fulfilments, objective_links } = await asOf(day)
    const cents = (text: string) => Math.round(Number(text) * 100)
    for (const row of commitments ?? []) {
      if (row.taken_over_on !== null) continue
      for (const [confirmation, column] of [
        ['confirmed', 'delivered'],
        ['reported', 'reported'],
      ] as const) {
        const sum = (fulfilments ?? [])
          .filter((entry) => entry.commitment_id === row.id && entry.confirmation === confirmation)
          .reduce((all, entry) => all + (entry.reversal_of ? -1 : 1) * cents(entry.amount ?? entry.quantity), 0)
        t.equal(sum, cents(row[column]), `${column} of ${row.title} on ${day}`)
      }
    }
    const current = await service.get(`/v1/objective-links?as_of=${day}`)
    t.strictSame(
      objective_links?.flatMap(({ id, superseded_on }) => (superseded_on === null ? [id] : [])),
      current.body.data.map(({ id }: Json) => id),
    )
  }
})

t.test('a day is told in every format, and the manifest says which columns are as they are now', async (t) => {
  const directory = await temporaryDirectory()
  t.teardown(() => rm(directory, { recursive: true }))
  const duck = await duckdb(t)
  const rows = await asOf('2026-03-20')
  for (const format of ['csv', 'parquet']) {
    const done = await ordered({ format, as_of: '2026-03-20' })
    await mkdir(join(directory, format))
    for (const { name, table } of done.files.slice(1)) {
      const file = join(directory, format, name)
      await writeFile(file, await fileOf(service, done, name))
      const [found] = await duck(`select count(*)::integer as n from '${file}'`)
      t.equal(found?.['n'], rows[table]?.length, name)
    }
    const manifest = JSON.parse(String(await fileOf(service, done, 'datapackage.json')))
    t.equal(manifest.as_of, '2026-03-20')
    t.equal(Date.parse(manifest.created), Date.parse(done.snapshot_at), 'and when it was told')
    const { undated, schema } = manifest.resources.find(({ name }: Json) => name === 'commitments')
    t.ok(undated.includes('metadata') && !undated.includes('status'))
    t.equal(schema.foreignKeys, undefined)
  }
  const now = await ordered({ format: 'csv', tables: ['pauses'], as_of: null })
  t.match(now, { as_of: null })
  t.equal((await asOf(today(), { tables: ['pauses'] }))['pauses']?.length, 1, 'today may be asked about')
})

t.test('filters narrow a day by what never changes', async (t) => {
  const day = '2026-04-25'
  const { fulfilments, commitments } = await asOf(day)
  const [{ commitment_id }] = fulfilments as [Json]
  const filters = { fulfilments: { commitment_id }, commitments: { partnership_id: seats.company } }
  const found = await asOf(day, { tables: ['fulfilments', 'commitments'], filters })
  t.strictSame(
    found['fulfilments'],
    fulfilments?.filter((entry) => entry.commitment_id === commitment_id),
  )
  t.ok((commitments?.length ?? 0) > 0)
  t.strictSame(found['commitments'], [], 'of no such partnership')
})

t.test('what cannot be told exactly is refused, with every fault', async (t) => {
  const every = await service.call('POST', '/v1/exports', {
    format: 'csv',
    as_of: '2026-03-20',
    tables: tables.map(({ name }) => name),
  })
  const others = tables.flatMap(({ name }, at) => (told.includes(name) ? [] : [`/tables/${at} no_history`]))
  t.strictSame([every.status, every.body.code, faultsOf(every)], [422, 'rule_violated', others])
  for (const { pointer, detail } of every.body.errors) {
    t.match(
      detail,
      new RegExp(`^${tables[Number(pointer.split('/')[2])]?.name} cannot be told as of a day: they .+\\.$`),
    )
  }
  const bad = await service.call('POST', '/v1/exports', {
    ...{
      format: 'csv',
      as_of: '2026-12-31',
      changed_after_sequence: 1,
      tables: ['instalments', 'pauses', 'fulfilments'],
    },
    filters: { fulfilments: { confirmation: ['confirmed'] }, pauses: { reason: ['safety'] } },
  })
  t.strictSame(faultsOf(bad).sort(), [
    '/as_of in_future',
    '/changed_after_sequence not_applicable',
    '/filters/fulfilments/confirmation not_applicable',
    '/tables/0 no_history',
  ])
  const early = await service.call('POST', '/v1/exports', { format: 'csv', as_of: '1999-12-31' })
  t.strictSame([early.status, faultsOf(early)], [422, ['/as_of before_record']])
  const none = await service.call('POST', '/v1/exports', { format: 'csv', as_of: '2026-02-30' })
  t.strictSame([none.status, none.body.errors[0].pointer], [400, '/as_of'])
})
