import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { takeSnapshot } from '../src/resources/portfolio-snapshots/commands.ts'
import { type Json, startService } from './support/harness.ts'
import { portfolioOf } from './support/portfolios.ts'
import { agreed, allianceTakenOver, deliver, entryPath, pathOf } from './support/promises.ts'
import { organisation, stepOf } from './support/world.ts'

// What many amounts come to is more than one of them can be. Every answer is checked against the contract as it is got.

const clock = fixedClock('2026-03-01T12:00:00Z')
const service = await startService(t, { clock })
const { schemas } = service.document.components
const most = '999999999999999.99'
const twice = '1999999999999999.98'
const charity = await organisation(service, 'non_profit')

/** Two promises of the most that can be promised, due at once; of the first twice that is delivered. */
async function greatAlliance() {
  const seats = await allianceTakenOver(service, { charity })
  const measure = { type: 'money', amount: most, currency: 'EUR' }
  const schedule = { frequency: 'once', starts_on: '2026-01-31' }
  const gifts = [
    await agreed(service, seats, { measure, schedule }),
    await agreed(service, seats, { measure, schedule }),
  ]
  const [first] = gifts as [Json]
  const entries = [await deliver(service, first, most), await deliver(service, first, most)]
  return { ...seats, first, entries }
}
const great = await greatAlliance()
const other = await greatAlliance()
for (const entry of great.entries) await stepOf(service, entryPath(entry), 'confirm', { party_id: great.charity })

t.test('one amount is as large as the contract says, and no larger', async (t) => {
  const pattern = new RegExp(schemas.Money.properties.amount.pattern)
  t.match(most, pattern)
  t.notMatch(twice, pattern)
  t.match(twice, new RegExp(schemas.MoneySum.properties.amount.pattern))
})

t.test('what was delivered or reported of one commitment', async (t) => {
  const money = (amount: string) => ({ type: 'money', amount, currency: 'EUR' })
  t.match((await service.get(pathOf(great.first))).body, { delivered: money(twice), reported: money('0.00') })
  t.match((await service.get(pathOf(other.first))).body, { delivered: money('0.00'), reported: money(twice) })
  t.match((await service.get(`${pathOf(great.first)}/fulfilment`)).body, { delivered: money(twice), met: money(most) })
})

t.test('quantities', async (t) => {
  const quantity = '999999999999999.999999'
  const measure = { type: 'quantity', quantity, unit: 'hour' }
  const hours = await agreed(service, other, { kind: 'pro_bono_services', measure })
  for (const _ of [1, 2]) await deliver(service, hours, quantity)
  const { reported } = (await service.get(pathOf(hours))).body
  t.same(reported, { type: 'quantity', quantity: '1999999999999999.999998', unit: 'hour' })
})

t.test('the measures of a partnership', async (t) => {
  const path = `/v1/partnerships/${great.partnership.id}`
  const fulfilment = await service.get(`${path}/fulfilment`)
  t.match(fulfilment, {
    status: 200,
    body: { due: { amount: twice }, met: { amount: most }, overdue: { amount: most } },
  })
  const reciprocity = await service.get(`${path}/reciprocity`)
  const [side] = reciprocity.body.promised.sides
  t.match(side, { value: { amount: twice } })
})

t.test('a portfolio, in sum and at the end of a month', async (t) => {
  const [row] = (await portfolioOf(service, charity)).data
  t.match(row.fulfilment.due, { amount: twice })
  const summary = await service.get(`/v1/portfolio/summary?organisation_id=${charity.id}`)
  t.match(summary, { status: 200, body: { values: [{ due: { amount: '3999999999999999.96' } }] } })
  const caller = {
    tenantId: service.tenantId,
    organisations: null,
    actor: { type: 'system', id: null },
    scopes: ['admin'],
  } as const
  const taken = { organisation_id: charity.id, as_of: '2026-02-28' }
  await takeSnapshot(service.database, { ...caller, requestId: 'tests', now: clock.now() }, taken)
  const [snapshot] = (await service.get(`/v1/portfolio-snapshots?organisation_id=${charity.id}`)).body.data
  t.match(snapshot.summary.values, [{ currency: 'EUR' }])
  t.equal((await service.get(`/v1/portfolio-snapshot-rows?snapshot_id=${snapshot.id}`)).body.data.length, 2)
})

t.test('exports, whose columns say what may come', async (t) => {
  for (const [table, row, columns] of [
    ['commitments', 'ExportedCommitment', ['amount', 'delivered', 'reported']],
    ['portfolio_snapshots', 'ExportedPortfolioSnapshot', ['due', 'late', 'outstanding']],
  ] as const) {
    const rows = (await service.get(`/v1/exports/${table}.ndjson`)).text.trim().split('\n')
    t.ok(rows.length > 1, table)
    for (const column of columns) {
      const { pattern } = schemas[row].properties[column]
      const values = rows.map((text) => JSON.parse(text)[column]).filter((value) => value !== null)
      t.ok(values.length > 1, column)
      for (const value of values) t.match(value, new RegExp(pattern), `${table} ${column}`)
    }
    t.equal((await service.get(`/v1/exports/${table}.parquet`)).status, 200)
  }
})
