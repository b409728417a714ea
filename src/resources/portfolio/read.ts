import type { ReadTx } from '../../db/database.ts'
import { factsOf } from './facts.ts'
import { membersList } from './lists.ts'
import type { PortfolioRow, PortfolioSummary } from './schemas.ts'
import { type Summed, summaryOf, summedOf } from './summary.ts'
import { momentOf, thresholdsFor } from './whole.ts'

export { requireRecorded } from './record-start.ts'
export { riskRules } from './rules.ts'

/** How many partnerships are reckoned in one statement: a limit of its time, not of the portfolio. */
const pageSize = 200

export interface Reckoned {
  summary: PortfolioSummary
  rows: PortfolioRow[]
}

/**
 * The portfolio of an organisation on a day, in sum and by partnership, as its page gives them; of any size.
 * @throws Problem `not_found`
 */
export async function reckonedPortfolio(tx: ReadTx, organisationId: string, asOf: string): Promise<Reckoned> {
  const thresholds = await thresholdsFor(tx, organisationId)
  const moment = momentOf({ as_of: asOf }, thresholds, asOf)
  const of = { organisation_id: organisationId }
  const all: Summed[] = []
  let cursor: string | null | undefined
  while (cursor !== null) {
    const page = { limit: pageSize, sort: 'name', include_total: false, ...(cursor && { cursor }) }
    const { ids, next } = await membersList.ids(tx, page, of, moment)
    const facts = await factsOf(tx, ids, { ...moment, ...of })
    all.push(...facts.map((one) => summedOf(one, thresholds)))
    cursor = next
  }
  return { summary: summaryOf(all, { ...of, as_of: asOf }, thresholds), rows: all.map(({ row }) => row) }
}
