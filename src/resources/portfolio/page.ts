import type { ReadTx } from '../../db/database.ts'
import type { Page } from '../../platform/pages.ts'
import type { ThresholdValues } from '../thresholds/schemas.ts'
import { factsOf } from './facts.ts'
import { rowOf } from './figures.ts'
import { membersList } from './lists.ts'
import {
  type Asked,
  foundIn,
  measureFilters,
  needsAll,
  pageByMeasure,
  pageInOrder,
  partsFor,
  type RowPage,
  sortsByMeasure,
} from './measures.ts'
import { momentOf, thresholdsFor, type Whole, wholePortfolio } from './whole.ts'

export interface PortfolioPageRead {
  page: Page
  thresholds: ThresholdValues
}

/**
 * One page of a portfolio, in a fixed number of statements. Where it is filtered and sorted by what is stored, the page
 * alone is reckoned; else of the whole portfolio what it is filtered and sorted by, and then the page.
 */
export async function readPortfolioPage(
  tx: ReadTx,
  asked: Asked & { organisation_id: string },
  today: string,
): Promise<PortfolioPageRead> {
  const { organisation_id, ...question } = asked
  if (!needsAll(asked)) return storedPage(tx, organisation_id, question, today)
  // Cursors are bound to the filters by measures too.
  const byMeasure = Object.keys(measureFilters).flatMap((name) =>
    asked[name] === undefined ? [] : [[name, asked[name]]],
  )
  const parent = { organisation_id, by_measure: JSON.stringify(byMeasure) }
  const { limit } = asked as unknown as { limit: number }
  // Of the whole, what it is sorted and filtered by; of the page, everything.
  const needed = partsFor(asked)
  const completed = async ({ isComplete, thresholds }: Whole, page: RowPage): Promise<RowPage> => {
    if (isComplete) return page
    const ids = page.rows.map(({ partnership_id }) => partnership_id)
    const facts = await factsOf(tx, ids, { ...momentOf(question, thresholds, today), organisation_id })
    return { ...page, rows: facts.map((one) => rowOf(one, thresholds)) }
  }
  if (sortsByMeasure(asked)) {
    const { cursor: _c, ...all } = question
    const whole = await wholePortfolio(tx, { ...all, sort: 'name', include_total: false }, parent, today, needed)
    const found = foundIn(whole.rows, asked)
    return answer(await completed(whole, pageByMeasure(found, asked)), asked, () => found.length, whole.thresholds)
  }
  const whole = await wholePortfolio(tx, { ...question, include_total: false }, parent, today, needed)
  const found = foundIn(whole.rows, asked)
  let total = found.length
  if (asked['include_total'] === true && asked['cursor'] !== undefined) {
    const { cursor: _c, ...all } = question
    total = foundIn(
      (await wholePortfolio(tx, { ...all, include_total: false }, parent, today, needed)).rows,
      asked,
    ).length
  }
  return answer(await completed(whole, pageInOrder(found, limit, whole.scope)), asked, () => total, whole.thresholds)
}

async function storedPage(
  tx: ReadTx,
  organisationId: string,
  question: Asked,
  today: string,
): Promise<PortfolioPageRead> {
  const thresholds = await thresholdsFor(tx, organisationId)
  const moment = momentOf(question, thresholds, today)
  const { ids, ...page } = await membersList.ids(tx, question, { organisation_id: organisationId }, moment)
  const facts = await factsOf(tx, ids, { ...moment, organisation_id: organisationId })
  return { page: { ...page, bodies: facts.map((one) => JSON.stringify(rowOf(one, thresholds))) }, thresholds }
}

function answer(
  { rows, next }: ReturnType<typeof pageByMeasure>,
  asked: Asked,
  total: () => number,
  thresholds: ThresholdValues,
): PortfolioPageRead {
  const bodies = rows.map((row) => JSON.stringify(row))
  return { page: { bodies, next, total: asked['include_total'] === true ? String(total()) : undefined }, thresholds }
}
