import type { Table } from './table.ts'
import { amendmentsTable, substitutionsTable } from './tables/changes.ts'
import { commitmentsTable } from './tables/commitments.ts'
import { commitmentValuationsTable, fulfilmentsTable, instalmentsTable } from './tables/deliveries.ts'
import { disruptionImpactsTable, disruptionsTable } from './tables/disruptions.ts'
import { evaluationGapsTable } from './tables/evaluation-gaps.ts'
import { evaluationScoresTable } from './tables/evaluation-scores.ts'
import { evaluationDecisionsTable, evaluationsTable } from './tables/evaluations.ts'
import { objectiveLinksTable, objectivesTable } from './tables/objectives.ts'
import { organisationIdentifiersTable, organisationsTable } from './tables/organisations.ts'
import { partnershipPartiesTable, partnershipStatusHistoryTable, partnershipsTable } from './tables/partnerships.ts'
import { pausesTable } from './tables/pauses.ts'
import { portfolioSnapshotsTable } from './tables/portfolio-snapshots.ts'

/** Every table that can be exported, those first to which others refer. */
export const tables: readonly Table[] = [
  organisationsTable,
  organisationIdentifiersTable,
  partnershipsTable,
  partnershipPartiesTable,
  partnershipStatusHistoryTable,
  commitmentsTable,
  commitmentValuationsTable,
  instalmentsTable,
  fulfilmentsTable,
  substitutionsTable,
  amendmentsTable,
  pausesTable,
  objectivesTable,
  objectiveLinksTable,
  disruptionsTable,
  disruptionImpactsTable,
  evaluationsTable,
  evaluationScoresTable,
  evaluationGapsTable,
  evaluationDecisionsTable,
  portfolioSnapshotsTable,
]
