import { sql } from 'kysely'
import { Type } from 'typebox'
import { uuid } from '../../core/schemas.ts'
import { compiler, param } from '../../db/prepared.ts'
import { oneOf, updatedSince } from '../../platform/lists.ts'
import { objectiveLevels } from '../../resources/objectives/schemas.ts'
import {
  codeColumn,
  evaluationKey,
  jsonOf,
  listColumn,
  metadataColumn,
  objectiveKey,
  objectiveLinkKey,
  optional,
  organisationKey,
  partnershipKey,
  recordColumns,
  refsOf,
  tailColumns,
} from '../columns.ts'
import { defineTable } from '../table.ts'
import { objectiveLinkUnit, objectiveUnit } from '../touched.ts'

const source = compiler
  .selectFrom('objectives as r')
  .leftJoin(refsOf('objective'), (join) => join.onRef('refs.resource_id', '=', 'r.id'))

/** What organisations want to reach. */
export const objectivesTable = defineTable(source, {
  name: 'objectives',
  rowName: 'ExportedObjective',
  grain: 'objective of an organisation',
  notes: 'Objectives of one organisation form a tree by parent_id: outputs serve outcomes, outcomes serve impacts.',
  key: ['id'],
  unit: objectiveUnit,
  columns: {
    ...recordColumns('objective'),
    organisation_id: organisationKey('Whose objective it is'),
    level: codeColumn(objectiveLevels, 'How far it reaches'),
    title: { type: 'text', meaning: 'What it is called' },
    description: { type: 'text', meaning: 'What it is, at length', ...optional },
    parent_id: objectiveKey('The objective that it serves', optional),
    sdg_goals: listColumn(Type.Integer(), 'Sustainable Development Goals, by number', jsonOf('r.sdg_goals')),
    sdg_targets: listColumn(Type.String(), 'Their targets, such as 1.a', jsonOf('r.sdg_targets')),
    importance: {
      type: 'integer',
      unit: '1 to 5, more is more',
      meaning: 'How much it weighs among the objectives of the organisation',
    },
    active_from: { type: 'date', meaning: 'The first day on which it counts' },
    active_until: { type: 'date', meaning: 'The last day on which it counts; null while it has no end', ...optional },
    indicator_refs: listColumn(
      Type.String(),
      'Addresses of the indicators that measure it',
      jsonOf('r.indicator_refs'),
    ),
    ...tailColumns,
  },
  filters: {
    level: oneOf('level', objectiveLevels),
    organisation_id: {
      schema: uuid(),
      names: 'organisations',
      where: sql`r.organisation_id = ${param('organisation_id')}::uuid`,
    },
    updated_since: updatedSince,
  },
})

/** What partnerships contribute to them. */
export const objectiveLinksTable = defineTable(compiler.selectFrom('objective_links as r'), {
  name: 'objective_links',
  rowName: 'ExportedObjectiveLink',
  grain: 'assessment of what a partnership contributes to an objective',
  notes:
    'An assessment counts from assessed_on up to, and without, superseded_on: take those without superseded_on for the ' +
    'present.',
  key: ['id'],
  unit: objectiveLinkUnit,
  columns: {
    ...recordColumns('assessment'),
    partnership_id: partnershipKey('The partnership that contributes'),
    objective_id: objectiveKey('The objective to which it contributes'),
    contribution: {
      type: 'integer',
      unit: '0 none, 1 indirect, 2 supporting, 3 essential',
      meaning: 'How much it contributes',
    },
    rationale: { type: 'text', meaning: 'Why that was found', ...optional },
    assessed_on: { type: 'date', meaning: 'From this day on it counts' },
    evaluation_id: evaluationKey('The evaluation in which it was assessed', optional),
    superseded_on: { type: 'date', meaning: 'From this day on a later assessment counts', ...optional },
    superseded_by_id: objectiveLinkKey('That later assessment', optional),
    ...metadataColumn,
  },
  filters: {
    partnership_id: { schema: uuid(), where: sql`r.partnership_id = ${param('partnership_id')}::uuid` },
    objective_id: { schema: uuid(), where: sql`r.objective_id = ${param('objective_id')}::uuid` },
    updated_since: updatedSince,
  },
})
