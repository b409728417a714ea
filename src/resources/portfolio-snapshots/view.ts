import { compiler } from '../../db/prepared.ts'
import { defineResource, type View } from '../../platform/resource.ts'
import type { PortfolioSnapshot, PortfolioSnapshotRow } from './schemas.ts'

const view: View<PortfolioSnapshot> = compiler
  .selectFrom('portfolio_snapshots as r')
  .select((eb) => [
    'r.id',
    'r.version',
    'r.created_at',
    'r.updated_at',
    'r.organisation_id',
    'r.period',
    'r.as_of',
    eb.ref('r.summary').$castTo<PortfolioSnapshot['summary']>().as('summary'),
  ])

export const portfolioSnapshotResource = defineResource<PortfolioSnapshot>({
  type: 'portfolio_snapshot',
  path: 'portfolio-snapshots',
  table: 'portfolio_snapshots',
  view,
})

export const snapshotRowView: View<PortfolioSnapshotRow> = compiler
  .selectFrom('portfolio_snapshot_rows as r')
  .innerJoin('portfolio_snapshots as s', (join) =>
    join.onRef('s.tenant_id', '=', 'r.tenant_id').onRef('s.id', '=', 'r.snapshot_id'),
  )
  .select((eb) => [
    'r.id',
    'r.snapshot_id',
    's.organisation_id',
    'r.period',
    eb.ref('r.figures').$castTo<PortfolioSnapshotRow['figures']>().as('figures'),
  ])
