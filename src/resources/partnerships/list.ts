import { defineList } from '../../platform/lists.ts'
import { evaluationDueFilters } from './evaluation-due.ts'
import { partnershipFilters, partnershipSorts } from './filters.ts'
import { Partnership } from './schemas.ts'
import { partnershipResource } from './view.ts'

export const partnershipList = defineList({
  name: 'partnerships',
  item: Partnership,
  of: partnershipResource,
  sorts: partnershipSorts,
  defaultSort: 'created_at',
  filters: { ...partnershipFilters, ...evaluationDueFilters },
})
