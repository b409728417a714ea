import { tables } from './catalogue.ts'
import type { Dated, Undated } from './dated.ts'
import { datedCommitments, datedValuations } from './tables/dated-commitments.ts'
import {
  datedAmendments,
  datedFulfilments,
  datedGaps,
  datedObjectiveLinks,
  datedPauses,
  datedScores,
  datedSnapshots,
  datedStatusHistory,
  datedSubstitutions,
} from './tables/dated-records.ts'

const edited = 'are edited in place: what they said before is not kept by day'

/** Of every table, by its name, how it is told as of a day, or why it cannot be. */
const histories: Readonly<Record<string, Dated | Undated>> = {
  organisations: { why: edited },
  organisation_identifiers: { why: edited },
  partnerships: {
    why: `${edited} but for the state, which partnership_status_history has, and terms that were amended`,
  },
  partnership_parties: { why: `${edited}, and move when organisations are merged` },
  partnership_status_history: datedStatusHistory,
  commitments: datedCommitments,
  commitment_valuations: datedValuations,
  instalments: {
    why: 'keep what settled them without the day: commitments say what was delivered and outstanding on a day',
  },
  fulfilments: datedFulfilments,
  substitutions: datedSubstitutions,
  amendments: datedAmendments,
  pauses: datedPauses,
  objectives: { why: edited },
  objective_links: datedObjectiveLinks,
  disruptions: { why: edited },
  disruption_impacts: { why: edited },
  evaluations: { why: `${edited}; what rounds found by a day is in evaluation_scores and evaluation_gaps` },
  evaluation_scores: datedScores,
  evaluation_gaps: datedGaps,
  evaluation_decisions: { why: 'keep what became of them without the day' },
  portfolio_snapshots: datedSnapshots,
}

/** How a table is told as of a day, or why it cannot be. */
export function historyOf(name: string): Dated | Undated {
  const history = histories[name]
  if (!history) throw new Error(`Nobody said whether ${name} can be told as of a day`)
  return history
}

for (const { name } of tables) historyOf(name)
