import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { ref, uuid } from '../../core/schemas.ts'
import { param } from '../../db/prepared.ts'
import { idParams, type SliceOptions } from '../../platform/collection.ts'
import { byInstant, byText, defineList, type Filter } from '../../platform/lists.ts'
import { gives, noContent, operation } from '../../platform/operation.ts'
import { sendOne } from '../../platform/resource.ts'
import { PortfolioSnapshot, PortfolioSnapshotRow, period, portfolioSnapshotSchemas } from './schemas.ts'
import { portfolioSnapshotResource, snapshotRowView } from './view.ts'

const periods: Record<string, Filter> = {
  period: { schema: period('This month'), where: sql`r.period = ${param('period')}` },
  period_from: { schema: period('This month and later'), where: sql`r.period >= ${param('period_from')}` },
  period_before: { schema: period('Before this month'), where: sql`r.period < ${param('period_before')}` },
}

const list = defineList({
  name: 'portfolio_snapshots',
  item: PortfolioSnapshot,
  of: portfolioSnapshotResource,
  sorts: { period: byText('period'), created_at: byInstant('created_at') },
  defaultSort: 'period',
  filters: {
    organisation_id: { schema: uuid(), where: sql`r.organisation_id = ${param('organisation_id')}::uuid` },
    ...periods,
  },
})

const rowList = defineList({
  name: 'portfolio_snapshot_rows',
  item: PortfolioSnapshotRow,
  view: snapshotRowView,
  sorts: { period: byText('period') },
  defaultSort: 'period',
  filters: {
    snapshot_id: { schema: uuid(), where: sql`r.snapshot_id = ${param('snapshot_id')}::uuid` },
    organisation_id: {
      schema: uuid({ description: 'In the portfolio of this organisation' }),
      where: sql`s.organisation_id = ${param('organisation_id')}::uuid`,
    },
    partnership_id: { schema: uuid(), where: sql`r.partnership_id = ${param('partnership_id')}::uuid` },
    is_at_risk: {
      schema: Type.Boolean({ description: 'True where a rule fired' }),
      where: sql`r.is_at_risk = ${param('is_at_risk')}::boolean`,
    },
    ...periods,
  },
})

const tag = 'Portfolio'
const scope = 'portfolio:read'
const next = { Link: 'The next page, as rel="next"' }

/** What portfolios said at the end of each month: in sum, and by partnership. Read alone: a job takes them. */
export const portfolioSnapshots: FastifyPluginAsyncTypebox<SliceOptions> = async (app, { database }) => {
  for (const schema of portfolioSnapshotSchemas) app.addSchema(schema)
  app.addSchema(list.page)
  app.addSchema(rowList.page)

  app.get(
    '/portfolio-snapshots',
    operation({
      id: 'list_portfolio_snapshots',
      scope,
      tag,
      summary: 'List what portfolios said at the end of each month',
      description:
        'Taken once the month is over everywhere, of each organisation that has objectives or takes part in two ' +
        'partnerships or more, from the month on in which it was recorded; by the thresholds of that time. In the order ' +
        'of months it shows how a portfolio developed.',
      query: list.query,
      answers: { 200: { description: 'A page', schema: ref(list.page), headers: next } },
    }),
    (request, reply) => list.send(database, request, reply),
  )

  app.get(
    '/portfolio-snapshots/:id',
    operation({
      id: 'get_portfolio_snapshot',
      scope,
      tag,
      summary: 'Read what a portfolio said at the end of a month',
      params: idParams,
      answers: {
        200: gives(ref(PortfolioSnapshot), 'The record'),
        304: noContent('The caller has this version already'),
      },
    }),
    (request, reply) => sendOne(database, portfolioSnapshotResource, request.params.id, request, reply),
  )

  app.get(
    '/portfolio-snapshot-rows',
    operation({
      id: 'list_portfolio_snapshot_rows',
      scope,
      tag,
      summary: 'List partnerships as they were in portfolios at the end of each month',
      description: 'Of one snapshot, or of one partnership through the months.',
      query: rowList.query,
      answers: { 200: { description: 'A page', schema: ref(rowList.page), headers: next } },
    }),
    (request, reply) => rowList.send(database, request, reply),
  )
}
