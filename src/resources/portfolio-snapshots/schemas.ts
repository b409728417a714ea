import { type Static, Type } from 'typebox'
import { date, recordHead, ref, uuid } from '../../core/schemas.ts'
import { PortfolioRow, PortfolioSummary } from '../portfolio/schemas.ts'

export const period = (description: string) =>
  Type.String({ pattern: '^\\d{4}-(0[1-9]|1[0-2])$', description, examples: ['2026-03'] })

export const PortfolioSnapshot = Type.Object(
  {
    ...recordHead,
    organisation_id: uuid({ description: 'Whose portfolio it was' }),
    period: period('The month'),
    as_of: date({ description: 'Its last day' }),
    summary: ref(PortfolioSummary),
  },
  { $id: 'PortfolioSnapshot', description: 'What a portfolio said at the end of a month; it never changes' },
)
export type PortfolioSnapshot = Static<typeof PortfolioSnapshot>

export const PortfolioSnapshotRow = Type.Object(
  {
    id: uuid(),
    snapshot_id: uuid({ description: 'The snapshot that it is a part of' }),
    organisation_id: uuid({ description: 'Whose portfolio it was in' }),
    period: period('The month'),
    figures: ref(PortfolioRow),
  },
  { $id: 'PortfolioSnapshotRow', description: 'A partnership in a portfolio, as it was at the end of a month' },
)
export type PortfolioSnapshotRow = Static<typeof PortfolioSnapshotRow>

export const portfolioSnapshotSchemas = [PortfolioSnapshot, PortfolioSnapshotRow]
