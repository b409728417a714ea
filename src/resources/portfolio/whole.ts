import { Problem } from '../../core/problem.ts'
import type { ReadTx } from '../../db/database.ts'
import { requireOrganisation } from '../organisations/read.ts'
import { thresholdsNow, valuesOf } from '../thresholds/read.ts'
import type { ThresholdValues } from '../thresholds/schemas.ts'
import { factsOf, isReadWhole, type Part, parts } from './facts.ts'
import { membersList } from './lists.ts'
import type { Asked } from './measures.ts'
import { type Summed, summedOf } from './summary.ts'

/** How many partnerships are reckoned at once. */
export const wholeMax = 20_000

export interface Whole {
  rows: (Summed & { key: string })[]
  /** What a cursor after one of the rows is bound to. */
  scope: string
  thresholds: ThresholdValues
  /** False where the rows say nothing but what was needed of them. */
  isComplete: boolean
}

/** The thresholds, for the portfolio of an organisation that is there. @throws Problem `not_found` */
export async function thresholdsFor(tx: ReadTx, organisationId: string): Promise<ThresholdValues> {
  const [thresholds] = await Promise.all([thresholdsNow(tx), requireOrganisation(tx, organisationId)])
  return valuesOf(thresholds)
}

/**
 * A portfolio, reckoned as a whole; of a query with a cursor, what comes after it.
 * @param parent what `places` of the list is narrowed to and its cursors are bound to; `organisation_id` at least
 * @param needed the parts of the facts that the rows are looked at for
 * @throws Problem `not_found`; `rule_violated` where it is too large to be reckoned at once
 */
export async function wholePortfolio(
  tx: ReadTx,
  asked: Asked,
  parent: Asked & { organisation_id: string },
  today: string,
  needed: readonly Part[] = parts,
): Promise<Whole> {
  const thresholds = await thresholdsFor(tx, parent.organisation_id)
  const moment = momentOf(asked, thresholds, today)
  const { places, scope } = await membersList.places(tx, asked, wholeMax + 1, parent, moment)
  if (places.length > wholeMax) {
    throw new Problem('rule_violated', `This is reckoned over at most ${wholeMax} partnerships: narrow it, say by q.`)
  }
  const keys = new Map(places.map(({ id, key }) => [id, key]))
  const facts = await factsOf(tx, [...keys.keys()], { ...moment, organisation_id: parent.organisation_id }, needed)
  return {
    rows: facts.map((one) => ({ key: keys.get(one.id) ?? '', ...summedOf(one, thresholds) })),
    scope,
    thresholds,
    isComplete: isReadWhole(keys.size, needed),
  }
}

/** What the statements need to know beside which partnerships they are about. */
export const momentOf = ({ as_of, basis, currency }: Asked, { late_days }: ThresholdValues, today: string): Asked => ({
  as_of: as_of ?? today,
  basis,
  currency,
  late_days,
})
